"""How many labels each stratum gets, and what they are expected to bring.

Neyman's allocation gives stratum h labels in proportion to X_h √(p_h (1 − p_h)), with X_h its
items (or views) and p_h the prevalence expected in it: the smallest variance for a number of
labels (Neyman 1934, JRSS 97; Cochran 1977, Sampling Techniques, 5.5 and 5.9). A floor keeps
strata observed where little is expected, and no stratum gets more labels than it has items: what
a bound takes or leaves is spread over the others in the same proportion. Largest remainders make
whole numbers of it that add up.

The expected interval is the one that `trustlib.harm.prevalence` will compute, Wilson's on the
effective number of labels, at the expected prevalence and variance
Σ (X_h/X)² (1 − n_h/N_h) p_h (1 − p_h) / n_h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Refusal
from trustlib.core.format import exact, plural
from trustlib.harm.sample import FloatArray, IntArray
from trustlib.harm.share import Of, effective_n
from trustlib.stats.wilson import wilson

FLOOR = 30
PRIOR_LABELS = 20  # labels that the guess of a stratum's prevalence is worth beside earlier ones
LEAST = (
    1e-4  # of an expected prevalence: never certain, so that a stratum keeps its share of labels
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Strata:
    """A stratified population before labelling.

    Attributes
    ----------
    names
        S names.
    items, views
        (S,) in the window.
    expected
        (S,) prevalence expected in each stratum, 0 to 1.
    viewed
        (S,) items with a view, which a share of views can be drawn from; None: all.
    views_squared
        (S,) sum over the items of their views squared; None where not known.
    """

    names: tuple[str, ...]
    items: IntArray
    views: FloatArray
    expected: FloatArray
    viewed: IntArray | None = None
    views_squared: FloatArray | None = None

    def drawable(self, of: Of) -> IntArray:
        """(S,) items that can be drawn."""
        if of == "items":
            return self.items
        return np.where(self.views > 0, self.items if self.viewed is None else self.viewed, 0)

    def mass(self, of: Of) -> FloatArray:
        """(S,) the strata's parts of the population's items or views, adding up to 1."""
        totals = self.items.astype(np.float64) if of == "items" else self.views
        return totals / totals.sum()


def strata_from_frame(frame: pd.DataFrame) -> Strata:
    """Strata from one row each.

    Parameters
    ----------
    frame
        Columns stratum, items, and expected_prevalence or score_mean (a mean score that is a
        probability; a score that is not must be turned into one first). Optional: views, viewed
        (items with a view) and views_squared (the sum of their squares); labelled and positive,
        the labels of an earlier round in the same strata, drawn alike within each. The guess
        then counts as 20 labels beside them.

    Raises
    ------
    Refusal
        If a column is missing, a stratum is there twice, or a value is outside its range.
    """
    where = "strata"
    guess = "expected_prevalence" if "expected_prevalence" in frame else "score_mean"
    _have(frame, ("stratum", "items", guess), where)
    if not len(frame):
        raise Refusal("there are no strata", where=where, next_step="give one row per stratum")
    names = tuple(frame["stratum"].astype(str))
    if len(set(names)) < len(names):
        raise Refusal("a stratum is there twice", where=where, next_step="give one row per stratum")
    items = _numbers(frame, "items", whole=True)
    views = _numbers(frame, "views") if "views" in frame else items
    expected = _numbers(frame, guess, most=1.0)
    if "labelled" in frame or "positive" in frame:
        _have(frame, ("labelled", "positive"), where)
        labelled, positive = (_numbers(frame, name) for name in ("labelled", "positive"))
        if (positive > labelled).any():
            raise Refusal(
                "more items are positive than labelled",
                where=f"{where}: positive",
                next_step="positive counts those of the labelled that are violating",
            )
        expected = (positive + PRIOR_LABELS * expected) / (labelled + PRIOR_LABELS)
    if not items.sum() > 0:
        raise Refusal("the strata hold no items", where=f"{where}: items", next_step="check counts")
    viewed = _numbers(frame, "viewed", whole=True) if "viewed" in frame else None
    squares = _numbers(frame, "views_squared") if "views_squared" in frame else None
    return Strata(
        names=names,
        items=items.astype(np.int64),
        views=views,
        expected=expected,
        viewed=None if viewed is None else np.minimum(viewed, items).astype(np.int64),
        views_squared=squares,
    )


def _have(frame: pd.DataFrame, columns: tuple[str, ...], where: str) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        raise Refusal(
            f"there is no column {', '.join(missing)}",
            where=where,
            next_step=f"give the columns {', '.join(columns)}",
        )


def _numbers(
    frame: pd.DataFrame, name: str, *, most: float = np.inf, whole: bool = False
) -> FloatArray:
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~(np.isfinite(values) & (values >= 0) & (values <= most))
    if whole:
        wrong |= values != np.floor(values)
    if wrong.any():
        kind = "whole number" if whole else "number"
        ends = f"a {kind} from 0 to {most:g}" if np.isfinite(most) else f"a {kind} of 0 or more"
        raise Refusal(
            f"{plural(int(wrong.sum()), 'value')} of {name} cannot be used, the first in row "
            f"{int(np.argmax(wrong)) + 1:,}",
            where=f"strata: {name}",
            next_step=f"each must be {ends}",
        )
    return values


def allocate(
    strata: Strata, labels: int, *, of: Of = "items", floor: int = FLOOR, cap: float = 1.0
) -> IntArray:
    """(S,) labels of each stratum, adding up to `labels`.

    Parameters
    ----------
    of
        What the prevalence will be a share of.
    floor
        Labels that a stratum gets at least, or all of its items where it has fewer; from 2 up,
        as one label shows no spread.
    cap
        Share of a stratum's items that may be labelled, above 0 and at most 1.

    Raises
    ------
    Refusal
        If `labels` is below what the floors need or above what the caps allow.
    ValueError
        If `floor` or `cap` is outside its range.
    """
    if floor < 2 or not 0 < cap <= 1:
        raise ValueError("allocate: floor must be 2 or more, and cap above 0 and at most 1")
    most = np.ceil(cap * strata.drawable(of) - 1e-9).astype(np.int64)
    least = np.minimum(floor, most)
    if labels < least.sum():
        raise Refusal(
            f"{plural(labels, 'label')} {'is' if labels == 1 else 'are'} fewer than the floors "
            f"need: {exact(least.sum())}",
            where=f"{plural(len(most), 'stratum', 'strata')}, floor {floor}",
            next_step="take a larger budget, a lower floor, or fewer strata",
        )
    if labels > most.sum():
        raise Refusal(
            f"{plural(labels, 'label')} {'is' if labels == 1 else 'are'} more than can be given: "
            f"{exact(most.sum())}",
            where=f"{exact(strata.drawable(of).sum())} items to draw from, cap {cap:g}",
            next_step="take a smaller budget, or a higher cap",
        )
    p = np.clip(strata.expected, LEAST, 1 - LEAST)
    return spread(labels, size=strata.mass(of) * np.sqrt(p * (1 - p)), least=least, most=most)


def spread(total: int, *, size: FloatArray, least: IntArray, most: IntArray) -> IntArray:
    """(S,) whole numbers in proportion to `size`, within [least, most], adding up to `total`.

    `total` lies between Σ least and Σ most; `size` is above 0 wherever least < most. Equal
    remainders go to the first stratum.
    """
    free = least < most
    edges = np.unique(np.concatenate([[0.0], least[free] / size[free], most[free] / size[free]]))

    def at(scale: float) -> FloatArray:
        return np.where(free, np.clip(scale * size, least, most), least)

    # The sum is piecewise linear and rising in the scale, with its kinks at the edges.
    sums = [float(at(edge).sum()) for edge in edges]
    part = at(float(np.interp(total, sums, edges)))
    whole = np.clip(np.floor(part + 1e-9).astype(np.int64), least, most)
    order = np.argsort(-np.where(whole < most, part - whole, -np.inf), kind="stable")
    whole[order[: total - whole.sum()]] += 1
    return whole


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an allocation is expected to bring.

    Attributes
    ----------
    share, low, high
        Expected prevalence and its expected interval.
    positives
        Labels expected to be positive.
    none_probability
        That there is no positive label at all.
    """

    share: float
    low: float
    high: float
    positives: float
    none_probability: float

    @property
    def width(self) -> float:
        """Of the interval."""
        return self.high - self.low


def expected(
    strata: Strata, labels: IntArray, *, of: Of = "items", level: float = 0.95, times: float = 1.0
) -> Expected:
    """From (S,) labels, where the prevalence is `times` what is expected in every stratum.

    For a share of views, what the sample takes of a finite population is told from
    `views_squared`; without it that is left out, and the interval comes out wider than it will be.
    """
    p = np.clip(strata.expected * times, 0.0, 1.0)
    seen = labels > 0
    weight = strata.mass(of)[seen] / strata.mass(of)[seen].sum()
    n, units, p = labels[seen], strata.items[seen], p[seen]
    if of == "items":
        unseen = (units - n) / np.maximum(units - 1, 1)
    else:
        # The mean of 1 − π over views with π = n·x/X is 1 − a; π stops at 1, so that a small
        # a is all of it and a large one promises too much.
        square = np.zeros(len(labels)) if strata.views_squared is None else strata.views_squared
        unseen = 1 / (1 + n * square[seen] / strata.views[seen] ** 2)
    share = float(weight @ p)
    variance = float(np.sum(weight**2 * unseen * p * (1 - p) / n))
    low, high = wilson(share, n=effective_n(share, variance=variance, labels=int(n.sum())),
                       level=level)  # fmt: skip
    none = float(np.exp(np.sum(n * np.log1p(-np.minimum(p, 1 - 1e-16)))))
    return Expected(share=share, low=low, high=high, positives=float(n @ p), none_probability=none)
