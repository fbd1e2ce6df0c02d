"""The same counts from every kind of source, and what goes wrong with each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trustlib.core import NoData, Refusal

JUNE = datetime(2024, 6, 1)
LABELS = [JUNE + timedelta(hours=hour) for hour in range(240)]
SECRET = "s3cret-cell-content"


def parquet(path, at, n, **columns):
    pq.write_table(pa.table({"at": at, "n": n, **columns}), path)


def world(path):
    """A DuckDB file with the standard counts, hourly, in table ``counts``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE TABLE counts AS SELECT TIMESTAMP '2024-06-01' + to_hours(i::INT) AS at, "
            "100::BIGINT AS n FROM range(240) t(i)"
        ).fetchall()
        con.execute("CREATE TABLE accounts AS SELECT 1 AS account_id").fetchall()
    return path


@pytest.mark.parametrize(
    "at",
    [
        pa.array(LABELS, pa.timestamp("us")),
        pa.array(LABELS, pa.timestamp("ns")),
        pa.array(LABELS, pa.timestamp("s")),
        pa.array(LABELS, pa.timestamp("us", tz="UTC")),
        pa.array(LABELS, pa.timestamp("ms", tz="America/New_York")),
        pa.array(LABELS, pa.timestamp("ns", tz="Europe/Berlin")),
        pa.array([str(label) for label in LABELS]),
        pa.array([f" {label}.123456789" for label in LABELS]),
        pa.array([label.isoformat() + "Z" for label in LABELS]),
        pa.array([label.isoformat() + "z " for label in LABELS]),
        pa.array([f"{label} UTC" for label in LABELS]),
        pa.array([f"{label}.250000 UTC" for label in LABELS]),
        pa.array([(label + timedelta(hours=2)).isoformat() + "+02" for label in LABELS]),
        pa.array([(label - timedelta(hours=5)).isoformat() + "-0500" for label in LABELS]),
        pa.array(
            [
                (label + timedelta(hours=5, minutes=45)).isoformat(" ", "minutes") + "+05:45"
                for label in LABELS
            ]
        ),
    ],
    ids=lambda array: f"{array.type}-{str(array[0])[-9:]}",
)
def test_every_way_to_write_a_time(here, read, at):
    parquet(here / "x.parquet", at, pa.array([100] * 240))
    frame = read(source="x.parquet").frame
    assert len(frame) == 240
    assert frame["bucket_start_at"].iloc[0].isoformat() == "2024-06-01T00:00:00+00:00"
    assert (frame["count"] == 100).all()


@pytest.mark.parametrize(
    "n",
    [
        pa.array([100] * 240, pa.int8()),
        pa.array([100] * 240, pa.uint64()),
        pa.array([100.0] * 240, pa.float32()),
        pa.array([Decimal("100.00")] * 240, pa.decimal128(12, 2)),
        pa.array(["100"] * 240),
        pa.array(["1e2"] * 240),
    ],
    ids=lambda array: str(array.type),
)
def test_every_way_to_write_a_number(here, read, n):
    parquet(here / "x.parquet", pa.array(LABELS), n)
    assert read(source="x.parquet").frame["count"].sum() == 24_000


def test_a_day_per_row(here, read):
    days = [date(2024, 6, day) for day in range(1, 11)]
    parquet(here / "x.parquet", pa.array(days), pa.array([2400] * 10))
    counts = read(source="x.parquet", bucket="1d", timezone="UTC")
    assert counts.native_bucket == "1d"
    assert counts.frame["count"].tolist() == [2400] * 10


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("at", pa.array(range(240))),
        ("at", pa.array([1.5] * 240)),
        ("at", pa.array([b"x"] * 240)),
        ("n", pa.array([True] * 240)),
        ("n", pa.array([[1]] * 240)),
        ("n", pa.array(LABELS)),
        ("n", pa.array([b"x"] * 240)),
    ],
    ids=str,
)
def test_types_that_cannot_play_the_role(here, read, column, wrong):
    columns = {"at": pa.array(LABELS), "n": pa.array([100] * 240)} | {column: wrong}
    parquet(here / "x.parquet", columns["at"], columns["n"])
    with pytest.raises(Refusal, match=r"needs .* of type") as caught:
        read(source="x.parquet")
    assert caught.value.where.startswith("time_column" if column == "at" else "count_column")


def test_times_beyond_the_calendar_are_left_out(here, read):
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT CASE i WHEN 3 THEN TIMESTAMP 'infinity' "
            "ELSE TIMESTAMP '2024-06-01' + to_hours(i::INT) END AS \"at\", 100 AS n "
            "FROM range(240) t(i)) TO 'x.parquet'"
        ).fetchall()
    counts = read(source="x.parquet")
    assert counts.frame["count"].sum() == 23_900
    assert counts.health.set_index("item")["n"]["rows without a time"] == 1


def test_truncated_parquet(here, read):
    parquet(here / "x.parquet", pa.array(LABELS), pa.array([100] * 240))
    whole = (here / "x.parquet").read_bytes()
    for length in (3, len(whole) // 2, len(whole) - 1):
        (here / "x.parquet").write_bytes(whole[:length])
        with pytest.raises(Refusal, match="not a whole Parquet file"):
            read(source="x.parquet")


def test_parquet_with_broken_pages(here, read):
    parquet(here / "x.parquet", pa.array([str(x) for x in LABELS]), pa.array([100] * 240))
    whole = bytearray((here / "x.parquet").read_bytes())
    whole[8:400] = bytes(392)
    (here / "x.parquet").write_bytes(whole)
    with pytest.raises((Refusal, NoData)):
        read(source="x.parquet")


def test_parquet_without_rows(here, read):
    parquet(here / "x.parquet", pa.array([], pa.timestamp("us")), pa.array([], pa.int64()))
    with pytest.raises(NoData, match="no rows"):
        read(source="x.parquet")


def test_a_table_of_the_demo_world(here, read):
    world(here / ".trustlib" / "demo" / "world.duckdb")
    counts = read(source="counts")
    assert counts.frame["count"].sum() == 24_000
    assert counts.snapshot.kind == "table"


def test_a_query_on_the_demo_world(here, read):
    world(here / ".trustlib" / "demo" / "world.duckdb")
    (here / "q.sql").write_text(
        "-- hourly; a comment with a semicolon\n"
        "WITH two AS (SELECT * FROM counts) "
        'SELECT "at", 2 * sum(n) AS n FROM two GROUP BY "at";\n'
    )
    counts = read(source="q.sql")
    assert counts.frame["count"].sum() == 48_000
    assert "a comment with a semicolon" in counts.snapshot.sql


def test_a_missing_table_names_the_nearest(here, read):
    world(here / ".trustlib" / "demo" / "world.duckdb")
    with pytest.raises(Refusal, match="table does not exist") as caught:
        read(source="count")
    assert caught.value.nearest == "counts"
    (here / "q.sql").write_text("SELECT * FROM acounts")
    with pytest.raises(Refusal, match="does not exist: acounts") as caught:
        read(source="q.sql")
    assert caught.value.nearest == "accounts"
    (here / "q.sql").write_text("SELECT\n nn FROM counts")
    with pytest.raises(Refusal, match="column that does not exist: nn"):
        read(source="q.sql")


def test_a_query_without_any_database(here, read):
    (here / "q.sql").write_text(
        "SELECT TIMESTAMP '2024-06-01' + to_hours(i::INT) AS at, 100 AS n FROM range(240) t(i)"
    )
    assert read(source="q.sql").frame["count"].sum() == 24_000


def test_an_error_while_running_keeps_the_contents_to_itself(here, read):
    (here / "q.sql").write_text(
        f"SELECT TIMESTAMP '2024-06-01' AS at, CAST(x AS INT) AS n FROM (SELECT '{SECRET}' AS x)"
    )
    with pytest.raises(Refusal, match="could not run the statement") as caught:
        read(source="q.sql")
    assert SECRET not in str(caught.value)


def test_a_connection_to_a_duckdb_file(here, read, monkeypatch):
    path = world(here / "my data" / "warehouse.duckdb")
    monkeypatch.setenv("WAREHOUSE", "duckdb://my%20data/warehouse.duckdb")
    assert read(source="counts", connection="WAREHOUSE").frame["count"].sum() == 24_000
    monkeypatch.setenv("WAREHOUSE", f"duckdb://{path}".replace(" ", "%20"))
    counts = read(source="counts", connection="WAREHOUSE")
    assert str(here) not in str(counts.snapshot.to_json())


def test_a_connection_that_is_not_set(read, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_URL", f"postgresql://me:{SECRET}@db/x")
    with pytest.raises(Refusal, match="is not set") as caught:
        read(source="counts", connection="WAREHOUSE_ULR")
    assert "WAREHOUSE_URL" in caught.value.nearest
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__dict__)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"mysql://me:{SECRET}@db/x", "of a kind that is not known"),
        (f"md:{SECRET}", "of a kind that is not known"),
        (f"duckdb://{SECRET}.duckdb", "no DuckDB file"),
        ("duckdb://:memory:", "no DuckDB file"),
        (f"postgresql://me:{SECRET}@127.0.0.1:9/x", "could not be reached"),
        (f"postgresql://me:{SECRET}@127.0.0.1:not-a-port/x", "could not be reached"),
    ],
)
def test_a_url_never_shows(read, monkeypatch, url, words):
    monkeypatch.setenv("WAREHOUSE", url)
    with pytest.raises(Refusal, match=words) as caught:
        read(source="counts", connection="WAREHOUSE")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_needs_no_connection(write, read, hourly, monkeypatch):
    write(hourly())
    monkeypatch.setenv("WAREHOUSE", "duckdb://x.duckdb")
    with pytest.raises(Refusal, match="a file is read without one"):
        read(connection="WAREHOUSE")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_dialects(here, read, hourly, delimiter):
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in hourly())
    (here / "counts.csv").write_text(text, newline="")
    assert read().frame["count"].sum() == 24_000


@pytest.mark.parametrize(
    "name",
    ['n "x"', "na;me", "zähl\u200bung", "n\\'--", "SELECT", "n" * 5000, " n ", "${n}", "{n}"],
)
def test_any_column_name(here, read, name):
    at, n = pa.array(LABELS), pa.array([100] * 240)
    pq.write_table(pa.table({"at": at, name: n}), here / "x.parquet")
    assert read(source="x.parquet", count_column=name).frame["count"].sum() == 24_000
    quoted = '"' + name.replace('"', '""') + '"'
    rows = "\n".join(f"{label},100" for label in LABELS)
    (here / "x.csv").write_text(f"at,{quoted}\n{rows}\n")
    assert read(source="x.csv", count_column=name).frame["count"].sum() == 24_000


def test_days_of_another_zone_are_not_the_source_s_days(here, read):
    days = pa.array([JUNE + timedelta(days=day) for day in range(10)], pa.timestamp("us", tz="UTC"))
    parquet(here / "x.parquet", days, pa.array([2400] * 10))
    with pytest.raises(Refusal, match="do not start at midnight"):
        read(
            source="x.parquet",
            bucket="1d",
            timezone="Asia/Kathmandu",
            incident_start=datetime(2024, 6, 6, 18, 15, tzinfo=UTC),
            incident_end=datetime(2024, 6, 7, 18, 15, tzinfo=UTC),
        )


def test_a_query_that_cannot_be_parsed_says_the_line(here, read):
    (here / "q.sql").write_text("SELECT 1,\nFROM FROM x")
    with pytest.raises(Refusal, match="cannot be parsed") as caught:
        read(source="q.sql")
    assert caught.value.where == "source: q.sql, line 2"


@pytest.mark.parametrize(
    ("query", "said", "line"),
    [
        ("SELECT 1 AS a,\nno_such_function(2) AS b", "could not run", "line 2"),
        ("SELECT * FROM read_csv('x.csv')", "reads its own tables only", ""),
        ("SELECT * FROM 'x.csv'", "reads its own tables only", ""),
    ],
)
def test_a_query_that_cannot_run_says_why_and_its_own_line(here, read, query, said, line):
    (here / "x.csv").write_text("a\n1\n")
    (here / "q.sql").write_text(query)
    with pytest.raises(Refusal, match=said) as caught:
        read(source="q.sql")
    assert caught.value.where.endswith(line)


def test_a_table_has_no_order_and_one_snapshot(here, read, monkeypatch):
    world(here / "a.duckdb")
    world(here / "b.duckdb")
    with duckdb.connect("b.duckdb") as con:
        con.execute('CREATE TABLE t AS SELECT * FROM counts ORDER BY hash("at")').fetchall()
        con.execute("DROP TABLE counts").fetchall()
        con.execute("ALTER TABLE t RENAME TO counts").fetchall()
    found = []
    for name in ("a", "b"):
        monkeypatch.setenv("WAREHOUSE", f"duckdb://{name}.duckdb")
        found.append(read(source="counts", connection="WAREHOUSE").snapshot)
    assert found[0] == found[1]


def test_a_line_above_the_header_is_pointed_at(here, read):
    (here / "counts.csv").write_text("# made by the exporter\nat,n\n2024-06-01 00:00:00,1\n")
    with pytest.raises(Refusal) as caught:
        read(source="counts.csv")
    assert "take away the lines above the header" in caught.value.next_step
