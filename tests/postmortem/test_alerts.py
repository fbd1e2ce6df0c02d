"""Alerts replayed: against plain Python, and by what must hold."""

from dataclasses import replace
from datetime import UTC, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.postmortem.replay import replay
from trustlib.core import Window
from trustlib.incidents import SizingSpec, sizing
from trustlib.incidents.worlds import WORLDS, draw
from trustlib.postmortem import alert_checks
from trustlib.postmortem.alert_rules import KINDS, alarms, fires, watch
from trustlib.postmortem.alerts import back_test, poisson_interval, spared
from trustlib.postmortem.spec import Alert, PostmortemSpec, Stamps
from trustlib.postmortem.trade_off import (
    Choice,
    Played,
    chosen,
    held_out,
    played,
    redrawn,
    resampled_weeks,
    settings,
)

DAYS = {"30min": 33, "1h": 40, "1d": 75}


@cache
def case(name="ar_90", *, weeks=8, effect=1.5, seed=1, direction="either"):
    """A drawn incident: counts, its sizing, the spec."""
    world = next(world for world in WORLDS if world.name == name)
    one = draw(world, seed=seed, weeks=weeks, effect=effect)
    counts = one.counts.drop(columns="control")
    spec = PostmortemSpec(sizing=SizingSpec(incident=one.incident, direction=direction))
    return counts, sizing(counts, spec.sizing), spec


def history(bucket, seed):
    """Random counts with ties, gaps and exclusions, over a clock change of Berlin or in UTC."""
    rng = np.random.default_rng([seed, DAYS[bucket]])
    zone = ["Europe/Berlin", "UTC"][seed % 2]
    at = pd.date_range("2026-03-01", periods=DAYS[bucket], freq="D", tz=zone)
    if bucket != "1d":
        at = pd.date_range(at[0], at[-1], freq=bucket, inclusive="left")
    at = at.tz_convert("UTC")
    mean = rng.choice([0.3, 3.0, 40.0])
    count = rng.poisson(mean * np.exp(0.3 * np.sin(np.arange(len(at)) / 12)), len(at)) * 1.0
    first = int(len(at) * 0.8) + int(rng.integers(0, 5))
    length = max(2, len(at) // 20)
    count[first : first + length] = np.floor(count[first : first + length] * rng.choice([0.3, 2.5]))
    count[rng.random(len(at)) < 0.08] = np.nan
    count[first] = 1.0
    out = [
        (at[i].to_pydatetime(), at[i + length // 2 + 1].to_pydatetime())
        for i in rng.integers(0, first - length, size=2)
    ]
    begins = at[int(rng.integers(1, 40 if bucket != "1d" else 3))] if seed % 3 == 0 else None
    spec = SizingSpec(
        incident=Window(at[first].to_pydatetime(), at[first + length].to_pydatetime()),
        bucket=bucket,
        timezone=zone,
        exclude_windows=tuple(Window(a, b) for a, b in out),
        history_start=None if begins is None else begins.to_pydatetime(),
    )
    frame = pd.DataFrame({"bucket_start_at": at, "count": count})
    return frame, spec, at[first + int(rng.integers(-2, 2))]


VALUES = {
    "threshold": [0, 1, 4, 40, 55, 200],
    "rate_of_change": [0.25, 0.5, 1, 2],
    "cusum": [0, 0.5, 2, 5],
    "poisson": [0.9, 0.999],
}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("bucket", ["30min", "1h", "1d"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_rule_equals_a_replay_by_hand(bucket, seed, sign):
    counts, spec, impact = history(bucket, seed)
    seen = watch(counts.sample(frac=1, random_state=1), spec, impact_start=impact, sign=sign)
    listed = [
        (at.to_pydatetime().astimezone(UTC), None if np.isnan(count) else count)
        for at, count in zip(counts["bucket_start_at"], counts["count"], strict=True)
    ]
    weeks = np.unique(seen.week)
    for kind, values in VALUES.items():
        made = played(kind, np.array(values, dtype=float), seen, impact_start=impact, weeks=weeks)
        fired = fires(kind, np.array(values, dtype=float), seen)
        # The CUSUM's spread looks back on weeks of squares for each bucket: by hand that is slow.
        for i, value in enumerate(values[:: 2 if kind == "cusum" else 1]):
            i *= 2 if kind == "cusum" else 1
            began, false, watched, fired_at = replay(
                listed,
                bucket=bucket,
                timezone=spec.timezone,
                incident=(spec.incident.start, spec.incident.end),
                excluded=[(w.start, w.end) for w in spec.exclude_windows],
                begins=spec.history_start,
                impact=impact.to_pydatetime(),
                sign=sign,
                kind=kind,
                value=value,
            )
            assert list(seen.grid.start_at[alarms(fired[i], seen)]) == began
            assert made.false_alarms[i].sum() == false
            assert made.watched.sum() == pytest.approx(watched, rel=1e-12)
            if watched:
                assert made.rates()[i] == pytest.approx(false / watched, rel=1e-12)
            delay = made.delay_hours[i]
            if fired_at is None:
                assert np.isnan(delay)
            else:
                assert delay == (fired_at - impact).total_seconds() / 3600


def test_the_histories_by_hand_have_what_they_should():
    """Alarms, gaps, exclusions, blind buckets, a day of 23 hours: else the replay shows little."""
    counts, spec, impact = history("1d", 0)
    seen = watch(counts, spec, impact_start=impact, sign=1)
    assert seen.length.min() == pytest.approx(23 / 24)
    assert (np.isnan(seen.reference) & np.isfinite(seen.count)).any()
    for bucket in DAYS:
        counts, spec, impact = history(bucket, 2)
        seen = watch(counts, spec, impact_start=impact, sign=1)
        assert counts["count"].isna().any()
        assert seen.grid.excluded.any()
        for kind in KINDS:
            made = played(
                kind, np.array(VALUES[kind][:4]), seen, impact_start=impact,
                weeks=np.unique(seen.week),
            )  # fmt: skip
            assert made.false_alarms.sum() > 0
            assert np.isfinite(made.delay_hours).any()


def test_days_of_23_and_25_hours_are_compared_by_the_hour():
    """Ten an hour, whatever the clock: every day's reference is its own count."""
    at = pd.date_range("2026-03-01", "2026-11-30", freq="D", tz="Europe/Berlin")
    hours = np.diff(at.tz_convert("UTC").tz_localize(None).to_numpy()) / np.timedelta64(1, "h")
    counts = pd.DataFrame({"bucket_start_at": at[:-1].tz_convert("UTC"), "count": 10 * hours})
    incident = Window(at[-4].to_pydatetime(), at[-2].to_pydatetime())
    spec = SizingSpec(incident=incident, bucket="1d", timezone="Europe/Berlin")
    seen = watch(counts, spec, impact_start=at[-4], sign=1)
    assert set(hours) == {23.0, 24.0, 25.0}
    known = np.isfinite(seen.reference)
    assert known.sum() == len(hours) - 14  # two of the weeks before are needed
    np.testing.assert_allclose(seen.reference[known], 10 * hours[known], rtol=1e-12)


def test_only_the_past_is_known():
    counts, spec, impact = history("1h", 1)
    cut = int(len(counts) * 0.7)
    other = counts.copy()
    other.loc[cut:, "count"] = 7.0
    one, two = (watch(part, spec, impact_start=impact, sign=1) for part in (counts, other))
    for kind in (*KINDS, "poisson"):
        settled = [fires(kind, [1.0, 0.999], part)[:, :cut] for part in (one, two)]
        assert (settled[0] == settled[1]).all()


def test_settings_go_from_always_to_never():
    for sign, effect in ((1, 1.5), (-1, -0.6)):
        counts, _, spec = case(effect=effect)
        start = pd.Timestamp(spec.sizing.incident.start)
        seen = watch(counts, spec.sizing, impact_start=start, sign=sign)
        weeks = np.unique(seen.week)
        for kind in KINDS:
            values = settings(kind, seen)
            one = played(kind, values, seen, impact_start=start, weeks=weeks)
            assert one.delay_hours[0] == 1
            assert 6.8 <= one.rates()[0] <= 7.6  # an alarm that goes on counts every day
            assert np.isnan(one.delay_hours[-1])
            assert one.rates()[-1] == 0
            assert len(values) >= 25


def test_back_test_on_a_drawn_incident():
    counts, made, spec = case()
    alerts = (
        Alert(name="page", kind="threshold", value=150, status="existing"),
        Alert(name="never", kind="cusum", value=1e9),
    )
    found = back_test(counts, made, spec=replace(spec, alerts=alerts))
    frame = found.frame.set_index("alert")
    assert list(frame.index) == ["page", "never", "Poisson .999", "Recommended"]
    assert list(frame["status"]) == ["existing", "proposed", "proposed", "recommended"]
    assert pd.isna(frame.loc["never", "fired_at"])
    assert (frame.loc["never", ["alarms", "avoided", "avoided_high"]] == 0).all()
    best = frame.loc["Recommended"]
    assert best["false_alarms_per_week"] <= 1
    table = found.trade_off
    fine = table[table["false_alarms_per_week"] <= 1]
    assert best["delay_hours"] == fine["delay_hours"].min()
    row = table[(table["kind"] == best["kind"]) & (table["value"] == best["value"])].iloc[0]
    assert row["false_alarms_per_week"] == best["false_alarms_per_week"]
    estimate = found.estimates["recommended_alert_value"]
    assert estimate.point == best["value"]
    assert estimate.low <= estimate.point <= estimate.high
    excess = made.estimates["excess"]
    fired = frame["fired_at"].notna()
    assert (frame.loc[fired, "avoided"] > 0).any()
    assert (frame["avoided"] <= excess.point).all()
    assert (frame["avoided_high"] <= max(excess.high, excess.point)).all()
    assert (frame["avoided_low"] <= frame["avoided"]).all()
    assert (frame["low"] <= frame["false_alarms_per_week"]).all()
    assert (frame["false_alarms_per_week"] <= frame["high"]).all()
    checks = {c.name: c for c in found.checks}
    assert "0.17" in checks["alerts_poisson"].text
    assert checks["alerts_poisson"].verdict == "warn"
    assert "older half" in checks["alerts_hindsight"].text


def test_a_recommendation_is_the_same_whatever_the_order_of_rows():
    counts, made, spec = case()
    before = counts.copy()
    one = back_test(counts, made, spec=spec)
    two = back_test(counts.sample(frac=1, random_state=3), made, spec=spec)
    pd.testing.assert_frame_equal(one.frame, two.frame)
    pd.testing.assert_frame_equal(one.trade_off, two.trade_off)
    assert one.estimates == two.estimates
    pd.testing.assert_frame_equal(counts, before)


def test_a_decrease_is_seen_by_mirrored_rules():
    counts, made, spec = case(effect=-0.7)
    found = back_test(counts, made, spec=spec)
    best = found.frame[found.frame["status"] == "recommended"].iloc[0]
    assert best["avoided"] > 0
    assert best["avoided_high"] <= -made.estimates["excess"].low + 1e-9
    wrong = replace(spec, sizing=replace(spec.sizing, direction="increase"))
    none = back_test(counts, made, spec=wrong)
    assert none.frame["avoided"].isna().all()
    assert next(c for c in none.checks if c.name == "alerts_avoided").verdict == "not_run"


def test_nothing_good_enough_is_not_recommended():
    counts, made, spec = case(effect=0.05, seed=2)
    found = back_test(counts, made, spec=replace(spec, false_alarms_per_week=0.0))
    if (
        found.trade_off["false_alarms_per_week"].eq(0) & found.trade_off["delay_hours"].notna()
    ).any():
        pytest.fail("the draw was to be one that no quiet rule sees")
    assert "recommended" not in set(found.frame["status"])
    assert found.estimates["recommended_alert_value"].point is None
    check = next(c for c in found.checks if c.name == "alerts_recommendation")
    assert check.verdict == "warn"


def test_little_history_is_said():
    for weeks, label in ((2, "too little history"), (4, "little history")):
        counts, made, spec = case(weeks=weeks)
        cut = counts[counts["bucket_start_at"] < pd.Timestamp(spec.sizing.incident.end)]
        found = back_test(cut, made, spec=spec)
        check = next(c for c in found.checks if c.name == "alerts_history")
        assert check.verdict == "warn"
        assert check.label.startswith(label)
        assert found.frame["false_alarms_per_week"].isna().all() == (weeks == 2)


def test_response_time_and_mitigation_bound_what_is_spared():
    counts, made, spec = case()
    start = spec.sizing.incident.start
    fast = back_test(counts, made, spec=spec).frame.set_index("alert")["avoided"]
    stamps = Stamps(
        first_signal_at=start + timedelta(hours=1),
        declared_at=start + timedelta(hours=2),
        mitigated_at=start + timedelta(hours=20),
    )
    slow = back_test(counts, made, spec=replace(spec, stamps=stamps))
    slower = slow.frame.set_index("alert")["avoided"]
    assert (slower["Recommended"] < fast["Recommended"]) or slower["Recommended"] == 0
    early = replace(spec, stamps=replace(stamps, mitigated_at=start + timedelta(hours=1.5)))
    late = back_test(counts, made, spec=early).frame.set_index("alert")["avoided"]
    assert late["Recommended"] == 0  # it was over before
    assert next(c for c in slow.checks if c.name == "alerts_avoided").verdict == "pass"


def test_spared_is_what_is_left_of_the_excess():
    _, made, spec = case()
    table = made.counterfactual[made.counterfactual["in_window"]]
    excess = (table["actual"] - table["expected"]).to_numpy()
    at = table["bucket_start_at"].iloc[10]
    point, low, high = spared(made, acted=at, sign=1)
    assert point == pytest.approx(excess[10:].sum(), rel=1e-9)
    assert 0 <= low <= point <= high <= made.estimates["excess"].high
    whole = spared(made, acted=table["bucket_start_at"].iloc[0], sign=1)
    assert whole[0] == pytest.approx(made.estimates["excess"].point)
    # Never more than the upper end of the excess, however wide the columns are.
    known = replace(made.estimates["excess"], low=whole[0] - 1, high=whole[0] + 1)
    tight = replace(made, estimates={**made.estimates, "excess": known})
    first = table["bucket_start_at"].iloc[0]
    assert spared(tight, acted=first, sign=1)[2] == pytest.approx(whole[0] + 1)
    assert spared(made, acted=pd.Timestamp(spec.sizing.incident.end), sign=1) == (0, 0, 0)


@pytest.mark.parametrize(
    ("rate", "low", "high", "verdict", "label"),
    [
        (0.0, 0.0, 0.3, "pass", "keeps its promise"),
        (0.16, 0.05, 0.4, "pass", "keeps its promise"),
        (0.45, 0.09, 1.3, "warn", "not shown to keep its promise"),
        (0.9, 0.17, 1.6, "warn", "cry wolf"),
        (np.nan, np.nan, np.nan, "not_run", "not judged"),
    ],
)
def test_an_interval_that_holds_the_promise_does_not_keep_it(rate, low, high, verdict, label):
    """168 hours at .001 promise .168 false alarms a week."""
    row = {"kind": "poisson", "value": 0.999, "false_alarms_per_week": rate}
    frame = pd.DataFrame([{"kind": "cusum", "value": 5.0}, row | {"low": low, "high": high}])
    check = alert_checks.poisson(frame, bucket="1h")
    assert check.verdict == verdict
    assert check.label.endswith(label)
    assert ("2.7 times as much" in check.text) == (rate == 0.45)
    if verdict != "not_run":
        assert "at most 0.17 false alarms" in check.text
        assert f"{rate:.2f} ({low:.2f} to {high:.2f})" in check.text


def test_poisson_interval_is_exact():
    low, high = poisson_interval(7, 4.0, level=0.9)
    assert stats.poisson.sf(6, 4 * low) == pytest.approx(0.05)
    assert stats.poisson.cdf(7, 4 * high) == pytest.approx(0.05)
    assert poisson_interval(0, 2.0, level=0.95)[0] == 0


def toy(kind, false, delay, watched=None):
    """Played by hand: (S, W) false alarms and delays."""
    false = np.array(false, dtype=float)
    return Played(
        kind=kind,
        values=np.arange(1.0, len(false) + 1),
        false_alarms=false,
        watched=np.ones(false.shape[1]) if watched is None else np.array(watched, dtype=float),
        fired=np.zeros(len(false), dtype=np.int64),
        delay_hours=np.array(delay, dtype=float),
    )


def test_the_rule_of_choice():
    soonest = toy("threshold", [[3, 3], [1, 1], [0, 1]], [1, 2, 4])
    fewer = toy("rate_of_change", [[0, 1], [0, 0]], [2, np.nan])
    assert chosen([soonest], limit=1) == Choice(kind=0, setting=1)
    assert chosen([soonest, fewer], limit=1) == Choice(kind=1, setting=0)
    assert chosen([soonest, replace(fewer, false_alarms=np.ones((2, 2)))], limit=1).kind == 0
    assert chosen([soonest], limit=0.1) is None
    same = toy("threshold", [[1, 1], [0, 1], [0, 0], [0, 0]], [2, 2, 2, 9])
    assert chosen([same], limit=1) == Choice(kind=0, setting=2)  # fewest of those as soon
    alike = toy("cusum", [[0, 0]] * 5, [3, 3, 3, 3, 9])
    assert chosen([alike], limit=1) == Choice(kind=0, setting=1)  # the (lower) middle of four


def test_weeks_drawn_anew_equal_a_loop():
    rng = np.random.default_rng(5)
    kinds = [
        toy(kind, rng.poisson(np.array([[3.0], [1.2], [0.8], [0.3]]), (4, 9)), [1, 2, 2, 5],
            rng.uniform(0.2, 1, 9))
        for kind in KINDS
    ]  # fmt: skip
    weight = resampled_weeks(9, seed=1, draws=60)
    assert (weight.sum(axis=0) == 9).all()
    first = chosen(kinds, limit=1.0)
    made = redrawn(kinds, first, limit=1.0, weight=weight)
    picks = [chosen(kinds, limit=1.0, weight=weight[:, b]) for b in range(60)]
    assert made.same_kind == np.mean([p is not None and p.kind == first.kind for p in picks])
    assert made.none == np.mean([p is None for p in picks])
    own = [chosen(kinds[first.kind : first.kind + 1], limit=1.0, weight=w) for w in weight.T]
    expected = [kinds[first.kind].values[p.setting] for p in own if p is not None]
    assert list(made.values) == expected


def test_held_out_weeks_do_not_choose():
    quiet_then_loud = toy("threshold", [[9, 9, 0, 0], [0, 0, 0, 0]], [1, 5])
    # Weeks are numbered back from the incident: the last ones are the oldest.
    assert held_out([quiet_then_loud], limit=1) == (0.0, 9.0, 2.0)
    assert held_out([toy("threshold", [[0, 0, 0]], [1])], limit=1) is None


def test_an_unknown_kind_is_refused():
    counts, spec, impact = history("1d", 1)
    with pytest.raises(ValueError, match="is not one of"):
        fires("gut_feeling", [1.0], watch(counts, spec, impact_start=impact, sign=1))
