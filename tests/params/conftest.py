"""A valid params file to break in every way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# One valid value other than the default for every parameter of incident_sizing.
VALID: dict[str, Any] = {
    "title": "Snow day in New York",
    "owner": "Marketplace on-call",
    "source": "data/trips.csv",
    "connection": "WAREHOUSE_URL",
    "timezone": "America/New_York",
    "as_of": "2015-02-01T00:00:00-05:00",
    "level": 0.9,
    "seed": 7,
    "time_column": "timestamp",
    "count_column": "value",
    "segment_column": "borough",
    "control_column": "traffic",
    "incident_start": "2015-01-26T12:00:00-05:00",
    "incident_end": "2015-01-28T00:00:00-05:00",
    "history_start": "2014-07-01T00:00:00-04:00",
    "bucket": "30min",
    "exclude_windows": [["2014-11-27T00:00:00-05:00", "2014-11-28T00:00:00-05:00"]],
    "direction": "decrease",
    "unit_label": "trips",
    "unit_cost_usd": 12.5,
}
Write = Callable[..., Path]


def as_yaml(values: dict[str, Any]) -> str:
    """`values` one a line, in YAML that is also JSON."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in values.items())


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write values or text to ``params/incident_sizing/<slug>.yaml`` and return the path."""

    def writer(content: dict[str, Any] | str, slug: str = "snow") -> Path:
        folder = tmp_path / "params" / "incident_sizing"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{slug}.yaml"
        text = content if isinstance(content, str) else as_yaml(content)
        path.write_text(text, encoding="utf-8")
        return path

    return writer
