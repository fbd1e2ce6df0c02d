"""Group-time effects of a balanced panel without covariates, in closed form.

A unit's influence on an effect is linear in its outcomes: with R the (n_periods,) weighted
residual of unit i of cohort h from its cohort's mean,

    psi_ij = R_i · (e_t − e_b) a_hj + w_i c_hj,
    a_hj = n (1[h treated in j] / W_h − 1[h control in j] / W_Cj),
    c_hj = −n 1[h control in j] (mean_h − mean_Cj) · (e_t − e_b) / W_Cj.

So the (n_periods + 1)² second moments of [R, w] within each cohort hold every covariance,
and no (n_units, m) array is ever needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.interventions.cells import Cells
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.stats.fixed_order import cross, times
from trustlib.stats.multiplier_bootstrap import cluster_sums

_AT_ONCE = 32  # columns of a dense (n_units, m) array that are there at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class ClosedForm:
    """Points and influence of m cells.

    Attributes
    ----------
    point
        (m,)
    residual
        (n_units, n_periods + 1): weighted residuals from the cohort's means, and the weight.
    coefficients
        (n_cohorts, n_periods + 1, m): psi of a unit is its row of `residual` times these.
    of_unit
        (n_units,) each unit's cohort.
    """

    point: FloatArray
    residual: FloatArray
    coefficients: FloatArray
    of_unit: IntArray

    def influence_of(self, weights: FloatArray) -> FloatArray:
        """(n_units, k) influence on the sums of cells with (m, k) `weights`."""
        out = np.empty((len(self.residual), weights.shape[1]))
        for cohort, coefficients in enumerate(self.coefficients):
            rows = np.flatnonzero(self.of_unit == cohort)
            out[rows] = times(self.residual[rows], times(coefficients, weights))
        return out

    def covariance(self, cluster: IntArray) -> FloatArray:
        """(m, m), clusters as in `cluster` (n_units,)."""
        n, m = len(self.residual), len(self.point)
        n_clusters = int(cluster.max()) + 1
        lowest = np.full(n_clusters, len(self.coefficients))
        np.minimum.at(lowest, cluster, self.of_unit)
        if (lowest[cluster] != self.of_unit).any():
            one = np.eye(m)
            blocks = [one[:, low : low + _AT_ONCE] for low in range(0, m, _AT_ONCE)]
            parts = [cluster_sums(self.influence_of(block), cluster) for block in blocks]
            sums = np.hstack(parts)
            return cross(sums, sums) / float(n) ** 2
        out = np.zeros((m, m))
        for cohort, coefficients in enumerate(self.coefficients):
            rows = np.flatnonzero(self.of_unit == cohort)
            if not len(rows):
                continue
            _, code = np.unique(cluster[rows], return_inverse=True)
            sums = cluster_sums(self.residual[rows], code)
            out += times(coefficients.T, times(cross(sums, sums), coefficients))
        return out / float(n) ** 2


def closed_form(panel: Panel, comparisons: Cells, estimable: np.ndarray) -> ClosedForm:
    """All `comparisons` of a balanced panel; NaN where not `estimable` (m,)."""
    n, n_periods = panel.outcome.shape
    n_cohorts, m = len(comparisons.cohorts), len(comparisons)
    weight = panel.unit_weight
    # From the unit's own first outcome: levels that units differ in cost no digits.
    outcome = panel.outcome - panel.outcome[:, :1]
    total = np.bincount(comparisons.of_unit, weight, minlength=n_cohorts)
    mean = np.zeros((n_cohorts, n_periods))
    residual = np.empty((n, n_periods + 1))
    for cohort in np.flatnonzero(total).tolist():
        rows = np.flatnonzero(comparisons.of_unit == cohort)
        own, w = outcome[rows], weight[rows, None]
        mean[cohort] = (own * w).sum(axis=0) / total[cohort]
        residual[rows, :-1] = (own - mean[cohort]) * w
    residual[:, -1] = weight
    j = np.flatnonzero(estimable)
    time, base, treated = comparisons.time[j], comparisons.base[j], comparisons.cohort[j]
    change = mean[:, time] - mean[:, base]
    control = comparisons.controls[j].T * total[:, None]
    share = control / control.sum(axis=0)
    expected = (share * change).sum(axis=0)
    column = np.arange(len(j))
    slope = -n * share / np.maximum(total, np.finfo(float).tiny)[:, None]
    shift = slope * (change - expected)
    slope[treated, column] += n / total[treated]
    coefficients = np.zeros((n_cohorts, n_periods + 1, m))
    for cohort in range(n_cohorts):
        np.add.at(coefficients[cohort], (time, j), slope[cohort])
        np.add.at(coefficients[cohort], (base, j), -slope[cohort])
        coefficients[cohort, -1, j] = shift[cohort]
    point = np.full(m, np.nan)
    point[j] = change[treated, column] - expected
    return ClosedForm(
        point=point, residual=residual, coefficients=coefficients, of_unit=comparisons.of_unit
    )
