"""Exact inference by re-assignment: every way the same treatments could have been handed out.

Under the sharp null of no effect at all, the statistic of each re-assignment is known, so the
share of assignments with a statistic at least as far from zero as the observed one is a
p-value that holds at any sample size (Fisher). Under a constant effect τ the adjusted outcome
Y − τD is known, and a statistic that is linear in the outcome becomes T_j − τ K_j, with T_j and
K_j the statistics of the outcome and of the observed treatment. With u = τ − T_0 and
a_j = T_j − T_0 K_j, assignment j is at least as far out as the observed one where

    |a_j − u K_j| ≥ |u|,   that is for u between a_j / (K_j − 1) and a_j / (K_j + 1),

which holds zero: so the values of τ that are not rejected form an interval around T_0, and its
ends are order statistics of those ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_TIE = 1e-9  # statistics that differ by less, relative to the largest, are the same


@dataclass(frozen=True, kw_only=True)
class Inversion:
    """The test of the sharp null and the constant effects that it does not reject.

    Attributes
    ----------
    p_value
        Two-sided, the observed assignment counted.
    low, high
        Of the constant effects that are not rejected at the level; infinite where no effect,
        however large, could be.
    smallest_p_value
        Below which no data could bring it: assignments that always tie with the observed one.
    """

    p_value: float
    low: float
    high: float
    smallest_p_value: float


def n_assignments(counts: IntArray | list[int]) -> int:
    """How many distinct ways there are to hand out labels that occur `counts` times."""
    total, ways = 0, 1
    for count in counts:
        total += int(count)
        ways *= math.comb(total, int(count))
    return ways


def all_assignments(labels: IntArray) -> IntArray:
    """(n_assignments, n) every distinct arrangement of `labels`, in lexicographic order."""
    values, counts = np.unique(labels, return_counts=True)
    left = counts.tolist()
    n = len(labels)
    rows = np.empty((n_assignments(left), n), dtype=np.int64)
    current = np.sort(np.searchsorted(values, labels))
    for row in range(len(rows)):
        rows[row] = current
        _next(current)
    return values[rows]


def _next(current: IntArray) -> None:
    """The next arrangement in lexicographic order, in place; the last one stays."""
    rising = np.flatnonzero(current[:-1] < current[1:])
    if not len(rising):
        return
    at = int(rising[-1])
    other = at + 1 + int(np.flatnonzero(current[at + 1 :] > current[at])[-1])
    current[at], current[other] = current[other], current[at]
    current[at + 1 :] = current[at + 1 :][::-1].copy()


def drawn_assignments(labels: IntArray, *, draws: int, rng: np.random.Generator) -> IntArray:
    """(1 + draws, n) the observed arrangement first, then random ones."""
    rows = np.tile(labels, (1 + draws, 1))
    rows[1:] = rng.permuted(rows[1:], axis=1)
    return rows


def invert(
    observed: float, *, statistics: FloatArray, treatment: FloatArray, level: float
) -> Inversion:
    """Test and interval from the statistics of all assignments, the observed one among them.

    Parameters
    ----------
    observed
        T_0.
    statistics, treatment
        (n_assignments,) T_j and K_j; K of the observed assignment is 1 and none is beyond ±1.
    level
        Of the interval.
    """
    n = len(statistics)
    scale = float(np.max(np.abs(statistics)))
    beyond = np.abs(statistics) >= abs(observed) - _TIE * scale
    gap = statistics - observed * treatment
    gap[np.abs(gap) <= _TIE * scale] = 0.0
    one = _end(gap, treatment - 1.0, open_end=np.where(gap > 0, -np.inf, np.inf))
    other = _end(gap, treatment + 1.0, open_end=np.where(gap > 0, np.inf, -np.inf))
    # An assignment with the same split as the observed one ties whatever the effect.
    always = (gap == 0) & (np.abs(treatment) >= 1.0 - _TIE)
    low = np.where(always, -np.inf, np.minimum(one, other))
    high = np.where(always, np.inf, np.maximum(one, other))
    k = math.floor((1 - level) * n + 1e-9)
    return Inversion(
        p_value=float(np.mean(beyond)),
        low=observed + float(np.sort(low)[k]),
        high=observed + float(np.sort(high)[n - 1 - k]),
        smallest_p_value=float(np.mean(always)),
    )


def _end(gap: FloatArray, slope: FloatArray, *, open_end: FloatArray) -> FloatArray:
    """gap / slope, 0 for no gap; `open_end` where the slope vanishes."""
    flat = np.abs(slope) <= _TIE
    ends = np.where(flat, open_end, gap / np.where(flat, 1.0, slope))
    return np.where(gap == 0, 0.0, ends)
