"""Least squares with unit and period effects, on regressors that are dummies of cohort cells.

Every two-way regression of a rollout (static, event study, Sun–Abraham, tests of leads) has
dummies that depend on a unit's cohort g and the period t alone. With unit effects swept out,
cohort g adds to the normal equations only

    M_g = diag(Σ_i w_i) − Σ_i w_i w_i' / w_i.        (n_periods, n_periods)

and the weighted sums of its outcomes, so that X'WX and X'Wy cost one pass over the wide
outcome, whatever the number of dummies; missing cells are zero weights, and nothing is
approximate. Period effects and covariates are solved with the dummies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustlib.stats.fixed_order import cross, times

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SINGULAR = 1e-10  # share of a column's own variation below which nothing is left of it


@dataclass(frozen=True, kw_only=True, eq=False)
class CellDesign:
    """The left-hand side of the normal equations, solved once.

    Attributes
    ----------
    weight
        (n_units, n_periods), 0 where a cell is not in the sample.
    group
        (n_units,) row of `column` that a unit follows.
    column
        (n_groups, n_periods) number of the dummy that is 1 in a cell; −1: none.
    covariates
        (n_units, n_periods, n_covariates), unit means taken out, 0 outside the sample.
    inverse
        Generalised inverse of the normal equations: dummies, periods, covariates.
    null
        (n_parameters, d) directions that the sample says nothing about.
    scale
        (n_parameters,) one over the root of each column's own variation.
    n_columns
        Dummies.
    """

    weight: FloatArray
    group: IntArray
    column: IntArray
    covariates: FloatArray
    inverse: FloatArray
    null: FloatArray
    scale: FloatArray
    n_columns: int

    def estimable(self, targets: FloatArray) -> npt.NDArray[np.bool_]:
        """(m,) whether the sample determines each of `targets` (n_columns, m)."""
        reach = self.null[: self.n_columns].T @ targets
        own = np.linalg.norm(self.scale[: self.n_columns, None] * targets, axis=0)
        return np.linalg.norm(reach, axis=0) <= 1e-6 * own


@dataclass(frozen=True, kw_only=True, eq=False)
class CellFit:
    """Coefficients of the dummies, and what their error needs.

    Attributes
    ----------
    coefficient
        (n_columns,) NaN where not estimable.
    raw
        (n_parameters,) one solution: dummies, periods, covariates.
    residual
        (n_units, n_periods), 0 outside the sample.
    """

    design: CellDesign
    coefficient: FloatArray
    raw: FloatArray
    residual: FloatArray

    def point(self, targets: FloatArray) -> FloatArray:
        """(m,) of linear combinations `targets` (n_columns, m); NaN where not estimable."""
        made = targets.T @ self.raw[: self.design.n_columns]
        return np.where(self.design.estimable(targets), made, np.nan)

    def influence(self, targets: FloatArray) -> FloatArray:
        """(n_units, m): each unit's part of the error of `targets` (n_columns, m)."""
        design = self.design
        k, n_periods = design.n_columns, design.weight.shape[1]
        lead = design.inverse[:, :k] @ targets
        scored = design.weight * self.residual
        by_unit = np.einsum("itp,it->ip", design.covariates, scored)
        made = times(by_unit, lead[k + n_periods :])
        of_cell = np.vstack([lead[:k], np.zeros((1, targets.shape[1]))])
        for g, column in enumerate(design.column):
            rows = design.group == g
            made[rows] += times(scored[rows], of_cell[column] + lead[k : k + n_periods])
        return made


def unit_mean(values: FloatArray, weight: FloatArray) -> FloatArray:
    """(n_units[, p]) weighted means over (n_units, n_periods[, p]); 0 without any weight.

    Values must be finite where the weight is 0, too.
    """
    total = np.maximum(weight.sum(axis=1), np.finfo(float).tiny)
    summed = np.einsum("it...,it->i...", values, weight)
    return summed / total.reshape(-1, *[1] * (values.ndim - 2))


def unit_demeaned(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted unit means taken out of (n_units, n_periods[, p]); 0 where the weight is."""
    there = (weight > 0).reshape(*weight.shape, *[1] * (values.ndim - 2))
    return (values - unit_mean(values, weight)[:, None]) * there


def weighted_products(values: FloatArray, weight: FloatArray) -> FloatArray:
    """(p, p) weighted cross products of (n_units, n_periods, p)."""
    p = values.shape[2]
    rows = values.shape[0] * values.shape[1]
    return cross((values * weight[:, :, None]).reshape(rows, p), values.reshape(rows, p))


def cell_design(
    weight: FloatArray, *, group: IntArray, column: IntArray, covariates: FloatArray
) -> CellDesign:
    """Assemble and solve the normal equations; shapes as in `CellDesign`.

    Missing covariates must be where the weight is 0, and finite (say 0).
    """
    n_periods, p = weight.shape[1], covariates.shape[2]
    k = int(column.max(initial=-1)) + 1
    swept = unit_demeaned(covariates, weight)
    normal = np.zeros((k + n_periods + p, k + n_periods + p))
    periods, tail = slice(k, k + n_periods), slice(k + n_periods, None)
    for g, of_period in enumerate(column):
        rows = group == g
        own = _own_columns(of_period)
        cells = (of_period[:, None] == own).astype(float)
        swept_cells = swept_weight(weight[rows])
        crossed = np.einsum("it,itp->tp", weight[rows], swept[rows])
        normal[np.ix_(own, own)] += cells.T @ swept_cells @ cells
        normal[own, periods] += cells.T @ swept_cells
        normal[periods, periods] += swept_cells
        normal[own, tail] += cells.T @ crossed
        normal[periods, tail] += crossed
    normal[tail, tail] = weighted_products(swept, weight)
    lower = np.tril_indices_from(normal, -1)
    normal[lower] = normal.T[lower]
    inverse, null, scale = _solved(normal)
    return CellDesign(
        weight=weight,
        group=group,
        column=column,
        covariates=swept,
        inverse=inverse,
        null=null,
        scale=scale,
        n_columns=k,
    )


def cell_fit(design: CellDesign, outcome: FloatArray) -> CellFit:
    """Fit (n_units, n_periods) outcomes; what lies outside the sample is not read."""
    weight, k, n_periods = design.weight, design.n_columns, design.weight.shape[1]
    swept = unit_demeaned(np.where(weight > 0, outcome, 0.0), weight)
    right = np.zeros(len(design.inverse))
    weighted = weight * swept
    right[k : k + n_periods] = weighted.sum(axis=0)
    right[k + n_periods :] = np.einsum("it,itp->p", weighted, design.covariates)
    for g, column in enumerate(design.column):
        sums = weighted[design.group == g].sum(axis=0)
        np.add.at(right, column[column >= 0], sums[column >= 0])
    raw = design.inverse @ right
    of_cell = np.append(raw[:k], 0.0)[design.column] + raw[k : k + n_periods]
    fitted = of_cell[design.group]
    if design.covariates.shape[2]:
        fitted = fitted + np.einsum("itp,p->it", design.covariates, raw[k + n_periods :])
    targets = np.eye(k)
    return CellFit(
        design=design,
        coefficient=np.where(design.estimable(targets), raw[:k], np.nan),
        raw=raw,
        residual=unit_demeaned(swept - fitted, weight),
    )


def _own_columns(of_period: IntArray) -> IntArray:
    return np.unique(of_period[of_period >= 0])


def swept_weight(weight: FloatArray) -> FloatArray:
    """M_g of one cohort's weights (n, n_periods)."""
    total = np.maximum(weight.sum(axis=1), np.finfo(float).tiny)
    return np.diag(weight.sum(axis=0)) - cross(weight, weight / total[:, None])


def _solved(normal: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Generalised inverse, directions without information, and the scale of the columns."""
    size = np.sqrt(np.diag(normal))
    scale = np.divide(1.0, size, out=np.ones_like(size), where=size > 0)
    values, vectors = np.linalg.eigh(normal * np.outer(scale, scale))
    full = values > SINGULAR
    kept = vectors[:, full]
    inverse = np.outer(scale, scale) * ((kept / values[full]) @ kept.T)
    return inverse, scale[:, None] * vectors[:, ~full], scale
