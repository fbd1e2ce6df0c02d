"""Reading sources: snapshots, counts, rows of a panel, of units, of abuse or of an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustlib.data.abuse_records import AbuseQuery, AbuseRows, Appealed, Confirmed
from trustlib.data.incident_records import AffectedQuery, AffectedRows, RestrictedList
from trustlib.data.panel_records import PanelQuery, PanelRows, covariate_names
from trustlib.data.records import Counts, CountsQuery, Snapshot, snapshots
from trustlib.data.units_records import UnitQuery, UnitRows

if TYPE_CHECKING:
    from trustlib.data.abuse_read import read_abuse
    from trustlib.data.earlier import read_earlier
    from trustlib.data.incident_read import read_affected
    from trustlib.data.panel_read import read_panel
    from trustlib.data.read import read_counts
    from trustlib.data.restricted import draft_lists, put_lists, write_lists
    from trustlib.data.units_read import read_units

__all__ = [
    "AbuseQuery",
    "AbuseRows",
    "AffectedQuery",
    "AffectedRows",
    "Appealed",
    "Confirmed",
    "Counts",
    "CountsQuery",
    "PanelQuery",
    "PanelRows",
    "RestrictedList",
    "Snapshot",
    "UnitQuery",
    "UnitRows",
    "covariate_names",
    "draft_lists",
    "put_lists",
    "read_abuse",
    "read_affected",
    "read_counts",
    "read_earlier",
    "read_panel",
    "read_units",
    "snapshots",
    "write_lists",
]


def __getattr__(name: str) -> object:
    # The engine takes half a second to import: only who reads pays for it.
    if name == "read_counts":
        from trustlib.data.read import read_counts

        return read_counts
    if name == "read_abuse":
        from trustlib.data.abuse_read import read_abuse

        return read_abuse
    if name == "read_earlier":
        from trustlib.data.earlier import read_earlier

        return read_earlier
    if name == "read_affected":
        from trustlib.data.incident_read import read_affected

        return read_affected
    if name == "read_panel":
        from trustlib.data.panel_read import read_panel

        return read_panel
    if name == "read_units":
        from trustlib.data.units_read import read_units

        return read_units
    if name in ("draft_lists", "put_lists", "write_lists"):
        from trustlib.data import restricted

        return getattr(restricted, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
