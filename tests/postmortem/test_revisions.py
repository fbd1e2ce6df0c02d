"""Revisions: steps that add up, and two reports that cannot be subtracted."""

import json
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from trustlib.core import Estimate, Window
from trustlib.incidents import SizingSpec, sizing
from trustlib.incidents.worlds import WORLDS, draw
from trustlib.postmortem import revisions
from trustlib.postmortem.revisions import bridge, revision_base, then_and_now
from trustlib.postmortem.spec import PostmortemSpec
from trustlib.postmortem.steady import steady_count, steady_groups

AS_OF = datetime(2024, 4, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Earlier:
    estimates: dict = field(default_factory=dict)
    series: dict = field(default_factory=dict)


def report(sized, as_of=AS_OF):
    """What a later run reads back of a results.json."""
    kept = ("actual", "expected", "excess", "relative_excess")
    estimates = json.loads(json.dumps({name: sized.estimates[name].to_json() for name in kept}))
    series = json.loads(json.dumps({"revision_base": revision_base(sized, as_of)}))
    return Earlier({name: Estimate(**value) for name, value in estimates.items()}, series)


@pytest.fixture(scope="module")
def world():
    one = draw(next(w for w in WORLDS if w.name == "ar_90"), seed=4, weeks=4, effect=0.8)
    counts = one.counts.drop(columns="control")
    spec = SizingSpec(incident=one.incident)
    return counts, spec, sizing(counts, spec)


def revised(counts, spec, seed):
    """Rows that came late, rows that were doubled, and a window that moved."""
    rng = np.random.default_rng(seed)
    later = counts["count"] + rng.poisson(2, len(counts)) - rng.binomial(1, 0.3, len(counts))
    start, end = spec.incident.start, spec.incident.end
    moved = Window(start + timedelta(hours=int(rng.integers(-8, 5))), end + timedelta(hours=3))
    return counts.assign(count=later.clip(lower=0)), replace(
        spec, incident=moved if seed else spec.incident
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_steps_add_up_to_what_the_excess_moved_by(world, seed):
    counts, spec, then = world
    later, asked = revised(counts, spec, seed)
    before = later.copy(deep=True)
    now = sizing(later, asked)
    found = bridge(later, now, earlier=report(then), spec=PostmortemSpec(sizing=asked))
    pd.testing.assert_frame_equal(later, before)
    told = found.revision.set_index("step")["amount"]
    gap = now.estimates["excess"].point - then.estimates["excess"].point
    assert told.sum() == pytest.approx(gap, abs=1e-9)
    inside = (later["bucket_start_at"] >= spec.incident.start) & (
        later["bucket_start_at"] < spec.incident.end
    )
    came = (later["count"] - counts["count"])[inside].sum()
    assert told[revisions.ROWS] == pytest.approx(came, abs=1e-9)
    assert (revisions.MOVED in told) == (seed > 0)
    start = asked.incident.start
    known = (Window(start, spec.incident.start),) if start < spec.incident.start else ()
    over = sizing(later, replace(asked, incident=spec.incident, exclude_windows=known))
    relearnt = then.estimates["expected"].point - over.estimates["expected"].point
    assert told[revisions.RELEARNT] == pytest.approx(relearnt, abs=1e-9)
    assert list(found.then_now["name"]) == ["actual", "expected", "excess", "relative_excess"]
    assert found.then_now.set_index("name").loc["excess", "then"] == then.estimates["excess"].point


def test_the_same_report_again_moves_nothing(world):
    counts, spec, then = world
    found = bridge(counts, then, earlier=report(then), spec=PostmortemSpec(sizing=spec))
    assert list(found.revision["amount"]) == [0, 0]
    assert found.checks[0].verdict == "pass"
    assert "lies within the earlier interval" in found.checks[0].text


@pytest.mark.parametrize(
    ("change", "merged"),
    [
        ({"incident_start": "2024-01-29T12:10:00+00:00"}, True),
        ({"incident_start": "2020-01-01T00:00:00+00:00"}, True),
        ({"incident_start": "2024-01-29 noon"}, True),
        ({"incident_start": "2024-01-29T12:00:00"}, True),
        ({"incident_start": None}, True),
        ({"actual": None}, True),
        ({"actual": "many", "incident_end": 7}, True),
        ({}, False),
    ],
)
def test_a_window_that_cannot_be_sized_today_is_part_of_the_other_steps(world, change, merged):
    counts, spec, then = world
    earlier = report(then)
    row = earlier.series["revision_base"][0] | change
    earlier = replace(earlier, series={"revision_base": [row]})
    found = bridge(counts, then, earlier=earlier, spec=PostmortemSpec(sizing=spec))
    merging = [revisions.ROWS_AND_MOVED, revisions.RELEARNT_AND_MOVED]
    assert (list(found.revision["step"]) == merging) == merged
    assert ("part of the other two steps" in found.checks[0].text) == merged
    assert found.revision["amount"].sum() == 0


def test_without_an_earlier_report_there_is_no_bridge(world):
    counts, spec, then = world
    for earlier in (None, Earlier(), Earlier({}, {"revision_base": []})):
        found = bridge(counts, then, earlier=earlier, spec=PostmortemSpec(sizing=spec))
        assert found.revision.empty
        assert list(found.revision.columns) == ["step", "amount"]
        assert found.then_now.empty
        assert found.checks[0].verdict == "not_run"
    only = Earlier(report(then).estimates)
    found = bridge(counts, then, earlier=only, spec=PostmortemSpec(sizing=spec))
    assert len(found.revision) == 2


def test_an_excess_that_left_its_interval_is_said(world):
    counts, spec, then = world
    earlier = report(then)
    moved = replace(earlier.estimates["excess"], point=1e5, low=9e4, high=2e5)
    earlier = replace(earlier, estimates=earlier.estimates | {"excess": moved})
    found = bridge(counts, then, earlier=earlier, spec=PostmortemSpec(sizing=spec))
    assert found.checks[0].verdict == "warn"
    assert "outside the earlier 95" in found.checks[0].text


def told(point, low=None, high=None, unit="accounts"):
    return Estimate(
        point=point, low=low, high=high, level=0.95, unit=unit, method="m", n=1, note="none"
    )


HITS = {
    "affected_items": "items wrongly actioned or missed",
    "affected_accounts": "accounts hit",
    "affected_customers": "customers hit",
    "affected_viewers": "viewers of what was missed",
    "false_positives": "items wrongly actioned",
    "false_negatives": "items missed",
    "net_loss_usd": "the net loss",
}


def compared(world, then, now):
    """The check where the excess itself has not moved."""
    counts, spec, made = world
    earlier = report(made)
    earlier = replace(earlier, estimates=earlier.estimates | then)
    asked = PostmortemSpec(sizing=spec)
    return bridge(
        counts, made, earlier=earlier, spec=asked, estimates={**made.estimates, **now}
    ).checks[0]


@pytest.mark.parametrize("name", HITS)
def test_whom_it_hit_and_the_loss_are_held_against_the_earlier_interval(world, name):
    then = {each: told(300, 200, 400) for each in HITS}
    for point, verdict in ((200, "pass"), (400, "pass"), (199, "warn"), (401, "warn")):
        now = {each: told(300, 250, 350) for each in HITS} | {name: told(point, 0, 900)}
        check = compared(world, then, now)
        assert check.verdict == verdict
        outside = f"Outside the earlier interval: {HITS[name]}."
        assert (outside in check.text) == (verdict == "warn")
        others = [words for each, words in HITS.items() if each != name or verdict == "pass"]
        assert f"Within the earlier interval: {', '.join(others)}." in check.text


def test_all_that_left_is_named(world):
    then = {each: told(300, 200, 400) for each in HITS}
    check = compared(world, then, {each: told(900, 800, 1000) for each in HITS})
    assert check.verdict == "warn"
    assert f"Outside the earlier intervals: {', '.join(HITS.values())}." in check.text
    assert "Within the" not in check.text


def test_what_cannot_be_compared_is_not(world):
    apart = told(300, 200, 400)
    for then, now in (
        (told(300), told(900, 800, 1000)),
        (told(None), told(900, 800, 1000)),
        (apart, told(None)),
        (apart, told(900, 800, 1000, unit="accounts, at least")),
    ):
        check = compared(world, {"affected_accounts": then}, {"affected_accounts": now})
        assert check.verdict == "pass"
        assert "accounts" not in check.text
    # Without estimates of more than the sizing nothing more is compared.
    counts, spec, made = world
    earlier = Earlier(report(made).estimates | {"affected_accounts": apart})
    found = bridge(counts, made, earlier=earlier, spec=PostmortemSpec(sizing=spec))
    assert "accounts" not in found.checks[0].text


def test_a_step_by_a_few_people_that_is_not_shown_is_not_told_either(world):
    for now, verdict in ((110, "pass"), (90, "pass"), (111, "warn"), (89, "warn")):
        then = {"affected_accounts": told(100, 100, 100)}
        check = compared(world, then, {"affected_accounts": told(now, now, now)})
        assert check.verdict == verdict
    dollars = {"net_loss_usd": told(100, 100, 100, unit="USD")}
    for loss, verdict in ((105, "warn"), (100.01, "warn"), (100 + 1e-12, "pass")):
        now = {"net_loss_usd": told(loss, loss, loss, unit="USD")}
        assert compared(world, dollars, now).verdict == verdict


def test_whom_it_hit_is_compared_where_there_is_no_bridge(world):
    counts, spec, made = world
    earlier = Earlier({"affected_accounts": told(300, 200, 400)})
    for point, verdict in ((300, "not_run"), (500, "warn")):
        now = {**made.estimates, "affected_accounts": told(point, 0, 900)}
        asked = PostmortemSpec(sizing=spec)
        found = bridge(counts, made, earlier=earlier, spec=asked, estimates=now)
        assert found.revision.empty
        assert found.checks[0].verdict == verdict
        assert ("interval: accounts hit." in found.checks[0].text) == (verdict == "warn")


def test_then_and_now_are_the_estimates_of_both():
    def one(point, note="none"):
        return Estimate(
            point=point, low=None, high=None, level=0.95, unit="x", method="m", n=1, note=note
        )

    found = then_and_now(
        Earlier({"a": one(1), "b": one(None), "c": one(2)}),
        {"b": one(None), "a": one(None), "d": one(3), "c": one(5)},
    )
    assert list(found["name"]) == ["a", "c"]
    assert found["then"].tolist() == [1, 2]
    assert math.isnan(found["now"][0])
    assert found["now"][1] == 5


# --- two reports that cannot be subtracted -----------------------------------------------------


def frame(cells, segment="market", side="over"):
    return pd.DataFrame(
        {
            "segment": segment,
            "value": list(cells),
            "side": side,
            "items": np.array(list(cells.values()), dtype=int),
            "point": np.array(list(cells.values()), dtype=float),
            "low": 0.0,
            "high": 1e9,
        }
    )


def rows(published):
    return json.loads(published.to_json(orient="records"))


def recovered(first, second, then, now):
    """Small cells that both reports together pin to fewer than 11 + 1 values.

    The attacker takes for granted that a value without a row of its own in the first report has
    not changed; values with a row there may have.
    """
    values = sorted(set(then) | set(now))
    shown = [dict(zip(p["value"], p["items"], strict=True)) for p in (first, second)]
    apart = [{v: n for v, n in one.items() if v in values} for one in shown]
    rest = [sum(one.values()) - sum(own.values()) for one, own in zip(shown, apart, strict=True)]
    # Unknowns: the first report's cells, then the second's.
    k, left, right = len(values), [], []
    for at in range(2):
        hidden = np.zeros(2 * k)
        for i, v in enumerate(values):
            unit = np.eye(2 * k)[at * k + i]
            if v in apart[at]:
                left, right = [*left, unit], [*right, apart[at][v]]
            elif v in apart[0] and at == 1 and v not in now:
                left, right = [*left, unit], [*right, 0]
            else:
                hidden += unit
        if not math.isnan(rest[at]):
            left, right = [*left, hidden], [*right, rest[at]]
    for i, v in enumerate(values):
        if v not in apart[0]:
            left, right = [*left, np.eye(2 * k)[i] - np.eye(2 * k)[k + i]], [*right, 0]
    found = []
    for at, truth in enumerate((then, now)):
        for i, v in enumerate(values):
            if v in apart[at] or not 0 < truth.get(v, 0) < 11:
                continue
            ends = []
            for sign in (1, -1):
                goal = sign * np.eye(2 * k)[at * k + i]
                best = linprog(goal, A_eq=np.array(left), b_eq=right, bounds=(0, None))
                assert best.status in (0, 3), "the attacker's knowledge fits the reports"
                ends.append(sign * best.fun if best.status == 0 else math.inf)
            if ends[1] - ends[0] < 11 - 1e-6:
                found.append((at, v))
    return found


def histories():
    """Two reports' true cells; values that the first report merges do not change."""
    rng = np.random.default_rng(11)
    for _ in range(36):
        k = int(rng.integers(3, 7))
        then = {f"v{i}": int(n) for i, n in enumerate(rng.choice([2, 5, 8, 12, 15, 30, 60], k))}
        first = steady_groups([], frame(then))
        own = set(first["value"]) & set(then)
        now = dict(then)
        for v in own:
            # Late rows come, wrong ones go: some become small, some vanish.
            now[v] = int(max(0, now[v] + rng.choice([-40, -20, -8, 0, 0, 3, 25])))
        yield then, {v: n for v, n in now.items() if n or v not in own}, first


def test_two_reports_together_recover_no_small_cell():
    naive = safe = n = 0
    for then, now, first in histories():
        if not now:
            continue
        second = steady_groups(rows(first), frame(now))
        total = sum(now.values())
        assert second["items"].sum() == (total if total >= 11 else 0)
        safe += len(recovered(first, second, then, now))
        naive += len(recovered(first, steady_groups([], frame(now)), then, now))
        n += 1
    assert n > 30
    assert safe == 0
    assert naive > 5  # without the rule across reports the attack finds what was withheld


def test_what_was_merged_stays_merged_and_nothing_joins_alone():
    first = steady_groups([], frame({"a": 8, "b": 5, "c": 20, "d": 40}))
    assert dict(zip(first["value"], first["items"], strict=True)) == {
        "c": 20,
        "d": 40,
        "the rest": 13,
    }
    grown = steady_groups(rows(first), frame({"a": 30, "b": 5, "c": 20, "d": 40}))
    assert dict(zip(grown["value"], grown["items"], strict=True)) == {
        "c": 20,
        "d": 40,
        "the rest": 35,
    }
    assert grown.set_index("value").loc["the rest", ["low", "high"]].isna().all()
    alone = steady_groups([], frame({"a": 30, "b": 5, "c": 20, "d": 40}))
    assert "a" in set(alone["value"])
    # c became small: alone in what is new it would be the difference of the two rests.
    shrunk = steady_groups(rows(first), frame({"a": 8, "b": 5, "c": 4, "d": 40}))
    assert shrunk["value"].tolist() == ["all"]
    gone = steady_groups(rows(first), frame({"a": 8, "b": 5, "d": 40, "e": 50}))
    assert gone["value"].tolist() == ["all"]
    # A value that has no row then is not shown now: it may have been merged.
    fresh = steady_groups(rows(first), frame({"a": 8, "b": 5, "c": 20, "d": 40, "e": 50}))
    assert set(fresh["value"]) == {"c", "d", "the rest"}
    full = steady_groups([], frame({"c": 20, "d": 40}))
    assert set(full["value"]) == {"c", "d"}
    shown = steady_groups(rows(full), frame({"c": 20, "d": 40, "e": 50}))
    assert set(shown["value"]) == {"c", "d", "e"}
    # One that is gone is a count of 0: another one keeps it company.
    left = steady_groups(rows(shown), frame({"c": 20, "d": 40}))
    assert dict(zip(left["value"], left["items"], strict=True)) == {"d": 40, "the rest": 20}
    few = steady_groups([], frame({"a": 3, "b": 2}))
    assert few["value"].tolist() == ["all"]
    assert few[["items", "point"]].isna().all(axis=None)


def test_segments_and_sides_are_apart_and_order_does_not_matter():
    parts = [
        frame({"a": 8, "b": 5, "c": 20}),
        frame({"a": 80, "b": 50}, side="under"),
        frame({"x": 3, "y": 70}, segment="rule"),
    ]
    given = pd.concat(parts, ignore_index=True)
    before = given.copy(deep=True)
    found = steady_groups([], given)
    pd.testing.assert_frame_equal(given, before)
    assert list(found.columns) == list(given.columns)
    sums = found.groupby(["segment", "side"])["items"].sum().to_dict()
    assert sums == {("market", "over"): 33, ("market", "under"): 130, ("rule", "over"): 73}
    under = found[found["side"] == "under"]["value"].tolist()
    assert under == ["a", "b"]
    mixed = steady_groups([], given.sample(frac=1, random_state=2))
    key = ["segment", "side", "value"]
    pd.testing.assert_frame_equal(
        found.sort_values(key, ignore_index=True), mixed.sort_values(key, ignore_index=True)
    )
    # Merged once or twice, it is the same.
    again = steady_groups(rows(found), found)
    pd.testing.assert_frame_equal(again, found)
    assert steady_groups([], given.head(0)).empty


def test_a_count_that_moved_by_a_few_is_shown_as_it_was():
    assert [steady_count(now, 100) for now in (89, 90, 99, 100, 101, 110, 111)] == [
        89, 100, 100, 100, 100, 100, 111,
    ]  # fmt: skip
    assert steady_count(5, None) == 5
    assert steady_count(None, 5) is None
    assert math.isnan(steady_count(math.nan, 5))
    assert steady_count(5, math.nan) == 5
    rng = np.random.default_rng(1)
    shown = [200.0]
    for _ in range(200):
        shown.append(steady_count(float(rng.integers(150, 250)), shown[-1]))
    steps = np.abs(np.diff(shown))
    assert set(steps[steps < 11]) == {0}
    assert len(set(shown)) > 20
