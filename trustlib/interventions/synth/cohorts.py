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


def together(gaps: FloatArray, *, units: IntArray, starts: IntArray) -> tuple[FloatArray, float]:
    """(n_periods,) mean gap over the units treated by then, and the effect over all their cells.

    Before the first start the mean is over all units.

    Parameters
    ----------
    gaps
        (n_cohorts, n_periods).
    units, starts
        (n_cohorts,) treated units, and first treated periods.
    """
    periods = np.arange(gaps.shape[1])
    after = periods >= starts[:, None]
    cells = units[:, None] * after
    counted = units[:, None] * (after | (periods < starts.min()))
    path = (counted * gaps).sum(axis=0) / counted.sum(axis=0)
    return path, float((cells * gaps).sum() / cells.sum())
