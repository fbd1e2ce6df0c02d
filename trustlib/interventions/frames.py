"""Effects as the labelled rows of a `DidResult`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.interventions.effects import Effects
from trustlib.interventions.group_time import GroupTime
from trustlib.interventions.margin import Margin
from trustlib.interventions.panel import FloatArray, Panel

MOST_AT_ONCE = 4_000_000  # influences held at once


def _interval(point: FloatArray, error: FloatArray, critical: FloatArray) -> dict[str, FloatArray]:
    return {
        "point": point,
        "standard_error": error,
        "low": point - critical * error,
        "high": point + critical * error,
    }


def event_study_frame(effects: Effects, margin: Margin) -> pd.DataFrame:
    """Rows of `DidResult.event_study`: pointwise interval, and simultaneous band."""
    reference = (effects.point == 0) & (effects.standard_error == 0)
    error = np.where(reference, np.nan, effects.standard_error)
    half = margin.band(effects) * error
    return pd.DataFrame(
        {
            "event_time": effects.keys,
            **_interval(effects.point, error, margin.of_family(effects)),
            "band_low": effects.point - half,
            "band_high": effects.point + half,
            "units": effects.units,
            "reference": reference,
        }
    )


def family_frame(effects: Effects, panel: Panel, margin: Margin, *, key: str) -> pd.DataFrame:
    """Rows of `DidResult.group_effects` and `calendar_effects`."""
    return pd.DataFrame(
        {
            key: [panel.period_names[at] for at in effects.keys],
            **_interval(effects.point, effects.standard_error, margin.of_family(effects)),
            "units": effects.units,
        }
    )


def group_time_frame(
    cells: GroupTime, panel: Panel, margin: Margin, *, critical: float
) -> pd.DataFrame:
    """Rows of `DidResult.group_time`; `critical` is that of the simultaneous band."""
    own = _of_cells(cells, margin)
    half = critical * (own / margin.normal) * cells.standard_error
    return pd.DataFrame(
        {
            "group": [panel.period_names[at] for at in cells.group],
            "time": [panel.period_names[at] for at in cells.time],
            "event_time": cells.time - cells.group,
            **_interval(cells.point, cells.standard_error, own),
            "band_low": cells.point - half,
            "band_high": cells.point + half,
            "units": cells.units,
            "after": cells.time >= cells.group,
        }
    )


def _of_cells(cells: GroupTime, margin: Margin) -> FloatArray:
    """(m,) half an interval in standard errors; a cell at a time where units are many."""
    if margin.many or not margin.estimable:
        return np.full(len(cells.point), margin.normal if margin.estimable else np.nan)
    known = np.flatnonzero(~np.isnan(cells.point) & (cells.standard_error > 0))
    out = np.full(len(cells.point), np.nan)
    step = max(1, MOST_AT_ONCE // cells.panel.n_units)
    for first in range(0, len(known), step):
        some = known[first : first + step]
        chosen = np.zeros((len(cells.point), len(some)))
        chosen[some, np.arange(len(some))] = 1.0
        out[some] = margin.critical(cells.influence_of(chosen))
    return out


def rollout_frame(panel: Panel, *, named: bool) -> pd.DataFrame:
    """Rows of `DidResult.rollout`, by start and name; by cohort where units are not named."""
    never = panel.never
    start = [
        "" if out else panel.period_names[at]
        for at, out in zip(panel.first_treated, never, strict=True)
    ]
    frame = pd.DataFrame(
        {
            "unit": panel.unit_names,
            "group": [label or "never" for label in start],
            "first_treated": start,
            "periods_treated": panel.n_periods - panel.first_treated,
            "weight": panel.unit_weight,
            "units": 1,
        }
    )
    order = np.argsort(panel.first_treated, kind="stable")
    frame = frame.iloc[order].reset_index(drop=True)
    if named:
        return frame
    merged = frame.groupby(["group", "first_treated", "periods_treated"], sort=False)
    cohorts = merged.agg(weight=("weight", "sum"), units=("units", "sum")).reset_index()
    cohorts.insert(0, "unit", cohorts["group"])
    return cohorts[list(frame.columns)]
