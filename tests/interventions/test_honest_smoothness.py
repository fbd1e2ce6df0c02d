"""Smoothness: the fixed-length interval against brute force, other code and its own promise."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from trustlib.interventions.honest import smoothness
from trustlib.interventions.honest.coefficients import coefficients
from trustlib.interventions.honest.fixed_length import frontier
from trustlib.interventions.honest.lasso_path import lasso_path
from trustlib.interventions.honest.normal import folded_quantile, truncated_tail


def event_study(rng, n_pre, n_post, *, spread=0.1):
    n = n_pre + n_post
    root = rng.normal(size=(n, n + 3))
    return rng.normal(size=n) * spread, root @ root.T / n * spread**2


def worst_bias(weights, n_pre, bound):
    """max weights'd over trend differences d whose bends are within the bound: a linear
    program. Unbounded where a straight line is not taken out."""
    n = len(weights)
    bends = np.delete(np.diff(np.eye(n + 1), n=2, axis=0), n_pre, axis=1)
    solved = linprog(
        -weights,
        A_ub=np.vstack([bends, -bends]),
        b_ub=np.full(2 * len(bends), bound),
        bounds=(None, None),
    )
    return -solved.fun if solved.status == 0 else np.inf


@pytest.mark.parametrize("seed", range(6))
def test_bias_on_the_path_is_the_worst_there_is(seed):
    rng = np.random.default_rng(seed)
    n_pre, n_post = int(rng.integers(1, 6)), int(rng.integers(1, 6))
    point, covariance = event_study(rng, n_pre, n_post)
    study = coefficients(point, covariance, n_pre=n_pre, target=rng.normal(size=n_post))
    path = frontier(study)
    weights, bias = path.at(np.linspace(0, len(path.weights) - 1, 5))
    for row, per_bend in zip(weights, bias, strict=True):
        assert row[n_pre:] == pytest.approx(study.target)
        assert worst_bias(row, n_pre, 0.3) == pytest.approx(0.3 * per_bend, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_no_other_combination_has_a_shorter_interval(seed):
    rng = np.random.default_rng(seed)
    n_pre, n_post = int(rng.integers(2, 6)), int(rng.integers(1, 5))
    point, covariance = event_study(rng, n_pre, n_post)
    study = coefficients(point, covariance, n_pre=n_pre, target=rng.uniform(size=n_post))
    bound = 0.05 * float(rng.choice([0.2, 1.0, 3.0]))
    (found,) = smoothness(point, covariance, n_pre=n_pre, target=study.target, bounds=[bound])
    start = frontier(study).weights[0]
    earlier = np.delete(np.diff(np.eye(len(point) + 1), n=2, axis=0), n_pre, axis=1)[: n_pre - 1]
    fixed = np.abs(bends_of(start, n_pre)[n_pre - 1 :]).sum()

    def half(parts):  # the positive and the negative parts of the bends' weights
        up, down = np.split(parts, 2)
        weights = start + (up - down) @ earlier
        error = np.sqrt(weights @ covariance @ weights)
        bias = bound * (fixed + parts.sum())
        return error * folded_quantile(np.array([bias / error]), 0.95)[0] / study.standard_error

    found_half = (found.high - found.low) / 2 / study.standard_error
    best = minimize(
        half,
        np.full(2 * (n_pre - 1), 0.1),
        bounds=[(0, None)] * (2 * (n_pre - 1)),
        method="L-BFGS-B",
        options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 5000, "maxfun": 100_000},
    ).fun
    assert found_half == pytest.approx(best, rel=1e-6)


def bends_of(weights, n_pre):
    """Weights on the bends that add up to these weights on the levels."""
    bends = np.delete(np.diff(np.eye(len(weights) + 1), n=2, axis=0), n_pre, axis=1)
    return np.linalg.lstsq(bends.T, weights, rcond=None)[0]


@pytest.mark.parametrize("seed", range(4))
def test_at_no_bend_it_is_the_best_estimator_that_takes_out_a_straight_line(seed):
    """Generalised least squares of the coefficients on a line and one effect per period."""
    rng = np.random.default_rng(seed)
    n_pre, n_post = int(rng.integers(1, 7)), int(rng.integers(1, 6))
    point, covariance = event_study(rng, n_pre, n_post)
    target = rng.normal(size=n_post)
    (found,) = smoothness(point, covariance, n_pre=n_pre, target=target, bounds=[0.0])
    times = np.delete(np.arange(-n_pre, n_post + 1.0), n_pre)
    design = np.column_stack([times, np.eye(n_pre + n_post)[:, n_pre:]])
    precision = np.linalg.inv(covariance)
    variance = np.linalg.inv(design.T @ precision @ design)
    estimate = target @ (variance @ design.T @ precision @ point)[1:]
    error = np.sqrt(target @ variance[1:, 1:] @ target)
    half = 1.959963984540054 * error
    assert (found.low, found.high) == pytest.approx((estimate - half, estimate + half), rel=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_diff_diff(seed):
    honest_did = pytest.importorskip("diff_diff.honest_did")
    rng = np.random.default_rng(seed)
    point, covariance = event_study(rng, 5, 4)
    target = rng.uniform(size=4)
    for bound in (0.0, 0.01, 0.1):
        (found,) = smoothness(point, covariance, n_pre=5, target=target, bounds=[bound])
        theirs = honest_did._compute_optimal_flci(
            point[:5], point[5:], covariance, target, 5, 4, bound
        )
        low, high = theirs
        # Around the optimum the length hardly changes, so that the middle is found less sharply.
        assert found.high - found.low == pytest.approx(high - low, rel=1e-7)
        assert found.low + found.high == pytest.approx(low + high, abs=2e-4 * (high - low))


@pytest.mark.parametrize("seed", range(6))
def test_scale_sign_and_bound(seed):
    rng = np.random.default_rng(seed)
    n_pre, n_post = int(rng.integers(1, 8)), int(rng.integers(1, 8))
    point, covariance = event_study(rng, n_pre, n_post)
    shape = {"n_pre": n_pre, "target": rng.uniform(size=n_post)}
    bounds = np.array([0.0, 0.01, 0.05, 0.2])
    found = smoothness(point, covariance, **shape, bounds=bounds)
    mirrored = smoothness(-point, covariance, **shape, bounds=bounds)
    for interval, mirror in zip(found, mirrored, strict=True):
        assert (interval.low, interval.high) == pytest.approx((-mirror.high, -mirror.low), rel=1e-9)
    for scale in (1e-6, 1e6):
        scaled = smoothness(scale * point, scale**2 * covariance, **shape, bounds=scale * bounds)
        for interval, other in zip(found, scaled, strict=True):
            assert (other.low / scale, other.high / scale) == pytest.approx(
                (interval.low, interval.high), rel=1e-6
            )
    lengths = [interval.high - interval.low for interval in found]
    assert all(wide > narrow for narrow, wide in itertools.pairwise(lengths))


def test_a_straight_line_moves_nothing():
    rng = np.random.default_rng(2)
    point, covariance = event_study(rng, 4, 3)
    line = 0.7 * np.array([-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
    shape = {"n_pre": 4, "target": [0.0, 0.0, 1.0], "bounds": [0.0, 0.03]}
    plain = smoothness(point, covariance, **shape)
    tilted = smoothness(point + line, covariance, **shape)
    for one, other in zip(plain, tilted, strict=True):
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=1e-9)


@pytest.mark.parametrize("bend", [0.0, 0.5, 5.0])
def test_coverage_at_the_worst_bias(bend):
    """Bends of exactly M, each against the estimator's weight on it; no effect. Nominal 95 %;
    4,000 draws leave ±.007 at two errors."""
    rng = np.random.default_rng(int(bend * 10))
    root = rng.normal(size=(6, 14))
    covariance = root @ root.T / 14
    study = coefficients(np.zeros(6), covariance, n_pre=4, target=[0.5, 0.5])
    (middle,) = smoothness(np.zeros(6), covariance, n_pre=4, target=[0.5, 0.5], bounds=[bend])
    shifted = [
        smoothness(unit, covariance, n_pre=4, target=[0.5, 0.5], bounds=[bend])[0]
        for unit in np.eye(6)
    ]
    weights = np.array([interval.low - middle.low for interval in shifted])
    assert weights[4:] == pytest.approx([0.5, 0.5])
    bends = np.delete(np.diff(np.eye(7), n=2, axis=0), 4, axis=1)
    signs = np.sign(bends_of(weights, 4))
    truth = np.linalg.lstsq(bends, bend * signs, rcond=None)[0]
    draws = rng.multivariate_normal(truth, study.covariance, size=4000)
    covered = np.abs(draws @ weights) <= (middle.high - middle.low) / 2
    assert covered.mean() == pytest.approx(0.95, abs=0.011)


@pytest.mark.parametrize("seed", range(8))
def test_path_is_optimal_at_every_corner_and_between(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 12))
    root = rng.normal(size=(k, k + 2))
    curvature, gradient = root @ root.T, rng.normal(size=k)
    if seed == 0:  # exact ties: every coordinate leaves zero at once
        curvature, gradient = np.eye(k) + 0.5, np.ones(k)
    path = lasso_path(curvature, gradient)
    assert not path[0].any()
    assert path[-1] == pytest.approx(np.linalg.solve(curvature, -gradient), rel=1e-8)
    between = (path[1:] + path[:-1]) / 2
    for x in np.concatenate([path, between]):
        pull = -(curvature @ x + gradient)
        penalty = np.abs(pull).max()
        assert pull[np.abs(x) > 1e-9] == pytest.approx(
            penalty * np.sign(x[np.abs(x) > 1e-9]), abs=1e-8
        )


def test_normal_laws():
    shift = np.array([0.0, 0.3, 2.0, 30.0])
    assert folded_quantile(shift, 0.95)[0] == pytest.approx(1.959963984540054, rel=1e-12)
    assert folded_quantile(shift, 0.95)[3] == pytest.approx(30 + 1.6448536269514722, rel=1e-12)
    draws = np.random.default_rng(0).normal(size=400_000)
    for one, quantile in zip(shift, folded_quantile(shift, 0.9), strict=True):
        assert (np.abs(draws + one) <= quantile).mean() == pytest.approx(0.9, abs=0.0015)
    # 40 standard errors out the tail is exponential with that rate, to 1 in 1,000.
    tail = truncated_tail(np.array([40.05]), np.array([40.0]), np.array([np.inf]))
    assert tail[0] == pytest.approx(np.exp(-40.0 * 0.05 - 0.05**2 / 2), rel=2e-3)
    assert truncated_tail(np.ones(1), np.ones(1), np.ones(1))[0] == 1.0
