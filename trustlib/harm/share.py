"""A share of the population from weighted labels, with Wilson's interval on effective labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trustlib.harm.sample import FloatArray, LabelledSample, Population
from trustlib.stats.horvitz_thompson import StratifiedShare, sampled_fraction, stratified_share
from trustlib.stats.wilson import none_seen, wilson

Of = Literal["items", "views"]

WILSON = "stratified Wilson on the effective number of labels"
REACHING = "reaching to one more positive"
NONE_SEEN = "exact bound, all labels alike (rule of three)"


@dataclass(frozen=True, kw_only=True)
class ShareInterval:
    """Ends of a share's interval, the effective number of labels, and how they were found."""

    low: float
    high: float
    n: float
    method: str


def estimated(
    sample: LabelledSample, population: Population, *, label: FloatArray, of: Of, cluster: bool
) -> StratifiedShare:
    """The share of `label` (n,), which may be other than the sample's own."""
    return stratified_share(
        label,
        stratum=sample.stratum,
        mass=mass(sample, of),
        fraction=fraction(sample, population),
        totals=population.totals(of),
        cluster=sample.cluster if cluster else None,
    )


def share_interval(found: StratifiedShare, *, level: float) -> ShareInterval:
    """Wilson's on the effective number of labels, or the exact bound at 0 and 1.

    The upper end reaches at least as far as `one_more` positive label would lift the share.
    """
    share, variance = found.share, found.variance
    if math.isnan(share):
        return ShareInterval(low=math.nan, high=math.nan, n=math.nan, method=WILSON)
    labelled = found.weight > 0
    if share in (0.0, 1.0):
        bound = none_seen(n=found.looks[labelled], weight=found.weight[labelled], level=level)
        low, high = (0.0, bound) if share == 0 else (1 - bound, 1.0)
        return ShareInterval(low=low, high=high, n=math.nan, method=NONE_SEEN)
    if variance <= 0 and np.isfinite(found.looks[labelled]).any():
        # Every stratum is all of one kind: half a label of each kind is added to have a spread.
        looks, rate = found.looks[labelled], found.of_stratum[labelled]
        finite = np.isfinite(looks)
        smooth = (rate[finite] * looks[finite] + 0.5) / (looks[finite] + 1)
        spread = smooth * (1 - smooth) / looks[finite]
        variance = float(np.sum(found.weight[labelled][finite] ** 2 * spread))
    n = effective_n(share, variance=variance, labels=int(found.n.sum()))
    low, high = wilson(share, n=n, level=level)
    reach = min(1.0, share + one_more(found))
    if reach > high:
        return ShareInterval(low=low, high=reach, n=n, method=f"{WILSON}, {REACHING}")
    return ShareInterval(low=low, high=high, n=n, method=WILSON)


def one_more(found: StratifiedShare) -> float:
    """What one violating label would add to the share, in the stratum where it adds most.

    Only strata with labels but no positive are looked at; 0 where there are none. The interval
    reaches at least so far: such strata lend it no spread, and where few labels stand for many
    items it would miss the truth far too often (tests/studies/prevalence_coverage.md).
    """
    empty = (found.of_stratum == 0) & (found.n > 0) & np.isfinite(found.looks)
    return float((found.weight[empty] / found.n[empty]).max(initial=0.0))


def effective_n(share: float, *, variance: float, labels: int) -> float:
    """Labels of a simple random sample with this variance: n over Kish's design effect."""
    if variance <= 0:
        return math.inf
    simple = share * (1 - share) / max(labels - 1, 1)
    return labels * simple / variance


def mass(sample: LabelledSample, of: Of) -> FloatArray:
    """(n,) how many items, or views, of the population each label stands for."""
    return (sample.views if of == "views" else 1.0) / sample.inclusion


def fraction(sample: LabelledSample, population: Population) -> FloatArray:
    """(n,) the part of the population's items that each label stands for."""
    return sampled_fraction(
        stratum=sample.stratum, inclusion=sample.inclusion, units=population.items
    )
