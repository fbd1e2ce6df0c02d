"""The tables of a deep-dive, each copied with the columns that its role needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trustlib.core import NoData, Refusal, TrustlibError
from trustlib.data.abuse_records import TABLES, AbuseQuery, Role
from trustlib.data.engine import sources
from trustlib.data.engine.columns import plain_type
from trustlib.data.engine.typed import stored
from trustlib.data.parquet import keep
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
    _refuse_taken_segments(query)
    made: dict[Role, Copy] = {}
    missing: dict[Role, str] = {}
    near: dict[str, str] = {}
    for role in TABLES:
        if role not in query.sources:
            missing[role] = "no source was given"
            continue
        with of_role(role):
            copy = _copy(role, query, near)
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


def _copy(role: Role, query: AbuseQuery, near: dict[str, str]) -> Copy:
    source = _resolved(query.sources[role], query.connection)
    with sources.opened(source) as found:
        kinds, picked = _picked(found, role, query, source)
        if role in ("items", "accounts"):
            _remember_near(near, tuple(found.columns), query, source)
        table = found.table.select(**picked)
        with sources.batches(table, ordered=found.ordered) as (schema, batches):
            path, sha256, rows = keep(schema, batches)
    return Copy(
        path=path, sha256=sha256, rows=rows, kinds=kinds, source=source, statement=found.statement
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
    found: sources.Opened, role: Role, query: AbuseQuery, source: Source
) -> tuple[dict[str, str], dict[str, Any]]:
    """Column of the copy -> kind, and -> ibis column."""
    kinds, picked = {}, {}
    for name, kind, needed, column in _wanted(role, query):
        if column not in found.columns:
            if needed:
                raise _no_column(role, column, tuple(found.columns), source)
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


def _wanted(role: Role, query: AbuseQuery) -> Iterator[tuple[str, str, bool, str]]:
    """Name in the copy, kind, whether needed, column in the source."""
    for name, column in TABLES[role].items():
        if name == "kind" and role == "items":
            continue  # it is there for segments
        yield name, column.kind, column.needed, name
    if role in ("items", "accounts"):
        for i, name in enumerate(query.segments):
            yield f"s{i}", "text", False, name


def _no_column(role: Role, name: str, columns: tuple[str, ...], source: Source) -> Refusal:
    if source.kind == "csv":
        columns = names_told(columns)
    return Refusal(
        f"there is no column {name}, which {role.replace('_', ' ')} need",
        where=f"{role}_source: {source.name}, column {name}",
        nearest=near_column(name, columns),
        next_step=f"rename the column in a .sql source: SELECT … AS {name}",
    )


def _remember_near(
    near: dict[str, str], columns: tuple[str, ...], query: AbuseQuery, source: Source
) -> None:
    told = names_told(columns) if source.kind == "csv" else columns
    for name in query.segments:
        found = near_column(name, told)
        if found is not None:
            near.setdefault(name, found)


def _refuse_taken_segments(query: AbuseQuery) -> None:
    for i, name in enumerate(query.segments):
        if name in _TAKEN or name.startswith("control:"):
            raise Refusal(
                "a segment has a name that a column of the frames has",
                where=f"segments: {name}",
                next_step=f"rename it in a .sql source: SELECT {name} AS item_{name}",
            )
        if name in query.segments[:i]:
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
