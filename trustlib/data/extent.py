"""How far the rows reach, how far the grid goes, and whether the window lies on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from trustlib.core import NoData, Refusal
from trustlib.data import clock as clocks
from trustlib.data.clock import Clock, instant, seconds
from trustlib.data.engine import profile
from trustlib.data.grid import BUCKETS, MAX_BUCKETS, Grid, ceiling, floor, grid
from trustlib.data.records import CountsQuery

_DAY = 86400
_CENTURY = 36525 * _DAY
_STRAY_GAP = 30  # days of nothing that set a few rows apart from the rest
_STRAY_SHARE = 200  # and "a few" is at most one row in so many


@dataclass(frozen=True)
class Native:
    """Spacing of ready counts: seconds, its name, and where in it the labels stand."""

    seconds: int
    name: str
    phase: int
    irregular: int


@dataclass(frozen=True)
class Extent:
    """The stretch that is looked at.

    Attributes
    ----------
    clock, grid
        The zone's clock and the buckets.
    data_first, data_last
        First instant in the rows and the end of the last, UTC seconds; strays left out.
    asked_first
        Where the history was asked to start (rounded up to a bucket), None: not asked.
    strays_early, strays_late
        Rows far from all others, before and after.
    as_of
        UTC second, or None.
    """

    clock: Clock
    grid: Grid
    data_first: int
    data_last: int
    asked_first: int | None
    strays_early: int
    strays_late: int
    as_of: int | None


def spacing_name(length: int) -> str:
    """``30min`` from 1800."""
    for size, unit in ((_DAY, "d"), (3600, "h"), (60, "min")):
        if length % size == 0:
            return f"{length // size}{unit}"
    return f"{length}s"


def native(rows: Any, query: CountsQuery, zone: Clock, *, aware: bool) -> Native:
    """The spacing of ready counts: the commonest difference of neighbouring labels.

    Raises
    ------
    Refusal
        Labels too irregular, or coarser than the bucket, or not dividing it.
    NoData
        Fewer than two distinct labels.
    """
    steps = profile.spacings(rows)
    where = f"time_column: {query.time_column}, bucket: {query.bucket}"
    if steps.empty:
        raise NoData(
            "the counts have fewer than two different times: no spacing can be told",
            where=where,
            next_step="check the export; set count_column: null if one row is one event",
        )
    step, n = int(steps["step"].iloc[0]), int(steps["n"].iloc[0])
    total = int(steps["total"].iloc[0])
    if n < total / 2:
        raise Refusal(
            f"the counts have no regular spacing: {n:,} of {total:,} steps are the commonest one",
            where=where,
            next_step="set count_column: null if one row is one event, "
            "or sum the counts to a regular grid in a .sql source",
        )
    width, name = BUCKETS[query.bucket], spacing_name(step)
    if step > width:
        fits = next((b for b, size in BUCKETS.items() if size % step == 0 and size >= step), None)
        raise Refusal(
            f"the counts are coarser than the bucket: one every {name}",
            where=where,
            nearest=f"bucket: {fits}" if fits else None,
            next_step=f"set bucket: {fits}" if fits else "bring counts per day, hour or half hour",
        )
    if width % step:
        raise Refusal(
            f"the counts' spacing of {name} does not divide the bucket",
            where=where,
            next_step="set bucket: 1d, or sum the counts to the bucket in a .sql source",
        )
    # A day per row stands on local midnights, which move in UTC with the clock.
    phase, off = profile.phase(rows, step, zone if aware and step == _DAY else None)
    if off:
        raise Refusal(
            f"{off:,} times do not stand on the counts' own grid of one every {name}",
            where=where,
            next_step="round the times to the grid in a .sql source",
        )
    return Native(seconds=step, name=name, phase=phase, irregular=total - n)


def zone_of(days: pd.DataFrame, query: CountsQuery) -> Clock:
    """The clock of the query's zone over the rows that `days` describes and the window.

    Raises
    ------
    Refusal
        Dates without a time of day, where the bucket is shorter than a day.
    NoData
        No row within two days of the window.
    """
    start, end = seconds(query.incident_start), seconds(query.incident_end)
    first, last, _, _ = _body(days, start, end)
    # Labels are not yet instants: two days are more than any zone is away from UTC.
    if last + 2 * _DAY <= start or first - 2 * _DAY >= end:
        _reaches(query, first, last, start, end, said=lambda label: f"{instant(label):%Y-%m-%d}")
    if query.count_column is None and query.bucket != "1d" and _dates_only(days):
        raise Refusal(
            "the times are dates without a time of day",
            where=f"time_column: {query.time_column}, bucket: {query.bucket}",
            nearest="bucket: 1d",
            next_step="set bucket: 1d, or name a column that holds the time of day",
        )
    low = min(first, start)
    if query.history_start is not None:
        low = max(low, min(start, seconds(query.history_start)))
    # A clock older than that is not asked for: the grid refuses such a history.
    return clocks.clock(
        query.timezone, max(low, start - _CENTURY), max(min(last, end + _CENTURY), end)
    )


def extent(
    days: pd.DataFrame, query: CountsQuery, zone: Clock, *, aware: bool, spacing: Native | None
) -> Extent:
    """Lay the grid over rows that `days` (see `profile.days`) describes.

    Raises
    ------
    Refusal
        The window is not on bucket edges, `as_of` lies before its end, or the grid is absurd.
    NoData
        No row near the window.
    """
    start, end = seconds(query.incident_start), seconds(query.incident_end)
    as_of = None if query.as_of is None else seconds(query.as_of)
    first, last, early, late = _body(days, start, end)
    data_first = first if aware else zone.utc(first)
    data_last = (last if aware else _latest(zone, last)) + (spacing.seconds if spacing else 1)
    if spacing and spacing.seconds == _DAY:
        data_last = ceiling(data_last - 2 * 3600, "1d", zone)
    if spacing is None and not aware and _dates_only(days):
        data_last = ceiling(data_last, "1d", zone)  # a date stands for its whole day
    _reaches(query, data_first, data_last, start, end)
    phase = _phase(query, zone, spacing, aware=aware)
    _aligned(query, zone, phase)
    if as_of is not None and as_of < end:
        raise Refusal(
            "as_of lies before the end of the incident window",
            where=f"as_of: {query.as_of}, incident_end: {query.incident_end}",
            nearest=_said(floor(as_of, query.bucket, zone, phase=phase), query.timezone),
            next_step="for an incident that still runs, set incident_end to that bucket edge",
        )
    asked = None
    low = floor(data_first, query.bucket, zone, phase=phase)
    if query.history_start is not None:
        asked = ceiling(seconds(query.history_start), query.bucket, zone, phase=phase)
        low = max(low, asked)
    high = max(ceiling(data_last, query.bucket, zone, phase=phase), end)
    limit = end + max(2 * (end - start), 3 * _DAY)
    high = min(high, floor(limit, query.bucket, zone, phase=phase))
    if as_of is not None:
        high = min(high, floor(as_of, query.bucket, zone, phase=phase))
    low = min(low, start)
    if (high - low) // BUCKETS[query.bucket] > MAX_BUCKETS:
        raise Refusal(
            f"the history would hold more than {MAX_BUCKETS:,} buckets",
            where=f"time_column: {query.time_column}, bucket: {query.bucket}",
            next_step="set history_start, or a longer bucket",
        )
    return Extent(
        clock=zone,
        grid=grid(low, high, query.bucket, zone),
        data_first=data_first,
        data_last=data_last,
        asked_first=asked,
        strays_early=early,
        strays_late=late,
        as_of=as_of,
    )


def _dates_only(days: pd.DataFrame) -> bool:
    """True where every time is a midnight, and some days have several."""
    real = days[days["day"] >= 0]
    midnights = (real["first"] % _DAY == 0) & (real["last"] % _DAY == 0)
    return bool(midnights.all()) and int(real["n"].sum()) > len(real)


def _latest(zone: Clock, label: int) -> int:
    """The later of the instants that a label can mean."""
    for change in zone.changes:
        low, high = change.ambiguous
        if low <= label < high:
            return zone.utc(label) + high - low
    return zone.utc(label)


def _body(days: pd.DataFrame, start: int, end: int) -> tuple[int, int, int, int]:
    """First and last label of the rows that hang together, and the strays before and after."""
    real = days[days["day"] >= 0]
    cut = real["day"].diff().fillna(0) > _STRAY_GAP
    blocks = real.groupby(np.cumsum(cut.to_numpy())).agg(
        n=("n", "sum"), first=("first", "min"), last=("last", "max")
    )
    few = blocks["n"] <= max(1, int(blocks["n"].sum()) // _STRAY_SHARE)
    # Rows beside the window are what was asked about, however few.
    few &= (blocks["last"] < start - _DAY) | (blocks["first"] > end + _DAY)
    kept = blocks[~few.to_numpy()]
    if kept.empty:
        kept = blocks
    first, last = int(kept["first"].iloc[0]), int(kept["last"].iloc[-1])
    early = int(blocks.loc[blocks["last"] < first, "n"].sum())
    late = int(blocks.loc[blocks["first"] > last, "n"].sum())
    return first, last, early, late


def _reaches(
    query: CountsQuery,
    data_first: int,
    data_last: int,
    start: int,
    end: int,
    *,
    said: Callable[[int], str] | None = None,
) -> None:
    if data_last > start and data_first < end:
        return
    side = "end before the incident starts" if data_last <= start else "begin after it ends"
    said = said or (lambda at: _said(at, query.timezone))
    raise NoData(
        f"no data in the incident window: the rows {side}",
        where=f"{query.time_column} runs from {said(data_first)} to {said(data_last)}",
        next_step="check incident_start, incident_end and timezone, or read newer data",
    )


def _phase(query: CountsQuery, zone: Clock, spacing: Native | None, *, aware: bool) -> int:
    """Where the grid's edges stand in UTC: 0, or what the counts' own labels force."""
    if spacing is None:
        return 0
    offsets = {zone.offset, *(c.after for c in zone.changes)}
    if query.bucket == "1d":
        local = not aware or spacing.seconds == _DAY
        marks = {(spacing.phase + off) % spacing.seconds for off in ({0} if local else offsets)}
        if marks != {0}:
            raise Refusal(
                f"the counts' labels do not start at midnight ({spacing_name(max(marks))} off)",
                where=f"time_column: {query.time_column}, timezone: {query.timezone}",
                next_step="set timezone to the zone whose days were counted",
            )
        return 0
    shifts = {0} if aware else offsets
    phases = {(spacing.phase - off) % spacing.seconds for off in shifts}
    if len(phases) > 1:
        raise Refusal(
            "the zone's clock changes do not fit the counts' spacing",
            where=f"timezone: {query.timezone}, spacing {spacing.name}",
            next_step="set bucket: 1d",
        )
    return phases.pop()


def _aligned(query: CountsQuery, zone: Clock, phase: int) -> None:
    for name in ("incident_start", "incident_end"):
        at: datetime = getattr(query, name)
        down = floor(seconds(at), query.bucket, zone, phase=phase)
        if instant(down) == at:
            continue
        up = ceiling(seconds(at) + 1, query.bucket, zone, phase=phase)
        raise Refusal(
            f"{name} does not stand on the edge of a bucket",
            where=f"{name}: {at.isoformat()}, bucket: {query.bucket}",
            nearest=f"{_said(down, query.timezone)} or {_said(up, query.timezone)}",
            next_step="use one of these, or a shorter bucket",
        )


def _said(utc: int, timezone: str) -> str:
    """A UTC second as a person would write it in a params file."""
    local = instant(utc).astimezone(ZoneInfo(timezone))
    return local.isoformat(timespec="minutes" if utc % 60 == 0 else "seconds")
