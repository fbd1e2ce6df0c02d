"""The weekly series stands for its weeks, and no move is claimed where the instrument changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.harm.deep_dive.worlds import SPEC, ledger, without, world
from trustlib.harm.deep_dive.growth import changes, growth, weekly, what
from trustlib.harm.deep_dive.samples import samples

ROWS, _ = world(3)


def grown(rows):
    return growth(rows, samples(rows, SPEC), SPEC)


def test_weekly_intervals_hold_the_share():
    """.8 % of the items violate in every week, but for chance of the items themselves."""
    inside, looks = 0, 0
    for seed in range(12):
        rows, _ = world(seed, items=40_000, accounts=4_000, labels=1_600, sensitivity=1,
                        specificity=1)  # fmt: skip
        low, high = weekly(samples(rows, SPEC).weeks).intervals(0.95)
        inside += int(((low <= 0.008) & (high >= 0.008)).sum())
        looks += len(low)
    assert 0.88 <= inside / looks <= 0.995


def test_points_are_one_a_week_with_their_labels():
    found, why = grown(ROWS)
    points = found.trend.points
    assert why == {}
    assert list(points["at"]) == list(pd.date_range("2026-02-02", periods=8, freq="7D", tz="UTC"))
    assert points["labels"].sum() == len(ROWS.sample)


def test_a_week_without_labels_has_no_share():
    third = (ROWS.sample["created_at"] >= pd.Timestamp("2026-02-16", tz="UTC")) & (
        ROWS.sample["created_at"] < pd.Timestamp("2026-02-23", tz="UTC")
    )
    series = weekly(samples(replace(ROWS, sample=ROWS.sample[~third]), SPEC).weeks)
    assert list(np.flatnonzero(np.isnan(series.estimate))) == [2]


def test_a_week_with_labels_of_a_small_stratum_only_has_no_share():
    last = ROWS.sample["created_at"] >= pd.Timestamp("2026-03-23", tz="UTC")
    low = ROWS.sample["stratum"] == "score-00-25"
    series = weekly(samples(replace(ROWS, sample=ROWS.sample[~(last & low)]), SPEC).weeks)
    assert np.isnan(series.estimate[-1])
    assert not np.isnan(series.estimate[:-1]).any()


def test_a_jump_at_a_change_of_the_instrument_is_not_growth():
    rows, _ = world(1, growing=8.0)
    with_change, _ = grown(replace(rows, ledger=ledger({"2026-03-16": "score model 2"})))
    assert with_change.check.verdict == "warn"
    assert with_change.changes["what"].tolist() == ["model"]
    assert with_change.changes["ratio"].iloc[0] > 1.5
    calm, _ = grown(replace(ROWS, ledger=ledger({"2026-03-16": "score model 2"})))
    assert calm.check.verdict == "pass"


def test_no_ledger_is_not_an_empty_one():
    assert grown(without(ROWS, "ledger"))[0].check.verdict == "not_run"
    assert grown(ROWS)[0].check.verdict == "pass"
    assert changes(None) is None
    assert changes(ledger()) == []


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("model", "model"), ("Classifier v2", "model"), ("Labelling", "labelling"),
        ("rater guideline", "labelling"), ("sampling", "sampling"), ("POLICY", "policy"),
        ("event_schema", "logging"), ("new rule", "enforcement"), ("weather", "other"),
        (None, "other"), (float("nan"), "other"), ("other", "other"),
    ],
)  # fmt: skip
def test_words_of_a_ledger(word, kind):
    assert what(word) == kind


def test_without_labels_the_reason_is_told():
    found, why = grown(without(ROWS, "labels"))
    assert found is None
    assert why == {"ledger": "There is nothing of labels: no source was given."}
    bare = replace(without(ROWS, "labels"), weeks=ROWS.weeks.iloc[:0], missing={})
    assert grown(bare) == (None, {"ledger": "No week has labels."})


def test_rows_in_another_order_give_the_same_series():
    other = replace(ROWS, sample=ROWS.sample.sample(frac=1, random_state=1),
                    weeks=ROWS.weeks.sample(frac=1, random_state=1))  # fmt: skip
    one, two = (weekly(samples(rows, SPEC).weeks) for rows in (ROWS, other))
    np.testing.assert_array_equal(one.estimate, two.estimate)
    np.testing.assert_array_equal(one.variance, two.variance)
