"""Accounts and the tokens they hold, projected to pairs of accounts.

A token is anything that two accounts can have in common: a device, a block of addresses, a
payment instrument, a domain, a text. Everything here is arrays; a pair is one int64 key,
lower code × number of accounts + higher code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from trustlib.core import NoData, Refusal

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Array = npt.NDArray[Any]

# Rows of two accounts and a token that are held at once: about 1 GB at the peak.
MOST_ROWS = 20_000_000


def columns(frame: pd.DataFrame, names: tuple[str, ...], *, what: str) -> None:
    """Refuse a frame that lacks a column or a row.

    Raises
    ------
    Refusal
        If a column is missing.
    NoData
        If there are no rows.
    """
    missing = [name for name in names if name not in frame]
    if missing:
        raise Refusal(
            f"{what} have no column {', '.join(missing)}",
            next_step=f"give the columns {', '.join(names)}",
        )
    if frame.empty:
        raise NoData(f"there are no {what}", next_step="check the source and the window")


def whole(frame: pd.DataFrame, name: str, *, what: str) -> IntArray:
    """A column of codes or counts.

    Raises
    ------
    Refusal
        If a value is missing, negative or not a whole number; rows by number only.
    """
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~(np.isfinite(values) & (values >= 0) & (values == np.floor(values)))
    if wrong.any():
        raise Refusal(
            f"{what}: {name} is not a whole number from 0 in {int(wrong.sum()):,} rows",
            where=f"the first is row {int(np.argmax(wrong)) + 1:,}",
            next_step="code accounts and tokens as whole numbers from 0; leave unknown ones out",
        )
    return values.astype(np.int64)


def sizes(group: Array) -> IntArray:
    """(n,) how many rows the group of each row has; groups are codes from 0."""
    return np.bincount(group)[group].astype(np.int64) if len(group) else group


def group_ends(group: IntArray) -> IntArray:
    """(n,) the row after the last of each row's group; `group` is sorted."""
    return np.searchsorted(group, group, side="right").astype(np.int64)


def followers(ends: IntArray) -> tuple[IntArray, IntArray]:
    """Every (i, j) with i < j < ends[i], as two arrays of positions."""
    start = np.arange(len(ends), dtype=np.int64)
    count = np.maximum(ends - start - 1, 0)
    first = np.repeat(start, count)
    nth = np.arange(count.sum(), dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
    return first, first + 1 + nth


def shuffled_within(group: Array, random: np.random.Generator) -> IntArray:
    """(n,) an order of the rows in which those of each group are shuffled among themselves.

    `group` is sorted, in codes from 0.
    """
    # One sort serves all groups; the fraction keeps 2⁻²⁹ even behind ten million groups.
    return np.argsort(group + random.random(len(group))).astype(np.int64)


def pair_keys(one: IntArray, other: IntArray, n: int) -> IntArray:
    """One key for each pair of codes below `n`, in whichever order they come."""
    return np.minimum(one, other) * n + np.maximum(one, other)


def repeated(keys: IntArray, *, least: int) -> IntArray:
    """Sorted distinct keys that occur at least `least` times."""
    if not len(keys):
        return keys
    ordered = np.sort(keys)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[starts[np.diff(np.append(starts, len(ordered))) >= least]]


def position_in(keys: IntArray, values: IntArray) -> IntArray:
    """(n,) where each value stands in sorted `keys`; −1 where it does not."""
    if not len(keys):
        return np.full(len(values), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
    return np.where(keys[at] == values, at, -1).astype(np.int64)


def affordable(size: Array, rows: Array, *, cap: int) -> int:
    """The largest cap on a token's accounts, at most `cap`, that keeps within MOST_ROWS.

    Parameters
    ----------
    size, rows
        (n_tokens,) accounts of each token, and rows of pairs that it makes.
    """
    order = np.argsort(size, kind="stable")
    total = np.cumsum(rows[order])
    beyond = (size[order] <= cap) & (total > MOST_ROWS)
    if not beyond.any():
        return cap
    return int(size[order][np.argmax(beyond)]) - 1


def evidence(key: Array, weight: Array, *, n: int) -> FloatArray:
    """(n_pairs,) the weight of each pair, and what the accounts tied to both of it add.

    For accounts a, b and each c with a tie to both: √(w_ac w_bc). Rings close triangles, chance
    hardly ever does.

    Parameters
    ----------
    key, weight
        (n_pairs,) sorted keys of `n` accounts, and weights of 0 or more.
    """
    total = np.array(weight, dtype=np.float64)
    if not len(key):
        return total
    low, high = key // n, key % n
    root = np.sqrt(np.concatenate([total, total]))
    ends = (np.concatenate([low, high]), np.concatenate([high, low]))
    tied = csr_array((root, ends), shape=(n, n))
    pattern = csr_array((np.ones(len(key)), (low, high)), shape=(n, n))
    through = (tied @ tied).multiply(pattern).tocsr()
    rows = np.repeat(np.arange(n, dtype=np.int64), np.diff(through.indptr))
    total[position_in(key, rows * n + through.indices)] += through.data
    # The order of sums must not decide between two pairs that are alike.
    return np.asarray(np.round(total, 9), dtype=np.float64)


def false_discovery(worlds: list[FloatArray]) -> list[FloatArray]:
    """q-values of the pairs of each world; world 0 is observed, the others are shuffles of it.

    Benjamini and Hochberg's (1995) step on p-values that are read off the other worlds: the
    pairs beyond a threshold in an average one of them (one pair more than was seen, as in any
    permutation test), over the world's own. All worlds are treated alike, so that what each
    keeps can be compared.

    Parameters
    ----------
    worlds
        One array of the pairs' evidence for each world.
    """
    pool = np.sort(np.concatenate(worlds))
    values = []
    for weights in worlds:
        order = np.argsort(weights, kind="stable")
        own = weights[order]
        above = len(own) - np.searchsorted(own, own, side="left")
        others = len(pool) - np.searchsorted(pool, own, side="left") - above
        average = (others + 1) / len(worlds)
        q = np.empty(len(own))
        q[order] = np.minimum.accumulate(np.minimum(average / above, 1.0))
        values.append(q)
    return values


def shuffle_p_value(kept: list[int]) -> float:
    """The share of worlds that keep at least as many pairs as the first, itself counted."""
    return float(np.mean(np.array(kept) >= kept[0]))
