"""How much of what people post, or see, is violating: a share with an honest interval.

The sample is stratified, with known inclusion probabilities; shares of strata are Hájek's, put
together by the population's totals (`trustlib.stats.horvitz_thompson`). The interval is Wilson's
on the effective number of labels, n over the design effect, which keeps its coverage where
positives are rare and the plain normal interval does not (tests/studies/prevalence_coverage.md).
Prevalence in views weighs every item by its views; labels of one actor are counted together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.harm.methods import methods_table
from trustlib.harm.prevalence_checks import checks
from trustlib.harm.sample import LabelledSample, Population, matching
from trustlib.harm.share import WILSON, Of, ShareInterval, estimated, mass, share_interval
from trustlib.harm.strata import stratum_table, unlabelled, zero_strata
from trustlib.stats.horvitz_thompson import StratifiedShare


@dataclass(frozen=True, kw_only=True, eq=False)
class Prevalence:
    """A share of items or views, and what it rests on.

    Attributes
    ----------
    of
        "items" or "views".
    estimate
        The share, 0 to 1; of the strata that have labels.
    total
        Violating items or views in the window.
    by_stratum
        stratum, labelled, positive, population, share, low, high, weight (part of the covered
        population). Without labels share, low and high are NaN.
    effective_n, design_effect
        Simple random labels that would be as precise; n over that. Infinite and 0 where the
        whole population is labelled; NaN without a positive label.
    zero_strata, zero_strata_bound
        Names of strata with labels but no positive, and the most that they could add to the
        share (exact, at `level`).
    unlabelled_strata, covered
        Names of strata without labels, and the part of the population that has them.
    methods
        method, point, low, high, note; the estimate's first.
    checks
        One per assumption.
    labels, positives, actors
        Counts: labels that weigh something, those of them that are violating, known actors
        behind these.
    """

    of: Of
    estimate: Estimate
    total: Estimate
    by_stratum: pd.DataFrame
    effective_n: float
    design_effect: float
    zero_strata: tuple[str, ...]
    zero_strata_bound: float
    unlabelled_strata: tuple[str, ...]
    covered: float
    methods: pd.DataFrame
    checks: tuple[Check, ...]
    labels: int
    positives: int
    actors: int


def prevalence(
    sample: LabelledSample,
    population: Population,
    *,
    level: float = 0.95,
    of: Of = "items",
    cluster: bool = True,
) -> Prevalence:
    """The share of violating items, or of views of violating items, in the population.

    Parameters
    ----------
    cluster
        Count the labels of one actor together. On top of a sample of single items this is
        cautious: it lets the actors be a sample too.

    Raises
    ------
    ValueError
        If the sample's strata are not the population's, or the population is empty.
    """
    matching(sample, population)
    totals = population.totals(of)
    if not totals.sum() > 0:
        raise ValueError(f"prevalence: the population has no {of}")
    sample = sample.in_order()
    found = estimated(sample, population, label=sample.label, of=of, cluster=cluster)
    interval = share_interval(found, level=level)
    weighed = mass(sample, of) > 0
    positive = weighed & (sample.label > 0)
    estimate = _estimate(found, interval, level, of, int(weighed.sum()))
    table = stratum_table(sample, population, found, level=level, of=of, cluster=cluster)
    zero, bound = zero_strata(table, found, level=level)
    return Prevalence(
        of=of,
        estimate=estimate,
        total=_total(estimate, float(totals.sum()) * found.covered, of),
        by_stratum=table,
        effective_n=interval.n,
        design_effect=float(weighed.sum()) / interval.n if interval.n > 0 else math.nan,
        zero_strata=zero,
        zero_strata_bound=bound,
        unlabelled_strata=unlabelled(table),
        covered=found.covered,
        methods=methods_table(sample, population, found, estimate, of=of),
        checks=checks(sample, population, found, table, level=level, of=of),
        labels=int(weighed.sum()),
        positives=int(positive.sum()),
        actors=len(np.unique(sample.actor[positive & (sample.actor >= 0)])),
    )


def _estimate(
    found: StratifiedShare, interval: ShareInterval, level: float, of: Of, n: int
) -> Estimate:
    unit = f"share of {of}"
    if math.isnan(found.share):
        return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=WILSON,
                        n=n, note="not estimable: there are no labels")  # fmt: skip
    note = None
    if found.covered < 1:
        note = "only of the strata that have labels"
    return Estimate(
        point=found.share,
        low=interval.low,
        high=interval.high,
        level=level,
        unit=unit,
        method=interval.method,
        n=n,
        standard_error=math.sqrt(found.variance) if found.variance > 0 else None,
        note=note,
    )


def _total(estimate: Estimate, covered: float, of: Of) -> Estimate:
    """The count that a share of `covered` items or views is."""

    def times(value: float | None) -> float | None:
        return None if value is None else value * covered

    return Estimate(
        point=times(estimate.point),
        low=times(estimate.low),
        high=times(estimate.high),
        level=estimate.level,
        unit=of,
        method=f"{estimate.method}, times the population",
        n=estimate.n,
        standard_error=times(estimate.standard_error),
        note=estimate.note,
    )
