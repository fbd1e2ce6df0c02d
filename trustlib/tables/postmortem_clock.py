"""Tables of when: the timeline and the durations; and of who does what next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.postmortem.result import Postmortem
from trustlib.postmortem.spec import ActionItem
from trustlib.tables import house
from trustlib.tables.postmortem_words import absent, amount, empty, level, link, name

_WHERE = {
    "stated": "stated in params",
    "estimated": "estimated from the counts",
    "timeline": "timeline in params",
    "change log": "change log",
}


def timeline(result: Postmortem) -> View:
    """Every event in UTC and on the local clock, with its source, and how long each step took."""
    if absent(result, "timeline"):
        return empty()
    return stack([_events(result), _durations(result)])


def _events(result: Postmortem) -> View:
    timezone = result.spec.sizing.timezone
    rows = []
    year = _year(result)
    for _, row in result.timeline.iterrows():
        clocks = _clocks(row["at"], timezone, year=year is None)
        what = short(row["event"], 200) + _between(result, row)
        where = _WHERE.get(str(row["kind"]), clean(row["kind"]))
        rows.append((*clocks, what, where, link(row["link"])))
    columns = (*_heads(timezone), "What", "Where from", "Link")
    caption = "What happened when" if year is None else f"What happened when in {year}"
    return house.table(rows, columns=columns, caption=caption)


def _year(result: Postmortem) -> int | None:
    """The one year in which everything happened, on either clock; None: there are several."""
    at = result.timeline["at"].dropna()
    local = at.dt.tz_convert(result.spec.sizing.timezone)
    years = {*at.dt.year, *local.dt.year}
    return int(years.pop()) if len(years) == 1 else None


def _between(result: Postmortem, row: pd.Series) -> str:
    """The interval of the estimated start, behind its event."""
    onset = result.sizing.onset.iloc[0]
    known = not pd.isna(onset["low_at"]) and not pd.isna(onset["high_at"])
    if row["kind"] != "estimated" or row["at"] != onset["estimated_at"] or not known:
        return ""
    ends = [show.instant(onset[end], result.spec.sizing.timezone, year=False) for end in _ENDS]
    if ends[0] == ends[1]:
        return ""
    return f" ({level(result)}: {ends[0]} to {ends[1]})"


_ENDS = ("low_at", "high_at")


def _durations(result: Postmortem) -> View:
    timezone, rows = result.spec.sizing.timezone, []
    year = _year(result) is None
    for _, row in result.durations.iterrows():
        estimate = result.estimates.get(str(row["name"]))
        told = ("not estimable", "not estimable")
        if estimate is not None:
            told = amount(str(row["name"]), estimate)
        span = " to ".join(_at(row[end], timezone, year=year) for end in ("from_at", "to_at"))
        if pd.isna(row["from_at"]) or pd.isna(row["to_at"]):
            span = "not stated"
        rows.append(
            (name(row["name"]).removesuffix(", hours"), *told, span, clean(row["definition"]))
        )
    columns = ("Duration", "Hours", level(result), f"From, to ({show.zone_name(timezone)})",
               "What it means")  # fmt: skip
    return house.table(rows, columns=columns, caption="How long it took", numeric=columns[1:3])


def actions(result: Postmortem) -> View:
    """What is to be done, by whom and until when, the open ones first."""
    if absent(result, "actions"):
        return empty()
    items = sorted(result.spec.actions, key=lambda one: (one.status == "done", one.due))
    rows = [
        (
            short(one.title, 200), _status(result, one), show.day(_noon(one.due)),
            short(one.owner, 60), one.type, short(one.check, 200), link(one.link),
        )
        for one in items
    ]  # fmt: skip
    columns = ("Action", "Status", "Due", "Owner", "Type", "How one sees that it is done", "Link")
    left = sum(one.status != "done" for one in items)
    return house.table(rows, columns=columns, caption=f"Actions: {left:,} open of {len(items):,}")


def _status(result: Postmortem, one: ActionItem) -> str:
    """Open, done, or overdue by the day as of which the record is."""
    late = result.as_of is not None and one.due < result.as_of.date()
    return "overdue" if late and one.status != "done" else one.status


def _noon(due: Any) -> datetime:
    """A day has no clock; noon in UTC is that day in the table."""
    from datetime import UTC

    return datetime(due.year, due.month, due.day, 12, tzinfo=UTC)


def _heads(timezone: str) -> tuple[str, ...]:
    zone = show.zone_name(timezone)
    return ("UTC",) if zone == "UTC" else (zone, "UTC")


def _clocks(at: datetime, timezone: str, *, year: bool) -> tuple[str, ...]:
    utc = _at(at, "UTC", year=year)
    return (utc,) if show.zone_name(timezone) == "UTC" else (_at(at, timezone, year=year), utc)


def _at(at: Any, timezone: str, *, year: bool) -> str:
    return "–" if pd.isna(at) else show.instant(at, timezone, year=year)
