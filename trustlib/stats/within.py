"""What unit and period effects leave of covariates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.stats.cell_regression import (
    SINGULAR,
    FloatArray,
    swept_weight,
    unit_demeaned,
    weighted_products,
)


@dataclass(frozen=True, kw_only=True)
class CovariateFault:
    """Numbers of covariates that unit and period effects absorb, and of those that depend
    linearly on each other once these effects are out."""

    absorbed: tuple[int, ...]
    collinear: tuple[int, ...]


def covariate_fault(covariates: FloatArray, weight: FloatArray) -> CovariateFault:
    """Of covariates (n_units, n_periods, p), finite, under weights (n_units, n_periods) that
    are 0 outside the sample."""
    left = within_products(covariates, weight)
    total = weight.sum()
    mean = np.einsum("itp,it->p", covariates, weight) / total
    own = np.einsum("itp,it->p", (covariates - mean) ** 2, weight)
    size = np.einsum("itp,it->p", covariates**2, weight)
    absorbed = (np.diag(left) <= SINGULAR * own) | (own <= 1e-20 * size)
    rest = np.flatnonzero(~absorbed)
    scale = 1 / np.sqrt(np.diag(left)[rest])
    values, vectors = np.linalg.eigh(left[np.ix_(rest, rest)] * np.outer(scale, scale))
    tied = np.linalg.norm(vectors[:, values <= SINGULAR], axis=1) > 1e-6
    return CovariateFault(
        absorbed=tuple(int(j) for j in np.flatnonzero(absorbed)),
        collinear=tuple(int(j) for j in rest[tied]),
    )


def within_products(values: FloatArray, weight: FloatArray) -> FloatArray:
    """(p, p) weighted cross products of (n_units, n_periods, p) without unit and period
    effects, exact for any pattern of missing cells."""
    swept = unit_demeaned(values, weight)
    crossed = np.einsum("it,itp->tp", weight, swept)
    periods = np.linalg.pinv(swept_weight(weight), rcond=SINGULAR, hermitian=True)
    return weighted_products(swept, weight) - crossed.T @ periods @ crossed
