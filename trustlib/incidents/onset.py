"""When it began, from the data: the change point beside the stated start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized
from trustlib.stats.change_point import step_end, step_gain, step_interval
from trustlib.stats.window_error import t_quantile

_FEWEST_STRETCHES = 12
# Of the effect's own chance, on every quiet stretch.
_DRAWS = 4


@dataclass(frozen=True, kw_only=True)
class Onset:
    """Bucket positions in the grid; None where not estimable, and then `note` says why."""

    start: int | None
    low: int | None
    high: int | None
    recovered: int | None
    note: str
    replays: int


def onset(grid: Grid, result: Sized, *, level: float, seed: int) -> Onset:
    """Estimate when the deviation began and when it was over.

    The onset is the step that fits the ratio of actual to expected best, between one
    window length (a day to a week) before the stated start and the stated end. Its
    interval comes from replaying the same step over quiet stretches of the history, whose
    hours keep their own dependence, and seeing where it is found.
    """
    if result.error is None:
        return no_onset("not estimable: too little history to tell a start from chance")
    if not result.significant:
        return no_onset("not estimable: no deviation is shown, so it has no beginning")
    first = int(np.argmax(grid.in_window))
    stop = first + grid.n_window
    begin = max(0, first - _lead(grid))
    made, alpha = result.made, _alpha(grid, result)
    usable = np.isfinite(grid.count) & ~grid.excluded & np.isfinite(made.expected)
    weight = np.where(usable, 1 / (1 + alpha * made.expected), 0.0)
    y, m = weight * np.nan_to_num(grid.count), weight * np.nan_to_num(made.expected)
    sign = 1 if result.excess > 0 else -1
    shortest = max(1, grid.n_window // 10)
    gain = step_gain(
        y[None, begin:stop], expected=m[None, begin:stop], sign=sign, shortest=shortest
    )[0]
    if not np.isfinite(gain).any():
        return no_onset("not estimable: no step in the direction of the excess")
    found = int(np.argmax(gain))
    start = begin + found
    before = y[begin:start].sum() / max(m[begin:start].sum(), 1e-12)
    length = step_end(y[start:], expected=m[start:], outside=before)
    recovered = start + length if start + length < len(y) else None
    # The step that fits best looks larger than it is; the whole window's ratio does not.
    ratio = result.actual / max(result.expected, 1e-12)
    step = _Step(found=found, width=stop - begin, ratio=float(ratio), sign=sign, alpha=alpha)
    replayed = _replay(grid, result, step, shortest=shortest, seed=seed)
    stretches = len(replayed) // _DRAWS
    low = high = None
    note = f"interval not estimable: {stretches} quiet stretches to replay it on"
    if stretches >= _FEWEST_STRETCHES:
        low, high = step_interval(gain, replayed=replayed, at=found, level=level)
        # A slow beginning is no step: buckets that are already odd belong to it. And the
        # true instant may lie anywhere in its bucket.
        odd = _first_odd(grid, result, start, sign=sign, alpha=alpha, level=level)
        low, high = max(begin, min(begin + low, odd) - 1), min(stop, begin + high + 1)
        note = f"interval from {len(replayed)} replays of the step on quiet history"
    return Onset(
        start=start, low=low, high=high, recovered=recovered, note=note, replays=len(replayed)
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


def _first_odd(
    grid: Grid, result: Sized, start: int, *, sign: int, alpha: float, level: float
) -> int:
    """First of the buckets that lead up to `start` without a break, each beyond its interval."""
    mean = result.made.expected
    z = t_quantile(0.5 + level / 2, np.inf)
    beyond = sign * (grid.count - mean) > z * np.sqrt(mean + alpha * mean**2)
    while start > 0 and beyond[start - 1]:
        start -= 1
    return start


def _alpha(grid: Grid, result: Sized) -> float:
    """How much a bucket's variance exceeds its mean, relative to the mean's square."""
    at = result.made.fitted & np.isfinite(result.made.left_out)
    y, mu = grid.count[at], result.made.left_out[at]
    size = float(np.sum(mu**2))
    return max(0.0, float(np.sum((y - mu) ** 2 - mu)) / size) if size > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class _Step:
    """The step that is replayed: after `found` of `width` buckets, times `ratio`."""

    found: int
    width: int
    ratio: float
    sign: int
    alpha: float


def _replay(grid: Grid, result: Sized, step: _Step, *, shortest: int, seed: int) -> np.ndarray:
    """Gains of the step put into quiet history, shape (n_replays, step.width)."""
    made = result.made
    usable = made.fitted & np.isfinite(made.left_out)
    first = int(np.argmax(grid.in_window))
    day = 1 if grid.bucket == "1d" else grid.per_week // 7
    begins = np.arange(first - step.width, -1, -day)
    stretches = begins[:, None] + np.arange(step.width)
    keep = usable[stretches].mean(axis=1) >= 0.95 if len(begins) else np.zeros(0, dtype=bool)
    stretches = np.repeat(stretches[keep], _DRAWS, axis=0)
    if len(stretches) == 0:
        return np.zeros((0, step.width))
    counted = usable[stretches]
    expected = np.where(counted, made.left_out[stretches], 0.0)
    quiet = np.where(counted, grid.count[stretches], 0.0)
    after = np.arange(step.width) >= step.found
    y = np.where(after, _moved(quiet, expected, step.ratio, step.alpha, seed=seed), quiet)
    weight = np.where(counted, 1 / (1 + step.alpha * expected), 0.0)
    return step_gain(weight * y, expected=weight * expected, sign=step.sign, shortest=shortest)


def _moved(
    quiet: np.ndarray, expected: np.ndarray, ratio: float, alpha: float, *, seed: int
) -> np.ndarray:
    """Quiet counts with an effect of `ratio` put in: thinned below one, added to above.

    What is added follows each bucket's own level, as far as its count tells it (the
    posterior mean of a gamma-mixed Poisson).
    """
    rng = np.random.default_rng(seed)
    if ratio < 1:
        return rng.binomial(np.rint(quiet).astype(int), max(ratio, 0.0)).astype(float)
    own = expected * (1 + alpha * quiet) / (1 + alpha * expected)
    return quiet + rng.poisson((ratio - 1) * own)


def no_onset(note: str) -> Onset:
    """Nothing to date, and why."""
    return Onset(start=None, low=None, high=None, recovered=None, note=note, replays=0)
