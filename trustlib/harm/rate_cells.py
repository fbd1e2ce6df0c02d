"""Rates of two periods, cell by cell; from labelled items, with each actor's influence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import coo_array, csr_array

from trustlib.harm.sample import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class RateCells:
    """Two periods, cell by cell; a cell is one combination of the dimensions' values.

    Attributes
    ----------
    codes
        (C, D) of each cell into `names`; no two rows alike.
    names
        dimension -> its values' names; D of them, the outermost first.
    size
        (2, C) known items or views before and after, ≥ 0.
    rate
        (2, C) estimated rate; NaN where there are no labels, or no items.
    variance
        (2, C) of the rate; 0 where it is known.
    labels
        Labelled items behind the rates, of both periods.
    influence
        (A, 2C) of each actor on each cell's rate, cells before and then after; with it the
        intervals count an actor's items together, in all cells and both periods. Without it
        cells are independent.

    Raises
    ------
    ValueError
        If shapes differ, a cell is there twice, or a number is outside its range.
    """

    codes: IntArray
    names: Mapping[str, tuple[str, ...]]
    size: FloatArray
    rate: FloatArray
    variance: FloatArray
    labels: int
    influence: csr_array | None = None

    def __post_init__(self) -> None:
        codes = np.asarray(self.codes, dtype=np.int64)
        object.__setattr__(self, "codes", codes)
        if codes.ndim != 2 or codes.shape[1] != len(self.names) or not self.names:
            raise ValueError("RateCells: codes need one column for each of the names' dimensions")
        if len(np.unique(codes, axis=0)) < len(codes):
            raise ValueError("RateCells: a combination of values is there twice")
        for column, values in zip(codes.T, self.names.values(), strict=True):
            if ((column < 0) | (column >= len(values))).any():
                raise ValueError("RateCells: a code has no name")
        for name in ("size", "rate", "variance"):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, array)
            if array.shape != (2, len(codes)):
                raise ValueError(f"RateCells: {name} needs two rows and {len(codes)} columns")
        if not (np.isfinite(self.size) & (self.size >= 0)).all():
            raise ValueError("RateCells: a size is not a number of 0 or more")
        known = np.isfinite(self.rate) & (self.size > 0)
        if not (np.isfinite(self.variance) & (self.variance >= 0))[known].all():
            raise ValueError("RateCells: a rate has no variance of 0 or more")
        if self.influence is not None and self.influence.shape[1] != self.size.size:
            raise ValueError("RateCells: influence needs one column per cell and period")


def cells_of_actors(
    period: IntArray,
    codes: IntArray,
    *,
    weight: FloatArray,
    label: FloatArray,
    actor: IntArray,
    names: Mapping[str, tuple[str, ...]],
    totals: tuple[IntArray, FloatArray],
    over: Literal["labels", "items"] = "labels",
) -> RateCells:
    """Cells with their rates, an actor's items counted together.

    Parameters
    ----------
    period
        (n,) 0 before, 1 after.
    codes
        (n, D) into `names`.
    weight
        (n,) items or views that each label stands for, ≥ 0.
    label
        (n,) 1 or 0.
    actor
        (n,) codes; −1 unknown: that item stands alone.
    totals
        (C, D) codes of all cells, and (2, C) items or views in them, known. A label outside
        these cells is refused.
    over
        "labels": weighted violating labels over the weights of all labels of the cell (Hájek);
        a cell without labels has no rate. "items": over the cell's known items
        (Horvitz–Thompson); a cell without labels has rate 0. Where few labels stand for most
        items, many cells have none of these and Hájek's rates are far too high on average, while
        those over known items are right on average and add up to the whole's.

    Raises
    ------
    ValueError
        If a label stands in no cell, or a cell of a period without items has labels.
    """
    cell_codes, size = np.asarray(totals[0], dtype=np.int64), np.asarray(totals[1], dtype=float)
    count = len(cell_codes)
    joint = np.unique(np.vstack([cell_codes, codes]), axis=0, return_inverse=True)[1].reshape(-1)
    place = np.full(joint.max(initial=-1) + 1, -1)
    place[joint[:count]] = np.arange(count)
    cell = place[joint[count:]]
    if (cell < 0).any() or (size[period, cell] <= 0).any():
        raise ValueError("cells_of_actors: labels stand where the totals know of no items")
    column = period * count + cell
    mass = np.bincount(column, weight, minlength=2 * count)
    known = size.reshape(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if over == "items":
            mass = known
            rate = np.minimum(1.0, np.bincount(column, weight * label, minlength=2 * count) / mass)
            moved = weight * label / mass[column]
        else:
            rate = np.bincount(column, weight * label, minlength=2 * count) / mass
            moved = weight * (label - rate[column]) / mass[column]
    alone = actor.max(initial=-1) + 1 + np.arange(len(actor))
    cluster = np.unique(np.where(actor < 0, alone, actor), return_inverse=True)[1]
    use = mass[column] > 0
    influence = csr_array(
        coo_array(
            (moved[use], (cluster[use], column[use])),
            shape=(int(cluster.max(initial=-1)) + 1, 2 * count),
        )
    )
    influence.sum_duplicates()
    variance = np.asarray((influence**2).sum(axis=0)).reshape(2, count)
    return RateCells(
        codes=cell_codes,
        names=names,
        size=size,
        rate=np.where(mass > 0, rate, np.nan).reshape(2, count),
        variance=variance,
        labels=int(np.count_nonzero(weight > 0)),
        influence=influence,
    )
