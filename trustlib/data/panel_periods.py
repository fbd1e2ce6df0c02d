"""Periods as people write them: whole numbers, dates, months, quarters, weeks.

A panel has few distinct labels, so they are read here one by one and not in the engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

Form = Literal["whole", "naive", "aware", "empty", "infinite", "fraction", "unreadable"]
# How programs write that there is nothing.
MISSING = ("", "na", "n/a", "nan", "nat", "null", "none", "\\n", ".")
_INFINITE = ("inf", "+inf", "infinity", "+infinity", "never")
_NUMBER = re.compile(r"[+-]?(?:\d{1,18}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?\Z")
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?)"
    r"(Z|z| UTC|[+-]\d{2}(?::?\d{2})?)?\Z"
)
_MONTH = re.compile(r"(\d{4})(?:-|[mM])(\d{1,2})\Z")
_QUARTER = re.compile(r"(\d{4})[- ]?[qQ]([1-4])\Z")
_WEEK = re.compile(r"(\d{4})-?[wW](\d{1,2})\Z")
_EXACT = 2**53  # whole numbers that a float holds


@dataclass(frozen=True, eq=False)
class Labels:
    """Distinct labels as they were read.

    Attributes
    ----------
    form
        (k,) object: a `Form` each.
    whole
        (k,) int64, where the form is "whole".
    at
        (k,) datetime64[us]: the label of a naive one, the UTC instant of an aware one.
    """

    form: npt.NDArray[np.object_]
    whole: npt.NDArray[np.int64]
    at: npt.NDArray[np.datetime64]


def read_labels(labels: Any) -> Labels:
    """Read the distinct `labels` (a pyarrow array of text, numbers or timestamps)."""
    import pyarrow as pa

    kind = labels.type
    if pa.types.is_timestamp(kind):
        at = labels.cast(pa.int64()).to_numpy(zero_copy_only=False).astype("datetime64[us]")
        form = np.full(len(at), "aware" if kind.tz else "naive", dtype=object)
        return Labels(form=form, whole=np.zeros(len(at), np.int64), at=at)
    if pa.types.is_integer(kind):
        whole = labels.to_numpy(zero_copy_only=False).astype(np.int64)
        return Labels(form=np.full(len(whole), "whole", object), whole=whole, at=_no_times(whole))
    if pa.types.is_floating(kind):
        return _floats(labels.to_numpy(zero_copy_only=False).astype(float))
    return read_texts(labels.to_pylist())


def _no_times(beside: npt.NDArray[Any]) -> npt.NDArray[np.datetime64]:
    return np.full(len(beside), "NaT", dtype="datetime64[us]")


def _floats(values: npt.NDArray[np.float64]) -> Labels:
    form = np.full(len(values), "fraction", dtype=object)
    with np.errstate(invalid="ignore"):
        fits = np.isfinite(values) & (np.abs(values) < _EXACT) & (values == np.floor(values))
    form[fits] = "whole"
    form[np.isnan(values)] = "empty"
    form[values == np.inf] = "infinite"
    form[values == -np.inf] = "unreadable"
    return Labels(form=form, whole=np.where(fits, values, 0).astype(np.int64), at=_no_times(values))


def read_texts(labels: Sequence[str]) -> Labels:
    """Read labels that are text: of a CSV file, or of a params file."""
    n = len(labels)
    form = np.full(n, "unreadable", dtype=object)
    whole, at = np.zeros(n, np.int64), np.full(n, "NaT", dtype="datetime64[us]")
    for i, label in enumerate(labels):
        text = label.strip()
        if _NUMBER.match(text):
            found = _floats(np.array([float(text)]))
            form[i], whole[i] = found.form[0], found.whole[0]
            if text.lstrip("+-").isdigit():  # beyond 2^53 a float is not exact
                form[i], whole[i] = "whole", int(text)
        elif text.lower() in MISSING:
            form[i] = "empty"
        elif text.lower() in _INFINITE:
            form[i] = "infinite"
        else:
            form[i], at[i] = _dated(text)
    return Labels(form=form, whole=whole, at=at)


def _dated(text: str) -> tuple[Form, np.datetime64]:
    """A date, time, month, quarter or week; not a time where it is not on the calendar."""
    try:
        for pattern, first in _CALENDAR:
            found = pattern.match(text)
            if found:
                year, part = int(found[1]), int(found[2])
                return "naive", np.datetime64(first(year, part).isoformat(), "us")
        found = _TIME.match(text)
        if found is None:
            return "unreadable", np.datetime64("NaT", "us")
        zone = (found[2] or "").strip().upper().replace("UTC", "Z")
        if zone[1:].isdigit() and len(zone) == 3:
            zone += ":00"
        # Nine digits of a second are more than Python reads, six are more than a period needs.
        read = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", found[1]) + zone)
        if read.tzinfo is None:
            return "naive", np.datetime64(read, "us")
        return "aware", np.datetime64(read.astimezone(UTC).replace(tzinfo=None), "us")
    except (ValueError, OverflowError):
        return "unreadable", np.datetime64("NaT", "us")


def _quarter(year: int, quarter: int) -> date:
    return date(year, 3 * quarter - 2, 1)


def _month(year: int, month: int) -> date:
    return date(year, month, 1)


def _week(year: int, week: int) -> date:
    return date.fromisocalendar(year, week, 1)


_CALENDAR: tuple[tuple[re.Pattern[str], Callable[[int, int], date]], ...] = (
    (_MONTH, _month),
    (_QUARTER, _quarter),
    (_WEEK, _week),
)


def on_calendar(at: npt.NDArray[np.datetime64], zone: ZoneInfo) -> npt.NDArray[np.datetime64]:
    """UTC instants as labels of `zone`'s calendar and clock."""
    labels = pd.DatetimeIndex(at).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return labels.to_numpy().astype("datetime64[us]")


def in_utc(at: npt.NDArray[np.datetime64], zone: ZoneInfo) -> npt.NDArray[np.datetime64]:
    """Labels of `zone`'s clock in UTC, the earlier instant where one label has two."""
    instants = [
        label.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None) for label in at.tolist()
    ]
    return np.array(instants, dtype="datetime64[us]")


def midnights(at: npt.NDArray[np.datetime64]) -> bool:
    """True where every one of `at` is the beginning of a day."""
    return bool((at == at.astype("datetime64[D]")).all())
