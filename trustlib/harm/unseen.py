"""What none of the controls sees: capture–recapture, shown as a lower bound.

Each control is a list of violating items (or accounts) that it found by itself. How many were
found twice tells how many were found by none: `trustlib.harm.capture_models`. Of several models
Akaike's criterion chooses, and the interval is that of all within two points of the best.

Controls look at the same clues, so what one finds the others find more often than by chance.
Then the truth is above such an estimate: it is a lower bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core.format import count, interval
from trustlib.harm.capture_models import chapman, frame, log_linear

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MOST_LISTS = 4
FEWEST_SHARED = 7  # Robson and Regier 1964: below it Chapman's estimate is biased
CHAPMAN = "capture–recapture, Chapman"
LOG_LINEAR = "capture–recapture, log-linear model"
AS_A_BOUND = (
    "A lower bound: controls look at the same clues, so what one finds the others find more often "
    "than by chance."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CaptureHistories:
    """How many were found by which lists.

    Attributes
    ----------
    names
        (K,) of the lists.
    found
        (H, K) whether list k found those of history h; each history once, none all False.
    counts
        (H,) how many.
    clumping
        How much more the counts stray than those of single items, ≥ 1: items of one account are
        found together. See `capture_histories`.

    Raises
    ------
    ValueError
        If shapes differ, a history repeats or is all False, or a count is below 0.
    """

    names: tuple[str, ...]
    found: BoolArray
    counts: FloatArray
    clumping: float = 1.0

    def __post_init__(self) -> None:
        found = np.asarray(self.found).astype(bool)
        counts = np.asarray(self.counts, dtype=np.float64)
        object.__setattr__(self, "found", found)
        object.__setattr__(self, "counts", counts)
        if found.ndim != 2 or found.shape != (len(counts), len(self.names)):
            raise ValueError(
                f"CaptureHistories: found has shape {found.shape}, one row for each of "
                f"{len(counts)} counts and one column for each of {len(self.names)} lists is needed"
            )
        if len(np.unique(found, axis=0)) < len(found) or not found.any(axis=1).all():
            raise ValueError("CaptureHistories: each history once, and none that nobody found")
        if (counts < 0).any() or not np.isfinite(counts).all() or not self.clumping >= 1:
            raise ValueError("CaptureHistories: counts are 0 or more, clumping is 1 or more")

    def table(self) -> FloatArray:
        """(2, …, 2) counts by list; NaN where no list found any."""
        table = np.zeros((2,) * len(self.names))
        for history, n in zip(self.found.astype(int), self.counts, strict=True):
            table[tuple(history)] = n
        table[(0,) * len(self.names)] = np.nan
        return table


@dataclass(frozen=True, kw_only=True, eq=False)
class Unseen:
    """What no list found.

    Attributes
    ----------
    unseen_lower_bound
        How many, with an interval; without a point where the lists do not tell.
    total_lower_bound
        Seen and unseen.
    seen
        Found by at least one list.
    models
        model, parameters, aic (with clumping the quasi one), unseen, low, high, chosen, note;
        best first, then those that could not be fitted.
    check
        capture_recapture: what it rests on.
    """

    unseen_lower_bound: Estimate
    total_lower_bound: Estimate
    seen: int
    models: pd.DataFrame
    check: Check


def capture_histories(
    found: npt.ArrayLike, *, names: tuple[str, ...], actor: npt.ArrayLike | None = None
) -> CaptureHistories:
    """Count the histories of (n, K) violating items; those that no list found are left out.

    With `actor` (n,) codes, clumping is Σ cₐₕ² / Σ cₐₕ over accounts a and histories h: how much
    larger the variance of the counts is when accounts, not items, come independently.
    """
    rows = np.asarray(found).astype(bool)
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise ValueError(f"capture_histories: found needs a column for each of {len(names)} lists")
    seen = rows.any(axis=1)
    histories, at, counts = np.unique(rows[seen], axis=0, return_inverse=True, return_counts=True)
    clumping = 1.0
    if actor is not None and seen.any():
        pairs = np.column_stack([np.asarray(actor)[seen], at.ravel()])
        alike = np.unique(pairs, axis=0, return_counts=True)[1]
        clumping = float(np.sum(alike**2) / np.sum(alike))
    return CaptureHistories(
        names=names,
        found=histories,
        counts=counts.astype(np.float64),
        clumping=max(1.0, clumping),
    )


def unseen(
    histories: CaptureHistories, *, level: float = 0.95, unit: str = "violating items"
) -> Unseen:
    """How many no list found, at the least.

    Raises
    ------
    ValueError
        With fewer than two or more than four lists: put together what works alike.
    """
    lists = len(histories.names)
    if not 2 <= lists <= MOST_LISTS:
        raise ValueError(
            f"unseen: {lists} lists, two to {MOST_LISTS} are needed; put together what works alike"
        )
    seen = int(histories.counts.sum())
    why = _degenerate(histories)
    method = CHAPMAN if lists == 2 else LOG_LINEAR
    if why:
        return _not_estimable(why, method, seen, level, unit)
    table, clumping = histories.table(), histories.clumping
    if lists == 2:
        models = chapman(table, clumping=clumping, level=level)
    else:
        models = log_linear(table, names=histories.names, clumping=clumping, level=level)
    fitted = models[models["note"] == ""]
    if fitted.empty:
        return _not_estimable(
            "no model has a largest likelihood", method, seen, level, unit, models
        )
    best, close = fitted.iloc[0], fitted[fitted["aic"] <= fitted["aic"].iloc[0] + 2]
    low, high = float(close["low"].min()), float(close["high"].max())
    if not math.isfinite(high):
        return _not_estimable("the lists put no limit to it", method, seen, level, unit, models)
    models.loc[close.index, "chosen"] = True
    bound = Estimate(point=float(best["unseen"]), low=low, high=high, level=level, unit=unit,
                     method=method, n=seen, note=AS_A_BOUND)  # fmt: skip
    total = Estimate(point=float(best["unseen"]) + seen, low=low + seen, high=high + seen,
                     level=level, unit=unit, method=method, n=seen, note=AS_A_BOUND)  # fmt: skip
    return Unseen(unseen_lower_bound=bound, total_lower_bound=total, seen=seen, models=models,
                  check=_check(bound, histories, len(close)))  # fmt: skip


def _degenerate(histories: CaptureHistories) -> str | None:
    """Why the lists tell nothing, where they do not."""
    counts, found = histories.counts, histories.found
    if not counts.sum() > 0:
        return "no list found any"
    used = (found * counts[:, None]).sum(axis=0) > 0
    if used.sum() < len(used):
        return "one of the lists found none"
    if not counts[found.sum(axis=1) > 1].sum() > 0:
        return "no two lists found the same item"
    alone = [counts[found[:, k] & (found.sum(axis=1) == 1)].sum() for k in range(len(used))]
    if len(used) == 2 and min(alone) == 0:
        return "one list found nothing that the other had not found"
    if max(alone) == 0:
        return "no list found anything by itself"
    return None


def _not_estimable(
    why: str, method: str, seen: int, level: float, unit: str, models: pd.DataFrame | None = None
) -> Unseen:
    none = Estimate(point=None, low=None, high=None, level=level, unit=unit, method=method, n=seen,
                    note=f"not estimable: {why}")  # fmt: skip
    check = Check(name="capture_recapture", verdict="not_run", label="unseen not estimable",
                  text=f"What no control sees cannot be estimated from their overlap: {why}. That "
                  "is no sign that there is nothing.")  # fmt: skip
    return Unseen(unseen_lower_bound=none, total_lower_bound=none, seen=seen,
                  models=frame([]) if models is None else models, check=check)  # fmt: skip


def _check(bound: Estimate, histories: CaptureHistories, close: int) -> Check:
    shared = int(histories.counts[histories.found.sum(axis=1) > 1].sum())
    text = (
        f"{shared:,} of {bound.n:,} {bound.unit} were found by more than one control; at least "
        f"{count(bound.point)} more ({interval(bound.low, bound.high)}) were found by none. "
        f"{AS_A_BOUND}"
    )
    if close > 1:
        text += f" {close} models fit about as well; the interval is that of them all."
    few = shared < FEWEST_SHARED
    return Check(
        name="capture_recapture",
        verdict="warn",
        label="few found twice" if few else "a lower bound",
        text=f"{text} So few shared ones make it rough." if few else text,
    )
