"""What the rows of a panel are made of, and verdicts on them, in a reader's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import duration, percent, plural
from trustlib.data.panel_records import PanelQuery, covariate_names
from trustlib.data.panel_time import Times, label_of_as_of

# Above this share of missing cells, what is missing may well decide the answer.
_SPARSE = 0.25


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was counted on the way to the frame.

    Attributes
    ----------
    times
        How time was read.
    no_unit, no_time, late
        Rows left out: without a unit, without a time, at or after ``as_of``.
    never_in_words, zeros_beside_dates
        Rows whose treatment start says never as a word or infinity, or as 0 beside dates.
    thousands
        Columns whose numbers all look like 1.234, read as decimals.
    """

    times: Times
    no_unit: int
    no_time: int
    late: int
    never_in_words: int
    zeros_beside_dates: int
    thousands: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """Cells of units × periods: how many, absent as rows, empty outcomes; the same after the
    start of treatment; units with fewer than two outcomes."""

    units: int
    periods: int
    absent: int
    empty: int
    thin_units: int
    treated_units: int

    @property
    def all(self) -> int:
        return self.units * self.periods

    @property
    def missing(self) -> int:
        return self.absent + self.empty


def report(
    query: PanelQuery, frame: pd.DataFrame, seen: Seen, n: int
) -> tuple[pd.DataFrame, tuple[Check, ...]]:
    """The health frame (``item``, ``n``, ``note``) and the checks; `n` rows were read."""
    cells = _cells(frame)
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
    return _health(query, frame, seen, cells, n), tuple(checks)


def _cells(frame: pd.DataFrame) -> _Cells:
    units, periods = int(frame["unit"].nunique()), int(frame["time"].nunique())
    there = frame["outcome"].notna()
    first_rows = frame["unit"].ne(frame["unit"].shift())
    outcomes = np.add.reduceat(there.to_numpy(dtype=np.int64), np.flatnonzero(first_rows))
    return _Cells(
        units=units,
        periods=periods,
        absent=units * periods - len(frame),
        empty=int((~there).sum()),
        thin_units=int((outcomes < 2).sum()),
        treated_units=int((frame["treatment_start"].notna() & first_rows).sum()),
    )


def _complete(cells: _Cells) -> Check:
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
    if parts:
        return Check(
            name="rows_readable",
            verdict="fail" if lost > 0.05 * n else "warn",
            label="rows left out",
            text=f"Of {plural(n, 'row')}, left out: {'; '.join(parts)}.",
        )
    if seen.thousands:
        return Check(
            name="rows_readable",
            verdict="warn",
            label="are dots decimal points?",
            text=f"Every number of {' and of '.join(seen.thousands)} is written like 1.234, and "
            "was read with a decimal point. If the dot marks thousands, take it out.",
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
    last, step = frame["time"].max(), _step(frame)
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
    if query.as_of is None or step is None:
        return Check(
            name="freshness",
            verdict="pass",
            label="last period named",
            text=f"{said}; no as_of was given to compare with.",
        )
    now = pd.Timestamp(label_of_as_of(seen.times, query))
    if now < last + step:
        return Check(
            name="freshness",
            verdict="warn",
            label="last period not over",
            text=f"{said} and had not ended at as_of: its outcomes may be incomplete.{left}",
        )
    if now >= last + 2 * step:
        behind = duration(timedelta(seconds=(now - last - step).total_seconds() // 3600 * 3600))
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


def _step(frame: pd.DataFrame) -> pd.Timedelta | None:
    """The length of the last period: the commonest of the distances, of the shortest months
    and quarters the shortest (a period that just ended is not called open)."""
    periods = np.unique(frame["time"].to_numpy())
    if len(periods) < 2 or periods.dtype.kind != "M":
        return None
    return pd.Timedelta(np.diff(periods).min())


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


def _health(
    query: PanelQuery, frame: pd.DataFrame, seen: Seen, cells: _Cells, n: int
) -> pd.DataFrame:
    whole = seen.times.kind == "whole"
    as_of = "left out: their period starts at or after as_of"
    if query.as_of is None:
        as_of = "no as_of was given"
    elif whole:
        as_of = "as_of is not applied: periods are whole numbers"
    calendar = "whole numbers"
    if not whole:
        calendar = f"dates on the calendar of {query.timezone}"
        if seen.times.calendar == "UTC":
            calendar = "instants, in UTC"
    rows = [
        ("rows read", n, "all rows of the source"),
        ("rows without a unit", seen.no_unit, "left out"),
        ("rows without a time", seen.no_time, "left out"),
        ("rows after as_of", seen.late, as_of),
        ("rows used", len(frame), "one per unit and period"),
        ("units", cells.units, ""),
        ("periods", cells.periods, calendar),
        ("cells without a row", cells.absent, "missing, not zero"),
        ("missing outcomes", cells.empty, "missing, not zero"),
        ("units with fewer than two outcomes", cells.thin_units, "nothing to compare"),
        ("units with a treatment start", cells.treated_units, ""),
        ("units without a treatment start", cells.units - cells.treated_units, "never treated"),
    ]
    if whole and query.treatment_start_column is not None:
        zeros = frame.loc[frame["treatment_start"] == 0, "unit"].nunique()
        rows.append(("units whose treatment start is 0", int(zeros), "among those with a start"))
    if query.treatment_start_column is not None:
        rows.append(("rows whose start says never", seen.never_in_words, "inf, never"))
        if not whole:
            rows.append(("rows whose start is 0", seen.zeros_beside_dates, "read as never"))
    optional = {"weight": "weights", "standard_error": "standard errors"}
    named = {name: f"covariate {name}" for name in covariate_names(query.covariate_columns)}
    for column, what in (optional | named).items():
        if column in frame:
            rows.append((f"missing: {what}", int(frame[column].isna().sum()), "rows used"))
    if "neighbour" in frame:
        near = frame.loc[frame["neighbour"], "unit"].nunique()
        rows.append(("neighbour units", int(near), "near a treated unit"))
    if "cluster" in frame:
        rows.append(("clusters", int(frame["cluster"].nunique()), ""))
    return pd.DataFrame(rows, columns=["item", "n", "note"]).astype({"n": "int64"})
