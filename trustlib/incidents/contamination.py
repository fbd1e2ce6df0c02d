"""Days of the history that look like incidents themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.incidents.counterfactual import Forecast
from trustlib.incidents.grid import Grid
from trustlib.stats.serial import mad

# In robust standard deviations; a normal day is beyond it once in 1.7 million.
THRESHOLD = 5.0
# Above this share it is not a few incidents but heavy tails, and nothing is left out.
MOST = 0.1
FEWEST_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class OddDays:
    """Local days far from their forecast.

    Attributes
    ----------
    bucket
        Shape (n_buckets,): True in an odd day of the fitted history.
    days
        Their dates on the local clock, shape (n_odd,).
    n_days
        Days that were looked at.
    """

    bucket: np.ndarray
    days: np.ndarray
    n_days: int

    @property
    def too_many(self) -> bool:
        return len(self.days) > MOST * self.n_days


def odd_days(grid: Grid, made: Forecast, *, threshold: float = THRESHOLD) -> OddDays:
    """Days whose log ratio of actual to expected is beyond `threshold` robust deviations.

    The scale is the median absolute deviation over all days, and never below what
    independent counting of that day's events would give.
    """
    usable = made.fitted & np.isfinite(made.left_out)
    day = grid.local.astype("datetime64[D]")
    days, index = np.unique(day[usable], return_inverse=True)
    none = OddDays(bucket=np.zeros(len(day), dtype=bool), days=days[:0], n_days=len(days))
    if len(days) < FEWEST_DAYS:
        return none
    actual = np.bincount(index, weights=grid.count[usable])
    expected = np.bincount(index, weights=made.left_out[usable])
    size = np.bincount(index) / (grid.per_week / 7)
    deviation = np.log((actual + 0.5) / (expected + 0.5))
    full = size >= 0.5
    middle = np.median(deviation[full])
    scale = np.hypot(mad(deviation[full]), 1 / np.sqrt(expected + 0.5))
    odd = full & (np.abs(deviation - middle) > threshold * scale)
    if not odd.any():
        return none
    return OddDays(bucket=usable & np.isin(day, days[odd]), days=days[odd], n_days=len(days))
