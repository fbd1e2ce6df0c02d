"""A time axis on a local clock: few ticks, at whole hours or midnights, with readable labels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MINUTES = (10, 30)
_HOURS = (1, 2, 3, 6, 12, 24, 48, 24 * 7, 24 * 14)


def local_axis(ax: Axes, start: datetime, end: datetime, timezone: str, *, most: int = 6) -> None:
    """Limit the x axis of `ax` to ``[start, end]`` and mark it on the clock of `timezone`."""
    from matplotlib.dates import date2num

    marks = ticks(start, end, timezone, most=most)
    ax.set_xlim(date2num(start), date2num(end))
    ax.set_xticks([date2num(at) for at, _ in marks], [label for _, label in marks])
    between = ticks(start, end, timezone, most=24)
    ax.set_xticks([date2num(at) for at, _ in between], minor=True)


def ticks(
    start: datetime, end: datetime, timezone: str, *, most: int = 6
) -> list[tuple[datetime, str]]:
    """At most `most` instants (UTC) with their labels, from hours to months as the span asks."""
    zone = ZoneInfo(timezone)
    for minutes in (*_MINUTES, *(60 * hours for hours in _HOURS)):
        marks = list(_clock(start, end, zone, minutes))
        if len(marks) <= most:
            return [(at, _label(at.astimezone(zone), long=len(marks) <= 4)) for at in marks]
    months = _months(start, end, zone)
    every = -(-len(months) // most)
    return [(at, _month(at.astimezone(zone))) for at in months[::every]]


def _clock(start: datetime, end: datetime, zone: ZoneInfo, minutes: int) -> Iterator[datetime]:
    """Instants at whole multiples of `minutes` on the local clock; weeks start on Monday."""
    days = minutes // (24 * 60)
    first = start.astimezone(zone).date()
    day = first - timedelta(days=first.weekday() if days >= 7 else 0)
    last = end.astimezone(zone).date()
    while day <= last:
        for minute in range(0, 24 * 60, minutes) if days < 1 else (0,):
            hour, rest = divmod(minute, 60)
            at = datetime(day.year, day.month, day.day, hour, rest, tzinfo=zone).astimezone(UTC)
            if start <= at <= end:
                yield at
        day += timedelta(days=max(1, days))


def _months(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    first, last = start.astimezone(zone), end.astimezone(zone)
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    days = [date(number // 12, number % 12 + 1, 1) for number in numbers]
    found = [datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC) for d in days]
    return [at for at in found if start <= at <= end]


def _label(local: datetime, *, long: bool) -> str:
    if (local.hour, local.minute) != (0, 0):
        return f"{local:%H:%M}"
    text = f"{local.day} {_MONTHS[local.month - 1]}"
    return f"{_DAYS[local.weekday()]} {text}" if long else text


def _month(local: datetime) -> str:
    return f"{_MONTHS[local.month - 1]} {local.year}"
