"""How much of a known total belongs to wrong cases, from weighted labels: items or money.

In cell c (a side's suspects, or its others) the total X_c is known. With π the inclusion
probability, a what a case holds (1 for a count, its cents for money) and y = 1 for a wrong case,

    T = Σ_c X_c R_c,     R_c = Σ (a/π) y / Σ (a/π)          over the cell's labels,

so that what is estimated is the wrong part of a total that is known, not the total: one very
large amount outside the sample changes R_c little where most cases, or few, are wrong. With
several kinds of amount (recovered, not recovered) each has its own R_c and they are added up.

Variance: per cell the larger of the linearised one, n/(n − 1) Σ (1 − f) u² with residuals u
(Särndal, Swensson and Wretman 1992, ch. 5), and of what it would be if being wrong had nothing to
do with the amount, Σ (1 − f) b² R(1 − R), b being what a label stands for. The first is far too
small where few labels hold most of the money and happen to agree; half a label of each kind is
added to R in the second, so that cells all of one kind have a spread. f is the part of the
population that a label stands for: with every case labelled there is no width.

Interval: Wilson's on the effective number of labels, with Student's t as Korn and Graubard (1998,
Survey Methodology 24) adjust it; degrees of freedom are half of Kish's number of labels,
(Σ b)²/Σ b², put together over cells as Satterthwaite does. A total without, or with nothing but,
wrong cases has the exact bound (rule of three). No end contradicts what labels have settled: wrong
cases seen are a floor, right ones seen leave a ceiling. Coverage:
tests/studies/postmortem_coverage.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri, stdtrit

from trustlib.stats.horvitz_thompson import FloatArray, IntArray
from trustlib.stats.wilson import none_seen, wilson

METHOD = "post-stratified by side and suspicion, Wilson on the effective number of labels"
SUM = "two sides put together by MOVER (Zou and Donner 2008)"


@dataclass(frozen=True, kw_only=True)
class WrongTotal:
    """What wrong cases hold.

    Attributes
    ----------
    point, low, high
        Of the cells that have labels.
    floor, ceiling
        What labels have settled: wrong cases seen, all but the right ones seen.
    unseen
        What cells without labels hold: it may all be wrong.
    effective_n
        Labels of a simple random sample that would be as sure; infinite where all is known.
    n
        Labels that it rests on.
    """

    point: float
    low: float
    high: float
    floor: float
    ceiling: float
    unseen: float
    effective_n: float
    n: int

    @property
    def highest(self) -> float:
        """The upper end if all that has no labels were wrong."""
        return self.high + self.unseen

    def times(self, factor: float) -> WrongTotal:
        """The same in another unit; `factor` > 0."""
        moved = {
            name: getattr(self, name) * factor
            for name in ("point", "low", "high", "floor", "ceiling", "unseen")
        }
        return replace(self, **moved)

    def whole(self) -> WrongTotal:
        """Ends rounded outwards to whole items, as there are no parts of one."""
        low, high = float(math.floor(self.low + 1e-9)), float(math.ceil(self.high - 1e-9))
        return replace(self, low=min(self.point, low), high=max(self.point, high))


def wrong_total(
    wrong: FloatArray,
    *,
    cell: IntArray,
    weight: FloatArray,
    fraction: FloatArray,
    amount: FloatArray,
    totals: FloatArray,
    level: float,
) -> WrongTotal:
    """What the wrong cases of C cells hold.

    Parameters
    ----------
    wrong
        (n,) 1 or 0.
    cell
        (n,) codes 0 … C − 1.
    weight, fraction
        (n,) 1/π, and f (`trustlib.stats.horvitz_thompson.sampled_fraction`).
    amount
        (n, K) what each labelled case holds of K kinds, ≥ 0.
    totals
        (C, K) known.
    """
    stands_for, unseen = _stands_for(cell, weight, amount, totals)
    total = float(totals.sum()) - unseen
    n = len(wrong)
    if total <= 0:
        return WrongTotal(point=0.0, low=0.0, high=0.0, floor=0.0, ceiling=0.0, unseen=unseen,
                          effective_n=math.inf, n=n)  # fmt: skip
    held = stands_for.sum(axis=1)
    point = min(total, math.fsum(held * wrong))
    spread = _spread(wrong, cell=cell, fraction=fraction, stands_for=stands_for, cells=len(totals))
    low, high, looks = _ends(point / total, total, spread, level)
    known = amount.sum(axis=1)
    floor, ceiling = math.fsum(known * wrong), total - math.fsum(known * (1 - wrong))
    ceiling = max(ceiling, floor)  # weights that do not add up, see the check of them
    point = min(max(point, floor), ceiling)
    return WrongTotal(
        point=point,
        low=min(point, max(low * total, floor)),
        high=max(point, min(high * total, ceiling)),
        floor=floor,
        ceiling=ceiling,
        unseen=unseen,
        effective_n=looks,
        n=n,
    )


def mover(first: WrongTotal, second: WrongTotal) -> WrongTotal:
    """The sum of two independent totals: distances of the ends are added in quadrature."""
    point = first.point + second.point
    return WrongTotal(
        point=point,
        low=max(0.0, point - math.hypot(first.point - first.low, second.point - second.low)),
        high=point + math.hypot(first.high - first.point, second.high - second.point),
        floor=first.floor + second.floor,
        ceiling=first.ceiling + second.ceiling,
        unseen=first.unseen + second.unseen,
        effective_n=min(first.effective_n, second.effective_n),
        n=first.n + second.n,
    )


def _stands_for(
    cell: IntArray, weight: FloatArray, amount: FloatArray, totals: FloatArray
) -> tuple[FloatArray, float]:
    """(n, K) amount that each label stands for, X_c a/π over Σ a/π; and what nobody stands for."""
    out, unseen = np.zeros(amount.shape), 0.0
    for kind in range(totals.shape[1]):
        expanded = weight * amount[:, kind]
        drawn = np.bincount(cell, expanded, minlength=len(totals))
        scale = np.divide(totals[:, kind], drawn, out=np.zeros(len(totals)), where=drawn > 0)
        out[:, kind] = expanded * scale[cell]
        unseen += float(totals[drawn <= 0, kind].sum())
    return out, unseen


@dataclass(frozen=True, kw_only=True, eq=False)
class _Spread:
    """Per cell (C,): total, variance, degrees of freedom, looks (over 1 − f)."""

    total: FloatArray
    variance: FloatArray
    freedom: FloatArray
    looks: FloatArray


def _spread(
    wrong: FloatArray, *, cell: IntArray, fraction: FloatArray, stands_for: FloatArray, cells: int
) -> _Spread:
    def summed(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(cell, values, minlength=cells), dtype=np.float64)

    held = stands_for.sum(axis=1)
    total, square = summed(held), summed(held**2)
    filled = total > 0
    kish = np.divide(total**2, square, out=np.zeros(cells), where=filled)
    residual = np.zeros(len(wrong))
    for kind in stands_for.T:
        sums = summed(kind)
        share = np.divide(summed(kind * wrong), sums, out=np.zeros(cells), where=sums > 0)
        residual += kind * (wrong - share[cell])
    n = summed((held > 0).astype(float))
    apart = np.where(n > 1, n / np.maximum(n - 1, 1), 1.0)
    linearised = apart * summed((1 - fraction) * residual**2)
    share = np.divide(summed(held * wrong), total, out=np.zeros(cells), where=filled)
    smooth = (share * kish + 0.5) / (kish + 1)
    unrelated = summed((1 - fraction) * held**2) * smooth * (1 - smooth)
    with np.errstate(divide="ignore", invalid="ignore"):
        looks = np.where(filled, kish * total / summed(held * (1 - fraction)), 0.0)
    return _Spread(
        total=total,
        variance=np.maximum(linearised, unrelated),
        freedom=np.maximum(kish / 2, 1.0),
        looks=looks,
    )


def _ends(share: float, total: float, spread: _Spread, level: float) -> tuple[float, float, float]:
    """Ends of the share, and the effective number of labels."""
    variance = float(spread.variance.sum())
    if variance <= 0:
        return share, share, math.inf
    if share < 1e-12 or share > 1 - 1e-12:
        bound = none_seen(n=spread.looks, weight=spread.total / total, level=level)
        looks = total**2 / float(np.sum(spread.total**2 / np.maximum(spread.looks, 1e-12)))
        return (0.0, bound, looks) if share < 0.5 else (1 - bound, 1.0, looks)
    freedom = variance**2 / float(np.sum(spread.variance**2 / spread.freedom))
    wider = float(stdtrit(freedom, 0.5 + level / 2) / ndtri(0.5 + level / 2))
    looks = share * (1 - share) * total**2 / (variance * wider**2)
    return *wilson(share, n=looks, level=level), looks
