"""Prevalence in each value of a segment (market, surface, kind …), with what few labels allow.

Where every stratum that a value has items in has labels of it too, the value is a small
population of its own and post-stratified like the whole. Where labels of some stratum are
missing, its labels are taken together by their weights (the combined ratio): less precise, but
nothing is left out. Intervals are those of `trustlib.harm.share`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.core.format import plural
from trustlib.harm.corrected import correct
from trustlib.harm.rater_error import RaterError
from trustlib.harm.sample import FloatArray, LabelledSample, Population, matching
from trustlib.harm.share import Of, estimated, fraction, mass, share_interval
from trustlib.stats.horvitz_thompson import StratifiedShare, linearised_variance

FEW_LABELS = 30
FEW_POSITIVES = 5

POST_STRATIFIED = "post-stratified"
COMBINED = "combined ratio"


def prevalence_by(
    sample: LabelledSample,
    population: Population,
    name: str,
    *,
    level: float = 0.95,
    of: Of = "items",
    cluster: bool = True,
) -> pd.DataFrame:
    """One row per value of segment `name`, in the order of its names.

    Returns
    -------
    DataFrame
        value, labelled, positive, population, share, low, high, effective_n, total, total_low,
        total_high, method, note. Without labels share and total are NaN, and the note says so.

    Raises
    ------
    ValueError
        If there is no such segment in the sample or the population, or they differ in values.
    """
    matching(sample, population)
    _same_values(sample, population, name)
    sample = sample.in_order()
    rows = []
    for code, value in enumerate(sample.segment_names[name]):
        found, method = segment_share(
            sample, population, name, code, label=sample.label, of=of, cluster=cluster
        )
        ends = share_interval(found, level=level)
        inside = (sample.segments[name] == code) & (mass(sample, of) > 0)
        known = float(population.within(name, code).totals(of).sum())
        positive = int(sample.label[inside].sum())
        rows.append(
            {
                "value": value,
                "labelled": int(inside.sum()),
                "positive": positive,
                "population": known,
                "share": found.share,
                "low": ends.low,
                "high": ends.high,
                "effective_n": ends.n,
                "total": found.share * known,
                "total_low": ends.low * known,
                "total_high": ends.high * known,
                "method": method,
                "note": _note(int(inside.sum()), positive, known, of),
            }
        )
    return pd.DataFrame(rows)


def corrected_prevalence_by(
    sample: LabelledSample,
    population: Population,
    name: str,
    errors: Mapping[str, RaterError],
    *,
    level: float = 0.95,
    of: Of = "items",
    cluster: bool = True,
    seed: int = 0,
) -> pd.DataFrame:
    """Like `prevalence_by`, corrected with the rater error of each value.

    `errors` holds errors of labels, by value; a value without one is not estimable.

    Returns
    -------
    DataFrame
        value, labelled, apparent, sensitivity, specificity, share, low, high, note.

    Raises
    ------
    ValueError
        As `prevalence_by`, and for errors of single votes.
    """
    matching(sample, population)
    _same_values(sample, population, name)
    if any(error.of != "label" for error in errors.values()):
        raise ValueError("corrected_prevalence_by: errors of labels are needed, not of votes")
    sample = sample.in_order()
    rows = []
    for code, value in enumerate(sample.segment_names[name]):
        found, _ = segment_share(
            sample, population, name, code, label=sample.label, of=of, cluster=cluster
        )
        error = errors.get(value)
        row = {"value": value, "labelled": int(found.n.sum()), "apparent": found.share}
        if error is None:
            note = "not estimable: how often labels are wrong here is not known"
            rows.append(row | dict.fromkeys(_CORRECTED, math.nan) | {"note": note})
            continue
        made = correct(found, error, level=level, unit=f"share of {of}", seed=seed)
        values = (error.sensitivity.point, error.specificity.point, made.estimate.point,
                  made.estimate.low, made.estimate.high)  # fmt: skip
        numbers = [math.nan if value is None else value for value in values]
        cut = made.check.text if made.check.label.startswith("cut") else ""
        row |= dict(zip(_CORRECTED, numbers, strict=True))
        rows.append(row | {"note": made.estimate.note or cut})
    return pd.DataFrame(rows)


_CORRECTED = ("sensitivity", "specificity", "share", "low", "high")


def segment_share(
    sample: LabelledSample,
    population: Population,
    name: str,
    code: int,
    *,
    label: FloatArray,
    of: Of,
    cluster: bool,
) -> tuple[StratifiedShare, str]:
    """The share in one value of a segment, and how it was put together."""
    rows = sample.segments[name] == code
    own = population.within(name, code)
    # Labels in a stratum where the totals know of no item: the weights decide, not the totals.
    labelled = np.bincount(sample.stratum[rows & (mass(sample, of) > 0)], minlength=len(own.strata))
    if (labelled[own.totals(of) > 0] > 0).all() and (own.items[labelled > 0] > 0).all():
        inside = sample.take(rows)
        own_share = estimated(inside, own, label=label[rows], of=of, cluster=cluster)
        return own_share, POST_STRATIFIED
    return _combined(sample, population, rows, label=label, of=of, cluster=cluster), COMBINED


def _combined(
    sample: LabelledSample,
    population: Population,
    rows: np.ndarray,
    *,
    label: FloatArray,
    of: Of,
    cluster: bool,
) -> StratifiedShare:
    """Σ w y / Σ w over the segment's labels, weights scaled to the strata's known totals."""
    strata = len(population.strata)
    whole = estimated(sample, population, label=label, of=of, cluster=cluster)
    weight = mass(sample, of)
    sums = np.bincount(sample.stratum, weight, minlength=strata)
    scale = np.divide(population.totals(of), sums, out=np.zeros(strata), where=sums > 0)
    weight = weight * scale[sample.stratum] * rows
    total = float(weight.sum())
    n = np.bincount(sample.stratum[weight > 0], minlength=strata)
    if not total > 0:
        empty = np.full(strata, np.nan)
        return replace(whole, share=math.nan, variance=math.nan, covered=0.0, of_stratum=empty,
                       weight=np.zeros(strata), n=n, looks=np.zeros(strata),
                       influence=np.zeros(sample.n))  # fmt: skip
    share = min(1.0, max(0.0, float(np.sum(weight * label)) / total))
    influence = weight * (label - share) / total
    spread = fraction(sample, population)
    variance = linearised_variance(
        influence,
        stratum=sample.stratum,
        fraction=spread,
        cluster=sample.cluster if cluster else None,
        n=np.bincount(sample.stratum, minlength=strata),
    )
    # The segment's labels stand as one stratum: how large its parts are is not known here.
    looks = total**2 / float(np.sum(weight**2))
    first = np.arange(strata) == 0
    return replace(
        whole,
        share=share,
        variance=variance,
        covered=1.0,
        of_stratum=np.where(first, share, np.nan),
        weight=first.astype(float),
        n=n,
        looks=np.where(first, looks, 0.0),
        influence=influence,
    )


def _note(labelled: int, positive: int, population: float, of: Of) -> str:
    if not population > 0 and not labelled:
        return f"no {of} in the window"
    if not labelled:
        return "not estimable: no labels here"
    if not positive:
        return f"no positive among {plural(labelled, 'label')}: only the upper end counts"
    if labelled < FEW_LABELS or positive < FEW_POSITIVES:
        return f"{positive} of {plural(labelled, 'label')} positive: read the interval only"
    return ""


def _same_values(sample: LabelledSample, population: Population, name: str) -> None:
    if name not in sample.segments:
        raise ValueError(f"there is no segment {name} in the sample")
    if name not in population.by_segment or name not in population.views_by_segment:
        raise ValueError(f"there are no totals by segment {name} in the population")
    there = len(population.by_segment[name])
    if there != len(sample.segment_names[name]):
        raise ValueError(
            f"segment {name} has {len(sample.segment_names[name])} values in the sample and "
            f"{there} in the population"
        )
