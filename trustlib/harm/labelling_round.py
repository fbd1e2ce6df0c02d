"""The design of the next labelling round: strata by score, labels per stratum, budgets compared.

A plan is made for a number of votes. With an overlap of 10 % every eleventh vote is the second
one on an item, so that rater agreement and rater error can be measured on the round itself.
`trustlib.harm.worklist` draws the items of a plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Refusal
from trustlib.harm.allocation import FLOOR, Expected, Strata, allocate, expected, spread
from trustlib.harm.sample import FloatArray, IntArray
from trustlib.harm.share import Of
from trustlib.stats.wilson import wilson

OVERLAP = 0.1
QUANTILES = (0.5, 0.8, 0.95, 0.99)
NO_SCORE = "no score"


def strata_by_score(
    score: npt.ArrayLike,
    *,
    cuts: Sequence[float] | None = None,
    quantiles: Sequence[float] = QUANTILES,
) -> tuple[IntArray, tuple[str, ...]]:
    """(n,) stratum codes from (n,) scores, lowest scores first, and the strata's names.

    A stratum holds the scores from one cut up to, not including, the next. Strata without items
    are left out; items without a score (NaN) are the last one.

    Parameters
    ----------
    cuts
        Where the strata end. Default: the scores' own `quantiles`, closer together at the top,
        where abuse is.

    Raises
    ------
    ValueError
        If a score is infinite, there are no scores, or cuts do not rise.
    """
    values = np.asarray(score, dtype=np.float64)
    if values.ndim != 1 or not len(values) or np.isinf(values).any():
        raise ValueError("strata_by_score: scores must be finite or missing, one for each item")
    known = values[~np.isnan(values)]
    if cuts is None:
        edges = np.unique(np.quantile(known, quantiles)) if len(known) else np.empty(0)
    else:
        edges = np.asarray(cuts, dtype=np.float64)
        if edges.ndim != 1 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
            raise ValueError("strata_by_score: cuts must be finite and rise")
    place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
    used, codes = np.unique(place, return_inverse=True)
    names = [*_names(edges), NO_SCORE]
    return codes.astype(np.int64), tuple(names[at] for at in used)


def _names(edges: FloatArray) -> list[str]:
    if not len(edges):
        return ["any score"]
    told = next(
        texts
        for digits in (3, 6, 17)
        if len(set(texts := [f"{edge:.{digits}g}" for edge in edges])) == len(edges)
    )
    between = [f"score {low} to {high}" for low, high in pairwise(told)]
    return [f"score below {told[0]}", *between, f"score {told[-1]} and above"]


def strata_frame(items: pd.DataFrame, *, codes: IntArray, names: tuple[str, ...]) -> pd.DataFrame:
    """One row per stratum for `trustlib.harm.allocation.strata_from_frame`.

    Columns stratum, items, views, viewed (items with a view), views_squared, score_mean. `items`
    has one row per item, with score and perhaps views (else each item counts as one). Where a
    stratum has no score, score_mean is the mean of all.
    """
    size = len(names)
    score = items["score"].to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(score)
    views = items["views"].to_numpy(dtype=np.float64) if "views" in items else np.ones(len(items))
    count = np.bincount(codes[known], minlength=size)
    # Sums over sorted values, so that the order of the rows does not show in the last digit.
    order = np.lexsort((views, score, codes))
    total = np.bincount(codes[order], np.where(known, score, 0.0)[order], minlength=size)
    overall = total.sum() / count.sum() if count.sum() else np.nan
    mean = np.divide(total, count, out=np.full(size, overall), where=count > 0)
    return pd.DataFrame(
        {
            "stratum": list(names),
            "items": np.bincount(codes, minlength=size),
            "views": np.bincount(codes[order], views[order], minlength=size),
            "viewed": np.bincount(codes[views > 0], minlength=size),
            "views_squared": np.bincount(codes[order], views[order] ** 2, minlength=size),
            "score_mean": mean,
        }
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class LabellingPlan:
    """One round.

    Attributes
    ----------
    strata
        What it is planned for.
    of
        What the prevalence will be a share of. For "items" all items of a stratum have the same
        chance to be drawn, for "views" one in proportion to their views.
    votes
        Votes that the raters give in all.
    labels, double_rated
        (S,) items drawn in each stratum, and those of them that get a second vote.
    level
        Of the interval.
    expected
        What it is expected to bring.
    """

    strata: Strata
    of: Of
    votes: int
    labels: IntArray
    double_rated: IntArray
    level: float
    expected: Expected

    @property
    def table(self) -> pd.DataFrame:
        """One row per stratum: stratum, items, views, expected_prevalence, labels, double_rated,
        expected_positives, inclusion_probability (the mean where it goes by views)."""
        strata = self.strata
        return pd.DataFrame(
            {
                "stratum": list(strata.names),
                "items": strata.items,
                "views": strata.views,
                "expected_prevalence": strata.expected,
                "labels": self.labels,
                "double_rated": self.double_rated,
                "expected_positives": self.labels * strata.expected,
                "inclusion_probability": self.labels / np.maximum(strata.items, 1),
            }
        )


def plan(
    strata: Strata,
    *,
    votes: int,
    of: Of = "items",
    overlap: float = OVERLAP,
    floor: int = FLOOR,
    cap: float = 1.0,
    level: float = 0.95,
) -> LabellingPlan:
    """The round that `votes` pay for.

    Parameters
    ----------
    overlap
        Part of the items that get a second vote, 0 to 1.
    floor, cap
        See `trustlib.harm.allocation.allocate`.

    Raises
    ------
    Refusal
        If the votes are too few for the floors or too many for the caps, there are no views for
        a share of views, or nothing is expected anywhere.
    ValueError
        If an argument is outside its range.
    """
    if not 0 <= overlap <= 1:
        raise ValueError("plan: overlap must be from 0 to 1")
    if of not in ("items", "views"):
        raise ValueError("plan: a share is of items or of views")
    if of == "views" and not strata.views.sum() > 0:
        raise Refusal("the strata have no views", where="strata: views",
                      next_step="plan for a share of items, or give the views")  # fmt: skip
    if not strata.expected @ strata.mass(of) > 0:
        raise Refusal("no violating item is expected in any stratum", where="strata: expected",
                      next_step="give a guess of the prevalence that is above 0")  # fmt: skip
    items = int(votes / (1 + overlap) + 1e-9)
    labels = allocate(strata, items, of=of, floor=floor, cap=cap)
    again = min(votes - items, items) if overlap else 0
    second = spread(again, size=labels.astype(np.float64), least=np.zeros_like(labels), most=labels)
    return LabellingPlan(
        strata=strata,
        of=of,
        votes=items + again,
        labels=labels,
        double_rated=second,
        level=level,
        expected=expected(strata, labels, of=of, level=level),
    )


def budgets(
    strata: Strata,
    votes: Sequence[int],
    *,
    of: Of = "items",
    overlap: float = OVERLAP,
    floor: int = FLOOR,
    cap: float = 1.0,
    level: float = 0.95,
) -> pd.DataFrame:
    """What each number of votes would bring.

    Returns
    -------
    DataFrame
        One row per budget: votes, labels, double_rated, expected_positives, none_probability (of
        no positive at all), share, low, high, width (expected interval), width_if_half and
        width_if_double (where the prevalence is half, or twice, what is expected: the allocation
        stays the same), simple_random_width (the same number of labels without strata).
    """
    rows = []
    for budget in votes:
        made = plan(strata, votes=budget, of=of, overlap=overlap, floor=floor, cap=cap, level=level)
        hoped, n = made.expected, int(made.labels.sum())
        low, high = wilson(hoped.share, n=n, level=level)
        half, double = (
            expected(strata, made.labels, of=of, level=level, times=times).width
            for times in (0.5, 2.0)
        )
        rows.append((made.votes, n, int(made.double_rated.sum()), hoped.positives,
                     hoped.none_probability, hoped.share, hoped.low, hoped.high, hoped.width,
                     half, double, high - low))  # fmt: skip
    columns = [
        "votes", "labels", "double_rated", "expected_positives", "none_probability", "share",
        "low", "high", "width", "width_if_half", "width_if_double", "simple_random_width",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
