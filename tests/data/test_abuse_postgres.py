"""The tables of the demo world from PostgreSQL: the same frames as from the embedded engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.data.test_abuse_demo import ITEMS, LINKS, TABLES
from tests.data.test_abuse_demo import QUERY as ASK
from tests.data.test_abuse_frames import same
from tests.data.test_postgres import server  # noqa: F401
from trustlib import demo
from trustlib.core import Refusal
from trustlib.data import read_abuse

TYPES = {"VARCHAR": "text", "DOUBLE": "double precision"}


def copied(world: Path, url: str, folder: Path) -> None:
    """Every table of the world that a deep-dive reads, in the server."""
    import psycopg

    with duckdb.connect(str(world), read_only=True) as there, psycopg.connect(url) as con:
        for table in ("items", *TABLES.values()):
            columns = there.execute(f"DESCRIBE {table}").fetchall()
            kinds = ", ".join(f"{row[0]} {TYPES.get(row[1], row[1])}" for row in columns)
            file = folder / f"{table}.csv"
            there.execute(f"COPY (FROM {table} ORDER BY ALL) TO '{file}' (HEADER false)")
            con.execute(f"DROP TABLE IF EXISTS {table}")
            con.execute(f"CREATE TABLE {table} ({kinds})")
            with (
                file.open("rb") as text,
                con.cursor() as cursor,
                cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy,
            ):
                while block := text.read(1 << 20):
                    copy.write(block)
            file.unlink()


@pytest.fixture(params=["small", pytest.param("medium", marks=pytest.mark.slow)])
def worlds(request, server, here, monkeypatch, tmp_path_factory):  # noqa: F811
    """The same world twice, as ``EMBEDDED`` and ``SERVER``."""
    world = demo.build(request.param, folder=tmp_path_factory.mktemp("demo"))
    copied(world.path, server, here)
    (here / "items.sql").write_text(ITEMS)
    (here / "links.sql").write_text(LINKS)
    monkeypatch.setenv("EMBEDDED", f"duckdb:///{world.path}")
    monkeypatch.setenv("SERVER", server)


def test_both_engines_give_the_same_frames(worlds):
    embedded = read_abuse(replace(ASK, connection="EMBEDDED"))
    there = read_abuse(replace(ASK, connection="SERVER"))
    same(embedded, there)
    pd.testing.assert_frame_equal(embedded.health, there.health)
    assert embedded.checks == there.checks
    assert {role: one.rows for role, one in embedded.snapshots.items()} == {
        role: one.rows for role, one in there.snapshots.items()
    }
    assert there.snapshots["views"].window_end_at == embedded.snapshots["views"].window_end_at
    assert there.sample["label"].sum() > 50


def test_refusals_are_the_same(server, monkeypatch, here):  # noqa: F811
    import psycopg

    monkeypatch.setenv("SERVER", server)
    with psycopg.connect(server) as con:
        con.execute("CREATE TABLE bare (item_id int, made_at timestamp, tags json)")
        con.execute("INSERT INTO bare VALUES (1, now(), '{}')")
    with pytest.raises(Refusal, match="there is no column account_id") as caught:
        read_abuse(replace(ASK, sources={"items": "bare"}, connection="SERVER"))
    assert caught.value.where == "items_source: bare, column account_id"
    (here / "items.sql").write_text(
        "SELECT tags AS item_id, 1 AS account_id, made_at AS created_at FROM bare"
    )
    with pytest.raises(Refusal, match="needs an identifier"):
        read_abuse(replace(ASK, sources={"items": "items.sql"}, connection="SERVER"))
