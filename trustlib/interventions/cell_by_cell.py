"""Group-time effects one comparison at a time: missing cells, or covariates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trustlib.interventions.cells import Cells
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.spec import CovariateMethod
from trustlib.interventions.two_by_two import two_by_two
from trustlib.stats.fixed_order import cross
from trustlib.stats.multiplier_bootstrap import cluster_sums

_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class CellByCell:
    """Points and influence of m cells, each over the units that it compares.

    Attributes
    ----------
    n_units
        Of the panel.
    point, units, reason
        (m,) effect, treated units compared, why not estimable.
    members, influence
        m pairs of arrays: unit numbers, and each one's influence (scaled by n_units).
    """

    n_units: int
    point: FloatArray
    units: IntArray
    reason: tuple[str, ...]
    members: tuple[IntArray, ...]
    influence: tuple[FloatArray, ...]

    def influence_of(self, weights: FloatArray) -> FloatArray:
        """(n_units, k) influence on the sums of cells with (m, k) `weights`."""
        out = np.zeros((self.n_units, weights.shape[1]))
        for cell, (members, influence) in enumerate(zip(self.members, self.influence, strict=True)):
            for column in np.flatnonzero(weights[cell]):
                out[members, column] += weights[cell, column] * influence
        return out

    def covariance(self, cluster: IntArray) -> FloatArray:
        """(m, m), clusters as in `cluster` (n_units,); blocks of 32 columns at a time."""
        m = len(self.point)
        n_clusters = int(cluster.max()) + 1
        out = np.zeros((m, m))
        blocks = [range(low, min(low + _AT_ONCE, m)) for low in range(0, m, _AT_ONCE)]
        for number, left in enumerate(blocks):
            a = self._sums(left, cluster, n_clusters)
            for right in blocks[number:]:
                b = a if right is left else self._sums(right, cluster, n_clusters)
                block = cross(a, b)
                out[left.start : left.stop, right.start : right.stop] = block
                out[right.start : right.stop, left.start : left.stop] = block.T
        return out / float(self.n_units) ** 2

    def _sums(self, block: range, cluster: IntArray, n_clusters: int) -> FloatArray:
        dense = np.zeros((self.n_units, len(block)))
        for column, cell in enumerate(block):
            dense[self.members[cell], column] = self.influence[cell]
        return cluster_sums(dense, cluster)


def cell_by_cell(
    panel: Panel, comparisons: Cells, reason: Sequence[str], *, covariate_method: CovariateMethod
) -> CellByCell:
    """All `comparisons` whose `reason` not to is empty."""
    m, n = len(comparisons), panel.n_units
    weight = panel.unit_weight
    point, units = np.full(m, np.nan), np.zeros(m, dtype=np.int64)
    texts = list(reason)
    members: list[IntArray] = [np.empty(0, dtype=np.int64)] * m
    influence: list[FloatArray] = [np.empty(0)] * m
    for cell in range(m):
        time, base = int(comparisons.time[cell]), int(comparisons.base[cell])
        if texts[cell]:
            continue
        treated = comparisons.of_unit == comparisons.cohort[cell]
        member = treated | comparisons.controls[cell][comparisons.of_unit]
        change = panel.outcome[:, time] - panel.outcome[:, base]
        unit = np.flatnonzero(member & ~np.isnan(change))
        if time == base:
            point[cell], units[cell] = 0.0, int(treated[unit].sum())
            continue
        effect = two_by_two(
            change[unit],
            treated=treated[unit],
            weight=weight[unit],
            covariates=panel.covariates[unit, min(time, base)],
            method=covariate_method,
        )
        if effect.reason:
            texts[cell] = effect.reason
            continue
        point[cell], units[cell] = effect.point, int(treated[unit].sum())
        if effect.trimmed:
            n_out = effect.trimmed
            texts[cell] = f"{n_out} comparison units left out: all but treated by covariates"
        members[cell] = unit
        influence[cell] = effect.influence * (n / len(unit))
    return CellByCell(
        n_units=n,
        point=point,
        units=units,
        reason=tuple(texts),
        members=tuple(members),
        influence=tuple(influence),
    )
