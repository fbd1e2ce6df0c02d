"""The examples' SQL on PostgreSQL: the very same panel as on the embedded engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.data.test_postgres import server  # noqa: F401
from trustlib import demo, params
from trustlib.data import read_panel

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = {
    "rollouts": "intervention text, market text, started_at timestamp",
    "complaints": "market text, week_starting date, active_accounts bigint, complaints bigint",
}


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
