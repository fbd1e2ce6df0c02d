"""What each stratum of the sample says, and what strata without a positive label could hide."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.harm.sample import LabelledSample, Population
from trustlib.harm.share import Of, estimated, share_interval
from trustlib.stats.horvitz_thompson import StratifiedShare
from trustlib.stats.wilson import none_seen


def stratum_table(
    sample: LabelledSample,
    population: Population,
    found: StratifiedShare,
    *,
    level: float,
    of: Of,
    cluster: bool,
) -> pd.DataFrame:
    """One row per stratum: stratum, labelled, positive, population, share, low, high, weight.

    `weight` is the stratum's part of the covered population. Without labels there is no share.
    """
    rows = []
    totals = population.totals(of)
    for code, name in enumerate(population.strata):
        inside = sample.take(sample.stratum == code)
        own = estimated(inside, population, label=inside.label, of=of, cluster=cluster)
        ends = share_interval(own, level=level)
        rows.append((name, int(own.n[code]), int(inside.label[_weighed(inside, of)].sum()),
                     float(totals[code]), own.share, ends.low, ends.high,
                     float(found.weight[code])))  # fmt: skip
    columns = [
        "stratum", "labelled", "positive", "population", "share", "low", "high", "weight",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def zero_strata(
    table: pd.DataFrame, found: StratifiedShare, *, level: float
) -> tuple[tuple[str, ...], float]:
    """Names of the strata with labels but no positive, and the most they could add to the share.

    The bound is exact for all of them together, see `trustlib.stats.wilson.none_seen`. Strata
    that were labelled in full add nothing.
    """
    empty = (found.n > 0) & (table["positive"] == 0).to_numpy() & np.isfinite(found.looks)
    bound = none_seen(n=found.looks[empty], weight=found.weight[empty], level=level)
    return tuple(table["stratum"][empty]), bound


def unlabelled(table: pd.DataFrame) -> tuple[str, ...]:
    """Names of the strata that have a population but no labels."""
    return tuple(table["stratum"][(table["labelled"] == 0) & (table["population"] > 0)])


def _weighed(sample: LabelledSample, of: Of) -> np.ndarray:
    return sample.views > 0 if of == "views" else np.ones(sample.n, dtype=bool)
