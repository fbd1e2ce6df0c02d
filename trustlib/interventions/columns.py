"""Columns of a panel's frame as arrays: read strictly, refused without showing a value."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Number

import numpy as np
import pandas as pd

from trustlib.core import Refusal, did_you_mean
from trustlib.interventions.panel import FloatArray, IntArray, Panel

# Fourth powers of what lies between can be computed.
_SMALLEST, _LARGEST = 1e-60, 1e60


def exist(frame: pd.DataFrame, wanted: Iterable[str]) -> None:
    """Refuse a frame in which a column of `wanted` is missing, or there twice."""
    names = [str(name) for name in frame.columns]
    for name in wanted:
        if names.count(name) > 1:
            raise Refusal(f"column {name!r} occurs {names.count(name)} times")
        if name not in names:
            raise Refusal(
                f"there is no column {name!r}",
                where=f"the panel's {len(names)} columns",
                nearest=did_you_mean(name, names),
            )


def once(cell: IntArray, n_cells: int, unit: str, time: str) -> None:
    """Refuse rows that share a cell; `cell` (n_rows,) codes below `n_cells`, `unit` and `time`
    the columns that they are made of."""
    taken = np.zeros(n_cells, dtype=bool)
    taken[cell] = True
    extra = len(cell) - int(taken.sum())
    if not extra:
        return
    again = pd.Series(cell).duplicated(keep=False).to_numpy()
    first, second = np.flatnonzero(cell == cell[np.flatnonzero(again)[0]])[:2] + 1
    raise Refusal(
        f"{extra} rows repeat a unit and period that another row already has",
        where=f"columns {unit!r} and {time!r}; for example rows {first} and {second}",
        next_step="make one row per unit and period: aggregate, or remove the repeated rows",
    )


def moves(known: FloatArray, name: str) -> None:
    """Refuse an outcome whose values, none of them missing, are all the same, or beyond what
    can be computed with."""
    if not len(known) or (known == known[0]).all():
        raise Refusal(
            "the outcome has the same value in every row: there is nothing to estimate",
            where=f"column {name!r}",
            next_step="name another outcome, or check how this one was made",
        )
    largest = float(np.abs(known).max())
    if not _SMALLEST < largest < _LARGEST:
        raise Refusal(
            f"the outcome is too {'large' if largest > 1 else 'small'} to be computed with: beyond "
            f"{_LARGEST if largest > 1 else _SMALLEST:g}",
            where=f"column {name!r}",
            next_step="measure it in another unit, or check the export",
        )


def numbers(column: pd.Series, name: str) -> FloatArray:
    """(n_rows,) float64, NaN where missing; refused where not numeric, or infinite."""
    if column.dtype == object and all(isinstance(value, Number) for value in column.dropna()):
        column = pd.to_numeric(column)
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        raise Refusal(
            f"column {name!r} is not numeric{_no_numbers(column)}",
            where=f"column {name!r}, type {column.dtype}",
            next_step="make the column numeric in the source",
        )
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    endless = int(np.isinf(values).sum())
    if endless:
        raise Refusal(
            f"{endless} values are infinite",
            where=f"column {name!r}",
            next_step="find where they come from: often a division by zero or the logarithm of 0",
        )
    return values


def codes(column: pd.Series, name: str) -> tuple[IntArray, np.ndarray]:
    """Codes of a label column, and the labels as text, in the order of the sorted labels."""
    missing = int(column.isna().sum())
    if missing:
        raise Refusal(
            f"{missing} of {len(column)} rows have no {name!r}",
            where=f"column {name!r}",
            next_step="leave these rows out, or name them",
        )
    if column.dtype == object:
        column = column.astype(str)
    code, labels = pd.factorize(column, sort=True)
    return code.astype(np.int64), np.asarray([str(label) for label in labels], dtype=object)


def times(column: pd.Series, name: str) -> np.ndarray:
    """(n_rows,) int64 or datetime64[us], the wall clock's where a column knows its zone."""
    missing = int(column.isna().sum())
    if missing:
        raise Refusal(
            f"{missing} of {len(column)} rows have no time",
            where=f"column {name!r}",
            next_step="leave these rows out, or date them",
        )
    if pd.api.types.is_datetime64_any_dtype(column):
        return _naive(column)
    values = _whole(column, name)
    if np.isnan(values).any():
        raise Refusal(
            f"{int(np.isnan(values).sum())} periods are infinite", where=f"column {name!r}"
        )
    return values.astype(np.int64)


def starts(column: pd.Series, name: str, time: np.ndarray) -> tuple[np.ndarray, dict[str, int]]:
    """(n_rows,) treatment starts of the kind of `time`, NaN or NaT for never, and notes.

    Numbers come back as float64. 0 is read as never where every period is above 0.
    """
    if time.dtype.kind == "M":
        if column.isna().all():
            return np.full(len(column), np.datetime64("NaT", "us")), {}
        if not pd.api.types.is_datetime64_any_dtype(column):
            raise Refusal(
                "treatment starts are no dates, but the periods are",
                where=f"column {name!r}, type {column.dtype}",
                next_step="give the first treated date of a unit; empty for never",
            )
        return _naive(column), {}
    if pd.api.types.is_datetime64_any_dtype(column) and not column.isna().all():
        raise Refusal(
            "treatment starts are dates, but the periods are numbers",
            where=f"column {name!r}, type {column.dtype}",
        )
    if column.isna().all():
        return np.full(len(column), np.nan), {}
    values = _whole(column, name)
    zero = values == 0
    if zero.any() and time.min() > 0:
        values = np.where(zero, np.nan, values)
        return values, {"rows with start 0 read as never": int(zero.sum())}
    return values, {}


def one_per_unit(values: np.ndarray, unit: IntArray, n_units: int, name: str) -> np.ndarray:
    """(n_units,) the value that all of a unit's rows share; refused where they differ."""
    last = np.empty(n_units, dtype=values.dtype)
    last[unit] = values
    same = last[unit] == values
    if values.dtype.kind in "fM":
        same |= pd.isna(last)[unit] & pd.isna(values)
    if not same.all():
        changing = np.unique(unit[~same])
        row = int(np.flatnonzero(unit == changing[0])[0]) + 1
        raise Refusal(
            f"{name!r} changes within {len(changing)} of {n_units} units",
            where=f"column {name!r}; for example the unit of row {row}",
            next_step="one value per unit is needed: treatment does not end or start twice, and "
            "a unit belongs to one cluster",
        )
    return last


def collinear(panel: Panel) -> None:
    """Refuse covariates that the others, or the period alone, determine.

    Raises
    ------
    Refusal
        Naming the columns.
    """
    names = panel.covariate_names
    if not names:
        return
    seen = ~np.isnan(panel.outcome)
    period = np.nonzero(seen)[1]
    rows = panel.covariates[seen]
    count = np.bincount(period, minlength=panel.n_periods)
    total = np.stack(
        [np.bincount(period, column, minlength=panel.n_periods) for column in rows.T], axis=1
    )
    size = np.abs(rows).max(axis=0)
    rows = rows - (total / np.maximum(count, 1)[:, None])[period]
    spread = np.sqrt((rows**2).mean(axis=0))
    flat = spread <= 1e-12 * np.maximum(size, np.finfo(float).tiny)
    if flat.any():
        _refuse([name for name, is_flat in zip(names, flat, strict=True) if is_flat], "the period")
    rows /= spread
    for number in range(1, len(names)):
        fit = np.linalg.lstsq(rows[:, :number], rows[:, number], rcond=None)[0]
        rest = rows[:, number] - rows[:, :number] @ fit
        if np.sqrt((rest**2).mean()) <= 1e-8:
            used = np.abs(fit) > 1e-8
            others = [name for name, is_used in zip(names, used, strict=False) if is_used]
            _refuse([names[number]], " and ".join(repr(name) for name in others))


def _refuse(names: list[str], by: str) -> None:
    listed = " and ".join(repr(name) for name in names)
    raise Refusal(
        f"covariates are collinear: {listed} is determined by {by}",
        where=f"columns {', '.join(repr(name) for name in names)}",
        next_step=f"leave out {listed}",
    )


def _no_numbers(column: pd.Series) -> str:
    """How many values are not even a number's text."""
    if not (column.dtype == object or pd.api.types.is_string_dtype(column)):
        return ""
    bad = int((pd.to_numeric(column, errors="coerce").isna() & column.notna()).sum())
    return f": {bad} of {len(column)} values are no numbers" if bad else ", but text"


def _whole(column: pd.Series, name: str) -> FloatArray:
    """Whole numbers as float64; NaN where missing, or infinite (a usual code for never)."""
    if not pd.api.types.is_numeric_dtype(column):
        raise Refusal(
            f"column {name!r} holds neither whole numbers nor dates",
            where=f"column {name!r}, type {column.dtype}",
            next_step="number the periods, or make the column a date in the source",
        )
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = np.where(np.isinf(values), np.nan, values)
    broken = int((values % 1 != 0).sum() - np.isnan(values).sum())
    if broken:
        raise Refusal(
            f"{broken} of {len(values)} values are not whole numbers", where=f"column {name!r}"
        )
    return values


def _naive(column: pd.Series) -> np.ndarray:
    if getattr(column.dt, "tz", None) is not None:
        column = column.dt.tz_localize(None)
    return column.to_numpy(dtype="datetime64[us]")
