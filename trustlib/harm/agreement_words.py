"""What may be said of rater agreement: estimates, why one is lacking, and the verdict."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trustlib.core import Check, Estimate
from trustlib.core.format import percent, plural
from trustlib.stats.wilson import clopper_pearson

FloatArray = npt.NDArray[np.float64]

FEW_ITEMS = 50
HIGH, LOW = 0.9, 0.6  # agreement that looks good, and κ that does not
LOST = 0.05  # of the resamples may have votes in one category only

_BOOTSTRAP = "items resampled, percentiles"
_ONE_KIND = "every vote is in the same category, so chance alone would agree as much"
_NO_PAIR = "no item has two votes"


def resampled(values: FloatArray, *, name: str, unit: str, level: float, n: int) -> Estimate:
    """An Estimate from (1 + draws,) values: the observed one first, NaN where undefined."""
    point, drawn = float(values[0]), values[1:][~np.isnan(values[1:])]
    method, low, high, note = f"{name}, {_BOOTSTRAP}", None, None, None
    if np.isnan(point):
        note = f"not estimable: {_ONE_KIND if n else _NO_PAIR}"
    elif n == 1:
        note = "interval not estimable: a single item has two votes"
    elif len(drawn) < (1 - LOST) * (len(values) - 1):
        note = (
            "interval not estimable: too few items are outside the most frequent category, many "
            "resamples have none"
        )
    elif np.ptp(drawn) < 1e-12:
        note = "interval not estimable: all items agree alike, so resampling them shows no spread"
    else:
        ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
        low, high = min(float(ends[0]), point), max(float(ends[1]), point)
    return Estimate(
        point=None if np.isnan(point) else point,
        low=low,
        high=high,
        level=level,
        unit=unit,
        method=method,
        n=n,
        note=note,
    )


def of_agreeing_items(share: Estimate, level: float) -> Estimate:
    """The exact interval of items that all agree (or none): resampling would say ± 0."""
    assert share.point is not None
    low, high = clopper_pearson(share.point, n=share.n, level=level)
    return Estimate(point=share.point, low=low, high=high, level=level, unit=share.unit,
                    method="per cent agreement, Clopper–Pearson on items", n=share.n)  # fmt: skip


def agreement_check(
    *,
    percent_agreement: Estimate,
    fleiss_kappa: Estimate,
    krippendorff_alpha: Estimate,
    gwet_ac1: Estimate,
) -> Check:
    """rater_agreement: whether raters agree beyond chance, on all categories, on enough items."""
    name, n = "rater_agreement", percent_agreement.n
    share, kappa, ac1 = percent_agreement.point, fleiss_kappa.point, gwet_ac1.point
    if share is None:
        return Check(name=name, verdict="not_run", label="no item rated twice",
                     text=f"Whether raters agree is not known: {_NO_PAIR}.")  # fmt: skip
    told = f"Two raters of one item agree in {percent(share)} of cases ({plural(n, 'item')})"
    if kappa is None:
        return Check(name=name, verdict="warn", label="one category only",
                     text=f"{told}, and {_ONE_KIND}.")  # fmt: skip
    told += f"; beyond chance that is κ {kappa:.2f}"
    told += "" if ac1 is None else f", AC1 {ac1:.2f}"
    if share >= HIGH and kappa < LOW:
        return Check(name=name, verdict="warn", label="agreement on the common category",
                     text=f"{told}. Raters agree where nearly every item is the same; on the rare "
                     "category they often do not.")  # fmt: skip
    if fleiss_kappa.low is not None and fleiss_kappa.low <= 0:
        return Check(name=name, verdict="fail", label="agreement may be chance",
                     text=f"{told}. It could be chance alone.")  # fmt: skip
    if n < FEW_ITEMS:
        return Check(name=name, verdict="warn", label="few items rated twice",
                     text=f"{told}. That is few items.")  # fmt: skip
    if kappa < LOW:
        return Check(name=name, verdict="warn", label="raters often disagree", text=f"{told}.")
    return Check(name=name, verdict="pass", label="raters agree", text=f"{told}.")
