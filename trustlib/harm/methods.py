"""The same labels under other methods, so that a reader sees what the choice does."""

from __future__ import annotations

import math

import pandas as pd

from trustlib.core import Estimate
from trustlib.harm.sample import LabelledSample, Population
from trustlib.harm.share import Of, effective_n, fraction, mass
from trustlib.stats.horvitz_thompson import StratifiedShare, horvitz_thompson, linearised_variance
from trustlib.stats.wilson import wald, wilson


def methods_table(
    sample: LabelledSample,
    population: Population,
    found: StratifiedShare,
    estimate: Estimate,
    *,
    of: Of,
) -> pd.DataFrame:
    """Rows of method, point, low, high, note; the estimate's own first."""
    columns = ["method", "point", "low", "high", "note"]
    if estimate.point is None:
        return pd.DataFrame(columns=columns)
    label, weighs, level = sample.label, mass(sample, of), estimate.level
    n, plain = sample.n, float(label.mean())
    rows: list[tuple[str, float, float | None, float | None, str]] = [
        (estimate.method, estimate.point, estimate.low, estimate.high, "the estimate"),
        ("stratified Wald", found.share,
         *wald(found.share, variance=found.variance, level=level),
         "too narrow where positives are rare"),
    ]  # fmt: skip
    alone = linearised_variance(
        found.influence,
        stratum=sample.stratum,
        fraction=fraction(sample, population),
        cluster=None,
        n=found.n,
    )
    if 0 < found.share < 1:
        looks = effective_n(found.share, variance=alone, labels=int(found.n.sum()))
        rows.append(("stratified Wilson, every label for itself", found.share,
                     *wilson(found.share, n=looks, level=level),
                     "ignores that one actor posts many items"))  # fmt: skip
    total = horvitz_thompson(weighs * sample.inclusion * label, inclusion=sample.inclusion)
    rows.append(("Horvitz–Thompson, not post-stratified",
                 total / float(population.totals(of).sum()), math.nan, math.nan,
                 "does not use the strata's known totals"))  # fmt: skip
    wrong = "wrong: ignores how the sample was drawn"
    simple = plain * (1 - plain) / n
    rows.append(("simple random Wald", plain, *wald(plain, variance=simple, level=level), wrong))
    rows.append(("simple random Wilson", plain, *wilson(plain, n=n, level=level), wrong))
    return pd.DataFrame(rows, columns=columns)
