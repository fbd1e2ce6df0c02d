"""Trend: noise against closed forms and statsmodels, coverage, split, season, gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from scipy.stats import t as student

from tests.harm.series_worlds import START, series, without
from trustlib.harm.series import PrevalenceSeries, series_from_frame
from trustlib.harm.series_design import series_design, working_response
from trustlib.harm.series_noise import averaged, noise
from trustlib.harm.trend import trend
from trustlib.stats.wilson import wilson


def test_without_drift_it_is_a_logit_regression():
    made = series(1, slope=0.02, labels=1500)
    y, grid = working_response(made, series_design(made))
    design = series_design(made).columns
    own = grid.slope[0] @ y  # the grid's first point has no drift
    other = sm.GLM(
        np.column_stack([made.estimate * 1500, (1 - made.estimate) * 1500]), design,
        family=sm.families.Binomial(),
    ).fit()  # fmt: skip
    assert own == pytest.approx(other.params, abs=2e-3)
    assert np.sqrt(np.diag(grid.covariance[0])) == pytest.approx(other.bse, rel=0.02)


def test_grid_point_is_generalised_least_squares():
    random = np.random.default_rng(0)
    position = np.array([0, 1, 2, 4, 5, 8, 9, 10, 11, 12])
    x = np.column_stack([np.ones(10), position, random.normal(size=10)])
    error, y = random.random(10) + 0.1, random.normal(size=10)
    made = noise(x, error=error, position=position, scale=0.8)
    for g in (0, 7, 20, 30):
        apart = np.abs(position[:, None] - position)
        v = made.tau[g] * made.phi[g] ** apart + np.diag(error)
        gls = sm.GLS(y, x, sigma=v).fit()
        assert made.slope[g] @ y == pytest.approx(gls.params)
        inverse = np.linalg.inv(v)
        assert made.covariance[g] == pytest.approx(np.linalg.inv(x.T @ inverse @ x))
        left = y - x @ gls.params
        reml = -0.5 * (np.linalg.slogdet(v)[1] + np.linalg.slogdet(x.T @ inverse @ x)[1]
                       + left @ inverse @ left)  # fmt: skip
        prior = made.log_likelihood(y)[g] - reml
        assert prior == pytest.approx(np.log(made.prior[g]))
    weight, mean, inner = made.weights(y), np.zeros(3), np.zeros((3, 3))
    for g, share in enumerate(weight):
        own = made.slope[g] @ y
        mean = mean + share * own
        inner = inner + share * (made.covariance[g] + np.outer(own, own))
    found = averaged(made, x, y)
    assert found.coefficients == pytest.approx(mean)
    assert found.covariance == pytest.approx(inner - np.outer(mean, mean))
    both = made.log_likelihood(np.column_stack([y, 2 * y]))
    assert both[:, 0] == pytest.approx(made.log_likelihood(y))


def test_level_is_the_posterior_of_line_and_drift():
    random = np.random.default_rng(1)
    position = np.arange(9)
    x = np.column_stack([np.ones(9), position - 4])
    error, y = random.random(9) + 0.2, random.normal(size=9)
    made = noise(x, error=error, position=position, scale=0.5)
    level, square = np.zeros(9), np.zeros(9)
    for share, drift in zip(made.weights(y), made.drift, strict=True):
        before = drift + 1e5 * x @ x.T  # nearly nothing known of the line
        gain = before @ np.linalg.inv(before + np.diag(error))
        own = gain @ y
        level = level + share * own
        square = square + share * (np.diag(before - gain @ before) + own**2)
    found = averaged(made, x, y)
    assert found.level == pytest.approx(level, abs=1e-3)
    assert found.level_variance == pytest.approx(square - level**2, rel=1e-3)


def test_points_have_their_own_intervals():
    made = series(2, periods=10, labels=300)
    made.estimate[3], made.variance[3] = 0.0, 0.0
    found = trend(made).points
    p = made.estimate[0]
    assert (found["low"][0], found["high"][0]) == pytest.approx(wilson(p, n=300, level=0.95))
    assert found["low"][3] == 0
    assert found["high"][3] == pytest.approx(1 - 0.05 ** (1 / 300), rel=1e-6)
    assert (found["level_low"] <= found["level"]).all()
    # Freed of sampling error it is smoother, and never 0.
    assert found["level"].min() > 0
    assert found["level"].std() < made.estimate.std()


def test_design_effect_goes_into_the_effective_labels():
    made = series(2, periods=10, labels=300)
    clustered = PrevalenceSeries(at=made.at, estimate=made.estimate, variance=made.variance * 3,
                                 labels=made.labels)  # fmt: skip
    some = made.estimate > 0
    assert clustered.effective_labels[some] == pytest.approx(100)
    clustered.estimate[0] = 0.0
    assert clustered.effective_labels[0] == pytest.approx(100)


def test_change_recovers_the_line():
    made = series(3, slope=0.03, labels=200_000)
    found = trend(made)
    true = expit(-4.5 + 0.03 * 39) / expit(-4.5)
    assert found.change.point == pytest.approx(true, rel=0.02)
    assert found.change.low < true < found.change.high
    assert found.note == ""
    assert found.eras["change"][0] == pytest.approx(found.change.point)
    assert found.eras["p"][0] < 1e-6


def test_change_is_a_ratio_of_shares_by_the_delta_method():
    made = series(9, periods=20, slope=0.05, base=-1.0, labels=500, phi=0.3, tau=0.1)
    design = series_design(made)
    y, grid = working_response(made, design)
    fitted = averaged(grid, design.columns, y)
    first, last = design.columns[0], design.columns[-1]
    p0, p1 = (expit(row @ fitted.coefficients) for row in (first, last))
    lean = last * (1 - p1) - first * (1 - p0)
    half = student.ppf(0.975, 18) * np.sqrt(lean @ fitted.covariance @ lean)
    found = trend(made)
    assert found.change.point == pytest.approx(p1 / p0)
    assert found.change.low == pytest.approx(p1 / p0 * np.exp(-half))
    assert found.change.high == pytest.approx(p1 / p0 * np.exp(half))
    slope, error = fitted.coefficients[1], np.sqrt(fitted.covariance[1, 1])
    assert found.eras["p"][0] == pytest.approx(2 * student.sf(slope / error, 18))


def test_coverage_of_the_change():
    """A small run of what stands at the head of `trustlib.harm.trend`, on fewer periods."""
    hits = []
    for seed in range(60):
        found = trend(series(seed, periods=24, phi=0.5, tau=0.2, slope=0.02))
        true = expit(-4.5 + 0.02 * 23) / expit(-4.5)
        hits.append(found.change.low <= true <= found.change.high)
    assert np.mean(hits) >= 0.9


def test_splitting_at_a_break_gives_two_lines_and_a_jump():
    made = series(5, slope=0.02, step=0.8, at=20, labels=100_000)
    at = START + pd.Timedelta(weeks=20)
    found = trend(made, breaks=[at])
    assert found.change.point is None
    assert "across a change of the instrument" in found.change.note
    assert list(found.eras["periods"]) == [20, 20]
    jump = found.jumps.iloc[0]
    assert jump["at"] == at
    assert jump["low"] < np.exp(0.8) * 0.99 < jump["high"]
    for _, era in found.eras.iterrows():
        assert era["low"] < np.exp(0.02 * 19) < era["high"]
    # Outside the series a break changes nothing.
    plain, late = trend(made), trend(made, breaks=[START + pd.Timedelta(weeks=90)])
    assert late.change.point == plain.change.point


def test_days_of_the_week_are_a_season():
    wave = np.array([0.3, 0.3, 0, 0, -0.2, -0.2, -0.2])
    found = trend(series(6, periods=70, days=1, labels=30_000, season=wave))
    assert found.season_kind == "day of the week"
    assert list(found.season["ratio"]) == pytest.approx(list(np.exp(wave)), rel=0.12)
    assert found.season_p < 0.001
    assert found.season["ratio"].map(np.log).sum() == pytest.approx(0, abs=1e-9)
    # The line is free of it.
    assert found.points["trend"].diff().dropna().abs().max() < 3e-4
    assert trend(series(6, periods=20, days=1)).season_kind == ""
    yearly = 0.4 * np.cos(2 * np.pi * np.arange(120) * 7 / 365.25)
    assert trend(series(7, periods=120, labels=20_000, season=yearly)).season["ratio"].iloc[
        0
    ] == pytest.approx(np.exp(0.4), rel=0.1)


def test_gaps_row_order_and_missing_rows_agree():
    made = without(series(8, slope=0.02, phi=0.5, tau=0.2), [4, 5, 17])
    found = trend(made)
    frame = pd.DataFrame({"at": made.at, "estimate": made.estimate, "variance": made.variance,
                          "labels": made.labels})  # fmt: skip
    turned = frame.sample(frac=1, random_state=1)
    again = trend(series_from_frame(turned))
    assert again.change.to_json() == found.change.to_json()
    left_out = trend(series_from_frame(turned.dropna()))
    assert left_out.change.to_json() == found.change.to_json()
    assert found.points["trend"].isna().sum() == 3
    assert turned.equals(frame.sample(frac=1, random_state=1))


def test_few_periods_are_not_estimable():
    found = trend(series(1, periods=7))
    assert found.change.point is None
    assert "fewer than 8" in found.note
    assert len(found.points) == 7
    assert found.points["high"].notna().all()
    breaks = [START + pd.Timedelta(weeks=at) for at in range(1, 7)]
    many = trend(series(1, periods=8), breaks=breaks)
    assert "too few periods" in many.note


def test_labels_of_one_kind_have_points_and_no_line():
    found = trend(series(1, periods=12, base=-40.0))
    assert (found.points["estimate"] == 0).all()
    assert found.points["high"].max() < 0.01
    assert "one kind" in found.change.note
    # An era without a positive label has no line of its own; the other one has.
    made = series(2, periods=24, labels=20_000)
    made.estimate[12:], made.variance[12:] = 0.0, 0.0
    found = trend(made, breaks=[START + pd.Timedelta(weeks=12)])
    assert list(found.eras["change"].notna()) == [True, False]
    assert "one kind" in found.eras["note"][1]
    assert np.isnan(found.jumps["ratio"][0])
    assert found.jumps["p"][0] < 0.01


def test_series_are_checked():
    at = pd.date_range(START, periods=3, freq="7D")
    good = {"at": at, "estimate": [0.1, 0.2, 0.1], "variance": [0.01] * 3, "labels": [9, 9, 9]}
    PrevalenceSeries(**good)
    for wrong, match in (
        ({"at": at.tz_localize(None)}, "zone"),
        ({"at": at[::-1]}, "ascending"),
        ({"at": at[[0, 1, 1]] + pd.to_timedelta([0, 0, 3], "D")}, "grid"),
        ({"estimate": [0.1, 1.2, 0.1]}, "between 0 and 1"),
        ({"labels": [9, 0, 9]}, "labels"),
        ({"variance": [0.1, 0.1]}, "one value"),
    ):
        with pytest.raises(ValueError, match=match):
            PrevalenceSeries(**(good | wrong))
    with pytest.raises(ValueError, match="no column labels"):
        series_from_frame(pd.DataFrame({"at": at, "estimate": 0.1, "variance": 0.1}))


def test_days_on_a_local_clock_are_equal_steps():
    at = pd.date_range("2026-03-20", periods=20, freq="D", tz="America/New_York")
    made = PrevalenceSeries(at=at, estimate=np.full(20, 0.1), variance=np.full(20, 1e-4),
                            labels=np.full(20, 900))  # fmt: skip
    assert list(made.position) == list(range(20))
    assert made.step_days == 1
    assert logit(trend(made).points["trend"]).std() < 1e-6
