"""Where a count series steps away from its forecast, and how sure the place is."""

from __future__ import annotations

import numpy as np


def step_start(counts: np.ndarray, *, expected: np.ndarray, sign: int) -> np.ndarray:
    """The split of each series at which two Poisson ratios fit best.

    Parameters
    ----------
    counts, expected
        Shape (n_series, n_buckets); buckets that are not usable are 0 in both.
    sign
        +1 where the ratio of actual to expected rises at the step, −1 where it falls.

    Returns
    -------
    np.ndarray
        Shape (n_series,): index of the first bucket after the step, 1 … n_buckets − 1;
        0 where no split moves in the direction of `sign`.
    """
    y, m = np.cumsum(counts, axis=1), np.cumsum(expected, axis=1)
    y0, m0 = y[:, :-1], m[:, :-1]
    y1, m1 = y[:, -1:] - y0, m[:, -1:] - m0
    with np.errstate(divide="ignore", invalid="ignore"):
        r0, r1 = y0 / m0, y1 / m1
        gain = np.where(y0 > 0, y0 * np.log(r0), 0.0) + np.where(y1 > 0, y1 * np.log(r1), 0.0)
        moved = (m0 > 0) & (m1 > 0) & (sign * (r1 - r0) > 0)
    gain = np.where(moved, gain, -np.inf)
    return np.where(moved.any(axis=1), np.argmax(gain, axis=1) + 1, 0)


def step_end(counts: np.ndarray, *, expected: np.ndarray, outside: float) -> int:
    """Where the deviation that starts at bucket 0 ends.

    Parameters
    ----------
    counts, expected
        Shape (n_buckets,), from the onset on.
    outside
        Ratio of actual to expected before and after the deviation.

    Returns
    -------
    int
        Number of buckets in the deviation; n_buckets where it is still open at the end.
    """
    y, m = np.cumsum(counts), np.cumsum(expected)
    outside = max(outside, 1e-12)
    rest_y, rest_m = y[-1] - y, m[-1] - m
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(y > 0, y * np.log(y / m), 0.0) - y
    gain = inside + rest_y * np.log(outside) - outside * rest_m
    return int(np.argmax(np.where(m > 0, gain, -np.inf))) + 1


def basic_interval(at: int, *, replayed: np.ndarray, level: float) -> tuple[int, int]:
    """Basic bootstrap interval of a change point from its replayed positions.

    `replayed` are the positions found in series whose step was put at `at`. Quantiles are
    order statistics, rounded outward.
    """
    shift = np.sort(replayed - at)
    n = len(shift)
    tail = max(0, int(np.floor((1 - level) / 2 * (n + 1))) - 1)
    return int(at - shift[n - 1 - tail]), int(at - shift[tail])
