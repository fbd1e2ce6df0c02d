"""Opening a source: the columns that are asked for, under names of our own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import duckdb
import ibis

from trustlib.core import Refusal, RunFailed, TrustlibError
from trustlib.data.engine import postgres, statement
from trustlib.data.engine.columns import as_role, parameter
from trustlib.data.engine.faults import fault, no_table
from trustlib.data.engine.session import locked, old_calls
from trustlib.data.parquet import STATE, spooled
from trustlib.data.source import Source, csv_header, names_told, near_column

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 131_072
_ENGINE_ERRORS = (duckdb.Error, ibis.common.exceptions.IbisError, OSError)
DEMO = STATE / "demo" / "world.duckdb"


@dataclass(frozen=True)
class Opened:
    """A source with its catalog.

    Attributes
    ----------
    table
        ibis table.
    columns
        The source's column names, in order, each with the name it has in `table`.
    ordered
        True where the rows have an order that the source itself gave them (a file).
    statement
        What stands for the source in the appendix.
    """

    table: Any
    columns: Mapping[str, str]
    ordered: bool
    statement: str


@contextmanager
def opened(source: Source) -> Iterator[Opened]:
    """Open `source` for reading; every engine error becomes a Refusal without contents."""
    opening = {"csv": _csv, "parquet": _parquet}.get(source.kind) or _connected(source)
    shelf: list[str] = []
    try:
        with opening(source, shelf) as found:
            yield found
    except TrustlibError:
        raise
    except _ENGINE_ERRORS as error:
        raise fault(error, source, tuple(shelf)) from None
    except Exception as error:
        # psycopg is only there with a PostgreSQL connection, and not imported without.
        if type(error).__module__.split(".")[0] not in ("psycopg", "pyarrow", "sqlglot"):
            raise
        raise fault(error, source, tuple(shelf)) from None


def _connected(source: Source) -> Any:
    if source.url is None:
        return _embedded
    scheme = source.url.partition(":")[0].lower()
    if scheme == "duckdb":
        return _embedded
    if scheme in ("postgres", "postgresql"):
        return _postgres
    raise Refusal(
        "the connection's URL is of a kind that is not known",
        where=f"connection: {source.connection}",
        next_step="use duckdb://path/to/file.duckdb or postgresql://user@host/database",
    )


@contextmanager
def _csv(source: Source, shelf: list[str]) -> Iterator[Opened]:
    assert source.path is not None
    header = csv_header(source.path)
    columns = {name: f"c{i}" for i, name in enumerate(header.names)}
    with locked([source.path]) as backend:
        # Names of our own: nothing that stands in the header reaches a statement.
        with old_calls():
            table = backend.read_csv(
                str(source.path.resolve()),
                table_name="source_rows",
                columns=dict.fromkeys(columns.values(), "VARCHAR"),
                auto_detect=False,
                header=True,
                delim=header.delimiter,
                quote='"',
                escape='"',
                nullstr="",
                strict_mode=True,
                null_padding=False,
                ignore_errors=False,
                max_line_size=1024 * 1024,
            )
        yield Opened(table, columns, True, f"read_csv({source.name})")


@contextmanager
def _parquet(source: Source, shelf: list[str]) -> Iterator[Opened]:
    assert source.path is not None
    with locked([source.path]) as backend, old_calls():
        table = backend.read_parquet(str(source.path.resolve()), table_name="source_rows")
        yield Opened(table, {n: n for n in table.columns}, True, f"read_parquet({source.name})")


@contextmanager
def _embedded(source: Source, shelf: list[str]) -> Iterator[Opened]:
    database = DEMO if source.url is None else _duckdb_file(source)
    with locked(database=database if database.is_file() else None) as backend:
        known = _tables(backend)
        shelf += known
        if source.kind == "sql":
            text = statement.text_of(source)
            # A view, so that the engine's own parser reads the text and nothing rewrites it.
            backend.con.execute(
                f"CREATE TEMP VIEW source_rows AS\n{statement.embedded(text, source)}"
            ).fetchall()
            table, said = _named(backend, "source_rows"), text.strip()
        elif source.name in known:
            table, said = _named(backend, *reversed(known[source.name])), source.name
        else:
            raise no_table(source, tuple(known))
        yield Opened(table, {n: n for n in table.columns}, False, said)


def _duckdb_file(source: Source) -> Path:
    assert source.url is not None
    path = Path(unquote(source.url.partition("://")[2]))
    if not path.is_file():
        raise Refusal(
            "the connection's URL names no DuckDB file that exists",
            where=f"connection: {source.connection}",
            next_step="use duckdb://relative/path.duckdb or duckdb:///absolute/path.duckdb",
        )
    return path


@contextmanager
def _postgres(source: Source, shelf: list[str]) -> Iterator[Opened]:
    with postgres.reading(source) as backend:
        known = postgres.tables(backend)
        shelf += known
        if source.kind == "sql":
            text = statement.text_of(source)
            table = postgres.query(backend, statement.postgres(text, source))
            said = text.strip()
        elif source.name in known:
            schema, name = known[source.name]
            table, said = backend.table(name, database=schema), source.name
        else:
            raise no_table(source, tuple(known))
        yield Opened(table, {n: n for n in table.columns}, False, said)


def _named(backend: Any, name: str, schema: str | None = None) -> Any:
    with old_calls():
        return backend.table(name, database=schema)


def _tables(backend: Any) -> dict[str, tuple[str, str]]:
    # ibis 12 lists tables through a call that DuckDB 2.0 no longer has.
    rows = backend.con.execute(
        "SELECT table_schema, table_name, table_schema = current_schema() "
        "FROM information_schema.tables WHERE table_catalog = current_database() "
        "ORDER BY table_schema, table_name"
    ).fetchall()
    return {(name if here else f"{schema}.{name}"): (schema, name) for schema, name, here in rows}


@contextmanager
def batches(table: Any, *, ordered: bool) -> Iterator[tuple[pa.Schema, Iterable[pa.RecordBatch]]]:
    """The rows of `table` as a stream of Arrow batches, never all in memory.

    Rows of a source that is not `ordered` are put in order, by all columns, so that the
    same content makes the same snapshot.
    """
    if table.get_backend().name == "duckdb":
        yield _stream(table, sort=not ordered)
        return
    with (
        postgres.stream(table, BATCH // 4) as (schema, rows),
        spooled(schema, rows) as path,
        snapshot_rows(path) as copy,
    ):
        yield _stream(copy.drop("row"), sort=True)


def _stream(table: Any, *, sort: bool) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    if sort:
        table = table.order_by([table[name] for name in table.columns])
    reader = table.get_backend().con.sql(ibis.to_sql(table)).to_arrow_reader(BATCH)
    return reader.schema, reader


def roles(found: Opened, wanted: Mapping[str, str | None], source: Source) -> Any:
    """The columns that play a role, named by it and of few types; `wanted` maps a role to a
    column.

    Raises
    ------
    Refusal
        A column that is not there, with the nearest that is; a type that cannot play the role.
    """
    picked = {}
    for role, column in wanted.items():
        if column is None:
            continue
        if column not in found.columns:
            names = tuple(found.columns)
            if source.kind == "csv":
                names = names_told(names)
            raise Refusal(
                f"{parameter(role)} names a column that the source does not have",
                where=f"{parameter(role)}: {column}, source: {source.name}",
                nearest=near_column(column, names),
                next_step=_has(names),
            )
        value = found.table[found.columns[column]]
        picked[role] = as_role(value, role, column, source)
    return found.table.select(**picked)


def _has(names: tuple[str, ...]) -> str:
    if not names:
        return (
            "look at the first line of the file: it has to hold the column names, and what "
            "stands there looks like data (so it is not shown)"
        )
    if len(names) == 1:
        return (
            f"the source has one column: {names[0][:100]}; where that is no column's name, take "
            "away the lines above the header"
        )
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"the source has: {', '.join(name[:100] for name in names[:20])}{more}"


@contextmanager
def snapshot_rows(path: Path) -> Iterator[Any]:
    """The rows of one snapshot, with their position as `row`, in a locked session.

    Raises
    ------
    RunFailed
        If the engine breaks on its own copy: not the caller's fault.
    """
    try:
        with locked([path]) as backend:
            with old_calls():
                table = backend.read_parquet(
                    str(path.resolve()), table_name="snapshot", file_row_number=True
                )
            yield table.rename(row="file_row_number")
    except _ENGINE_ERRORS as error:
        raise RunFailed(
            f"the engine failed on the snapshot ({type(error).__name__})",
            where=f"snapshot: {path.as_posix()}",
            next_step="run it again; if it fails again, delete that file first",
        ) from None
