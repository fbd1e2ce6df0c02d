"""Verdicts on the rows of a panel, in a reader's words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import duration, percent, plural
from trustlib.data.panel_health import Cells, Seen, cells_of, health
from trustlib.data.panel_records import PanelQuery, covariate_names
from trustlib.data.panel_time import label_of_as_of

# Above this share of missing cells, what is missing may well decide the answer.
_SPARSE = 0.25


def report(
    query: PanelQuery, frame: pd.DataFrame, seen: Seen, n: int
) -> tuple[pd.DataFrame, tuple[Check, ...]]:
    """The health frame (``item``, ``n``, ``note``) and the checks; `n` rows were read."""
    cells = cells_of(frame)
    checks = [
        _complete(cells),
        Check(
            name="duplicates",
            verdict="pass",
            label="no cell is there twice",
            text=f"Each of {plural(len(frame), 'row')} is the only one of its unit and period.",
        ),
        _readable(seen, n),
        _freshness(query, frame, seen),
    ]
    if query.weight_column is not None:
        checks.append(_weights(frame))
    if query.covariate_columns:
        checks.append(_covariates(query, frame))
    if query.standard_error_column is not None:
        checks.append(_errors(frame))
    return health(query, frame, seen, cells, n), tuple(checks)


def _complete(cells: Cells) -> Check:
    size = f"{plural(cells.units, 'unit')} × {plural(cells.periods, 'period')}"
    if not cells.missing:
        return Check(
            name="data_complete",
            verdict="pass",
            label="every cell is there",
            text=f"All {cells.all:,} cells of {size} hold an outcome.",
        )
    share = cells.missing / cells.all
    return Check(
        name="data_complete",
        verdict="fail" if share > _SPARSE else "warn",
        label="cells of the panel missing",
        text=f"{cells.missing:,} of {cells.all:,} cells of {size} hold no outcome "
        f"({percent(share)}): {cells.absent:,} have no row, {cells.empty:,} an empty outcome. They "
        "are left out and not counted as zero; if treatment changes who is observed, "
        "the estimate is off.",
    )


def _readable(seen: Seen, n: int) -> Check:
    lost = seen.no_unit + seen.no_time
    parts = []
    if seen.no_unit:
        parts.append(f"{plural(seen.no_unit, 'row')} without a unit")
    if seen.no_time:
        parts.append(f"{plural(seen.no_time, 'row')} without a time")
    dots = (
        f"Every number of {' and of '.join(seen.thousands)} is written like 1.234, and was read "
        "with a decimal point: if the dot marks thousands, take it out."
    )
    if parts:
        left = f"Of {plural(n, 'row')}, left out: {'; '.join(parts)}."
        return Check(
            name="rows_readable",
            verdict="fail" if lost > 0.05 * n else "warn",
            label="rows left out",
            text=f"{left} {dots}" if seen.thousands else left,
        )
    if seen.thousands:
        return Check(
            name="rows_readable", verdict="warn", label="are dots decimal points?", text=dots
        )
    return Check(
        name="rows_readable",
        verdict="pass",
        label="every row could be read",
        text=f"All {plural(n, 'row')} have a unit and a time, and every number is one.",
    )


def _day(at: pd.Timestamp) -> str:
    return f"{at:%Y-%m-%d}" if at == at.normalize() else f"{at:%Y-%m-%d %H:%M}"


def _freshness(query: PanelQuery, frame: pd.DataFrame, seen: Seen) -> Check:
    last = frame["time"].max()
    if seen.times.kind == "whole":
        also = " as_of was given and cannot be compared with them." if query.as_of else ""
        return Check(
            name="freshness",
            verdict="not_run",
            label="periods carry no date",
            text=f"Periods are whole numbers, the last is {last}; how old they are cannot be "
            f"told.{also}",
        )
    said = f"The last period starts on {_day(last)}"
    left = f" {plural(seen.late, 'row')} of later periods are left out." if seen.late else ""
    ends = None if query.as_of is None else _ends(frame)
    if ends is None:
        return Check(
            name="freshness",
            verdict="pass",
            label="last period named",
            text=f"{said}; {_uncompared(query)}.",
        )
    now = pd.Timestamp(label_of_as_of(seen.times, query))
    if now < ends[0]:
        return Check(
            name="freshness",
            verdict="warn",
            label="last period not over",
            text=f"{said} and had not ended at as_of: its outcomes may be incomplete.{left}",
        )
    if now >= ends[1]:
        behind = duration(timedelta(hours=(now - ends[0]) // pd.Timedelta(hours=1)))
        return Check(
            name="freshness",
            verdict="warn",
            label="data are behind",
            text=f"{said} and ended about {behind} before as_of.{left}",
        )
    return Check(
        name="freshness",
        verdict="pass",
        label="data are fresh",
        text=f"{said}, the last that had ended at as_of.{left}",
    )


def _uncompared(query: PanelQuery) -> str:
    if query.as_of is None:
        return "no as_of was given to compare with"
    return "how long it lasts cannot be told from one period"


def _ends(frame: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """When the last period ends, and when one more would have; None where nothing tells the
    length of a period."""
    periods = pd.DatetimeIndex(frame["time"].unique())
    if len(periods) < 2:
        return None
    last: pd.Timestamp = periods.max()
    if bool((periods.day == 1).all()) and bool((periods == periods.normalize()).all()):
        months = np.diff(np.sort(periods.year * 12 + periods.month)).min()
        step: Any = pd.DateOffset(months=int(months))
    else:
        step = pd.Timedelta(np.diff(np.sort(periods.to_numpy())).min())
    return last + step, last + step + step


def _weights(frame: pd.DataFrame) -> Check:
    used = frame.loc[frame["outcome"].notna(), ["unit", "weight"]]
    share = float(used.groupby("unit", observed=True)["weight"].mean().pipe(_largest_share))
    text = (
        f"All {len(used):,} cells with an outcome have a positive weight; the heaviest unit "
        f"carries {percent(share)} of the weight."
    )
    heavy = share > 0.5
    return Check(
        name="weights",
        verdict="warn" if heavy else "pass",
        label="one unit outweighs all others" if heavy else "weights are positive",
        text=text,
    )


def _largest_share(weight: pd.Series) -> float:
    return float(weight.max() / weight.sum())


def _covariates(query: PanelQuery, frame: pd.DataFrame) -> Check:
    names = list(covariate_names(query.covariate_columns))
    there = frame["outcome"].notna()
    lacking = int((frame[names].isna().any(axis=1) & there).sum())
    if not lacking:
        return Check(
            name="covariates",
            verdict="pass",
            label="covariates are complete",
            text=f"Every cell with an outcome has a value of {', '.join(query.covariate_columns)}.",
        )
    return Check(
        name="covariates",
        verdict="warn",
        label="covariates missing",
        text=f"{plural(lacking, 'cell')} with an outcome lack a covariate "
        f"({percent(lacking / int(there.sum()))}).",
    )


def _errors(frame: pd.DataFrame) -> Check:
    there = frame["outcome"].notna()
    lacking = int((frame["standard_error"].isna() & there).sum())
    if not lacking:
        return Check(
            name="standard_errors",
            verdict="pass",
            label="every outcome has its error",
            text="Every cell with an outcome has a standard error.",
        )
    return Check(
        name="standard_errors",
        verdict="warn",
        label="outcomes without their error",
        text=f"{plural(lacking, 'cell')} with an outcome have no standard error.",
    )
