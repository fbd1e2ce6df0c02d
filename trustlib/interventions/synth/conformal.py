"""Conformal intervals of single periods: which effects would make the period look like the rest.

Source: Chernozhukov, Wüthrich and Zhu (2021), "An exact and robust conformal inference method
for counterfactual and synthetic controls", Journal of the American Statistical Association
116(536). For an effect θ in one period after the start, θ is taken off the outcome, weights are
fitted anew on all periods before the start and that one, and θ is kept unless the period's
residual is among the largest. Periods trade places in that: exact where residuals are
exchangeable over time, and right in long panels where they depend on each other a little.

Weights here come from outcomes alone, also for the presets with predictors or a ridge: on the
simplex, with an intercept (and its penalty) where the preset has one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Preset
from trustlib.interventions.synth.weights import noise_of
from trustlib.stats.simplex import simplex_least_squares

COLUMNS = ("time", "low", "high", "p_value", "reason")
_EQUAL = 1e-9  # relative: residuals that differ by less are the same
_SCAN = 12  # effects looked at on each side before the outermost boundary is pinned down
_FINE = 1e-7  # of the scan's range: where the search for a boundary stops


@dataclass(frozen=True, kw_only=True, eq=False)
class _Question:
    """Outcomes of the periods that a weight fit may use, target's and donors'."""

    target: FloatArray
    donors: FloatArray
    preset: Preset
    ridge: float

    def residuals(self, theta: FloatArray | float = 0.0) -> FloatArray:
        """(m,) of the fit to `target` − `theta`."""
        aim = self.target - theta
        n_donors = len(self.donors)
        if self.preset == "did":
            raw = aim - self.donors.mean(axis=0)
            return np.asarray(raw - raw.mean())
        intercept = self.preset == "synthetic_did"
        found = simplex_least_squares(
            self.donors.T, aim, ridge=self.ridge * len(aim), intercept=intercept
        )
        raw = aim - found.weights @ self.donors if n_donors else aim
        return np.asarray(raw - raw.mean() if intercept else raw)


def conformal(case: Case, preset: Preset, *, level: float) -> pd.DataFrame:
    """The interval of each period's effect, and the p-value of no effect in it.

    Returns
    -------
    pd.DataFrame
        A row per period after the start: time (its position), low, high, p_value, reason. Where
        the set of effects that are kept has holes, low and high are its ends. low and high are
        NaN, and reason says why, where so few periods lie before the start that no effect at
        all could be ruled out at `level`.
    """
    reason = why_none(case.n_pre, level)
    rows = []
    for time in range(case.n_pre, case.n_periods):
        asked = _question(case, preset, [*range(case.n_pre), time])
        low, high = (np.nan, np.nan) if reason else _ends(asked, level)
        rows.append((time, low, high, _p_value(asked.residuals(), 1), reason))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"low": float, "high": float, "p_value": float})


def why_none(n_pre: int, level: float) -> str:
    """Why there is no interval of a single period; empty where there is one."""
    if 1 / (n_pre + 1) <= 1 - level + 1e-12:
        return ""
    return (
        f"not estimable: with {n_pre} periods before the start no effect could be ruled out at "
        f"{level:.0%}, as one period in {n_pre + 1} is the largest by chance"
    )


def joint_p_value(case: Case, preset: Preset) -> float:
    """P-value of no effect in any period after the start.

    Weights are fitted on all periods; the mean absolute residual after the start is compared
    with that of every block of as many periods in a row, the end joined to the beginning
    (moving-block permutations of the source).
    """
    asked = _question(case, preset, list(range(case.n_periods)))
    return _p_value(asked.residuals(), case.n_post)


def _question(case: Case, preset: Preset, times: list[int]) -> _Question:
    ridge = 0.0
    if preset == "synthetic_did":
        ridge = (case.n_treated * case.n_post) ** 0.5 * noise_of(case) ** 2
    return _Question(
        target=case.target[times], donors=case.donors[:, times], preset=preset, ridge=ridge
    )


def _p_value(residuals: FloatArray, last: int) -> float:
    """Share of the cyclic shifts whose `last` residuals are as large as they are."""
    size = np.abs(residuals)
    doubled = np.concatenate([size, size[: last - 1]])
    blocks = np.convolve(doubled, np.ones(last), mode="valid")
    own = blocks[len(size) - last]
    return float((blocks >= own * (1 - _EQUAL)).mean())


def _ends(asked: _Question, level: float) -> tuple[float, float]:
    """The outermost effects that are kept, below and above."""
    n = len(asked.target)
    larger = int(np.floor((1 - level) * n + 1e-9))  # residuals that may be as large: p > 1 − level
    # Without the period, weights fit the others alone: the effect that leaves it no residual.
    before = _Question(
        target=asked.target[:-1],
        donors=asked.donors[:, :-1],
        preset=asked.preset,
        ridge=asked.ridge * (n / (n - 1)),
    )
    centre = float(asked.target[-1] - _forecast(before, asked))
    # Beyond this the residual of the period is larger than any other can be.
    misfit = np.abs(asked.target[:-1] - asked.donors[:, :-1])
    reach = 4 * float(np.ptp(asked.donors) + misfit.max())

    def excess(theta: float) -> float:
        """Above 0 where `theta` is ruled out: the residual, over the one it must not exceed."""
        at = np.zeros(n)
        at[-1] = theta
        size = np.abs(asked.residuals(at))
        others = np.sort(size[:-1])[::-1]
        return float(size[-1] * (1 + _EQUAL) - others[larger - 1])

    low = centre - _boundary(lambda far: excess(centre - far), reach)
    return low, centre + _boundary(lambda far: excess(centre + far), reach)


def _forecast(before: _Question, asked: _Question) -> float:
    """The last period's synthetic value by weights fitted on the others."""
    if before.preset == "did":
        weights = np.full(len(before.donors), 1 / len(before.donors))
        level = float((before.target - weights @ before.donors).mean())
        return float(weights @ asked.donors[:, -1]) + level
    found = simplex_least_squares(
        before.donors.T,
        before.target,
        ridge=before.ridge * len(before.target),
        intercept=before.preset == "synthetic_did",
    )
    return float(found.weights @ asked.donors[:, -1]) + found.intercept


def _boundary(excess: Callable[[float], float], reach: float) -> float:
    """How far from the centre the last effect lies that is kept, within [0, `reach`]."""
    if not reach > 0:
        return 0.0
    distances = np.concatenate([[0.0], np.geomspace(reach / 2**_SCAN, reach, _SCAN + 1)])
    values = [excess(float(far)) for far in distances]
    kept = [at for at, value in enumerate(values) if value <= 0]
    if not kept:
        return 0.0
    at = kept[-1]
    if at == len(distances) - 1:
        return float(distances[-1])
    inside, outside = float(distances[at]), float(distances[at + 1])
    below, above = values[at], values[at + 1]
    side = 0
    # Regula falsi with the Illinois rule: piecewise linear functions take a few steps.
    while outside - inside > _FINE * reach:
        guess = inside - below * (outside - inside) / (above - below)
        guess = min(max(guess, inside + 0.1 * _FINE * reach), outside - 0.1 * _FINE * reach)
        value = excess(guess)
        if value <= 0:
            inside, below = guess, value
            above = above / 2 if side == -1 else above
            side = -1
        else:
            outside, above = guess, value
            below = below / 2 if side == 1 else below
            side = 1
    return inside
