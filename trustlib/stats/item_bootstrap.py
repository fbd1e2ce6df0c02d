"""Bootstrap of statistics that are functions of sums over items.

Items that look alike are interchangeable, so a resample of n items is one multinomial draw over
the distinct rows: the same law as drawing items one by one, at the cost of the distinct rows
alone (Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 6).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_CELLS = 4_000_000  # of a block of multinomial counts: 32 MB


def resampled_sums(
    features: FloatArray,
    *,
    weight: FloatArray,
    stratum: IntArray,
    draws: int,
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    """Weighted sums of `features` over all items, and over resamples of the items.

    Items are drawn with replacement within their stratum, each with its weight. A stratum with
    one item adds no spread. The order of the items does not matter.

    Parameters
    ----------
    features
        (n, F).
    weight
        (n,) above 0.
    stratum
        (n,) codes.

    Returns
    -------
    tuple
        (F,) sums and (draws, F) resampled sums.
    """
    table = np.column_stack([stratum.astype(np.float64), weight, features])
    rows, often = np.unique(table, axis=0, return_counts=True)
    code, values = rows[:, 0], rows[:, 2:] * rows[:, 1:2]
    random = np.random.default_rng(seed)
    block = max(1, _CELLS // len(rows))
    sizes = [min(block, draws - start) for start in range(0, draws, block)]
    drawn = [np.hstack(list(_counts(code, often, size, random))) @ values for size in sizes]
    return often @ values, np.vstack(drawn)


def _counts(
    code: FloatArray, often: IntArray, size: int, random: np.random.Generator
) -> Iterator[IntArray]:
    """(size, rows of the stratum) multinomial counts, stratum by stratum; `code` is sorted."""
    for start, stop in _runs(code):
        inside = often[start:stop]
        yield random.multinomial(inside.sum(), inside / inside.sum(), size=size)


def _runs(code: FloatArray) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(code)) + 1
    yield from zip([0, *edges.tolist()], [*edges.tolist(), len(code)], strict=True)
