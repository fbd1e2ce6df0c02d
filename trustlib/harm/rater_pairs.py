"""Agreement of two raters who are known: Cohen's κ, pair by pair.

κ = (p_o − p_e) / (1 − p_e), with p_o the share of items on which the two agree and p_e = Σ of the
product of their own shares of each category (Cohen 1960, Educ. Psych. Meas. 20). Unlike Fleiss' κ
it lets each rater have a threshold of their own. It has the same prevalence paradox; see
`trustlib.harm.agreement`, whose AC1 belongs beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from trustlib.core import Estimate
from trustlib.harm.agreement import DRAWS, UNIT, vote_categories, weights_and_strata
from trustlib.harm.agreement_words import resampled
from trustlib.stats.item_bootstrap import FloatArray, resampled_sums


@dataclass(frozen=True, kw_only=True)
class PairAgreement:
    """Two raters, by their columns in the votes, and Cohen's κ on the `items` both rated."""

    first: int
    second: int
    items: int
    kappa: Estimate


def cohen_kappas(
    votes: npt.ArrayLike,
    *,
    categories: Sequence[float] | None = None,
    weight: npt.ArrayLike | None = None,
    stratum: npt.ArrayLike | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[PairAgreement, ...]:
    """Cohen's κ of every pair of columns of (n_items, n_raters) votes, NaN where not rated.

    Parameters as in `trustlib.harm.agreement.agreement`. A pair without a common item has no
    point, and says so.

    Raises
    ------
    ValueError
        If shapes do not fit or a vote is none of the categories.
    """
    table = np.asarray(votes, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError("agreement: votes need one row for each item, one column for each rater")
    kinds = vote_categories(table, categories)
    heavy, codes = weights_and_strata(len(table), weight, stratum)
    found = []
    for first, second in combinations(range(table.shape[1]), 2):
        both = ~np.isnan(table[:, first]) & ~np.isnan(table[:, second])
        n = int(both.sum())
        values = np.full(draws + 1, np.nan)
        if n:
            one, other = (np.searchsorted(kinds, table[both, k]) for k in (first, second))
            cell = np.eye(len(kinds) ** 2)[one * len(kinds) + other]
            sums, drawn = resampled_sums(
                cell, weight=heavy[both], stratum=codes[both], draws=draws, seed=seed
            )
            values = _kappa(np.vstack([sums, drawn]), len(kinds))
        kappa = resampled(values, name="Cohen's κ", unit=UNIT, level=level, n=n)
        found.append(PairAgreement(first=first, second=second, items=n, kappa=kappa))
    return tuple(found)


def _kappa(cells: FloatArray, q: int) -> FloatArray:
    """(draws,) κ of (draws, q²) cross tables; NaN where both said one category throughout."""
    tables = cells.reshape(-1, q, q)
    shares = tables / tables.sum(axis=(1, 2), keepdims=True)
    agree = np.trace(shares, axis1=1, axis2=2)
    first, second = tables.sum(axis=2), tables.sum(axis=1)
    several = ((first + second) > 0).sum(axis=1) > 1
    expected = (shares.sum(axis=2) * shares.sum(axis=1)).sum(axis=1)
    kappa = np.full(len(cells), np.nan)
    np.divide(agree - expected, 1 - expected, out=kappa, where=several)
    return kappa
