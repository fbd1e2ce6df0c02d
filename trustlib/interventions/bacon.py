"""What a two-way estimate is made of: every 2×2 comparison in it, with its weight.

Goodman-Bacon (2021), theorem 1, for a balanced panel whose weights (if any) are constant
within units: the static two-way estimate without covariates equals the weighted mean of
these comparisons exactly. Comparisons of units that start later with units that are treated
already are forbidden: changes in the effect of the earlier ones enter with the wrong sign.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.interventions.panel import FloatArray, Panel
from trustlib.interventions.regression import cohort_codes

TREATED_UNTREATED = "treated vs untreated"
EARLIER_LATER = "earlier vs later treated"
FORBIDDEN = "later vs earlier treated (forbidden)"
COLUMNS = ("kind", "group", "control", "weight", "estimate")


def not_decomposed(panel: Panel) -> str | None:
    """Why `bacon` has nothing to say about `panel`, or None where it does."""
    if panel.never.all():
        return "nobody is treated"
    if not panel.balanced:
        missing = int(np.isnan(panel.outcome).sum())
        return f"the decomposition is exact for balanced panels only: {missing} cells are missing"
    if (panel.weight != panel.weight[:, :1]).any():
        return "the decomposition needs weights that do not change within units"
    if len(panel.groups) + int(panel.never.any()) < 2:
        return "all units are treated from the same period on: there is nothing to compare"
    return None


def bacon(panel: Panel) -> pd.DataFrame:
    """One row per comparison: kind, group, control (labels of the first treated period, or
    "never"), weight (they sum to 1), estimate. Covariates are not used.

    Empty where it does not apply: `not_decomposed` says why.
    """
    if not_decomposed(panel) is not None:
        return pd.DataFrame({name: [] for name in COLUMNS})
    group, starts = cohort_codes(panel)
    weight = panel.weight[:, 0]
    mass = np.bincount(group, weight, len(starts)).astype(np.float64)
    sums = np.zeros((len(starts), panel.n_periods))
    np.add.at(sums, group, weight[:, None] * _centred(panel.outcome))
    means = sums / np.maximum(mass, np.finfo(float).tiny)[:, None]
    labels = [*(panel.period_names[start] for start in panel.groups), "never"]
    rows = [
        row
        for first in range(len(panel.groups))
        for second in range(first + 1, len(starts))
        for row in _comparisons(first, second, starts=starts, mass=mass, means=means)
    ]
    made = pd.DataFrame(rows, columns=["kind", "group", "control", "weight", "estimate"])
    made["group"] = [labels[number] for number in made["group"]]
    made["control"] = [labels[number] for number in made["control"]]
    made["weight"] /= made["weight"].sum()
    return made


def forbidden_share(frame: pd.DataFrame) -> float:
    """Weight of the forbidden comparisons in a frame of `bacon`; NaN where it is empty."""
    if frame.empty:
        return float("nan")
    return float(frame.loc[frame["kind"] == FORBIDDEN, "weight"].sum())


def _centred(outcome: FloatArray) -> FloatArray:
    return outcome - outcome.mean(axis=1, keepdims=True)


def _comparisons(
    first: int, second: int, *, starts: np.ndarray, mass: FloatArray, means: FloatArray
) -> list[tuple[str, int, int, float, float]]:
    """Of a cohort with one that starts later, or never; weights before normalisation."""
    n_periods = means.shape[1]
    early, late = starts[first], starts[second]
    if mass[second] == 0:
        return []
    share, share_late = 1 - early / n_periods, 1 - late / n_periods
    pairs = mass[first] * mass[second]
    before, between, after = slice(0, early), slice(early, late), slice(late, None)
    gap = means[first] - means[second]
    up = gap[between].mean() - gap[before].mean()
    if late == n_periods:
        return [(TREATED_UNTREATED, first, second, pairs * share * (1 - share), up)]
    down = gap[between].mean() - gap[after].mean()
    return [
        (EARLIER_LATER, first, second, pairs * (share - share_late) * (1 - share), up),
        (FORBIDDEN, second, first, pairs * share_late * (share - share_late), down),
    ]
