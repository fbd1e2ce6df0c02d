"""Reading a source: snapshot, counts per bucket, and what was found on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustlib.data.records import Counts, CountsQuery, Snapshot

if TYPE_CHECKING:
    from trustlib.data.read import read_counts

__all__ = ["Counts", "CountsQuery", "Snapshot", "read_counts"]


def __getattr__(name: str) -> object:
    # The engine takes half a second to import: only who reads pays for it.
    if name == "read_counts":
        from trustlib.data.read import read_counts

        return read_counts
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
