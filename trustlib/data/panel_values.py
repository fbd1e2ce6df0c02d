"""Numbers of a panel: refused where one is none, and who was treated when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trustlib.core import NoData, Refusal
from trustlib.data.engine import panel as engine
from trustlib.data.engine.columns import parameter
from trustlib.data.panel_records import PanelQuery

Floats = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
_PLAIN = (
    "write plain numbers (1234 or 1234.5: no thousands separator, no decimal comma), and leave "
    "the cell empty where there is none"
)
_NOUNS = {
    "outcome": "outcome",
    "covariate": "covariate value",
    "predictor": "predictor value",
    "given": "predictor value",
    "weight": "weight",
    "standard_error": "standard error",
    "treated": "treated value",
    "neighbour": "neighbour value",
}


def refuse_what_is_no_number(rows: Any, columns: Mapping[str, str | None]) -> tuple[str, ...]:
    """Look at every numeric column in the engine (`columns`: role to column); returns the columns
    whose numbers all look like 1.234, which are read as decimals.

    Raises
    ------
    Refusal
        Cells that are no numbers, infinite ones, negative weights or errors, flags that are
        neither 0 nor 1, numbers that can be read in two ways.
    NoData
        Every outcome is missing.
    """
    alike = []
    for role, column in columns.items():
        if column is None or role in engine.LABELS:
            continue
        faults = engine.value_faults(rows, role)
        where = f"{parameter(role)}: {column}"
        noun = _NOUNS.get(role.partition("_")[0] if role not in _NOUNS else role, "value")
        _refuse(faults["unreadable"], noun, "not a number", "not numbers", where, _PLAIN)
        step = "find where they come from: often a division by zero or the logarithm of 0"
        _refuse(faults["infinite"], noun, "infinite", "infinite", where, step)
        if role in ("weight", "standard_error"):
            step = "it has to be 0 or more"
            _refuse(faults["negative"], noun, "negative", "negative", where, step)
        if role == "outcome" and not faults["written"]:
            raise NoData(
                "every outcome is missing",
                where=where,
                next_step="check the export, or name another column",
            )
        if 0 < faults["grouped"] == faults["dotted"] and faults["round"] < faults["grouped"]:
            if faults["dotted"] < faults["written"]:
                raise Refusal(
                    f"{faults['grouped']:,} {noun}s written like 1.234 can be read two ways: the "
                    "dot may mark thousands or decimals",
                    where=where,
                    next_step="thousands: take the dots out; decimals: write four of them (1.2340)",
                )
            alike.append(column)
    return tuple(alike)


def _refuse(n: int, noun: str, one: str, many: str, where: str, step: str) -> None:
    if n:
        what = f"1 {noun} is {one}" if n == 1 else f"{n:,} {noun}s are {many}"
        raise Refusal(what, where=where, next_step=step)


def flags(values: Floats, role: str, query: PanelQuery, *, empty: float | None) -> Floats:
    """0 or 1 per row; a missing one is `empty`, refused where that is None."""
    where = f"{parameter(role)}: {query.columns[role]}"
    missing = np.isnan(values)
    odd = int((~missing & (values != 0) & (values != 1)).sum())
    step = "write 1 for yes and 0 for no"
    _refuse(odd, _NOUNS[role], "neither 0 nor 1", "neither 0 nor 1", where, step)
    if empty is None:
        _refuse(int(missing.sum()), _NOUNS[role], "empty", "empty", where, step)
        return values
    return np.where(missing, empty, values)


def weighable(weight: Floats, outcome: Floats, query: PanelQuery) -> None:
    """Refuse cells that have an outcome and no weight: nobody can say what they count for."""
    there = ~np.isnan(outcome)
    where = f"weight_column: {query.weight_column}"
    empty, zero = int((there & np.isnan(weight)).sum()), int((there & (weight == 0)).sum())
    step = "fill the weight, or leave the outcome empty in those rows (a .sql source can do both)"
    for n, what in ((empty, "without a weight"), (zero, "with a weight of 0")):
        if n:
            raise Refusal(f"{n:,} rows with an outcome are {what}", where=where, next_step=step)


def constant_in_units(
    values: npt.NDArray[Any], unit: npt.NDArray[np.int64], role: str, query: PanelQuery
) -> None:
    """Refuse a column that changes within a unit; rows sorted by unit."""
    before, after = values[:-1], values[1:]
    differs = (before != after) & ~((before != before) & (after != after))  # NaN and NaT
    n = len(np.unique(unit[1:][differs & (unit[1:] == unit[:-1])]))
    if not n:
        return
    what, step = {
        "start": (
            "the treatment start changes within",
            "write a unit's first treated period on each of its rows, or name a treated_column "
            "that is 0 before and 1 from then on",
        ),
        "cluster": (
            "the cluster changes within",
            "a unit lies in one cluster: name a coarser column, or set cluster_column: null",
        ),
        "neighbour": (
            "the neighbour flag changes within",
            "write 1 on every row of a unit that lies near a treated one, else 0",
        ),
    }[role]
    units = "1 unit" if n == 1 else f"{n:,} units"
    raise Refusal(
        f"{what} {units}",
        where=f"{parameter(role)}: {query.columns[role]}",
        next_step=step,
    )


def start_from_treated(
    treated: Floats, unit: npt.NDArray[np.int64], time: npt.NDArray[Any], query: PanelQuery
) -> npt.NDArray[Any]:
    """Each row's unit's first time with ``treated`` 1: float64 or datetime64[us], NaN or NaT
    where there is none. Rows sorted by unit and time.

    Raises
    ------
    Refusal
        A unit whose treatment ends: what happens after is not what these methods estimate.
    """
    same = unit[1:] == unit[:-1]
    n = len(np.unique(unit[1:][same & (np.diff(treated) < 0)]))
    if n:
        units = "1 unit is" if n == 1 else f"{n:,} units are"
        raise Refusal(
            f"{units} treated and later untreated again",
            where=f"treated_column: {query.treated_column}",
            next_step="end such a unit's rows before the reversal, leave the unit out, or name a "
            "treatment_start_column if the effect is meant to last",
        )
    dated = time.dtype.kind == "M"
    values = time if dated else time.astype(float)
    firsts = np.full(int(unit.max()) + 1, np.datetime64("NaT", "us") if dated else np.nan)
    on = treated == 1
    begins = on & ~np.append(False, on[:-1] & same)
    firsts[unit[begins]] = values[begins]
    return firsts[unit]
