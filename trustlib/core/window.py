"""Half-open stretches of time, aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, order=True)
class Window:
    """``[start, end)``: two aware instants, held in UTC.

    Raises
    ------
    ValueError
        If an end is naive or the window is empty or reversed.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if value.tzinfo is None:
                raise ValueError(f"Window: {name} is naive, an aware instant is needed")
            object.__setattr__(self, name, value.astimezone(UTC))
        if self.start >= self.end:
            raise ValueError("Window: the end must come after the start")

    @property
    def duration(self) -> timedelta:
        """Elapsed time, as a clock that never changes would measure it."""
        return self.end - self.start

    def overlaps(self, other: Window) -> bool:
        """True where the two share an instant."""
        return self.start < other.end and other.start < self.end
