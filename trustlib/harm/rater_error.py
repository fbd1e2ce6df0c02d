"""How often labels are wrong: sensitivity and specificity, each with its own uncertainty.

From a gold standard (items whose truth is known, drawn apart for violating and not), or without
one from items that several raters saw (`trustlib.stats.latent_class`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from trustlib.core import Check, Estimate
from trustlib.core.format import percent, plural
from trustlib.harm.sample import FloatArray, IntArray
from trustlib.stats.latent_class import latent_class
from trustlib.stats.melding import DRAWS, ConfidenceDraws, binomial_draws
from trustlib.stats.wilson import clopper_pearson

FEW_GOLD = 30  # items of known truth, of either kind
FEW_RATED = 50  # items with two votes or more

_GOLD = "against a gold standard, Clopper–Pearson"
_VOTES = "latent class of repeated votes (Hui–Walter), Jeffreys' priors"


@dataclass(frozen=True, kw_only=True, eq=False)
class RaterError:
    """Se and Sp of a label.

    Attributes
    ----------
    sensitivity
        Share of violating items that are labelled violating.
    specificity
        Share of other items that are labelled so.
    of
        "label": of the sample's label; "vote": of one rater's vote.
    sensitivity_draws, false_positive_draws
        From the confidence distributions of Se and 1 − Sp; None where not estimable.
    check
        rater_error: whether labels tell violating items from others, and on how many it rests.
    """

    sensitivity: Estimate
    specificity: Estimate
    of: Literal["label", "vote"]
    sensitivity_draws: ConfidenceDraws | None
    false_positive_draws: ConfidenceDraws | None
    check: Check

    @property
    def informative(self) -> bool:
        """Both are estimable and Se + Sp > 1."""
        se, sp = self.sensitivity.point, self.specificity.point
        return se is not None and sp is not None and se + sp > 1


def rater_error_from_gold(
    label: npt.ArrayLike, truth: npt.ArrayLike, *, level: float = 0.95, seed: int = 0
) -> RaterError:
    """From (n,) labels and the truth of the same items, both 1 or 0.

    The items may be chosen by their truth (so many violating, so many not), but not by their
    labels.

    Raises
    ------
    ValueError
        If lengths differ or a value is neither 1 nor 0.
    """
    said, is_so = np.asarray(label, dtype=float), np.asarray(truth, dtype=float)
    if said.shape != is_so.shape or said.ndim != 1:
        raise ValueError("rater_error: labels and truth need one value for each of the same items")
    if not (np.isin(said, (0, 1)).all() and np.isin(is_so, (0, 1)).all()):
        raise ValueError("rater_error: labels and truth are 1 or 0")
    violating, clean = int(is_so.sum()), int((1 - is_so).sum())
    caught, wrong = int((said * is_so).sum()), int((said * (1 - is_so)).sum())
    random = np.random.default_rng(seed)
    sensitivity = _share(caught, violating, level, "violating")
    specificity = _share(clean - wrong, clean, level, "other")
    return RaterError(
        sensitivity=sensitivity,
        specificity=specificity,
        of="label",
        sensitivity_draws=binomial_draws(caught, violating, draws=DRAWS, random=random)
        if violating
        else None,
        false_positive_draws=binomial_draws(wrong, clean, draws=DRAWS, random=random)
        if clean
        else None,
        check=_check(
            sensitivity,
            specificity,
            few=min(violating, clean) < FEW_GOLD,
            basis=f"measured on {plural(violating, 'violating item')} and {clean:,} others of "
            "known truth",
        ),
    )


def rater_error_by_group(
    label: npt.ArrayLike,
    truth: npt.ArrayLike,
    *,
    group: IntArray,
    names: tuple[str, ...],
    level: float = 0.95,
    seed: int = 0,
) -> Mapping[str, RaterError]:
    """`rater_error_from_gold` for each of `names`: errors differ by segment, rater and arm."""
    said, is_so, codes = np.asarray(label), np.asarray(truth), np.asarray(group)
    return {
        name: rater_error_from_gold(
            said[codes == code], is_so[codes == code], level=level, seed=seed
        )
        for code, name in enumerate(names)
    }


def rater_error_from_votes(
    votes: FloatArray, *, stratum: IntArray, level: float = 0.95, seed: int = 0
) -> RaterError:
    """Of one vote, from (n, n_raters) votes (1, 0, NaN) and the items' strata (n,).

    Only items with two votes or more tell anything. Raters are taken to be alike and to err
    independently: where they share a blind spot, the sensitivity is too high. With two votes an
    item, two strata at least are needed, and they must differ in prevalence.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    votes = np.asarray(votes, dtype=float)
    if votes.ndim != 2 or np.shape(stratum) != (len(votes),):
        raise ValueError("rater_error: votes need one row, and strata one code, for each item")
    seen = (~np.isnan(votes)).sum(axis=1)
    again = seen >= 2
    m, k = seen[again], np.nansum(votes[again], axis=1).astype(np.int64)
    names, codes = np.unique(np.asarray(stratum)[again], return_inverse=True)
    why = _why_not(m, k, len(names))
    if why:
        none = Estimate(point=None, low=None, high=None, level=level, unit="share",
                        method=_VOTES, n=len(m), note=f"not estimable: {why}")  # fmt: skip
        return RaterError(sensitivity=none, specificity=none, of="vote", sensitivity_draws=None,
                          false_positive_draws=None, check=_not_estimable(why))  # fmt: skip
    found = latent_class(k, votes=m, stratum=codes, strata=len(names), seed=seed)
    sensitivity = _drawn(found.sensitivity, level, len(m))
    specificity = _drawn(1 - found.false_positive, level, len(m))
    return RaterError(
        sensitivity=sensitivity,
        specificity=specificity,
        of="vote",
        sensitivity_draws=ConfidenceDraws(low=found.sensitivity, high=found.sensitivity),
        false_positive_draws=ConfidenceDraws(low=found.false_positive, high=found.false_positive),
        check=_check(
            sensitivity,
            specificity,
            few=len(m) < FEW_RATED,
            basis=f"told from {plural(len(m), 'item')} with two votes or more, taking raters to "
            "err independently",
        ),
    )


def _why_not(m: IntArray, k: IntArray, strata: int) -> str:
    if not len(m):
        return "no item has two votes"
    if strata < 2 and m.max() < 3:
        return "with two votes an item, two strata at least are needed"
    if not (k >= 2).any():
        return "no two raters ever agreed that an item is violating"
    return ""


def _share(count: int, n: int, level: float, kind: str) -> Estimate:
    if not n:
        return Estimate(point=None, low=None, high=None, level=level, unit="share", method=_GOLD,
                        n=0, note=f"not estimable: no {kind} items of known truth")  # fmt: skip
    low, high = clopper_pearson(count / n, n=n, level=level)
    return Estimate(point=count / n, low=low, high=high, level=level, unit="share",
                    method=_GOLD, n=n)  # fmt: skip


def _drawn(draws: FloatArray, level: float, n: int) -> Estimate:
    low, point, high = np.quantile(draws, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Estimate(point=point, low=low, high=high, level=level, unit="share", method=_VOTES, n=n)


def _check(sensitivity: Estimate, specificity: Estimate, *, few: bool, basis: str) -> Check:
    se, sp = sensitivity.point, specificity.point
    if se is None or sp is None:
        lacking = sensitivity if se is None else specificity
        return _not_estimable((lacking.note or "").removeprefix("not estimable: "))
    text = (
        f"Labels find {percent(se)} of violating items and leave {percent(sp, digits=4)} of the "
        f"others alone, {basis}."
    )
    if se + sp <= 1:
        return Check(
            name="rater_error",
            verdict="fail",
            label="labels say nothing",
            text=text + " That is no better than chance: no share can be told from them.",
        )
    if few:
        return Check(name="rater_error", verdict="warn", label="few items behind rater error",
                     text=text + " That is few.")  # fmt: skip
    return Check(name="rater_error", verdict="pass", label="rater error is known", text=text)


def _not_estimable(why: str) -> Check:
    return Check(name="rater_error", verdict="not_run", label="rater error unknown",
                 text=f"How often labels are wrong is not estimable: {why}.")  # fmt: skip
