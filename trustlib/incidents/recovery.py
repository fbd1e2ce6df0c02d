"""When counts were back: not the end of a step alone, but the return to the season."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Buckets that follow, most of which must lie inside the interval of a single bucket.
_NEXT = 24
# Of them, so many must have been counted before a later return is said; of days, one.
_FEWEST = 6


def settled_at(table: pd.DataFrame, *, step_end: int | None, daily: bool) -> int | None:
    """Position of the first bucket from `step_end` on where counts are back in season.

    A step that ends may lead into another (a wild night, then a quiet holiday), and where the
    counts stop nothing ended. So most of the next 24 counted buckets must lie inside the
    interval of a single bucket; the first position of which that holds is the return.

    Parameters
    ----------
    table
        `counterfactual_table`: actual, low, high.
    step_end
        Where the deviation's step ends; None where it is still open.

    Returns
    -------
    int | None
        None where the counts never return, or none follow.
    """
    if step_end is None:
        return None
    actual = table["actual"].to_numpy()
    counted = np.flatnonzero(np.isfinite(actual) & np.isfinite(table["low"].to_numpy()))
    counted = counted[counted >= step_end]
    inside = table["actual"].between(table["low"], table["high"]).to_numpy()[counted]
    fewest = 1 if daily else _FEWEST
    for i, position in enumerate(counted):
        after = inside[i : i + _NEXT]
        first = i == 0
        if (first or (inside[i] and len(after) >= fewest)) and after.mean() >= 0.5:
            return step_end if first else int(position)
    return None
