"""The tables of a deep-dive or an incident, each copied with the columns its role needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trustlib.core import NoData, Refusal, TrustlibError
from trustlib.data import clock as clocks
from trustlib.data.abuse_records import TABLES, AbuseQuery, Column, Role
from trustlib.data.engine import sources
from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.columns import plain_type
from trustlib.data.engine.typed import stored
from trustlib.data.parquet import keep
from trustlib.data.records import Snapshot
from trustlib.data.source import Source, names_told, near_column, resolve

# Columns that the frames have beside those of segments.
_TAKEN = {
    "item", "actor", "stratum", "inclusion", "label", "n_votes", "ties", "policy", "views",
    "score", "created_at", "in_window", "domain", "text_hash", "reported", "confirmed",
    "seen_at", "before", "now",
}  # fmt: skip
_WORD = re.compile(r"\w+")
_NEEDS = {
    "key": "an identifier (a whole number or text)",
    "time": "a time (date, timestamp, or text in ISO 8601)",
    "text": "text, a number or a date",
    "number": "a number",
    "flag": "0 or 1",
}
_HINTS = {
    "time": "epoch seconds or milliseconds are not guessed at: write real times (pandas: "
    'pd.to_datetime(column, unit="s", utc=True)), or cast the column in a .sql source',
}


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One role's table as it was read.

    Attributes
    ----------
    path, sha256, rows
        Of the Parquet copy.
    kinds
        Column of the copy -> kind; segments are called s0, s1 …
    source, statement
        Where it came from, and what stands for it in the appendix.
    """

    path: Path
    sha256: str
    rows: int
    kinds: Mapping[str, str]
    source: Source
    statement: str


def copies(query: AbuseQuery) -> tuple[dict[Role, Copy], dict[Role, str]]:
    """Copy every table that is there; beside it, why a role has none.

    Raises
    ------
    Refusal
        A source, or a column that its role needs, that is not there; a type that cannot be what
        the role needs; a segment that no table has.
    NoData
        Items without rows.
    """
    refuse_segments(query.segments, _TAKEN)
    made: dict[Role, Copy] = {}
    missing: dict[Role, str] = {}
    near: dict[str, str] = {}
    for role in TABLES:
        if role not in query.sources:
            missing[role] = "no source was given"
            continue
        # An item's kind is there for segments.
        columns = {n: c for n, c in TABLES[role].items() if (role, n) != ("items", "kind")}
        with of_role(role):
            copy = copied(
                role,
                query.sources[role],
                columns,
                connection=query.connection,
                segments=query.segments if role in ("items", "accounts") else (),
                near=near,
            )
        if copy.rows:
            made[role] = copy
        else:
            missing[role] = "the source has no rows"
    if "items" not in made:
        raise NoData(
            "the source of items has no rows",
            where=f"items_source: {query.sources['items']}",
            next_step="check the export, or the WHERE of the query",
        )
    _refuse_unknown_segments(query, made, near)
    return made, missing


@contextmanager
def of_role(role: str) -> Iterator[None]:
    """What is said of a source is said of the parameter that names this one."""
    try:
        yield
    except TrustlibError as error:
        where = re.sub(r"\bsource:", f"{role}_source:", error.where or "")
        if f"{role}_source" not in where:
            where = f"{role}_source" + (f", {where}" if where else "")
        raise type(error)(
            error.what, where=where, nearest=error.nearest, next_step=error.next_step
        ) from None


def copied(
    role: str,
    name: str,
    columns: Mapping[str, Column],
    *,
    connection: str | None,
    segments: Sequence[str] = (),
    near: dict[str, str] | None = None,
    noun: str | None = None,
) -> Copy:
    """Copy one table with those of `columns` and `segments` that it has.

    Parameters
    ----------
    role, noun
        What the table is for, in code and in a sentence ("there is no column …, which labels
        need").
    name, connection
        As params give them.
    near
        Segment -> the table's column nearest to it: filled in.

    Raises
    ------
    Refusal
        A source, or a column that is needed, that is not there; a type that cannot be what the
        column is for.
    """
    source = _resolved(name, connection)
    with sources.opened(source) as found:
        kinds, picked = _picked(found, role, columns, segments, source, noun)
        if near is not None and segments:
            _remember_near(near, tuple(found.columns), segments, source)
        table = found.table.select(**picked)
        with sources.batches(table, ordered=found.ordered) as (schema, batches):
            path, sha256, rows = keep(schema, batches)
    return Copy(
        path=path, sha256=sha256, rows=rows, kinds=kinds, source=source, statement=found.statement
    )


def snapshot(tables: Tables, role: str, copy: Copy, time: str | None) -> Snapshot:
    """What was read for a role, with the first and last instant of its column `time`."""
    first = last = None
    if time is not None and tables.has(role, time):
        first, last = tables.row(f'SELECT min("{time}"), max("{time}") FROM all_{role}')
    return Snapshot(
        source=copy.source.name,
        kind=copy.source.kind,
        rows=copy.rows,
        sha256=copy.sha256,
        path=copy.path.as_posix(),
        window_start_at=None if first is None else clocks.instant(first),
        window_end_at=None if last is None else clocks.instant(last),
        sql=copy.statement,
    )


def _resolved(name: str, connection: str | None) -> Source:
    path = Path(name)
    if path.suffix.lower() in (".csv", ".parquet"):
        return resolve(name, None)
    if _WORD.fullmatch(name) and path.is_dir():
        # The table of user reports is called as the folder of finished reports is.
        url = resolve("table", connection).url
        return Source(name=name, kind="table", path=None, url=url, connection=connection)
    return resolve(name, connection)


def _picked(
    found: sources.Opened,
    role: str,
    columns: Mapping[str, Column],
    segments: Sequence[str],
    source: Source,
    noun: str | None,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Column of the copy -> kind, and -> ibis column."""
    kinds, picked = {}, {}
    for name, kind, needed, column in _wanted(columns, segments):
        if column not in found.columns:
            if needed:
                raise _no_column(role, column, tuple(found.columns), source, noun)
            continue
        value = found.table[found.columns[column]]
        made = stored(value, kind)
        if made is None:
            raise Refusal(
                f"column {column} needs {_NEEDS[kind]}, this one is of {plain_type(value.type())}",
                where=f"{role}_source: {source.name}, column {column}",
                next_step=_HINTS.get(kind, "cast it in a .sql source"),
            )
        kinds[name], picked[name] = kind, made
    return kinds, picked


def _wanted(
    columns: Mapping[str, Column], segments: Sequence[str]
) -> Iterator[tuple[str, str, bool, str]]:
    """Name in the copy, kind, whether needed, column in the source."""
    for name, column in columns.items():
        yield name, column.kind, column.needed, name
    for i, name in enumerate(segments):
        yield f"s{i}", "text", False, name


def _no_column(
    role: str, name: str, columns: tuple[str, ...], source: Source, noun: str | None
) -> Refusal:
    if source.kind == "csv":
        columns = names_told(columns)
    return Refusal(
        f"there is no column {name}, which {noun or role.replace('_', ' ')} need",
        where=f"{role}_source: {source.name}, column {name}",
        nearest=near_column(name, columns),
        next_step=f"rename the column in a .sql source: SELECT … AS {name}",
    )


def _remember_near(
    near: dict[str, str], columns: tuple[str, ...], segments: Sequence[str], source: Source
) -> None:
    told = names_told(columns) if source.kind == "csv" else columns
    for name in segments:
        found = near_column(name, told)
        if found is not None:
            near.setdefault(name, found)


def refuse_segments(segments: Sequence[str], taken: Collection[str]) -> None:
    """Refuse a segment that is called as a column of the frames is, or that is named twice.

    Raises
    ------
    Refusal
    """
    for i, name in enumerate(segments):
        if name in taken or name.startswith("control:"):
            raise Refusal(
                "a segment has a name that a column of the frames has",
                where=f"segments: {name}",
                next_step=f"rename it in a .sql source: SELECT {name} AS item_{name}",
            )
        if name in segments[:i]:
            raise Refusal(
                "a segment is named twice", where=f"segments: {name}", next_step="name it once"
            )


def _refuse_unknown_segments(
    query: AbuseQuery, made: Mapping[Role, Copy], near: Mapping[str, str]
) -> None:
    for i, name in enumerate(query.segments):
        if any(f"s{i}" in made[role].kinds for role in ("items", "accounts") if role in made):
            continue
        known = "accounts" in made
        if not known and name not in near:
            continue  # what only accounts know: unknown without them, and said
        raise Refusal(
            "a segment is a column of neither items nor accounts"
            if known
            else "a segment is no column of items, and there is no source of accounts",
            where=f"segments: {name}, items_source" + (", accounts_source" if known else ""),
            nearest=near.get(name),
            next_step="name a column of one of them, or add it in a .sql source"
            if known
            else "name a column of items, or set accounts_source",
        )
