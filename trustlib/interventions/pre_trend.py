"""Did the groups move together before: the joint test, and what it could not have seen.

The Wald statistic of all pre-treatment effects, W = b'V⁻¹b, is that of Callaway and Sant'Anna
(2021) and R's ``did``. A test that passes says little by itself (Roth 2022): so the linear
difference in trends that it would have found with probability 50 and 80 % is given too, with
the bias that such a trend would put into the average effect if it went on.

With q effects and C clusters, W is chi-square where C ≥ 50 q. Below, V is a matter of few
clusters: each cohort's part is scaled by n/(n − 1), and W (d − q + 1) / (q d) is compared with
F(q, d − q + 1) (Hotelling), with the joint degrees of freedom d of `trustlib.stats.welch`. Where
there are so many pre-treatment cells that V is hardly estimated at all, they are averaged
first: by event time, and if those are still too many, to one slope.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trustlib.core import Check, format
from trustlib.interventions.group_time import GroupTime
from trustlib.interventions.panel import FloatArray, Panel
from trustlib.interventions.randomization import cluster_starts
from trustlib.stats.multiplier_bootstrap import cluster_sums
from trustlib.stats.welch import joint_welch

ASYMPTOTIC = 50  # clusters per effect from which on chi-square is exact enough
FEWEST = 4  # clusters of the smaller kind per effect, for a joint test of that many
MISSED = 0.8  # the power at which a trend counts as found: it is missed one time in five


@dataclass(frozen=True, kw_only=True)
class PreTrend:
    """The joint test of the effects before treatment, and its power against a linear trend.

    Attributes
    ----------
    statistic, degrees, p_value, distribution
        Wald W; q; its p-value; "chi-square" or "F". None where it could not be run.
    basis
        What was tested: "group-time cells", "event times" or "one slope".
    clusters
        C.
    slope, slope_standard_error
        The linear difference in trends before treatment, outcome units per period.
    slope_50, slope_80
        Slopes that the test finds with 50 and 80 % probability.
    distance
        Periods between the average treated cell and its base: a slope's bias over the slope.
    effect
        That the bias is compared with.
    level
        1 − the size of the test.
    reason
        Why it was not run.
    """

    statistic: float | None
    degrees: int
    p_value: float | None
    distribution: str
    basis: str
    clusters: int
    slope: float | None
    slope_standard_error: float | None
    slope_50: float | None
    slope_80: float | None
    distance: float
    effect: float
    level: float
    reason: str | None = None

    @property
    def bias_80(self) -> float | None:
        """What a trend that is missed one time in five would put into the effect."""
        return None if self.slope_80 is None else self.slope_80 * self.distance


def pre_trend(
    cells: GroupTime,
    *,
    effect: float | None = None,
    distance: float | None = None,
    level: float = 0.95,
) -> PreTrend:
    """Test the pre-treatment cells of `cells`, whatever their base period.

    Parameters
    ----------
    effect
        The headline; None: the simple average of `cells`.
    distance
        Of the headline's treated cells from their base; None: that of the simple average.
    """
    point, average = _simple(cells)
    effect = point if effect is None else effect
    distance = average if distance is None else distance
    for basis, weights, drift in _bases(cells):
        covariance, free = _joint(cells, weights)
        values = weights.T @ np.where(np.isnan(cells.point), 0.0, cells.point)
        if free <= len(values) or not _regular(covariance):
            continue
        return _tested(
            values, covariance, drift, free, basis=basis, clusters=cells.panel.n_clusters,
            effect=effect, distance=distance, level=level,
        )  # fmt: skip
    return PreTrend(
        statistic=None,
        degrees=0,
        p_value=None,
        distribution="",
        basis="",
        clusters=cells.panel.n_clusters,
        slope=None,
        slope_standard_error=None,
        slope_50=None,
        slope_80=None,
        distance=distance,
        effect=effect,
        level=level,
        reason=_why_not(cells),
    )


def _tested(
    values: FloatArray,
    covariance: FloatArray,
    drift: FloatArray,
    free: float,
    *,
    basis: str,
    clusters: int,
    effect: float,
    distance: float,
    level: float,
) -> PreTrend:
    statistic = float(values @ np.linalg.solve(covariance, values))
    information = float(drift @ np.linalg.solve(covariance, drift))
    slope = float(drift @ np.linalg.solve(covariance, values)) / information
    q = len(values)
    found = [
        float(np.sqrt(_noncentrality(power, q, free, level) / information))
        for power in (0.5, MISSED)
    ]
    return PreTrend(
        statistic=statistic,
        degrees=q,
        p_value=_p_value(statistic, q, free),
        distribution="F" if np.isfinite(free) else "chi-square",
        basis=basis,
        clusters=clusters,
        slope=slope,
        slope_standard_error=information**-0.5,
        slope_50=found[0],
        slope_80=found[1],
        distance=distance,
        effect=effect,
        level=level,
    )


def _joint(cells: GroupTime, weights: FloatArray) -> tuple[FloatArray, float]:
    """(q, q) covariance and its degrees of freedom, infinite with many clusters."""
    panel = cells.panel
    sums = cluster_sums(cells.influence_of(weights), panel.cluster) / panel.n_units
    if panel.n_clusters >= ASYMPTOTIC * weights.shape[1]:
        return sums.T @ sums, float("inf")
    start = cluster_starts(panel)
    if start is None:
        return sums.T @ sums, panel.n_clusters - 1.0
    return joint_welch(sums, start)


def _p_value(statistic: float, q: int, free: float) -> float:
    from scipy.special import chdtrc, fdtrc

    if np.isinf(free):
        return float(chdtrc(q, statistic))
    rest = free - q + 1
    return float(fdtrc(q, rest, statistic * rest / (q * free)))


def _noncentrality(power: float, q: int, free: float, level: float) -> float:
    """Of W at which the test rejects with probability `power`."""
    from scipy.optimize import brentq
    from scipy.special import chdtri, chndtr, fdtri, ncfdtr

    rest = free - q + 1
    critical = chdtri(q, 1 - level) if np.isinf(free) else fdtri(q, rest, level)

    def short(noncentrality: float) -> float:
        if np.isinf(free):
            return float(1 - chndtr(critical, q, noncentrality) - power)
        return float(1 - ncfdtr(q, rest, noncentrality, critical) - power)

    return float(brentq(short, 1e-9, 1e3))


def _bases(cells: GroupTime) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """What may be tested, finest first: name, weights (m, q), effect of a unit slope (q,)."""
    panel = cells.panel
    before = cells.event_time < -cells.anticipation
    usable = before & ~cells.reference & ~np.isnan(cells.point)
    at = np.flatnonzero(usable)
    if not len(at):
        return
    drift = _drift(cells)
    share = np.array([panel.unit_weight[panel.first_treated == g].sum() for g in cells.group])
    clusters = np.array([_clusters(panel, panel.first_treated == g) for g in cells.group])
    others = _clusters(panel, panel.never) or panel.n_clusters
    each = np.unique(cells.group[at], return_counts=True)[1].max()
    if each * FEWEST <= clusters[at].min() and len(at) * FEWEST <= others:
        yield "group-time cells", np.eye(len(cells.group))[:, at], drift[at]
    times = np.unique(cells.event_time[at])
    weights = np.where(usable[:, None] & (cells.event_time[:, None] == times), share[:, None], 0.0)
    weights = weights / weights.sum(axis=0)
    treated = _clusters(panel, ~panel.never)
    if len(times) * FEWEST <= min(treated, others):
        yield "event times", weights, weights.T @ drift
    slope = np.where(usable, share * drift, 0.0)
    slope = slope / (slope @ drift)
    yield "one slope", slope[:, None], np.ones(1)


def _clusters(panel: Panel, chosen: np.ndarray) -> int:
    return len(np.unique(panel.cluster[chosen]))


def _drift(cells: GroupTime) -> FloatArray:
    """(m,) what a difference in trends of one per period makes of each pre-treatment cell."""
    if cells.base_period == "varying":
        return np.ones(len(cells.group))
    return (cells.event_time + 1 + cells.anticipation).astype(float)


def _simple(cells: GroupTime) -> tuple[float, float]:
    """The simple average effect, and its distance from the base in periods."""
    panel = cells.panel
    share = np.array([panel.unit_weight[panel.first_treated == g].sum() for g in cells.group])
    share = np.where((cells.event_time >= 0) & ~np.isnan(cells.point), share, 0.0)
    if not share.sum() > 0:
        return float("nan"), float("nan")
    far = cells.event_time + 1 + cells.anticipation
    point = np.where(share > 0, cells.point, 0.0)
    return float(share @ point / share.sum()), float(share @ far / share.sum())


def _regular(covariance: FloatArray) -> bool:
    if not np.isfinite(covariance).all():
        return False
    size = np.sqrt(np.diag(covariance))
    if not (size > 0).all():
        return False
    values = np.linalg.eigvalsh(covariance / np.outer(size, size))
    return bool(values[0] > 1e-10 * values[-1])


def _why_not(cells: GroupTime) -> str:
    before = cells.event_time < -cells.anticipation
    if not (before & ~cells.reference & ~np.isnan(cells.point)).any():
        return "no cohort has two periods before treatment with a comparison"
    return "the effects before treatment have no estimable error"


def pre_trend_check(found: PreTrend) -> Check:
    """Whether treated and comparison moved together before treatment."""
    name = "pre_trend"
    if found.p_value is None:
        text = f"Not run: {found.reason}."
        return Check(name=name, verdict="not_run", label="earlier trends not tested", text=text)
    what = {
        "group-time cells": f"{found.degrees} effects of cohorts and periods before treatment",
        "event times": f"{found.degrees} average effects before treatment",
        "one slope": "the slope before treatment",
    }[found.basis]
    joint = "is zero" if found.basis == "one slope" else "are all zero"
    text = (
        f"Test that {what} {joint}: {format.p_value(found.p_value)}; the treated moved "
        f"away from their comparison by {format.count(found.slope, sign=True)} per period."
    )
    if found.p_value > 1 - found.level:
        label = "moved together before"
        return Check(name=name, verdict="pass", label=label, text=text)
    bias = abs((found.slope or 0.0) * found.distance)
    text += (
        f" A straight trend of that size would make up "
        f"{format.count(bias)} of the effect's {format.count(abs(found.effect))}."
    )
    small = bias <= 0.1 * abs(found.effect)
    return Check(
        name=name,
        verdict="warn" if small else "fail",
        label="small differences before" if small else "moved apart before",
        text=text,
    )


def pre_trend_power_check(found: PreTrend) -> Check:
    """How large a trend the test would have missed, beside the effect."""
    name = "pre_trend_power"
    if found.slope_80 is None or found.bias_80 is None:
        text = f"Not run: {found.reason}."
        return Check(name=name, verdict="not_run", label="power of that test unknown", text=text)
    share = abs(found.bias_80 / found.effect) if found.effect else float("inf")
    part = (
        f"{format.percent(share)} of the effect"
        if share < 1
        else "all of the effect"
        if share < 1.5
        else f"{share:.1f} times the effect"
    )
    text = (
        f"A trend of {format.count(found.slope_80)} per period would have been missed one time "
        f"in five, one of {format.count(found.slope_50)} every other time; the first would "
        f"explain {part} if it went on."
    )
    strong = share <= 0.5
    return Check(
        name=name,
        verdict="pass" if strong else "warn",
        label="a harmful trend would show" if strong else "a harmful trend could hide",
        text=text,
    )
