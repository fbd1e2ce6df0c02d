"""The time axis of a panel: evenly spaced periods, by number or by calendar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Refusal
from trustlib.interventions.panel import IntArray

_DAY_US = 86_400_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Periods:
    """Evenly spaced periods, ascending.

    Attributes
    ----------
    starts
        (n_periods,) int64, or datetime64[us].
    end
        Where the last period ends; for numbers, the next number of the axis.
    names
        (n_periods,) labels: "2004", "2026-03", "2026-03-02".
    """

    starts: np.ndarray
    end: np.generic
    names: tuple[str, ...]

    @property
    def dated(self) -> bool:
        return self.starts.dtype.kind == "M"

    def first_at(self, start: np.ndarray) -> tuple[IntArray, np.ndarray]:
        """First treated period of each start, and whether a start lies between two.

        A date belongs to the period that contains it. A number is an instant of observation:
        the first period at or after it. Starts before the first period give 0, starts after
        the last one n_periods.
        """
        n = len(self.starts)
        if self.dated:
            index = np.searchsorted(self.starts, start, side="right").astype(np.int64) - 1
        else:
            index = np.searchsorted(self.starts, start, side="left").astype(np.int64)
        index[start >= self.end] = n
        index = np.maximum(index, 0)
        inside = (index < n) & (start >= self.starts[0])
        between = inside & (self.starts[np.minimum(index, n - 1)] != start)
        return index, between


def periods(values: np.ndarray, *, column: str) -> Periods:
    """The axis of the ascending, distinct `values`, int64 or datetime64[us].

    Raises
    ------
    Refusal
        With a single period, or where the spacing is neither even nor even by calendar month.
    """
    if len(values) < 2:
        raise Refusal(
            "there is one period only: a difference over time needs two at least",
            where=f"column {column!r}",
            next_step="read a longer window",
        )
    steps = np.diff(values)
    if values.dtype.kind != "M":
        _even(steps, column)
        names = tuple(str(value) for value in values)
        return Periods(starts=values, end=values[-1] + steps[0], names=names)
    months = _months(values)
    if months is not None:
        _even(np.diff(months), column)
        return _monthly(values, months)
    _even(steps.astype(np.int64), column)
    whole = bool((values.astype(np.int64) % _DAY_US == 0).all())
    form = "%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S"
    names = tuple(pd.DatetimeIndex(values).strftime(form))
    return Periods(starts=values, end=values[-1] + steps[0], names=names)


def _months(values: np.ndarray) -> np.ndarray | None:
    """Months since 1970 where all dates are the same day of a month, or all its last day."""
    index = pd.DatetimeIndex(values)
    if (np.diff(values).astype(np.int64) < 28 * _DAY_US).any():
        return None
    clock = values.astype(np.int64) % _DAY_US
    if (clock != clock[0]).any():
        return None
    if not ((index.day == index.day[0]).all() or index.is_month_end.all()):
        return None
    return np.asarray(index.year * 12 + index.month, dtype=np.int64)


def _monthly(values: np.ndarray, months: np.ndarray) -> Periods:
    index = pd.DatetimeIndex(values)
    step = int(months[1] - months[0])
    end = index[-1] + pd.DateOffset(months=step)
    if index.is_month_end.all():
        end += pd.offsets.MonthEnd(0)
    first = bool((index.day == 1).all() and (index == index.normalize()).all())
    form = "%Y-%m-%d"
    if first:
        form = "%Y" if step % 12 == 0 and (index.month == 1).all() else "%Y-%m"
    last = np.asarray([end], dtype="datetime64[us]")[0]
    return Periods(starts=values, end=last, names=tuple(index.strftime(form)))


def _even(steps: np.ndarray, column: str) -> None:
    usual = steps.min()
    longer = int((steps != usual).sum())
    if longer:
        raise Refusal(
            f"time skips: {longer} of {len(steps)} steps from one period to the next differ "
            "from the shortest one, for every unit",
            where=f"column {column!r}",
            next_step="read the missing periods too, or number the periods one after another "
            "if the spacing is meant",
        )
