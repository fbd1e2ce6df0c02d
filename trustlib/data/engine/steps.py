"""A step function in the engine: offsets of a clock between its changes."""

from __future__ import annotations

from typing import Any

import ibis


def steps(value: Any, bounds: tuple[tuple[int, int], ...], last: int) -> Any:
    """The number that holds at `value`: of the first bound above it, else `last`."""
    if not bounds:
        return ibis.literal(last, "int64")
    branches = [(value < bound, ibis.literal(offset, "int64")) for bound, offset in bounds]
    return ibis.cases(*branches, else_=ibis.literal(last, "int64"))
