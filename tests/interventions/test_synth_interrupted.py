"""Interrupted time series: against statsmodels and the truth, seasons, verdicts, refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from scipy.special import stdtrit

from tests.interventions.markets import panel
from trustlib.core import Refusal
from trustlib.interventions.synth.interrupted import interrupted
from trustlib.interventions.synth.interrupted_checks import interrupted_checks
from trustlib.interventions.synth.seasons import seasons
from trustlib.interventions.synth.spec import SynthSpec

SPEC = SynthSpec(treated_units=("m00",), treatment_start="2040")


def _series(seed=0, *, n=60, start=40, rho=0.4, level=-5.0, trend=0.0, noise=1.0):
    rng = np.random.default_rng(seed)
    error = lfilter([1.0], [1.0, -rho], rng.standard_normal(n + 50))[50:]
    since = np.arange(n) - start
    change = np.where(since >= 0, level + trend * since, 0.0)
    return 20 + 0.1 * np.arange(n) + change + noise * error


def _found(outcome, start=40, **options):
    return interrupted(panel(outcome[None], start=start, **options), SPEC)


def _verdicts(found):
    return {check.name: check.verdict for check in interrupted_checks(found)}


def test_coefficients_are_statsmodels_and_the_effect_adds_up():
    from statsmodels.regression.linear_model import OLS

    outcome = _series(trend=0.2)
    found = _found(outcome)
    since = np.arange(60) - 40
    after = (since >= 0).astype(float)
    plain = OLS(outcome, np.column_stack([np.ones(60), since, after, after * since])).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}, use_t=True
    )
    assert found.coefficients == pytest.approx(plain.params[2:], rel=1e-9)
    assert found.regression["point"].to_numpy() == pytest.approx(plain.params, rel=1e-9)
    mean = np.array([0, 0, 1, 9.5])
    assert found.bandwidth == 3
    assert found.hac_error == pytest.approx(float(plain.t_test(mean).sd[0, 0]), rel=1e-6)
    assert found.standard_error >= found.hac_error
    # The mean effect is the mean distance to the line that is drawn on.
    gap = outcome - found.counterfactual
    assert found.att == pytest.approx(gap[40:].mean(), abs=1e-9)
    assert found.effect[40:] == pytest.approx(
        plain.params[2] + plain.params[3] * np.arange(20), abs=1e-9
    )
    assert (found.effect[:40] == 0).all()
    assert np.isnan(found.low[:40]).all()


def test_errors_of_sums_are_those_of_the_regression():
    found = _found(_series())
    weights = np.where(np.arange(60) >= 40, 1 / 20, 0.0)
    assert found.error(weights) == pytest.approx(found.standard_error, rel=1e-9)
    quantile = stdtrit(56, 0.975)
    assert found.half(weights) == pytest.approx(quantile * found.standard_error, rel=1e-9)
    first = np.eye(60)[40]
    assert found.high[40] - found.effect[40] == pytest.approx(found.half(first), rel=1e-9)
    later = np.eye(60)[55]
    assert found.high[55] - found.effect[55] == pytest.approx(found.half(later), rel=1e-9)
    assert found.high[59] - found.low[59] > found.high[50] - found.low[50]
    terms = found.regression.set_index("term")
    assert terms.loc["change of level", "standard_error"] == pytest.approx(found.error(first))


def test_larger_of_the_two_errors_counts():
    """Every other residual is alike: Newey–West sees more than the first neighbour does."""
    rng = np.random.default_rng(3)
    apart = lfilter([1.0], [1.0, 0.0, -0.8], rng.standard_normal(250))[50:]
    found = _found(apart, start=150)
    assert found.correlation < 0.5
    assert found.standard_error == pytest.approx(found.hac_error, rel=1e-9)
    assert _found(_series()).standard_error > 1.01 * _found(_series()).hac_error


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_the_truth_is_inside_as_often_as_promised(rho):
    inside = 0
    for seed in range(60):
        found = _found(_series(seed, rho=rho, level=-3.0))
        half = stdtrit(found.degrees, 0.975) * found.standard_error
        inside += abs(found.att + 3.0) <= half
    assert inside / 60 >= 0.91


def test_scale_and_level_change_nothing_else():
    outcome = _series()
    plain, big = _found(outcome), _found(1e6 * (outcome + 3))
    assert big.att / 1e6 == pytest.approx(plain.att, rel=1e-9)
    assert big.standard_error / 1e6 == pytest.approx(plain.standard_error, rel=1e-6)
    lifted = outcome + np.where(np.arange(60) >= 40, 7.0, 0.0)
    assert _found(lifted).att == pytest.approx(plain.att + 7, abs=1e-9)


def test_treated_units_are_averaged_and_donors_unused():
    rows = np.vstack([_series(1), _series(2), _series(3)])
    two = interrupted(panel(rows, start=(40, 40)), SPEC)
    assert two.att == pytest.approx(_found(rows[:2].mean(axis=0)).att, abs=1e-9)


def test_different_starts_are_refused():
    rows = np.vstack([_series(1), _series(2)])
    with pytest.raises(Refusal, match="treated units start at 2 dates") as caught:
        interrupted(panel(rows, start=(40, 45)), SPEC)
    assert caught.value.next_step


@pytest.mark.parametrize(("start", "n"), [(7, 30), (40, 42)])
def test_too_short_is_not_estimable(start, n):
    found = _found(_series(n=n, start=start), start=start)
    assert found.reason.startswith("not estimable: ")
    assert np.isnan([found.att, found.standard_error, found.half(np.ones(n))]).all()
    assert found.regression.empty
    assert _verdicts(found) == {
        "no_comparison": "warn",
        "pre_periods": "fail",
        "straight_before": "not_run",
        "autocorrelation": "not_run",
        "placebo_breaks": "not_run",
    }


def _days(n, step, start="2020-01-01"):
    return tuple(str(day.date()) for day in pd.date_range(start, periods=n, freq=step))


SEASONS = [
    (_days(60, "D"), 30, 6, "weekdays"),
    (_days(60, "D"), 20, 0, "none: fewer than 3 full weeks before the start"),
    (_days(220, "7D"), 160, 4, "two yearly waves"),
    (_days(220, "7D"), 150, 0, "none: fewer than 3 full years before the start"),
    (tuple(label[:7] for label in _days(60, "MS")), 36, 11, "months of the year"),
    (tuple(label[:7] for label in _days(60, "MS")), 35, 0, "none: fewer than 3 full years"),
    (tuple(label[:7] for label in _days(30, "QS")), 12, 3, "quarters of the year"),
    (tuple(str(hour) for hour in pd.date_range("2020-01-01", periods=96, freq="h")), 72, 23,
     "hours of the day"),
    (_days(60, "3D"), 50, 0, "none: no weekly or yearly cycle"),
    (tuple(map(str, range(1970, 2030))), 50, 0, "none: periods are numbered"),
    (tuple(map(str, range(-30, 30))), 50, 0, "none: periods are numbered"),
]  # fmt: skip


@pytest.mark.parametrize(("names", "n_pre", "columns", "said"), SEASONS)
def test_seasons_by_the_calendar(names, n_pre, columns, said):
    made, text = seasons(names, n_pre)
    assert made.shape == (len(names), columns)
    assert text.startswith(said)


def test_a_season_is_taken_out():
    n, start = 84, 60
    months = tuple(label[:7] for label in _days(n, "MS"))
    pattern = np.tile(np.random.default_rng(0).standard_normal(12) * 8, 7)
    outcome = _series(1, n=n, start=start, rho=0.0) + pattern
    aware = _found(outcome, start=start, period_names=months)
    blind = _found(outcome, start=start)
    assert aware.season == "months of the year"
    assert aware.standard_error < blind.standard_error / 2
    assert aware.att == pytest.approx(-5, abs=3 * aware.standard_error)


def test_verdicts():
    found = _found(_series(1, rho=0.2))
    assert _verdicts(found) == {
        "no_comparison": "warn",
        "pre_periods": "pass",
        "straight_before": "pass",
        "autocorrelation": "pass",
        "placebo_breaks": "pass",
    }
    said = {check.name: check.text for check in interrupted_checks(found)}
    assert "a change at the time, not a cause" in said["no_comparison"]
    assert "Newey–West over 3" in said["autocorrelation"]
    assert said["placebo_breaks"].replace("\xa0", " ").startswith("Of 20 dates before the start")
    bent = _series(1, rho=0.0) + 0.02 * np.arange(60) ** 2
    assert _verdicts(_found(bent))["straight_before"] == "fail"
    slightly = replace(found, curve_p=0.03)
    assert _verdicts(slightly)["straight_before"] == "warn"
    wandering = np.cumsum(np.random.default_rng(3).standard_normal(160))
    assert _verdicts(_found(wandering, start=120))["autocorrelation"] == "warn"
    short = _found(_series(1, n=40, start=14), start=14)
    assert _verdicts(short)["pre_periods"] == "warn"


def test_a_change_that_happened_before_as_well_is_no_news():
    stairs = _series(1, n=80, start=60, level=0.0, rho=0.0)
    stairs[30:] += 8.0
    found = _found(stairs, start=60)
    assert found.placebos == 20
    assert found.placebo_rank > 1
    assert _verdicts(found)["placebo_breaks"] in ("warn", "fail")
    assert _verdicts(replace(found, placebo_rank=2))["placebo_breaks"] == "warn"
    assert _verdicts(replace(found, placebo_rank=7))["placebo_breaks"] == "fail"


def test_a_flat_line_is_no_crash():
    found = _found(np.full(60, 3.0))
    assert found.att == pytest.approx(0, abs=1e-9)
    assert all(check.text for check in interrupted_checks(found))
