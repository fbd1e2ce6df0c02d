"""Where a count series steps away from its forecast, and how sure the place is."""

from __future__ import annotations

import numpy as np


def step_gain(
    counts: np.ndarray, *, expected: np.ndarray, sign: int, shortest: int = 1
) -> np.ndarray:
    """Profile log-likelihood of a step at each split: two Poisson ratios, before and after.

    Parameters
    ----------
    counts, expected
        Shape (n_series, n_buckets); buckets that are not usable are 0 in both.
    sign
        +1 where the ratio of actual to expected rises at the step, −1 where it falls.
    shortest
        Buckets that lie after the step at least: a last odd bucket is no step.

    Returns
    -------
    np.ndarray
        Shape (n_series, n_buckets): column k is a step whose first bucket is k; −inf where
        the ratio does not move in the direction of `sign`, and in column 0.
    """
    y, m = np.cumsum(counts, axis=1), np.cumsum(expected, axis=1)
    y0, m0 = y[:, :-1], m[:, :-1]
    y1, m1 = y[:, -1:] - y0, m[:, -1:] - m0
    with np.errstate(divide="ignore", invalid="ignore"):
        r0, r1 = y0 / m0, y1 / m1
        gain = np.where(y0 > 0, y0 * np.log(r0), 0.0) + np.where(y1 > 0, y1 * np.log(r1), 0.0)
        moved = (m0 > 0) & (m1 > 0) & (sign * (r1 - r0) > 0)
    if shortest > 1:
        moved[:, -(shortest - 1) :] = False
    out = np.full(counts.shape, -np.inf)
    out[:, 1:] = np.where(moved, gain, -np.inf)
    return out


def step_interval(
    gain: np.ndarray, *, replayed: np.ndarray, at: int, level: float
) -> tuple[int, int]:
    """First and last split that the data do not rule out.

    A split is kept where its log-likelihood falls short of the best by no more than the
    true split does in `level` of the replays: a likelihood-ratio interval whose threshold
    comes from series with the data's own dependence.

    Parameters
    ----------
    gain
        Shape (n_buckets,), from `step_gain`.
    replayed
        Shape (n_replays, n_buckets): gains of series with a step at `at`.
    """
    finite = np.isfinite(replayed).any(axis=1)
    short = replayed[finite].max(axis=1) - replayed[finite, at]
    threshold = np.quantile(short, level, method="higher")
    kept = np.flatnonzero(gain >= gain.max() - threshold - 1e-9)
    return int(kept[0]), int(kept[-1])


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
