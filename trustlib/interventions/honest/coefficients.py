"""The event study that sensitivity analysis starts from, and when it cannot start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from trustlib.core import Refusal
from trustlib.interventions.panel import FloatArray

Kind = Literal["original", "relative_magnitudes", "smoothness"]

# Smallest eigenvalue of the correlations, relative to the largest, that is not rounding.
SINGULAR = 1e-10


@dataclass(frozen=True, kw_only=True)
class HonestInterval:
    """Where the effect lies if parallel trends fails by no more than `bound`.

    Attributes
    ----------
    kind
        "original" (parallel trends holds), "relative_magnitudes" or "smoothness".
    bound
        Mbar: the largest change of the trend difference between two consecutive periods after
        treatment, in multiples of the largest before. Or M: the largest bend (second
        difference), in units of the outcome. 0 for the original.
    low, high
        In units of the outcome.
    """

    kind: Kind
    bound: float
    low: float
    high: float

    @property
    def contains_zero(self) -> bool:
        return self.low <= 0 <= self.high


@dataclass(frozen=True, kw_only=True, eq=False)
class Coefficients:
    """A checked event study in the form that both restrictions use.

    Attributes
    ----------
    point
        (n_pre + n_post,) by event time, consecutive, reference period left out.
    covariance
        (n_pre + n_post, n_pre + n_post).
    n_pre
        Coefficients before the reference period.
    target
        (n_post,) weights of the effect asked about.
    """

    point: FloatArray
    covariance: FloatArray
    n_pre: int
    target: FloatArray

    @property
    def n_post(self) -> int:
        return len(self.point) - self.n_pre

    @property
    def loading(self) -> FloatArray:
        """(n_pre + n_post,) what the plain estimate takes from each coefficient."""
        return np.concatenate([np.zeros(self.n_pre), self.target])

    @property
    def estimate(self) -> float:
        return float(self.loading @ self.point)

    @property
    def standard_error(self) -> float:
        return float(np.sqrt(self.loading @ self.covariance @ self.loading))

    def plain(self, level: float) -> HonestInterval:
        """The interval of the target when trends are parallel (normal quantile)."""
        half = float(ndtri((1 + level) / 2)) * self.standard_error
        low, high = self.estimate - half, self.estimate + half
        return HonestInterval(kind="original", bound=0.0, low=low, high=high)


def reason_not_run(
    point: npt.ArrayLike, covariance: npt.ArrayLike, *, n_pre: int, target: npt.ArrayLike
) -> str | None:
    """Why the analysis cannot be run on this event study; None where it can.

    Shapes that do not fit each other are a ValueError: the caller's mistake, not the data's.
    """
    values, matrix, _ = _shaped(point, covariance, n_pre=n_pre, target=target)
    if n_pre == 0:
        return "no period before treatment except the reference: nothing shows how trends differ"
    missing = int(np.count_nonzero(~np.isfinite(values)))
    if missing:
        return f"{missing} of {len(values)} coefficients of the event study are not estimable"
    if not np.isfinite(matrix).all():
        return "the covariance of the event study is not estimable for every pair of periods"
    variances = np.diag(matrix)
    if (variances <= 0).any():
        flat = int(np.count_nonzero(variances <= 0))
        return f"{flat} of {len(values)} coefficients have no sampling error"
    sizes = np.sqrt(variances)
    eigenvalues = np.linalg.eigvalsh(matrix / np.outer(sizes, sizes))
    if eigenvalues[0] < SINGULAR * eigenvalues[-1]:
        rank = int(np.count_nonzero(eigenvalues > SINGULAR * eigenvalues[-1]))
        return (
            f"the covariance of the {len(values)} coefficients has rank {rank} only: there are "
            "too few clusters to tell so many periods apart"
        )
    return None


def coefficients(
    point: npt.ArrayLike, covariance: npt.ArrayLike, *, n_pre: int, target: npt.ArrayLike
) -> Coefficients:
    """The event study, checked; Refusal with `reason_not_run` where that is not None."""
    reason = reason_not_run(point, covariance, n_pre=n_pre, target=target)
    if reason is not None:
        raise Refusal(f"sensitivity to trends cannot be computed: {reason}")
    values, matrix, weights = _shaped(point, covariance, n_pre=n_pre, target=target)
    return Coefficients(point=values, covariance=matrix, n_pre=n_pre, target=weights)


def checked_bounds(bounds: Iterable[float]) -> list[float]:
    """The bounds as floats; ValueError where one is negative or not finite."""
    values = [float(bound) for bound in bounds]
    if not all(0 <= value < float("inf") for value in values):
        raise ValueError("bounds: each is finite and 0 or more")
    return values


def original(
    point: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    n_pre: int,
    target: npt.ArrayLike,
    level: float = 0.95,
) -> HonestInterval:
    """The interval of the target when parallel trends holds exactly (normal quantile)."""
    return coefficients(point, covariance, n_pre=n_pre, target=target).plain(level)


def _shaped(
    point: npt.ArrayLike, covariance: npt.ArrayLike, *, n_pre: int, target: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    values = np.asarray(point, dtype=float)
    matrix = np.asarray(covariance, dtype=float)
    weights = np.asarray(target, dtype=float)
    n = len(values)
    if values.ndim != 1 or matrix.shape != (n, n):
        raise ValueError(f"{values.shape} coefficients do not fit a {matrix.shape} covariance")
    if not 0 <= n_pre < n or weights.shape != (n - n_pre,):
        raise ValueError(
            f"{n_pre} of {n} coefficients before treatment do not fit {weights.shape} weights"
        )
    if not np.isfinite(weights).all() or not weights.any():
        raise ValueError("target: weights are finite and not all zero")
    return values, (matrix + matrix.T) / 2, weights
