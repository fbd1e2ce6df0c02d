"""Placebo in time: had every cohort started earlier, would an "effect" have been found?

Only periods before treatment are used. With a shift of s, cohort g pretends to start at g − s
(before any anticipation), is measured over its s placebo periods, and compared over the period
before them: a linear combination of universal-base group-time effects,

    placebo(g, s) = Σ_{t = g−a−s}^{g−a−1} [ATT(g, t) − ATT(g, g−a−s−1)] / s,

averaged over cohorts by their size. It ought to be zero. The last period before treatment is
in it, with its ATT of 0 by construction. The most extreme of several placebos is looked for, far
out in the tail, so that quantiles are those of `trustlib.stats.welch` at any size.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from trustlib.core import Check, format
from trustlib.interventions.design import design
from trustlib.interventions.group_time import GroupTime, group_time
from trustlib.interventions.panel import FloatArray, Panel
from trustlib.interventions.randomization import cluster_starts
from trustlib.interventions.spec import DidSpec
from trustlib.stats.multiplier_bootstrap import cluster_sums
from trustlib.stats.welch import welch

MOST_SHIFTS = 8
COLUMNS = ("shift", "point", "standard_error", "low", "high", "p_value", "units")


def placebo_in_time(
    panel: Panel, spec: DidSpec, *, universal: GroupTime | None = None
) -> pd.DataFrame:
    """`DidResult.placebo_in_time`: one row per shift, at most eight, empty without room.

    Parameters
    ----------
    universal
        Group-time effects with the universal base, where they are at hand.
    """
    recognised = design(panel, spec)
    if universal is None:
        universal = group_time(
            panel,
            control_group=recognised.control_group,
            covariate_method=spec.covariate_method,
            anticipation=spec.anticipation,
            base_period="universal",
        )
    weights, units = _placebos(universal)
    if not weights.shape[1]:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in COLUMNS})
    point = weights.T @ np.where(np.isnan(universal.point), 0.0, universal.point)
    error, factor, degrees = _errors(panel, universal, weights)
    critical = factor * stdtrit(degrees, 0.5 + spec.level / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = 2 * stdtr(degrees, -np.abs(point / (factor * error)))
    return pd.DataFrame(
        {
            "shift": 1 + np.arange(len(point)),
            "point": point,
            "standard_error": error,
            "low": point - critical * error,
            "high": point + critical * error,
            "p_value": p_value,
            "units": units,
        }
    )


def _errors(
    panel: Panel, universal: GroupTime, weights: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(k,) standard errors, Welch's factors and degrees; NaN where a kind has one cluster."""
    sums = cluster_sums(universal.influence_of(weights), panel.cluster) / panel.n_units
    start = cluster_starts(panel)
    error = np.sqrt((sums**2).sum(axis=0))
    if start is None:  # cohorts share clusters: these are then of one kind
        return error, *welch(sums, np.zeros(panel.n_clusters, dtype=np.int64))
    treated = int((start < panel.n_periods).sum())
    if min(treated, panel.n_clusters - treated or treated) < 2:
        return np.full(len(error), np.nan), np.ones(len(error)), np.ones(len(error))
    return error, *welch(sums, start)


def _placebos(universal: GroupTime) -> tuple[FloatArray, np.ndarray]:
    """(m, k) weights of the shifts that some cohort has room for, and its treated units."""
    panel, ahead = universal.panel, universal.anticipation
    cell = {
        (int(g), int(t)): at
        for at, (g, t) in enumerate(zip(universal.group, universal.time, strict=True))
        if not np.isnan(universal.point[at])
    }
    columns, units = [], []
    for shift in range(1, MOST_SHIFTS + 1):
        weights, total, counted = np.zeros(len(universal.group)), 0.0, 0
        for group in panel.groups.tolist():
            last = group - ahead - 1
            times = range(last - shift + 1, last + 1)
            if any((group, time) not in cell for time in (last - shift, *times)):
                continue
            mine = panel.first_treated == group
            share = float(panel.unit_weight[mine].sum())
            for time in times:
                weights[cell[group, time]] += share / shift
            weights[cell[group, last - shift]] -= share
            total += share
            counted += int(mine.sum())
        if not total:
            break
        columns.append(weights / total)
        units.append(counted)
    stacked = np.stack(columns, axis=1) if columns else np.empty((len(universal.group), 0))
    return stacked, np.array(units, dtype=np.int64)


def placebo_in_time_check(found: pd.DataFrame, spec: DidSpec, *, effect: float) -> Check:
    """Whether pretended earlier starts show an effect; Holm over the shifts.

    Parameters
    ----------
    effect
        The headline, to compare with.
    """
    name = "placebo_in_time"
    known = found[found["p_value"].notna()]
    if known.empty:
        text = "Not run: no cohort has two periods before treatment with a comparison."
        return Check(name=name, verdict="not_run", label="no room for earlier starts", text=text)
    smallest = float(known["p_value"].min())
    worst = known.iloc[int(known["p_value"].to_numpy().argmin())]
    adjusted = min(1.0, smallest * len(known))
    text = (
        f"With starts pretended 1 to {int(known['shift'].max())} periods earlier, periods before "
        f"treatment only, the largest departure is {format.count(worst['point'], sign=True)} "
        f"(effect: {format.count(effect, sign=True)}), {format.p_value(smallest)}, "
        f"{format.probability(adjusted)} for the most extreme of {len(known)}."
        if len(known) > 1
        else "With the start pretended one period earlier, periods before treatment only, the "
        f"effect would be {format.count(worst['point'], sign=True)} "
        f"(true start: {format.count(effect, sign=True)}), {format.p_value(smallest)}."
    )
    if adjusted > 1 - spec.level:
        label = "no effect before the start"
        return Check(name=name, verdict="pass", label=label, text=text)
    small = abs(float(worst["point"])) <= 0.25 * abs(effect)
    return Check(
        name=name,
        verdict="warn" if small else "fail",
        label="a small effect before the start" if small else "an effect before the start",
        text=text,
    )
