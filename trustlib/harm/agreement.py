"""How far raters agree: per cent agreement, and what is left of it beyond chance.

With r_i votes on item i, c_ik of them for category k, π_k the mean over items of c_ik / r_i and

    p_a = mean over items of Σ_k c_ik (c_ik − 1) / (r_i (r_i − 1))    (two votes agree)

a coefficient is (p_a − p_e) / (1 − p_e). They differ in what they call chance:

    Fleiss' κ          p_e = Σ π_k²                      (Fleiss 1971, Psychological Bulletin 76)
    Gwet's AC1         p_e = Σ π_k (1 − π_k) / (q − 1)   (Gwet 2008, Br. J. Math. Stat. Psych. 61)
    Krippendorff's α   1 − D_o/D_e on pairs of votes     (Krippendorff 2011; nominal categories)

Where items have different numbers of votes, κ and AC1 are Gwet's generalisations of them. Items
with one vote tell nothing about agreement and are left out everywhere.

Why AC1 stands beside κ: where one category is rare, as abuse is, nearly all votes fall in the
other one. Chance by κ's definition is then close to 1, and a handful of disagreements sends κ
(and α) towards 0 though raters agree on nearly every item: the prevalence paradox (Feinstein and
Cicchetti 1990, J. Clin. Epidemiol. 43). AC1's chance falls as a category gets rare, so AC1 stays
near the per cent agreement, and would do so too if raters said "no" without looking. High AC1
and low κ together mean: agreement is on the common category, and votes on the rare one are
not reliable, or too few to tell. Neither number alone shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustlib.core import Check, Estimate
from trustlib.core.format import plural
from trustlib.harm.agreement_words import agreement_check, of_agreeing_items, resampled
from trustlib.stats.item_bootstrap import resampled_sums

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DRAWS = 2000

UNIT = "agreement beyond chance (1 full, 0 none)"
SHARE = "share of pairs of votes that agree"


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """Agreement of interchangeable raters.

    Attributes
    ----------
    percent_agreement
        p_a, a share 0 to 1.
    fleiss_kappa, krippendorff_alpha, gwet_ac1
        At most 1; 0 is what chance would give.
    items, votes
        Items with two votes or more, and the votes on them.
    shares
        (q,) mean share π_k of the votes in each category, in the categories' order.
    check
        rater_agreement.
    """

    percent_agreement: Estimate
    fleiss_kappa: Estimate
    krippendorff_alpha: Estimate
    gwet_ac1: Estimate
    items: int
    votes: int
    shares: FloatArray
    check: Check


def agreement(
    votes: npt.ArrayLike,
    *,
    categories: Sequence[float] | None = None,
    weight: npt.ArrayLike | None = None,
    stratum: npt.ArrayLike | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """From (n_items, n_raters) votes: codes of a category, NaN where a rater did not vote.

    Parameters
    ----------
    categories
        All that a rater could have said; AC1 depends on their number. Default: those that
        occur, and both 0 and 1 where nothing else does.
    weight, stratum
        See `agreement_from_counts`.

    Raises
    ------
    ValueError
        If shapes do not fit or a vote is none of the categories.
    """
    return agreement_from_counts(
        vote_counts(votes, categories=categories),
        weight=weight,
        stratum=stratum,
        level=level,
        draws=draws,
        seed=seed,
    )


def vote_counts(votes: npt.ArrayLike, *, categories: Sequence[float] | None = None) -> IntArray:
    """(n_items, q) votes for each category, from (n_items, n_raters) votes with NaN."""
    table = np.asarray(votes, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError("agreement: votes need one row for each item, one column for each rater")
    kinds = vote_categories(table, categories)
    counts = [(table == kind).sum(axis=1) for kind in kinds]
    return np.stack(counts, axis=1) if counts else np.zeros((len(table), 0), dtype=np.int64)


def vote_categories(votes: FloatArray, categories: Sequence[float] | None) -> FloatArray:
    """(q,) the categories of `votes`, sorted.

    Raises
    ------
    ValueError
        If a vote is none of `categories`.
    """
    said = np.unique(votes[~np.isnan(votes)])
    if categories is None:
        return np.array([0.0, 1.0]) if np.isin(said, (0, 1)).all() else said
    kinds = np.unique(np.asarray(categories, dtype=np.float64))
    if not np.isin(said, kinds).all():
        odd = int((~np.isnan(votes) & ~np.isin(votes, kinds)).sum())
        raise ValueError(f"agreement: {plural(odd, 'vote')} in none of the {len(kinds)} categories")
    return kinds


def agreement_from_counts(
    counts: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    stratum: npt.ArrayLike | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """From (n_items, q) counts: how many raters put each item in each category.

    Parameters
    ----------
    weight
        (n_items,) above 0: how many items of the population each stands for, 1 over the
        probability with which it came to be rated twice. κ depends on how rare a category is,
        so that without weights a sample rich in abuse speaks for itself alone. Default: alike.
    stratum
        (n_items,) codes; items are resampled within them. Default: one stratum.
    draws, seed
        Resamples, and where their random numbers start.

    Raises
    ------
    ValueError
        If shapes do not fit, a count is not a whole number of 0 or more, or a weight not above 0.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError("agreement: counts need one row for each item, one column per category")
    if not (np.isfinite(table) & (table >= 0) & (table == np.floor(table))).all():
        raise ValueError("agreement: each count must be a whole number of 0 or more")
    heavy, codes = weights_and_strata(len(table), weight, stratum)
    votes = table.sum(axis=1)
    rated = votes >= 2
    n, q = int(rated.sum()), table.shape[1]
    if not n:
        values = np.full((draws + 1, 4), np.nan)
        shares = np.full(q, np.nan)
    else:
        sums, drawn = resampled_sums(
            _features(table[rated]),
            weight=heavy[rated] / heavy[rated].mean(),
            stratum=codes[rated],
            draws=draws,
            seed=seed,
        )
        values = _coefficients(np.vstack([sums, drawn]), q)
        shares = sums[3 : 3 + q] / sums[0]

    def of(column: int, name: str, unit: str = UNIT) -> Estimate:
        return resampled(values[:, column], name=name, unit=unit, level=level, n=n)

    share = of(0, "per cent agreement", SHARE)
    made = {
        "percent_agreement": of_agreeing_items(share, level)
        if share.point in (0.0, 1.0)
        else share,
        "fleiss_kappa": of(1, "Fleiss' κ"),
        "krippendorff_alpha": of(2, "Krippendorff's α"),
        "gwet_ac1": of(3, "Gwet's AC1"),
    }
    return Agreement(
        **made, items=n, votes=int(votes[rated].sum()), shares=shares, check=agreement_check(**made)
    )


def weights_and_strata(
    n: int, weight: npt.ArrayLike | None, stratum: npt.ArrayLike | None
) -> tuple[FloatArray, IntArray]:
    """(n,) weights and (n,) codes, filled in where not given.

    Raises
    ------
    ValueError
        If one of them has another length, or a weight is not above 0.
    """
    heavy = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    codes = np.zeros(n, np.int64) if stratum is None else np.asarray(stratum, dtype=np.int64)
    if heavy.shape != (n,) or codes.shape != (n,):
        raise ValueError("agreement: weight and stratum need one value for each item")
    if not (np.isfinite(heavy) & (heavy > 0)).all():
        raise ValueError("agreement: each weight must be a number above 0")
    return heavy, codes


def _features(counts: FloatArray) -> FloatArray:
    """(n, 3 + 2q) per item: 1, p_a, pairs that differ over r − 1, c/r and c by category."""
    votes = counts.sum(axis=1, keepdims=True)
    alike = (counts * (counts - 1)).sum(axis=1, keepdims=True)
    differ = (votes * (votes - 1) - alike) / (votes - 1)
    one = np.ones((len(counts), 1))
    return np.hstack([one, alike / (votes * (votes - 1)), differ, counts / votes, counts])


def _coefficients(sums: FloatArray, q: int) -> FloatArray:
    """(draws, 4) per cent agreement, κ, α, AC1 from (draws, 3 + 2q) sums; NaN where undefined."""
    items, differ = sums[:, :1], sums[:, 2]
    agree, shares, votes = sums[:, 1] / items[:, 0], sums[:, 3 : 3 + q] / items, sums[:, 3 + q :]
    total = votes.sum(axis=1)
    # With one category in use nothing is left beyond chance: 0/0, made exact against rounding.
    several = (votes > 0).sum(axis=1) > 1
    expected = (shares**2).sum(axis=1)
    by_chance = (total**2 - (votes**2).sum(axis=1)) / (total - 1)
    kappa, alpha, ac1 = np.full((3, len(sums)), np.nan)
    np.divide(agree - expected, 1 - expected, out=kappa, where=several)
    np.divide(by_chance - differ, by_chance, out=alpha, where=several)
    if q > 1:
        rare = (1 - expected) / (q - 1)
        ac1 = (agree - rare) / (1 - rare)
    return np.stack([agree, kappa, alpha, ac1], axis=1)
