"""Prevalence corrected for the raters' own errors (Rogan–Gladen, melded intervals)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from trustlib.core import Check, Estimate
from trustlib.core.format import percent
from trustlib.harm.rater_error import RaterError
from trustlib.harm.sample import FloatArray, LabelledSample, Population, matching
from trustlib.harm.share import REACHING, Of, ShareInterval, estimated, share_interval
from trustlib.stats.horvitz_thompson import StratifiedShare
from trustlib.stats.melding import (
    ConfidenceDraws,
    binomial_draws,
    melded_interval,
    rogan_gladen,
)

METHOD = "Rogan–Gladen, melded interval on the effective number of labels"


@dataclass(frozen=True, kw_only=True, eq=False)
class CorrectedPrevalence:
    """The share that the labels would show if they were never wrong.

    Attributes
    ----------
    estimate
        Corrected; without a point where the labels' errors are not known or say nothing.
    apparent
        The share of positive labels (or of positive votes) that it starts from.
    error
        The labels' errors.
    check
        rater_correction: what the correction did, and whether it was cut at 0 or 1.
    """

    estimate: Estimate
    apparent: Estimate
    error: RaterError
    check: Check


def corrected_prevalence(
    sample: LabelledSample,
    population: Population,
    error: RaterError,
    *,
    level: float = 0.95,
    of: Of = "items",
    cluster: bool = True,
    seed: int = 0,
) -> CorrectedPrevalence:
    """The prevalence behind imperfect labels.

    Errors of a vote correct the mean vote of each item, errors of a label the label. They are
    taken to be the same for all items of a kind and to be measured on other items than these;
    where they differ between segments or arms, correct each apart.

    Raises
    ------
    ValueError
        If the sample's strata are not the population's.
    """
    matching(sample, population)
    sample, label = _labels(sample.in_order(), error)
    found = estimated(sample, population, label=label, of=of, cluster=cluster)
    return correct(found, error, level=level, unit=f"share of {of}", seed=seed)


def with_false_positives(found: StratifiedShare, error: RaterError) -> StratifiedShare:
    """The variance with at least the spread that false positives give each stratum.

    A stratum without a positive label has no spread of its own, though labels are wrong there
    as often as elsewhere. Without this the interval is too short wherever few labels stand for
    a large part of the population.
    """
    specificity = error.specificity.point
    if specificity is None:
        return found
    seen = (found.weight > 0) & np.isfinite(found.looks)
    rate, least = found.of_stratum[seen], 1 - specificity
    lacking = np.where(rate < least, least * specificity - rate * (1 - rate), 0.0)
    more = found.weight[seen] ** 2 * np.maximum(0.0, lacking) / found.looks[seen]
    return replace(found, variance=found.variance + float(more.sum()))


def correct(
    found: StratifiedShare, error: RaterError, *, level: float, unit: str, seed: int = 0
) -> CorrectedPrevalence:
    """Any share of positive labels, corrected."""
    share, n = found.share, int(found.n.sum())
    known = not math.isnan(share)
    ends = share_interval(found, level=level)
    note = "only of the strata that have labels" if 0 < found.covered < 1 else None
    apparent = Estimate(
        point=share if known else None,
        low=ends.low if known else None,
        high=ends.high if known else None,
        level=level,
        unit=unit,
        method=ends.method,
        n=n,
        standard_error=math.sqrt(found.variance) if known and found.variance > 0 else None,
        note=note if known else "not estimable: there are no labels",
    )
    se, sp = error.sensitivity.point, error.specificity.point
    rate, false = error.sensitivity_draws, error.false_positive_draws
    if not known or not error.informative or se is None or sp is None or not rate or not false:
        return _none(apparent, error)
    raw = rogan_gladen(share, false_positive=1 - sp, sensitivity=se)
    wider = share_interval(with_false_positives(found, error), level=level)
    low, high = melded_interval(
        _share_draws(share, wider, level, len(rate.low), seed),
        false_positive=_as_many(false, len(rate.low)),
        sensitivity=rate,
        level=level,
    )
    point = min(1.0, max(0.0, raw))
    method = METHOD
    if wider.method.endswith(REACHING):
        # Draws know the spread only; one more positive label would lift the share beyond it.
        reach = rogan_gladen(wider.high, false_positive=1 - sp, sensitivity=se)
        high, method = max(high, min(1.0, reach)), f"{METHOD}, {REACHING}"
    estimate = Estimate(
        point=point,
        low=min(low, point),
        high=max(high, point),
        level=level,
        unit=unit,
        method=method,
        n=n,
        note=note,
    )
    return CorrectedPrevalence(
        estimate=estimate, apparent=apparent, error=error, check=_check(raw, estimate, apparent)
    )


def _labels(sample: LabelledSample, error: RaterError) -> tuple[LabelledSample, FloatArray]:
    if error.of == "label":
        return sample, sample.label
    sample = sample.take(np.flatnonzero((~np.isnan(sample.votes)).any(axis=1)))
    return sample, np.nanmean(sample.votes, axis=1) if sample.n else sample.label


def _share_draws(
    share: float, interval: ShareInterval, level: float, draws: int, seed: int
) -> ConfidenceDraws:
    random = np.random.default_rng([seed, 1])
    if math.isinf(interval.n):
        return ConfidenceDraws(low=np.full(draws, share), high=np.full(draws, share))
    n = interval.n
    if math.isnan(n):
        # All labels alike: as many simple random ones as have the same exact bound.
        bound = interval.high if share == 0 else 1 - interval.low
        n = math.log(1 - level) / math.log1p(-bound) if bound > 0 else math.inf
        if math.isinf(n):
            return ConfidenceDraws(low=np.full(draws, share), high=np.full(draws, share))
    return binomial_draws(share * n, n, draws=draws, random=random)


def _as_many(draws: ConfidenceDraws, m: int) -> ConfidenceDraws:
    return ConfidenceDraws(low=np.resize(draws.low, m), high=np.resize(draws.high, m))


def _none(apparent: Estimate, error: RaterError) -> CorrectedPrevalence:
    if apparent.point is None:
        why = "there are no labels"
    elif error.sensitivity.point is None or error.specificity.point is None:
        why = "how often labels are wrong is not known"
    else:
        why = "labels are no better than chance (sensitivity + specificity ≤ 1)"
    estimate = Estimate(point=None, low=None, high=None, level=apparent.level, unit=apparent.unit,
                        method=METHOD, n=apparent.n, note=f"not estimable: {why}")  # fmt: skip
    check = Check(name="rater_correction", verdict="not_run", label="not corrected",
                  text=f"The share is not corrected for rater error: {why}.")  # fmt: skip
    return CorrectedPrevalence(estimate=estimate, apparent=apparent, error=error, check=check)


def _check(raw: float, estimate: Estimate, apparent: Estimate) -> Check:
    name = "rater_correction"
    told = (
        f"Corrected for rater error the share is {percent(estimate.point)}; the labels alone "
        f"show {percent(apparent.point)}."
    )
    if raw < 0:
        return Check(name=name, verdict="warn", label="cut at zero",
                     text="Wrong labels alone would give more positives than were seen. The "
                     "corrected share is cut at 0; its upper end is what counts.")  # fmt: skip
    if raw > 1:
        return Check(name=name, verdict="warn", label="cut at one",
                     text="Even if every item were violating, fewer positives would be seen. The "
                     "corrected share is cut at 1; its lower end is what counts.")  # fmt: skip
    if estimate.low == 0:
        return Check(name=name, verdict="warn", label="could be rater error alone",
                     text=told + " Wrong labels alone could explain all of it.")  # fmt: skip
    return Check(name=name, verdict="pass", label="rater error corrected", text=told)
