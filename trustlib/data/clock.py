"""Local clock labels and UTC, by a stated rule, with the changes of the clock as plain numbers.

The engine never converts a zone itself: its session zone would leak in, and its zone
data may differ from Python's. Instead the changes of the clock in the data's range are
taken from `zoneinfo` and handed to the engine as a short list of numbers.

The rule for a naive label: an impossible one (skipped when the clock goes forward) is
moved forward by the gap; an ambiguous one (the clock goes back) is the earlier
occurrence, and its second appearance in file order the later. Both are what `zoneinfo`
calls ``fold=0``, and ``fold=1`` for the second appearance.

All numbers are whole seconds: UTC since 1970, or "label seconds", the same count for a
clock face read as if it were UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from trustlib.core import Refusal, did_you_mean

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 12 * 3600  # two changes of one clock are always further apart
_FIRST, _LAST = -62_135_400_000, 253_402_100_000  # what datetime can hold, a day's margin


@dataclass(frozen=True)
class ClockChange:
    """The clock moves at the UTC second `at`, from offset `before` to `after` (seconds)."""

    at: int
    before: int
    after: int

    @property
    def ambiguous(self) -> tuple[int, int]:
        """Labels that occur twice, ``[low, high)``; empty where the clock went forward."""
        return self.at + self.after, max(self.at + self.before, self.at + self.after)

    @property
    def impossible(self) -> tuple[int, int]:
        """Labels that never occur, ``[low, high)``; empty where the clock went back."""
        return self.at + self.before, max(self.at + self.before, self.at + self.after)


@dataclass(frozen=True)
class Clock:
    """One zone over one stretch of time: its first offset and every change, ascending."""

    timezone: str
    offset: int
    changes: tuple[ClockChange, ...]

    @property
    def label_steps(self) -> tuple[tuple[int, int], ...]:
        """``(label second, offset before it)`` by the rule; after the last: `last_offset`."""
        return tuple((c.at + max(c.before, c.after), c.before) for c in self.changes)

    @property
    def utc_steps(self) -> tuple[tuple[int, int], ...]:
        """``(UTC second, offset before it)``; after the last: `last_offset`."""
        return tuple((c.at, c.before) for c in self.changes)

    @property
    def last_offset(self) -> int:
        return self.changes[-1].after if self.changes else self.offset

    def utc(self, label: int) -> int:
        """UTC second of a label, by the rule."""
        for bound, offset in self.label_steps:
            if label < bound:
                return label - offset
        return label - self.last_offset

    def label(self, utc: int) -> int:
        """Label second that the clock shows at a UTC second."""
        for bound, offset in self.utc_steps:
            if utc < bound:
                return utc + offset
        return utc + self.last_offset


def seconds(at: datetime) -> int:
    """Whole seconds since 1970, UTC, rounded down."""
    return (at - _EPOCH) // timedelta(seconds=1)


def instant(utc: int) -> datetime:
    """The aware instant, UTC, clipped to what a datetime can hold."""
    return _EPOCH + timedelta(seconds=max(_FIRST, min(_LAST, utc)))


def zone(timezone: str) -> ZoneInfo:
    """The zone of that name.

    Raises
    ------
    Refusal
        There is none.
    """
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refusal(
            "the time zone is not known",
            where=f"timezone: {timezone}",
            nearest=did_you_mean(timezone, sorted(available_timezones())),
            next_step="use an IANA name, for example America/New_York or UTC",
        ) from None


def clock(timezone: str, low: int, high: int) -> Clock:
    """The clock of `timezone` between two UTC seconds, with two days' margin."""
    zone = ZoneInfo(timezone)

    def offset(utc: int) -> int:
        shift = instant(utc).astimezone(zone).utcoffset()
        return 0 if shift is None else round(shift.total_seconds())

    low, high = max(_FIRST, low - 2 * 86400), min(_LAST, high + 2 * 86400)
    changes = []
    left, before = low, offset(low)
    while left < high:
        right = min(left + _STEP, high)
        after = offset(right)
        if after != before:
            a, b = left, right
            while b - a > 1:
                middle = (a + b) // 2
                a, b = (middle, b) if offset(middle) == before else (a, middle)
            changes.append(ClockChange(at=b, before=before, after=after))
        left, before = right, after
    return Clock(timezone=timezone, offset=offset(low), changes=tuple(changes))
