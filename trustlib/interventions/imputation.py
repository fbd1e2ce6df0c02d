"""The imputation estimator of Borusyak, Jaravel and Spiess (2024).

Unit and period effects (and covariates) are fitted to untreated cells alone; what a treated
cell exceeds its prediction by is its effect, and effects are averaged by event time. The
error is their theorem 3: with v_it the weight of every cell's outcome in an average,

    V = Σ_c (Σ_{it in c} v_it ε̃_it)²,

where ε̃ of an untreated cell is its residual, and of a treated one its effect less the
average effect of its cohort and period (weighted by v²): conservative, clustered as the
panel says, no small-sample factor, normal quantiles. Coefficients before treatment are those
of their test: dummies of event times in a regression on untreated cells alone (errors as in
`trustlib.stats.clustered`), so that they do not depend on the effects that are tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.core import Refusal
from trustlib.interventions.effects import Effects
from trustlib.interventions.leads import leads
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.regression import (
    Inference,
    Sample,
    cohort_codes,
    event_times,
    family,
    one_number,
    sample,
)
from trustlib.stats.cell_regression import CellFit, cell_design, cell_fit, unit_mean
from trustlib.stats.clustered import clustered_covariance
from trustlib.stats.fixed_order import cross
from trustlib.stats.fixed_order import times as products


@dataclass(frozen=True, kw_only=True, eq=False)
class Imputed:
    """What treated cells exceed their predictions by.

    Attributes
    ----------
    fit
        Of unit and period effects on untreated cells.
    effect
        (n_units, n_periods), 0 where untreated or not estimable.
    weight
        (n_units, n_periods) of the cells with an effect, 0 elsewhere.
    covariates
        (n_units, n_periods, p) less the unit's mean over its untreated cells.
    lost
        Treated cells with an outcome but no prediction.
    """

    fit: CellFit
    effect: FloatArray
    weight: FloatArray
    covariates: FloatArray
    lost: int


def imputation(
    panel: Panel, *, anticipation: int = 0, level: float = 0.95
) -> tuple[Effects, Effects]:
    """Effects by event time (kind "dynamic") and their average (kind "simple").

    Event times from −`anticipation` on are imputed, those before are coefficients relative to
    event time −1 − `anticipation`; where nobody is never treated the earliest event time is a
    second reference. The average is over treated cells from event time 0 on, by their
    weights. Cells that no untreated cell can predict (their unit was never seen untreated, or
    nobody is untreated in their period) are left out and noted; an event time of which none
    is left is NaN.

    Raises
    ------
    Refusal
        If nobody is treated, or covariates are collinear among untreated cells.
    """
    if panel.never.all():
        raise Refusal("nobody is treated inside the panel")
    group, starts = cohort_codes(panel)
    times = event_times(panel, starts)
    treated = (starts < panel.n_periods)[:, None] & (times >= -anticipation)
    kept = sample(panel, cells=~treated[group], singles=True)
    made = _imputed(panel, kept, cells=treated[group])
    keys = np.unique(times[treated])
    mass, units = _sizes(made, times=times[group], keys=keys)
    point = _by_event_time(made.weight * made.effect, times=times[group], keys=keys).sum(axis=0)
    point = np.divide(point, mass, out=np.full(len(keys), np.nan), where=mass > 0)
    psi = _influence(made, group=group, times=times, keys=keys, mass=mass)
    after = np.where(keys >= 0, mass, 0.0)
    share = after / after.sum() if after.any() else np.zeros(len(keys))
    notes = (*kept.notes, *_notes(made, keys=keys, point=point))
    average = psi[:, share > 0] @ share[share > 0, None]
    if not after.any():
        average[:] = np.nan
    simple = one_number(
        point=float(share[share > 0] @ point[share > 0]) if after.any() else float("nan"),
        inference=_conservative(panel, average),
        level=level,
        notes=notes,
    )
    before = leads(panel, group=group, times=times, anticipation=anticipation)
    joint = np.hstack([before.influence, psi])
    dynamic = family(
        "dynamic",
        keys=np.append(before.keys, keys),
        point=np.append(before.point, point),
        covariance=_conservative(panel, joint).covariance,
        units=np.append(before.units, units),
        overall_weights=np.append(np.zeros(len(before.keys)), share),
        degrees=float("inf"),
        level=level,
        influence=panel.n_units * joint,
        notes=(*notes, *before.notes),
    )
    return dynamic, simple


def _conservative(panel: Panel, psi: FloatArray) -> Inference:
    return Inference(
        influence=panel.n_units * psi,
        covariance=clustered_covariance(psi, cluster=panel.cluster),
        degrees=float("inf"),
    )


def _imputed(panel: Panel, kept: Sample, *, cells: np.ndarray) -> Imputed:
    """Predict `cells` (n_units, n_periods) from the untreated cells of `kept`."""
    no_dummies = np.full((1, panel.n_periods), -1)
    everyone = np.zeros(panel.n_units, dtype=np.int64)
    design = cell_design(kept.weight, group=everyone, column=no_dummies, covariates=kept.covariates)
    fit = cell_fit(design, panel.outcome)
    raw = panel.covariates[:, :, list(kept.numbers)]
    known = np.isfinite(panel.outcome + raw.sum(axis=2))
    swept = np.where(np.isfinite(raw), raw, 0.0)
    swept = swept - unit_mean(kept.covariates, kept.weight)[:, None]
    predictable = cells & known & _determined(design.null, kept.weight)
    of_period, of_covariate = fit.raw[: panel.n_periods], fit.raw[panel.n_periods :]
    observed = np.where(np.isnan(panel.outcome), 0.0, panel.outcome)
    gap = (observed - unit_mean(observed, kept.weight)[:, None]) - swept @ of_covariate
    gap -= of_period - (unit_mean(np.broadcast_to(of_period, gap.shape), kept.weight))[:, None]
    lost = cells & ~np.isnan(panel.outcome) & ~predictable
    return Imputed(
        fit=fit,
        effect=np.where(predictable, gap, 0.0),
        weight=np.where(predictable, panel.weight, 0.0),
        covariates=swept,
        lost=int(lost.sum()),
    )


def _determined(null: FloatArray, weight: FloatArray) -> np.ndarray:
    """(n_units, n_periods) whether a period's effect relative to those of the periods in
    which the unit is seen untreated is determined; False for units that never are. (All
    periods moving together is always among the directions `null`.)"""
    n_periods = weight.shape[1]
    determined = np.ones(weight.shape, dtype=bool)
    for direction in null[:n_periods].T:
        own = unit_mean(np.broadcast_to(direction, weight.shape), weight)[:, None]
        determined &= np.abs(direction - own) <= 1e-6 * np.abs(direction).max(initial=0.0)
    return determined


def _by_event_time(values: FloatArray, *, times: IntArray, keys: IntArray) -> FloatArray:
    """(n_units, k) of (n_units, n_periods): a unit has one period per event time at most."""
    lowest = int(keys.min())
    made = np.zeros((len(values), len(keys)))
    unit, period = np.nonzero((times >= lowest) & (times <= keys.max()) & (values != 0))
    made[unit, np.searchsorted(keys, times[unit, period])] = values[unit, period]
    return made


def _sizes(made: Imputed, *, times: IntArray, keys: IntArray) -> tuple[FloatArray, IntArray]:
    weights = _by_event_time(made.weight, times=times, keys=keys)
    return weights.sum(axis=0), (weights > 0).sum(axis=0)


def _influence(
    made: Imputed, *, group: IntArray, times: IntArray, keys: IntArray, mass: FloatArray
) -> FloatArray:
    """(n_units, k): Σ_t v_it ε̃_it of each event time's average; NaN where there is none."""
    untreated = made.fit.design.weight
    share = untreated / np.maximum(untreated.sum(axis=1), np.finfo(float).tiny)[:, None]
    n_periods = untreated.shape[1]
    right = np.zeros((len(made.fit.raw), len(keys)))
    excess = np.zeros(made.weight.shape)
    for g in range(len(times)):
        rows = group == g
        at = np.flatnonzero((made.weight[rows] > 0).any(axis=0))
        of_key = np.searchsorted(keys, times[g, at])
        own = made.weight[np.ix_(rows, at)] / mass[of_key]
        right[at, of_key] += own.sum(axis=0)
        right[:n_periods, of_key] -= cross(share[rows], own)
        right[n_periods:, of_key] += np.einsum("it,itp->pt", own, made.covariates[rows][:, at])
        effect, squared = made.effect[np.ix_(rows, at)], own**2
        mean = (squared * effect).sum(axis=0) / squared.sum(axis=0)
        excess[np.ix_(rows, at)] = own * (effect - mean)
    lead = made.fit.design.inverse @ right
    scored = untreated * made.fit.residual
    psi = _by_event_time(excess, times=times[group], keys=keys)
    psi -= products(scored, lead[:n_periods])
    by_unit = np.einsum("itp,it->ip", made.fit.design.covariates, scored)
    psi -= products(by_unit, lead[n_periods:])
    psi[:, mass == 0] = np.nan
    return psi


def _notes(made: Imputed, *, keys: IntArray, point: FloatArray) -> list[str]:
    notes = []
    if made.lost:
        notes.append(
            f"{made.lost} treated cells left out: no untreated cell of their unit or period"
        )
    gone = ", ".join(str(key) for key in keys[np.isnan(point)])
    if gone:
        notes.append(f"event time {gone} not estimable: nobody is untreated in its periods")
    return notes
