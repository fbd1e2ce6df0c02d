"""The final count of what is still coming in."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.studies.late_worlds import late_world
from trustlib.core import Window
from trustlib.postmortem.delay_checks import delay_checks, delay_drift, own_delays
from trustlib.postmortem.delays import cohorts, delays
from trustlib.postmortem.maturity import maturity
from trustlib.postmortem.nowcast import excess_variance, nowcast, window_ages

START = datetime(2026, 3, 2, tzinfo=UTC)


def rows_of(arrivals, *, window, until, missing=None):
    """The part of `AffectedRows` that is read."""
    return SimpleNamespace(
        arrivals=arrivals,
        observed_until=until,
        query=SimpleNamespace(window=window),
        missing=missing or {},
    )


def seen(kind, *, share=0.1, seed=1, **options):
    """A draw with a share of the window's arrivals withheld: rows, ages, the world."""
    world = late_world(kind, seed=seed, **options)
    rows, until = world.seen(world.withheld(share))
    return rows, window_ages(world.window, until), world


def table(*rows):
    return pd.DataFrame(rows, columns=["in_window", "age", "delay", "n"])


def test_reverse_hazards_equal_a_count_by_hand():
    rows, _, _ = seen("skewed", seed=3)
    steps = int(rows["age"].max()) + 1
    made = cohorts(rows, steps=steps)
    reach = 60
    share = delays(made.came.sum(axis=0)[None, :reach], made.at_risk.sum(axis=0)[None, :reach])
    listed = [(r.age, r.delay, r.n) for r in rows.itertuples()]
    by_hand = [1.0]
    for d in range(reach - 1, 0, -1):
        came = sum(n for age, delay, n in listed if delay == d and age > d)
        at_risk = sum(n for age, delay, n in listed if delay <= d and age > d)
        by_hand.append(by_hand[-1] * (1 - came / at_risk))
    expected = np.array(by_hand[::-1]) * (1 - share.beyond[0])
    np.testing.assert_allclose(share.share[0], expected, rtol=1e-12)


def test_steps_that_are_seen_in_part_do_not_bias():
    """Events anywhere within their step, delays anywhere within theirs: F must be the truth."""
    rng = np.random.default_rng(4)
    n, mean = 400_000, 3.0
    event, delay = rng.uniform(0, 40, n), rng.exponential(mean, n)
    come = event + delay <= 40
    age = np.floor(40 - event[come]).astype(int)
    steps = np.minimum(np.floor(delay[come]).astype(int), age)
    rows = pd.DataFrame({"age": age, "delay": steps})
    rows = rows.groupby(["age", "delay"]).size().rename("n").reset_index()
    made = cohorts(rows, steps=40)
    found = delays(made.came.sum(axis=0)[None, :30], made.at_risk.sum(axis=0)[None, :30])
    truth = 1 - np.exp(-np.arange(31) / mean)
    assert np.abs(found.before(np.arange(31))[0] - truth).max() < 0.004
    # Of events of age 2 and 3, the step that they are in is seen in part: scaled up it is too much.
    ages = rows["age"].isin([2, 3])
    share = found.before(rows["age"])[0]
    whole = ages & (rows["delay"] < rows["age"])
    final = int(((40 - event >= 2) & (40 - event < 4)).sum())
    assert (rows["n"] / share)[whole].sum() == pytest.approx(final, rel=0.02)
    assert (rows["n"] / share)[ages].sum() > 1.1 * final


def test_the_point_is_the_chain_ladders():
    rows, ages, _ = seen("steady")
    made = nowcast(rows, ages=ages, level=0.95, seed=0)
    own = rows[rows["in_window"] & (rows["delay"] < rows["age"])]
    ladder = (own["n"] / made.learnt.before(own["age"])[0]).sum()
    assert made.final == pytest.approx(ladder, rel=1e-12)
    assert made.seen == rows.loc[rows["in_window"], "n"].sum()


@pytest.mark.parametrize("kind", ["steady", "few", "batches"])
def test_the_interval_covers_the_final_count_and_what_is_seen_does_not(kind):
    covered, naive = [], []
    for seed in range(40):
        rows, ages, world = seen(kind, seed=seed)
        made = nowcast(rows, ages=ages, level=0.95, seed=0, draws=400)
        covered.append(made.low <= world.final <= made.high)
        naive.append(made.seen >= world.final)
    assert np.mean(covered) >= 0.875  # nominal .95; the study has the figures
    assert np.mean(naive) == 0


def test_none_seen_has_an_upper_end():
    rows, ages, _ = seen("steady", share=0.5)
    none = nowcast(rows[~rows["in_window"]], ages=ages, level=0.95, seed=0)
    assert (none.seen, none.final, none.low) == (0, 0.0, 0.0)
    share = float(none.learnt.before(ages)[0].mean())
    # Garwood: 3.7 is the largest mean that may well show none; (1 − share) / share is to come.
    assert 2 < none.high <= 3.7 * (1 - share) / share + 8


def test_too_early_is_said():
    world = late_world("long", seed=2)
    rows, until = world.seen(world.start + 30)
    made = nowcast(rows, ages=window_ages(world.window, until), level=0.95, seed=0)
    assert made.final is None
    assert made.why.startswith("too early")


def test_no_other_times_teach_no_delays():
    rows, ages, _ = seen("steady")
    made = nowcast(rows[rows["in_window"]], ages=ages, level=0.95, seed=0)
    assert made.final is None
    assert "too few arrivals about other times" in made.why


def test_events_too_young_for_any_delay_teach_none():
    """Everything happened in the step that is not over: no delay is fully observed."""
    made = nowcast(table((False, 0, 0, 90), (True, 0, 0, 9)), ages=range(1), level=0.95, seed=0)
    assert made.final is None
    assert "old enough" in made.why


def test_delays_as_long_as_the_history_have_no_end():
    """Equal numbers at every delay that can be seen: nothing says that more do not follow."""
    rows = table(*[(False, 60, d, 4) for d in range(60)], (True, 20, 3, 50))
    made = nowcast(rows, ages=range(19, 22), level=0.95, seed=0)
    assert made.final is None
    assert "as long as the history" in made.why


def test_events_that_last_into_the_future_count_up_to_now():
    world = late_world("steady", seed=2)
    until = world.start + 10
    rows, at = world.seen(until)
    assert window_ages(world.window, at) == range(0, 2)
    assert window_ages(Window(at, at + timedelta(hours=1)), at) == range(0)
    result = maturity(
        rows_of(rows.assign(kind="labels"), window=world.window, until=at), level=0.95, seed=0
    )
    assert "The window is not over" in result.checks[0].text


def test_whole_windows_that_stray_widen_the_interval():
    widths, taus = {}, {}
    for kind in ("steady", "cohorts"):
        rows, ages, _ = seen(kind, share=0.2, seed=5)
        made = nowcast(rows, ages=ages, level=0.95, seed=0)
        taus[kind], windows = excess_variance(rows[~rows["in_window"]], made.learnt, ages)
        widths[kind] = (made.high - made.low) / made.final
        assert windows > 5
    assert taus["cohorts"] > 2 * taus["steady"] > -1
    assert widths["cohorts"] > 1.3 * widths["steady"]


def test_drift_is_told():
    for kind, moved in (("drift", True), ("steady", False)):
        rows, ages, _ = seen(kind, seed=6)
        made = nowcast(rows, ages=ages, level=0.95, seed=0, draws=50)
        older, newer, t = delay_drift(rows[~rows["in_window"]], made.learnt)
        assert (abs(t) > 2.6 and newer > 1.1 * older) == moved


def test_drift_is_of_fully_observed_delays_and_large_enough_to_matter():
    """100 days of 1,000 arrivals within 20 steps; from day 50 on a share of them takes longer."""
    for longer, verdict in ((100, "pass"), (250, "warn")):
        history = [
            (False, 4 * day + step, delay, n)
            for day in range(1, 100)
            for step in range(4)
            for delay, n in (
                (2, 700 - longer * (day < 50)),
                (4, 300 + longer * (day < 50)),
                (9, 20),
            )
            if delay <= 4 * day + step
        ]
        rows = table(*history, (True, 30, 2, 100))
        made = nowcast(rows, ages=range(30, 31), level=0.95, seed=0, draws=50)
        older, newer, t = delay_drift(rows[~rows["in_window"]], made.learnt)
        # H is 5 steps: what takes 9 is left out on both sides.
        assert older == pytest.approx(3.1)
        assert newer == pytest.approx(3.1 + 2 * longer / 1000, abs=0.01)
        assert t > 10
        check = delay_checks({"labels": (rows, made)}, ages=range(30, 31), still_open=False)[1]
        assert (check.name, check.verdict) == ("delay_drift", verdict)


def test_the_windows_own_delays_are_compared():
    rows, ages, _ = seen("steady", share=0.2, seed=7)
    made = nowcast(rows, ages=ages, level=0.95, seed=0, draws=50)
    own = rows[rows["in_window"]]
    assert abs(own_delays(own, made.learnt)) < 3
    hurried = own.assign(delay=own["delay"] // 3)
    assert own_delays(hurried, made.learnt) < -3
    assert own_delays(own.head(2), made.learnt) is None


def test_the_record_of_two_kinds():
    world = late_world("steady", seed=1)
    rows, until = world.seen(world.withheld(0.1))
    arrivals = pd.concat(
        [rows.assign(kind="Appeals"), rows[rows["in_window"]].assign(kind="charge-backs")]
    )
    result = maturity(rows_of(arrivals, window=world.window, until=until), level=0.95, seed=0)
    assert list(result.frame["kind"]) == ["Appeals", "charge-backs"]
    assert set(result.estimates) == {"final_appeals", "final_charge_backs"}
    first, second = result.frame.iloc[0], result.frame.iloc[1]
    made = result.estimates["final_appeals"]
    assert (made.point, made.low, made.high) == (first["final"], first["low"], first["high"])
    assert first["factor"] == pytest.approx(first["final"] / first["seen"])
    assert first["complete"] == pytest.approx(0.9, abs=0.05)
    # 99 % of Exp(36 h) arrive within 166 hours of the last event.
    late = (first["final_on"] - pd.Timestamp(world.window.end)).total_seconds() / 3600
    assert late == pytest.approx(166, abs=36)
    assert np.isnan(second["final"])
    assert pd.isna(second["final_on"])
    assert result.estimates["final_charge_backs"].note.startswith("not estimable")
    history = next(c for c in result.checks if c.name == "maturity_history")
    assert history.verdict == "warn"
    assert {c.name for c in result.checks} == {
        "maturity_history", "delay_drift", "window_delays", "delay_tail", "nowcast_errors",
    }  # fmt: skip


def test_order_and_splitting_of_rows_change_nothing():
    world = late_world("cohorts", seed=8)
    rows, until = world.seen(world.withheld(0.1))
    rows = rows.assign(kind="labels")
    before = rows.copy()
    split = rows.loc[rows.index.repeat(rows["n"])].assign(n=1).sample(frac=1, random_state=1)
    one, two = (
        maturity(rows_of(part, window=world.window, until=until), level=0.95, seed=0)
        for part in (rows, split)
    )
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.checks == two.checks
    pd.testing.assert_frame_equal(rows, before)


def test_without_arrivals_the_reason_is_said():
    none = rows_of(
        table().assign(kind=[]),
        window=Window(START, START + timedelta(hours=6)),
        until=None,
        missing={"arrivals": "arrivals_source is not given."},
    )
    result = maturity(none, level=0.95, seed=0)
    assert result.frame.empty
    assert list(result.frame) == [
        "kind", "seen", "factor", "final", "low", "high", "complete", "final_on",
    ]  # fmt: skip
    assert [c.verdict for c in result.checks] == ["not_run"]
    assert "arrivals_source is not given" in result.checks[0].text
