"""Reading a source: snapshot, counts or the rows of a panel, and what was found on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustlib.data.panel_records import PanelQuery, PanelRows, covariate_names
from trustlib.data.records import Counts, CountsQuery, Snapshot

if TYPE_CHECKING:
    from trustlib.data.panel_read import read_panel
    from trustlib.data.read import read_counts

__all__ = [
    "Counts",
    "CountsQuery",
    "PanelQuery",
    "PanelRows",
    "Snapshot",
    "covariate_names",
    "read_counts",
    "read_panel",
]


def __getattr__(name: str) -> object:
    # The engine takes half a second to import: only who reads pays for it.
    if name == "read_counts":
        from trustlib.data.read import read_counts

        return read_counts
    if name == "read_panel":
        from trustlib.data.panel_read import read_panel

        return read_panel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
