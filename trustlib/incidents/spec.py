"""The design of one incident sizing, in words that a reviewer would use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from trustlib.core import Refusal, Window

Direction = Literal["increase", "decrease", "either"]
BUCKETS = ("30min", "1h", "1d")


@dataclass(frozen=True, kw_only=True)
class SizingSpec:
    """What to size and how.

    Attributes
    ----------
    incident
        The stated window, half-open, aligned to bucket edges.
    history_start
        First instant of the history that teaches the season; None for all there is.
    bucket
        "30min", "1h" or "1d" (local calendar days).
    timezone
        Whose clock the season follows.
    exclude_windows
        Holidays and earlier incidents: never fitted on and never a placebo.
    direction
        What would count as an incident.
    level
        Of every interval, between 0 and 1.
    seed
        Of the replays behind the onset's interval; nothing else is drawn at random.
    unit_label
        What is counted, plural.
    unit_cost_usd
        Dollars per unit of excess.
    """

    incident: Window
    history_start: datetime | None = None
    bucket: str = "1h"
    timezone: str = "UTC"
    exclude_windows: tuple[Window, ...] = ()
    direction: Direction = "either"
    level: float = 0.95
    seed: int = 0
    unit_label: str = "events"
    unit_cost_usd: float | None = None

    def __post_init__(self) -> None:
        if self.bucket not in BUCKETS:
            raise Refusal(f"bucket {self.bucket!r} is not one of {', '.join(BUCKETS)}")
        if self.direction not in ("increase", "decrease", "either"):
            raise Refusal(f"direction {self.direction!r} is not one of increase, decrease, either")
        if not 0.5 <= self.level < 1:
            raise Refusal(f"level {self.level} is not between 0.5 and 1")
        cost = self.unit_cost_usd
        if cost is not None and not 0 <= cost < float("inf"):
            raise Refusal(f"unit_cost_usd {cost} is not a finite amount of 0 or more")
        if self.history_start is not None:
            if self.history_start.tzinfo is None:
                raise Refusal("history_start is naive, an aware instant is needed")
            if self.history_start >= self.incident.start:
                raise Refusal(
                    "the history starts at or after the incident",
                    next_step="move history_start at least three weeks before incident_start",
                )
        for window in self.exclude_windows:
            if window.overlaps(self.incident):
                raise Refusal(
                    "an excluded window overlaps the incident",
                    where=f"exclude_windows: {window.start:%Y-%m-%d %H:%M} UTC",
                    next_step="exclude only stretches of the history",
                )
