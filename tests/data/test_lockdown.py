"""What a .sql file may not do: statements of an attacker, each refused without effect."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from trustlib.core import Refusal, TrustlibError
from trustlib.data.engine import statement
from trustlib.data.engine.session import locked
from trustlib.data.source import Source

SECRET = "s3cret-cell-content"
GOOD = "SELECT TIMESTAMP '2024-06-01' + to_hours(i::INT) AS \"at\", 100 AS n FROM range(240) t(i)"

NOT_ONE_SELECT = {
    "copy out": "COPY (SELECT 1) TO 'out.csv'",
    "attach": "ATTACH 'other.duckdb' AS other",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "set": "SET enable_external_access = true",
    "reset": "RESET lock_configuration",
    "pragma": "PRAGMA database_list",
    "create": "CREATE TABLE x AS SELECT 1",
    "insert": "INSERT INTO counts VALUES (1)",
    "delete": "DELETE FROM counts",
    "drop": "DROP TABLE counts",
    "call": "CALL pragma_version()",
    "export": "EXPORT DATABASE 'out'",
    "checkpoint": "CHECKPOINT",
    "explain": f"EXPLAIN ANALYZE {GOOD}",
    "describe": f"DESCRIBE {GOOD}",
    "summarize": "SUMMARIZE SELECT 1",
    "show": "SHOW TABLES",
    "prepare": f"PREPARE p AS {GOOD}",
    "two statements": f"{GOOD}; COPY (SELECT 1) TO 'out.csv'",
    "two selects": f"{GOOD}; {GOOD}",
    "hidden behind a comment": f"{GOOD} --\n; DROP TABLE counts",
    "hidden in a block comment": f"{GOOD} /* ' */; DROP TABLE counts; /* ' */",
    "only a comment": "-- SELECT 1",
    "empty": " \n",
    "out of the view": f"{GOOD}); DROP TABLE counts; (SELECT 1",
    "writing WITH": "WITH x AS (INSERT INTO counts VALUES (1) RETURNING *) SELECT * FROM x",
    "nul": f"{GOOD}\x00; DROP TABLE counts",
}
REACHING_OUT = {
    "read_csv": "SELECT * FROM read_csv('secret.csv')",
    "read_text": "SELECT content AS at, 1 AS n FROM read_text('secret.csv')",
    "read_blob": "SELECT content AS at, 1 AS n FROM read_blob('secret.csv')",
    "read_parquet": "SELECT * FROM read_parquet('secret.parquet')",
    "read_json": "SELECT * FROM read_json('secret.json')",
    "file as a table": "SELECT * FROM 'secret.csv'",
    "glob": "SELECT file AS at, 1 AS n FROM glob('*')",
    "url": "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "s3": "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "getenv": "SELECT getenv('HOME') AS at, 1 AS n",
    "python variable": "SELECT * FROM hourly_frame",
    "sniff": "SELECT * FROM sniff_csv('secret.csv')",
    "proc": "SELECT content AS at, 1 AS n FROM read_text('/proc/self/environ')",
    "own file": "SELECT content AS at, 1 AS n FROM read_text('q.sql')",
    "sqlite": "SELECT * FROM sqlite_scan('secret.db', 'x')",
    "query function": "SELECT * FROM query('COPY (SELECT 1) TO ''out.csv''')",
    "query_table": "SELECT * FROM query_table('secret.csv')",
    "write through a function": "SELECT * FROM write_csv('out.csv')",
}


@pytest.fixture
def attacked(here):
    """A folder with a secret; afterwards nothing in it has changed."""
    (here / "secret.csv").write_text(f"at,n\n{SECRET},1\n")
    (here / "secret.json").write_text(f'{{"at": "{SECRET}", "n": 1}}\n')
    demo = here / ".trustlib" / "demo" / "world.duckdb"
    demo.parent.mkdir(parents=True)
    with duckdb.connect(str(demo)) as con:
        con.execute("CREATE TABLE counts AS SELECT 1 AS n").fetchall()
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT '{SECRET}' AS \"at\", 1 AS n) TO 'secret.parquet'").fetchall()
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    yield here
    after = {
        path: path.read_bytes()
        for path in here.rglob("*")
        if path.is_file() and "snapshots" not in path.parts
    }
    assert set(after) - set(before) <= {here / "q.sql"}
    assert all(after[path] == content for path, content in before.items())


@pytest.mark.parametrize("text", NOT_ONE_SELECT.values(), ids=NOT_ONE_SELECT)
def test_anything_but_one_select(attacked, read, text):
    (attacked / "q.sql").write_text(text)
    with pytest.raises(Refusal) as caught:
        read(source="q.sql")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", REACHING_OUT.values(), ids=REACHING_OUT)
def test_a_select_that_reaches_out(attacked, read, text):
    hourly_frame = [1]  # a Python variable that the engine's replacement scan could find
    (attacked / "q.sql").write_text(text)
    with pytest.raises(Refusal) as caught:
        read(source="q.sql")
    assert SECRET not in str(caught.value)
    assert not list(attacked.rglob("snapshots/*.parquet"))
    assert hourly_frame


@pytest.mark.parametrize(
    "attack",
    [
        "SET threads = 1",
        "SET lock_configuration = false",
        "SET enable_external_access = true",
        "RESET enable_external_access",
        "SET allowed_paths = ['/etc/passwd']",
        "SET temp_directory = '/tmp'",
        "SELECT * FROM read_text('/etc/passwd')",
        "ATTACH '/tmp/x.duckdb'",
        "COPY (SELECT 1) TO '{path}.copy'",
        "COPY (SELECT 1) TO '{path}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE SECRET s (TYPE s3)",
        "EXPORT DATABASE '{folder}/out'",
    ],
)
def test_the_session_itself_is_locked(here, write, hourly, attack):
    path = write(hourly())
    before = path.read_bytes()
    with locked([path]) as backend, pytest.raises(duckdb.Error):
        backend.con.execute(attack.format(path=path, folder=here)).fetchall()
    assert path.read_bytes() == before
    assert sorted(item.name for item in here.iterdir()) == [".trustlib", "counts.csv"]


def test_a_database_is_read_only(here):
    path = Path("x.duckdb")
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS a").fetchall()
    before = path.read_bytes()
    with locked(database=path) as backend:
        for attack in ("DROP TABLE t", "INSERT INTO t VALUES (2)", "CREATE TABLE u AS SELECT 1"):
            with pytest.raises(duckdb.Error):
                backend.con.execute(attack).fetchall()
    assert path.read_bytes() == before


def test_a_query_that_never_ends_in_memory(attacked, read):
    """A value that cannot fit meets the engine's memory limit, not the machine's."""
    (attacked / "q.sql").write_text(
        "SELECT string_agg(repeat('x', 1000), '') AS \"at\", 1 AS n FROM range(10_000_000)"
    )
    with pytest.raises(TrustlibError):
        read(source="q.sql")


SOURCE = Source(name="q.sql", kind="sql", path=None, url=None, connection=None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("COPY (SELECT 1) TO 'x'", "this one is COPY"),
        ("PRAGMA version", "this one is PRAGMA"),
        ("DESCRIBE SELECT 1", "does not begin with"),
        ("SHOW TABLES", "does not begin with"),
        ("SELECT 1; SELECT 2", "there are 2 statements"),
        (" ; ", "this one is empty"),
    ],
)
def test_the_embedded_gate_says_why(text, words):
    with pytest.raises(Refusal, match=words):
        statement.embedded(text, SOURCE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT a INTO b FROM c", "writes or locks"),
        ("SELECT a FROM c FOR UPDATE", "writes or locks"),
        ("WITH x AS (DELETE FROM c RETURNING *) SELECT * FROM x", "writes or locks"),
        ("SELECT 1; SELECT 2", "there are 2 statements"),
        ("SELECT 1 -- \n; SELECT 2", "there are 2 statements"),
        ("DROP TABLE c", "this one is DROP"),
        ("-- nothing", "this one is empty"),
    ],
)
def test_the_postgresql_gate_says_why(text, words):
    with pytest.raises(Refusal, match=words):
        statement.postgres(text, SOURCE)
