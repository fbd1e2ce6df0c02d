"""Opening a source: the columns that are asked for, under names of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import ibis

from trustlib.core import Refusal, did_you_mean
from trustlib.data.engine.session import STATE, locked, old_calls
from trustlib.data.source import Source, csv_header, near_column

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 131_072
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
    try:
        if source.kind == "csv":
            with _csv(source) as table:
                yield table
        elif source.kind == "parquet":
            with _parquet(source) as table:
                yield table
        else:
            with _queried(source) as table:
                yield table
    except (duckdb.Error, ibis.common.exceptions.IbisError, OSError) as error:
        raise refusal(error, source) from None


@contextmanager
def _csv(source: Source) -> Iterator[Opened]:
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
def _parquet(source: Source) -> Iterator[Opened]:
    assert source.path is not None
    with locked([source.path]) as backend, old_calls():
        table = backend.read_parquet(str(source.path.resolve()), table_name="source_rows")
        yield Opened(table, {n: n for n in table.columns}, True, f"read_parquet({source.name})")


@contextmanager
def _queried(source: Source) -> Iterator[Opened]:
    database = DEMO if DEMO.is_file() else None
    with locked(database=database) as backend:
        if source.kind == "table":
            yield _table(source, backend)
        else:
            yield _query(source, backend)


def _table(source: Source, backend: Any) -> Opened:
    names = _tables(backend)
    if source.name not in names:
        raise Refusal(
            "the table does not exist",
            where=f"source: {source.name}",
            nearest=did_you_mean(source.name, names),
            next_step="give a table of the connection, or a path that ends in "
            ".csv, .parquet or .sql",
        )
    with old_calls():
        table = backend.table(source.name)
    return Opened(table, {n: n for n in table.columns}, False, source.name)


def _query(source: Source, backend: Any) -> Opened:
    assert source.path is not None
    text = source.path.read_text(encoding="utf-8")
    statements = duckdb.extract_statements(text)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise Refusal(
            "a .sql source holds one SELECT and nothing else",
            where=f"source: {source.name}",
            next_step="keep one SELECT (WITH … SELECT is fine)",
        )
    # A view, so that the engine's own parser reads the text and nothing rewrites it.
    backend.con.execute(f"CREATE TEMP VIEW source_rows AS\n{statements[0].query}")
    with old_calls():
        table = backend.table("source_rows")
    return Opened(table, {n: n for n in table.columns}, False, text.strip())


def _tables(backend: Any) -> list[str]:
    # ibis 12 lists tables through a call that DuckDB 2.0 no longer has.
    rows = backend.con.execute(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_catalog = current_database() ORDER BY table_name"
    ).fetchall()
    return [row[0] for row in rows]


def batches(table: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The rows of `table` as a stream of Arrow batches, never all in memory."""
    backend = table.get_backend()
    reader = backend.con.sql(ibis.to_sql(table)).to_arrow_reader(BATCH)
    return reader.schema, reader


def roles(found: Opened, wanted: Mapping[str, str | None], source: Source) -> Any:
    """The columns that play a role, named by it; `wanted` maps a role to a column.

    Raises
    ------
    Refusal
        A column that is not there, with the nearest that is.
    """
    picked = {}
    for role, column in wanted.items():
        if column is None:
            continue
        if column not in found.columns:
            names = tuple(found.columns)
            raise Refusal(
                f"{role}_column names a column that the source does not have",
                where=f"{role}_column: {column}, source: {source.name}",
                nearest=near_column(column, names),
                next_step=f"the source has: {', '.join(names[:20])}"
                + (f" and {len(names) - 20} more" if len(names) > 20 else ""),
            )
        picked[role] = found.table[found.columns[column]]
    return found.table.select(**picked)


def refusal(error: Exception, source: Source) -> Refusal:
    """An engine's error without its words, which may hold contents, paths or a password."""
    text = str(error)
    where = f"source: {source.name}"
    line = re.search(r"CSV Error on Line: (\d+)", text)
    if line:
        return Refusal(
            "a line of the CSV file does not have as many fields as the header, "
            "or a quote is not closed",
            where=f"{where}, line {line.group(1)}",
            next_step="open the file at that line; quote values that hold the delimiter",
        )
    if source.kind == "parquet":
        return Refusal(
            "the file is not a whole Parquet file",
            where=where,
            next_step="copy or export it again: a file cut short in transfer reads like this",
        )
    return Refusal(
        f"the engine could not read the source ({type(error).__name__})",
        where=where,
        next_step="run the statement in your SQL client to see the engine's own words",
    )


@contextmanager
def snapshot_rows(path: Path) -> Iterator[Any]:
    """The rows of one snapshot, with their position as `row`, in a locked session."""
    with locked([path]) as backend:
        with old_calls():
            table = backend.read_parquet(
                str(path.resolve()), table_name="snapshot", file_row_number=True
            )
        yield table.rename(row="file_row_number")
