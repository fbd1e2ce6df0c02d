"""The season of a series by its calendar: columns that take it out, where it is long enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trustlib.interventions.panel import FloatArray

FULL_CYCLES = 3  # before the start
_WAVES = 2
_WEEKS = 365.25 / 7


def seasons(period_names: Sequence[str], n_pre: int) -> tuple[FloatArray, str]:
    """(n_periods, n_columns) and what they are, for a reader; no columns where none are due.

    Days take weekdays, months and quarters their place in the year, weeks two yearly waves, hours
    of the day their place in it. Numbered periods have no calendar. Three full cycles must lie
    before the start, or a season cannot be told from a trend.
    """
    n = len(period_names)
    none = np.empty((n, 0))
    dates = _dates(period_names)
    if dates is None:
        return none, "none: periods are numbered"
    step = float(np.median(np.diff(dates.to_numpy()).astype("timedelta64[s]").astype(float))) / 3600
    if abs(step - 24 * 7) < 1:
        if n_pre < FULL_CYCLES * _WEEKS:
            return none, _short("years")
        turn = 2 * np.pi * np.arange(n) / _WEEKS
        waves = [f(turn * k) for k in range(1, _WAVES + 1) for f in (np.sin, np.cos)]
        return np.column_stack(waves), "two yearly waves"
    place, cycle, name, cycles = _place(dates, step)
    if not cycle:
        return none, "none: no weekly or yearly cycle at this spacing"
    if n_pre < FULL_CYCLES * cycle:
        return none, _short(cycles)
    columns = (place[:, None] == np.unique(place)[1:]).astype(float)
    return columns - columns.mean(axis=0), name


def _short(cycles: str) -> str:
    return f"none: fewer than {FULL_CYCLES} full {cycles} before the start"


def _place(dates: pd.DatetimeIndex, step: float) -> tuple[np.ndarray, int, str, str]:
    if step < 24 and (24 / step).is_integer() and step >= 1:
        return np.asarray(dates.hour), round(24 / step), "hours of the day", "days"
    if step == 24:
        return np.asarray(dates.day_of_week), 7, "weekdays", "weeks"
    if 28 * 24 <= step <= 31 * 24:
        return np.asarray(dates.month), 12, "months of the year", "years"
    if 89 * 24 <= step <= 92 * 24:
        return np.asarray(dates.quarter), 4, "quarters of the year", "years"
    return np.zeros(len(dates)), 0, "", ""


def _dates(names: Sequence[str]) -> pd.DatetimeIndex | None:
    if len(names) < 2 or not all("-" in name[1:] for name in names):
        return None
    try:
        return pd.DatetimeIndex(pd.to_datetime(list(names), format="ISO8601"))
    except ValueError:
        return None
