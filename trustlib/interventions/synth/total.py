"""The effect in the reader's units: per period, running, and in all.

    effect(t) = Σ over cohorts treated by t of size(c, t) × gap(c, t)

with size the number of treated units for levels and counts, the people of the treated units
over the rate's denominator for rates. For logs a gap changes a level by the share
1 − exp(−gap) of what was observed, unit by unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.spec import Scale
from trustlib.interventions.synth.cohorts import shares
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.spec import SynthSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Sized:
    """What the gaps amount to.

    Attributes
    ----------
    effect
        (n_periods,) in the total's unit; 0 before the first start.
    slope
        (n_periods,) change of the effect per change of the mean gap over the treated units.
    observed
        (n_periods,) what was observed in the same cells, in the same unit; NaN where the outcome
        has negative values, of which no share can be taken.
    cells
        Treated unit-periods.
    """

    effect: FloatArray
    slope: FloatArray
    observed: FloatArray
    cells: int

    @property
    def total(self) -> float:
        return float(self.effect.sum())


def sized(
    panel: SynthPanel, gaps: dict[int, FloatArray], *, scale: Scale, spec: SynthSpec
) -> Sized:
    """What the cohorts' gaps, start -> (n_periods,), amount to."""
    effect = np.zeros(panel.n_periods)
    slope = np.zeros(panel.n_periods)
    observed = np.zeros(panel.n_periods)
    periods = np.arange(panel.n_periods)
    for start, gap in gaps.items():
        members = panel.first_treated == start
        after = np.where(periods >= start, 1.0, 0.0)
        outcome, weight = panel.outcome[members], panel.weight[members]
        if scale == "log":
            level = np.exp(outcome).sum(axis=0)
            effect += after * level * -np.expm1(-gap)
            slope += after * level * np.exp(-gap)
            observed += after * level
            continue
        # A mean over the treated weighs people; of a level there is one for each unit.
        if scale == "rate":
            people = weight / spec.rate_per
        else:
            people = len(outcome) * shares(panel, np.flatnonzero(members))[:, None]
        effect += after * people.sum(axis=0) * gap
        slope += after * people.sum(axis=0)
        observed += after * (people * outcome).sum(axis=0)
    treated = panel.treated
    if scale != "log" and bool((panel.outcome[treated] < 0).any()):
        observed = np.full(panel.n_periods, np.nan)
    cells = int((panel.n_periods - panel.first_treated[treated]).sum())
    return Sized(effect=effect, slope=slope, observed=observed, cells=cells)
