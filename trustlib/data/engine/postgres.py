"""A read-only session on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ibis

from trustlib.core import Refusal
from trustlib.data.source import Source

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def reading(source: Source) -> Iterator[Any]:
    """An ibis backend inside one read-only, repeatable-read transaction.

    All that is read comes from one state of the database, and nothing can be written:
    the server refuses, whatever the statement says.
    """
    import psycopg

    assert source.url is not None
    try:
        connection = psycopg.connect(
            source.url,
            autocommit=True,
            connect_timeout=15,
            application_name="trustlib",
        )
    except (psycopg.Error, ValueError, UnicodeError) as error:
        raise Refusal(
            f"the database could not be reached ({type(error).__name__})",
            where=f"connection: {source.connection}",
            next_step="check the URL in that variable, the network and your rights; "
            f'try: psql "${source.connection}"',
        ) from None
    try:
        backend = ibis.postgres.from_connection(connection)
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with connection.transaction(force_rollback=True):
            yield backend
    finally:
        connection.close()


def tables(backend: Any) -> dict[str, tuple[str, str]]:
    """Tables and views as a params file would name them, each with its schema and name."""
    rows = backend.con.execute(
        "SELECT table_schema, table_name, table_schema = current_schema() "
        "FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') "
        "ORDER BY table_schema, table_name"
    ).fetchall()
    return {(name if here else f"{schema}.{name}"): (schema, name) for schema, name, here in rows}


def query(backend: Any, text: str) -> Any:
    """The SELECT `text` as an ibis table.

    Its schema is asked of the server by an empty run: ibis would make a temporary view,
    which a read-only session refuses.
    """
    cursor = backend.con.execute(f"SELECT * FROM (\n{text}\n) AS source_rows LIMIT 0")
    oids = [(column.name, column.type_code, column.type_display) for column in cursor.description]
    mapper = backend.compiler.type_mapper
    schema = {name: mapper.from_string(shown.split("[")[0]) for name, _, shown in oids}
    return backend.sql(text, schema=schema)


@contextmanager
def stream(table: Any, size: int) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """The rows of an ibis table through a server-side cursor, `size` at a time.

    As ibis does it, but with a cursor that is closed when a read breaks off.
    """
    import pyarrow as pa

    backend = table.get_backend()
    schema = table.schema().to_pyarrow()
    struct = pa.struct(schema)

    with backend.con.cursor(name="trustlib_rows") as cursor:

        def batches() -> Iterator[pa.RecordBatch]:
            cursor.execute(backend.compile(table))
            while rows := cursor.fetchmany(size):
                yield pa.RecordBatch.from_struct_array(pa.array(rows, type=struct))

        yield schema, batches()
