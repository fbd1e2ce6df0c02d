"""Options on hand-made labels: what each adds, in which unit, and what is never one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.harm.deep_dive.worlds import SPEC, without, world
from trustlib.harm.coordination import Coordination
from trustlib.harm.deep_dive.how import how
from trustlib.harm.deep_dive.options import ranking, thresholds
from trustlib.harm.deep_dive.result import How
from trustlib.harm.deep_dive.samples import samples
from trustlib.harm.deep_dive.today import today
from trustlib.harm.newly_frequent import NewlyFrequent
from trustlib.harm.taxonomy import taxonomy

WORLD, TRUTH = world(6)
# Every tenth item labelled: 12 violating, of which 4 are caught; 28 others, of which 2 are hit.
N = 40
SAMPLE = WORLD.sample.iloc[:N].reset_index(drop=True).assign(
    item=np.arange(N),
    actor=np.arange(N) // 2,
    stratum="all",
    inclusion=0.1,
    label=np.repeat([1.0, 0.0], [12, 28]),
    in_window=True,
    score=np.r_[np.linspace(0.95, 0.40, 12), np.linspace(0.60, 0.06, 28)],
    views=np.r_[np.full(12, 5.0), np.full(28, 3.0)],
    policy=np.r_[np.repeat(["fraud", "spam"], 6), np.full(28, "")],
    domain=np.r_[np.full(6, 7), np.full(6, 8), np.full(3, 7), np.full(25, -1)],
    text_hash=7,
    **{"control:rule": np.isin(np.arange(N), (0, 1, 2, 30)), "control:model": False},
    reported=np.isin(np.arange(N), (3, 31)),
)  # fmt: skip
ROWS = replace(
    WORLD,
    sample=SAMPLE,
    votes=pd.DataFrame({"item": SAMPLE["item"], "rater": 0, "label": SAMPLE["label"].astype(int)}),
    population=pd.DataFrame({"stratum": ["all"], "items": [10 * N], "views": [10_000]}),
    by_segment=WORLD.by_segment.iloc[:0],
    actors=pd.DataFrame({"actor": np.arange(N // 2), "items": 20}),
)
NOTHING = How(lifecycles=(), coordination=None, newly_frequent=None)


def clusters(*members: tuple[int, ...]) -> Coordination:
    rows = [(at, actor, 1) for at, actors in enumerate(members, start=1) for actor in actors]
    return Coordination(
        clusters=pd.DataFrame({"cluster": np.arange(1, len(members) + 1)}),
        members=pd.DataFrame(rows, columns=["cluster", "actor", "pairs"]),
        tied_accounts=len(rows),
        lone_pairs=0,
        checks=(),
    )


def new(*tokens: tuple[str, int], uses: int = 400) -> NewlyFrequent:
    frame = pd.DataFrame(tokens, columns=["kind", "token"]).assign(before=0, now=uses)
    return NewlyFrequent(tokens=frame, tested=9, untestable=0, variance_ratio=1.0, level=0.95,
                         rate=0.05)  # fmt: skip


def ranked(found=NOTHING, rows=ROWS, spec=SPEC):
    drawn = samples(rows, spec)
    return ranking(rows, drawn, today(rows, drawn, spec)[0], found, spec)


def option(found, name):
    return next(one for one in found.options if one.name == name)


def test_a_threshold_adds_what_no_control_acts_on():
    found, why = ranked(spec=replace(SPEC, thresholds=(0.5,)))
    assert why == {}
    one = option(found, "acting on scores from 0.50")
    # Violating from .5 on: ten, of which a control acts on three; others: six of 28, none hit.
    assert one.kind == "threshold"
    assert one.harm.point == pytest.approx(70)
    assert one.false_positives.point == pytest.approx(60)
    assert one.harm.unit == "violating items"


def test_newly_frequent_domains_are_one_rule_and_texts_none():
    found, _ = ranked(replace(NOTHING, newly_frequent=new(("domain", 7), ("text", 7))))
    one = option(found, "acting on items with 1\xa0newly frequent domain")
    assert (one.harm.point, one.false_positives.point) == pytest.approx((30, 30))
    assert one.kind == "rule"
    both, _ = ranked(replace(NOTHING, newly_frequent=new(("domain", 7), ("domain", 8))))
    one = option(both, "acting on items with 2\xa0newly frequent domains")
    assert one.harm.point == pytest.approx(90)
    texts, _ = ranked(replace(NOTHING, newly_frequent=new(("text", 7))))
    assert all(one.kind in ("threshold", "label") for one in texts.options)


def test_the_first_three_clusters_are_options():
    four = clusters((2, 3, 6), (3, 4, 5), (5, 19), (0,))
    found, _ = ranked(replace(NOTHING, coordination=four))
    told = {one.name: one for one in found.options if one.kind == "cluster"}
    assert set(told) == {f"acting on cluster {n}" for n in (1, 2, 3)}
    assert told["acting on cluster 1"].harm.point == pytest.approx(40)
    assert told["acting on cluster 1"].false_positives.point == pytest.approx(20)
    assert told["acting on cluster 2"].harm.point == pytest.approx(60)
    assert told["acting on cluster 2"].false_positives.point == 0


def test_an_option_that_few_labels_weigh_has_no_number_and_asks_for_labels():
    found, _ = ranked(replace(NOTHING, coordination=clusters((5, 19))))
    names = [one.name for one in found.options]
    weak = option(found, "acting on cluster 1")
    assert weak.harm.point is weak.false_positives.point is None
    assert "4\xa0labels of what it would act on, 5 are needed" in weak.harm.note
    assert option(found, "more labels for acting on cluster 1").measures == "acting on cluster 1"
    # It stands behind everything that has a number.
    assert names.index("acting on cluster 1") > names.index("acting on scores from 0.40")


def test_no_option_hits_more_items_than_are_known():
    few = replace(NOTHING, newly_frequent=new(("domain", 7), uses=25))
    one = option(ranked(few)[0], "acting on items with 1\xa0newly frequent domain")
    # Thirty by the labels' weights; twenty-five items have the domain.
    for part in (one.harm, one.false_positives):
        assert part.point == part.high == 25
        assert part.method.endswith("at most the items that are known")
    rows = replace(ROWS, actors=ROWS.actors.assign(items=3))
    found, _ = ranked(replace(NOTHING, coordination=clusters((2, 3, 6), (2, 3, 4, 5))), rows)
    three, four = (option(found, f"acting on cluster {n}") for n in (1, 2))
    assert three.harm.high == 11  # nine items: a count below 11 is not given away
    assert four.harm.high == 12
    # Severities add up to what nobody counted: mistakes alone have a limit then.
    kinds = taxonomy({"unit": "points", "harms": [
        {"name": "one", "policies": ["fraud", "spam"], "severity": 3.0}]})  # fmt: skip
    weighed, _ = ranked(few, spec=replace(SPEC, taxonomy=kinds))
    one = option(weighed, "acting on items with 1\xa0newly frequent domain")
    assert one.harm.point == pytest.approx(90)
    assert one.false_positives.high == 25


def test_no_segment_is_ever_an_option():
    drawn = samples(WORLD, SPEC)
    section, _ = how(WORLD, SPEC)
    found, _ = ranking(WORLD, drawn, today(WORLD, drawn, SPEC)[0], section, SPEC)
    values = {value for name in SPEC.segments for value in WORLD.sample[name]}
    assert len(found.options) >= 3
    for one in found.options:
        assert one.kind in ("threshold", "rule", "cluster", "label")
        assert not values & set(one.name.split())


def test_thresholds_that_the_scores_of_what_is_missed_suggest():
    drawn, acted = samples(ROWS, SPEC).items, SAMPLE["control:rule"].to_numpy()
    found = thresholds(drawn, SPEC, caught=acted)
    # The nine violating labels that no control acts on score .80, .75 … .40.
    assert found == (0.6, 0.5, 0.4)
    missed = drawn.score[(drawn.label > 0) & ~acted]
    assert [(missed >= at).mean() for at in found] == pytest.approx([5 / 9, 7 / 9, 1])
    given = replace(SPEC, thresholds=(0.2, 0.9, 0.2))
    assert thresholds(drawn, given, caught=acted) == (0.9, 0.2)
    assert thresholds(drawn, SPEC, caught=drawn.label > 0) == ()


def test_labels_are_an_option_where_they_would_change_the_order():
    section = How(
        lifecycles=(), coordination=clusters((2, 3, 6)), newly_frequent=new(("domain", 8))
    )
    found, _ = ranked(section, spec=replace(SPEC, thresholds=(0.5, 0.4)))
    assert found.check.verdict == "warn"
    best = found.measurements.iloc[0]
    (label,) = [one for one in found.options if one.kind == "label"]
    assert best["gain"] > 0.005
    assert (label.measures, label.name) == (best["option"], f"more labels for {best['option']}")
    assert best["labels"] == label.name
    # Nothing to choose between, nothing to measure.
    alone, _ = ranked(spec=replace(SPEC, thresholds=(0.5,)))
    assert [one.kind for one in alone.options] == ["threshold"]


def test_severity_times_views_where_the_taxonomy_says_so():
    harms = taxonomy({"unit": "harm points", "harms": [
        {"name": "money", "policies": ["fraud"], "severity": 2.0, "counted_in": "views"},
        {"name": "noise", "policies": ["spam"], "severity": 0.5}]})  # fmt: skip
    found, why = ranked(spec=replace(SPEC, taxonomy=harms, thresholds=(0.5,)))
    one = option(found, "acting on scores from 0.50")
    # Three items of fraud with five views each, four of spam.
    assert one.harm.point == pytest.approx(10 * (3 * 5 * 2.0 + 4 * 0.5))
    assert one.harm.unit == "harm points"
    assert why == {}


def test_a_policy_that_no_harm_has_counts_as_items_and_it_is_said():
    harms = taxonomy({"unit": "harm points", "harms": [{"name": "money", "policies": ["fraud"]}]})
    found, why = ranked(spec=replace(SPEC, taxonomy=harms, thresholds=(0.5,)))
    one = option(found, "acting on scores from 0.50")
    assert (one.harm.point, one.harm.unit) == (pytest.approx(70), "violating items")
    assert "counts as 1" in why["ranking.harm"]
    assert "spam" not in why["ranking.harm"]


def test_rows_in_another_order_change_nothing():
    section = How(
        lifecycles=(), coordination=clusters((2, 3), (4,)), newly_frequent=new(("domain", 7))
    )
    one, _ = ranked(section)
    other, _ = ranked(section, rows=replace(ROWS, sample=SAMPLE.sample(frac=1, random_state=2)))
    pd.testing.assert_frame_equal(one.table(), other.table())
    pd.testing.assert_frame_equal(one.measurements, other.measurements)


def test_missing_inputs_are_sentences():
    found, why = ranked(rows=without(ROWS, "labels"))
    assert found is None
    assert why == {"ranking": "There is nothing of labels: no source was given."}
    found, why = ranked(rows=without(ROWS, "scores"))
    assert found is None
    assert "no score" in why["ranking"]
    section = replace(NOTHING, coordination=clusters((3, 4, 5)))
    found, why = ranked(section, rows=without(ROWS, "scores"))
    assert [one.name for one in found.options] == ["acting on cluster 1"]
    unacted, _ = ranked(spec=replace(SPEC, thresholds=(0.5,)), rows=without(ROWS, "actions"))
    assert unacted.options[0].harm.point == pytest.approx(100)
    clean = replace(ROWS, sample=SAMPLE.assign(label=0.0))
    assert ranked(rows=clean)[0] is None
