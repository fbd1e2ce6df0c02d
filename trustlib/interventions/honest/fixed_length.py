"""Smoothness: the trend difference may bend by at most M from one period to the next.

Rambachan & Roth (2023), the restriction Delta^SD(M), with fixed-length confidence intervals
(Donoho 1994; Armstrong & Kolesár 2018): the linear combination of all coefficients, with the
target's weights after treatment, whose interval is the shortest when its worst bias is allowed
for. Such a combination has a bounded bias only if it takes out every straight line.

Its bias is M·Σ|q_j|, where q_j is its weight on the bend at period j. The bends after treatment
are fixed by the target and so is the one at the reference period (the straight line is taken
out), so that only those at earlier periods are free. The least variance for each bias is a lasso
problem in them: its exact path is computed once and serves every M.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustlib.interventions.honest.coefficients import (
    Coefficients,
    HonestInterval,
    checked_bounds,
    coefficients,
)
from trustlib.interventions.honest.lasso_path import lasso_path
from trustlib.interventions.honest.normal import folded_quantile
from trustlib.interventions.panel import FloatArray

SCAN, ZOOMS = 33, 9  # the shortest interval is located to 1e-11 of the path


@dataclass(frozen=True, kw_only=True, eq=False)
class Frontier:
    """The combinations with the least variance for their bias, as a path with corners.

    Attributes
    ----------
    weights
        (corners, n) weights on the coefficients, from least bias to least variance; a point
        between two corners is a mix of them.
    bends
        (corners, n_pre − 1) their free weights on bends.
    fixed_bias
        What the other bends contribute to the bias for each unit of M.
    """

    weights: FloatArray
    bends: FloatArray
    fixed_bias: float

    def at(self, position: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Weights (k, n) and bias per M (k,) at `position` (k,), in corners from the first."""
        start = np.minimum(position.astype(int), max(len(self.weights) - 2, 0))
        end = np.minimum(start + 1, len(self.weights) - 1)
        share = (position - start)[:, None]
        bends = self.bends[start] * (1 - share) + self.bends[end] * share
        weights = self.weights[start] * (1 - share) + self.weights[end] * share
        return weights, self.fixed_bias + np.abs(bends).sum(axis=1)


def smoothness(
    point: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    n_pre: int,
    target: npt.ArrayLike,
    bounds: Iterable[float],
    level: float = 0.95,
) -> list[HonestInterval]:
    """Robust intervals of the target, one for each M in `bounds`, of fixed length.

    Shapes as for `relative_magnitudes`. At M = 0 it is the interval of the estimator with the
    least variance among those that any straight-line difference in trends leaves unbiased.
    Refusal where `reason_not_run` has a reason.
    """
    study = coefficients(point, covariance, n_pre=n_pre, target=target)
    path = frontier(study)
    return [shortest(study, path, bound=bound, level=level) for bound in checked_bounds(bounds)]


def shortest(study: Coefficients, path: Frontier, *, bound: float, level: float) -> HonestInterval:
    """The shortest interval on the path, at one M.

    The half-length is convex in bias and standard error, so it has one valley along the path.
    """
    low, high = 0.0, float(len(path.weights) - 1)
    for _ in range(ZOOMS if high > 0 else 1):
        positions = np.linspace(low, high, SCAN if high > 0 else 1)
        weights, bias = path.at(positions)
        errors = np.sqrt(np.einsum("ki,ij,kj->k", weights, study.covariance, weights))
        halves = errors * folded_quantile(bound * bias / errors, level)
        best = int(halves.argmin())
        low, high = positions[max(best - 1, 0)], positions[min(best + 1, len(positions) - 1)]
    middle, half = float(weights[best] @ study.point), float(halves[best])
    return HonestInterval(kind="smoothness", bound=bound, low=middle - half, high=middle + half)


def frontier(study: Coefficients) -> Frontier:
    """The path of estimators for this covariance and target."""
    n_pre, n_post = study.n_pre, study.n_post
    after = np.arange(1, n_post + 1)
    slope = float(after @ study.target)
    # Row j of `from_bends`: the coefficients' weights that make up one unit on the bend at
    # period −j; the reference period takes its share and has no coefficient.
    from_bends = np.zeros((n_pre, n_pre))
    for j in range(n_pre):
        for period, weight in ((-j - 1, 1.0), (-j, -2.0), (-j + 1, 1.0)):
            if -n_pre <= period <= -1:
                from_bends[j, n_pre + period] = weight
    start = study.loading.copy()
    start[:n_pre] += slope * from_bends[0]
    free = np.zeros((n_pre - 1, len(start)))
    free[:, :n_pre] = from_bends[1:]
    curvature = free @ study.covariance @ free.T
    gradient = free @ study.covariance @ start
    bends = lasso_path(curvature, gradient)
    later = [float(np.maximum(after - j, 0) @ study.target) for j in range(1, n_post)]
    return Frontier(
        weights=start + bends @ free,
        bends=bends,
        fixed_bias=abs(slope) + float(np.abs(later).sum()),
    )


def largest_bend(study: Coefficients) -> float:
    """The largest bend between consecutive periods up to the reference; NaN with one period."""
    levels = np.append(study.point[: study.n_pre], 0.0)
    bends = np.abs(np.diff(levels, n=2))
    return float(bends.max()) if bends.size else float("nan")
