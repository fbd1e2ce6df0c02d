"""Relative magnitudes: the closed form against the linear programs it replaces, coverage,
invariances."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.stats import norm

from trustlib.interventions.honest import conditional as arp
from trustlib.interventions.honest import relative_magnitudes
from trustlib.interventions.honest.coefficients import coefficients

ALPHA, KAPPA = 0.05, 0.005


def event_study(rng, n_pre, n_post, *, spread=0.1):
    n = n_pre + n_post
    root = rng.normal(size=(n, n + 3))
    return rng.normal(size=n) * 3 * spread, root @ root.T / n * spread**2


def moments_of(study, *, worst, sign, bound, effect):
    """y, X and Var(y) of the moments E[y − X·d] ≤ 0, written out as in the papers."""
    n_pre, n_post = study.n_pre, study.n_post
    changes = np.diff(np.insert(np.eye(n_pre + n_post), n_pre, 0, axis=0), axis=0)
    largest = bound * sign * changes[worst]
    rows = np.concatenate([changes[n_pre:] - largest, -changes[n_pre:] - largest])
    one_such_effect = study.target * effect / (study.target @ study.target)
    free = np.linalg.svd(study.target[None])[2][1:].T
    y = rows @ (study.point - np.concatenate([np.zeros(n_pre), one_such_effect]))
    return y, rows[:, n_pre:] @ free, rows @ study.covariance @ rows.T


def largest_vertex(y, free, deviation):
    """The linear program's value and its multipliers, by the simplex method on the dual."""
    solved = linprog(
        -y,
        A_eq=np.vstack([free.T, deviation]),
        b_eq=np.append(np.zeros(free.shape[1]), 1.0),
        bounds=(0, None),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return -solved.fun, solved.x


def p_value_by_programs(y, free, covariance, critical):
    """Of the conditional stage: the ends of the truncation are found by bisection over programs
    (Andrews, Roth & Pakes 2023, appendix)."""
    deviation = np.sqrt(np.diag(covariance))
    eta, multipliers = largest_vertex(y, free, deviation)
    if eta > critical:
        return 0.0
    if eta <= 0:
        return 1.0
    variance = multipliers @ covariance @ multipliers
    direction = covariance @ multipliers / variance
    rest = y - direction * eta

    def excess(value):
        return largest_vertex(rest + direction * value, free, deviation)[0] - value

    def edge(inside, outside):
        if excess(outside) <= 1e-7:
            return outside
        for _ in range(34):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if excess(middle) <= 1e-7 else (inside, middle)
        return inside

    size = np.sqrt(variance)
    low, high = edge(eta, -40.0) / size, min(edge(eta, 40.0), critical) / size
    return (norm.sf(eta / size) - norm.sf(high)) / (norm.sf(low) - norm.sf(high))


@pytest.mark.parametrize("seed", range(12))
def test_closed_form_decides_as_the_linear_programs_do(seed):
    rng = np.random.default_rng(seed)
    n_pre, n_post = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    point, covariance = event_study(rng, n_pre, n_post)
    target = [rng.normal(size=n_post), np.full(n_post, 1 / n_post), np.eye(n_post)[0]][seed % 3]
    study = coefficients(point, covariance, n_pre=n_pre, target=target)
    bound = float(rng.choice([0.3, 1.0, 2.0]))
    moments = arp._moments(study)
    vertices = arp._vertices(moments, bound)
    critical = arp._least_favourable(moments, vertices, KAPPA)
    gap = float(rng.normal()) * 2
    effect = study.estimate - gap * study.standard_error
    gaps = np.full((2 * n_pre, 1), gap)
    decided = arp._accepts(gaps, moments, vertices, critical, ALPHA)[:, 0]
    for piece in range(2 * n_pre):
        y, free, variance = moments_of(
            study,
            worst=piece % n_pre,
            sign=1 if piece < n_pre else -1,
            bound=bound,
            effect=effect,
        )
        p_value = p_value_by_programs(y, free, variance, critical[piece])
        assert decided[piece] == (p_value >= (ALPHA - KAPPA) / (1 - KAPPA))


@pytest.mark.parametrize("seed", range(6))
def test_statistic_is_the_linear_programs(seed):
    """Also where the target's weights have both signs."""
    rng = np.random.default_rng(seed)
    point, covariance = event_study(rng, 2, 4)
    study = coefficients(point, covariance, n_pre=2, target=rng.normal(size=4))
    moments = arp._moments(study)
    vertices = arp._vertices(moments, 1.5)
    for gap in (-3.0, 0.5, 4.0):
        values = gap * vertices.on_target + moments.worst[:, None] * vertices.on_worst
        effect = study.estimate - gap * study.standard_error
        for piece, sign in ((0, 1), (1, 1), (2, -1), (3, -1)):
            y, free, variance = moments_of(
                study, worst=piece % 2, sign=sign, bound=1.5, effect=effect
            )
            eta, multipliers = largest_vertex(y, free, np.sqrt(np.diag(variance)))
            best = values[piece].argmax()
            assert values[piece, best] == pytest.approx(eta, rel=1e-7)
            assert vertices.covariance[piece, best, best] == pytest.approx(
                multipliers @ variance @ multipliers, rel=1e-6
            )


@pytest.mark.parametrize(("n_pre", "n_post", "bound"), [(3, 4, 1.0), (5, 2, 0.2), (2, 1, 2.0)])
def test_critical_value_is_the_quantile_of_simulated_programs(n_pre, n_post, bound):
    rng = np.random.default_rng(n_pre)
    _, covariance = event_study(rng, n_pre, n_post)
    target = np.full(n_post, 1 / n_post)
    draws = rng.multivariate_normal(np.zeros(n_pre + n_post), covariance, size=600)
    study = coefficients(draws[0], covariance, n_pre=n_pre, target=target)
    moments = arp._moments(study)
    for size in (0.5, 0.1):
        critical = arp._least_favourable(moments, arp._vertices(moments, bound), size)[0]
        below = 0
        for draw in draws:
            one = coefficients(draw, covariance, n_pre=n_pre, target=target)
            y, free, variance = moments_of(one, worst=0, sign=1, bound=bound, effect=0.0)
            below += largest_vertex(y, free, np.sqrt(np.diag(variance)))[0] <= critical
        # Three standard errors of a share of 600 draws.
        assert below / 600 == pytest.approx(1 - size, abs=3 * np.sqrt(size * (1 - size) / 600))


def test_no_bound_is_the_plain_interval():
    rng = np.random.default_rng(1)
    point, covariance = event_study(rng, 4, 3)
    study = coefficients(point, covariance, n_pre=4, target=[0.2, 0.3, 0.5])
    (found,) = relative_magnitudes(
        point, covariance, n_pre=4, target=[0.2, 0.3, 0.5], bounds=[0.0], level=0.9
    )
    plain = study.plain(0.9)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_scale_sign_and_bound(seed):
    rng = np.random.default_rng(seed)
    n_pre, n_post = int(rng.integers(1, 8)), int(rng.integers(1, 8))
    point, covariance = event_study(rng, n_pre, n_post)
    shape = {"n_pre": n_pre, "target": rng.uniform(size=n_post), "bounds": [0.0, 0.4, 1.0, 2.5]}
    found = relative_magnitudes(point, covariance, **shape)
    mirrored = relative_magnitudes(-point, covariance, **shape)
    for interval, mirror in zip(found, mirrored, strict=True):
        assert (interval.low, interval.high) == pytest.approx((-mirror.high, -mirror.low), rel=1e-9)
    for scale in (1e-6, 1e6):
        scaled = relative_magnitudes(scale * point, scale**2 * covariance, **shape)
        for interval, other in zip(found, scaled, strict=True):
            assert (other.low / scale, other.high / scale) == pytest.approx(
                (interval.low, interval.high), rel=1e-6
            )
    for narrow, wide in itertools.pairwise(found):
        assert wide.low < narrow.low
        assert wide.high > narrow.high


def test_adding_a_constant_to_the_effects_moves_the_interval():
    rng = np.random.default_rng(5)
    point, covariance = event_study(rng, 3, 3)
    target = np.full(3, 1 / 3)
    moved = point + np.array([0, 0, 0, 1.0, 1.0, 1.0])
    (before,) = relative_magnitudes(point, covariance, n_pre=3, target=target, bounds=[1.0])
    (after,) = relative_magnitudes(moved, covariance, n_pre=3, target=target, bounds=[1.0])
    assert (after.low, after.high) == pytest.approx((before.low + 1, before.high + 1), abs=1e-6)


def test_interval_holds_the_identified_set_of_a_precise_study():
    """With next to no sampling error the interval is the identified set: the estimate, give or
    take Mbar times the worst change times the number of periods that it may add up over."""
    point = np.array([0.1, 0.3, 2.0, 3.0])
    covariance = 1e-10 * np.eye(4)
    (found,) = relative_magnitudes(point, covariance, n_pre=2, target=[0.5, 0.5], bounds=[2.0])
    reach = 2.0 * 0.3 * 1.5
    assert (found.low, found.high) == pytest.approx((2.5 - reach, 2.5 + reach), abs=1e-3)


@pytest.mark.parametrize("size", [0.2, 1.0, 8.0])
def test_coverage_at_the_edge_of_the_identified_set(size):
    """True violations after treatment are as large as Mbar = 1 allows and add up, `size`
    standard errors each; no effect. Nominal 95 %; 400 draws leave ±.022 at two errors."""
    rng = np.random.default_rng(int(size * 10))
    truth = size * np.array([-0.2, -0.6, -1.0, 1.0, 2.0])  # worst change: the last one, 1
    root = rng.normal(size=(5, 12))
    covariance = root @ root.T / 12
    draws = rng.multivariate_normal(truth, covariance, size=400)
    covered = 0
    for draw in draws:
        (found,) = relative_magnitudes(draw, covariance, n_pre=3, target=[0.5, 0.5], bounds=[1.0])
        covered += found.contains_zero
    assert covered / 400 >= 0.928
    if size == 8.0:  # one piece binds, one end can miss: no slack in the method
        assert covered / 400 <= 0.972
