"""The regular grid of buckets that counts are laid on.

Half hours and hours stand on UTC's, whatever the zone: in a zone that is 30 or 45 minutes
off, an hour on the clock's face is not an hour of the grid. Ready counts that stand elsewhere
(hourly counts of India begin at half past, UTC) carry the grid with them. Days are those of
the zone's calendar: 23 or 25 hours long where the clock changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trustlib.data.clock import Clock

BUCKETS = {"30min": 1800, "1h": 3600, "1d": 86400}
MAX_BUCKETS = 400_000  # 22 years of half hours: more is a wrong date, not a history


@dataclass(frozen=True)
class Grid:
    """Buckets ``[edges[i], edges[i + 1])`` in UTC seconds.

    Attributes
    ----------
    edges
        (n + 1,) int64, ascending.
    keys
        (n,) int64: what the engine computes for a row of bucket i, see `origin`.
    width
        Bucket length in seconds; for days nominal, an edge pair has the true 23 to 25 hours.
    origin
        Second from which keys count: UTC for "30min" and "1h", label seconds for "1d".
    daily
        True for local calendar days.
    """

    edges: NDArray[np.int64]
    keys: NDArray[np.int64]
    width: int
    origin: int
    daily: bool

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def low(self) -> int:
        return int(self.edges[0])

    @property
    def high(self) -> int:
        return int(self.edges[-1])


def floor(utc: int, bucket: str, clock: Clock, *, phase: int = 0) -> int:
    """Start of the bucket that holds a UTC second; `phase` shifts the UTC grid, in seconds."""
    if bucket == "1d":
        return clock.utc(clock.label(utc) // 86400 * 86400)
    width = BUCKETS[bucket]
    return (utc - phase) // width * width + phase


def ceiling(utc: int, bucket: str, clock: Clock, *, phase: int = 0) -> int:
    """The first bucket edge at or after a UTC second."""
    start = floor(utc, bucket, clock, phase=phase)
    if start == utc:
        return utc
    if bucket == "1d":
        # 30 hours on lies in the next day, whatever the clock does, or at worst past a
        # date that the zone skipped.
        day = clock.label(start) // 86400
        edge = start
        while edge <= start:
            day += 1
            edge = clock.utc(day * 86400)
        return edge
    return start + BUCKETS[bucket]


def grid(low: int, high: int, bucket: str, clock: Clock) -> Grid:
    """All buckets of ``[low, high)``; both must be bucket edges."""
    width = BUCKETS[bucket]
    if bucket != "1d":
        edges = np.arange(low, high + 1, width, dtype=np.int64)
        keys = np.arange(len(edges) - 1, dtype=np.int64)
        return Grid(edges=edges, keys=keys, width=width, origin=low, daily=False)
    first, last = clock.label(low) // 86400, clock.label(high) // 86400
    starts = np.array([clock.utc(d * 86400) for d in range(first, last)] + [high], dtype=np.int64)
    # A date that the zone skipped (Samoa, 30 Dec 2011) has no length and no bucket.
    real = np.append(np.diff(starts) > 0, True)
    keys = np.arange(last - first, dtype=np.int64)[real[:-1]]
    return Grid(edges=starts[real], keys=keys, width=width, origin=int(first) * 86400, daily=True)
