"""A PostgreSQL server of the test's own: equal results, read-only, and nothing leaks."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from trustlib.core import NoData, Refusal
from trustlib.data import PanelQuery, UnitQuery, read_panel, read_units
from trustlib.data.clock import clock, seconds
from trustlib.data.engine import once, postgres, profile, sources, tally
from trustlib.data.grid import grid
from trustlib.data.source import resolve

SECRET = "s3cret-cell-content"


def binaries() -> Path | None:
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def account() -> str | None:
    """Who runs the server: it refuses to run as root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None


@pytest.fixture(scope="module")
def server():
    """URL of a fresh server on loopback, with a database of hourly counts and of events."""
    tools, user = binaries(), account()
    if tools is None:
        pytest.skip("PostgreSQL's initdb is not installed")
    if user is None:
        pytest.skip("no unprivileged user to run PostgreSQL as")
    folder = Path(tempfile.mkdtemp(prefix="trustlib-pg-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid} if os.geteuid() == 0 else {}

    def run(*command: str) -> None:
        subprocess.run(
            [str(tools / command[0]), *command[1:]],
            check=True, capture_output=True, timeout=120, cwd=folder, **as_user,
        )  # fmt: skip

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "me", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
    try:
        run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start")
        url = f"postgresql://me:{SECRET}@127.0.0.1:{port}/postgres"
        fill(url)
        yield url
    finally:
        subprocess.run(
            [str(tools / "pg_ctl"), "-D", data, "-m", "immediate", "stop"],
            check=False, capture_output=True, timeout=60, cwd=folder, **as_user,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


EVENTS = """
SELECT 1000 + i AS id,
       TIMESTAMP '2024-03-01' + i * INTERVAL '173.25 seconds' AS naive_at,
       TIMESTAMPTZ '2024-03-01 00:00:00+00' + i * INTERVAL '173.25 seconds' AS at,
       CASE i % 4 WHEN 0 THEN 'Zürich' WHEN 1 THEN 'a''b' WHEN 2 THEN NULL ELSE 'B' END
           AS "we""ird",
       i % 7 AS kind
FROM generate_series(0, 9999) AS t(i)
"""
# Every fifth event comes again two hours later, every thirtieth has no id.
DELIVERIES = """
SELECT CASE WHEN id % 30 = 0 THEN NULL ELSE id END AS id,
       CASE WHEN id % 30 = 0 THEN '' ELSE 'event ' || id END AS key,
       at + late AS at, naive_at + late AS naive_at, "we""ird"
FROM events, (VALUES (INTERVAL '0 hours', 1), (INTERVAL '2 hours', 5)) AS v(late, every)
WHERE id % every = 0
"""
COUNTS = """
SELECT TIMESTAMP '2024-03-01' + i * INTERVAL '1 hour' AS at, (i * 37) % 101 AS n,
       ((i * 37) % 101)::numeric(12, 3) / 8 AS exact, ((i * 37) % 101) / 8.0::float8 AS n_float,
       CASE WHEN i % 2 = 0 THEN 'x' ELSE 'y' END AS half
FROM generate_series(0, 479) AS t(i)
"""

PANEL = """
SELECT u AS unit, u::float8 + 0.0 AS unit_float, 'Zürich ' || u AS name, 2000 + t AS year,
       DATE '2024-01-01' + 7 * t AS week,
       (TIMESTAMP '2024-01-01' + t * INTERVAL '7 days') AT TIME ZONE 'America/New_York' AS at,
       CASE WHEN (u + t) % 9 = 0 THEN NULL ELSE (u * 31 + t * 17) % 101 / 8.0 END::numeric AS y,
       CASE WHEN u % 3 = 0 THEN NULL ELSE 2003 + u % 4 END AS first,
       CASE WHEN u % 3 = 0 THEN NULL ELSE DATE '2024-01-01' + 7 * (3 + u % 4) END AS begins,
       u % 3 <> 0 AND t >= 3 + u % 4 AS treated, u % 5 AS cluster, 1 + u % 7 AS people
FROM generate_series(1, 40) AS a(u), generate_series(0, 9) AS b(t)
"""


TRAITS = """
SELECT 'Zürich ' || u AS name, (u * 31 % 101 / 8.0)::numeric AS price, u % 2 = 0 AS coast,
       CASE WHEN u % 9 = 0 THEN NULL ELSE u::float8 / 4 END AS young, u AS size
FROM generate_series(1, 40) AS a(u)
"""


def fill(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as con:
        con.execute(f"CREATE TABLE events AS {EVENTS}")
        con.execute(f"CREATE TABLE deliveries AS {DELIVERIES}")
        con.execute(f"CREATE TABLE counts AS {COUNTS}")
        con.execute(f"CREATE TABLE panel AS {PANEL}")
        con.execute(f"CREATE TABLE traits AS {TRAITS}")
        con.execute("CREATE TABLE no_rows (at timestamptz, n int)")
        con.execute("CREATE TABLE odd (at timestamptz, n json, ip inet, tags text[], big numeric)")
        con.execute("INSERT INTO odd VALUES ('infinity', '{}', '127.0.0.1', '{a}', 1)")
        con.execute("CREATE SCHEMA side")
        con.execute("CREATE VIEW side.hourly AS SELECT * FROM counts")


@pytest.fixture
def ask(server, read, monkeypatch):
    """Read from the server, March 2024."""
    monkeypatch.setenv("WAREHOUSE", server)

    def _ask(**changes):
        window = {
            "incident_start": datetime(2024, 3, 12, 4, tzinfo=UTC),
            "incident_end": datetime(2024, 3, 13, 4, tzinfo=UTC),
        }
        return read(**({"connection": "WAREHOUSE", "time_column": "at"} | window | changes))

    return _ask


def twin(here, server, table):
    """The same table as a Parquet file for the embedded engine."""
    import psycopg
    import pyarrow as pa
    import pyarrow.parquet as pq

    with psycopg.connect(server) as con:
        cursor = con.execute(f"SELECT * FROM {table} ORDER BY random()")
        names = [column.name for column in cursor.description]
        columns = list(zip(*cursor.fetchall(), strict=True))
    rows = {name: list(values) for name, values in zip(names, columns, strict=True)}
    pq.write_table(pa.table(rows), here / f"{table}.parquet")
    return f"{table}.parquet"


CASES = {
    "events": {"count_column": None},
    "naive events in New York": {
        "count_column": None,
        "time_column": "naive_at",
        "timezone": "America/New_York",
    },
    "events by day in Kathmandu": {
        "count_column": None,
        "timezone": "Asia/Kathmandu",
        "bucket": "1d",
        "incident_start": datetime(2024, 3, 11, 18, 15, tzinfo=UTC),
        "incident_end": datetime(2024, 3, 13, 18, 15, tzinfo=UTC),
    },
    "events by segment": {"count_column": None, "segment_column": 'we"ird'},
    "events by number": {"count_column": None, "segment_column": "kind"},
    "events delivered twice, by segment": {
        "source": "deliveries",
        "count_column": None,
        "event_id_column": "id",
        "segment_column": 'we"ird',
    },
    "naive events delivered twice": {
        "source": "deliveries",
        "count_column": None,
        "event_id_column": "key",
        "time_column": "naive_at",
        "timezone": "America/New_York",
    },
    "counts": {"source": "counts"},
    "counts of decimals": {"source": "counts", "count_column": "exact"},
    "counts of floats by segment": {
        "source": "counts",
        "count_column": "n_float",
        "segment_column": "half",
    },
    "counts with a control": {"source": "counts", "control_column": "n_float"},
    "counts in New York": {"source": "counts", "timezone": "America/New_York"},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_both_engines_give_the_same_counts(here, server, ask, read, case):
    case = {"source": "events"} | case
    there = ask(**case)
    copy = twin(here, server, case["source"])
    embedded = ask(**(case | {"source": copy, "connection": None}))
    pd.testing.assert_frame_equal(there.frame, embedded.frame)
    if case.get("segment_column"):
        pd.testing.assert_frame_equal(there.segments, embedded.segments)
    pd.testing.assert_frame_equal(there.health, embedded.health)
    assert there.checks == embedded.checks
    assert there.frame["count"].sum() > 0


def test_deliveries_count_once_on_the_server_itself(here, server, ask, monkeypatch):
    """Both engines tell the same of the ids, and leave the counts of the events themselves."""
    plain = ask(source="events", count_column=None)
    once_each = ask(**CASES["events delivered twice, by segment"])
    rest = ask(source="deliveries", count_column=None, event_id_column=None)
    n = plain.frame["count"].sum()
    assert rest.frame["count"].sum() - n == pytest.approx(n / 5, rel=0.01)
    # A row without an id counts each time that it comes: every thirtieth event, two hours later.
    assert once_each.frame["count"].sum() - n == pytest.approx(n / 30, rel=0.01)
    span = [datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 22, tzinfo=UTC)]
    zone = clock("America/New_York", *map(seconds, span))
    wanted = {"time": "naive_at", "segment": 'we"ird', "event_id": "key"}

    def told(source):
        with sources.opened(source) as found:
            table = sources.roles(found, wanted, source)
            rows = tally.in_utc(profile.stamped(table, aware=False), zone, aware=False)
            rows, what, _ = once.once(rows)
            made = rows.to_pyarrow().to_pandas().drop(columns="time").fillna("")
        return made.sort_values(list(made)).reset_index(drop=True), what

    monkeypatch.setenv("WAREHOUSE", server)
    there, said = told(resolve("deliveries", "WAREHOUSE"))
    embedded, again = told(resolve(twin(here, server, "deliveries"), None))
    pd.testing.assert_frame_equal(there, embedded)
    assert said == again
    assert (said.repeated, said.unnamed) == (1667, 666)
    assert said.differing == 1667


def test_the_same_bucket_sums_run_on_the_server_itself(server, monkeypatch, here):
    """The expressions of the tally are portable: here PostgreSQL aggregates, not the snapshot."""
    monkeypatch.setenv("WAREHOUSE", server)
    span = [datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 22, tzinfo=UTC)]
    zone = clock("America/New_York", *map(seconds, span))
    hours = grid(seconds(span[0]), seconds(span[1]), "1h", zone)
    wanted = {"time": "naive_at", "segment": 'we"ird'}
    source = resolve("events", "WAREHOUSE")

    def counted(table):
        rows = tally.in_utc(profile.stamped(table, aware=False), zone, aware=False)
        rows, names, n = tally.ranked(tally.keyed(rows, hours, zone, as_of=None), 50)
        return tally.per_bucket(rows)[0], names, n

    with sources.opened(source) as found:
        there = counted(sources.roles(found, wanted, source))
    copy = resolve(twin(here, server, "events"), None)
    with sources.opened(copy) as found:
        embedded = counted(sources.roles(found, wanted, copy))
    pd.testing.assert_frame_equal(there[0], embedded[0])
    assert there[1:] == embedded[1:]


def test_a_query_a_view_and_a_schema(here, ask):
    (here / "q.sql").write_text(
        "-- per hour;\nSELECT at, n::int8 AS n FROM counts WHERE at::text LIKE '2024-%';\n"
    )
    whole = ask(source="counts").frame
    pd.testing.assert_frame_equal(ask(source="q.sql").frame, whole)
    pd.testing.assert_frame_equal(ask(source="side.hourly").frame, whole)


def test_the_snapshot_is_the_same_each_time(ask):
    first, second = ask(source="events", count_column=None), ask(source="events", count_column=None)
    assert first.snapshot == second.snapshot
    assert first.snapshot.kind == "table"
    assert SECRET not in str(first.snapshot.to_json())


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM counts",
        "SELECT 1; DELETE FROM counts",
        "WITH gone AS (DELETE FROM counts RETURNING *) SELECT at, n FROM gone",
        "SELECT at, n INTO copy FROM counts",
        "SELECT at, n FROM counts FOR UPDATE",
        "COPY counts TO STDOUT",
        "SET default_transaction_read_only = off",
        "SELECT at, n FROM counts) AS x; DELETE FROM counts; SELECT * FROM (SELECT 1",
        "CREATE TABLE x AS SELECT 1",
        "DO $$ BEGIN DELETE FROM counts; END $$",
        "SELECT now() AS at, nextval('ticket') AS n",
        "EXPLAIN ANALYZE SELECT 1",
    ],
)
def test_a_query_cannot_write(here, ask, server, text):
    import psycopg

    with psycopg.connect(server, autocommit=True) as con:
        con.execute("CREATE SEQUENCE IF NOT EXISTS ticket")
    (here / "q.sql").write_text(text)
    with pytest.raises(Refusal) as caught:
        ask(source="q.sql")
    assert SECRET not in str(caught.value)
    with psycopg.connect(server) as con:
        assert con.execute("SELECT count(*) FROM counts").fetchone() == (480,)
        assert con.execute("SELECT is_called FROM ticket").fetchone() == (False,)


def test_what_the_server_lets_pass_is_rolled_back(here, ask, server):
    import psycopg

    # PostgreSQL 15 makes a large object even in a read-only transaction.
    (here / "q.sql").write_text("SELECT now() AS at, lo_create(7)::int AS n")
    with pytest.raises((Refusal, NoData)):
        ask(source="q.sql")
    with psycopg.connect(server) as con:
        assert con.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)


def test_the_session_is_read_only(server, monkeypatch):
    import psycopg

    monkeypatch.setenv("WAREHOUSE", server)
    source = resolve("counts", "WAREHOUSE")
    refused = pytest.raises(psycopg.errors.ReadOnlySqlTransaction)
    with postgres.reading(source) as backend, refused:
        backend.con.execute("DELETE FROM counts")


def test_refusals_name_what_is_missing(here, ask):
    with pytest.raises(Refusal, match="table does not exist") as caught:
        ask(source="event")
    assert caught.value.nearest == "events"
    with pytest.raises(Refusal, match="does not have") as caught:
        ask(source="events", time_column="naive_aT")
    assert caught.value.nearest == "naive_at"
    (here / "q.sql").write_text("SELECT at, nn FROM counts")
    with pytest.raises(Refusal, match="column that does not exist: nn"):
        ask(source="q.sql")
    (here / "q.sql").write_text(f"SELECT at, ('{SECRET}' || n)::int AS n FROM counts")
    with pytest.raises(Refusal, match="could not run") as caught:
        ask(source="q.sql")
    assert SECRET not in str(caught.value)


def test_tables_with_nothing_to_count(ask):
    with pytest.raises(NoData, match="no rows"):
        ask(source="no_rows")
    with pytest.raises(Refusal, match="needs a number"):
        ask(source="odd")
    with pytest.raises(NoData, match="every time is empty"):
        ask(source="odd", count_column=None)


PANELS = {
    "whole years": {"treatment_start_column": "first", "unit_column": "unit_float"},
    "dates": {"time_column": "week", "treatment_start_column": "begins", "unit_column": "name"},
    "instants and a flag": {"time_column": "at", "treated_column": "treated"},
    "instants and dates": {"time_column": "at", "treatment_start_column": "begins"},
}


@pytest.mark.parametrize("case", PANELS.values(), ids=PANELS)
def test_both_engines_give_the_same_panel(here, server, monkeypatch, case):
    monkeypatch.setenv("WAREHOUSE", server)
    named = {"unit_column": "unit", "time_column": "year", "outcome_column": "y"}
    roles = {"weight_column": "people", "cluster_column": "cluster", "covariate_columns": ("unit",)}
    ask = named | roles | case | {"timezone": "America/New_York"}
    there = read_panel(PanelQuery(source="panel", connection="WAREHOUSE", **ask))
    embedded = read_panel(PanelQuery(source=twin(here, server, "panel"), **ask))
    pd.testing.assert_frame_equal(there.frame, embedded.frame)
    pd.testing.assert_frame_equal(there.health, embedded.health)
    assert there.checks == embedded.checks
    assert len(there.frame) == 400
    assert there.frame["treatment_start"].notna().sum() == 270
    if case["time_column" if "time_column" in case else "unit_column"] == "at":
        assert str(there.frame["time"].iloc[0]) == "2024-01-01 00:00:00"
    again = read_panel(PanelQuery(source="panel", connection="WAREHOUSE", **ask))
    assert again.snapshot == there.snapshot


def test_both_engines_give_the_same_predictors_of_units(here, server, monkeypatch):
    monkeypatch.setenv("WAREHOUSE", server)
    there = read_units(UnitQuery(source="traits", connection="WAREHOUSE", unit_column="name"))
    embedded = read_units(UnitQuery(source=twin(here, server, "traits"), unit_column="name"))
    pd.testing.assert_frame_equal(there.frame, embedded.frame)
    assert there.predictors == embedded.predictors
    assert there.checks == embedded.checks
    assert list(there.frame) == ["unit", "price", "coast", "young", "size"]
    assert there.predictors["coast"]["Zürich 4"] == 1
    assert (len(there.frame), len(there.predictors["young"])) == (40, 36)
    with pytest.raises(Refusal, match="there is no column with the unit") as caught:
        read_units(UnitQuery(source="traits", connection="WAREHOUSE", unit_column="nome"))
    assert caught.value.nearest == "name"
    assert SECRET not in str(caught.value)
