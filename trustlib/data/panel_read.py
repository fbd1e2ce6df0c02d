"""From a source to the rows of a panel: one row per unit and period, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import NoData, Refusal
from trustlib.data import clock
from trustlib.data import panel_time as when
from trustlib.data import panel_values as values
from trustlib.data.engine import panel as engine
from trustlib.data.engine import sources
from trustlib.data.panel_findings import report
from trustlib.data.panel_health import Seen
from trustlib.data.panel_records import PanelQuery, PanelRows, covariate_names
from trustlib.data.panel_time import Coded, Times
from trustlib.data.parquet import keep
from trustlib.data.records import Snapshot
from trustlib.data.source import Source, resolve

IntArray = npt.NDArray[np.int64]


def read_panel(query: PanelQuery) -> PanelRows:
    """Read a source, keep a snapshot, and check that its rows are a panel.

    Raises
    ------
    Refusal
        The source or the columns are not what the query says; a unit-period pair that is there
        twice; numbers, times or treatment starts that cannot be read without guessing; treatment
        that ends.
    NoData
        No rows, no times, every outcome missing, nothing before as_of.
    """
    clock.zone(query.timezone)
    source = resolve(query.source, query.connection)
    kept = _kept(source, query)
    with sources.snapshot_rows(kept.path) as table:
        rows = engine.numbers(table)
        thousands = values.refuse_what_is_no_number(rows, query.columns)
        arrow, sql = engine.columns(rows)
    frame, seen = _framed(_Columns(arrow, kept.ordered), query, thousands)
    health, checks = report(query, frame, seen, kept.rows)
    first, last = _window(frame, seen.times, query)
    return PanelRows(
        frame=frame,
        health=health,
        checks=checks,
        snapshot=Snapshot(
            source=source.name,
            kind=source.kind,
            rows=kept.rows,
            sha256=kept.sha256,
            path=kept.path.as_posix(),
            window_start_at=first,
            window_end_at=last,
            sql=f"{kept.statement}\n\n-- read from the snapshot of it:\n{sql}",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Kept:
    path: Path
    sha256: str
    rows: int
    ordered: bool
    statement: str


def _kept(source: Source, query: PanelQuery) -> _Kept:
    with sources.opened(source) as found:
        table = sources.roles(found, query.columns, source)
        with sources.batches(table, ordered=found.ordered) as (schema, batches):
            path, sha256, rows = keep(schema, batches)
    if rows == 0:
        raise NoData(
            "the source has no rows",
            where=f"source: {source.name}",
            next_step="check the export, or the WHERE of the query",
        )
    return _Kept(
        path=path, sha256=sha256, rows=rows, ordered=found.ordered, statement=found.statement
    )


@dataclass(frozen=True, eq=False)
class _Columns:
    """What came out of the engine, by role; rows in the snapshot's order."""

    arrow: Any
    ordered: bool

    def coded(self, role: str) -> Coded:
        labels, codes = engine.coded(self.arrow[role])
        return Coded(labels=labels, codes=codes, ordered=self.ordered)

    def names(self, role: str) -> tuple[list[str], IntArray]:
        """Distinct names of units or clusters, sorted, and each row's place (-1: empty)."""
        column = self.coded(role)
        labels = [label.strip() for label in column.labels.to_pylist()]
        names = sorted({label for label in labels if label})
        place = {name: i for i, name in enumerate(names)}
        codes = np.array([place.get(label, -1) for label in labels], dtype=np.int64)
        return names, column.spread(codes, -1)

    def number(self, role: str) -> values.Floats:
        numbers: values.Floats = self.arrow[role].to_numpy()
        return numbers


@dataclass(frozen=True, eq=False)
class _Used:
    """The rows of the frame: their place in the snapshot, sorted by unit and time."""

    order: IntArray
    unit: IntArray
    time: npt.NDArray[Any]


def _framed(
    columns: _Columns, query: PanelQuery, thousands: tuple[str, ...]
) -> tuple[pd.DataFrame, Seen]:
    names, unit = columns.names("unit")
    if not names:
        raise NoData(
            "every unit is empty",
            where=f"unit_column: {query.unit_column}",
            next_step="check the export, or name another column",
        )
    panel = when.times(columns.coded("period"), query)
    late = panel.there & when.cut_off(panel, query)
    used = _used(unit, panel, late, query)
    outcome = columns.number("outcome")[used.order]
    _once(used, outcome, query)
    if np.isnan(outcome).all():
        raise NoData(
            "every outcome in the rows used is missing",
            where=f"outcome_column: {query.outcome_column}",
            next_step="check as_of, or name another column",
        )
    starts, zeros, infinite = _starts(columns, used, panel, query)
    made: dict[str, Any] = {
        "unit": _texts(names, used.unit),
        "time": used.time,
        "outcome": outcome,
        "treatment_start": starts,
    }
    made |= _optional(columns, used, outcome, query)
    for role, asked in (
        ("covariate", query.covariate_columns),
        ("predictor", query.predictor_columns),
    ):
        for i, name in enumerate(covariate_names(asked)):
            made[name] = columns.number(f"{role}_{i}")[used.order]
    seen = Seen(
        times=panel,
        no_unit=int((unit < 0).sum()),
        no_time=int((~panel.there & (unit >= 0)).sum()),
        late=int((late & (unit >= 0)).sum()),
        never_in_words=infinite,
        zeros_beside_dates=zeros,
        thousands=thousands,
    )
    return pd.DataFrame(made), seen


def _used(unit: IntArray, panel: Times, late: npt.NDArray[np.bool_], query: PanelQuery) -> _Used:
    rows = np.flatnonzero((unit >= 0) & panel.there & ~late)
    if not len(rows):
        raise NoData(
            "no period starts before as_of" if late.any() else "no row has a unit and a time",
            where=f"time_column: {query.time_column}",
            next_step="check as_of and timezone, or read older data",
        )
    order = rows[np.lexsort((panel.values[rows], unit[rows]))]
    return _Used(order=order, unit=unit[order], time=panel.values[order])


def _texts(names: list[str], codes: IntArray) -> pd.Series:
    return pd.Series(names, dtype="str").take(codes).reset_index(drop=True)


def _once(used: _Used, outcome: values.Floats, query: PanelQuery) -> None:
    """Refuse a unit and period that are there twice."""
    unit, time = used.unit, used.time
    again = (unit[1:] == unit[:-1]) & (time[1:] == time[:-1])
    if not again.any():
        return
    opens = again & ~np.append(False, again[:-1])
    differs = (outcome[1:] != outcome[:-1]) & ~(np.isnan(outcome[1:]) & np.isnan(outcome[:-1]))
    unequal = len(np.unique(np.cumsum(opens)[again & differs]))
    n = int(opens.sum())
    pairs = "1 unit-period pair is" if n == 1 else f"{n:,} unit-period pairs are"
    told = f"{unequal:,} with different outcomes" if unequal else "with equal outcomes"
    raise Refusal(
        f"{pairs} there more than once ({int(again.sum()) + n:,} rows, {told})",
        where=f"unit_column: {query.unit_column}, time_column: {query.time_column}",
        next_step="aggregate to one row per unit and period in a .sql source (GROUP BY both)"
        if unequal
        else "keep one row of each, or aggregate in a .sql source (the file may have been "
        "appended to itself)",
    )


def _starts(
    columns: _Columns, used: _Used, panel: Times, query: PanelQuery
) -> tuple[npt.NDArray[Any], int, int]:
    """Each row's treatment start; rows that say never as 0 beside dates, and in a word."""
    if query.treatment_start_column is not None:
        found = when.starts(columns.coded("start"), panel, query)
        starts = found.values[used.order]
        values.constant_in_units(starts, used.unit, "start", query)
        return starts, found.zeros, found.infinite
    if query.treated_column is not None:
        treated = values.flags(columns.number("treated")[used.order], "treated", query, empty=None)
        return values.start_from_treated(treated, used.unit, used.time, query), 0, 0
    if panel.kind == "date":
        return np.full(len(used.unit), np.datetime64("NaT", "us")), 0, 0
    return np.full(len(used.unit), np.nan), 0, 0


def _optional(
    columns: _Columns, used: _Used, outcome: values.Floats, query: PanelQuery
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if query.weight_column is not None:
        made["weight"] = columns.number("weight")[used.order]
        values.weighable(made["weight"], outcome, query)
    if query.cluster_column is not None:
        names, codes = columns.names("cluster")
        codes = codes[used.order]
        empty = int((codes < 0).sum())
        if empty:
            raise Refusal(
                f"{empty:,} rows have no cluster",
                where=f"cluster_column: {query.cluster_column}",
                next_step="fill it in a .sql source, or set cluster_column: null",
            )
        values.constant_in_units(codes, used.unit, "cluster", query)
        made["cluster"] = _texts(names, codes)
    if query.standard_error_column is not None:
        made["standard_error"] = columns.number("standard_error")[used.order]
    if query.neighbour_column is not None:
        near = columns.number("neighbour")[used.order]
        near = values.flags(near, "neighbour", query, empty=0.0)
        values.constant_in_units(near, used.unit, "neighbour", query)
        made["neighbour"] = near == 1
    return made


def _window(frame: pd.DataFrame, panel: Times, query: PanelQuery) -> tuple[Any, Any]:
    """First and last period start as instants, UTC; None for whole numbers."""
    if panel.kind == "whole":
        return None, None
    zone = clock.zone(query.timezone if panel.calendar == "local" else "UTC")
    ends = (frame["time"].min(), frame["time"].max())
    first, last = (
        clock.instant(clock.seconds(end.to_pydatetime().replace(tzinfo=zone))) for end in ends
    )
    return first, last
