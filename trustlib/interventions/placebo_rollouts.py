"""Roll-outs that never happened, placed at random on a history: what power is read from.

In each draw a window of the plan's length is taken from the history, the plan's waves are
handed to random clusters, and the estimate is made as if they had been treated then. Adding a
constant effect e to the cells treated so moves the estimate by e and leaves its error as it is
(`trustlib.interventions.simple_att` is linear, and so is re-assignment): an effect e is found
exactly where −e lies outside the placebo's interval. One set of draws gives the whole curve.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri, stdtrit

from trustlib.interventions.design import FEW_CLUSTERS, FEW_OF_A_KIND
from trustlib.interventions.margin import MANY
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.randomization import from_sums
from trustlib.interventions.simple_att import Sums, sums, with_error
from trustlib.interventions.subset import subset
from trustlib.stats.randomization import all_assignments, drawn_assignments, n_assignments
from trustlib.stats.welch import welch

_ENUMERATED = 500  # assignments of one placebo that are all taken
_REASSIGNED = 499  # or so many random ones: enough for a 95 % interval, and there are many draws


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A roll-out as clusters and periods.

    Attributes
    ----------
    clusters
        (n_waves,) clusters that each wave treats.
    before, gap, after
        Periods before the first wave, between waves, and from the last wave's start on.
    """

    clusters: tuple[int, ...]
    before: int
    gap: int
    after: int

    @property
    def length(self) -> int:
        """Periods of the whole window."""
        return self.before + (len(self.clusters) - 1) * self.gap + self.after

    @property
    def starts(self) -> IntArray:
        """(n_waves,) first treated period of each wave in the window."""
        return self.before + self.gap * np.arange(len(self.clusters))

    def few(self, n_clusters: int) -> bool:
        """Whether the estimate would be tested by re-assignment, as `Design.few_clusters`."""
        treated = sum(self.clusters)
        rest = n_clusters - treated
        few = n_clusters < FEW_CLUSTERS or treated < FEW_OF_A_KIND
        return few or 0 < rest < FEW_OF_A_KIND


@dataclass(frozen=True, kw_only=True, eq=False)
class Placebos:
    """What the draws found where nothing had happened.

    Attributes
    ----------
    point, low, high
        (draws,) the estimate and its interval; infinite ends where no effect could be found.
    window
        (draws,) first period of each draw's window.
    windows
        Windows of the plan's length that the history holds.
    """

    point: FloatArray
    low: FloatArray
    high: FloatArray
    window: IntArray
    windows: int

    def found(self, effect: float) -> FloatArray:
        """(2 · draws,) whether an effect of this size is found, upwards and downwards."""
        return np.concatenate(
            [(low + e > 0) | (high + e < 0) for e in (effect, -effect)
             for low, high in ((self.low, self.high),)]
        ).astype(float)  # fmt: skip

    @property
    def thresholds(self) -> FloatArray:
        """(2 · draws,) ascending: the size above which each draw finds an effect and its sign."""
        return np.sort(np.concatenate([-self.low, self.high]))


def usable_windows(panel: Panel, plan: Plan) -> IntArray:
    """First periods of the windows in which enough clusters have a history."""
    firsts = range(panel.n_periods - plan.length + 1)
    needed = sum(plan.clusters) + (0 if sum(plan.clusters) == panel.n_clusters else 2)
    return np.array([at for at in firsts if len(_there(panel, plan, at)) >= needed], dtype=np.int64)


def _there(panel: Panel, plan: Plan, first: int) -> IntArray:
    """Clusters none of whose units is treated before the window's end, and that have data."""
    last = first + plan.length
    out = np.zeros(panel.n_clusters, dtype=bool)
    out[panel.cluster[panel.first_treated < last]] = True
    seen = np.zeros(panel.n_clusters, dtype=bool)
    seen[panel.cluster[(~np.isnan(panel.outcome[:, first:last])).sum(axis=1) >= 2]] = True
    return np.flatnonzero(~out & seen)


def placebos(panel: Panel, plan: Plan, *, draws: int, level: float, seed: int) -> Placebos:
    """Place `plan` on the history `panel` `draws` times; windows in turn, clusters at random.

    `usable_windows` must hold one at least.
    """
    rng = np.random.default_rng(seed)
    windows = usable_windows(panel, plan)
    # Each window as often as any other, the odd ones at random.
    order = np.concatenate([rng.permutation(windows) for _ in range(-(-draws // len(windows)))])
    taken = np.sort(order[:draws])
    rows = [
        row
        for first in np.unique(taken)
        for row in _of_window(panel, plan, int(first), int((taken == first).sum()), level, rng)
    ]
    found = np.array(rows)
    known = ~np.isnan(found[:, 0])
    return Placebos(
        point=found[known, 0],
        low=found[known, 1],
        high=found[known, 2],
        window=taken[known],
        windows=len(windows),
    )


def _of_window(
    panel: Panel, plan: Plan, first: int, draws: int, level: float, rng: np.random.Generator
) -> Iterator[tuple[float, float, float]]:
    last = first + plan.length
    kept = np.isin(panel.cluster, _there(panel, plan, first))
    part = subset(panel, kept, first_treated=np.full(panel.n_units, plan.length))
    part = replace(
        part,
        outcome=part.outcome[:, first:last],
        weight=part.weight[:, first:last],
        covariates=part.covariates[:, first:last],
        standard_error=None,
        period_names=part.period_names[first:last],
    )
    rest = part.n_clusters - sum(plan.clusters)
    made = sums(part, control_group="never" if rest else "not_yet", starts=plan.starts)
    labels = np.repeat([*plan.starts, plan.length], [*plan.clusters, rest])
    few = plan.few(part.n_clusters)
    for _ in range(draws):
        start = rng.permutation(labels)
        yield _by_assignment(made, start, level, rng) if few else _by_error(made, start, level)


def _by_error(made: Sums, start: IntArray, level: float) -> tuple[float, float, float]:
    point, error, influence = with_error(made, start)
    half = float(ndtri(0.5 + level / 2)) * error
    if np.unique(start, return_counts=True)[1].min() < MANY:
        factor, degrees = welch(influence[:, None], start)
        half = float(factor[0] * stdtrit(degrees[0], 0.5 + level / 2)) * error
    return point, point - half, point + half


def _by_assignment(
    made: Sums, start: IntArray, level: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    _, counts = np.unique(start, return_counts=True)
    few = n_assignments(counts.tolist()) <= _ENUMERATED
    assigned = (
        all_assignments(start) if few else drawn_assignments(start, draws=_REASSIGNED, rng=rng)
    )
    found = from_sums(made, start, assigned, enumerated=few, level=level)
    if found.point is None:
        return float("nan"), float("nan"), float("nan")
    low = -np.inf if found.low is None else found.low
    high = np.inf if found.high is None else found.high
    return found.point, low, high
