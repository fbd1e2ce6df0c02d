"""One case per start: the mean of the units treated then, and the donors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Fit
from trustlib.interventions.synth.panel import SynthPanel


def cases(panel: SynthPanel) -> tuple[tuple[int, Case], ...]:
    """(start, case) of every cohort, by start.

    A unit with more people behind it counts for more in its cohort's mean, with its mean weight
    over all periods; without weights units count alike.
    """
    donors = panel.outcome[panel.donors]
    has_predictors = panel.predictors.shape[1] > 0
    out = []
    for start in panel.starts.tolist():
        members = np.flatnonzero(panel.first_treated == start)
        share = shares(panel, members)
        case = Case(
            target=share @ panel.outcome[members],
            donors=donors,
            n_pre=start,
            n_treated=len(members),
            target_predictors=share @ panel.predictors[members],
            donor_predictors=panel.predictors[panel.donors] if has_predictors else None,
            fit_from=panel.fit_from,
            fit_to=min(panel.fit_to, start),
        )
        out.append((start, case))
    return tuple(out)


def shares(panel: SynthPanel, members: IntArray) -> FloatArray:
    """(n_members,) of a mean over the units at `members`, by the people behind them."""
    people = panel.weight[members].mean(axis=1)
    return np.asarray(people / people.sum())


def combined(parts: Sequence[tuple[int, Case]], fits: Sequence[Fit]) -> float:
    """The effect over all treated unit-periods: cohorts weigh units × periods treated (Clarke,
    Pailañir, Athey and Imbens 2023, "Synthetic difference-in-differences estimation")."""
    weights: FloatArray = np.array([case.n_treated * case.n_post for _, case in parts], float)
    return float(weights @ np.array([fit.att for fit in fits]) / weights.sum())


def mean_weights(parts: Sequence[tuple[int, Case]], fits: Sequence[Fit]) -> FloatArray:
    """(n_donors,) over cohorts, each counting with its units."""
    units = np.array([case.n_treated for _, case in parts], dtype=float)
    return np.asarray(units / units.sum() @ np.stack([found.unit_weights for found in fits]))


def pooled_misfit(parts: Sequence[tuple[int, Case]], fits: Sequence[Fit]) -> float:
    """Root mean squared gap before the start, over the treated units' periods before it."""
    before = np.array([case.n_treated * case.n_pre for _, case in parts], dtype=float)
    misfit = np.array([found.pre_rmspe for found in fits])
    return float(np.sqrt(before @ misfit**2 / before.sum()))


def treated_by(n_periods: int, *, units: IntArray, starts: IntArray) -> IntArray:
    """(n_cohorts, n_periods) units treated by then; `units` and `starts` (n_cohorts,)."""
    return np.asarray(units[:, None] * (np.arange(n_periods) >= starts[:, None]))


def mean_path(values: FloatArray, *, units: IntArray, starts: IntArray) -> FloatArray:
    """(n_periods,) mean of `values` (n_cohorts, n_periods) over the units treated by then.

    Before the first start the mean is over all units.
    """
    n_periods = values.shape[1]
    counted = treated_by(n_periods, units=units, starts=starts)
    counted = counted + units[:, None] * (np.arange(n_periods) < starts.min())
    return np.asarray((counted * values).sum(axis=0) / counted.sum(axis=0))


def together(gaps: FloatArray, *, units: IntArray, starts: IntArray) -> tuple[FloatArray, float]:
    """(n_periods,) mean gap over the units treated by then, and the effect over all their cells.

    Parameters
    ----------
    gaps
        (n_cohorts, n_periods).
    units, starts
        (n_cohorts,) treated units, and first treated periods.
    """
    cells = treated_by(gaps.shape[1], units=units, starts=starts)
    path = mean_path(gaps, units=units, starts=starts)
    return path, float((cells * gaps).sum() / cells.sum())
