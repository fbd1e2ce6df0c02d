"""The integer mixer: equal to its definition, even, and independent between streams."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import duckdb
import numpy as np
import pytest

from trustlib.demo.world import _sql

MASK = 2**32 - 1


def fold(x: int, factor: int) -> int:
    product = x * factor
    return (product >> 32) ^ (product & MASK)


def bits(seed: int, stream: str, identity: int) -> int:
    """The same arithmetic in Python."""
    digest = hashlib.md5(f"{seed}/{stream}".encode()).hexdigest()
    x = fold(identity ^ int(digest[:8], 16), 2654435769)
    x = fold(x ^ int(digest[8:16], 16), 2246822519)
    return fold(x ^ 3266489917, 3668339987)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET VARIABLE seed = 0")
        connection.execute("SET VARIABLE world_start = TIMESTAMP '2026-01-05'")
        connection.execute(_sql("00_mixer"))
        yield connection


def draws(engine: duckdb.DuckDBPyConnection, expression: str, n: int = 200_000) -> np.ndarray:
    found = engine.execute(f"SELECT {expression} AS x FROM range({n}) AS t(i) ORDER BY i")
    return found.fetchnumpy()["x"].astype(np.int64)


@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_the_sql_is_the_definition(engine: duckdb.DuckDBPyConnection, seed: int) -> None:
    engine.execute("SET VARIABLE seed = ?", [seed])
    for identity in (0, 1, 2, 12345, 2**31, MASK):
        found = engine.execute(f"SELECT bits('some.stream', {identity})").fetchone()
        assert found == (bits(seed, "some.stream", identity),)
    engine.execute("SET VARIABLE seed = 0")


def test_known_values() -> None:
    # Pinned: a change here changes every world.
    assert [bits(0, "a", i) for i in range(3)] == KNOWN


KNOWN = [3866888567, 3675557303, 3222352599]


def test_draws_are_even(engine: duckdb.DuckDBPyConnection) -> None:
    for stream in ("a", "b", "item.violates"):
        for shift in (0, 8, 16, 24):
            counts = np.bincount(draws(engine, f"(bits('{stream}', i) >> {shift}) & 255"))
            chi_square = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
            assert 160 < chi_square < 360, (stream, shift)  # 255 degrees of freedom, ±4.7 sd


def test_streams_neighbours_and_seeds_are_unrelated(engine: duckdb.DuckDBPyConnection) -> None:
    first = draws(engine, "bits('a', i)") / 2**32
    engine.execute("SET VARIABLE seed = 1")
    reseeded = draws(engine, "bits('a', i)") / 2**32
    engine.execute("SET VARIABLE seed = 0")
    others = {
        "stream": draws(engine, "bits('a+', i)") / 2**32,
        "seed": reseeded,
        "next": np.roll(first, 1),
        "eighth": np.roll(first, 8),
    }
    for name, other in others.items():
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.011, name  # 5 standard errors
        # Beyond the linear: joint cells of a 16 by 16 table.
        cells = np.histogram2d(first, other, bins=16)[0]
        chi_square = ((cells - cells.mean()) ** 2 / cells.mean()).sum()
        assert chi_square < 370, name


def test_bell_and_near_zero(engine: duckdb.DuckDBPyConnection) -> None:
    bell = draws(engine, "bell('a', i)")
    assert abs(bell.mean()) < 500
    assert bell.std() == pytest.approx(37837, rel=0.02)
    near = draws(engine, "near_zero('a', i, 1000)")
    assert near.min() == 0
    assert near.max() < 1000
    assert np.median(near) == pytest.approx(187, abs=5)
