"""Predictors as numbers: one per unit, the mean of a column over periods before treatment."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.core import Refusal
from trustlib.core.format import plural
from trustlib.interventions.columns import numbers
from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.interventions.periods import Periods
from trustlib.interventions.synth.labels import place
from trustlib.interventions.synth.spec import PeriodLabel, Predictor, SynthSpec, predictor_name


def window(
    first: PeriodLabel | None,
    last: PeriodLabel | None,
    *,
    axis: Periods,
    before: int,
    names: tuple[str, str] = ("fit_first", "fit_last"),
    where: str = "",
) -> tuple[int, int]:
    """Periods [from, to) of the labels `first` to `last`, both included; None: from the axis's
    first one, to the last one before period `before`.

    Raises
    ------
    Refusal
        Labels that are not on the axis, reversed, or not before treatment.
    """
    low, high = 0, before - 1
    if first is not None:
        low, _ = place(first, axis, where=f"{where}{names[0]}: {first}")
    if last is not None:
        high, _ = place(last, axis, where=f"{where}{names[1]}: {last}", edge="last")
    at = f"{where}{names[0]}: {first}, {names[1]}: {last}"
    if first is not None and last is not None and low > high:
        raise Refusal(f"{names[0]} comes after {names[1]}", where=at, next_step="swap the two")
    if max(low, high) >= before:
        raise Refusal(
            "periods from the treatment's start on are among them: what is matched there is the "
            "effect itself",
            where=at,
            next_step="end before the first treated period",
        )
    return low, high + 1


def predictor_matrix(
    frame: pd.DataFrame,
    spec: SynthSpec,
    *,
    unit: IntArray,
    time: np.ndarray,
    labels: list[str],
    axis: Periods,
    used: IntArray,
    before: int,
) -> tuple[FloatArray, tuple[str, ...]]:
    """(n_used, n_predictors) and the predictors' names.

    Parameters
    ----------
    unit, time, labels
        (n_rows,) codes of `labels` and times of the frame's rows.
    used
        Positions of the units that need predictors.
    before
        First treated period of all.

    Raises
    ------
    Refusal
        A unit without any value; periods that are not before treatment; two of one name.
    """
    period = np.searchsorted(axis.starts, time)
    period[period == len(axis.starts)] = 0
    on_axis = axis.starts[period] == time
    made, names = [], []
    for number, wanted in enumerate(spec.predictors, start=1):
        low, high = window(
            wanted.first,
            wanted.last,
            axis=axis,
            before=before,
            names=("first", "last"),
            where=f"predictor {number}, ",
        )
        rows = on_axis & (period >= low) & (period < high)
        # As cells, so that the order of rows changes no sum.
        cells = np.full((len(labels), high - low), np.nan)
        values = numbers(frame[wanted.column], wanted.column)
        cells[unit[rows], period[rows] - low] = values[rows]
        made.append(_means(cells[used], wanted, number))
        names.append(wanted.name or predictor_name(wanted.column, wanted.first, wanted.last))
    for name in spec.unit_predictors:
        made.append(_given(spec, name, [labels[place] for place in used.tolist()]))
        names.append(name)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refusal(
            f"two predictors are called {twice[0]!r}",
            where="predictors",
            next_step="give one of them another name, or take it out",
        )
    matrix = np.column_stack(made) if made else np.empty((len(used), 0))
    return matrix, tuple(names)


def _means(cells: FloatArray, wanted: Predictor, number: int) -> FloatArray:
    there = ~np.isnan(cells)
    lacking = int((~there.any(axis=1)).sum())
    if lacking:
        raise Refusal(
            f"the predictor has no value in its periods for {lacking} of "
            f"{plural(len(cells), 'unit')}",
            where=f"predictor {number}, column {wanted.column!r}",
            next_step="choose periods that have values, leave these units out of donor_units, or "
            "leave the predictor out",
        )
    means: FloatArray = np.where(there, cells, 0.0).sum(axis=1) / there.sum(axis=1)
    return means


def _given(spec: SynthSpec, name: str, units: list[str]) -> FloatArray:
    of_unit = spec.unit_predictors[name]
    values = np.array([of_unit.get(unit, np.nan) for unit in units], dtype=np.float64)
    lacking = int((~np.isfinite(values)).sum())
    if lacking:
        absent = sum(unit not in of_unit for unit in units)
        raise Refusal(
            f"predictor {name!r} has no number for {lacking} of {plural(len(units), 'unit')}"
            + (", as if units were written another way there" if absent == len(units) else ""),
            where=f"predictor {name!r} of the predictors' own source",
            next_step="add these units to it, leave them out of donor_units, or leave the "
            "predictor out",
        )
    return values
