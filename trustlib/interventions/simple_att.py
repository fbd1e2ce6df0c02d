"""The simple ATT without covariates as a linear statistic of the outcome, by cluster.

The simple average of Callaway and Sant'Anna's group-time effects,

    ATT = Σ_{g, t ≥ g} S_g ATT(g, t) / Σ_{g, t ≥ g} S_g,      S_g the weight of cohort g,
    ATT(g, t) = mean_g(Y_t − Y_b) − mean_controls(Y_t − Y_b),  b = g − 1 − anticipation,

needs of each cluster only the weighted sums of Y_t − Y_b over its units. They are made once;
after that a re-assignment of the start dates costs a few small sums, which is what
randomization inference and the simulated power need thousands of. The error is the clustered
influence function's, the estimated weights S_g included, as in
`trustlib.interventions.aggregation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trustlib.interventions.panel import FloatArray, IntArray, Panel


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """What of the outcome the statistic needs, for start dates out of `starts`.

    Attributes
    ----------
    starts
        (n_groups,) first treated periods that can occur, ascending.
    group, time, base, pair
        (n_cells,) of each treated-after cell: index into `starts`, its period, its base
        period, and the column of `total` and `size`.
    total, size
        (n_clusters, n_pairs) Σ w (Y_t − Y_b) and Σ w over the cluster's units with both.
    weight
        (n_clusters,) Σ w over the cluster's units.
    n_periods, anticipation, not_yet
        As asked.
    """

    starts: IntArray
    group: IntArray
    time: IntArray
    base: IntArray
    pair: IntArray
    total: FloatArray
    size: FloatArray
    weight: FloatArray
    n_periods: int
    anticipation: int
    not_yet: bool

    def comparison(self, cell: int, start: IntArray) -> np.ndarray:
        """(..., n_clusters) which clusters of start dates `start` a cell is compared with.

        A never treated cluster has the start `n_periods`.
        """
        never = start >= self.n_periods
        return never | (start > self.time[cell] + self.anticipation) if self.not_yet else never


def sums(
    panel: Panel,
    *,
    control_group: Literal["never", "not_yet"] = "never",
    anticipation: int = 0,
    starts: IntArray | None = None,
    outcome: FloatArray | None = None,
) -> Sums:
    """The sums of `panel`.

    Parameters
    ----------
    starts
        Start dates that can occur; None: those of the panel.
    outcome
        (n_units, n_periods) instead of the panel's.
    """
    starts = panel.groups if starts is None else np.sort(starts)
    outcome = panel.outcome if outcome is None else outcome
    cells = [
        (at, time, int(start) - 1 - anticipation)
        for at, start in enumerate(starts)
        for time in range(int(start), panel.n_periods)
        if start - 1 - anticipation >= 0
    ]
    group, time, base = np.array(cells, dtype=np.int64).reshape(-1, 3).T
    pairs, pair = np.unique(np.stack([base, time]), axis=1, return_inverse=True)
    change = outcome[:, pairs[1]] - outcome[:, pairs[0]]
    present = np.where(np.isnan(change), 0.0, panel.unit_weight[:, None])
    return Sums(
        starts=starts,
        group=group,
        time=time,
        base=base,
        pair=pair.ravel(),
        total=_by_cluster(np.nan_to_num(change) * present, panel),
        size=_by_cluster(present, panel),
        weight=_by_cluster(panel.unit_weight[:, None], panel)[:, 0],
        n_periods=panel.n_periods,
        anticipation=anticipation,
        not_yet=control_group == "not_yet",
    )


def _by_cluster(values: FloatArray, panel: Panel) -> FloatArray:
    if panel.n_clusters == panel.n_units:
        out = np.empty_like(values)
        out[panel.cluster] = values
        return out
    out = np.zeros((panel.n_clusters, values.shape[1]))
    np.add.at(out, panel.cluster, values)
    return out


def simple_att(sums: Sums, start: IntArray) -> FloatArray:
    """(n_assignments,) the statistic for each row of `start` (n_assignments, n_clusters)."""
    top, bottom = np.zeros(len(start)), np.zeros(len(start))
    member = [(start == first).astype(float) for first in sums.starts]
    never = (start >= sums.n_periods).astype(float)
    # Control sums by pair once where every cell has the same controls.
    control = (never @ sums.total, never @ sums.size) if not sums.not_yet else None
    for at in range(len(sums.starts)):
        cells = np.flatnonzero(sums.group == at)
        pair = sums.pair[cells]
        with np.errstate(invalid="ignore", divide="ignore"):
            treated = (member[at] @ sums.total[:, pair]) / (member[at] @ sums.size[:, pair])
            if control is None:
                others = _not_yet(sums, cells, start)
            else:
                others = control[0][:, pair] / control[1][:, pair]
        effect = treated - others
        known = ~np.isnan(effect)
        share = member[at] @ sums.weight
        top += share * np.where(known, effect, 0.0).sum(axis=1)
        bottom += share * known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return top / bottom


def _not_yet(sums: Sums, cells: IntArray, start: IntArray) -> FloatArray:
    """(n_assignments, n_cells) mean change of the not yet treated, cell by cell."""
    found = np.empty((len(start), len(cells)))
    for column, cell in enumerate(cells):
        chosen = sums.comparison(cell, start).astype(float)
        pair = sums.pair[cell]
        found[:, column] = (chosen @ sums.total[:, pair]) / (chosen @ sums.size[:, pair])
    return found


def with_error(sums: Sums, start: IntArray) -> tuple[float, float, FloatArray]:
    """One assignment `start` (n_clusters,): the point, its clustered error, the influence.

    The influence (n_clusters,) sums to zero and its squares to the error's square.
    """
    effect = np.full(len(sums.pair), np.nan)
    influence = np.zeros((len(sums.weight), len(sums.pair)))
    share = np.array([sums.weight[start == first].sum() for first in sums.starts])
    for cell, pair in enumerate(sums.pair):
        parts = (start == sums.starts[sums.group[cell]], sums.comparison(cell, start))
        sizes = [sums.size[chosen, pair].sum() for chosen in parts]
        if min(sizes) <= 0:
            continue
        means = [sums.total[chosen, pair].sum() / n for chosen, n in zip(parts, sizes, strict=True)]
        effect[cell] = means[0] - means[1]
        for chosen, n, mean, sign in zip(parts, sizes, means, (1.0, -1.0), strict=True):
            own = sums.total[chosen, pair] - mean * sums.size[chosen, pair]
            influence[chosen, cell] += sign * own / n
    known = ~np.isnan(effect)
    weight = np.where(known, share[sums.group], 0.0)
    if not weight.sum() > 0:
        return float("nan"), float("nan"), influence[:, :0].sum(axis=1)
    point = float(np.nansum(weight * effect) / weight.sum())
    total = influence @ (weight / weight.sum())
    # The cohorts' own shares are estimated too.
    gap = np.bincount(sums.group[known], weights=effect[known] - point, minlength=len(sums.starts))
    for at, first in enumerate(sums.starts):
        total = total + np.where(start == first, sums.weight * gap[at] / weight.sum(), 0.0)
    return point, float(np.sqrt(np.sum(total**2))), total


def cell_weights(panel: Panel, sums: Sums, start: IntArray) -> FloatArray:
    """(n_units, n_periods) c such that the simple ATT is Σ c Y over the present cells."""
    first = start[panel.cluster]
    share = np.array([sums.weight[start == group].sum() for group in sums.starts])
    present = ~np.isnan(panel.outcome)
    found = np.zeros(panel.outcome.shape)
    known = []
    for cell in range(len(sums.pair)):
        both = present[:, sums.time[cell]] & present[:, sums.base[cell]]
        size = np.where(both, panel.unit_weight, 0.0)
        parts = (first == sums.starts[sums.group[cell]], sums.comparison(cell, first))
        totals = [size[chosen].sum() for chosen in parts]
        if min(totals) <= 0:
            continue
        known.append(share[sums.group[cell]])
        for chosen, total, sign in zip(parts, totals, (1.0, -1.0), strict=True):
            part = sign * known[-1] * np.where(chosen, size, 0.0) / total
            found[:, sums.time[cell]] += part
            found[:, sums.base[cell]] -= part
    return found / np.sum(known)
