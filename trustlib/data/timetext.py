"""How the time column is written, and whether it can be read without guessing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from trustlib.core import NoData, Refusal
from trustlib.data.engine import profile
from trustlib.data.records import CountsQuery

_ISO_HINT = "write times as 2015-01-26 12:00:00, or with an offset 2015-01-26T12:00:00-05:00"
# Below this share, rows whose time cannot be read are left out with a warning.
_TOLERATED = 0.001


@dataclass(frozen=True)
class TimeForm:
    """What the time column holds.

    Attributes
    ----------
    aware
        True where the times carry an offset (or the type is zoned): nothing to resolve.
    nulls, unreadable
        Rows left out because the time is empty, or is not a time.
    """

    aware: bool
    nulls: int
    unreadable: int


def time_form(table: Any, query: CountsQuery) -> TimeForm:
    """Read off the form of the time column.

    Raises
    ------
    Refusal
        The column mixes aware and naive times, or too many cannot be read.
    NoData
        Every time is empty.
    """
    where = f"time_column: {query.time_column}"
    kind = profile.time_type(table)
    if kind == "text":
        return _text(profile.text_forms(table), where)
    nulls = profile.nulls(table, "time")
    if nulls["nulls"] == nulls["rows"]:
        raise _no_times(where)
    return TimeForm(aware=kind == "aware", nulls=nulls["nulls"], unreadable=0)


def _no_times(where: str) -> NoData:
    return NoData(
        "every time is empty", where=where, next_step="check the export, or name another column"
    )


def _text(forms: dict[str, int], where: str) -> TimeForm:
    rows, nulls = forms["rows"], forms["nulls"]
    read = forms["naive"] + forms["aware"]
    unreadable = rows - nulls - read
    if nulls == rows:
        raise _no_times(where)
    if forms["naive"] and forms["aware"]:
        raise Refusal(
            f"{forms['aware']:,} times carry an offset from UTC and {forms['naive']:,} do not",
            where=where,
            next_step="write all of them with an offset, or none",
        )
    if forms["digits"] and forms["digits"] >= unreadable / 2:
        raise Refusal(
            f"{forms['digits']:,} times are bare numbers (epoch seconds or milliseconds?)",
            where=where,
            next_step='convert them (pandas: pd.to_datetime(column, unit="s" or "ms", utc=True)); '
            + _ISO_HINT,
        )
    _tolerable(unreadable, rows, where)
    return TimeForm(
        aware=forms["aware"] > 0,
        nulls=nulls,
        unreadable=unreadable,
    )


def _tolerable(unreadable: int, rows: int, where: str) -> None:
    if unreadable > _TOLERATED * rows:
        raise Refusal(
            f"{unreadable:,} of {rows:,} rows have a time that is not ISO 8601 or not on the "
            "calendar",
            where=where,
            next_step=_ISO_HINT,
        )


def settled(form: TimeForm, days: pd.DataFrame, query: CountsQuery) -> TimeForm:
    """`form` once every time was read: 31 June has the right shape and is no time all the same.

    Raises
    ------
    Refusal
        Too many cannot be read.
    """
    unreadable, rows = int(days["unreadable"].sum()), int(days["n"].sum())
    _tolerable(unreadable, rows, f"time_column: {query.time_column}")
    return replace(form, nulls=int(days["empty"].sum()), unreadable=unreadable)
