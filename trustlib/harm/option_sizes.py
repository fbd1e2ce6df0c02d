"""What an option would do, from a labelled sample: harm it would add, and its mistakes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from trustlib.core import Estimate
from trustlib.harm.options import Kind, Option
from trustlib.harm.sample import LabelledSample, Population, matching
from trustlib.harm.weighted_ratio import (
    GAMMA,
    WeightedSum,
    expansion,
    sum_interval,
    unseen_part,
    weighted_sum,
)


def option_from_sample(
    sample: LabelledSample,
    population: Population,
    *,
    name: str,
    kind: Kind,
    flagged: npt.ArrayLike,
    caught: npt.ArrayLike,
    worth: npt.ArrayLike | None = None,
    most: float | None = None,
    unit: str = "violating items",
    level: float = 0.95,
    cluster: bool = True,
) -> Option:
    """An option that would act on the items in `flagged`, on top of what acts today.

    Parameters
    ----------
    flagged, caught
        (n,) whether the option would act on the labelled item; whether a control does today.
    worth
        (n,) harm of each item if it is violating, severity times views for example, see
        `Taxonomy.worth`; None: 1.
    most
        Items of the population that the option would hit at all, where that is known: neither the
        violating items among them nor the others are more.
    unit
        Of the harm.

    Returns
    -------
    An option with the harm of the violating and the count of the other items that only it would
    act on. Where the sample has no label of what it would act on, neither is estimable.

    Raises
    ------
    ValueError
        If lengths differ, a worth is below 0, or the strata are not the population's.
    """
    matching(sample, population)
    parts = (np.asarray(flagged, bool), np.asarray(caught, bool))
    value = np.ones(sample.n) if worth is None else np.asarray(worth, dtype=float)
    if any(len(part) != sample.n for part in (*parts, value)):
        raise ValueError(f"option_from_sample: one value for each of {sample.n:,} labels is needed")
    if not (np.isfinite(value) & (value >= 0)).all():
        raise ValueError("option_from_sample: worth is 0 or more")
    new, bad = parts[0] & ~parts[1], sample.label > 0
    weight, unseen = expansion(sample, population, "items"), unseen_part(sample, population)
    group = sample.cluster if cluster else np.arange(sample.n)
    sums, clustered = [], []
    for labels, worths in ((bad & new, value), (~bad & new, np.ones(sample.n))):
        amounts = weight * worths
        sums.append(
            weighted_sum(
                labels,
                weight=amounts,
                unseen=unseen,
                cluster=group,
                stratum=sample.stratum,
                possible=new,
            )
        )
        clustered.append(np.bincount(group, amounts * np.sqrt(unseen) * labels))
    limit = math.inf if most is None else float(most)
    product = math.sqrt(sums[0].variance * sums[1].variance)
    correlation = float(clustered[0] @ clustered[1]) / product if product > 0 else 0.0
    n = int(new.sum())
    return Option(
        name=name,
        kind=kind,
        # Items count as one each; how much other worths add up to is not known.
        harm=_estimate(sums[0], n, unit, level, limit if worth is None else math.inf),
        false_positives=_estimate(sums[1], n, "items", level, limit),
        correlation=min(1.0, correlation),
    )


def _estimate(found: WeightedSum, n: int, unit: str, level: float, limit: float) -> Estimate:
    if not n:
        return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=GAMMA, n=0,
                        note="not estimable: no label of what it would act on")  # fmt: skip
    low, high = sum_interval(found, level=level)
    method = GAMMA if high <= limit else f"{GAMMA}, at most the items that are known"
    low, point, high = (min(end, limit) for end in (low, found.total, high))
    return Estimate(point=point, low=low, high=high, level=level, unit=unit, method=method, n=n)
