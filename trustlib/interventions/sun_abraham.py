"""The interaction-weighted estimator of Sun and Abraham (2021).

One two-way regression gives every cohort its own coefficient at every event time, with the
never treated as the comparison and event time −1 as the reference; coefficients are then
averaged over cohorts by their (weighted) cells at each event time, and over all cells from
event time 0 on for the one number. Weights are taken as known, as in R's
``fixest::aggregate(agg = "ATT")``; errors as in `trustlib.stats.clustered`.

Where nobody is never treated, the cohort that starts last is the comparison, and the periods
from its start on are left out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trustlib.core import Refusal
from trustlib.interventions.effects import Effects
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.regression import (
    cohort_cells,
    cohort_codes,
    event_times,
    family,
    inference,
    one_number,
    regression_design,
    sample,
)
from trustlib.stats.cell_regression import cell_fit


def sun_abraham(panel: Panel, *, level: float = 0.95) -> tuple[Effects, Effects]:
    """Effects by event time (kind "dynamic", reference −1) and their average (kind "simple").

    An event time (or the average) that rests on a cohort's coefficient which the cells do not
    determine is NaN, and noted.

    Raises
    ------
    Refusal
        If nobody is treated, there is nothing to compare with, or covariates are collinear.
    """
    compared, notes = _comparable(panel)
    group, starts = cohort_codes(compared)
    times = event_times(compared, starts)
    kept = sample(compared)
    cells, mass = cohort_cells(kept.weight, group=group, n_cohorts=len(starts))
    treated = (starts < panel.n_periods)[:, None] & (cells > 0)
    column = np.full(times.shape, -1)
    free = treated & (times != -1)
    column[free] = np.arange(int(free.sum()))
    design = regression_design(kept, group=group, column=column, treatment="cohort and event time")
    fit = cell_fit(design, compared.outcome)
    keys = np.unique(times[treated])
    targets, after = _shares(column, times=times, mass=np.where(treated, mass, 0.0), keys=keys)
    average = targets @ after
    point = fit.point(np.column_stack([targets, average]))
    made = inference(compared, kept, fit, np.column_stack([targets, average]))
    lost = ", ".join(str(key) for key in keys[np.isnan(point[:-1])])
    if lost:
        notes.append(f"event time {lost} not estimable: a cohort has no cell to compare with")
    notes = [*kept.notes, *notes]
    units = [int(np.where(times == key, cells * treated, 0).sum()) for key in keys]
    simple = one_number(
        point=float(point[-1]),
        inference=made.only(-1),
        level=level,
        notes=notes,
    )
    dynamic = family(
        "dynamic",
        keys=keys,
        point=point[:-1],
        covariance=made.covariance[:-1, :-1],
        units=np.array(units, dtype=np.int64),
        overall_weights=after,
        degrees=made.degrees,
        level=level,
        influence=None if made.influence is None else made.influence[:, :-1],
        notes=notes,
    )
    return dynamic, simple


def _comparable(panel: Panel) -> tuple[Panel, list[str]]:
    """The panel with a never-treated group: where there is none, the last cohort before it
    starts."""
    if panel.never.all():
        raise Refusal("nobody is treated inside the panel")
    if panel.never.any():
        return panel, []
    if len(panel.groups) == 1:
        raise Refusal(
            "all units are treated from the same period on: there is nothing to compare with",
            next_step="add units that are treated later, or never",
        )
    last = int(panel.groups.max())
    outcome = panel.outcome.copy()
    outcome[:, last:] = np.nan
    never = np.where(panel.first_treated == last, panel.n_periods, panel.first_treated)
    note = "nobody is never treated: compared with the cohort that starts last, until it starts"
    return replace(panel, outcome=outcome, first_treated=never), [note]


def _shares(
    column: IntArray, *, times: IntArray, mass: FloatArray, keys: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Cohorts' shares of each event time (n_columns, k), and the event times' shares of all
    treated cells (k,); −1 is the reference and has none."""
    made = np.zeros((int(column.max()) + 1, len(keys)))
    total = np.array([mass[times == key].sum() for key in keys])
    free = column >= 0
    at = np.searchsorted(keys, times[free])
    made[column[free], at] = mass[free] / total[at]
    after = np.where(keys >= 0, total, 0.0)
    return made, after / after.sum()
