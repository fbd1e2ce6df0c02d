"""A level that drifts: where past weeks show it, the forecast follows the recent weeks.

The refits without one week interpolate: they see the weeks after it. A forecast of the
incident cannot, and where the level wanders from week to week the interpolation errors are
too small. Then every week, the incident's and the past ones alike, is forecast from the
weeks before it: its seasonal forecast times an exponentially weighted mean of their level
(Holt 1957; gain chosen by the errors of past windows).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trustlib.incidents.counterfactual import Forecast
from trustlib.incidents.grid import Grid
from trustlib.stats.serial import von_neumann

GAINS = (0.3, 0.6)
# Below this the level stands still: it would have to be a clear pattern of the weeks.
DRIFT_P = 0.05
_FEWEST_WEEKS = 6
_FEWEST_BEFORE = 3


@dataclass(frozen=True, kw_only=True)
class WeeklyLevel:
    """Log of actual over expected, week by week; index 0 is the week before the incident.

    Attributes
    ----------
    log_ratio
        Shape (n_weeks,); NaN for weeks with less than half of their buckets.
    drift_p
        p-value against independent weeks; None with fewer than six.
    """

    log_ratio: np.ndarray
    drift_p: float | None

    @property
    def drifts(self) -> bool:
        return self.drift_p is not None and self.drift_p < DRIFT_P


def weekly_level(grid: Grid, made: Forecast) -> WeeklyLevel:
    """From forecasts that left each week out."""
    usable = made.fitted & np.isfinite(made.left_out)
    week = grid.week[usable] - 1
    n = int(grid.week[grid.history].max())
    actual = np.bincount(week, weights=grid.count[usable], minlength=n)
    expected = np.bincount(week, weights=made.left_out[usable], minlength=n)
    enough = np.bincount(week, minlength=n) >= grid.per_week / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log((actual + 0.5) / (expected + 0.5))
    known = int(enough.sum())
    # A week's own absence from its fit stretches its distance from the mean.
    ratio = np.where(enough, ratio * (known - 1) / max(known, 1), np.nan)
    drift_p = von_neumann(ratio[enough]) if known >= _FEWEST_WEEKS else None
    return WeeklyLevel(log_ratio=ratio, drift_p=drift_p)


def followed(grid: Grid, made: Forecast, level: WeeklyLevel, *, gain: float) -> Forecast:
    """`made`, with each block of weeks scaled by the level of the weeks before it."""
    ahead = np.exp(_before(level.log_ratio, 0, gain))
    factor = np.where(grid.week > 0, 1.0, ahead)
    out_of_sample = np.where(grid.history, np.nan, 1.0)
    for block in np.unique(grid.block[grid.block >= 0]):
        own = grid.block == block
        before = (block + 1) * grid.weeks_per_block
        if np.isfinite(level.log_ratio[before:]).sum() >= _FEWEST_BEFORE:
            factor[own] = np.exp(_before(level.log_ratio, before, gain))
            out_of_sample[own] = 1.0
    return replace(
        made,
        expected=made.expected * factor,
        left_out=made.left_out * factor * out_of_sample,
    )


def _before(log_ratio: np.ndarray, week: int, gain: float) -> float:
    """Exponentially weighted level of the weeks older than the first `week`."""
    older = log_ratio[week:]
    older = older[np.isfinite(older)]
    if len(older) == 0:
        return 0.0
    weights = gain * (1 - gain) ** np.arange(len(older))
    return float(np.sum(weights * older) / weights.sum())
