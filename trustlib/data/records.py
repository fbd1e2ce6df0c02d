"""What is asked of a source and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from trustlib.core import Check

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The rows that were read, kept as a Parquet copy.

    Attributes
    ----------
    source
        File or table as the reader knows it; never an absolute path, never a secret.
    kind
        ``csv``, ``parquet``, ``sql`` or ``table``.
    rows
        Rows read, before any is left out.
    sha256
        Of the Parquet copy, whose bytes depend on the content only: rows in file order,
        or sorted where the source has no order (a table, a query).
    path
        The copy, relative to the working directory.
    window_start_at, window_end_at
        First and last instant in the rows, UTC; None where time is a whole number.
    sql
        The statements that ran, for the appendix.
    """

    source: str
    kind: str
    rows: int
    sha256: str
    path: str
    window_start_at: datetime | None
    window_end_at: datetime | None
    sql: str

    def to_json(self) -> dict[str, object]:
        """Plain values for the manifest; without the time of reading."""
        return {
            "source": self.source,
            "kind": self.kind,
            "rows": self.rows,
            "sha256": self.sha256,
            "path": self.path,
            "window_start_at": _text(self.window_start_at),
            "window_end_at": _text(self.window_end_at),
            "sql": self.sql,
        }


class Read(Protocol):
    """What a source gave, whatever it was read for."""

    @property
    def snapshot(self) -> Snapshot: ...


def snapshots(*read: Read | Snapshot | None) -> list[dict[str, object]]:
    """Plain values for the manifest of every source that was read; None: of one that was not."""
    known = [one if isinstance(one, Snapshot) else one.snapshot for one in read if one is not None]
    return [one.to_json() for one in known]


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


@dataclass(frozen=True, kw_only=True)
class CountsQuery:
    """Which column means what, and which stretch of time is wanted.

    Attributes
    ----------
    source
        Path to .csv, .parquet or .sql (one SELECT), or a table name on the connection.
    connection
        Name of an environment variable that holds a URL; None is the embedded engine.
    time_column
        Instants; naive ones are read in `timezone`.
    count_column
        Counts per time label (ready counts); None: one row is one event.
    segment_column, control_column
        Optional. A control series is read from ready counts only.
    event_id_column
        Event rows with the same id are one event, at their earliest time; rows without an id
        count each. None: every row counts. Not with ready counts.
    timezone
        IANA name.
    bucket
        ``30min``, ``1h`` (UTC grid) or ``1d`` (days on the calendar of `timezone`).
    history_start
        First instant of the history; None: where the data begin.
    incident_start, incident_end
        The window, half-open.
    as_of
        Nothing at or after this instant is used; None: all rows.

    Raises
    ------
    ValueError
        A naive instant, or a window that is empty or reversed.
    """

    source: str
    connection: str | None = None
    time_column: str
    count_column: str | None = None
    segment_column: str | None = None
    control_column: str | None = None
    event_id_column: str | None = None
    timezone: str = "UTC"
    bucket: str = "1h"
    history_start: datetime | None = None
    incident_start: datetime
    incident_end: datetime
    as_of: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("history_start", "incident_start", "incident_end", "as_of"):
            value = getattr(self, name)
            if value is not None and value.tzinfo is None:
                raise ValueError(f"CountsQuery: {name} is naive, an aware instant is needed")
        if self.incident_start >= self.incident_end:
            raise ValueError("CountsQuery: incident_end must come after incident_start")


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Counts per bucket on a whole, regular grid, and how healthy the rows were.

    Attributes
    ----------
    frame
        One row per bucket, ascending: ``bucket_start_at`` (UTC), ``count`` (float64, NaN =
        missing bucket), ``control`` (float64, only if asked for), ``ambiguous`` (bool:
        touched by a clock change whose hours could not be told apart).
    segments
        ``bucket_start_at``, ``segment`` (str), ``count``: the full grid for every segment;
        in each bucket the segments add up to ``frame``'s count. None without a segment column.
    native_bucket
        Spacing of ready counts before aggregation, for example ``30min``; None for events.
    health
        ``item``, ``n``, ``note``: one row per thing that was counted.
    checks
        Verdicts on the data.
    snapshot
        What was read.
    """

    frame: pd.DataFrame
    segments: pd.DataFrame | None
    native_bucket: str | None
    health: pd.DataFrame
    checks: tuple[Check, ...]
    snapshot: Snapshot
