"""The counterfactual bucket by bucket: what figures draw."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized, cumulative


def counterfactual_table(on: Grid, result: Sized, *, level: float) -> pd.DataFrame:
    """One row per bucket; columns as in `SizingResult.counterfactual`."""
    low, high = _bucket_interval(on, result, level=level)
    running = cumulative(on, result, level=level)
    return pd.DataFrame(
        {
            "bucket_start_at": on.start_at,
            "actual": on.count,
            "expected": result.made.expected,
            "low": low,
            "high": high,
            "in_window": on.in_window,
            "excluded": on.excluded,
            "fitted": result.made.fitted,
            "cumulative_excess": running[:, 0],
            "cumulative_low": running[:, 1],
            "cumulative_high": running[:, 2],
        }
    )


def _bucket_interval(on: Grid, result: Sized, *, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Where a single quiet bucket's count falls: gamma-mixed Poisson quantiles.

    NaN where the history is too short for any interval.
    """
    from scipy.stats import nbinom

    usable = result.made.fitted & np.isfinite(result.made.left_out)
    if result.error is None or not usable.any():
        empty = np.full(len(on.count), np.nan)
        return empty, empty
    y, m = on.count[usable], result.made.left_out[usable]
    alpha = max(1e-9, float(np.sum((y - m) ** 2 - m) / max(np.sum(m**2), 1e-12)))
    mean, back = np.unique(np.maximum(result.made.expected, 1e-9), return_inverse=True)
    n = 1 / alpha
    tail = (1 - level) / 2
    low, high = (nbinom.ppf(q, n, n / (n + mean))[back] for q in (tail, 1 - tail))
    return low, high
