"""The examples' SQL on PostgreSQL: the very same rows as on the embedded engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.data.test_postgres import server  # noqa: F401
from trustlib import demo, params
from trustlib.data import read_panel
from trustlib.data.engine import statement
from trustlib.data.source import resolve

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = {
    "rollouts": "intervention text, market text, started_at timestamp",
    "complaints": "market text, week_starting date, active_accounts bigint, complaints bigint",
}
# The tables that a postmortem's SQL reads, as far as it needs them.
CASES = {
    "action_log": "FROM action_log",
    "incident_cases": "FROM incident_cases",
    "incident_audit": "FROM incident_audit",
    "incident_log": "FROM incident_log",
    "chargebacks": "FROM chargebacks",
    "appeals": "FROM appeals",
    "labels": "FROM labels",
    "items": "SELECT item_id, kind FROM items SEMI JOIN incident_cases USING (item_id)",
    "views": "SELECT item_id, viewer_id, viewed_at FROM views "
    "SEMI JOIN incident_cases USING (item_id)",
    "actions": "SELECT action_id, acted_at FROM actions SEMI JOIN appeals USING (action_id)",
    "scores": "SELECT item_id, scored_at FROM scores SEMI JOIN labels USING (item_id)",
}
TYPES = {"VARCHAR": "text", "DOUBLE": "double precision"}


@pytest.fixture
def warehouse(
    server: str,  # noqa: F811
    engine: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The demo's tables on a server, and its address in the environment."""
    import psycopg

    with psycopg.connect(server) as con:
        for table, columns in COLUMNS.items():
            con.execute(f"DROP TABLE IF EXISTS {table}")
            con.execute(f"CREATE TABLE {table} ({columns})")
            with con.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for row in engine.execute(f"FROM {table} ORDER BY ALL DESC").fetchall():
                    copy.write_row(row)
    monkeypatch.setenv("WAREHOUSE", server)


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize("notebook", ["intervention_did", "intervention_power"])
def test_both_engines_give_the_same_panel(
    world: demo.DemoWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: str
) -> None:
    (tmp_path / ".trustlib").mkdir()
    shutil.copytree(world.path.parent, tmp_path / demo.FOLDER)
    shutil.copytree(ROOT / "params", tmp_path / "params")
    monkeypatch.chdir(tmp_path)
    path = Path(f"params/{notebook}/example.yaml")
    here, there = (
        read_panel(params.load(path, [f"connection={name}"]).panel_query())
        for name in ("null", "WAREHOUSE")
    )
    pd.testing.assert_frame_equal(here.frame, there.frame, check_exact=True)
    pd.testing.assert_frame_equal(here.health, there.health)


def test_both_engines_give_the_same_cases(
    server: str,  # noqa: F811
    engine: duckdb.DuckDBPyConnection,
) -> None:
    import psycopg

    files = sorted((ROOT / "params/incident_postmortem").glob("*.sql"))
    assert len(files) == 7
    with psycopg.connect(server) as there:
        for table, query in CASES.items():
            columns = engine.execute(f"DESCRIBE ({query})").fetchall()
            kinds = ", ".join(f'"{row[0]}" {TYPES.get(row[1], row[1])}' for row in columns)
            there.execute(f"CREATE TEMP TABLE {table} ({kinds})")
            with there.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for row in engine.execute(query).fetchall():
                    copy.write_row(row)
        for file in files:
            text = file.read_text("utf-8")
            source = resolve(str(file), None)
            assert statement.embedded(text, source), file.name
            rows = engine.execute(f"FROM ({text}) ORDER BY ALL").fetchall()
            found = there.execute(statement.postgres(text, source)).fetchall()
            assert sorted(found, key=str) == sorted(rows, key=str), file.name
            assert len(rows) > 200, file.name
