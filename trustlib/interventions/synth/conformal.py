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

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core.format import level as level_text
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Preset
from trustlib.interventions.synth.weights import noise_of
from trustlib.stats.simplex import SimplexFit, simplex_least_squares
from trustlib.stats.simplex_path import Stretch, simplex_path

COLUMNS = ("time", "low", "high", "p_value", "reason")
_EQUAL = 1e-9  # relative: residuals that differ by less are the same


@dataclass(frozen=True, kw_only=True, eq=False)
class _Question:
    """Outcomes of the periods of a weight fit, target's and donors'; the last one is asked."""

    target: FloatArray
    donors: FloatArray
    preset: Preset
    ridge: float

    @property
    def intercept(self) -> bool:
        return self.preset == "synthetic_did"

    def residuals(self) -> FloatArray:
        """(m,) of the fit to all periods."""
        if self.preset == "did":
            raw = self.target - self.donors.mean(axis=0)
            return np.asarray(raw - raw.mean())
        found = self._fit(self.target, self.donors)
        return np.asarray(self.target - found.weights @ self.donors - found.intercept)

    def forecast_error(self) -> float:
        """Of the last period, by weights that are fitted on the others."""
        target, donors = self.target[:-1], self.donors[:, :-1]
        if self.preset == "did":
            return float(self.residuals()[-1] * len(self.target) / (len(self.target) - 1))
        # The penalty stays what it is with all periods, as this θ leaves the last no residual.
        found = self._fit(target, donors, periods=len(self.target))
        return float(self.target[-1] - found.weights @ self.donors[:, -1] - found.intercept)

    def stretches(self, first: float, last: float) -> Iterable[Stretch]:
        """Residuals with θ taken off the last period, θ from `first` to `last`."""
        if self.preset != "did":
            return simplex_path(
                self.donors.T,
                self.target,
                first=first,
                last=last,
                ridge=self.ridge * len(self.target),
                intercept=self.intercept,
            )
        n = len(self.target)
        slope = np.full(n, 1 / n)
        slope[-1] -= 1
        begun = self.residuals() + slope * first
        return [Stretch(first=first, last=last, residuals=begun, slope=slope)]

    def _fit(
        self, target: FloatArray, donors: FloatArray, *, periods: int | None = None
    ) -> SimplexFit:
        n = len(target) if periods is None else periods
        return simplex_least_squares(
            donors.T, target, ridge=self.ridge * n, intercept=self.intercept
        )


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
        f"{level_text(level)}, as one period in {n_pre + 1} is the largest by chance"
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
    others = int(np.floor((1 - level) * n + 1e-9))  # that must be as large, or θ is ruled out
    centre = asked.forecast_error()
    # Beyond this the residual of the period is larger than any other can be.
    misfit = np.abs(asked.target[:-1] - asked.donors[:, :-1])
    reach = 4 * float(np.ptp(asked.donors) + misfit.max())
    low, high = (
        _outermost(asked.stretches(centre, centre + side * reach), centre, others)
        for side in (-1.0, 1.0)
    )
    return low, high


def _outermost(stretches: Iterable[Stretch], centre: float, others: int) -> float:
    """The last θ along `stretches` at which `others` residuals are as large as the last one."""
    kept = centre
    for stretch in stretches:
        u, slope = stretch.residuals, stretch.slope
        length = stretch.last - stretch.first
        # Where another residual is as large, of either sign: straight lines that cross.
        with np.errstate(divide="ignore", invalid="ignore"):
            crossings = np.concatenate(
                [(u[-1] - u[:-1]) / (slope[:-1] - slope[-1]),
                 -(u[-1] + u[:-1]) / (slope[:-1] + slope[-1])]
            ) / length  # fmt: skip
        inside = crossings[(crossings > 0) & (crossings < 1)]
        marks = np.unique(np.concatenate([[0.0], inside, [1.0]]))
        for begin, end in zip(marks[-2::-1], marks[:0:-1], strict=True):
            size = np.abs(u + slope * ((begin + end) / 2 * length))
            if (size[:-1] >= size[-1] * (1 - _EQUAL)).sum() >= others:
                kept = stretch.first + end * length
                break
    return float(kept)
