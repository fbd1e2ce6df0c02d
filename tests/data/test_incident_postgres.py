"""The tables of an incident from PostgreSQL: the same frames as from files."""

from __future__ import annotations

from dataclasses import replace

from tests.data.incident_tables import QUERY, same, save, world
from tests.data.test_postgres import server  # noqa: F401
from trustlib.data import read_affected

TYPES = {"i": "bigint", "f": "double precision", "M": "timestamp"}


def test_both_engines_give_the_same_frames(server, here, monkeypatch):  # noqa: F811
    import psycopg

    tables = world(1)
    plain = read_affected(replace(QUERY, sources=save(tables, here, "parquet")))
    sources = {}
    with psycopg.connect(server) as con:
        for role, table in tables.items():
            kinds = ", ".join(f"{c} {TYPES.get(table[c].dtype.kind, 'text')}" for c in table)
            con.execute(f"CREATE TABLE raw_{role} ({kinds})")
            with con.cursor().copy(f"COPY raw_{role} FROM STDIN (FORMAT csv)") as copy:
                copy.write(table.to_csv(index=False, header=False))
            picked = "*"
            if role == "affected":  # a truth value, and ids as text
                picked = ", ".join(c for c in table if c not in ("actioned", "item_id"))
                picked += ", actioned = 1 AS actioned, item_id::text AS item_id"
            (here / f"{role}.sql").write_text(f"SELECT {picked} FROM raw_{role}")
            sources[role] = f"{role}.sql"
    monkeypatch.setenv("SERVER", server)
    rows = read_affected(replace(QUERY, sources=sources, connection="SERVER"))
    same(plain, rows)
    assert plain.checks == rows.checks
