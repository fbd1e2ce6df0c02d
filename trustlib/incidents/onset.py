"""When it began, from the data: the change point beside the stated start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized
from trustlib.stats.change_point import basic_interval, step_end, step_start

_FEWEST_REPLAYS = 12


@dataclass(frozen=True, kw_only=True)
class Onset:
    """Bucket positions in the grid; None where not estimable, and then `note` says why."""

    start: int | None
    low: int | None
    high: int | None
    recovered: int | None
    note: str
    replays: int


def onset(grid: Grid, result: Sized, *, level: float) -> Onset:
    """Estimate when the deviation began and when it was over.

    The onset is the step that fits the ratio of actual to expected best, between one
    window length (a day to a week) before the stated start and the stated end. Its
    interval comes from replaying the same step over quiet stretches of the history, whose
    hours keep their own dependence, and seeing where it is found.
    """
    if not result.significant:
        return _none("not estimable: no deviation is shown, so it has no beginning")
    first = int(np.argmax(grid.in_window))
    stop = first + grid.n_window
    begin = max(0, first - _lead(grid))
    made = result.made
    usable = np.isfinite(grid.count) & ~grid.excluded & np.isfinite(made.expected)
    y = np.where(usable, grid.count, 0.0)
    m = np.where(usable, made.expected, 0.0)
    sign = 1 if result.excess > 0 else -1
    found = int(step_start(y[None, begin:stop], expected=m[None, begin:stop], sign=sign)[0])
    if found == 0:
        return _none("not estimable: no step in the direction of the excess")
    start = begin + found
    before = y[begin:start].sum() / max(m[begin:start].sum(), 1e-12)
    length = step_end(y[start:], expected=m[start:], outside=before)
    recovered = start + length if start + length < len(y) else None
    ratio = (y[start:stop].sum() / max(m[start:stop].sum(), 1e-12)) / max(before, 1e-12)
    replayed = _replay(grid, result, found=found, width=stop - begin, ratio=ratio, sign=sign)
    if len(replayed) < _FEWEST_REPLAYS:
        return Onset(
            start=start,
            low=None,
            high=None,
            recovered=recovered,
            note=f"interval not estimable: {len(replayed)} quiet stretches to replay it on",
            replays=len(replayed),
        )
    low, high = basic_interval(found, replayed=replayed, level=level)
    return Onset(
        start=start,
        low=max(begin, begin + low - 1),
        high=min(stop, begin + high + 1),
        recovered=recovered,
        note=f"step found again on {len(replayed)} quiet stretches of the history",
        replays=len(replayed),
    )


def onset_frame(grid: Grid, found: Onset, *, stated_at: pd.Timestamp) -> pd.DataFrame:
    """One row: stated_at, estimated_at, low_at, high_at, recovered_at, note."""

    def at(position: int | None) -> pd.Timestamp | None:
        if position is None:
            return None
        if position < len(grid.start_at):
            return grid.start_at[position]
        return grid.start_at[-1] + (grid.start_at[-1] - grid.start_at[-2])

    instants = {
        "stated_at": stated_at,
        "estimated_at": at(found.start),
        "low_at": at(found.low),
        "high_at": at(found.high),
        "recovered_at": at(found.recovered),
    }
    frame = pd.DataFrame(
        {
            name: pd.to_datetime(pd.Series([value]), utc=True).dt.as_unit("us")
            for name, value in instants.items()
        }
    )
    return frame.assign(note=found.note)


def _lead(grid: Grid) -> int:
    """Buckets before the stated start that are searched."""
    day = max(7, grid.per_week // 7)
    return int(np.clip(grid.n_window, day, max(day, grid.per_week)))


def _replay(
    grid: Grid, result: Sized, *, found: int, width: int, ratio: float, sign: int
) -> np.ndarray:
    """Where the step is found when it is put into quiet history, shape (n_stretches,)."""
    made = result.made
    usable = made.fitted & np.isfinite(made.left_out)
    first = int(np.argmax(grid.in_window))
    day = 1 if grid.bucket == "1d" else grid.per_week // 7
    begins = np.arange(first - width, -1, -day)
    stretches = begins[:, None] + np.arange(width)
    keep = usable[stretches].mean(axis=1) >= 0.95 if len(begins) else np.zeros(0, dtype=bool)
    stretches = stretches[keep]
    if len(stretches) == 0:
        return np.zeros(0, dtype=int)
    counted = usable[stretches]
    effect = np.where(np.arange(width) >= found, ratio, 1.0)
    y = np.where(counted, grid.count[stretches], 0.0) * effect
    m = np.where(counted, made.left_out[stretches], 0.0)
    places = step_start(y, expected=m, sign=sign)
    return places[places > 0]


def _none(note: str) -> Onset:
    return Onset(start=None, low=None, high=None, recovered=None, note=note, replays=0)
