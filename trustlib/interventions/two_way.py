"""Two-way fixed effects, static and as an event study: what most people would have run.

    outcome_it = unit_i + period_t + Σ_k β_k D_kit + covariates + e_it

A balanced panel without weights is solved in closed form; every other one goes to
linearmodels' `PanelOLS`, with the house's standard errors (`trustlib.stats.clustered`) on
top. Beyond `LARGE` cells these, too, are solved in closed form, which gives the same numbers
(1e-13) where `PanelOLS` needs minutes and gigabytes.

With effects that differ between cohorts or grow, β is a mixture with negative weights
(Goodman-Bacon 2021; Sun and Abraham 2021): shown beside the estimators that are right, never
in their place.
"""

from __future__ import annotations

import numpy as np

from trustlib.core import Refusal
from trustlib.interventions.effects import Effects
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.regression import (
    Inference,
    Sample,
    clusters_of,
    cohort_codes,
    event_sizes,
    event_times,
    family,
    house_factor,
    inference,
    one_number,
    regression_design,
    sample,
)
from trustlib.stats.cell_regression import CellDesign, cell_fit

LARGE = 100_000  # cells


def two_way(panel: Panel, *, level: float = 0.95) -> Effects:
    """One effect for all treated cells: kind "simple".

    Raises
    ------
    Refusal
        If nobody is treated, or covariates are collinear.
    """
    group, starts = cohort_codes(panel)
    column = np.where(event_times(panel, starts) >= 0, 0, -1)
    kept, design = _design(panel, group=group, column=column, treatment="the treatment")
    point, made = _solved(panel, kept, design)
    return one_number(
        point=float(point[0]),
        inference=made,
        level=level,
        notes=(*kept.notes, *_not_estimable(point, "the effect")),
    )


def two_way_event_study(panel: Panel, *, reference: int = -1, level: float = 0.95) -> Effects:
    """One effect per event time, relative to `reference`: kind "dynamic".

    Where nobody is never treated, event times are determined up to a linear trend, and the
    earliest one is a second reference (Borusyak, Jaravel and Spiess 2024, section 3.2).
    References have point and standard error 0. The overall is the mean over event times from
    0 on, weighted by treated cells.

    Raises
    ------
    Refusal
        If nobody is treated, `reference` does not occur, or covariates are collinear.
    """
    group, starts = cohort_codes(panel)
    times = event_times(panel, starts)
    treated = starts < panel.n_periods
    keys = np.unique(times[treated]) if treated.any() else np.array([], dtype=np.int64)
    references = {reference} if panel.never.any() else {reference, int(keys.min(initial=0))}
    if treated.any() and reference not in keys:
        raise Refusal(f"no treated unit has the reference event time {reference}")
    free = np.array([key for key in keys if key not in references], dtype=np.int64)
    column = np.full(times.shape, -1)
    for number, key in enumerate(free):
        column[(times == key) & treated[:, None]] = number
    kept, design = _design(panel, group=group, column=column, treatment="event time")
    point, made = _solved(panel, kept, design)
    second = references - {reference}
    notes = [f"event time {key} is a second reference: nobody is never treated" for key in second]
    return _event_family(
        keys=keys,
        free=free,
        point=point,
        made=made,
        sizes=event_sizes(kept.weight, group=group, times=times, treated=treated, keys=keys),
        level=level,
        notes=[*kept.notes, *notes, *_not_estimable(point, "event time", free)],
    )


def _design(
    panel: Panel, *, group: IntArray, column: IntArray, treatment: str
) -> tuple[Sample, CellDesign]:
    if panel.never.all():
        raise Refusal(
            "nobody is treated inside the panel",
            next_step="check the column of treatment starts and the periods that were read",
        )
    kept = sample(panel)
    return kept, regression_design(kept, group=group, column=column, treatment=treatment)


def _solved(panel: Panel, kept: Sample, design: CellDesign) -> tuple[FloatArray, Inference]:
    """Coefficients of the dummies (NaN where not estimable) and their inference."""
    plain = panel.balanced and (panel.weight == panel.weight[0, 0]).all()
    if not plain and kept.rows <= LARGE:
        return _panel_ols(panel, kept, design)
    fit = cell_fit(design, panel.outcome)
    return fit.coefficient, inference(panel, kept, fit, np.eye(design.n_columns))


def _panel_ols(panel: Panel, kept: Sample, design: CellDesign) -> tuple[FloatArray, Inference]:
    import pandas as pd
    from linearmodels.panel import PanelOLS

    k = design.n_columns
    estimable = np.flatnonzero(design.estimable(np.eye(k)))
    unit, period = np.nonzero(kept.weight > 0)
    of_cell = design.column[design.group[unit], period]
    columns = {f"d{number}": (of_cell == number).astype(float) for number in estimable}
    for number, name in enumerate(kept.names):
        values = design.covariates[unit, period, number]
        columns[f"x{number}_{name}"] = values / values.std()
    rows = pd.DataFrame(
        {"y": _centred(panel.outcome[unit, period]), "w": kept.weight[unit, period], **columns},
        index=pd.MultiIndex.from_arrays([unit, period]),
    )
    rows["w"] /= rows["w"].mean()
    clusters = pd.DataFrame({"cluster": panel.cluster[unit]}, index=rows.index)
    fit = PanelOLS(
        rows["y"], rows[list(columns)], weights=rows["w"], entity_effects=True, time_effects=True
    ).fit(
        cov_type="clustered", clusters=clusters, debiased=False, auto_df=False, count_effects=False
    )
    factor = house_factor(panel, kept, dummies=len(estimable))
    point, covariance = np.full(k, np.nan), np.full((k, k), np.nan)
    point[estimable] = fit.params.to_numpy()[: len(estimable)]
    inner = fit.cov.to_numpy()[: len(estimable), : len(estimable)]
    covariance[np.ix_(estimable, estimable)] = factor * inner
    return point, Inference(
        influence=None, covariance=covariance, degrees=clusters_of(panel, kept) - 1
    )


def _centred(values: FloatArray) -> FloatArray:
    return values - values.mean()


def _event_family(
    *,
    keys: IntArray,
    free: IntArray,
    point: FloatArray,
    made: Inference,
    sizes: tuple[IntArray, FloatArray],
    level: float,
    notes: list[str],
) -> Effects:
    """All event times, with references at 0; `sizes` are units and weights of each."""
    units, mass = sizes
    at = np.searchsorted(keys, free)
    all_points, covariance = np.zeros(len(keys)), np.zeros((len(keys), len(keys)))
    all_points[at] = point
    covariance[np.ix_(at, at)] = made.covariance
    influence = None
    if made.influence is not None:
        influence = np.zeros((len(made.influence), len(keys)))
        influence[:, at] = made.influence
    after = np.where(keys >= 0, mass, 0.0)
    return family(
        "dynamic",
        keys=keys,
        point=all_points,
        covariance=covariance,
        units=units,
        overall_weights=after / after.sum() if after.any() else after,
        degrees=made.degrees,
        level=level,
        influence=influence,
        notes=notes,
    )


def _not_estimable(point: FloatArray, what: str, keys: IntArray | None = None) -> list[str]:
    lost = np.isnan(point)
    if not lost.any():
        return []
    named = "" if keys is None else " " + ", ".join(str(key) for key in keys[lost])
    return [f"{what}{named} not estimable: no cells to tell it from unit and period effects"]
