"""Accounts and the tokens they hold, projected to pairs of accounts.

A token is anything that two accounts can have in common: a device, a block of addresses, a
payment instrument, a domain, a text. Everything here is arrays; a pair is one int64 key,
lower code × number of accounts + higher code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

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


def without_repeats(
    actor: IntArray,
    token: IntArray,
    order: IntArray,
    *,
    kind: IntArray,
    random: np.random.Generator,
    rounds: int = 60,
) -> IntArray:
    """`order` with rows swapped, within their kind, until no actor holds a token twice.

    Tables hold every link once. A shuffle that gives an account the same token twice has one
    common token less than it should, and where accounts hold many tokens of few, shuffled worlds
    would tie fewer accounts than chance does: random swaps of the repeats keep both the accounts'
    and the tokens' numbers of links (the configuration model without repeated links). Where there
    is hardly room for that, what is left after `rounds` stays.

    Parameters
    ----------
    actor, token, kind
        (n,) of the links, sorted by kind.
    order
        (n,) the link whose account stands at each row.
    """
    order = order.copy()
    starts = np.searchsorted(kind, kind, side="left")
    width = np.searchsorted(kind, kind, side="right") - starts
    span = int(actor.max(initial=0)) + 1
    for _ in range(rounds):
        again = _repeated_rows(token * span + actor[order])
        if not len(again):
            break
        for row in again:
            other = int(starts[row] + random.integers(width[row]))
            order[row], order[other] = order[other], order[row]
    return order


def _repeated_rows(key: IntArray) -> IntArray:
    """Rows whose key stands in an earlier row."""
    by = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[by][1:] == key[by][:-1]) + 1
    return np.sort(by[same])


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


def closes_triangle(low: IntArray, high: IntArray, n: int) -> npt.NDArray[np.bool_]:
    """(n_pairs,) True where a third of the `n` accounts is tied to both of a pair (low < high)."""
    ones = np.ones(2 * len(low))
    ends = (np.concatenate([low, high]), np.concatenate([high, low]))
    graph = csr_array((ones, ends), shape=(n, n))
    through = (graph @ graph).multiply(graph).tocoo()
    keys = np.sort(through.row.astype(np.int64) * n + through.col)
    return position_in(keys, low * n + high) >= 0


def components(low: IntArray, high: IntArray, n: int) -> IntArray:
    """(n,) which connected group each account is in, −1 for those without a pair."""
    graph = csr_array((np.ones(len(low)), (low, high)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    alone = np.bincount(np.concatenate([low, high]), minlength=n) == 0
    return np.where(alone, -1, label).astype(np.int64)


def in_groups(
    worlds: list[tuple[IntArray, FloatArray]], *, n: int, threshold: float, rate: float
) -> npt.NDArray[np.bool_]:
    """Which pairs of the observed world are in groups that shuffles do not give.

    A false-discovery rate of pairs lets a large ring pay for many small chance triangles. So
    the groups that pairs beyond `threshold` form are compared too, by their evidence in sum,
    with those that the shuffles form at the same threshold, and their own false-discovery rate
    is held.

    Parameters
    ----------
    worlds
        Keys (sorted, of `n` accounts) and evidence of the pairs; world 0 is observed.

    Returns
    -------
    (n_pairs,) for all pairs of the observed world.
    """
    scores, places = [], []
    for key, weight in worlds:
        place = np.full(len(key), -1, dtype=np.int64)
        chosen = np.flatnonzero(weight >= threshold)
        low, high = key[chosen] // n, key[chosen] % n
        inside = closes_triangle(low, high, n)
        label = components(low[inside], high[inside], n)[low[inside]]
        groups, place[chosen[inside]] = np.unique(label, return_inverse=True)
        held = place >= 0
        scores.append(np.bincount(place[held], weights=weight[held], minlength=len(groups)))
        places.append(place)
    surviving = false_discovery([np.round(score, 6) for score in scores])[0] <= rate
    return (places[0] >= 0) & np.append(surviving, False)[places[0]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Survival:
    """Which observed pairs hold against shuffled worlds.

    Attributes
    ----------
    chosen
        (n_pairs,) those that hold.
    q_value
        (n_pairs,) of the pairs, before groups were looked at.
    threshold
        Evidence from which pairs are kept; None where none are.
    p_value
        Of the finding as a whole.
    shuffled
        Pairs that the same rule keeps in an average shuffle.
    set_aside
        Pairs beyond the threshold that are in no group beyond chance.
    """

    chosen: npt.NDArray[np.bool_]
    q_value: FloatArray
    threshold: float | None
    p_value: float
    shuffled: float
    set_aside: int


def survivors(worlds: list[tuple[IntArray, FloatArray]], *, n: int, rate: float) -> Survival:
    """The observed pairs that shuffles of the same world do not give.

    Three times: a pair's evidence is beyond the false-discovery rate of pairs
    (`false_discovery`); the number of pairs that are is beyond the same number in the shuffles,
    which holds the chance of any finding in a world without ties, however pairs depend on each
    other; the group that a pair is in is beyond the groups of the shuffles (`in_groups`).

    Parameters
    ----------
    worlds
        Keys (sorted, of `n` accounts) and evidence of the pairs; world 0 is observed, the
        others are shuffles of it.
    """
    values = false_discovery([weight for _, weight in worlds])
    kept = np.array([(value <= rate).sum() for value in values])
    # The share of worlds that keep at least as many pairs, the observed one counted.
    p_value = float(np.mean(kept >= kept[0]))
    beyond = (values[0] <= rate) & (p_value <= rate)
    chosen, threshold = beyond, None
    if beyond.any():
        threshold = float(worlds[0][1][beyond].min())
        chosen = in_groups(worlds, n=n, threshold=threshold, rate=rate)
    return Survival(
        chosen=chosen,
        q_value=values[0],
        threshold=threshold,
        p_value=p_value,
        shuffled=float(kept[1:].mean()),
        set_aside=int(beyond.sum() - chosen.sum()),
    )
