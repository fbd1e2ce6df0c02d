"""Relative magnitudes: trends after treatment differ at most Mbar times as much as before.

Rambachan & Roth (2023), "A more credible approach to parallel trends", Review of Economic
Studies 90: the restriction Delta^RM(Mbar) and the union over the pre-period change that is the
largest, and its sign. Andrews, Roth & Pakes (2023), "Inference for linear conditional moment
inequalities", same volume: the conditional test and its least-favourable hybrid (C-LF).

Notation. d_t is the change of the estimated event study from t−1 to t, v the pre-period change
that is presumed the largest, with its presumed sign; both are 0 at the reference period. The
target's weights l give Σ l_t·beta_t = Σ c_t·d_t with c_t = Σ_{j≥t} l_j. Testing that the effect
is theta, the moments are ±(d_t − u_t) − Mbar·v ≤ 0 for each period after treatment, the true
effect's changes u_t being free but for Σ c_t·u_t = theta. As in the authors' code only moments
that involve a period after treatment are used.

The test's linear program, min eta with every studentised moment ≤ eta, has a closed form. Put
x_t = d_t − u_t: it lies between ∓(Mbar·v + eta·s∓_t), and Σ c_t·x_t = g = Σ c_t·d_t − theta.
Such x exist when no span is empty and g is within the spans' sum, so that eta is the largest of

    ( g − C·Mbar·v) / S+        C  = Σ |c_t|
    (−g − C·Mbar·v) / S−        S± = Σ |c_t|·s±_t, with s∓_t where c_t < 0
    −2·Mbar·v / (s+_t + s−_t)   for each t: multiples of one number, so the extreme two do

which are the vertices of its dual. Everything therefore depends on the pair (g, v) alone: the
conditional test needs no linear program, and the least-favourable critical value is an integral
in one dimension instead of a simulation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from trustlib.interventions.honest.coefficients import (
    Coefficients,
    HonestInterval,
    checked_bounds,
    coefficients,
)
from trustlib.interventions.honest.normal import truncated_tail
from trustlib.interventions.panel import FloatArray

FIRST_STAGE = 0.1  # share of alpha spent on the least-favourable stage: the paper's kappa
PANELS, NODES = 24, 16  # of the quadrature of the critical value: Gauss–Legendre in each panel
COARSE, FINE, ZOOMS = 256, 48, 4  # an end is located to 1 / (256·47^4) of the span searched


@dataclass(frozen=True, kw_only=True, eq=False)
class _Moments:
    """What the test needs of an event study, in units of the plain estimate's standard error.

    One entry per piece: presumed largest pre-period change and its sign, (p,).
    """

    estimate: float
    worst: FloatArray  # v
    worst_variance: FloatArray
    worst_with_target: FloatArray  # Cov(v, Σ c_t·d_t)
    post_variance: FloatArray  # (n_post,) of d_t
    post_with_worst: FloatArray  # (p, n_post) Cov(d_t, v)
    reach: FloatArray  # (n_post,) c_t


@dataclass(frozen=True, kw_only=True, eq=False)
class _Vertices:
    """The four functionals of (g, v) whose largest is eta, per piece, at one Mbar."""

    on_target: FloatArray  # (p, 4)
    on_worst: FloatArray  # (p, 4)
    covariance: FloatArray  # (p, 4, 4)


def relative_magnitudes(
    point: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    n_pre: int,
    target: npt.ArrayLike,
    bounds: Iterable[float],
    level: float = 0.95,
) -> list[HonestInterval]:
    """Robust intervals of the target, one for each Mbar in `bounds`, by the C-LF test.

    An interval reaches from the lowest to the highest effect that the test accepts for any
    piece of the restriction. `point` (n,) and `covariance` (n, n) are in order of event time,
    consecutive, without the reference period right before treatment; `target` (n − n_pre,).
    Refusal where `reason_not_run` has a reason.
    """
    study = coefficients(point, covariance, n_pre=n_pre, target=target)
    return [accepted(study, bound=bound, level=level) for bound in checked_bounds(bounds)]


def accepted(study: Coefficients, *, bound: float, level: float) -> HonestInterval:
    """From the lowest to the highest effect that the test accepts at one Mbar."""
    scale = study.standard_error
    above, below = _reach(_moments(study), bound, 1 - level)
    return HonestInterval(
        kind="relative_magnitudes",
        bound=bound,
        low=study.estimate - scale * below,
        high=study.estimate + scale * above,
    )


def bound_that_accepts_zero(study: Coefficients) -> float:
    """An Mbar at which no interval can exclude zero: the sample's own identified set has it."""
    moments = _moments(study)
    worst = float(np.max(moments.worst)) * float(np.abs(moments.reach).sum())
    return abs(moments.estimate) / worst if worst > 0 else float("inf")


def _moments(study: Coefficients) -> _Moments:
    n, n_pre = len(study.point), study.n_pre
    levels = np.insert(np.eye(n), n_pre, 0.0, axis=0)  # the reference period's coefficient is 0
    changes = np.diff(levels, axis=0)  # (n, n)
    before = np.concatenate([changes[:n_pre], -changes[:n_pre]])
    after = changes[n_pre:]
    scale = study.standard_error
    covariance = study.covariance / scale**2
    return _Moments(
        estimate=study.estimate / scale,
        worst=before @ study.point / scale,
        worst_variance=np.einsum("pi,ij,pj->p", before, covariance, before),
        worst_with_target=before @ covariance @ study.loading,
        post_variance=np.einsum("ti,ij,tj->t", after, covariance, after),
        post_with_worst=before @ covariance @ after.T,
        reach=np.cumsum(study.target[::-1])[::-1],
    )


def _vertices(moments: _Moments, bound: float) -> _Vertices:
    common = moments.post_variance + bound**2 * moments.worst_variance[:, None]
    cross = 2 * bound * moments.post_with_worst
    up, down = (np.sqrt(np.maximum(common + sign * cross, 0)) for sign in (-1, 1))  # s+, s−
    size = np.abs(moments.reach)
    rising = moments.reach > 0
    span_up = np.where(rising, up, down) @ size
    span_down = np.where(rising, down, up) @ size
    widths = up + down
    shift = bound * size.sum()
    narrow, wide = widths.min(axis=1), widths.max(axis=1)
    none = np.zeros_like(narrow)
    on_target = np.stack([1 / span_up, -1 / span_down, none, none], axis=1)
    on_worst = -np.stack(
        [shift / span_up, shift / span_down, 2 * bound / narrow, 2 * bound / wide], axis=1
    )
    pairs = np.stack([on_target, on_worst], axis=2)  # (p, 4, 2)
    inner = np.empty((len(none), 2, 2))
    inner[:, 0, 0] = 1.0  # in units of the target's own standard error
    inner[:, 0, 1] = inner[:, 1, 0] = moments.worst_with_target
    inner[:, 1, 1] = moments.worst_variance
    return _Vertices(
        on_target=on_target,
        on_worst=on_worst,
        covariance=pairs @ inner @ pairs.transpose(0, 2, 1),
    )


def _least_favourable(moments: _Moments, vertices: _Vertices, size: float) -> FloatArray:
    """(p,) the 1 − size quantile of the largest vertex when every moment binds.

    P(largest ≤ c) integrates, over v above what the narrowest span allows, the chance that g
    is within the spans' sum. Pieces come in pairs of opposite sign; turning the normal law of
    (g, v) around makes one the other, so that the first half serves both.
    """
    first = slice(len(moments.worst) // 2)
    spread = np.sqrt(moments.worst_variance)[first, None]
    slope = moments.worst_with_target[first, None] / spread
    rest = np.sqrt(np.maximum(1 - slope**2, 1e-14))
    up, down = 1 / vertices.on_target[first, :1], -1 / vertices.on_target[first, 1:2]
    shift = -vertices.on_worst[first, :1] * up
    steepest = -vertices.on_worst[first, 2:3] * spread
    node, weight = np.polynomial.legendre.leggauss(NODES)
    x = ((np.arange(PANELS)[:, None] + (node + 1) / 2) / PANELS).ravel()  # of the way, 0 to 1
    weight = np.tile(weight / 2 / PANELS, PANELS)
    edge = 9.0

    def chance(c: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore"):
            start = np.clip(-c / steepest, -edge, edge)
        z = start + (edge - start) * x
        room = shift * spread * z
        inside = ndtr((up * c + room - slope * z) / rest) - ndtr(
            (-down * c - room - slope * z) / rest
        )
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return (edge - start) * ((np.maximum(inside, 0) * density) @ weight)[:, None]

    low = np.zeros_like(spread)
    high = np.full_like(spread, -float(ndtri(size / 3)))  # three vertices of unit variance or less
    for _ in range(32):
        middle = (low + high) / 2
        short = chance(middle) < 1 - size
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return np.tile(high[:, 0], 2)


def _accepts(
    gap: FloatArray, moments: _Moments, vertices: _Vertices, critical: FloatArray, alpha: float
) -> np.ndarray:
    """(p, k) whether the test accepts effects that are `gap` (p, k) below the estimate."""
    first = FIRST_STAGE * alpha
    values = (
        gap[..., None] * vertices.on_target[:, None, :]
        + (moments.worst[:, None] * vertices.on_worst)[:, None, :]
    )
    best = values.argmax(axis=2)
    eta = np.take_along_axis(values, best[..., None], axis=2)[..., 0]
    pieces = np.arange(len(best))[:, None]
    with_best = vertices.covariance[pieces, best]  # (p, k, 4)
    variance = np.take_along_axis(with_best, best[..., None], axis=2)[..., 0]
    limit = critical[:, None]
    tested = (eta > 0) & (eta <= limit) & (variance > 0)
    deviation = np.sqrt(np.where(tested, variance, 1.0))
    share = with_best / np.where(tested, variance, 1.0)[..., None]
    share[pieces, np.arange(best.shape[1]), best] = 1.0
    rest = values - share * eta[..., None]  # what is independent of eta
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = rest / (1 - share)
    low = np.where(share < 1, crossing, -np.inf).max(axis=2)
    high = np.minimum(np.where(share > 1, crossing, np.inf).min(axis=2), limit)
    low, high = np.minimum(low, eta), np.maximum(high, eta)  # rounding
    p_value = truncated_tail(
        np.where(tested, eta, 0) / deviation,
        np.where(tested, low, 0) / deviation,
        np.where(tested, high, 1) / deviation,
    )
    return (eta <= 0) | (tested & (p_value >= (alpha - first) / (1 - first)))


def _reach(moments: _Moments, bound: float, alpha: float) -> tuple[float, float]:
    """How far above and below the estimate the outermost accepted effects are."""
    vertices = _vertices(moments, bound)
    critical = _least_favourable(moments, vertices, FIRST_STAGE * alpha)
    ends = []
    for column, sign in ((1, -1.0), (0, 1.0)):
        # Where the vertex of this side passes the critical value, all is rejected beyond.
        on_target = np.abs(vertices.on_target[:, column])
        outer = (critical - moments.worst * vertices.on_worst[:, column]) / on_target
        open_pieces = np.flatnonzero(outer > 0)
        ends.append(_end(open_pieces, outer, sign, moments, vertices, critical, alpha))
    return ends[0], ends[1]


def _end(
    open_pieces: np.ndarray,
    outer: FloatArray,
    sign: float,
    moments: _Moments,
    vertices: _Vertices,
    critical: FloatArray,
    alpha: float,
) -> float:
    """The outermost accepted gap of any piece on one side, by ever finer scans."""
    low, high = np.zeros_like(outer), np.where(outer > 0, outer, 0.0)
    alive = np.zeros(len(outer), dtype=bool)
    alive[open_pieces] = True
    for round_ in range(ZOOMS + 1):
        steps = np.linspace(0, 1, COARSE if round_ == 0 else FINE)
        gaps = low[:, None] + (high - low)[:, None] * steps
        accepted = _accepts(sign * gaps, moments, vertices, critical, alpha)
        accepted &= alive[:, None]
        alive &= accepted.any(axis=1)
        last = accepted.shape[1] - 1 - accepted[:, ::-1].argmax(axis=1)
        rows = np.arange(len(outer))
        low = np.where(alive, gaps[rows, last], 0.0)
        high = np.where(alive, gaps[rows, np.minimum(last + 1, len(steps) - 1)], 0.0)
    return float(low.max())
