"""What the rows of a panel are made of, in counts: the data-health table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.data.panel_records import PanelQuery, covariate_names
from trustlib.data.panel_time import Times


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
class Cells:
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


def cells_of(frame: pd.DataFrame) -> Cells:
    """Count the cells of the frame."""
    units, periods = int(frame["unit"].nunique()), int(frame["time"].nunique())
    there = frame["outcome"].notna()
    first_rows = frame["unit"].ne(frame["unit"].shift())
    outcomes = np.add.reduceat(there.to_numpy(dtype=np.int64), np.flatnonzero(first_rows))
    return Cells(
        units=units,
        periods=periods,
        absent=units * periods - len(frame),
        empty=int((~there).sum()),
        thin_units=int((outcomes < 2).sum()),
        treated_units=int((frame["treatment_start"].notna() & first_rows).sum()),
    )


def health(
    query: PanelQuery, frame: pd.DataFrame, seen: Seen, cells: Cells, n: int
) -> pd.DataFrame:
    """The health frame (``item``, ``n``, ``note``); `n` rows were read."""
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
    ]
    if query.treatment_start_column is not None or query.treated_column is not None:
        rows += [
            ("units with a treatment start", cells.treated_units, ""),
            ("units without a treatment start", cells.units - cells.treated_units, "never treated"),
        ]
    if whole and query.treatment_start_column is not None:
        zeros = frame.loc[frame["treatment_start"] == 0, "unit"].nunique()
        rows.append(("units whose treatment start is 0", int(zeros), "among those with a start"))
    if query.treated_column is not None:
        rows.append(
            ("units first seen treated after a gap", _after_a_gap(frame), "started when seen")
        )
    if query.treatment_start_column is not None:
        rows.append(("rows whose start says never", seen.never_in_words, "inf, never"))
        if not whole:
            rows.append(("rows whose start is 0", seen.zeros_beside_dates, "read as never"))
    optional = {"weight": "weights", "standard_error": "standard errors"}
    named = {name: f"covariate {name}" for name in covariate_names(query.covariate_columns)}
    named |= {name: f"predictor {name}" for name in covariate_names(query.predictor_columns)}
    for column, what in (optional | named).items():
        if column in frame:
            rows.append(
                (f"missing: {what}", int(frame[column].isna().sum()), "empty in the rows used")
            )
    if "neighbour" in frame:
        near = frame.loc[frame["neighbour"], "unit"].nunique()
        rows.append(("neighbour units", int(near), "near a treated unit"))
    if "cluster" in frame:
        rows.append(("clusters", int(frame["cluster"].nunique()), ""))
    return pd.DataFrame(rows, columns=["item", "n", "note"]).astype({"n": "int64"})


def _after_a_gap(frame: pd.DataFrame) -> int:
    """Units whose first treated row does not follow one of the period before."""
    place = np.searchsorted(np.unique(frame["time"].to_numpy()), frame["time"].to_numpy())
    unit = frame["unit"]
    begins = (frame["time"] == frame["treatment_start"]) & unit.eq(unit.shift())
    return int((begins & (np.diff(place, prepend=0) > 1)).sum())
