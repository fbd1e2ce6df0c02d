"""Which group-time cells there are, and what each compares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.interventions.panel import IntArray, Panel
from trustlib.interventions.spec import BasePeriod, ControlGroup


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """The m comparisons of a panel, by group and then by period.

    Attributes
    ----------
    group, time, base
        (m,) period indices: first treated, of the effect, and compared with. `base` is −1
        where no period lies before treatment and anticipation.
    cohort
        (m,) which cohort is treated, an index into `cohorts`.
    cohorts
        (n_cohorts,) first treated periods, ascending; the last is n_periods, the never treated
        (it is there even where nobody is).
    of_unit
        (n_units,) each unit's cohort.
    controls
        (m, n_cohorts) bool: the cohorts that each cell compares with.
    """

    group: IntArray
    time: IntArray
    base: IntArray
    cohort: IntArray
    cohorts: IntArray
    of_unit: IntArray
    controls: np.ndarray

    def __len__(self) -> int:
        return len(self.group)


def cells(
    panel: Panel, *, control_group: ControlGroup, anticipation: int, base_period: BasePeriod
) -> Cells:
    """All comparisons of `panel`, as Callaway and Sant'Anna (2021) and R's `did` set them up.

    From its start on, a cohort is compared over the last period before it could react. Before,
    each period is compared with the one before it ("varying") or with that same last period
    ("universal", whose own cell is 0). Controls of "not_yet" are the cohorts that have not
    reacted by the later of the two periods.
    """
    groups = panel.groups
    n_periods = panel.n_periods
    cohorts = np.append(groups, n_periods)
    first = 1 if base_period == "varying" else 0
    period = np.arange(first, n_periods)
    group = np.repeat(groups, len(period))
    time = np.tile(period, len(groups))
    base = np.maximum(group - 1 - anticipation, -1)
    if base_period == "varying":
        base = np.where(time < group, time - 1, base)
    cohort = np.repeat(np.arange(len(groups)), len(period))
    if control_group == "never":
        controls = np.broadcast_to(cohorts == n_periods, (len(group), len(cohorts))).copy()
    else:
        last = np.maximum(time, base) + anticipation
        controls = (cohorts > last[:, None]) | (cohorts == n_periods)
        controls &= cohorts != group[:, None]
    return Cells(
        group=group,
        time=time,
        base=base,
        cohort=cohort,
        cohorts=cohorts,
        of_unit=np.searchsorted(cohorts, np.minimum(panel.first_treated, n_periods)),
        controls=controls,
    )
