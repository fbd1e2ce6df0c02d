"""Could chance alone have done it: the start dates re-assigned over the clusters.

The statistic is the simple ATT without covariates (`trustlib.interventions.simple_att`), and
every re-assignment hands out the same start dates, as often as they occurred. The p-value is
exact under the sharp null where the dates could have fallen on any cluster; the interval holds
the constant effects that are not rejected. Method: `trustlib.stats.randomization`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trustlib.core import Check, format
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.simple_att import Sums, simple_att, sums
from trustlib.interventions.spec import ControlGroup
from trustlib.stats.randomization import (
    all_assignments,
    drawn_assignments,
    invert,
    n_assignments,
)

MOST_ENUMERATED = 20_000
_CHUNK = 4_000_000  # cells of an assignment matrix held at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Randomization:
    """The observed statistic among those of the re-assignments.

    Attributes
    ----------
    point
        The simple ATT without covariates; None where the test does not apply.
    p_value, low, high
        Two-sided; the constant effects that are not rejected, None where no such interval
        has two ends.
    level, clusters, assignments
        Of the interval; clusters that dates were handed to; assignments looked at, the
        observed one among them.
    enumerated
        Whether those were all there are.
    smallest_p_value
        The least that so few assignments can give.
    statistics
        (assignments,) of each, the observed one among them.
    reason
        Why there is no p-value, or no interval.
    """

    point: float | None
    p_value: float | None
    low: float | None
    high: float | None
    level: float
    clusters: int
    assignments: int
    enumerated: bool
    smallest_p_value: float | None
    statistics: FloatArray
    reason: str | None = None

    @property
    def frame(self) -> pd.DataFrame:
        """`DidResult.randomization`: draw, statistic."""
        draws = np.arange(len(self.statistics))
        return pd.DataFrame({"draw": draws, "statistic": self.statistics})


def cluster_starts(panel: Panel) -> IntArray | None:
    """(n_clusters,) the start that a cluster's units share; None where some do not share it."""
    starts = np.full(panel.n_clusters, -1, dtype=np.int64)
    starts[panel.cluster] = panel.first_treated
    return starts if np.array_equal(starts[panel.cluster], panel.first_treated) else None


def randomization_inference(
    panel: Panel,
    *,
    control_group: ControlGroup = "never",
    anticipation: int = 0,
    seed: int = 0,
    draws: int = 1999,
    level: float = 0.95,
) -> Randomization:
    """Re-assign the observed start dates over clusters.

    All assignments where there are at most 20,000 of them, else the observed one and `draws`
    random ones.
    """
    start = cluster_starts(panel)
    if start is None:
        reason = (
            "units of one cluster start at different times, so dates were not handed to clusters"
        )
        return _empty(panel.n_clusters, level, reason)
    if len(np.unique(start)) < 2:
        return _empty(panel.n_clusters, level, "every cluster has the same start")
    made = sums(panel, control_group=control_group, anticipation=anticipation)
    _, counts = np.unique(start, return_counts=True)
    few = n_assignments(counts.tolist()) <= MOST_ENUMERATED
    rng = np.random.default_rng(seed)
    assigned = all_assignments(start) if few else drawn_assignments(start, draws=draws, rng=rng)
    return from_sums(made, start, assigned, enumerated=few, level=level)


def from_sums(
    made: Sums, start: IntArray, assigned: IntArray, *, enumerated: bool, level: float
) -> Randomization:
    """Test and interval for start dates `start` among the rows of `assigned`."""
    observed = float(simple_att(made, start[None, :])[0])
    if np.isnan(observed):
        reason = "no treated period has a comparison"
        return _empty(len(start), level, reason)
    statistics = in_chunks(made, assigned)
    treated = in_chunks(treatment_sums(made, start), assigned)
    known = ~np.isnan(statistics) & ~np.isnan(treated)
    found = invert(observed, statistics=statistics[known], treatment=treated[known], level=level)
    bounded = bool(np.isfinite(found.low) and np.isfinite(found.high))
    why = None
    if not bounded:
        why = (
            f"{format.plural(int(known.sum()), 'assignment')} cannot give a p-value below "
            f"{format.probability(found.smallest_p_value)}, so no {format.level(level)} interval "
            "has two ends"
        )
    return Randomization(
        point=observed,
        p_value=found.p_value,
        low=found.low if bounded else None,
        high=found.high if bounded else None,
        level=level,
        clusters=len(start),
        assignments=int(known.sum()),
        enumerated=enumerated,
        smallest_p_value=max(found.smallest_p_value, 1 / int(known.sum())),
        statistics=statistics[known],
        reason=why,
    )


def treatment_sums(made: Sums, start: IntArray) -> Sums:
    """The same sums of the observed treatment, 1 from a cluster's start on, as the outcome."""
    pairs: dict[int, tuple[int, int]] = {
        int(pair): (int(base), int(time))
        for pair, base, time in zip(made.pair, made.base, made.time, strict=True)
    }
    ends = np.array([pairs[pair] for pair in range(made.total.shape[1])])
    on = (start[:, None] <= ends[:, 1]).astype(float) - (start[:, None] <= ends[:, 0])
    return replace(made, total=on * made.size)


def in_chunks(made: Sums, assigned: IntArray) -> FloatArray:
    """`simple_att` of every row, a bounded part at a time."""
    rows = max(1, _CHUNK // (assigned.shape[1] * (1 + len(made.starts))))
    parts = [
        simple_att(made, assigned[first : first + rows]) for first in range(0, len(assigned), rows)
    ]
    return np.concatenate(parts)


def _empty(clusters: int, level: float, reason: str) -> Randomization:
    return Randomization(
        point=None,
        p_value=None,
        low=None,
        high=None,
        level=level,
        clusters=clusters,
        assignments=0,
        enumerated=False,
        smallest_p_value=None,
        statistics=np.empty(0),
        reason=reason,
    )


def randomization_check(found: Randomization) -> Check:
    """Whether the effect stands out among re-assignments."""
    name = "randomization"
    if found.p_value is None:
        label = "re-assignment not run"
        return Check(name=name, verdict="not_run", label=label, text=f"Not run: {found.reason}.")
    ways = f"{'all' if found.enumerated else 'sampled'} {found.assignments:,} ways"
    text = (
        f"Of {ways} to hand out the same start dates to "
        f"{format.plural(found.clusters, 'cluster')}, a share of "
        f"{format.probability(found.p_value)} gave an effect at least as far from zero."
    )
    if found.smallest_p_value is not None and found.smallest_p_value > 1 - found.level:
        text += (
            f" So few assignments cannot give a p below "
            f"{format.probability(found.smallest_p_value)}, whatever the effect."
        )
        label = "too few assignments to tell"
        return Check(name=name, verdict="warn", label=label, text=text)
    if found.p_value <= 1 - found.level:
        label = "chance would seldom do this"
        return Check(name=name, verdict="pass", label=label, text=text)
    return Check(name=name, verdict="warn", label="chance could have done it", text=text)
