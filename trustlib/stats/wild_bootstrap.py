"""Wild cluster bootstrap-t of one regression coefficient, with the null hypothesis imposed.

Cluster-robust t statistics reject too often when clusters are few. Cameron, Gelbach and Miller
(2008) keep each cluster's residuals together, take them from the fit that imposes the null and
flip them with random signs; with up to twelve clusters all patterns of signs are taken. Below
six clusters these are too few for a small p-value, and Webb's (2023) six-point weights are
drawn instead; from six on they reject too often (tests/studies/did_coverage.md).

With y and x after the other regressors Z are projected out, e = y − b₀x and s_g = x_g'e_g,

    numerator of a bootstrap sample      Σ_g v_g s_g
    score of cluster h                   v_h s_h − Σ_g A_hg v_g − (x_h'x_h / x'x) Σ_g v_g s_g
    A_hg = x_h'Z_h (Z'Z)⁻¹ Z_g'e_g

so a draw costs C² and not another regression. Both sums are linear in b₀: the interval is the
set of b₀ that is not rejected, found by bisection on the same weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Weights = Literal["auto", "rademacher", "webb"]

_FEW = 6  # below, Webb's weights
_ENUMERATED = 4096  # sign patterns that are all taken instead of drawn
_TIE = 1e-10


@dataclass(frozen=True, kw_only=True)
class WildBootstrap:
    """One coefficient with its wild cluster bootstrap-t test and interval.

    Attributes
    ----------
    point, standard_error
        The coefficient, and its cluster-robust error √(G/(G−1) Σ_g score_g²)/x'x.
    statistic, p_value
        t of the null hypothesis, and the two-sided symmetric bootstrap p-value.
    low, high
        Values that the test does not reject at the level; infinite where it never rejects.
    clusters, draws
        Clusters, and weight patterns (all of them where `enumerated`).
    weights
        "rademacher" or "webb".
    """

    point: float
    standard_error: float
    statistic: float
    p_value: float
    low: float
    high: float
    clusters: int
    draws: int
    weights: str
    enumerated: bool


def wild_cluster(
    outcome: FloatArray,
    *,
    regressor: FloatArray,
    others: FloatArray,
    cluster: IntArray,
    null: float = 0.0,
    level: float = 0.95,
    draws: int = 9999,
    seed: int = 0,
    weights: Weights = "auto",
    interval: bool = True,
) -> WildBootstrap:
    """Restricted wild cluster bootstrap-t of the coefficient of `regressor`.

    Parameters
    ----------
    outcome, regressor
        (n,) Weighted regressions: everything times the root of the weight. Fixed effects
        nested in clusters may be projected out of all arrays beforehand.
    others
        (n, k) the other regressors, a constant among them if the model has one.
    cluster
        (n,) codes from 0.
    interval
        False spares the bisection; the ends are NaN.

    Raises
    ------
    ValueError
        With fewer than two clusters, or a regressor that the others explain.
    """
    parts = _parts(outcome, regressor, others, cluster)
    pattern, name, enumerated = _patterns(len(parts.size), weights, draws, seed)
    low = high = math.nan
    if interval:
        low, high = (_end(parts, pattern, 1 - level, side) for side in (-1.0, 1.0))
    return WildBootstrap(
        point=parts.point,
        standard_error=parts.standard_error,
        statistic=(parts.point - null) / parts.standard_error,
        p_value=_p_value(parts, pattern, null),
        low=low,
        high=high,
        clusters=len(parts.size),
        draws=len(pattern),
        weights=name,
        enumerated=enumerated,
    )


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """Sums over clusters; what depends on b₀ is (at zero, per unit of b₀)."""

    size: FloatArray  # (C,) x_g'x_g
    outcome_score: FloatArray  # (C,) x_g'y_g
    outcome_cross: FloatArray  # (C, C) A of y
    regressor_cross: FloatArray  # (C, C) A of x
    point: float
    standard_error: float


def _parts(
    outcome: FloatArray, regressor: FloatArray, others: FloatArray, cluster: IntArray
) -> _Parts:
    n_clusters = int(cluster.max()) + 1
    if n_clusters < 2:
        raise ValueError("wild_cluster: one cluster, two at least are needed")
    basis = _basis(others)
    y, x = (v - basis @ (basis.T @ v) for v in (outcome, regressor))
    if x @ x <= 1e-12 * (regressor @ regressor):
        raise ValueError("wild_cluster: the other regressors explain the regressor")

    def sums(values: FloatArray) -> FloatArray:
        out = np.zeros((n_clusters, *values.shape[1:]))
        np.add.at(out, cluster, values)
        return out

    loading = sums(x[:, None] * basis)  # x_g'Z_g for an orthonormal Z
    point = float(x @ y / (x @ x))
    score = sums(x * (y - point * x))
    factor = n_clusters / (n_clusters - 1)
    return _Parts(
        size=sums(x * x),
        outcome_score=sums(x * y),
        outcome_cross=loading @ sums(y[:, None] * basis).T,
        regressor_cross=loading @ loading.T,
        point=point,
        standard_error=float(np.sqrt(factor * np.sum(score**2)) / (x @ x)),
    )


def _basis(others: FloatArray) -> FloatArray:
    """An orthonormal basis of the columns, collinear ones dropped."""
    if not others.shape[1]:
        return others
    left, values, _ = np.linalg.svd(others, full_matrices=False)
    return left[:, values > 1e-10 * values[0]]


def _patterns(
    n_clusters: int, weights: Weights, draws: int, seed: int
) -> tuple[FloatArray, str, bool]:
    """(draws, C) weights, the pattern of ones among them; their name; whether they are all."""
    if weights == "auto":
        weights = "webb" if n_clusters < _FEW else "rademacher"
    if weights == "rademacher" and 2**n_clusters <= max(draws + 1, _ENUMERATED):
        bits = (np.arange(2**n_clusters)[:, None] >> np.arange(n_clusters)) & 1
        signs: FloatArray = 1.0 - 2.0 * bits.astype(np.float64)
        return signs, weights, True
    rng = np.random.default_rng(seed)
    points = np.array([-1.0, 1.0])
    if weights == "webb":
        points = np.sqrt([0.5, 1.0, 1.5])
        points = np.concatenate([-points, points])
    pattern = rng.choice(points, size=(1 + draws, n_clusters))
    pattern[0] = 1.0
    return pattern, weights, False


def _statistics(parts: _Parts, pattern: FloatArray, null: float) -> FloatArray:
    """(draws,) t statistics of the bootstrap samples under b₀ = `null`."""
    score = parts.outcome_score - null * parts.size
    cross = parts.outcome_cross - null * parts.regressor_cross
    top = pattern @ score
    share = parts.size / parts.size.sum()
    scores = pattern * score - pattern @ cross.T - top[:, None] * share
    error = np.sqrt(np.sum(scores**2, axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.abs(top) / error
    return np.where(np.isnan(found), 0.0, found)


def _p_value(parts: _Parts, pattern: FloatArray, null: float) -> float:
    # The first pattern is all ones: the sample itself, so its statistic is the observed one.
    statistics = _statistics(parts, pattern, null)
    return float(np.mean(statistics >= statistics[0] * (1 - _TIE)))


def _end(parts: _Parts, pattern: FloatArray, alpha: float, side: float) -> float:
    """Where the values around the point that are not rejected end, on one side."""
    step = parts.standard_error
    inside, outside = 0.0, 2.0
    while _p_value(parts, pattern, parts.point + side * outside * step) > alpha:
        inside, outside = outside, 2 * outside
        if outside > 1e3:
            return side * math.inf
    for _ in range(24):
        middle = (inside + outside) / 2
        if _p_value(parts, pattern, parts.point + side * middle * step) > alpha:
            inside = middle
        else:
            outside = middle
    return parts.point + side * inside * step
