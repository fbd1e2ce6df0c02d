"""Sums of every combination of attributes' values, on each half of the accounts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trustlib.harm.sample import FloatArray, IntArray
from trustlib.harm.segment_cells import MOST_ACTORS, SegmentCells
from trustlib.harm.segment_tests import Compared, Side, raised


@dataclass(frozen=True, kw_only=True, eq=False)
class Combinations:
    """Values of attributes and their sums in each half.

    `codes` (G, K), −1 where an attribute is left open; `accounts` (G,); `inside`, `whole` by half.
    """

    codes: IntArray
    accounts: IntArray
    inside: tuple[Side, Side]
    whole: tuple[Side, Side]

    def compared(self, half: int, level: float) -> Compared:
        """Each combination against everybody else."""
        inside = self.inside[half]
        return raised(inside, inside.beside(self.whole[half]), level=level)

    def take(self, at: np.ndarray) -> Combinations:
        """Those at these positions."""
        return Combinations(
            codes=self.codes[at],
            accounts=self.accounts[at],
            inside=(self.inside[0].take(at), self.inside[1].take(at)),
            whole=self.whole,
        )


def attribute_combinations(cells: SegmentCells, attributes: int, support: int) -> Combinations:
    """All combinations with enough accounts and somebody outside them, in a fixed order."""
    parts = [
        _sums(cells, columns, support)
        for size in range(1, attributes + 1)
        for columns in combinations(range(cells.codes.shape[1]), size)
    ]
    everything = _side_by_half(cells, np.zeros(len(cells.half), dtype=np.int64), 1)
    return Combinations(
        codes=np.concatenate([part[0] for part in parts]),
        accounts=np.concatenate([part[1] for part in parts]),
        inside=(_joined([part[2][0] for part in parts]), _joined([part[2][1] for part in parts])),
        whole=everything,
    )


def _joined(sides: list[Side]) -> Side:
    return Side(
        size=np.concatenate([one.size for one in sides], axis=-1),
        harm=np.concatenate([one.harm for one in sides], axis=-1),
        variance=np.concatenate([one.variance for one in sides], axis=-1),
    )


def _sums(
    cells: SegmentCells, columns: tuple[int, ...], support: int
) -> tuple[IntArray, IntArray, tuple[Side, Side]]:
    """Codes, accounts and sums of the combinations of these attributes."""
    chosen = cells.codes[:, list(columns)]
    known: np.ndarray = np.asarray((chosen >= 0).all(axis=1))
    widths = [len(names) for names in cells.names.values()]
    shape = tuple(widths[k] for k in columns)
    numbers, key = np.unique(
        np.ravel_multi_index(tuple(chosen[known].T), shape), return_inverse=True
    )
    values = np.column_stack(np.unravel_index(numbers, shape))
    place = np.full(len(known), -1)
    place[known] = key
    sides = _side_by_half(cells, place, len(values))
    if cells.actor is None:
        accounts = np.bincount(place[known], cells.actors[known], minlength=len(values))  # type: ignore[index]
    else:
        groups = np.unique(place[known] * MOST_ACTORS + cells.actor[known]) // MOST_ACTORS
        accounts = np.bincount(groups, minlength=len(values))
    kept = np.flatnonzero(accounts >= support)
    codes = np.full((len(values), cells.codes.shape[1]), -1, dtype=np.int64)
    codes[:, columns] = values
    return (
        codes[kept],
        np.asarray(accounts[kept], dtype=np.int64),
        (sides[0].take(kept), sides[1].take(kept)),
    )


def _side_by_half(cells: SegmentCells, place: IntArray, groups: int) -> tuple[Side, Side]:
    """Sums by group (rows with place −1 are in none), for each half."""
    return side(cells, place, groups, half=0), side(cells, place, groups, half=1)


def side(cells: SegmentCells, place: IntArray, groups: int, *, half: int) -> Side:
    """Sums of `groups` groups on one half; `place` (N,) of each row, −1 in none."""
    inside = (place >= 0) & (cells.half == half)
    if cells.period is None:
        size, harm, variance = _sum(cells, place, groups, inside)
        return Side(size=size, harm=harm, variance=variance)
    both = [_sum(cells, place, groups, inside & (cells.period == at)) for at in (0, 1)]
    size, harm, variance = (np.stack(pair) for pair in zip(*both, strict=True))
    return Side(size=size, harm=harm, variance=variance)


def _sum(
    cells: SegmentCells, place: IntArray, groups: int, rows: np.ndarray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    size = np.bincount(place[rows], cells.size[rows], minlength=groups)
    harm = np.bincount(place[rows], cells.harm[rows], minlength=groups)
    if cells.actor is None:
        spread = np.bincount(place[rows], cells.variance[rows], minlength=groups)  # type: ignore[index]
        return _floats(size), _floats(harm), _floats(spread)
    some = rows & (cells.harm > 0)
    # One number for a group and an account: far quicker to sort than pairs.
    pairs, pair = np.unique(place[some] * MOST_ACTORS + cells.actor[some], return_inverse=True)
    of_pair = np.bincount(pair, cells.harm[some], minlength=len(pairs))
    spread = np.bincount(pairs // MOST_ACTORS, of_pair**2, minlength=groups)
    return _floats(size), _floats(harm), _floats(spread)


def _floats(values: np.ndarray) -> FloatArray:
    return np.asarray(values, dtype=np.float64)
