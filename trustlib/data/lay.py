"""Counts laid on the grid: which buckets are counts, which are zeros, which are missing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trustlib.core import Refusal
from trustlib.data.engine import profile, tally
from trustlib.data.extent import Extent, Native
from trustlib.data.records import CountsQuery

TOP_SEGMENTS = 50
# A Poisson stream is silent for seven mean gaps once in a thousand times.
_SILENCE = 7

Floats = NDArray[np.float64]

_PLAIN = (
    "write plain numbers (1234 or 1234.5: no thousands separator, no decimal comma), and leave "
    "the cell empty where nothing was counted"
)


@dataclass(frozen=True, kw_only=True)
class Laid:
    """Counts on the grid with what was seen on the way.

    Attributes
    ----------
    count, control
        (n,) float64, NaN = missing; `control` None where not asked for.
    ambiguous, excused
        (n,) bool: touched by a clock change that could not be told apart; missing for
        that reason alone.
    segments
        Name to (n,) float64, in order of size; None where not asked for.
    n_segments
        How many there are in the rows.
    covered_to
        UTC second up to which the rows are evidence: the end of the last label, or the last
        event and the silence that such a stream falls into now and then.
    sql
        The statement that counted, for the appendix.
    seen
        Plain counts for the health frame, by item.
    """

    count: Floats
    control: Floats | None
    ambiguous: NDArray[np.bool_]
    excused: NDArray[np.bool_]
    segments: dict[str, Floats] | None
    n_segments: int
    covered_to: int
    sql: str
    seen: dict[str, int] = field(default_factory=dict)


def places(reach: Extent, keys: Any) -> NDArray[np.int64]:
    """Positions on the grid of the engine's keys."""
    return np.searchsorted(reach.grid.keys, np.asarray(keys, dtype=np.int64))


def bucket_of(reach: Extent, utc: int) -> int:
    """Position of the bucket that holds a UTC second; -1 outside."""
    if not reach.grid.low <= utc < reach.grid.high:
        return -1
    return int(np.searchsorted(reach.grid.edges, utc, side="right")) - 1


def events(rows: Any, query: CountsQuery, reach: Extent, *, aware: bool) -> Laid:
    """Lay event rows: an absent bucket inside the data's span is a zero."""
    n = len(reach.grid)
    rows = tally.keyed(rows, reach.grid, reach.clock, as_of=reach.as_of)
    names: list[str] = []
    n_segments = 0
    if query.segment_column is not None:
        rows, names, n_segments = tally.ranked(rows, TOP_SEGMENTS)
    found, sql = tally.per_bucket(rows)
    inside = found[found["key"] >= 0]
    count = np.zeros(n)
    np.add.at(count, places(reach, inside["key"]), inside["n"].to_numpy(dtype=float))
    ambiguous, excused, seen = _clock_events(rows, reach, aware=aware)
    silence = math.ceil(_SILENCE * (reach.data_last - reach.data_first) / max(1.0, count.sum()))
    missing = excused | _unseen(reach, silence)
    seen |= _outside(found)
    seen["partial buckets"] = int((missing & ~excused & (count > 0)).sum())
    seen["rows counted"] = int(count[~missing].sum())
    count[missing] = np.nan
    segments = None
    if query.segment_column is not None:
        segments = _segments(inside, "n", names, n_segments, reach, missing)
    return Laid(
        count=count,
        control=None,
        ambiguous=ambiguous,
        excused=excused,
        segments=segments,
        n_segments=n_segments,
        covered_to=reach.data_last + silence,
        sql=sql,
        seen=seen,
    )


def _unseen(reach: Extent, silence: int) -> NDArray[np.bool_]:
    """Buckets that the rows do not cover: before the first, after the last, or cut by either."""
    starts, ends = reach.grid.edges[:-1], reach.grid.edges[1:]
    late = (starts >= reach.data_last) | (ends > reach.data_last + silence)
    early = (ends <= reach.data_first) | (starts < reach.data_first - silence)
    return np.asarray(late | early)


def _clock_events(
    rows: Any, reach: Extent, *, aware: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], dict[str, int]]:
    n = len(reach.grid)
    ambiguous, excused = np.zeros(n, bool), np.zeros(n, bool)
    seen = {"rows in ambiguous hours": 0, "rows in impossible hours": 0}
    if aware:
        return ambiguous, excused, seen
    found = tally.at_clock_changes(rows, reach.clock)
    for place in sorted(set(found["change"].tolist())):
        group = found[found["change"] == place]
        change = reach.clock.changes[place]
        gap = abs(change.before - change.after)
        if change.before > change.after:
            seen["rows in ambiguous hours"] += int(group["n"].sum())
            first = _overlapping(reach, change.at - gap, change.at)
            second = _overlapping(reach, change.at, change.at + gap)
            if (first != second).any():
                ambiguous |= first | second
                excused |= second & ~first
        else:
            seen["rows in impossible hours"] += int(group["n"].sum())
            ambiguous |= _overlapping(reach, change.at, change.at + gap)
    return ambiguous, excused, seen


def _overlapping(reach: Extent, low: int, high: int) -> NDArray[np.bool_]:
    edges = reach.grid.edges
    return np.asarray((edges[:-1] < high) & (edges[1:] > low))


def _outside(found: pd.DataFrame) -> dict[str, int]:
    names = {
        "rows before the history": tally.BEFORE,
        "rows after as_of": tally.LATE,
        "rows after the grid": tally.AFTER,
    }
    return {name: int(found.loc[found["key"] == key, "n"].sum()) for name, key in names.items()}


def ready(rows: Any, query: CountsQuery, reach: Extent, spacing: Native, *, aware: bool) -> Laid:
    """Lay ready counts: a bucket is whole, or it is missing."""
    keys = ["segment"] if query.segment_column is not None else []
    roles = ("count",) if query.control_column is None else ("count", "control")
    rows = profile.valued(rows, roles)
    empty, fractional = _readable(rows, query, roles)
    if aware:
        rows = rows.mutate(turn=rows["at"] * 0)
    else:
        rows = tally.second_occurrences(rows, reach.clock, keys)
    _single(profile.doubled_keys(rows, keys, roles), query)
    n = len(reach.grid)
    covered, ambiguous, excused, seen = _clock_ready(rows, reach, aware=aware)
    rows = tally.keyed(rows, reach.grid, reach.clock, as_of=reach.as_of)
    found, sql = tally.sums_per_bucket(rows, roles)
    inside = found[found["key"] >= 0]
    at = places(reach, inside["key"])
    expected = np.diff(reach.grid.edges) / spacing.seconds
    if spacing.seconds == 86400:
        expected = np.ones(n)  # one label a day, be it 23 or 25 hours long
    covered[at] += inside["labels"].to_numpy(dtype=float)
    whole = covered >= expected
    count = _column(inside, "count", at, n, whole)
    control = None
    if query.control_column is not None:
        source = inside
        if keys and tally.one_value_per_label(rows, "control"):
            source = tally.repeated_per_bucket(rows, "control")
            source = source[source["key"] >= 0]
            seen["control repeated on every segment"] = 1
        control = _column(source, "control", places(reach, source["key"]), n, whole)
    seen |= _outside(found)
    seen["rows counted"] = int(inside["n"].sum())
    seen["empty counts"] = empty
    seen["counts that are not whole"] = fractional
    seen["partial buckets"] = int(((covered > 0) & ~whole).sum())
    segments, n_segments = None, 0
    if keys:
        rows, names, n_segments = tally.ranked(rows, TOP_SEGMENTS)
        by_rank, sql = tally.sums_per_bucket(rows, ("count",))
        by_rank = by_rank[by_rank["key"] >= 0].fillna({"count": 0.0})
        segments = _segments(by_rank, "count", names, n_segments, reach, np.isnan(count))
    return Laid(
        count=count,
        control=control,
        ambiguous=ambiguous,
        excused=excused & np.isnan(count),
        segments=segments,
        n_segments=n_segments,
        covered_to=reach.data_last,
        sql=sql,
        seen=seen,
    )


def _column(
    found: pd.DataFrame, role: str, at: NDArray[np.int64], n: int, whole: NDArray[np.bool_]
) -> Floats:
    values = np.full(n, np.nan)
    values[at] = found[role].to_numpy(dtype=float)
    values[at[found[f"{role}_nulls"].to_numpy(dtype=int) > 0]] = np.nan
    values[~whole] = np.nan
    return values


def _readable(rows: Any, query: CountsQuery, roles: tuple[str, ...]) -> tuple[int, int]:
    """Refuse what is not a count; returns how many counts are empty, and how many not whole."""
    empty = fractional = 0
    for role in roles:
        faults = profile.value_faults(rows, role)
        column = query.count_column if role == "count" else query.control_column
        where = f"{role}_column: {column}"
        for kind, what, step in (
            ("unreadable", "are not numbers", _PLAIN),
            ("infinite", "are infinite", "find where they come from: often a division by zero"),
            ("negative", "are negative", "a count cannot be; corrections belong to their own hour"),
            ("huge", "are above 10^15", "check the unit"),
        ):
            if faults[kind]:
                if faults[kind] == 1:
                    what = what.replace("are ", "is ").replace("numbers", "a number")
                    raise Refusal(f"1 {role} {what}", where=where, next_step=step)
                raise Refusal(f"{faults[kind]:,} {role}s {what}", where=where, next_step=step)
        if faults["round"] < faults["grouped"] == faults["dotted"]:
            raise Refusal(
                f"{faults['grouped']:,} {role}s written like 1.234 can be read two ways: the dot "
                "may mark thousands or decimals",
                where=where,
                next_step="thousands: take the dots out; decimals: write four of them (1.2340)",
            )
        if role == "count":
            empty, fractional = faults["nulls"], faults["fractional"]
    return empty, fractional


def _single(doubled: dict[str, int], query: CountsQuery) -> None:
    if not doubled["keys"]:
        return
    key = "time and segment" if query.segment_column else "time"
    conflicting = doubled["conflicting"]
    told = f"{conflicting:,} with different counts" if conflicting else "with equal counts"
    what = f"{doubled['keys']:,} {key}s occur more than once, {told}"
    step = "keep one row per key (the file may have been appended to itself)"
    if conflicting and not query.segment_column:
        step = "set segment_column to what tells the rows apart, or sum them in a .sql source"
    raise Refusal(what, where=f"time_column: {query.time_column}", next_step=step)


def _clock_ready(
    rows: Any, reach: Extent, *, aware: bool
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_], dict[str, int]]:
    n = len(reach.grid)
    covered = np.zeros(n)
    ambiguous, excused = np.zeros(n, bool), np.zeros(n, bool)
    seen = {
        "ambiguous labels that occur once": 0,
        "ambiguous labels that occur twice": 0,
        "rows in impossible hours": 0,
    }
    if aware:
        return covered, ambiguous, excused, seen
    found = tally.at_clock_changes(rows, reach.clock)
    for at, rows_there, turns, keys, place in found.to_numpy().tolist():
        change = reach.clock.changes[place]
        first = bucket_of(reach, at - change.before)
        if change.before < change.after:
            seen["rows in impossible hours"] += rows_there
            if first >= 0:
                ambiguous[first] = True
            continue
        second = bucket_of(reach, at - change.after)
        if turns > 1:
            seen["ambiguous labels that occur twice"] += 1
            if rows_there < turns * keys:  # in some segments twice, in others once
                for touched in (first, second):
                    if touched >= 0:
                        ambiguous[touched] = True
            continue
        seen["ambiguous labels that occur once"] += 1
        if first == second:
            covered[first] += first >= 0
            continue
        for touched in (first, second):
            if touched >= 0:
                ambiguous[touched] = True
        if second >= 0:
            excused[second] = True
    return covered, ambiguous, excused, seen


def _segments(
    found: pd.DataFrame,
    value: str,
    names: list[str],
    n_segments: int,
    reach: Extent,
    missing: NDArray[np.bool_],
) -> dict[str, Floats]:
    rest = "all others"
    while rest in names:
        rest += " (the rest)"
    every = [*names, rest] if n_segments > len(names) else names
    table = np.zeros((len(every), len(reach.grid)))
    ranks = np.minimum(found["rank"].to_numpy(dtype=int), len(every) - 1)
    np.add.at(table, (ranks, places(reach, found["key"])), found[value].to_numpy(dtype=float))
    table[:, missing] = np.nan
    return {name: table[i] for i, name in enumerate(every)}
