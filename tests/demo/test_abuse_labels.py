"""The labels of the demo world's scams: weights that add up, raters of known error, and delays."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from trustlib import demo
from trustlib.demo.abuse import WORLD

END = pd.Timestamp(WORLD.end.replace(tzinfo=None))
# The longest that a label takes.
MATURE = END - timedelta(days=13, minutes=1)
STRATA = ["score-00-25", "score-25-35", "score-35-45", "score-45-65", "score-65-100"]
EDGES = [0, 0.25, 0.35, 0.45, 0.65, 1.01]


@pytest.fixture(scope="module")
def truth(world: demo.DemoWorld) -> demo.AbuseTruth:
    return demo.abuse_truth(world.path.parent)


@pytest.fixture(scope="module")
def labels(engine: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """A row per label, with what is true of the item, its score and when it was made."""
    return engine.execute(
        "SELECT labels.*, score, created_at, s.item_id IS NOT NULL AS scam FROM labels "
        "JOIN items USING (item_id) JOIN scores USING (item_id) "
        "LEFT JOIN (SELECT item_id FROM truth.scam_items) AS s USING (item_id) "
        "ORDER BY item_id, rater_id"
    ).df()


def test_about_eight_thousand_items_one_in_ten_twice(labels: pd.DataFrame) -> None:
    assert not labels.duplicated(["item_id", "rater_id"]).any()
    assert set(labels["label"]) == {0, 1}
    assert set(labels["policy"]) == {"scam"}
    times = labels[labels["created_at"] < MATURE].groupby("item_id").size().value_counts()
    items = times.sum()
    assert 7000 < labels["item_id"].nunique() < 8000
    assert 0.07 < times.loc[2:].sum() / items < 0.13
    assert 0.01 < times[3] / items < 0.05
    assert times.index.max() == 3


def test_strata_are_by_score(labels: pd.DataFrame) -> None:
    expected = pd.cut(labels["score"], EDGES, right=False, labels=STRATA).astype(str)
    assert (labels["stratum"] == expected).all()
    assert labels.groupby("item_id")["inclusion_probability"].nunique().max() == 1


def test_weights_add_up_to_the_items(
    engine: duckdb.DuckDBPyConnection, labels: pd.DataFrame
) -> None:
    scores = engine.execute(
        "SELECT score FROM scores JOIN items USING (item_id) WHERE created_at < ?", [MATURE]
    ).df()["score"]
    population = pd.cut(scores, EDGES, right=False, labels=STRATA).value_counts()
    items = labels[labels["created_at"] < MATURE].drop_duplicates("item_id")
    inclusion = items["inclusion_probability"]
    assert ((inclusion > 0) & (inclusion <= 1)).all()
    for name, found in inclusion.groupby(items["stratum"]):
        error = (1 / found).sum() - population[name]
        # A stratum that is labelled whole has no error at all.
        assert abs(error) <= 4 * np.sqrt(((1 - found) / found**2).sum()), name
    # Two designs, before and after the sampling was changed; the top stratum is labelled whole.
    designs = inclusion.groupby(items["stratum"]).nunique()
    assert designs.drop(STRATA[-1]).eq(2).all()
    assert inclusion[items["stratum"] == STRATA[-1]].eq(1).all()


def test_a_sample_of_views(engine: duckdb.DuckDBPyConnection, truth: demo.AbuseTruth) -> None:
    drawn = engine.execute(
        "SELECT l.*, viewed_at, score, s.item_id IS NOT NULL AS scam FROM view_labels AS l "
        "JOIN views USING (view_id) JOIN scores ON scores.item_id = l.item_id "
        "LEFT JOIN truth.scam_items AS s ON s.item_id = l.item_id WHERE l.item_id = views.item_id"
    ).df()
    assert 5200 < len(drawn) < 7000
    expected = pd.cut(drawn["score"], EDGES, right=False, labels=STRATA).astype(str)
    assert (drawn["stratum"] == expected).all()
    assert (drawn.groupby("stratum")["inclusion_probability"].nunique() == 1).all()
    old = drawn[drawn["viewed_at"] < MATURE]
    weight = 1 / old["inclusion_probability"]
    views, bad = engine.execute(
        "SELECT count(*), count(s.item_id) FROM views LEFT JOIN truth.scam_items AS s "
        "USING (item_id) WHERE viewed_at < ?",
        [MATURE],
    ).fetchall()[0]
    for values, total in ((np.ones(len(old)), views), (old["scam"].to_numpy(), bad)):
        spread = np.sqrt((values * weight * (weight - 1)).sum())
        assert abs((values * weight).sum() - total) < 4 * spread
    assert truth.total.views > views


def test_raters_err_as_often_as_the_truth_says(
    engine: duckdb.DuckDBPyConnection, truth: demo.AbuseTruth
) -> None:
    gold = engine.execute("FROM gold_labels").df()
    scams = {row[0] for row in engine.execute("SELECT item_id FROM truth.scam_items").fetchall()}
    assert (gold["item_id"].isin(scams) == (gold["gold"] == 1)).all()
    assert len(truth.raters) == 12
    assert (gold.groupby("rater_id")["item_id"].nunique() == 1000).all()
    right = gold["label"] == gold["gold"]
    for violating, share in ((1, "sensitivity"), (0, "specificity")):
        asked = gold[gold["gold"] == violating].groupby("rater_id").size()
        expected = pd.Series({name: getattr(rater, share) for name, rater in truth.raters.items()})
        wrong = (~right)[gold["gold"] == violating].sum()
        mean = (asked * (1 - expected)).sum()
        spread = np.sqrt((asked * expected * (1 - expected)).sum())
        assert abs(wrong - mean) < 4 * spread, share
    assert all(0.84 <= rater.sensitivity < 0.98 for rater in truth.raters.values())
    assert all(0.9998 <= rater.specificity < 1 for rater in truth.raters.values())


def test_raters_let_more_pass_before_the_guideline(
    labels: pd.DataFrame, truth: demo.AbuseTruth
) -> None:
    early = labels["labelled_at"] < pd.Timestamp(truth.guideline_at.replace(tzinfo=None))
    scam = labels[labels["scam"]]
    for before, factor in ((True, truth.sensitivity_before), (False, 1)):
        rows = scam[early[scam.index] == before]
        expected = rows["rater_id"].map(
            {name: rater.sensitivity * factor for name, rater in truth.raters.items()}
        )
        assert len(rows) > 15
        spread = np.sqrt((expected * (1 - expected)).sum())
        assert abs(rows["label"].sum() - expected.sum()) < 4 * spread
    assert labels[~labels["scam"]]["label"].mean() < 0.002


def test_the_newest_items_have_fewer_labels(labels: pd.DataFrame) -> None:
    assert (labels["labelled_at"] < END).all()
    delay = labels["labelled_at"] - labels["created_at"]
    assert delay.min() > timedelta(days=1)
    assert delay.max() < timedelta(days=13, minutes=1)
    mass = 1 / labels["inclusion_probability"]

    def items_a_day(first: pd.Timestamp, last: pd.Timestamp) -> float:
        inside = (labels["created_at"] >= first) & (labels["created_at"] < last)
        return float(mass[inside].sum() / (last - first).days)

    newest = items_a_day(END - timedelta(days=4), END)
    assert newest < 0.6 * items_a_day(MATURE - timedelta(days=28), MATURE)
