"""Locked sessions on the embedded engine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis

from trustlib.core import RunFailed
from trustlib.data.parquet import STATE

MEMORY = "384MB"  # of the engine; the whole process stays under 1 GB
THREADS = 2


@contextmanager
def old_calls() -> Iterator[None]:
    """ibis 12 looks schemas up through calls that DuckDB 2.0 deprecates: not a user's worry."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
        yield


@contextmanager
def locked(
    allowed: Sequence[Path] = (),
    *,
    database: Path | None = None,
    threads: int = THREADS,
    memory: str = MEMORY,
    ordered: bool = True,
) -> Iterator[Any]:
    """An ibis backend that can read `allowed` and `database` and reach nothing else.

    Not `ordered`, rows come as they fall unless a statement puts them in order: that takes less
    memory.

    The order matters: ibis sets the session up, then the doors are shut, and the lock on
    the configuration comes last.
    """
    spill = (STATE / "tmp").resolve()
    try:
        spill.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFailed(
            f"the working folder cannot be written to: {error.strerror}",
            where=f"{STATE.as_posix()}/",
            next_step="run in a folder that you may write to",
        ) from None
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": threads,
        "memory_limit": memory,
        "preserve_insertion_order": ordered,
        "temp_directory": str(spill),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "allow_persistent_secrets": False,
        # DuckDB 2.0 now and then fails inside itself on a join with a very small table
        # ("dict-surviving cache"); without this step it was not seen to.
        "disabled_optimizers": "statistics_propagation",
    }
    target = ":memory:" if database is None else str(database)
    connection = duckdb.connect(target, read_only=database is not None, config=config)
    try:
        backend = ibis.duckdb.from_connection(connection)
        paths = [str(path.resolve()) for path in allowed]
        connection.execute("SET allowed_paths = $paths", {"paths": paths})
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield backend
    finally:
        connection.close()
