"""The headline: recovery of a known excess, invariances, verdicts, short histories."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from trustlib.core import Refusal, Window
from trustlib.incidents import sizing

NAMES = {
    "actual",
    "expected",
    "excess",
    "relative_excess",
    "smallest_detectable_excess",
    "placebo_p_value",
    "same_hours_excess",
    "onset_hours",
}
COUNTERFACTUAL = [
    "bucket_start_at",
    "actual",
    "expected",
    "low",
    "high",
    "in_window",
    "excluded",
    "fitted",
    "cumulative_excess",
    "cumulative_low",
    "cumulative_high",
]


def excess(result):
    return result.estimates["excess"]


def test_the_contract_is_kept(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0, spec={"unit_cost_usd": 2.5})
    result = sizing(counts, spec)
    assert set(result.estimates) == NAMES | {"cost_usd"}
    assert list(result.counterfactual) == COUNTERFACTUAL
    assert len(result.counterfactual) == len(counts)
    assert list(result.sensitivity) == [
        "choice",
        "description",
        "excess",
        "low",
        "high",
        "relative_excess",
    ]
    assert result.sensitivity["choice"].iloc[0] == "headline"
    assert len(result.sensitivity) >= 6
    assert result.sensitivity["choice"].is_unique
    names = [check.name for check in result.checks]
    assert len(set(names)) == len(names)
    json.dumps(result.series(), allow_nan=False)
    near = result.series()["counterfactual"]
    assert len(near) == 72 + 36 + 72
    assert excess(result).point == pytest.approx(
        result.estimates["actual"].point - result.estimates["expected"].point
    )


def test_the_mean_is_statsmodels_poisson_glm(drawn):
    counts, spec, _ = drawn("poisson", effect=0.5)
    result = sizing(counts, spec)
    at = counts["bucket_start_at"]
    hour, weekday = at.dt.hour.to_numpy(), at.dt.day_of_week.to_numpy()
    weekend = weekday >= 5
    columns = [np.ones(len(at))] + [(weekday == day) * 1.0 for day in range(1, 7)]
    for k in range(1, 9):
        for wave in (np.cos(2 * np.pi * k * hour / 24), np.sin(2 * np.pi * k * hour / 24)):
            columns += [wave, wave * weekend]
    design = np.column_stack(columns)
    fitted = (at < pd.Timestamp(spec.incident.start)).to_numpy()
    oracle = GLM(counts["count"][fitted], design[fitted], family=families.Poisson()).fit(
        tol_criterion="params", tol=1e-12
    )
    expected = oracle.predict(design)
    np.testing.assert_allclose(result.counterfactual["expected"], expected, rtol=1e-8)


def test_the_interval_is_that_of_left_out_weeks(drawn):
    counts, spec, _ = drawn("ar_90", effect=0.0)
    result = sizing(counts, spec)
    start, hours = pd.Timestamp(spec.incident.start), 36
    errors, totals = [], []
    for week in range(1, 9):
        first = start - pd.Timedelta(weeks=week)
        own = counts["bucket_start_at"].between(
            first, first + pd.Timedelta(weeks=1), inclusive="left"
        )
        # The week itself is hidden; its hours become the window of a run of their own.
        moved = counts.assign(count=counts["count"].mask(own))
        left_out = _expected_without(moved, start)
        inside = (
            counts["bucket_start_at"]
            .between(first, first + pd.Timedelta(hours=hours), inclusive="left")
            .to_numpy()
        )
        errors.append(counts["count"][inside].sum() - left_out[inside].sum())
        totals.append(left_out[inside].sum())
    errors, totals = np.array(errors), np.array(totals)
    tau = np.sqrt(max(0, np.sum(errors**2 - totals) / np.sum(totals**2)))
    expected = result.estimates["expected"].point
    margin = stats.t.ppf(0.975, 7) * np.sqrt(expected + 0.5 / 8 + (tau * expected) ** 2)
    made = excess(result)
    assert made.high - made.point == pytest.approx(margin, rel=1e-6)
    assert made.point - made.low == pytest.approx(margin, rel=1e-6)


def _expected_without(counts, start):
    from trustlib.incidents.counterfactual import Season, _season_columns
    from trustlib.incidents.grid import grid
    from trustlib.incidents.spec import SizingSpec

    incident = Window(start.to_pydatetime(), (start + pd.Timedelta(hours=1)).to_pydatetime())
    on = grid(counts, SizingSpec(incident=incident))
    design = _season_columns(on, Season(harmonics=8), index=np.arange(len(counts)))
    model = GLM(counts["count"][on.fitted], design[on.fitted], family=families.Poisson())
    return np.asarray(model.fit(tol_criterion="params", tol=1e-11).predict(design))


@pytest.mark.parametrize(("effect", "direction"), [(1.5, "increase"), (-0.8, "decrease")])
def test_a_large_incident_is_confirmed_and_its_size_is_covered(drawn, effect, direction):
    counts, spec, truth = drawn("ar_90", effect=effect, spec={"direction": direction})
    result = sizing(counts, spec)
    assert result.verdict == "incident confirmed"
    assert excess(result).low <= truth <= excess(result).high
    assert result.estimates["placebo_p_value"].point < 0.02


def test_the_wrong_direction_is_no_incident(drawn):
    counts, spec, _ = drawn("ar_90", effect=-0.8, spec={"direction": "increase"})
    result = sizing(counts, spec)
    assert result.verdict == "no incident shown"
    assert result.estimates["placebo_p_value"].point > 0.9
    assert result.estimates["onset_hours"].point is None


def test_directions_flip(drawn):
    counts, spec, _ = drawn("poisson", effect=0.0)
    up = sizing(counts, replace(spec, direction="increase"))
    down = sizing(counts, replace(spec, direction="decrease"))
    assert excess(up) == excess(down)
    n = len(up.placebos)
    p_up, p_down = (r.estimates["placebo_p_value"].point for r in (up, down))
    # Each placebo is on one side or the other of the incident.
    assert p_up * (n + 1) + p_down * (n + 1) == pytest.approx(n + 2)


def test_no_incident_is_not_confirmed(drawn):
    verdicts = []
    for seed in range(12):
        counts, spec, _ = drawn("ar_90", seed=100 + seed)
        verdicts.append(sizing(counts, spec).verdict)
    assert verdicts.count("incident confirmed") <= 2
    assert verdicts.count("no incident shown") >= 8


def test_injected_excess_moves_the_excess_by_as_much(drawn):
    counts, spec, _ = drawn("ar_90", effect=0.0)
    more = counts.copy()
    inside = (more["bucket_start_at"] >= pd.Timestamp(spec.incident.start)) & (
        more["bucket_start_at"] < pd.Timestamp(spec.incident.end)
    )
    more.loc[inside, "count"] += 25
    one, other = sizing(counts, spec), sizing(more, spec)
    assert excess(other).point - excess(one).point == pytest.approx(36 * 25)
    assert excess(other).low - excess(one).low == pytest.approx(36 * 25)
    assert other.estimates["expected"].point == one.estimates["expected"].point
    assert other.estimates["expected"].high == pytest.approx(one.estimates["expected"].high)


def test_row_order_and_the_callers_frame_do_not_matter(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    before = counts.copy(deep=True)
    one = sizing(counts, spec)
    pd.testing.assert_frame_equal(counts, before)
    other = sizing(counts.sample(frac=1, random_state=3), spec)
    assert one.estimates == other.estimates
    assert one.checks == other.checks
    pd.testing.assert_frame_equal(one.counterfactual, other.counterfactual)


def test_the_same_clock_under_another_name_and_place(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    moved = counts.assign(bucket_start_at=counts["bucket_start_at"] + pd.Timedelta(hours=5))
    later = Window(spec.incident.start + timedelta(hours=5), spec.incident.end + timedelta(hours=5))
    other = sizing(moved, replace(spec, incident=later, timezone="Etc/GMT+5"))
    one = sizing(counts, spec)
    for name in NAMES:
        for end in ("point", "low", "high"):
            here, there = getattr(one.estimates[name], end), getattr(other.estimates[name], end)
            assert there == (None if here is None else pytest.approx(here, rel=1e-9)), name


def test_cost_is_the_excess_times_the_unit_cost(drawn):
    counts, spec, _ = drawn("ar_90", effect=-0.5)
    made = {c: sizing(counts, replace(spec, unit_cost_usd=c)).estimates for c in (1.0, 40.0)}
    base = made[1.0]["excess"]
    for cost, estimates in made.items():
        usd = estimates["cost_usd"]
        assert usd.unit == "USD"
        assert (usd.point, usd.low, usd.high) == pytest.approx(
            (cost * base.point, cost * base.low, cost * base.high)
        )


def test_a_wider_level_is_a_wider_interval(drawn):
    counts, spec, _ = drawn("ar_90")
    narrow, wide = (excess(sizing(counts, replace(spec, level=x))) for x in (0.8, 0.95))
    ratio = (wide.high - wide.low) / (narrow.high - narrow.low)
    assert ratio == pytest.approx(stats.t.ppf(0.975, 7) / stats.t.ppf(0.9, 7))


def test_smallest_detectable_excess_is_found_in_eight_of_ten(drawn):
    counts, spec, _ = drawn("ar_90")
    made = sizing(counts, spec).estimates
    reach = stats.t.ppf(0.975, 7) + stats.t.ppf(0.8, 7)
    assert made["smallest_detectable_excess"].point == pytest.approx(
        reach * made["excess"].standard_error
    )


def test_cumulative_excess_ends_at_the_headline(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    result = sizing(counts, spec)
    inside = result.counterfactual[result.counterfactual["in_window"]]
    last = inside.iloc[-1]
    made = excess(result)
    assert (last["cumulative_excess"], last["cumulative_low"], last["cumulative_high"]) == (
        pytest.approx((made.point, made.low, made.high))
    )
    outside = result.counterfactual[~result.counterfactual["in_window"]]
    assert outside["cumulative_excess"].isna().all()


def test_single_buckets_fall_inside_their_interval_at_its_level(drawn):
    counts, spec, _ = drawn("ar_90", weeks=16)
    rows = sizing(counts, spec).counterfactual
    rows = rows[rows["fitted"]]
    inside = (rows["actual"] >= rows["low"]) & (rows["actual"] <= rows["high"])
    assert 0.92 < inside.mean() < 0.985


@pytest.mark.parametrize("weeks", [1, 2])
def test_under_three_weeks_there_is_a_point_and_no_interval(drawn, weeks):
    counts, spec, _ = drawn("ar_90", weeks=weeks, effect=1.0)
    result = sizing(counts, spec)
    assert result.verdict == "not estimable"
    for name in ("expected", "excess", "relative_excess"):
        made = result.estimates[name]
        assert made.point is not None
        assert made.low is None
        assert made.note.startswith("not estimable")
    assert result.estimates["smallest_detectable_excess"].point is None
    assert result.estimates["placebo_p_value"].point is None
    assert result.onset["estimated_at"].isna().all()
    assert result.counterfactual[["low", "cumulative_low"]].isna().all(axis=None)
    told = result.estimates["same_hours_excess"].note.replace("\N{NO-BREAK SPACE}", " ")
    assert f"only {weeks} earlier week" in told
    assert ("the excess is" in told) == (weeks > 1)
    history = next(c for c in result.checks if c.name == "history_length")
    assert history.verdict == "fail"
    json.dumps(result.series(), allow_nan=False)


def test_three_weeks_are_enough_for_a_wide_interval(drawn):
    counts, spec, truth = drawn("ar_90", weeks=3, effect=1.0)
    made = excess(sizing(counts, spec))
    assert made.n == 3
    assert made.low <= truth <= made.high


@pytest.mark.parametrize(("hours", "weeks"), [(1, 8), (168, 8), (240, 12), (504, 16)])
def test_windows_from_one_bucket_to_three_weeks(drawn, hours, weeks):
    counts, spec, truth = drawn("ar_90", hours=hours, weeks=weeks, effect=1.0)
    result = sizing(counts, spec)
    made = excess(result)
    assert made.n == weeks // max(1, -(-hours // 168))
    assert made.low <= truth <= made.high
    assert len(result.placebos) <= 1100


def test_missing_buckets_are_left_out_of_actual_and_expected_alike(drawn):
    counts, spec, _ = drawn("poisson", effect=0.0)
    full = sizing(counts, spec)
    inside = full.counterfactual["in_window"].to_numpy()
    hole = np.flatnonzero(inside)[5:15]
    gone = counts.copy()
    gone.loc[hole, "count"] = np.nan
    result = sizing(gone, spec)
    kept = inside.copy()
    kept[hole] = False
    assert result.estimates["actual"].point == counts["count"][kept].sum()
    assert result.estimates["expected"].point == pytest.approx(
        full.counterfactual["expected"][kept].sum()
    )
    check = next(c for c in result.checks if c.name == "missing_in_window")
    assert check.verdict == "fail"
    assert "10 of 36" in check.text


def test_excluded_and_ambiguous_hours_teach_nothing(drawn):
    counts, spec, _ = drawn("ar_90", effect=1.0)
    start = spec.incident.start - timedelta(days=10)
    hidden = Window(start, start + timedelta(hours=30))
    at = counts["bucket_start_at"]
    odd = (at >= pd.Timestamp(hidden.start)) & (at < pd.Timestamp(hidden.end))
    masked = replace(spec, exclude_windows=(hidden,))
    one = sizing(counts, masked)
    wild = counts.assign(count=counts["count"].mask(odd, counts["count"] * 50))
    other = sizing(wild, masked)
    for name in NAMES:
        assert one.estimates[name] == other.estimates[name]
    touched = (one.placebos["window_start_at"] < pd.Timestamp(hidden.end)) & (
        one.placebos["window_start_at"] + pd.Timedelta(hours=36) > pd.Timestamp(hidden.start)
    )
    assert not touched.any()
    unsure = sizing(wild.assign(ambiguous=odd.to_numpy()), spec)
    assert excess(unsure).point == pytest.approx(excess(one).point)


def test_history_start_cuts_the_history(drawn):
    counts, spec, _ = drawn("ar_90", weeks=8)
    begin = spec.incident.start - timedelta(weeks=4)
    cut = sizing(counts, replace(spec, history_start=begin))
    late = sizing(counts[counts["bucket_start_at"] >= pd.Timestamp(begin)], spec)
    assert excess(cut) == excess(late)
    assert excess(cut).n == 4


def test_nothing_ever_counted_before_is_not_a_certain_zero(drawn):
    counts, spec, _ = drawn("sparse", effect=1.0)
    before = counts["bucket_start_at"] < pd.Timestamp(spec.incident.start)
    result = sizing(counts.assign(count=counts["count"].mask(before, 0.0)), spec)
    made = result.estimates
    assert made["expected"].point == 0
    assert 0.3 < made["expected"].high < 3
    assert made["relative_excess"].point is None


def test_windows_that_are_too_few_for_a_small_p_are_not_said_to_look_alike(drawn):
    """Three weeks at 99 %: no placebo comes near, but 58 of them cannot give p = .01."""
    counts, spec, _ = drawn("ar_90", effect=1.5, weeks=3, spec={"level": 0.99})
    result = sizing(counts, spec)
    n = len(result.placebos)
    assert result.estimates["placebo_p_value"].point == pytest.approx(1 / (1 + n))
    assert 1 / (1 + n) > 0.01
    assert result.verdict == "not conclusive"
    check = next(c for c in result.checks if c.name == "placebo_windows")
    assert check.label == "too few quiet windows to tell"


def test_constant_counts_are_as_expected_under_every_choice(drawn):
    """No rounding of a logarithm is shown as an excess, or as a second method that differs."""
    counts, spec, _ = drawn("poisson")
    result = sizing(counts.assign(count=10.0), spec)
    assert (result.sensitivity["excess"] == 0).all()
    assert result.estimates["same_hours_excess"].point == 0
    assert result.estimates["excess"].point == 0
    check = next(c for c in result.checks if c.name == "two_methods_agree")
    assert check.verdict == "pass"


@pytest.mark.parametrize("cost", [-1.0, float("nan"), float("inf")])
def test_a_unit_cost_is_an_amount(drawn, cost):
    with pytest.raises(Refusal, match="unit_cost_usd"):
        drawn("poisson", spec={"unit_cost_usd": cost})


def _with_control(drawn, change):
    """Counts up by half beside a control that shares their ups and downs, then `change`d."""
    counts, spec, _ = drawn("level_drift", effect=0.5, control=True)
    inside = (counts["bucket_start_at"] >= pd.Timestamp(spec.incident.start)) & (
        counts["bucket_start_at"] < pd.Timestamp(spec.incident.end)
    )
    control = counts["control"].where(~inside, change(counts["control"]))
    result = sizing(counts.assign(control=control), spec)
    return result, next(c for c in result.checks if c.name == "control_usable")


def test_a_control_that_breaks_off_in_the_window_is_set_aside(drawn):
    """Zeros where there never were any would multiply the excess."""
    result, made = _with_control(drawn, lambda control: 0.0 * control)
    assert made.verdict == "fail"
    assert "zero in 36 buckets of the incident and never in the history" in made.text
    plain, _, _ = drawn("level_drift", effect=0.5)
    assert result.estimates["excess"] == sizing(plain, result.spec).estimates["excess"]


def test_a_control_that_moved_with_the_incident_cannot_clear_it(drawn):
    result, made = _with_control(drawn, lambda control: (3 * control).round())
    assert made.label == "the control moved too"
    _, other = _with_control(drawn, lambda control: (control / 3).round() + 1)
    assert "expected is too low and the excess too high" in other.text
    assert "expected is too high and the excess too low" in made.text
    assert result.verdict != "incident confirmed"
