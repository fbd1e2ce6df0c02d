"""Every guard of a synthetic-control estimate, in the order that a reader meets them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from trustlib.core import Check
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.contaminated import contaminated, donors_affected
from trustlib.interventions.synth.fit import Fit
from trustlib.interventions.synth.fit_guards import (
    estimators_agree,
    exact_fit,
    placebo_rank,
    pre_fit,
)
from trustlib.interventions.synth.guards import (
    donors_treated,
    enough_donors,
    missing_cells,
    one_donor,
    pre_periods,
)
from trustlib.interventions.synth.hull import convex_hull
from trustlib.interventions.synth.in_time import in_time_check
from trustlib.interventions.synth.leave_one_out import leave_one_out_check
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.placebos_in_space import InSpace
from trustlib.interventions.synth.structural_break import structural_break, structural_break_check


def checks(
    panel: SynthPanel,
    parts: Sequence[tuple[int, Case]],
    fits: Sequence[Fit],
    chance: InSpace,
    *,
    comparison: pd.DataFrame,
    leave_one_out: pd.DataFrame,
    in_time: pd.DataFrame,
    effect: float,
    error: float,
    half: float,
    donor_names: Sequence[str],
    level: float,
    resampled: bool = False,
    seed: int = 0,
) -> tuple[Check, ...]:
    """One check per assumption.

    Parameters
    ----------
    fits, chance
        The headline's.
    comparison, leave_one_out, in_time
        As `SynthResult` has them.
    effect, error, half
        The headline, its standard error and half its interval's width; NaN without.
    donor_names
        (n_donors,) as readers see them.
    resampled
        The headline's interval does not come from placebos.
    """
    preset = fits[0].preset
    searched = contaminated(parts, fits, level=level)
    broken = structural_break(parts[0][1], fits[0], seed=seed)
    return (
        pre_fit(parts, preset, chance),
        placebo_rank(chance, level=level),
        in_time_check(in_time, effect=effect, preset=preset, level=level),
        leave_one_out_check(leave_one_out, effect=effect, error=error, half=half),
        estimators_agree(comparison),
        donors_affected(searched, donor_names=donor_names, error=error),
        donors_treated(panel),
        one_donor(parts, fits, donor_names=donor_names),
        enough_donors(chance.n, parts[0][1].n_donors, level=level, resampled=resampled),
        pre_periods(parts),
        convex_hull(parts, preset, predictor_names=panel.predictor_names),
        structural_break_check(broken, period_names=panel.period_names, effect=effect, level=level),
        exact_fit(chance),
        missing_cells(panel),
    )
