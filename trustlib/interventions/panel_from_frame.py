"""From rows to a panel, with every refusal that concerns the panel's shape.

A panel without a treated unit, or without a comparison, is refused (`Refusal`) and not
reported as "no data": the rows are there, but the question put to them has no answer, and the
way out is another column or another window. `NoData` is for no rows, or no outcome at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import NoData, Refusal
from trustlib.interventions.columns import (
    codes,
    collinear,
    exist,
    moves,
    numbers,
    once,
    one_per_unit,
    starts,
    times,
)
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.periods import Periods, periods
from trustlib.interventions.spec import DidSpec

MIN_CLUSTERS = 3
BETWEEN = "units start inside a period"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """The rows that hold an outcome: unit and period codes of each, and where they came from."""

    unit: IntArray
    period: IntArray
    outcome: FloatArray
    row: IntArray
    n_units: int
    n_periods: int

    def cells(self, values: np.ndarray, fill: float = np.nan) -> FloatArray:
        """`values` of the source rows as (n_units, n_periods)."""
        out = np.full(self.n_units * self.n_periods, fill)
        out[self.unit * self.n_periods + self.period] = values[self.row]
        return out.reshape(self.n_units, self.n_periods)


def panel_from_frame(frame: pd.DataFrame, spec: DidSpec, *, untreated: bool = False) -> Panel:
    """The panel in `frame`, one row per unit and period; `frame` is not changed.

    Units are sorted by their label, so the order of rows changes nothing. Periods are those
    that hold an outcome. Rows without one are missing cells, and counted. Units treated from
    the first period on are left out and counted; so are units without any outcome.

    Parameters
    ----------
    untreated
        Take a panel in which nobody is treated as well: a history, for `power`.

    Raises
    ------
    NoData
        Without rows, or without a single outcome.
    Refusal
        Missing or wrong columns; duplicate unit-periods; time that skips; a treatment start,
        cluster or neighbour flag that changes within a unit; an outcome that never changes;
        covariates that are missing or collinear; weights that are not positive; fewer than
        three clusters; nobody treated, everybody treated from the start or at one date.
    """
    _columns_exist(frame, spec)
    if frame.empty:
        raise NoData("the panel has no rows", next_step="check the source and its filter")
    unit, labels = codes(frame[spec.unit], spec.unit)
    time = times(frame[spec.time], spec.time)
    start, notes = starts(frame[spec.treatment_start], spec.treatment_start, time)
    start = one_per_unit(start, unit, len(labels), spec.treatment_start)
    outcome = numbers(frame[spec.outcome], spec.outcome)
    rows, axis = _rows(unit, time, outcome, len(labels), spec)
    if len(rows.row) < len(frame):
        notes["rows without an outcome"] = len(frame) - len(rows.row)
    known = ~np.isnat(start) if axis.dated else ~np.isnan(start)
    first = np.full(len(labels), rows.n_periods, dtype=np.int64)
    first[known], between = axis.first_at(start[known])
    late = int((first[known] >= rows.n_periods).sum())
    notes |= {"start after the last period read as never": late} if late else {}
    notes |= {BETWEEN: int(between.sum())} if between.any() else {}
    seen = np.bincount(rows.unit, minlength=len(labels)) > 0
    keep = seen & (first > 0)
    dropped = {
        "no outcome": int((~seen).sum()),
        "treated from the start": int((seen & (first == 0)).sum()),
    }
    if not untreated:
        _comparable(first[keep], dropped, rows.n_periods, spec)
    cluster, cluster_labels = _clusters(frame, spec, unit, keep)
    panel = Panel(
        outcome=rows.cells(outcome)[keep],
        first_treated=first[keep],
        weight=_weights(frame, spec, rows)[keep],
        cluster=cluster,
        covariates=_covariates(frame, spec, rows)[keep],
        standard_error=_standard_errors(frame, spec, rows, keep),
        neighbour=_neighbours(frame, spec, unit, keep),
        unit_names=tuple(labels[keep].tolist()),
        period_names=axis.names,
        cluster_names=cluster_labels if spec.cluster else tuple(labels[keep].tolist()),
        covariate_names=spec.covariates,
        dropped={reason: n for reason, n in dropped.items() if n},
        notes=notes,
    )
    moves(panel.outcome[~np.isnan(panel.outcome)], spec.outcome)
    collinear(panel)
    return panel


def _columns_exist(frame: pd.DataFrame, spec: DidSpec) -> None:
    optional = (spec.weight, spec.cluster, spec.standard_error, spec.neighbour)
    wanted = (spec.unit, spec.time, spec.outcome, spec.treatment_start, *spec.covariates)
    exist(frame, (*wanted, *(name for name in optional if name is not None)))


def _rows(
    unit: IntArray, time: np.ndarray, outcome: FloatArray, n_units: int, spec: DidSpec
) -> tuple[_Rows, Periods]:
    row = np.flatnonzero(~np.isnan(outcome))
    if not len(row):
        raise NoData(f"all {len(outcome)} outcomes are missing", where=f"column {spec.outcome!r}")
    code, values = pd.factorize(time[row], sort=True)
    axis = periods(np.asarray(values), column=spec.time)
    every, all_times = pd.factorize(time, sort=True)
    cell = unit.astype(np.int64) * len(all_times) + every
    once(cell, n_units * len(all_times), spec.unit, spec.time)
    rows = _Rows(
        unit=unit[row],
        period=code.astype(np.int64),
        outcome=outcome[row],
        row=row,
        n_units=n_units,
        n_periods=len(values),
    )
    return rows, axis


def _comparable(first: IntArray, dropped: dict[str, int], n_periods: int, spec: DidSpec) -> None:
    where = f"column {spec.treatment_start!r}"
    treated = first[first < n_periods]
    if not len(treated) and dropped["treated from the start"]:
        raise Refusal(
            f"all {dropped['treated from the start']} treated units are treated from the first "
            "period on: there is no period before treatment to compare with",
            where=where,
            next_step="read periods from before the first treatment start",
        )
    if not len(treated):
        raise Refusal(
            "no unit is treated inside the panel",
            where=where,
            next_step="check the column of treatment starts and the window of periods",
        )
    if len(np.unique(first)) == 1:
        raise Refusal(
            f"all {len(first)} units are treated at the same date: nothing is left to compare with",
            where=where,
            next_step="add units that are treated later, or never",
        )


def _clusters(
    frame: pd.DataFrame, spec: DidSpec, unit: IntArray, keep: np.ndarray
) -> tuple[IntArray, tuple[str, ...]]:
    """Cluster codes of the kept units, and their labels (empty without a column)."""
    labels: tuple[str, ...] = ()
    code = np.arange(int(keep.sum()), dtype=np.int64)
    if spec.cluster is not None:
        row_code, row_labels = codes(frame[spec.cluster], spec.cluster)
        of_unit = one_per_unit(row_code, unit, len(keep), spec.cluster)[keep]
        used, code = np.unique(of_unit, return_inverse=True)
        labels = tuple(row_labels[used].tolist())
    n = len(labels) if spec.cluster else len(code)
    if n < MIN_CLUSTERS:
        raise Refusal(
            f"{n} clusters: an error cannot be estimated from fewer than {MIN_CLUSTERS}",
            where=f"column {spec.cluster or spec.unit!r}",
            next_step="cluster by a finer column, or add units",
        )
    return code.astype(np.int64), labels


def _weights(frame: pd.DataFrame, spec: DidSpec, rows: _Rows) -> FloatArray:
    """(n_units, n_periods); a missing cell gets its unit's mean weight."""
    if spec.weight is None:
        return np.ones((rows.n_units, rows.n_periods))
    values = numbers(frame[spec.weight], spec.weight)
    bad = int((~(values[rows.row] > 0)).sum())
    if bad:
        raise Refusal(
            f"{bad} weights are missing, zero or negative",
            where=f"column {spec.weight!r}",
            next_step="a weight says how many a unit stands for: give each row a positive one",
        )
    cells = rows.cells(values)
    n = np.maximum((~np.isnan(cells)).sum(axis=1), 1)
    mean = np.nansum(cells, axis=1) / n
    return np.where(np.isnan(cells), mean[:, None], cells)


def _covariates(frame: pd.DataFrame, spec: DidSpec, rows: _Rows) -> FloatArray:
    out = np.empty((rows.n_units, rows.n_periods, len(spec.covariates)))
    for number, name in enumerate(spec.covariates):
        values = numbers(frame[name], name)
        missing = int(np.isnan(values[rows.row]).sum())
        if missing:
            raise Refusal(
                f"covariate {name!r} is missing in {missing} of {len(rows.row)} rows",
                where=f"column {name!r}",
                next_step="fill it, leave out the units concerned, or run without it",
            )
        out[:, :, number] = rows.cells(values)
    return out


def _standard_errors(
    frame: pd.DataFrame, spec: DidSpec, rows: _Rows, keep: np.ndarray
) -> FloatArray | None:
    if spec.standard_error is None:
        return None
    values = numbers(frame[spec.standard_error], spec.standard_error)
    bad = int((~(values[rows.row] >= 0)).sum())
    if bad:
        raise Refusal(
            f"{bad} standard errors of the outcome are missing or negative",
            where=f"column {spec.standard_error!r}",
        )
    return rows.cells(values)[keep]


def _neighbours(
    frame: pd.DataFrame, spec: DidSpec, unit: IntArray, keep: np.ndarray
) -> np.ndarray | None:
    if spec.neighbour is None:
        return None
    values = numbers(frame[spec.neighbour], spec.neighbour)
    bad = int((~np.isin(values, (0.0, 1.0))).sum())
    if bad:
        raise Refusal(f"{bad} rows are neither 0 nor 1", where=f"column {spec.neighbour!r}")
    return one_per_unit(values, unit, len(keep), spec.neighbour)[keep] == 1
