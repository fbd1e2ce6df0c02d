"""Tables of counts by one or two variables, with all their totals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]

# A cell or a total: the values it is about, each with its variable, in the variables' order.
Cell = tuple[tuple[str, str], ...]

TOTAL = "all"


@dataclass(frozen=True, kw_only=True, eq=False)
class CountTable:
    """Counts by one or two variables, with all totals.

    Attributes
    ----------
    variables
        One or two names. The same name in two tables is the same variable of the same people.
    values
        Their values' names, each of its own.
    counts
        (r + 1,) or (r + 1, c + 1): the last of each axis is the total. NaN where withheld.

    Raises
    ------
    ValueError
        If shapes differ, a count is not a whole number of 0 or more, or totals do not add up.
    """

    variables: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    counts: FloatArray

    def __post_init__(self) -> None:
        counts = np.array(self.counts, dtype=np.float64)
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)
        if not 1 <= len(self.variables) <= 2 or len(set(self.variables)) < len(self.variables):
            raise ValueError("CountTable: one or two variables, each with a name of its own")
        if len(self.values) != len(self.variables):
            raise ValueError("CountTable: each variable needs its values")
        if any(len(set(names)) < len(names) or not names for names in self.values):
            raise ValueError("CountTable: values need names, each of its own")
        shape = tuple(len(names) + 1 for names in self.values)
        if counts.shape != shape:
            raise ValueError(f"CountTable: counts have shape {counts.shape}, needed is {shape}")
        known = counts[~np.isnan(counts)]
        if (known < 0).any() or (known != np.floor(known)).any() or np.isinf(known).any():
            raise ValueError("CountTable: counts are whole numbers of 0 or more")
        for axis in range(counts.ndim):
            sums = np.take(counts, range(shape[axis] - 1), axis).sum(axis)
            gap = sums - np.take(counts, shape[axis] - 1, axis)
            if (np.abs(np.nan_to_num(gap)) > 0).any():
                raise ValueError("CountTable: cells do not add up to their totals")

    def cells(self) -> list[Cell]:
        """Every cell and total, in the order of `counts.ravel()`."""
        axes = [[*names, None] for names in self.values]
        return [
            tuple(
                sorted(
                    (variable, value)
                    for variable, value in zip(self.variables, at, strict=True)
                    if value is not None
                )
            )
            for at in product(*axes)
        ]


def count_table(
    counts: npt.ArrayLike, *, variables: tuple[str, ...], values: tuple[tuple[str, ...], ...]
) -> CountTable:
    """A table from its inner cells (r,) or (r, c); the totals are added."""
    full = np.asarray(counts, dtype=np.float64)
    for axis in range(full.ndim):
        full = np.concatenate([full, full.sum(axis, keepdims=True)], axis)
    return CountTable(variables=variables, values=values, counts=full)


def count_table_of(
    frame: pd.DataFrame, *, variables: tuple[str, ...], count: str = "count"
) -> CountTable:
    """A table from a long frame: one row per cell, cells that it lacks are 0; totals are added.

    Raises
    ------
    ValueError
        If a cell has two rows, or a value is missing.
    """
    if frame[[*variables, count]].isna().any(axis=None):
        raise ValueError("count_table_of: a value is missing")
    if frame.duplicated(list(variables)).any():
        raise ValueError("count_table_of: a cell has two rows")
    values = tuple(tuple(sorted(frame[name].astype(str).unique())) for name in variables)
    inner = np.zeros(tuple(map(len, values)))
    at = tuple(
        [names.index(str(value)) for value in frame[name]]
        for name, names in zip(variables, values, strict=True)
    )
    inner[at] = frame[count].to_numpy(dtype=np.float64)
    return count_table(inner, variables=variables, values=values)


def long_frame(table: CountTable) -> pd.DataFrame:
    """One row per cell and total: a column per variable ("all" in totals), count, withheld."""
    rows = list(product(*([*names, TOTAL] for names in table.values)))
    frame = pd.DataFrame(rows, columns=list(table.variables))
    frame["count"] = table.counts.ravel()
    frame["withheld"] = frame["count"].isna()
    return frame


def published(tables: Sequence[CountTable]) -> dict[Cell, float]:
    """The cells that are shown somewhere, with their counts."""
    known: dict[Cell, float] = {}
    for table in tables:
        for cell, count in zip(table.cells(), table.counts.ravel(), strict=True):
            if not math.isnan(count) and known.setdefault(cell, float(count)) != count:
                raise ValueError("one cell has different counts in two tables")
    return known
