"""One small world for the whole folder, and its twin without incidents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from trustlib import demo


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> demo.DemoWorld:
    return demo.build(folder=tmp_path_factory.mktemp("demo") / "with")


@pytest.fixture(scope="session")
def engine(
    world: demo.DemoWorld, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The world, with its truth as ``truth`` and its twin without incidents as ``calm``."""
    folder: Path = tmp_path_factory.mktemp("demo") / "without"
    calm = demo.build(folder=folder, incidents=False)
    connection = duckdb.connect(str(world.path), read_only=True)
    connection.execute(f"ATTACH '{world.truth_path}' AS truth (READ_ONLY)")
    connection.execute(f"ATTACH '{calm.path}' AS calm (READ_ONLY)")
    yield connection
    connection.close()
