"""The whole: every number and check by name, every role absent in turn, the words of a verdict."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from tests.harm.deep_dive.worlds import SPEC, ledger, without, world
from trustlib.harm.deep_dive import verdict as words
from trustlib.harm.deep_dive.dive import deep_dive
from trustlib.harm.deep_dive.estimates import AS_LABELLED
from trustlib.harm.deep_dive.verdict import verdict
from trustlib.harm.taxonomy import taxonomy

ROWS, TRUTH = world(3)
DIVE = deep_dive(ROWS, SPEC)
CONTRACT = ("prevalence", "prevalence_views", "affected_accounts", "recall_of_controls",
            "unseen_lower_bound")  # fmt: skip
ROLES = ("labels", "view_labels", "gold", "ledger", "views", "scores", "accounts", "actions",
         "appeals", "reports", "links")  # fmt: skip
HARMS = {"unit": "points", "harms": [{"name": "scams", "policies": ["scam"], "severity": 3.0}]}


def missing_fields(dive):
    """Fields of the sections that are None or empty."""
    found = {
        f"{section}.{field.name}": getattr(getattr(dive, section), field.name)
        for section in ("size", "where", "how", "today")
        for field in fields(getattr(dive, section))
    }
    found |= {"ledger": dive.ledger, "ranking": dive.ranking}
    return {
        name
        for name, value in found.items()
        if value is None
        or (isinstance(value, pd.DataFrame) and value.empty)
        or (isinstance(value, tuple | dict) and not value)
    }


def test_the_contract_of_the_result():
    assert tuple(DIVE.estimates)[:5] == CONTRACT
    names = [check.name for check in DIVE.checks]
    assert len(names) == len(set(names))
    assert {"positive_labels", "positive_labels_views", "segments_confirmed",
            "segments_confirmed_growth", "labels_arrived"} <= set(names)  # fmt: skip
    assert missing_fields(DIVE) <= set(DIVE.why)
    for one in DIVE.estimates.values():
        assert one.unit
        assert one.method
        assert one.low is not None or one.note


def test_shares_and_totals_are_the_corrected_ones():
    found, items = DIVE.estimates, ROWS.population["items"].sum()
    assert found["prevalence"] == DIVE.size.items_corrected.estimate
    assert found["prevalence_labelled"] == DIVE.size.items.estimate
    assert found["prevalence_views"] == DIVE.size.views_corrected.estimate
    assert found["violating_items"].point == pytest.approx(found["prevalence"].point * items)
    assert found["violating_items"].low <= TRUTH.violating_items <= found["violating_items"].high
    assert found["confirmed_items"].point == ROWS.confirmed.items
    assert found["confirmed_items"].low is None
    plain = deep_dive(without(ROWS, "gold"), SPEC).estimates
    assert AS_LABELLED in plain["prevalence"].note
    assert plain["prevalence"].point == plain["prevalence_labelled"].point


def test_a_total_is_no_lower_than_what_is_confirmed():
    plain = deep_dive(replace(ROWS, confirmed=None), SPEC).estimates["violating_items"]
    between = int((plain.low + plain.point) / 2)
    for items, low in ((between, between), (1, plain.low), (int(plain.point) + 1, plain.low)):
        rows = replace(ROWS, confirmed=replace(ROWS.confirmed, items=items))
        found = deep_dive(rows, SPEC).estimates["violating_items"]
        assert found.low == low
        assert (found.point, found.high) == (plain.point, plain.high)


def test_a_total_covers_the_strata_with_labels_only():
    top = "score-00-25"
    rows = replace(ROWS, sample=ROWS.sample[ROWS.sample["stratum"] != top])
    found = deep_dive(rows, SPEC).estimates
    rest = ROWS.population.query("stratum != @top")["items"].sum()
    assert found["violating_items"].point == pytest.approx(found["prevalence"].point * rest)


@pytest.mark.parametrize("role", ROLES)
def test_a_missing_role_is_said_and_the_rest_stands(role):
    dive = deep_dive(without(ROWS, role), SPEC)
    assert tuple(dive.estimates)[:5] == CONTRACT
    assert missing_fields(dive) <= set(dive.why)
    told = {"labels": "size.items", "view_labels": None, "gold": "size.rater_error",
            "ledger": None, "views": "size.views", "scores": "size.prediction_powered",
            "accounts": "where.survivorship", "actions": "today.overturns",
            "appeals": "today.overturns", "reports": "today.proactive",
            "links": "how.coordination"}[role]  # fmt: skip
    if told:
        assert told in dive.why
    if role not in ("labels", "gold"):
        assert dive.estimates["prevalence"] == DIVE.estimates["prevalence"]
    for name in CONTRACT:
        one = dive.estimates[name]
        assert one.point is not None or one.note.startswith("not estimable")


def test_everything_missing_at_once():
    dive = deep_dive(replace(without(ROWS, *ROLES), confirmed=None), SPEC)
    assert dive.verdict == words.NOT_SIZED
    assert all(dive.estimates[name].point is None for name in CONTRACT)
    assert missing_fields(dive) <= set(dive.why)


def test_cost_and_harm_come_with_their_values():
    assert not {"cost_usd", "harm"} & set(DIVE.estimates)
    spec = replace(SPEC, item_value_usd=10.0, view_value_usd=0.5, taxonomy=taxonomy(HARMS))
    found = deep_dive(ROWS, spec).estimates
    for end in ("point", "low", "high"):
        items, views = (
            getattr(found[name], end) for name in ("violating_items", "violating_views")
        )
        assert getattr(found["cost_usd"], end) == pytest.approx(10 * items + 0.5 * views)
    labelled = found["prevalence_labelled"].point * ROWS.population["items"].sum()
    assert found["harm"].point == pytest.approx(3 * labelled)
    assert found["harm"].low < 3 * TRUTH.violating_items < found["harm"].high
    assert found["harm"].unit == "points"
    without_views = deep_dive(without(ROWS, "views"), spec).estimates["cost_usd"]
    assert without_views.point is None
    assert "views" in without_views.note


def test_harm_counted_in_views_and_dollars():
    by_views = {"unit": "points", "harms": [{**HARMS["harms"][0], "counted_in": "views"}]}
    found = deep_dive(ROWS, replace(SPEC, taxonomy=taxonomy(by_views))).estimates["harm"]
    mine = DIVE.size.items.total.point
    assert found.point > 3 * mine
    by_usd = {"unit": "USD", "harms": [{**HARMS["harms"][0], "counted_in": "usd", "severity": 1}]}
    spec = replace(SPEC, taxonomy=taxonomy(by_usd))
    assert deep_dive(ROWS, spec).estimates["harm"].point is None
    priced = deep_dive(ROWS, replace(spec, item_value_usd=2.0)).estimates["harm"]
    assert priced.point == pytest.approx(2 * mine)


@pytest.mark.parametrize(
    "harms",
    [
        {"unit": "points", "harms": [{"name": "spam", "policies": ["spam"]}]},
        {"unit": "points",
         "harms": [{"name": "scams", "policies": ["scam"], "counted_in": "accounts"}]},
    ],
)  # fmt: skip
def test_harm_that_cannot_be_counted_says_so(harms):
    from trustlib.harm.deep_dive.samples import samples
    from trustlib.harm.deep_dive.worth import harm

    spec = replace(SPEC, taxonomy=taxonomy(harms))
    found = harm(samples(ROWS, spec), spec)
    assert found.point is None
    assert found.note.startswith("not estimable")


def moved(dive, *, by):
    """The words where the share moved by `by` with an interval of half that on either side."""
    change = replace(dive.where.mix.change, point=by, low=by - abs(by) / 2, high=by + abs(by) / 2)
    where = replace(dive.where, mix=replace(dive.where.mix, change=change))
    return verdict(dive.size, dive.ledger, where, dive.spec)


def test_words_without_a_move():
    assert DIVE.verdict == words.SIZED == "sized"


def test_words_with_a_move():
    assert moved(DIVE, by=0.01) == "sized, growing"
    assert moved(DIVE, by=-0.01) == "sized, falling"
    grown = deep_dive(world(1, growing=8.0)[0], SPEC)
    assert grown.verdict == "sized, growing"


def test_words_where_parts_have_labels_of_one_kind_only():
    """The interval of the change is too narrow there: nothing is said of the whole."""
    change = replace(DIVE.where.mix.change, point=0.01, low=0.005, high=0.015)
    blank = [
        replace(check, verdict="warn") if check.name == "rates_known" else check
        for check in DIVE.where.mix.checks
    ]
    mix = replace(DIVE.where.mix, change=change, checks=tuple(blank))
    where = replace(DIVE.where, mix=mix)
    assert verdict(DIVE.size, DIVE.ledger, where, SPEC) == "sized"
    some = DIVE.where.growing.segments.reindex(range(1)).assign(confirmed=True, explained_by="")
    grown = replace(DIVE.where.growing, segments=some)
    assert verdict(DIVE.size, DIVE.ledger, replace(where, growing=grown), SPEC) == (
        "sized, growing in a segment"
    )
    through = replace(grown, segments=some.assign(explained_by="another"))
    assert verdict(DIVE.size, DIVE.ledger, replace(where, growing=through), SPEC) == "sized"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-16", "sized, not attributable"),
        ("2026-03-02", "sized, growing"),  # the whole window lies after it
        ("2026-02-16", "sized, growing"),
        ("2026-04-02", "sized, growing"),
    ],
)
def test_words_where_the_instrument_changed(day, expected):
    dive = deep_dive(replace(ROWS, ledger=ledger({day: "model"})), SPEC)
    assert moved(dive, by=0.01) == expected
    assert dive.verdict == words.SIZED


def test_words_without_a_ledger():
    dive = deep_dive(without(ROWS, "ledger"), SPEC)
    assert moved(dive, by=0.01) == "sized, growing, instrument not known"
    assert dive.verdict == words.SIZED


def test_words_without_a_comparison_are_of_the_whole_history():
    where = replace(DIVE.where, mix=None)
    trend = DIVE.ledger.trend
    for low, expected in ((1.2, "sized, growing"), (0.5, "sized")):
        change = replace(trend.change, point=2.0, low=low, high=3.0, note=None)
        whole = replace(DIVE.ledger, trend=replace(trend, change=change))
        assert verdict(DIVE.size, whole, where, SPEC) == expected
    assert verdict(DIVE.size, None, where, SPEC) == "sized"


def test_words_with_too_few_labels():
    few = ROWS.sample["label"].cumsum() <= 4
    rows = replace(without(ROWS, "view_labels"), sample=ROWS.sample[few])
    assert deep_dive(rows, SPEC).verdict == words.TOO_FEW


def test_words_where_labels_say_nothing():
    wrong = replace(ROWS, gold=ROWS.gold.assign(label=1 - ROWS.gold["truth"]))
    dive = deep_dive(wrong, SPEC)
    assert dive.verdict == words.SAY_NOTHING
    assert dive.estimates["prevalence"].point == dive.size.items.estimate.point


def test_another_window_or_segment_is_refused():
    with pytest.raises(ValueError, match="compare_from"):
        deep_dive(ROWS, replace(SPEC, compare_from=SPEC.window.end))
    with pytest.raises(ValueError, match="segments"):
        deep_dive(ROWS, replace(SPEC, segments=("market", "colour")))


def test_rows_in_another_order_give_the_same_numbers():
    mixed = {
        field.name: getattr(ROWS, field.name).sample(frac=1, random_state=5)
        for field in fields(ROWS)
        if isinstance(getattr(ROWS, field.name), pd.DataFrame)
        and field.name not in ("accounts_join", "health")
    }
    other = deep_dive(replace(ROWS, **mixed), SPEC)
    assert other.estimates == DIVE.estimates
    assert other.checks == DIVE.checks
    assert other.verdict == DIVE.verdict


def test_nothing_is_changed_in_the_rows():
    copies = {
        field.name: getattr(ROWS, field.name).copy()
        for field in fields(ROWS)
        if isinstance(getattr(ROWS, field.name), pd.DataFrame)
    }
    deep_dive(ROWS, SPEC)
    for name, copy in copies.items():
        pd.testing.assert_frame_equal(getattr(ROWS, name), copy)


def test_a_name_that_is_taken_gets_a_number_and_a_section_knows_better():
    own = {check.name: check for check in DIVE.checks}["labels_arrived"]
    odd = replace(own, name="rows_read")
    read = (odd, odd, replace(own, verdict="warn", text="from the reading"))
    checks = deep_dive(replace(ROWS, checks=read), SPEC).checks
    names = [check.name for check in checks]
    assert names[:3] == ["rows_read", "rows_read_2", "positive_labels"]
    assert np.unique(names).size == len(names)
    assert own in checks
