"""Coefficients of event times before treatment, from untreated cells alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.regression import event_sizes, regression_design, sample, unit_influence
from trustlib.stats.cell_regression import cell_fit


@dataclass(frozen=True, kw_only=True, eq=False)
class Leads:
    """Event times before treatment; references have point and influence 0.

    Attributes
    ----------
    keys, point, units
        (k,) event times, coefficients, units that each rests on.
    influence
        (n_units, k): the covariance is the clustered sum of squares.
    notes
        What was left out, what is not estimable.
    """

    keys: IntArray
    point: FloatArray
    units: IntArray
    influence: FloatArray
    notes: tuple[str, ...]


def leads(panel: Panel, *, group: IntArray, times: IntArray, anticipation: int) -> Leads:
    """Of cohorts with event times `times` (n_cohorts, n_periods), never treated last."""
    joined = np.arange(len(times)) < len(times) - 1
    early = joined[:, None] & (times < -anticipation)
    keys = np.unique(times[early])
    untreated = ~joined[:, None] | early
    kept = sample(panel, cells=untreated[group])
    references = {-1 - anticipation}
    if not panel.never.any() and len(keys):
        references.add(int(keys.min()))
    free = np.array([key for key in keys if key not in references], dtype=np.int64)
    column = np.where(early, _positions(times, free), -1)
    point = np.zeros(len(keys))
    influence = np.zeros((panel.n_units, len(keys)))
    notes = [f"before treatment: {note}" for note in kept.notes]
    if len(free) and kept.rows:
        design = regression_design(kept, group=group, column=column, treatment="event time")
        fit = cell_fit(design, panel.outcome)
        targets = np.eye(len(free), design.n_columns).T
        at = np.searchsorted(keys, free)
        point[at] = fit.point(targets)
        influence[:, at] = unit_influence(panel, kept, fit, targets)
        notes += [
            f"event time {key} not estimable: no untreated cells to compare with"
            for key in keys[np.isnan(point)]
        ]
    units, _ = event_sizes(kept.weight, group=group, times=times, treated=joined, keys=keys)
    return Leads(
        keys=keys,
        point=point,
        units=units,
        influence=influence,
        notes=tuple(notes),
    )


def _positions(times: IntArray, free: IntArray) -> IntArray:
    """Each event time's place in `free`; −1 where it is not in it."""
    if not len(free):
        return np.full(times.shape, -1)
    at = np.minimum(np.searchsorted(free, times), len(free) - 1)
    return np.where(free[at] == times, at, -1)
