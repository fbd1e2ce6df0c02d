"""From rows to the panel of a synthetic control, with every refusal that concerns its shape."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from trustlib.core import NoData, Refusal
from trustlib.core.format import plural
from trustlib.interventions.columns import codes, exist, moves, numbers, once, times
from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.interventions.periods import Periods, periods
from trustlib.interventions.synth.groups import Groups, groups
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.predictor_means import predictor_matrix, window
from trustlib.interventions.synth.spec import SynthSpec

MIN_PRE = 2
DROPPED = "periods without a treated outcome"
_ALONE = ("auto", "interrupted_time_series")  # methods that can do without donors


def synth_panel(frame: pd.DataFrame, spec: SynthSpec) -> SynthPanel:
    """The panel in `frame`, one row per unit and period; `frame` is not changed.

    Units are sorted by their label, so the order of rows changes nothing. Periods are those in
    which every treated unit has an outcome; the others are dropped and counted. Donors with a
    cell missing in them are left out.

    Raises
    ------
    NoData
        Without rows, or without a single outcome.
    Refusal
        Missing or wrong columns; duplicate unit-periods; time that skips; names that are no
        unit's; a start, or periods of predictors or of their fit, that are not on the axis or not
        where they have to be; fewer than two periods before treatment; none after; predictors
        without a value; weights that are not positive; an outcome that never changes; no donor
        where the method needs one.
    """
    optional = (spec.weight, spec.treatment_start_column)
    wanted = [spec.unit, spec.time, spec.outcome, *(name for name in optional if name is not None)]
    exist(frame, dict.fromkeys([*wanted, *(item.column for item in spec.predictors)]))
    if frame.empty:
        raise NoData("the panel has no rows", next_step="check the source and its filter")
    unit, label_array = codes(frame[spec.unit], spec.unit)
    labels: list[str] = label_array.tolist()
    time = times(frame[spec.time], spec.time)
    outcome = numbers(frame[spec.outcome], spec.outcome)
    axis, period = _axis(unit, time, outcome, len(labels), spec)
    cells = _cells(outcome, unit, period, (len(labels), len(axis.names)))
    parts = groups(frame, spec, unit=unit, labels=labels, time=time, axis=axis)
    keep = _kept_periods(cells, parts, spec)
    donors, left_out = _donors(cells, keep, parts, spec)
    used = np.sort(np.concatenate([parts.treated, donors]))
    before = int(parts.first.min())
    # Of several starts, each is fitted up to its own.
    fit_from, fit_to = window(
        spec.fit_first,
        spec.fit_last,
        axis=axis,
        before=before if spec.fit_last is not None else int(parts.first.max()),
    )
    fit_from, fit_to = int(keep[:fit_from].sum()), int(keep[:fit_to].sum())
    _something_to_fit(fit_from, min(fit_to, int(keep[:before].sum())), spec)
    predictors, predictor_names = predictor_matrix(
        frame, spec, unit=unit, time=time, labels=labels, axis=axis, used=used, before=before
    )
    panel = SynthPanel(
        outcome=cells[np.ix_(used, np.flatnonzero(keep))],
        first_treated=_first(parts, used, keep),
        weight=_weights(frame, spec, unit, period, cells.shape)[np.ix_(used, np.flatnonzero(keep))],
        predictors=predictors,
        fit_from=fit_from,
        fit_to=fit_to,
        unit_names=tuple(labels[place] for place in used.tolist()),
        period_names=tuple(np.asarray(axis.names, dtype=object)[keep].tolist()),
        predictor_names=predictor_names,
        left_out={labels[place]: reason for place, reason in sorted(left_out.items())},
        notes=_notes(parts, outcome, keep),
    )
    _positive(panel.weight, spec)
    moves(panel.outcome.ravel(), spec.outcome)
    return panel


def _axis(
    unit: IntArray, time: np.ndarray, outcome: FloatArray, n_units: int, spec: SynthSpec
) -> tuple[Periods, IntArray]:
    """The periods that hold an outcome, and each row's (-1: none of them)."""
    there = ~np.isnan(outcome)
    if not there.any():
        raise NoData(f"all {len(outcome)} outcomes are missing", where=f"column {spec.outcome!r}")
    every, all_times = pd.factorize(time, sort=True)
    cell = unit.astype(np.int64) * len(all_times) + every
    once(cell, n_units * len(all_times), spec.unit, spec.time)
    values = np.unique(time[there])
    axis = periods(values, column=spec.time)
    period = np.searchsorted(values, time).astype(np.int64)
    period[period == len(values)] = -1
    period[values[period] != time] = -1
    return axis, period


def _cells(
    values: FloatArray, unit: IntArray, period: IntArray, shape: tuple[int, int]
) -> FloatArray:
    """`values` of the rows as (n_units, n_periods), NaN where there is none."""
    out = np.full(shape, np.nan)
    on = period >= 0
    out[unit[on], period[on]] = values[on]
    return out


def _kept_periods(cells: FloatArray, parts: Groups, spec: SynthSpec) -> np.ndarray:
    """(n_periods,) True where every treated unit has an outcome."""
    there = ~np.isnan(cells[parts.treated])
    nothing = int((~there.any(axis=1)).sum())
    if nothing:
        raise Refusal(
            f"no outcome at all for {nothing} of {plural(len(there), 'treated unit')}",
            where=f"treated_units, column {spec.outcome!r}",
            next_step="check the export, or take them out of treated_units",
        )
    keep = np.asarray(there.all(axis=0))
    lost = f", after {int((~keep).sum())} without a treated outcome were dropped"
    told = lost if not keep.all() else ""
    pre = int(keep[: int(parts.first.min())].sum())
    if pre < MIN_PRE:
        raise Refusal(
            f"{plural(pre, 'period')} before treatment{told}: {MIN_PRE} at least are needed to "
            "learn from",
            where=f"treatment_start, column {spec.time!r}",
            next_step="read periods from before the treatment's start",
        )
    if not keep[int(parts.first.max()) :].any():
        raise Refusal(
            f"no period from the treatment's start on{told}",
            where=f"treatment_start, column {spec.time!r}",
            next_step="read a longer window",
        )
    return keep


def _donors(
    cells: FloatArray, keep: np.ndarray, parts: Groups, spec: SynthSpec
) -> tuple[IntArray, dict[int, str]]:
    """The complete ones among those that may be donors, and all units that are left out."""
    left_out = dict(parts.left_out)
    there = ~np.isnan(cells[parts.donors])
    seen, whole = there.any(axis=1), there[:, keep].all(axis=1)
    left_out |= dict.fromkeys(parts.donors[~whole].tolist(), "missing cells")
    left_out |= dict.fromkeys(parts.donors[~seen].tolist(), "no outcome")
    donors = parts.donors[whole]
    if not len(donors) and spec.method not in _ALONE:
        why = Counter(left_out.values())
        listed = ", ".join(f"{reason}: {n}" for reason, n in sorted(why.items()))
        raise Refusal(
            f"{spec.method} needs units to compare with, and no donor is left",
            where=f"method: {spec.method}" + (f"; left out are {listed}" if listed else ""),
            next_step="add donors, or set method: interrupted_time_series, which compares the "
            "treated with their own past and says less",
        )
    return donors, left_out


def _first(parts: Groups, used: IntArray, keep: np.ndarray) -> IntArray:
    """(n_used,) first treated period among the kept ones, their number for donors."""
    kept_before = np.concatenate([[0], np.cumsum(keep)])
    first = np.full(len(used), int(keep.sum()), dtype=np.int64)
    first[np.searchsorted(used, parts.treated)] = kept_before[parts.first]
    return first


def _something_to_fit(low: int, high: int, spec: SynthSpec) -> None:
    if low >= high:
        raise Refusal(
            "no period before treatment is left to fit weights on",
            where=f"fit_first: {spec.fit_first}, fit_last: {spec.fit_last}",
            next_step="widen them, or leave both out",
        )


def _weights(
    frame: pd.DataFrame, spec: SynthSpec, unit: IntArray, period: IntArray, shape: tuple[int, int]
) -> FloatArray:
    if spec.weight is None:
        return np.ones(shape)
    return _cells(numbers(frame[spec.weight], spec.weight), unit, period, shape)


def _positive(weight: FloatArray, spec: SynthSpec) -> None:
    bad = int((~(weight > 0)).sum())
    if bad:
        raise Refusal(
            f"{plural(bad, 'weight')} {'is' if bad == 1 else 'are'} missing, zero or negative",
            where=f"column {spec.weight!r}",
            next_step="a weight says how many a unit stands for: give each row a positive one",
        )


def _notes(parts: Groups, outcome: FloatArray, keep: np.ndarray) -> dict[str, int]:
    notes = dict(parts.notes)
    empty, dropped = int(np.isnan(outcome).sum()), int((~keep).sum())
    notes |= {"rows without an outcome": empty} if empty else {}
    notes |= {DROPPED: dropped} if dropped else {}
    return notes
