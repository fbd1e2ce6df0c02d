"""The demo world: made by the SQL beside this file, published in one step.

The tables that notebooks read are in ``world.duckdb``; what was planted is in
``truth.duckdb``, which only tests read. Times are naive UTC.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustlib.core import Refusal, Window, did_you_mean

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = Path(".trustlib/demo")
# Part of what decides whether a world on disk can be kept: change it with the SQL.
VERSION = 6
START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
HOURS = 14 * 168
CHUNK_ROWS = 4_000_000

# Events drawn; the views and reports of removed items drop out, about one in twelve.
# `views` is a sample of the view log (1 in 20 at "small"), the other tables are complete.
SIZES: dict[str, Mapping[str, int]] = {
    "small": {"accounts": 20_000, "items": 300_000, "views": 200_000, "reports": 36_000},
    "medium": {"accounts": 80_000, "items": 1_200_000, "views": 1_080_000, "reports": 180_000},
    "large": {"accounts": 2_000_000, "items": 24_000_000, "views": 108_000_000,
              "reports": 12_000_000},
}  # fmt: skip
TABLES = (
    *("accounts", "items", "views", "reports", "actions", "incident_log"),
    *("rollouts", "complaints", "harassment_reports"),
    *("scores", "labels", "view_labels", "gold_labels", "appeals", "instrument_changes"),
    *("action_log", "customers", "incident_cases", "incident_audit", "chargebacks", "change_log"),
)


@dataclass(frozen=True, kw_only=True)
class DemoWorld:
    """A world on disk.

    Attributes
    ----------
    path, truth_path
        The two database files: what notebooks read, and what was planted.
    size, seed
        What it was made from.
    rows
        Rows per table.
    content
        SHA-256 over the content of every table, independent of row order and threads.
    built
        False where the files were there already.
    """

    path: Path
    truth_path: Path
    size: str
    seed: int
    rows: Mapping[str, int]
    content: str
    built: bool


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What was planted as one incident.

    Attributes
    ----------
    incident_id, kind
        For example ``over-blocking`` and ``over_blocking``.
    series
        Where it shows: ``rule_actions`` or ``user_reports``.
    window
        First and last instant, half-open.
    planted
        Rows added to `series` inside the window, per market (negative: taken away).
    """

    incident_id: str
    kind: str
    series: str
    window: Window
    planted: Mapping[str, int]

    @property
    def total(self) -> int:
        """Rows added to `series` in all markets."""
        return sum(self.planted.values())


def build(
    size: str = "small",
    seed: int = 0,
    folder: Path = FOLDER,
    *,
    incidents: bool = True,
    threads: int | None = None,
) -> DemoWorld:
    """Make the world of (`size`, `seed`) in `folder`, unless it is there already.

    Parameters
    ----------
    incidents
        False makes the same world without its incidents: the counterfactual.
    threads
        For the engine; the content does not depend on it.

    Raises
    ------
    Refusal
        If there is no such size, or `seed` is negative.
    """
    if size not in SIZES:
        raise Refusal(
            f"there is no demo size {size!r}",
            nearest=did_you_mean(size, SIZES),
            next_step=f"choose one of {', '.join(SIZES)}",
        )
    if not 0 <= seed < 2**63:
        raise Refusal(f"seed {seed} is not a whole number from 0 to 2^63 - 1")
    key = f"{VERSION}/{size}/{seed}/{'with' if incidents else 'without'} incidents"
    folder = Path(folder)
    present = _present(folder, key)
    if present is not None:
        return _record(folder, size, seed, present, built=False)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="building-", dir=folder) as building:
        made = Path(building)
        about = _make(made, size=size, seed=seed, incidents=incidents, threads=threads, key=key)
        # The world last: a world whose truth is of another build is built again.
        (made / "truth.duckdb").replace(folder / "truth.duckdb")
        (made / "world.duckdb").replace(folder / "world.duckdb")
    return _record(folder, size, seed, about, built=True)


def truth(folder: Path = FOLDER) -> tuple[Truth, ...]:
    """What was planted in the world of `folder`. For tests: a notebook must not read it."""
    import duckdb

    with contextlib.closing(duckdb.connect(str(folder / "truth.duckdb"), read_only=True)) as engine:
        return read_truth(engine)


def read_truth(engine: DuckDBPyConnection, schema: str = "main") -> tuple[Truth, ...]:
    """`truth` over an open connection."""
    found = engine.execute(
        f"SELECT incident_id, kind, series, started_at, ended_at FROM {schema}.incidents "
        "ORDER BY incident_id"
    ).fetchall()
    planted = engine.execute(
        f"SELECT incident_id, series, market, rows_added FROM {schema}.planted"
    ).fetchall()
    return tuple(
        Truth(
            incident_id=name,
            kind=kind,
            series=series,
            window=Window(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)),
            planted={row[2]: row[3] for row in planted if row[:2] == (name, series)},
        )
        for name, kind, series, start, end in found
    )


def _record(
    folder: Path, size: str, seed: int, about: Mapping[str, Any], *, built: bool
) -> DemoWorld:
    return DemoWorld(
        path=folder / "world.duckdb",
        truth_path=folder / "truth.duckdb",
        size=size,
        seed=seed,
        rows=about["rows"],
        content=about["content"],
        built=built,
    )


def _present(folder: Path, key: str) -> Mapping[str, Any] | None:
    """What both files say about themselves, where both are whole and of this `key`."""
    import duckdb

    found = []
    for name in ("world", "truth"):
        path = folder / f"{name}.duckdb"
        if not path.is_file():
            return None
        try:
            with contextlib.closing(duckdb.connect(str(path), read_only=True)) as engine:
                row = engine.execute("SELECT about FROM demo_info").fetchone()
        except duckdb.Error:
            return None  # torn, or from another version of the engine
        found.append(row[0] if row else None)
    if found[0] is None or found[0] != found[1]:
        return None
    about: Mapping[str, Any] = json.loads(found[0])
    return about if about.get("key") == key else None


def _make(
    folder: Path, *, size: str, seed: int, incidents: bool, threads: int | None, key: str
) -> Mapping[str, Any]:
    """Both database files in `folder`."""
    import duckdb

    with contextlib.closing(duckdb.connect(str(folder / "world.duckdb"))) as engine:
        engine.execute(f"SET temp_directory = '{folder.as_posix().replace(chr(39), chr(39) * 2)}'")
        engine.execute("SET memory_limit = '3GB'")
        engine.execute(f"ATTACH '{(folder / 'truth.duckdb').as_posix()}' AS truth")
        if threads is not None:
            engine.execute(f"SET threads = {int(threads)}")
        generate(engine, size=size, seed=seed, incidents=incidents)
        rows = {name: _count(engine, name) for name in TABLES}
        about = {"key": key, "rows": rows, "content": content(engine)}
        text = json.dumps(about, sort_keys=True)
        for schema in ("", "truth."):
            engine.execute(f"CREATE TABLE {schema}demo_info AS SELECT ? AS about", [text])
        engine.execute("CHECKPOINT")
        engine.execute("CHECKPOINT truth")
    return about


def generate(
    engine: DuckDBPyConnection, *, size: str = "small", seed: int = 0, incidents: bool = True
) -> None:
    """Make all tables in `engine`, truth in its attached database ``truth``."""
    events = SIZES[size]
    settings = {
        **events,
        "hours": HOURS,
        "incidents": incidents,
        "wave_items": max(events["reports"] // 150, 24),
        "wave_reports": events["reports"] // 65,
        "wave_views": events["views"] // 250,
        "series": "",
        "events": 0,
        "from_hour": 0,
        "to_hour": 0,
    }
    for name, value in settings.items():
        _set(engine, name, value)
    _mixer(engine, seed)
    engine.execute(_sql("10_calendar"))
    for series in ("items", "views", "reports"):
        _set(engine, "series", series)
        _set(engine, "events", events[series])
        engine.execute(_sql("20_counts"))
    engine.execute(_sql("30_accounts"))
    engine.execute(_sql("40_items"))
    _chunks(engine, "41_items_chunk", events["items"])
    for name in ("50_incidents", "60_actions", "70_exposure"):
        engine.execute(_sql(name))
    _chunks(engine, "71_views_chunk", events["views"])
    _chunks(engine, "72_reports_chunk", events["reports"])
    engine.execute(_sql("80_planted_exposure"))
    _abuse(engine, events)
    _rollouts(engine)
    _postmortem(engine, events)


def _abuse(engine: DuckDBPyConnection, events: Mapping[str, int]) -> None:
    """Scams, after all else: no row from before changes, but what a report is about."""
    scale = max(events["items"] // 300_000, 1)
    rings = max(scale // 8, 1)
    settings = {
        "abuse_scale": scale,
        "ring_scale": rings,
        "burst_scale": scale // rings,
        "label_items": 8000 * (1 + (scale > 1) + 3 * (scale > 8)),
        "label_views": 8000 * (1 + (scale > 1) + 3 * (scale > 8)),
    }
    for name, value in settings.items():
        _set(engine, name, value)
    for name in ("81_abusers", "82_abuse_items", "83_scores"):
        engine.execute(_sql(name))
    _chunks(engine, "84_scores_chunk", events["items"])
    for name in ("85_enforcement", "86_abuse_tables", "87_abuse_views", "88_labels", "89_appeals"):
        engine.execute(_sql(name))


def _postmortem(engine: DuckDBPyConnection, events: Mapping[str, int]) -> None:
    """What a postmortem of both incidents reads: no row from before changes."""
    _set(engine, "case_rest", max(events["items"] // 1000, 24))
    for name in ("96_incident_cases", "97_incident_audit", "98_chargebacks", "99_change_log"):
        engine.execute(_sql(name))


def generate_rollouts(engine: DuckDBPyConnection, *, seed: int = 0) -> None:
    """The tables and truth of both interventions alone: as in a whole world, in .2 s."""
    _mixer(engine, seed)
    _rollouts(engine)


def _rollouts(engine: DuckDBPyConnection) -> None:
    engine.execute(_sql("90_rollout"))
    engine.execute(_sql("95_reply_limits"))


def _mixer(engine: DuckDBPyConnection, seed: int) -> None:
    _set(engine, "seed", seed)
    _set(engine, "world_start", START.replace(tzinfo=None))
    engine.execute(_sql("00_mixer"))


def _chunks(engine: DuckDBPyConnection, name: str, events: int) -> None:
    """One statement per stretch of hours: memory stays bounded at any size."""
    pieces = -(-events // CHUNK_ROWS)
    for start, end in _stretches(HOURS, pieces):
        _set(engine, "from_hour", start)
        _set(engine, "to_hour", end)
        engine.execute(_sql(name))


def _stretches(hours: int, pieces: int) -> Iterator[tuple[int, int]]:
    edges = [hours * piece // pieces for piece in range(pieces + 1)]
    yield from itertools.pairwise(edges)


def _set(engine: DuckDBPyConnection, name: str, value: object) -> None:
    # The engine takes a small number for 32 bits wide; products of the large world are wider.
    wide = "::BIGINT" if isinstance(value, int) and not isinstance(value, bool) else ""
    engine.execute(f"SET VARIABLE {name} = ?{wide}", [value])


def _sql(name: str) -> str:
    return resources.files("trustlib.demo").joinpath("sql", f"{name}.sql").read_text("utf-8")


def _count(engine: DuckDBPyConnection, table: str) -> int:
    row = engine.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def content(engine: DuckDBPyConnection, tables: Iterable[str] = TABLES) -> str:
    """SHA-256 over `tables`: counts and sums of the rows' MD5, whatever their order."""
    digest = hashlib.sha256()
    for table in tables:
        columns = [row[0] for row in engine.execute(f"DESCRIBE {table}").fetchall()]
        joined = ", ".join(f"coalesce(\"{column}\"::VARCHAR, '~')" for column in columns)
        row = engine.execute(
            f"SELECT count(*), sum(('0x' || left(md5(concat_ws('|', {joined})), 15))::UBIGINT) "
            f"FROM {table}"
        ).fetchone()
        digest.update(f"{table}:{columns}:{row}".encode())
    return digest.hexdigest()
