"""Sources of known content, each in a working directory of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trustlib.data import Counts, CountsQuery, read_counts

JUNE = datetime(2024, 6, 1, tzinfo=UTC)
ASK = CountsQuery(
    source="counts.csv",
    time_column="at",
    count_column="n",
    incident_start=datetime(2024, 6, 8, tzinfo=UTC),
    incident_end=datetime(2024, 6, 9, tzinfo=UTC),
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: empty, the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(here: Path) -> Callable[..., Path]:
    """Write a CSV file from its rows, the first being the header."""

    def _write(rows: Sequence[Sequence[object]], name: str = "counts.csv") -> Path:
        lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
        path = here / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return _write


@pytest.fixture
def read() -> Callable[..., Counts]:
    """Read with the standard question, changed where the test says."""
    return lambda **changes: read_counts(replace(ASK, **changes))


@pytest.fixture
def hourly() -> Callable[..., list[list[object]]]:
    """Ten days of hourly ready counts from 1 June 2024, 100 each, as CSV rows."""

    def _hourly(hours: int = 240) -> list[list[object]]:
        rows: list[list[object]] = [["at", "n"]]
        for hour in range(hours):
            day, clock = divmod(hour, 24)
            rows.append([f"2024-06-{day + 1:02d} {clock:02d}:00:00", 100])
        return rows

    return _hourly
