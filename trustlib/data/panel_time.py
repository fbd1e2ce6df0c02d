"""When a row's period begins, and when its unit was treated: refused wherever it would be a guess.

Times without an offset are labels of the query's zone and stay as they are. Times with an
offset become labels of that zone's calendar where all of them are midnights there, and UTC
where they are not: an hourly panel then has no hour twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trustlib.core import NoData, Refusal
from trustlib.data import clock
from trustlib.data.panel_periods import Labels, in_utc, midnights, on_calendar, read_labels
from trustlib.data.panel_records import PanelQuery

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
_FORMS = (
    "write whole numbers (2007), dates (2015-01-26), months (2024-03), quarters (2024-Q1) or ISO "
    "weeks (2024-W05), one way throughout"
)
_MOST = 50_000  # periods: hours of more than five years


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as its distinct labels and each row's place among them (-1: null); `ordered`
    where the place of a row means something to a reader (a file)."""

    labels: Any
    codes: IntArray
    ordered: bool

    def rows(self, chosen: BoolArray) -> BoolArray:
        """(n_rows,) True where the row's label is among `chosen`."""
        return np.append(chosen, False)[self.codes]

    def spread(self, values: npt.NDArray[Any], empty: Any) -> npt.NDArray[Any]:
        """(n_rows,) each row's value, `empty` where its label is null."""
        return np.append(values, np.array([empty], dtype=values.dtype))[self.codes]


@dataclass(frozen=True, eq=False)
class Times:
    """The time of each row.

    Attributes
    ----------
    kind
        "whole": `values` are int64. "date": datetime64[us], labels of `calendar`.
    calendar
        "local" (the query's zone) or "UTC"; dates only.
    values, there
        (n_rows,); and True where the row has a time.
    """

    kind: Literal["whole", "date"]
    calendar: Literal["local", "UTC"]
    values: npt.NDArray[Any]
    there: BoolArray


def times(column: Coded, query: PanelQuery) -> Times:
    """Read the time column.

    Raises
    ------
    Refusal
        Times that cannot be read, or are written in two ways that do not go together.
    NoData
        Every time is empty.
    """
    where = f"time_column: {query.time_column}"
    read = read_labels(column.labels)
    _readable(column, read, where, noun="time", allowed=("empty",))
    there = column.rows(read.form != "empty")
    if not there.any():
        raise NoData(
            "every time is empty",
            where=where,
            next_step="check the export, or name another column",
        )
    kind = _kind(column, read, where, noun="time")
    if int((read.form != "empty").sum()) > _MOST:
        raise Refusal(
            f"the time column holds more than {_MOST:,} different times: a panel has one row per "
            "unit and period",
            where=where,
            next_step="cut the times to periods (date_trunc) and aggregate in a .sql source",
        )
    if kind == "whole":
        _no_dates_as_numbers(read, where)
        return Times(
            kind="whole", calendar="local", values=column.spread(read.whole, 0), there=there
        )
    zone = clock.zone(query.timezone)
    at, calendar = read.at, "local"
    if (read.form == "aware").any():
        local = on_calendar(at, zone)
        if midnights(local[read.form == "aware"]):
            at = local
        else:
            calendar = "UTC"
    return Times(
        kind="date",
        calendar="UTC" if calendar == "UTC" else "local",
        values=column.spread(at, np.datetime64("NaT", "us")),
        there=there,
    )


@dataclass(frozen=True, eq=False)
class Starts:
    """The treatment start on each row: `values` float64 or datetime64[us], NaN or NaT = never;
    `infinite` and `zeros` count rows that say never in a word or, beside dates, as 0."""

    values: npt.NDArray[Any]
    infinite: int
    zeros: int


def starts(column: Coded, panel: Times, query: PanelQuery) -> Starts:
    """Read the treatment start, in the kind and on the calendar of the panel's times.

    Raises
    ------
    Refusal
        Starts that cannot be read, or are of another kind than the times.
    """
    where = f"treatment_start_column: {query.treatment_start_column}"
    read = read_labels(column.labels)
    zeros = 0
    if panel.kind == "date":
        zero = (read.form == "whole") & (read.whole == 0)
        zeros = int(column.rows(zero).sum())
        read = Labels(form=np.where(zero, "infinite", read.form), whole=read.whole, at=read.at)
    _readable(column, read, where, noun="treatment start", allowed=("empty", "infinite"))
    infinite = int(column.rows(read.form == "infinite").sum()) - zeros
    never = (read.form == "empty") | (read.form == "infinite")
    if not never.all():
        kind = _kind(column, read, where, noun="treatment start")
        if kind != panel.kind:
            said = {"whole": "whole numbers", "date": "dates"}
            raise Refusal(
                f"treatment starts are {said[kind]}, and times are {said[panel.kind]}",
                where=f"{where}, time_column: {query.time_column}",
                next_step="write a unit's start as the time of its first treated period",
            )
    if panel.kind == "whole":
        whole = np.where(never, np.nan, read.whole.astype(float))
        return Starts(values=column.spread(whole, np.nan), infinite=infinite, zeros=0)
    at = read.at.copy()
    zone = clock.zone(query.timezone)
    aware, naive = read.form == "aware", (read.form == "naive")
    if panel.calendar == "local":
        at[aware] = on_calendar(at[aware], zone)
    else:
        at[naive] = in_utc(at[naive], zone)
    return Starts(
        values=column.spread(at, np.datetime64("NaT", "us")), infinite=infinite, zeros=zeros
    )


def cut_off(panel: Times, query: PanelQuery) -> BoolArray:
    """(n_rows,) True where the period starts at or after ``as_of``; never for whole numbers."""
    if query.as_of is None or panel.kind == "whole":
        return np.zeros(len(panel.values), dtype=bool)
    return np.asarray(panel.values >= label_of_as_of(panel, query), dtype=bool)


def label_of_as_of(panel: Times, query: PanelQuery) -> np.datetime64:
    """``as_of`` on the calendar of the panel's times."""
    assert query.as_of is not None
    zone = clock.zone(query.timezone) if panel.calendar == "local" else UTC
    return np.datetime64(query.as_of.astimezone(zone).replace(tzinfo=None), "us")


_FAULTS = {
    "infinite": ("infinite", "find where they come from: often a division by zero"),
    "fraction": ("not whole", "number the periods in whole steps, or write dates"),
    "unreadable": ("neither whole numbers nor dates", _FORMS),
}


def _readable(
    column: Coded, read: Labels, where: str, *, noun: str, allowed: tuple[str, ...]
) -> None:
    for form, (what, step) in _FAULTS.items():
        bad = column.rows(read.form == form)
        n = int(bad.sum())
        if n and form not in allowed:
            are = f"1 {noun} is" if n == 1 else f"{n:,} {noun}s are"
            if column.ordered:
                where += f", first in row {int(np.flatnonzero(bad)[0]) + 1:,} below the header"
            raise Refusal(f"{are} {what}", where=where, next_step=step)


def _kind(column: Coded, read: Labels, where: str, *, noun: str) -> Literal["whole", "date"]:
    n = {form: int(column.rows(read.form == form).sum()) for form in ("whole", "naive", "aware")}
    if n["whole"] and n["naive"] + n["aware"]:
        raise Refusal(
            f"{n['whole']:,} {noun}s are whole numbers and {n['naive'] + n['aware']:,} are dates",
            where=where,
            next_step=_FORMS,
        )
    if n["naive"] and n["aware"]:
        raise Refusal(
            f"{n['aware']:,} {noun}s carry an offset from UTC and {n['naive']:,} do not",
            where=where,
            next_step="write all of them with an offset, or none",
        )
    return "whole" if n["whole"] else "date"


def _no_dates_as_numbers(read: Labels, where: str) -> None:
    """Refuse 202411 … 202502, whose steps are 1 and 89: months, and no whole numbers."""
    whole = read.whole[read.form == "whole"]
    years, months = whole // 100, whole % 100
    spread = int(years.max() - years.min())
    what = None
    if whole.min() >= 190_000 and whole.max() < 220_000 and spread:
        if ((months >= 1) & (months <= 12)).all():
            what = "months without a dash"
    elif whole.min() >= 19_000_000 and whole.max() < 22_000_000 and spread:
        if ((months >= 1) & (months <= 31) & (years % 100 >= 1) & (years % 100 <= 12)).all():
            what = "dates without dashes"
    elif whole.min() >= 10**8:
        what = "seconds or milliseconds since 1970"
    if what:
        raise Refusal(
            f"times are whole numbers that look like {what}: their steps are not one period",
            where=where,
            next_step=_FORMS,
        )
