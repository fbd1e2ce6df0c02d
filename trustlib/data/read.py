"""From a source to counts per bucket: the room's one verb."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trustlib.core import NoData, Refusal
from trustlib.data import clock as clocks
from trustlib.data import findings, lay
from trustlib.data.engine import once, profile, sources, tally
from trustlib.data.engine.columns import as_role
from trustlib.data.engine.repeats import Repeats, repeats
from trustlib.data.extent import Extent, extent, native, zone_of
from trustlib.data.grid import BUCKETS
from trustlib.data.parquet import keep
from trustlib.data.records import Counts, CountsQuery, Snapshot
from trustlib.data.source import Source, resolve
from trustlib.data.timetext import settled, time_form


def read_counts(query: CountsQuery) -> Counts:
    """Read a source, keep a snapshot, count per bucket, and check the rows on the way.

    Raises
    ------
    Refusal
        The source or the columns are not what the query says, or the rows cannot be
        counted without guessing.
    NoData
        Nothing to measure: no rows, no times, all counts empty, nothing in the window.
    """
    if query.bucket not in BUCKETS:
        raise Refusal(
            "bucket is none of the three that are known",
            where=f"bucket: {query.bucket}",
            next_step="set bucket to 30min, 1h or 1d",
        )
    if query.control_column is not None and query.count_column is None:
        raise Refusal(
            "a control series needs ready counts: with event rows there is nothing to read it from",
            where=f"control_column: {query.control_column}, count_column: null",
            next_step="write a .sql source with one row per bucket: time, count and control",
        )
    if query.event_id_column is not None and query.count_column is not None:
        raise Refusal(
            "ready counts have no events to tell apart by an id",
            where=f"event_id_column: {query.event_id_column}, count_column: {query.count_column}",
            next_step="set count_column to null if one row is one event, else event_id_column",
        )
    clocks.zone(query.timezone)
    source = resolve(query.source, query.connection)
    kept = _kept(source, query)
    with sources.snapshot_rows(kept.path) as table:
        return _counted(table, query, source, kept)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The snapshot of a source, with what only the source itself could tell."""

    path: Path
    sha256: str
    rows: int
    statement: str
    repeats: Repeats | None


def _kept(source: Source, query: CountsQuery) -> _Kept:
    wanted = {
        "time": query.time_column,
        "count": query.count_column,
        "segment": query.segment_column,
        "control": query.control_column,
        "event_id": query.event_id_column,
    }
    with sources.opened(source) as found:
        table = sources.roles(found, wanted, source)
        with sources.batches(table, ordered=found.ordered) as (schema, batches):
            path, sha256, rows = keep(schema, batches)
        twice = None
        if query.count_column is None and rows:
            twice = repeats(_untold(found, query, source), used=len(table.columns))
    if rows == 0:
        raise NoData(
            "the source has no rows",
            where=f"source: {source.name}",
            next_step="check the export, or the WHERE of the query",
        )
    return _Kept(path=path, sha256=sha256, rows=rows, statement=found.statement, repeats=twice)


def _untold(found: sources.Opened, query: CountsQuery, source: Source) -> Any:
    """The rows that no id tells apart."""
    name = query.event_id_column
    if name is None:
        return found.table
    event_id = as_role(found.table[found.columns[name]], "event_id", name, source)
    return found.table.filter(once.named(event_id).isnull())


def _counted(table: Any, query: CountsQuery, source: Source, kept: _Kept) -> Counts:
    form = time_form(table, query)
    rows = profile.stamped(table, aware=form.aware, shaped=form.unreadable == 0)
    days = profile.days(rows)
    form = settled(form, days, query)
    zone = zone_of(days, query)
    spacing = native(rows, query, zone, aware=form.aware) if query.count_column else None
    rows = tally.in_utc(rows, zone, aware=form.aware)
    reach = extent(days, query, zone, aware=form.aware, spacing=spacing)
    told, made = None, ""
    if query.event_id_column is not None:
        rows, told, steps = once.once(rows)
        made = "".join(f"{step};\n\n" for step in steps)
        try:
            reach = extent(profile.days(rows), query, zone, aware=form.aware, spacing=spacing)
        except NoData:
            raise Refusal(
                f"of the rows of an id the earliest counts, and then none is near the window: "
                f"{told.repeated:,} of {kept.rows:,} rows repeat an id",
                where=f"event_id_column: {query.event_id_column}",
                next_step="name the column with the id of a single event, or set it to null",
            ) from None
    if query.count_column is None:
        laid = lay.events(rows, query, reach, aware=form.aware)
    else:
        assert spacing is not None
        laid = lay.ready(rows, query, reach, spacing, aware=form.aware)
    _something(query, reach, laid)
    health, checks = findings.report(
        query,
        reach=reach,
        laid=laid,
        form=form,
        spacing=spacing,
        repeats=kept.repeats,
        once=told,
        n=kept.rows,
    )
    return Counts(
        frame=_frame(reach, laid),
        segments=_long(reach, laid),
        native_bucket=spacing.name if spacing else None,
        health=health,
        checks=checks,
        snapshot=Snapshot(
            source=source.name,
            kind=source.kind,
            rows=kept.rows,
            sha256=kept.sha256,
            path=kept.path.as_posix(),
            window_start_at=clocks.instant(reach.data_first),
            window_end_at=clocks.instant(reach.data_last),
            sql=f"{kept.statement}\n\n-- counted on the snapshot of it:\n{made}{laid.sql}",
        ),
    )


def _something(query: CountsQuery, reach: Extent, laid: lay.Laid) -> None:
    starts = reach.grid.edges[:-1]
    inside = (starts >= clocks.seconds(query.incident_start)) & (
        starts < clocks.seconds(query.incident_end)
    )
    if np.isnan(laid.count[inside]).all():
        raise NoData(
            "no data in the incident window: every bucket of it is missing",
            where=f"time_column: {query.time_column}",
            next_step="check incident_start, incident_end and timezone, or read newer data",
        )


def _starts(reach: Extent) -> pd.Series:
    return pd.to_datetime(pd.Series(reach.grid.edges[:-1]), unit="s", utc=True).astype(
        "datetime64[us, UTC]"
    )


def _frame(reach: Extent, laid: lay.Laid) -> pd.DataFrame:
    frame = pd.DataFrame({"bucket_start_at": _starts(reach), "count": laid.count})
    if laid.control is not None:
        frame["control"] = laid.control
    frame["ambiguous"] = laid.ambiguous
    return frame


def _long(reach: Extent, laid: lay.Laid) -> pd.DataFrame | None:
    if laid.segments is None:
        return None
    parts = [
        pd.DataFrame({"bucket_start_at": _starts(reach), "segment": name, "count": count})
        for name, count in laid.segments.items()
    ]
    return pd.concat(parts, ignore_index=True)
