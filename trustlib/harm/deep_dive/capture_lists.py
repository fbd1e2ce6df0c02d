"""Lists of what each control found by itself, for capture–recapture in items of the window."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from trustlib.core import Check, Estimate
from trustlib.core.format import count, interval, plural
from trustlib.harm.sample import FloatArray, IntArray
from trustlib.harm.unseen import FEWEST_SHARED, MOST_LISTS, Unseen, capture_histories, unseen

BoolArray = npt.NDArray[np.bool_]

USER_REPORTS = "user reports"


def unseen_by(
    found: BoolArray,
    *,
    names: tuple[str, ...],
    confirming: Sequence[str],
    weight: FloatArray,
    actor: IntArray,
    level: float,
) -> Unseen | None:
    """A lower bound of what none found, in items of the window; None with fewer than two lists.

    Parameters
    ----------
    found
        (n, K) whether each control found the labelled violating item.
    confirming
        Controls that decide on what others found: no lists of their own, where two others are.
    weight
        (n,) items of the window that each stands for.
    actor
        (n,) codes of the accounts: what is found of one is found together.

    Notes
    -----
    Labelled items are counted one by one, and the result is scaled by what the found ones stand
    for on average. Weighing each would be unbiased and of no use: two labels that stand for 25
    items each decide all (30 demo worlds: 1.2 of the truth in the middle, 11 times at the worst).
    Items are drawn more often where scores are high, and there controls find more of them, so
    counting them alike errs to fewer, as a lower bound should (at most the truth in 26 of 30).
    """
    lists, remark = _lists(names, found, confirming)
    if len(lists) < 2:
        return None
    table = np.column_stack([found[:, list(one)].any(axis=1) for one in lists])
    told = tuple(" or ".join(names[k] for k in one) for one in lists)
    histories = capture_histories(table, names=told, actor=actor)
    with warnings.catch_warnings():
        # A model that fits a few small counts exactly is what it is, and no surprise here.
        warnings.filterwarnings("ignore", message="Perfect separation")
        found_by = unseen(histories, level=level)
    seen = table.any(axis=1)
    stands_for = float(np.sort(weight[seen]).mean()) if seen.any() else 1.0
    return _told(found_by, stands_for, table, remark)


def _lists(
    names: tuple[str, ...], found: BoolArray, confirming: Sequence[str]
) -> tuple[list[tuple[int, ...]], str]:
    """Columns that make up each list, at most four; and what was left out or put together.

    Parameters
    ----------
    found
        (n, K) violating labelled items.
    confirming
        Sources that decide on what others found: no lists of their own, where two others are.
    """
    used = [k for k in range(len(names)) if found[:, k].any()]
    remarks = []
    own = [k for k in used if names[k] not in confirming]
    if len(own) >= 2 and len(own) < len(used):
        after = ", ".join(names[k] for k in used if k not in own)
        remarks.append(f"{after} decides on what others found and is no list of its own.")
        used = own
    empty = [names[k] for k in range(len(names)) if not found[:, k].any()]
    if empty:
        remarks.append(f"{', '.join(empty)} found no violating item that was labelled.")
    lists: list[tuple[int, ...]] = [(k,) for k in used]
    while len(lists) > MOST_LISTS:
        one, other = _most_alike(lists, found, names)
        lists = sorted([pair for pair in lists if pair not in (one, other)] + [(*one, *other)])
    merged = [" and ".join(names[k] for k in one) for one in lists if len(one) > 1]
    if merged:
        remarks.append(f"Counted as one, for they find the same: {'; '.join(merged)}.")
    return lists, " ".join(remarks)


def _most_alike(
    lists: list[tuple[int, ...]], found: BoolArray, names: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The two lists with most in common of what either found; people's reports stay apart."""
    columns = {one: found[:, list(one)].any(axis=1) for one in lists}
    systems = [one for one in lists if USER_REPORTS not in [names[k] for k in one]]

    def alike(pair: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[float, list[str]]:
        first, second = columns[pair[0]], columns[pair[1]]
        common = (first & second).sum() / (first | second).sum()
        return -common, [names[k] for one in pair for k in one]

    return min(combinations(systems, 2), key=alike)


def _told(found: Unseen, stands_for: float, table: BoolArray, remark: str) -> Unseen:
    """In items of the population, and resting on the labelled ones that were found."""
    seen, shared = int(table.any(axis=1).sum()), int((table.sum(axis=1) > 1).sum())
    bound, total = (
        _times(one, stands_for, seen, remark)
        for one in (found.unseen_lower_bound, found.total_lower_bound)
    )
    models = found.models.copy()
    models[["unseen", "low", "high"]] *= stands_for
    return replace(
        found,
        unseen_lower_bound=bound,
        total_lower_bound=total,
        seen=round(found.seen * stands_for),
        models=models,
        check=_check(found, bound, seen=seen, shared=shared, remark=remark),
    )


def _times(one: Estimate, stands_for: float, n: int, remark: str) -> Estimate:
    point, low, high = (
        None if value is None else value * stands_for for value in (one.point, one.low, one.high)
    )
    note = " ".join(text for text in (one.note, remark) if text)
    return replace(one, point=point, low=low, high=high, n=n, note=note or None)


def _check(found: Unseen, bound: Estimate, *, seen: int, shared: int, remark: str) -> Check:
    if bound.point is None:
        return found.check
    close = int(found.models["chosen"].sum())
    text = (
        f"Of {plural(seen, 'labelled violating item')} that a control found, {shared:,} were found "
        f"by more than one. At the least {count(bound.point)} violating items of the window "
        f"({interval(bound.low, bound.high)}) were found by none. {bound.note}"
    )
    if close > 1:
        text += f" {close} models fit about as well; the interval is that of them all."
    few = shared < FEWEST_SHARED
    label = "few found twice" if few else "a lower bound"
    text += " So few found twice make it rough." if few else ""
    return replace(found.check, verdict="warn", label=label, text=text)
