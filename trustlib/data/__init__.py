"""Reading sources: snapshots, counts, rows of a panel, of units or of an abuse area, findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustlib.data.abuse_records import AbuseQuery, AbuseRows, Appealed, Confirmed
from trustlib.data.panel_records import PanelQuery, PanelRows, covariate_names
from trustlib.data.records import Counts, CountsQuery, Snapshot, snapshots
from trustlib.data.units_records import UnitQuery, UnitRows

if TYPE_CHECKING:
    from trustlib.data.abuse_read import read_abuse
    from trustlib.data.panel_read import read_panel
    from trustlib.data.read import read_counts
    from trustlib.data.units_read import read_units

__all__ = [
    "AbuseQuery",
    "AbuseRows",
    "Appealed",
    "Confirmed",
    "Counts",
    "CountsQuery",
    "PanelQuery",
    "PanelRows",
    "Snapshot",
    "UnitQuery",
    "UnitRows",
    "covariate_names",
    "read_abuse",
    "read_counts",
    "read_panel",
    "read_units",
    "snapshots",
]


def __getattr__(name: str) -> object:
    # The engine takes half a second to import: only who reads pays for it.
    if name == "read_counts":
        from trustlib.data.read import read_counts

        return read_counts
    if name == "read_abuse":
        from trustlib.data.abuse_read import read_abuse

        return read_abuse
    if name == "read_panel":
        from trustlib.data.panel_read import read_panel

        return read_panel
    if name == "read_units":
        from trustlib.data.units_read import read_units

        return read_units
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
