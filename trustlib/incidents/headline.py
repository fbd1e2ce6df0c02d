"""One choice of season, sized: the arithmetic that the headline and every alternative share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.incidents.counterfactual import (
    Forecast,
    PastWindows,
    Season,
    forecast,
    past_windows,
    whole_window_error,
)
from trustlib.incidents.grid import Grid
from trustlib.incidents.level import followed, weekly_level
from trustlib.stats.window_error import WindowError

_NOISE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Sized:
    """The excess under one choice.

    Attributes
    ----------
    actual, expected
        Totals over the window's counted buckets.
    error
        Of a whole window; None with fewer than three past windows.
    low, high
        Interval of the excess; None without `error`.
    """

    made: Forecast
    past: PastWindows
    error: WindowError | None
    actual: float
    expected: float
    low: float | None
    high: float | None

    @property
    def excess(self) -> float:
        return self.actual - self.expected

    @property
    def significant(self) -> bool:
        """The interval excludes zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def sized(grid: Grid, season: Season, *, level: float, gain: float | None = None) -> Sized:
    """Forecast the window with `season` and measure the forecast on past windows.

    With a `gain`, every week is forecast at the level of the weeks before it.
    """
    made = forecast(grid, season)
    if gain is not None:
        made = followed(grid, made, weekly_level(grid, made), gain=gain)
    return sized_from(grid, made, level=level)


def sized_from(grid: Grid, made: Forecast, *, level: float) -> Sized:
    """The excess, given a forecast."""
    past = past_windows(grid, counts=grid.count, expected=made.left_out, fitted=made.fitted)
    actual = float(grid.count[grid.present].sum())
    expected = float(made.expected[grid.present].sum())
    expected = float(on_quantum(np.array(expected), size=max(actual, expected)))
    expected = no_noise(expected, actual=actual)
    error = whole_window_error(past)
    margin = None if error is None else error.margin(expected, level=level)
    return Sized(
        made=made,
        past=past,
        error=error,
        actual=actual,
        expected=expected,
        low=None if margin is None else actual - expected - margin,
        # An expected count is never below zero, so the excess is never above the actual.
        high=None if margin is None else min(actual, actual - expected + margin),
    )


def no_noise(value: float, *, actual: float) -> float:
    """`actual` itself where `value` differs from it by the rounding of sums and logarithms."""
    return actual if abs(value - actual) <= _NOISE * max(abs(actual), 1.0) else value


def on_quantum(values: np.ndarray, *, size: float) -> np.ndarray:
    """`values` rounded to a power of two some 1e-15 of `size`.

    Sums and differences of such numbers, none larger than a few `size`, are exact in any
    order: parts can add up to their total to the last bit.
    """
    quantum = 2.0 ** (np.ceil(np.log2(max(size, 1.0))) - 49)
    return np.round(values / quantum) * quantum


def cumulative(grid: Grid, result: Sized, *, level: float) -> np.ndarray:
    """Excess since the start, and its interval, at every bucket; shape (n_buckets, 3).

    The interval at each bucket is that of a window that ends there, measured on past
    windows of the same length. NaN outside the window and where no interval is estimable.
    """
    out = np.full((len(grid.count), 3), np.nan)
    at = np.flatnonzero(grid.in_window)
    present = grid.present[at]
    actual = np.cumsum(np.where(present, np.nan_to_num(grid.count[at]), 0.0))
    expected = np.cumsum(np.where(present, result.made.expected[at], 0.0))
    out[at, 0] = actual - expected
    if result.error is None:
        return out
    errors = np.nancumsum(result.past.actual - result.past.expected, axis=1)
    totals = np.nancumsum(result.past.expected, axis=1)
    column = np.searchsorted(result.past.offsets, grid.offset[at], side="right") - 1
    size = (totals**2).sum(axis=0)
    over = (errors**2 - totals).sum(axis=0)
    tau_squared = np.maximum(0.0, np.divide(over, size, out=np.zeros_like(over), where=size > 0))
    tau_squared = np.where(column >= 0, tau_squared[np.maximum(column, 0)], 0.0)
    scale = result.error.margin(1.0, level=level) / result.error.standard_error(1.0)
    half = 0.5 / result.error.n
    margin = scale * np.sqrt(expected + half + tau_squared * expected**2)
    out[at, 1] = out[at, 0] - margin
    out[at, 2] = np.minimum(actual, out[at, 0] + margin)
    return out
