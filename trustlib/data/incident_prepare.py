"""The tables of an incident opened and put in order: each case once, each label judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from trustlib.data import clock as clocks
from trustlib.data.abuse_labels import refuse_drawn
from trustlib.data.abuse_names import refuse_unreadable
from trustlib.data.engine import abuse, abuse_health
from trustlib.data.engine import incident as engine
from trustlib.data.engine import incident_labels as labels
from trustlib.data.engine import incident_times as times
from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.abuse_health import Cells
from trustlib.data.incident_records import TABLES, AffectedQuery
from trustlib.data.incident_refusals import refuse_amounts, refuse_differing

_YEAR = 366 * 86400
_BEFORE = 4 * _YEAR  # how far back clock changes are known, for the history of what came late


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The session with its cases and their labels, and what was found on the way.

    Attributes
    ----------
    tables
        With the tables ``cases`` and ``judged``. Without cases, labels and views are of no use
        and not in it.
    segments
        The engine's name of each segment -> the segment.
    until, strays
        See `trustlib.data.engine.incident_times.reach`.
    outside, repeated
        Usable rows of the affected table outside the window; rows of the window one too many.
    told
        Whether labels give the chance they were drawn with.
    cells, late, amounts, judged
        Counts of the engine's; empty where the role is not there.
    """

    tables: Tables
    segments: Mapping[str, str]
    until: int | None
    strays: int
    outside: int
    repeated: int
    told: bool
    cells: tuple[Cells, ...]
    late: Mapping[str, int]
    amounts: Mapping[str, int] = field(default_factory=dict)
    judged: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def opened(
    query: AffectedQuery, files: Mapping[str, tuple[Path, Mapping[str, str]]]
) -> Iterator[Ready]:
    """A session over copies, put in order; it is closed at the end.

    Parameters
    ----------
    files
        Role -> copy, and its columns' kinds.

    Raises
    ------
    Refusal
        Cells that cannot be read, rows of one item that differ, amounts or chances that cannot be.
    """
    zone = clocks.zone(query.timezone).key
    start, end = clocks.seconds(query.window.start), clocks.seconds(query.window.end)
    with abuse.session(
        files,
        clock=clocks.clock(zone, start - _BEFORE, end + _YEAR),
        start=start,
        end=end,
        history=start,
        compare=start,
        as_of=None if query.as_of is None else clocks.seconds(query.as_of),
        times=engine.TIMES,
        keys=engine.KEYS,
    ) as tables:
        cells = abuse_health.cells(tables, {str(role): wanted for role, wanted in TABLES.items()})
        refuse_unreadable(cells)
        if tables.as_of is None:
            until, strays = times.reach(tables)
        else:
            until, strays = tables.as_of, 0
        late = times.late(tables)
        if not tables.has("affected"):
            kept = {r: kinds for r, kinds in tables.columns.items() if r not in ("labels", "views")}
            tables = replace(tables, columns=kept)
        segments = {f"s{i}": name for i, name in enumerate(query.segments)}
        own = [name for name in segments if tables.has("affected", name)]
        yield _ready(tables, {n: segments[n] for n in own}, cells, late, until, strays)


def _ready(
    tables: Tables,
    segments: Mapping[str, str],
    cells: tuple[Cells, ...],
    late: Mapping[str, int],
    until: int | None,
    strays: int,
) -> Ready:
    names = list(segments)
    outside, repeated = engine.inside(tables, names, until)
    if repeated:
        refuse_differing(*engine.differing(tables, segments))
    amounts = {}
    if tables.has("affected", "gross"):
        amounts = engine.amounts(tables)
        refuse_amounts(amounts)
    engine.cases(tables, names)
    judged = labels.judged(tables)
    told = refuse_drawn(tables, "labels") if tables.has("labels") else False
    return Ready(
        tables=tables,
        segments=segments,
        until=until,
        strays=strays,
        outside=outside,
        repeated=repeated,
        told=told,
        cells=cells,
        late=late,
        amounts=amounts,
        judged=judged,
    )
