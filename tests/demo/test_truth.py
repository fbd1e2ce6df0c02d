"""What was planted is what the two worlds differ by, and incident sizing finds it."""

from __future__ import annotations

import duckdb
import pytest

from tests.studies.demo_truth import study
from trustlib import demo

SERIES = {
    "rule_actions": "SELECT action_id AS id, acted_at AS moment, item_id FROM {}actions "
    "WHERE source = 'rule'",
    "user_reports": "SELECT report_id AS id, reported_at AS moment, item_id FROM {}reports",
}
MARKET = "JOIN items USING (item_id) JOIN accounts USING (account_id)"


def count(engine: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = engine.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture(scope="module")
def planted(world: demo.DemoWorld) -> tuple[demo.Truth, ...]:
    return demo.truth(world.path.parent)


def test_two_incidents_of_a_size_worth_a_report(
    engine: duckdb.DuckDBPyConnection, planted: tuple[demo.Truth, ...]
) -> None:
    assert [each.kind for each in planted] == ["over_blocking", "under_blocking"]
    for each in planted:
        start, end = each.window.start, each.window.end
        assert 20 <= (end - start).total_seconds() / 3600 <= 30
        found = engine.execute(
            f"SELECT count(*) FROM ({SERIES[each.series].format('')}) "
            "WHERE moment >= ?::TIMESTAMP AND moment < ?::TIMESTAMP",
            [start.replace(tzinfo=None), end.replace(tzinfo=None)],
        ).fetchone()
        assert found is not None
        assert 1.5 < found[0] / (found[0] - each.total) < 3


def test_the_worlds_differ_by_what_was_planted(
    engine: duckdb.DuckDBPyConnection, planted: tuple[demo.Truth, ...]
) -> None:
    over, under = planted
    for each in planted:
        here, calm = (SERIES[each.series].format(schema) for schema in ("", "calm."))
        window = f"moment >= '{each.window.start:%Y-%m-%d %H:%M}' AND moment < "
        window += f"'{each.window.end:%Y-%m-%d %H:%M}'"
        added = f"SELECT * FROM ({here}) WHERE id NOT IN (SELECT id FROM ({calm}))"
        rows = engine.execute(
            f"SELECT market, count(*) FROM ({added}) {MARKET} WHERE {window} GROUP BY market"
        ).fetchall()
        assert dict(rows) == each.planted
        # In the window nothing was taken away, and outside nothing was added.
        taken = f"SELECT * FROM ({calm}) WHERE id NOT IN (SELECT id FROM ({here}))"
        assert count(engine, f"SELECT count(*) FROM ({taken}) WHERE {window}") == 0
        assert count(engine, f"SELECT count(*) FROM ({added}) WHERE NOT ({window})") == 0
    assert (over.total, under.total) == (
        count(engine, "SELECT count(*) FROM truth.wrongly_actioned"),
        count(engine, "SELECT count(*) FROM truth.wave_reports"),
    )


def test_what_the_rules_missed_in_the_under_blocking(engine: duckdb.DuckDBPyConnection) -> None:
    here, calm = (SERIES["rule_actions"].format(schema) for schema in ("", "calm."))
    missing = engine.execute(
        f"SELECT item_id FROM ({calm}) WHERE item_id NOT IN (SELECT item_id FROM ({here}))"
        " ORDER BY 1"
    ).fetchall()
    truth = engine.execute("SELECT item_id FROM truth.not_actioned ORDER BY 1").fetchall()
    assert missing == truth
    assert len(missing) > 20


def test_wrongly_actioned_items_are_good_ones(engine: duckdb.DuckDBPyConnection) -> None:
    bad = "SELECT item_id FROM truth.violating_items"
    wrong = "SELECT count(*) FROM truth.wrongly_actioned WHERE item_id"
    assert count(engine, f"{wrong} IN ({bad})") == 0
    assert count(engine, f"{wrong} IN (SELECT item_id FROM items WHERE url_domain IS NULL)") == 0


def test_other_tables_are_the_same_with_and_without(engine: duckdb.DuckDBPyConnection) -> None:
    for table in ("accounts", "items", "views"):
        gone = f"SELECT * FROM calm.{table} EXCEPT SELECT * FROM {table}"
        extra = f"SELECT * FROM {table} EXCEPT SELECT * FROM calm.{table}"
        if table == "views":
            # Views of wrongly removed items are lost; the wave's own are added.
            gone += ") WHERE item_id NOT IN (SELECT item_id FROM truth.wrongly_actioned"
            extra += ") WHERE item_id NOT IN (SELECT item_id FROM truth.wave_items"
        if table == "items":
            extra += ") WHERE item_id NOT IN (SELECT item_id FROM truth.wave_items"
        assert count(engine, f"SELECT count(*) FROM ({gone})") == 0, table
        assert count(engine, f"SELECT count(*) FROM ({extra})") == 0, table


def test_the_log_says_when(
    engine: duckdb.DuckDBPyConnection, planted: tuple[demo.Truth, ...]
) -> None:
    rows = engine.execute(
        "SELECT incident_id, started_at, mitigated_at FROM incident_log ORDER BY incident_id"
    ).fetchall()
    assert rows == [
        (each.incident_id, each.window.start.replace(tzinfo=None),
         each.window.end.replace(tzinfo=None))
        for each in planted
    ]  # fmt: skip


def test_incident_sizing_finds_what_was_planted() -> None:
    """Few seeds of the study in tests/studies/demo_truth.md; deterministic, so not a gamble."""
    runs = study(range(1000, 1004))
    inside = [run.inside for run in runs]
    assert len(inside) == 8
    assert sum(inside) >= 7, runs
    assert all(run.low > 0 for run in runs), "an incident of this size must be seen"


def test_nothing_is_found_where_nothing_was_planted() -> None:
    runs = study(range(1000, 1002), incidents=False)
    assert all(run.planted == 0 for run in runs)
    assert sum(run.inside for run in runs) >= 3, runs
