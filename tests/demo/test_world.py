"""The world on disk: the same for everyone, joined, seasonal, made up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from trustlib import demo
from trustlib.core import Refusal
from trustlib.demo import world as making

ROOT = Path(__file__).resolve().parents[2]
# Pinned: the content of (small, seed 0) on any machine, thread count and engine version.
CONTENT = "876b561622dd4d29bb4e18e64346bb7a9ed9c40d340103f7be8746f404464237"
# Of the tables that the incidents are sized on, as they were before the scams came, and of the link
# warning's: later tables must not move their numbers.
INCIDENTS = "99ed09dca35f24f16a15da22a11153f5d0aac592c802e57e5fa2b4293b10013a"
COMPLAINTS = "79c6e53cd3462873b7dace27da6ae89b9037414e87b4547a7480700fae5d1e26"

COLUMNS = {
    "accounts": "account_id created_at market segment device_hash ip_block payment_hash",
    "items": "item_id account_id created_at kind url_domain text_hash",
    "views": "view_id viewed_at item_id viewer_id market surface",
    "reports": "report_id item_id reporter_id reason reported_at",
    "actions": "action_id item_id account_id action source acted_at",
    "rollouts": "intervention market started_at",
    "complaints": "market week_starting active_accounts complaints",
    "harassment_reports": "market week_starting active_accounts reports",
    "scores": "item_id model_version score scored_at",
    "labels": "item_id rater_id label policy stratum inclusion_probability labelled_at",
    "view_labels": "view_id item_id rater_id label policy stratum inclusion_probability "
    "labelled_at",
    "gold_labels": "item_id rater_id label gold policy labelled_at",
    "appeals": "appeal_id action_id filed_at outcome decided_at",
    "instrument_changes": "changed_at instrument note",
    "action_log": "event_id action_id item_id account_id market acted_at",
    "customers": "account_id customer_id",
    "incident_cases": "incident_id item_id case_at actioned suspect account_id customer_id market "
    "dose gross_usd recovered_usd resolved_at",
    "incident_audit": "incident_id item_id label inclusion_probability rater_id labelled_at",
    "chargebacks": "chargeback_id item_id event_at filed_at",
    "change_log": "changed_at change link",
}
# What the scams added to tables that were there before, taken away again.
BEFORE = {
    "accounts": "FROM world.accounts WHERE account_id % 8 < 6",
    "items": "FROM world.items WHERE item_id % 8 <> 6",
    "views": "FROM world.views WHERE item_id % 8 <> 6",
    "reports": "SELECT * REPLACE (coalesce(instead_of_item_id, reports.item_id) AS item_id, "
    "coalesce(instead_of_reason, reason) AS reason) FROM world.reports "
    "LEFT JOIN (SELECT report_id, instead, instead_of_item_id, instead_of_reason "
    "FROM truth.scam_reports) USING (report_id) WHERE instead IS NOT false",
    "actions": "FROM world.actions WHERE source NOT LIKE 'scam%'",
    "incident_log": "FROM world.incident_log",
}
# The rows that the examples' SQL gave before the scams came.
EXAMPLES = {
    "rule_actions": "3df7401581656750115cd0a524923f4e914e7043c23803f36c2259ce24825f4f",
    "user_reports": "8614185cd5885e7792c23b3b1f015875e41f78e7dcac667048dceea8de7f1c71",
}


def one(engine: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = engine.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def in_memory(seed: int = 0, threads: int = 1) -> str:
    with duckdb.connect() as engine:
        engine.execute(f"SET threads = {threads}")
        engine.execute("ATTACH ':memory:' AS truth")
        making.generate(engine, seed=seed)
        return making.content(engine)


def test_the_content_is_pinned(world: demo.DemoWorld) -> None:
    assert world.content == CONTENT


@pytest.fixture
def beside(world: demo.DemoWorld) -> Iterator[duckdb.DuckDBPyConnection]:
    """Another database with the world and its truth attached, for views of them."""
    with duckdb.connect() as engine:
        engine.execute(f"ATTACH '{world.path}' AS world (READ_ONLY)")
        engine.execute(f"ATTACH '{world.truth_path}' AS truth (READ_ONLY)")
        yield engine


def test_the_tables_of_the_incidents_stay_as_they_were(beside: duckdb.DuckDBPyConnection) -> None:
    for table, query in BEFORE.items():
        columns = ", ".join((COLUMNS.get(table) or "*").split())
        beside.execute(f"CREATE VIEW {table} AS SELECT {columns} FROM ({query})")
    assert making.content(beside, BEFORE) == INCIDENTS
    beside.execute("USE world")
    assert making.content(beside, ["complaints"]) == COMPLAINTS


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_read_the_rows_that_they_read_before(
    beside: duckdb.DuckDBPyConnection, example: str
) -> None:
    sql = (ROOT / f"params/incident_sizing/{example}.sql").read_text(encoding="utf-8")
    beside.execute("USE world")
    beside.execute(f"CREATE TEMP VIEW {example} AS {sql}")
    assert making.content(beside, [example]) == EXAMPLES[example]


def test_the_content_does_not_depend_on_threads() -> None:
    assert in_memory(threads=4) == CONTENT


def test_the_content_does_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "CHUNK_ROWS", 30_000)
    assert in_memory(threads=1) == CONTENT


def test_another_seed_is_another_world() -> None:
    assert in_memory(seed=1) != CONTENT


def test_columns_are_the_contract(engine: duckdb.DuckDBPyConnection) -> None:
    for table, columns in COLUMNS.items():
        found = [row[0] for row in engine.execute(f"DESCRIBE {table}").fetchall()]
        assert found == columns.split(), table


def test_rows_are_what_the_record_says(
    world: demo.DemoWorld, engine: duckdb.DuckDBPyConnection
) -> None:
    assert set(world.rows) == {*COLUMNS, "incident_log"}
    for table, rows in world.rows.items():
        assert one(engine, f"SELECT count(*) FROM {table}") == rows > 0


@pytest.mark.parametrize("key", ["accounts.account_id", "items.item_id", "views.view_id",
                                 "reports.report_id", "actions.action_id", "scores.item_id",
                                 "appeals.appeal_id", "view_labels.view_id",
                                 "customers.account_id", "incident_cases.item_id",
                                 "incident_audit.item_id", "chargebacks.chargeback_id",
                                 "change_log.changed_at"])  # fmt: skip
def test_keys_are_unique(engine: duckdb.DuckDBPyConnection, key: str) -> None:
    table, column = key.split(".")
    assert one(engine, f"SELECT count(*) - count(DISTINCT {column}) FROM {table}") == 0


@pytest.mark.parametrize(
    ("child", "column", "at", "parent", "key"),
    [
        ("items", "account_id", "created_at", "accounts", "account_id"),
        ("views", "item_id", "viewed_at", "items", "item_id"),
        ("views", "viewer_id", "viewed_at", "accounts", "account_id"),
        ("reports", "item_id", "reported_at", "items", "item_id"),
        ("reports", "reporter_id", "reported_at", "accounts", "account_id"),
        ("actions", "item_id", "acted_at", "items", "item_id"),
        ("actions", "account_id", "acted_at", "accounts", "account_id"),
        ("action_log", "item_id", "acted_at", "items", "item_id"),
        ("action_log", "account_id", "acted_at", "accounts", "account_id"),
        ("incident_cases", "item_id", "case_at", "items", "item_id"),
        ("incident_cases", "account_id", "case_at", "accounts", "account_id"),
        ("chargebacks", "item_id", "event_at", "items", "item_id"),
    ],
)
def test_joins_hold_and_causes_come_first(
    engine: duckdb.DuckDBPyConnection, child: str, column: str, at: str, parent: str, key: str
) -> None:
    if parent == "accounts":  # some vanished when they were enforced
        parent = (
            "(SELECT account_id, created_at FROM accounts UNION ALL "
            "SELECT account_id, created_at FROM truth.abusers WHERE vanished)"
        )
    found = one(
        engine,
        f"SELECT count(*) FROM {child} AS c JOIN {parent} AS p ON p.{key} = c.{column} "
        f"WHERE p.created_at <= c.{at}",
    )
    assert found == one(engine, f"SELECT count(*) FROM {child}")


def test_an_action_is_against_the_items_author(engine: duckdb.DuckDBPyConnection) -> None:
    wrong = "SELECT count(*) FROM actions JOIN items USING (item_id) WHERE actions.account_id <> "
    assert one(engine, wrong + "items.account_id") == 0


def test_removed_items_are_neither_seen_nor_reported(engine: duckdb.DuckDBPyConnection) -> None:
    for table, at in (("views", "viewed_at"), ("reports", "reported_at")):
        late = one(
            engine,
            f"SELECT count(*) FROM {table} JOIN actions USING (item_id) "
            f"WHERE action IN ('remove', 'disable') AND {at} >= acted_at",
        )
        assert late == 0, table


def test_times_are_inside_the_world(engine: duckdb.DuckDBPyConnection) -> None:
    for table, at in (("items", "created_at"), ("views", "viewed_at"), ("reports", "reported_at"),
                      ("actions", "acted_at"), ("scores", "scored_at"), ("labels", "labelled_at"),
                      ("view_labels", "labelled_at"), ("gold_labels", "labelled_at"),
                      ("appeals", "filed_at"), ("appeals", "decided_at"),
                      ("action_log", "acted_at"), ("incident_cases", "case_at"),
                      ("incident_cases", "resolved_at"), ("incident_audit", "labelled_at"),
                      ("chargebacks", "event_at"), ("chargebacks", "filed_at"),
                      ("change_log", "changed_at")):  # fmt: skip
        outside = f"SELECT count(*) FROM {table} WHERE {at} < TIMESTAMP '2026-01-05' OR {at} >= "
        assert one(engine, outside + "TIMESTAMP '2026-04-13'") == 0, table


def test_daily_and_weekly_seasons(engine: duckdb.DuckDBPyConnection) -> None:
    def views(where: str) -> int:
        return one(engine, f"SELECT count(*) FROM views WHERE {where}")

    # Birch lives on UTC, fir nine hours ahead: each has its evening peak on its own clock.
    for market, offset in (("birch", 0), ("fir", 9)):
        local = f"market = '{market}' AND hour(viewed_at + INTERVAL {offset} HOUR)"
        assert views(f"{local} BETWEEN 19 AND 21") > 4 * views(f"{local} BETWEEN 2 AND 4")
    weekday = views("isodow(viewed_at) = 2")
    weekend = views("isodow(viewed_at) = 6")
    assert weekend > 1.1 * weekday


def test_levels_drift_from_week_to_week(engine: duckdb.DuckDBPyConnection) -> None:
    rows = engine.execute(
        "SELECT count(*) FROM reports WHERE reported_at >= TIMESTAMP '2026-01-12' "
        "AND reported_at < TIMESTAMP '2026-03-30' GROUP BY date_trunc('week', reported_at)"
    ).fetchall()
    weeks = [row[0] for row in rows]
    mean = sum(weeks) / len(weeks)
    spread = (sum((week - mean) ** 2 for week in weeks) / (len(weeks) - 1)) ** 0.5
    # More than Poisson noise alone, less than a platform that doubles.
    assert 1.3 * mean**0.5 < spread < 0.2 * mean


def test_base_rates_by_market(engine: duckdb.DuckDBPyConnection) -> None:
    rows = engine.execute(
        "SELECT v.market, avg((bad.item_id IS NOT NULL)::INTEGER) FROM views AS v "
        "LEFT JOIN truth.violating_items AS bad USING (item_id) "
        "WHERE viewed_at < TIMESTAMP '2026-03-17' GROUP BY v.market"
    ).fetchall()
    shares = dict(rows)
    assert len(shares) == 6
    assert all(0.001 < share < 0.01 for share in shares.values()), shares
    assert max(shares.values()) > 2 * min(shares.values())


def test_markets_differ_in_volume(engine: duckdb.DuckDBPyConnection) -> None:
    rows = engine.execute("SELECT count(*) FROM accounts GROUP BY market").fetchall()
    assert max(rows)[0] > 4 * min(rows)[0]


def test_nothing_looks_like_a_real_identifier(engine: duckdb.DuckDBPyConnection) -> None:
    for table in COLUMNS:
        for column, kind, *_ in engine.execute(f"DESCRIBE {table}").fetchall():
            if kind != "VARCHAR":
                continue
            found = engine.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
            ).fetchall()
            for (value,) in found:
                assert re.fullmatch(
                    r"[a-z]+|link_warning|reply_limits|[a-z]+-(north|east|south|west)"
                    r"|scam_(rule|model|review)|scam-[12]|score-\d\d-\d+|[A-Z][a-z12: ]+"
                    r"|(over|under)-blocking|[A-Z][a-z0-9:, ]+|https://changes\.example/\d{4}"
                    r"|(dev|ipb|pay|txt)_[0-9a-f]{8}|(site|offer|prize)-\d+\.example",
                    value,
                ), column


def test_the_truth_is_not_in_the_world(world: demo.DemoWorld) -> None:
    with duckdb.connect(str(world.path), read_only=True) as engine:
        tables = {row[0] for row in engine.execute("SHOW TABLES").fetchall()}
    assert tables == {*COLUMNS, "incident_log", "demo_info"}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is built, and how, does not matter here: a world in a fraction of a second."""
    events = {"accounts": 1000, "items": 10_000, "views": 5000, "reports": 3000}
    monkeypatch.setitem(making.SIZES, "small", events)


@pytest.mark.usefixtures("tiny")
def test_a_second_build_keeps_the_files(tmp_path: Path) -> None:
    first = demo.build(folder=tmp_path)
    stamps = [path.stat().st_mtime_ns for path in (first.path, first.truth_path)]
    second = demo.build(folder=tmp_path)
    assert (first.built, second.built) == (True, False)
    assert [path.stat().st_mtime_ns for path in (first.path, first.truth_path)] == stamps
    assert (second.content, second.rows) == (first.content, first.rows)
    # A torn or foreign file, or the truth of another build, is made again.
    first.path.write_bytes(first.path.read_bytes()[:5000])
    assert demo.build(folder=tmp_path).built
    assert demo.build(folder=tmp_path, seed=1).built
    other = demo.build(folder=tmp_path / "other", seed=2)
    other.truth_path.replace(first.truth_path)
    assert demo.build(folder=tmp_path, seed=1).built
    first.truth_path.unlink()
    assert demo.build(folder=tmp_path, seed=1).built
    assert {path.name for path in tmp_path.glob("*.*")} == {"world.duckdb", "truth.duckdb"}


@pytest.mark.usefixtures("tiny")
def test_a_failed_build_leaves_the_old_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = demo.build(folder=tmp_path)
    before = first.path.read_bytes()

    def broken(engine: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "content", broken)
    with pytest.raises(KeyboardInterrupt):
        demo.build(folder=tmp_path, seed=1)
    assert first.path.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"world.duckdb", "truth.duckdb"}


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        demo.build("smal", folder=tmp_path)
    assert caught.value.nearest == "small"
    with pytest.raises(Refusal):
        demo.build(seed=-1, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_large_worlds_products_have_room() -> None:
    """100 million views are too many to make here; what overflowed on the way is not."""
    with duckdb.connect() as engine:
        for name, value in {**making.SIZES["large"], "hours": making.HOURS}.items():
            making._set(engine, name, value)
        engine.execute("CREATE TEMP MACRO share(m) AS [300, 220, 180, 140, 100, 60][m + 1]")
        macros = making._sql("30_accounts").split("CREATE TABLE accounts")[0]
        engine.execute(macros)
        assert one(engine, "SELECT accounts_at(0, 2154)") == 420_000 + 600_000 * 3 * 2154 // 23_520
