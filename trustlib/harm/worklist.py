"""Drawing the items of a labelling round: a worklist with keyed ids and inclusion probabilities.

For a share of items, a stratum's sample is simple random: the items with the smallest random
numbers. For a share of views it goes by views (π = n·x/X, items that would exceed 1 taken for
certain) systematically through the items in random order, which keeps every π exact and never
takes an item twice (Madow 1949, Ann. Math. Stat. 20; Hartley and Rao 1962, ibid. 33).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Refusal
from trustlib.core.format import exact, plural
from trustlib.harm.keyed import item_ids, keyed_ids, keyed_numbers
from trustlib.harm.labelling_round import LabellingPlan
from trustlib.harm.sample import FloatArray, IntArray, Population

EXPORTED = ("item_key", "stratum", "inclusion_probability", "double_rated")


@dataclass(frozen=True, kw_only=True, eq=False)
class Worklist:
    """Drawn items, without their ids.

    Attributes
    ----------
    rows
        item_key, stratum (a name), code (of the stratum), inclusion_probability, double_rated,
        double_probability (to be drawn and rated twice; 0 where no item of the stratum is),
        views, score (NaN where there is none), actor (a code, −1 unknown). In the order of the
        keys, which is random.
    population
        Totals of what they were drawn from.
    plan
        What they were drawn for.
    """

    rows: pd.DataFrame
    population: Population
    plan: LabellingPlan

    @property
    def exported(self) -> pd.DataFrame:
        """What leaves the project: item_key, stratum, inclusion_probability, double_rated.

        The stratum says how an item was scored: who rates it should not see that column.
        """
        return self.rows[list(EXPORTED)].copy()


def draw(items: pd.DataFrame, plan: LabellingPlan, *, key: bytes, seed: int = 0) -> Worklist:
    """The items of `plan`, drawn from one row per item of the population.

    The same key and seed draw the same items, in whatever order the rows are; another seed
    draws anew. An item's random number does not depend on the other items.

    Parameters
    ----------
    items
        Columns item_id (text or whole numbers) and stratum (codes into the plan's strata);
        optional: views, score, account_id.
    key
        16 bytes or more, kept by the caller: with it an item_key is found again from an id
        (`trustlib.harm.keyed.keyed_ids`), without it nobody can.

    Raises
    ------
    Refusal
        If a column is missing, an id is missing or there twice, the items are not those of the
        plan, or too few have views.
    """
    _have(items, plan)
    ids = item_ids(items["item_id"])
    code, views = _codes(items["stratum"], plan), _views(items)
    drawn = _drawn(ids, code, views, plan, key=key, seed=seed)
    at = np.flatnonzero(drawn.taken)
    rows = pd.DataFrame(
        {
            "item_key": keyed_ids([ids[i] for i in at], key=key),
            "stratum": [plan.strata.names[one] for one in code[at]],
            "code": code[at],
            "inclusion_probability": drawn.inclusion[at],
            "double_rated": drawn.double[at],
            "double_probability": drawn.double_inclusion[at],
            "views": views[at],
            "score": _column(items, "score", np.nan)[at],
            "actor": _actors(items, at, key),
        }
    ).sort_values("item_key", ignore_index=True)
    return Worklist(rows=rows, population=_population(code, views, plan), plan=plan)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """(N,) each: which items are drawn, and which twice, with the probabilities of both."""

    taken: npt.NDArray[np.bool_]
    double: npt.NDArray[np.bool_]
    inclusion: FloatArray
    double_inclusion: FloatArray


def _drawn(
    ids: list[bytes],
    code: IntArray,
    views: FloatArray,
    plan: LabellingPlan,
    *,
    key: bytes,
    seed: int,
) -> _Drawn:
    first = keyed_numbers(ids, key=key, purpose="draw", seed=seed)
    strata = [str(at).encode() for at in range(len(plan.labels))]
    start = keyed_numbers(strata, key=key, purpose="start", seed=seed)
    inclusion, again = np.zeros(len(ids)), np.zeros(len(ids))
    taken, double = np.zeros(len(ids), bool), np.zeros(len(ids), bool)
    for stratum, (n, m) in enumerate(zip(plan.labels, plan.double_rated, strict=True)):
        inside = np.flatnonzero(code == stratum)
        if not n:
            continue
        inside = inside[np.argsort(first[inside], kind="stable")]
        if plan.of == "items":
            pi, chosen = np.full(len(inside), n / len(inside)), inside[:n]
        else:
            pi = by_size(views[inside], int(n))
            chosen = inside[systematic(pi, start=float(start[stratum]))]
        inclusion[inside] = pi
        again[inside] = pi * m / n
        taken[chosen] = True
        second = keyed_numbers([ids[at] for at in chosen], key=key, purpose="double", seed=seed)
        double[chosen[np.argsort(second, kind="stable")[:m]]] = True
    return _Drawn(taken=taken, double=double, inclusion=inclusion, double_inclusion=again)


def by_size(size: FloatArray, n: int) -> FloatArray:
    """(N,) π in proportion to (N,) sizes ≥ 0, adding up to `n`; 1 where it would exceed 1.

    Raises
    ------
    Refusal
        If fewer than `n` sizes are above 0.
    """
    positive = int((size > 0).sum())
    if positive < n:
        raise Refusal(
            f"{plural(n, 'item')} to draw, and {exact(positive)} with views",
            where="items to draw from: views",
            next_step="plan fewer labels for that stratum (cap), or a share of items",
        )
    certain = np.zeros(len(size), bool)
    while True:
        rest = np.where(certain, 0.0, size)
        left = n - int(certain.sum())
        pi = np.where(certain, 1.0, left * rest / max(float(np.sort(rest).sum()), 1e-300))
        over = (pi >= 1 - 1e-12) & ~certain
        if not left or not over.any():
            return pi
        certain |= over


def systematic(pi: FloatArray, *, start: float) -> IntArray:
    """Positions drawn from (N,) π that add up to a whole number, `start` in [0, 1)."""
    n = round(float(pi.sum()))
    ends = np.cumsum(pi)
    ends *= n / ends[-1]
    return np.searchsorted(ends, start + np.arange(n), side="right").astype(np.int64)


def _have(items: pd.DataFrame, plan: LabellingPlan) -> None:
    needed = ["item_id", "stratum", *(["views"] if plan.of == "views" else [])]
    missing = [name for name in needed if name not in items]
    if missing:
        raise Refusal(
            f"there is no column {', '.join(missing)}",
            where="items to draw from",
            next_step=f"give the columns {', '.join(needed)}",
        )


def _views(items: pd.DataFrame) -> FloatArray:
    views = _column(items, "views", 1.0)
    wrong = ~(np.isfinite(views) & (views >= 0))
    if wrong.any():
        raise Refusal(
            f"{plural(int(wrong.sum()), 'value')} of views cannot be used, the first in row "
            f"{int(np.argmax(wrong)) + 1:,}",
            where="items to draw from: views",
            next_step="each must be a number of 0 or more; write 0 where there were none",
        )
    return views


def _codes(values: pd.Series, plan: LabellingPlan) -> IntArray:
    """The strata of the items, refused where they are not counted as in the plan."""
    code = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    strata = len(plan.labels)
    fits = np.isin(code, np.arange(strata))
    counts = np.bincount(code[fits].astype(np.int64), minlength=strata)
    if not fits.all() or not np.array_equal(counts, plan.strata.items):
        off = int((counts != plan.strata.items).sum())
        raise Refusal(
            f"the items are not those of the plan: {plural(int((~fits).sum()), 'item')} in none "
            f"of its strata, {plural(off, 'stratum', 'strata')} with other counts",
            where="items to draw from: stratum",
            next_step="plan from the same rows that are drawn from",
        )
    return code.astype(np.int64)


def _column(items: pd.DataFrame, name: str, otherwise: float) -> FloatArray:
    if name not in items:
        return np.full(len(items), otherwise)
    values = pd.to_numeric(items[name], errors="coerce")
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _actors(items: pd.DataFrame, at: IntArray, key: bytes) -> IntArray:
    """(n,) codes of the drawn items' accounts, in the order of their keyed ids; −1 unknown."""
    if "account_id" not in items:
        return np.full(len(at), -1, dtype=np.int64)
    account = items["account_id"].iloc[at]
    known = account.notna().to_numpy()
    told = keyed_ids([str(one).encode() for one in account[known].tolist()], key=key)
    codes = np.full(len(at), -1, dtype=np.int64)
    codes[known] = np.unique(np.array(told, dtype=str), return_inverse=True)[1]
    return codes


def _population(code: IntArray, views: FloatArray, plan: LabellingPlan) -> Population:
    order = np.lexsort((views, code))  # the same sum whatever the order of the rows
    seen = np.bincount(code[order], views[order], minlength=len(plan.labels))
    return Population(
        items=plan.strata.items.astype(np.float64),
        views=seen.astype(np.float64),
        strata=plan.strata.names,
    )
