"""A period as a params file names it, found on the panel's own axis."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np
import pandas as pd

from trustlib.core import Refusal
from trustlib.data.panel_periods import read_texts
from trustlib.interventions.periods import Periods
from trustlib.interventions.synth.spec import PeriodLabel

_WHOLE = re.compile(r"[+-]?\d{1,18}\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_CLOCK = re.compile(r"\d{4}-\d{2}-\d{2}[T ]")
_AS_WRITTEN = "write the period as the time column does"


def place(
    label: PeriodLabel, axis: Periods, *, where: str, edge: Literal["first", "last"] = "first"
) -> tuple[int, bool]:
    """Position of `label` on `axis`, and whether it lies inside a period and not at its start.

    A number is a period's own. A date belongs to the period that contains it. A month, quarter
    or week that holds several periods stands for its first or its last one, as `edge` says.

    Raises
    ------
    Refusal
        A label that is not on the axis, or of another kind than its periods.
    """
    text = str(label).strip()
    if text in axis.names:
        return axis.names.index(text), False
    if not axis.dated:
        return _numbered(text, axis, where), False
    if _WHOLE.match(text):
        raise Refusal(
            f"{text} is a whole number, and the periods are dates",
            where=where,
            next_step='write a date, for example "2026-01-05"',
        )
    read = read_texts([text])
    if read.form[0] == "aware":
        raise Refusal(
            f"{text!r} carries an offset from UTC, and periods are dates on one calendar",
            where=where,
            next_step="write the date without the offset, as the report's time axis shows it",
        )
    if read.form[0] != "naive":
        raise Refusal(f"{text!r} is no date", where=where, next_step=_AS_WRITTEN)
    return _dated(text, read.at[0], axis, where, edge)


def _numbered(text: str, axis: Periods, where: str) -> int:
    if not _WHOLE.match(text):
        raise Refusal(
            f"{text!r} is no whole number, and the periods are whole numbers",
            where=where,
            next_step=_AS_WRITTEN,
        )
    value = int(text)
    _inside(text, value < axis.starts[0], value > axis.starts[-1], where)
    index = int(np.searchsorted(axis.starts, value))
    if axis.starts[index] != value:
        raise Refusal(f"{text} lies between two periods", where=where, next_step=_AS_WRITTEN)
    return index


def _dated(
    text: str, at: np.datetime64, axis: Periods, where: str, edge: Literal["first", "last"]
) -> tuple[int, bool]:
    end = _end(text, at)
    within = np.flatnonzero((axis.starts >= at) & (axis.starts < end))
    _inside(
        text,
        not len(within) and bool(at < axis.starts[0]),
        not len(within) and bool(np.greater_equal(at, axis.end)),
        where,
    )
    if len(within) == 1 or (len(within) and _DAY.match(text) and edge == "first"):
        return int(within[0]), False
    if not len(within):
        return int(np.searchsorted(axis.starts, at, side="right")) - 1, True
    # Several periods: the label's ends have to be those of periods.
    edges = np.append(axis.starts, axis.end)
    if (at if edge == "first" else end) not in edges:
        raise Refusal(
            f"{text!r} holds several periods, and none of them "
            f"{'starts' if edge == 'first' else 'ends'} with it",
            where=where,
            next_step="write the date of one period",
        )
    return int(within[0] if edge == "first" else within[-1]), False


def _end(text: str, at: np.datetime64) -> np.datetime64:
    """Where the span that `text` names is over; an instant is over at once."""
    if _CLOCK.match(text):
        return at + np.timedelta64(1, "us")
    kind = text.lower()
    months = 3 if "q" in kind else 1
    step: Any = pd.DateOffset(days=1) if _DAY.match(text) else pd.DateOffset(months=months)
    if "w" in kind:
        step = pd.DateOffset(days=7)
    return np.datetime64(pd.Timestamp(at) + step, "us")


def _inside(text: str, before: bool, after: bool, where: str) -> None:
    if before or after:
        raise Refusal(
            f"{text} lies {'before the first' if before else 'after the last'} period of the panel",
            where=where,
            next_step="check the label, or read a longer window",
        )
