"""What the treated units would have done: period by period, from group-time effects.

With every cohort measured from its last period before treatment (the universal base), the
observed mean of the treated units minus their effects is their counterfactual, before the
rollout too: there the effects are placebos, and the two lines ought to lie on each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.interventions.group_time import GroupTime
from trustlib.interventions.margin import Margin
from trustlib.interventions.panel import FloatArray, Panel


@dataclass(frozen=True, kw_only=True, eq=False)
class Paths:
    """Observed and effect per period, for all treated units or one cohort.

    Attributes
    ----------
    observed, effect, standard_error
        (n_periods,) NaN where not estimable.
    critical
        (n_periods,) half an interval in standard errors.
    """

    observed: FloatArray
    effect: FloatArray
    standard_error: FloatArray
    critical: FloatArray


def paths(
    panel: Panel, universal: GroupTime, margin: Margin, *, cohort: int | None, centred: bool
) -> Paths:
    """The path of all treated units, or of one cohort (its first treated period).

    Parameters
    ----------
    universal
        Group-time effects with the universal base.
    centred
        Measure from the mean of all periods before treatment instead of the last one: what
        the two-way regression does; for a single treatment date only.
    """
    chosen = ~panel.never if cohort is None else panel.first_treated == cohort
    share = np.where(chosen, panel.unit_weight, 0.0)
    outcome = panel.outcome[chosen]
    present = np.where(np.isnan(outcome), 0.0, share[chosen][:, None])
    with np.errstate(invalid="ignore"):
        observed = np.nansum(outcome * present, axis=0) / present.sum(axis=0)
    groups = panel.groups if cohort is None else np.array([cohort])
    size = np.array([share[panel.first_treated == group].sum() for group in groups])
    cells = np.zeros((len(universal.point), panel.n_periods))
    known = np.ones(panel.n_periods, dtype=bool)
    for group, part in zip(groups, size / size.sum(), strict=True):
        for period in range(panel.n_periods):
            at = np.flatnonzero((universal.group == group) & (universal.time == period))
            # Once the rollout has begun, who is not treated yet is his own counterfactual.
            if len(at) and (period >= group or period < groups.min()):
                cells[at[0], period] += part
    if centred:
        before = np.arange(panel.n_periods) < groups.min()
        cells = cells - cells[:, before].mean(axis=1, keepdims=True)
    point = np.nan_to_num(universal.point)
    # A period in which one cohort has no comparison has no counterfactual.
    lost = np.isnan(universal.point)[:, None] & (cells != 0)
    known &= ~lost.any(axis=0)
    usable = np.where(known, cells, 0.0)
    usable[np.isnan(universal.point)] = 0.0
    influence = universal.influence_of(usable)
    error = margin.errors(influence)
    blank = np.where(known, 0.0, np.nan)
    return Paths(
        observed=observed,
        effect=point @ usable + blank,
        standard_error=error + blank,
        critical=margin.critical(influence),
    )


def counterfactual_frame(
    panel: Panel, universal: GroupTime, margin: Margin, *, centred: bool
) -> pd.DataFrame:
    """`DidResult.counterfactual`: the rows of all treated units, then each cohort's."""
    several = len(panel.groups) > 1
    wanted: list[int | None] = [None, *(int(g) for g in panel.groups if several)]
    parts = []
    for cohort in wanted:
        path = paths(panel, universal, margin, cohort=cohort, centred=centred)
        chosen = ~panel.never if cohort is None else panel.first_treated == cohort
        half = path.critical * path.standard_error
        expected = path.observed - path.effect
        started = panel.first_treated[chosen][:, None] <= np.arange(panel.n_periods)
        parts.append(
            pd.DataFrame(
                {
                    "time": list(panel.period_names),
                    "group": "all" if cohort is None else panel.period_names[cohort],
                    "observed": path.observed,
                    "counterfactual": expected,
                    "low": expected - half,
                    "high": expected + half,
                    "treated_units": started.sum(axis=0),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
