"""Values and ratios of a series' fitted lines, with Student's t on periods less columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, stdtr, stdtrit

from trustlib.harm.sample import FloatArray
from trustlib.harm.series import PrevalenceSeries
from trustlib.harm.series_design import Design
from trustlib.harm.series_noise import Averaged

_ENDLESS = 20.0  # half an interval on the log scale: labels of one kind only


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """Fitted lines of a series' eras, to be asked for values and ratios."""

    series: PrevalenceSeries
    design: Design
    found: Averaged
    degrees: int
    level: float

    @property
    def t(self) -> float:
        """How many standard errors half an interval is."""
        return float(stdtrit(self.degrees, 0.5 + self.level / 2))

    @property
    def width(self) -> int:
        """Columns of the design."""
        return int(self.design.columns.shape[1])

    def at(self, era: int, week: float) -> FloatArray:
        """Weights on the coefficients: the line of an era at a week."""
        row, design = np.zeros(self.width), self.design
        row[design.level[era]] = 1.0
        if design.slope[era] >= 0:
            row[design.slope[era]] = week - design.weeks[design.era == era].mean()
        return row

    def value(self, row: FloatArray) -> tuple[float, float]:
        """Σ row · coefficient and its standard error."""
        spread = float(row @ self.found.covariance @ row)
        return float(row @ self.found.coefficients), math.sqrt(max(spread, 0.0))

    def one_kind(self, era: int) -> bool:
        """True where an era has no violating label, or no other: its line has no place."""
        share = self.series.estimate[self.series.known][self.design.era == era]
        return bool((share == 0).all() or (share == 1).all())

    def ratio(self, first: FloatArray, last: FloatArray) -> tuple[float, float, float, float]:
        """Share at `last` over share at `first`: point, low, high, p of the logits' difference.

        NaN but for p where the interval has no end.
        """
        (a, _), (b, _) = self.value(first), self.value(last)
        point = math.log(expit(b)) - math.log(expit(a))
        _, error = self.value(last * (1 - expit(b)) - first * (1 - expit(a)))
        moved, spread = self.value(last - first)
        p = 2 * float(stdtr(self.degrees, -abs(moved) / spread)) if spread > 0 else 1.0
        half = self.t * error
        if half > _ENDLESS:
            return math.nan, math.nan, math.nan, p
        return math.exp(point), math.exp(point - half), math.exp(point + half), p
