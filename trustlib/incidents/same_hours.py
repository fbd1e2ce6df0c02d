"""The cross-check without a model: the same hours of previous weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from trustlib.core import format
from trustlib.incidents.counterfactual import Forecast, past_windows
from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import no_noise
from trustlib.incidents.spec import SizingSpec
from trustlib.stats.window_error import t_quantile

_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class SameHours:
    """Totals of the incident's hours in past weeks, and what they foretell.

    Attributes
    ----------
    totals
        Shape (n_blocks,). A total with missing buckets is scaled up by their expected share.
    expected
        Mean of the log-normal that fits them.
    low, high
        Prediction interval for one more total; None with fewer than three.
    """

    totals: np.ndarray
    expected: float
    low: float | None
    high: float | None


def earlier(n: int, spec: SizingSpec) -> str:
    """``9 earlier weeks``; of a window longer than a week, ``4 earlier windows``."""
    return format.plural(n, "earlier week" if spec.incident.duration <= _WEEK else "earlier window")


def same_hours(grid: Grid, made: Forecast, *, level: float) -> SameHours:
    """Log-t prediction of the incident's total from the same hours of past weeks.

    Notes
    -----
    A past window that misses a bucket is scaled up by that bucket's expected share. Where
    a total is below 10, one half is added before the logarithm, and taken off again.
    """
    past = past_windows(grid, counts=grid.count, expected=made.expected, fitted=made.fitted)
    at = np.searchsorted(past.offsets, grid.offset[grid.present])
    profile = np.bincount(at, weights=made.expected[grid.present], minlength=len(past.offsets))
    have = np.isfinite(past.actual)
    weight = profile.sum()
    share = (have * profile).sum(axis=1) / weight if weight > 0 else have.mean(axis=1)
    totals = np.nansum(past.actual, axis=1) / np.where(share > 0, share, 1.0)
    shift = 0.5 if len(totals) and totals.min() < 10 else 0.0
    logged = np.log(totals + shift)
    n = len(totals)
    if n == 0:
        return SameHours(totals=totals, expected=float("nan"), low=None, high=None)
    if n < 3:
        return SameHours(totals=totals, expected=float(totals.mean()), low=None, high=None)
    middle, spread = float(logged.mean()), float(logged.std(ddof=1))
    margin = t_quantile(0.5 + level / 2, n - 1) * spread * np.sqrt(1 + 1 / n)
    low = max(0.0, float(np.exp(middle - margin)) - shift)
    high = max(0.0, float(np.exp(middle + margin)) - shift)
    expected = max(0.0, float(np.exp(middle + spread**2 / 2)) - shift)
    expected = float(np.clip(expected, low, high))
    # Weeks that are all alike come back from the logarithm a rounding away.
    alike = float(totals[0])
    low, expected, high = (no_noise(value, actual=alike) for value in (low, expected, high))
    return SameHours(totals=totals, expected=expected, low=low, high=high)
