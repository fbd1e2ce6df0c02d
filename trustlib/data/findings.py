"""Verdicts on the data, in a reader's words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import duration, instant, percent, plural, zone_name
from trustlib.data import clock as clocks
from trustlib.data.clock import seconds
from trustlib.data.engine.once import Once
from trustlib.data.engine.repeats import Repeats
from trustlib.data.extent import Extent, Native
from trustlib.data.health import elapsed, health, longest_run
from trustlib.data.lay import Laid
from trustlib.data.records import CountsQuery
from trustlib.data.timetext import TimeForm


def report(
    query: CountsQuery,
    *,
    reach: Extent,
    laid: Laid,
    form: TimeForm,
    spacing: Native | None,
    repeats: Repeats | None,
    once: Once | None,
    n: int,
) -> tuple[pd.DataFrame, tuple[Check, ...]]:
    """The health frame (``item``, ``n``, ``note``) and the checks."""
    window = _window(query, reach, laid)
    checks = [
        _complete(window, query, laid),
        _history(query, reach, laid, window),
        _duplicates(query, repeats) if once is None else _delivered(once, repeats, n),
        _readable(form, laid, reach, n),
        _clock(query, laid, form),
        _freshness(query, reach, laid),
    ]
    return health(query, reach, laid, form, spacing, repeats, once, n), tuple(checks)


@dataclass(frozen=True)
class _Inside:
    """Buckets of the incident window: how many, how many missing, the longest run of zeros."""

    mask: np.ndarray
    buckets: int
    missing: int
    excused: int
    zeros: int


def _window(query: CountsQuery, reach: Extent, laid: Laid) -> _Inside:
    starts = reach.grid.edges[:-1]
    mask = (starts >= seconds(query.incident_start)) & (starts < seconds(query.incident_end))
    gone = np.isnan(laid.count) & mask
    return _Inside(
        mask=mask,
        buckets=int(mask.sum()),
        missing=int((gone & ~laid.excused).sum()),
        excused=int((gone & laid.excused).sum()),
        zeros=longest_run((laid.count == 0) & mask),
    )


_BUCKET_WORDS = {"30min": "half hour", "1h": "hour", "1d": "day"}


def _buckets(n: int, query: CountsQuery) -> str:
    return plural(n, _BUCKET_WORDS[query.bucket])


def _complete(window: _Inside, query: CountsQuery, laid: Laid) -> Check:
    have = window.buckets - window.missing
    said = _buckets(window.buckets, query)
    end = seconds(query.incident_end)
    if laid.covered_to < end:
        return Check(
            name="data_complete",
            verdict="fail",
            label="data end inside the window",
            text=f"The data end before the window does: {have:,} of its {said} are there "
            f"({percent(have / window.buckets)}). What is missing is not counted as zero.",
        )
    if window.missing:
        return Check(
            name="data_complete",
            verdict="fail" if window.missing > window.buckets / 10 else "warn",
            label=f"{_buckets(window.missing, query)} of the window missing",
            text=f"{have:,} of the window's {said} are there; the missing ones are left out "
            "of the total and not counted as zero.",
        )
    return Check(
        name="data_complete",
        verdict="pass",
        label="the window is all there",
        text=f"The window's {said} all hold data{_unclear(window, query, laid)}.",
    )


def _unclear(window: _Inside, query: CountsQuery, laid: Laid) -> str:
    n = int((laid.ambiguous & window.mask).sum())
    if not n:
        return ""
    return f", but for {_buckets(n, query)} that a clock change leaves unclear"


def _history(query: CountsQuery, reach: Extent, laid: Laid, window: _Inside) -> Check:
    before = reach.grid.edges[:-1] < seconds(query.incident_start)
    gone = np.isnan(laid.count) & ~laid.excused & before
    silent = longest_run((gone | (laid.count == 0)) & before)
    inside = window.zeros
    width = reach.grid.width
    busy = float(np.nanmean(laid.count[before])) if (~np.isnan(laid.count[before])).any() else 0.0
    if query.count_column is None and inside and busy >= 10:
        return Check(
            name="empty_buckets",
            verdict="warn",
            label="empty buckets in the window",
            text=f"The window has {duration(elapsed(inside * width))} on end without a row. Find "
            "out whether nothing happened or nothing was logged: the count is zero either way.",
        )
    asked, begin = reach.asked_first, reach.data_first
    if asked is not None and begin >= asked + width:
        return Check(
            name="empty_buckets",
            verdict="warn",
            label="history shorter than asked for",
            text=f"The data begin {duration(elapsed(begin - asked))} after history_start.",
        )
    share = float(gone.sum()) / max(1, int(before.sum()))
    # Silence that busy counts cannot produce by chance.
    long = silent * width >= 6 * 3600 and busy >= 10
    if share > 0.01 or long:
        return Check(
            name="empty_buckets",
            verdict="warn",
            label="gaps in the history",
            text=f"{_buckets(int(gone.sum()), query)} of the history are missing; the longest "
            f"stretch without data lasts {duration(elapsed(silent * width))}.",
        )
    return Check(
        name="empty_buckets",
        verdict="pass",
        label="no gaps in the history",
        text=f"{int(gone.sum()):,} of {_buckets(int(before.sum()), query)} of the history are "
        "missing.",
    )


def _duplicates(query: CountsQuery, repeats: Repeats | None) -> Check:
    if query.count_column is not None:
        return Check(
            name="duplicates",
            verdict="pass",
            label="no count is there twice",
            text="Every time (and segment) occurs once.",
        )
    if repeats is None:
        return Check(
            name="duplicates",
            verdict="not_run",
            label="duplicates not looked for",
            text="No column of the source can be compared.",
        )
    if repeats.extra == 0:
        return Check(
            name="duplicates",
            verdict="pass",
            label="no row is there twice",
            text="No two rows of the source are equal in every column.",
        )
    rows = plural(repeats.extra, "row")
    if repeats.told_apart or repeats.every:
        why = (
            "Every row occurs at least twice, as in a file loaded twice."
            if repeats.every
            else "They may be deliveries of the same event."
        )
        return Check(
            name="duplicates",
            verdict="warn",
            label="rows that repeat another",
            text=f"{rows} equal another row in every column and are counted. {why}",
        )
    return Check(
        name="duplicates",
        verdict="not_run",
        label="duplicates cannot be ruled out",
        text=f"{rows} equal another one, but the source has no further column that would tell "
        "two events in the same second from one event twice.",
    )


def _delivered(once: Once, repeats: Repeats | None, n: int) -> Check:
    """Of rows with ids: how many were delivered again, and what ids cannot tell."""
    label, parts, warn = "no event is there twice", [], False
    if once.repeated:
        label = "events that were delivered twice are counted once"
        warn = once.repeated > 0.01 * n
        parts.append(
            f"{plural(once.repeated, 'row')} of {n:,} ({percent(once.repeated / n)}) repeat the id "
            "of another and are left out: an id counts once, at its earliest time."
        )
    else:
        parts.append("No id is there twice.")
    if once.differing:
        one = once.differing == 1
        parts.append(
            f"{plural(once.differing, 'id')} {'differs' if one else 'differ'} in time or segment "
            "from row to row. Is the column the id of a single event?"
        )
    if once.unnamed:
        parts.append(f"{plural(once.unnamed, 'row')} without an id are counted one by one.")
        extra = repeats.extra if repeats is not None else 0
        if extra:
            parts.append(f"{extra:,} of them equal another in every column.")
        if extra or once.unnamed > 0.01 * n:
            label, warn = "rows without an id", True
    return Check(
        name="duplicates",
        verdict="warn" if warn else "pass",
        label=label,
        text=" ".join(parts),
    )


def _readable(form: TimeForm, laid: Laid, reach: Extent, n: int) -> Check:
    lost = form.nulls + form.unreadable
    strays = reach.strays_early + reach.strays_late
    empty = laid.seen.get("empty counts", 0)
    parts = []
    if form.nulls:
        parts.append(f"{plural(form.nulls, 'row')} without a time")
    if form.unreadable:
        parts.append(f"{plural(form.unreadable, 'row')} with a time that cannot be read")
    if strays:
        parts.append(f"{plural(strays, 'row')} dated weeks away from all others")
    if empty:
        parts.append(f"{plural(empty, 'row')} with an empty count")
    if not parts:
        return Check(
            name="rows_readable",
            verdict="pass",
            label="every row could be read",
            text=f"All {plural(n, 'row')} have a time and, where asked for, a count.",
        )
    return Check(
        name="rows_readable",
        verdict="fail" if lost + empty > 0.05 * n else "warn",
        label="rows left out",
        text=f"Of {plural(n, 'row')}, left out: {'; '.join(parts)}.",
    )


def _clock(query: CountsQuery, laid: Laid, form: TimeForm) -> Check:
    zone = zone_name(query.timezone)
    if form.aware:
        return Check(
            name="clock_change",
            verdict="pass",
            label="times carry their offset",
            text="Every time says its offset from UTC: a change of the clock needs no rule.",
        )
    seen = laid.seen
    once = seen.get("ambiguous labels that occur once", 0) + seen.get("rows in ambiguous hours", 0)
    twice = seen.get("ambiguous labels that occur twice", 0)
    impossible = seen.get("rows in impossible hours", 0)
    touched = _buckets(int(laid.ambiguous.sum()), query)
    parts = []
    if once:
        parts.append(
            f"When the clock went back, {once:,} times are written once for two hours: they are "
            "read as the earlier hour"
        )
    if twice:
        parts.append(
            f"{twice:,} times of the repeated hour are there twice: the first in the file is "
            "the earlier hour"
        )
    if impossible:
        parts.append(
            f"{plural(impossible, 'row')} stand in an hour that the clock of {zone} skipped and "
            "are moved forward by the gap (are the times really of that zone?)"
        )
    if not parts:
        return Check(
            name="clock_change",
            verdict="pass",
            label="no clock change in the way",
            text="Times are in UTC, whose clock never changes."
            if query.timezone == "UTC"
            else f"No time falls into an hour that a clock change of {zone} repeats or skips.",
        )
    text = ". ".join(parts) + "."
    if laid.ambiguous.any():
        text += f" {touched} are marked: neither fitted on nor compared."
    return Check(
        name="clock_change",
        verdict="warn" if laid.ambiguous.any() or impossible else "pass",
        label="clock change",
        text=text,
    )


def _freshness(query: CountsQuery, reach: Extent, laid: Laid) -> Check:
    last = f"The data run to {instant(clocks.instant(reach.data_last), query.timezone)}"
    late = laid.seen["rows after as_of"]
    left = f" {plural(late, 'row')} dated after as_of are left out." if late else ""
    if laid.covered_to < seconds(query.incident_end):
        return Check(
            name="freshness",
            verdict="fail",
            label="data too old for the window",
            text=f"{last}, and the window ends later.{left}",
        )
    if reach.as_of is None:
        return Check(
            name="freshness",
            verdict="pass",
            label="data reach the window's end",
            text=f"{last}; no as_of was given to compare with.",
        )
    behind = reach.as_of - laid.covered_to
    if behind > max(2 * reach.grid.width, 86400):
        return Check(
            name="freshness",
            verdict="warn",
            label="data are behind",
            text=f"{last}, {duration(elapsed(reach.as_of - reach.data_last))} before as_of.{left}",
        )
    return Check(
        name="freshness",
        verdict="pass",
        label="data are fresh",
        text=f"The data reach as_of.{left}" if behind <= 0 else f"{last}, close to as_of.{left}",
    )
