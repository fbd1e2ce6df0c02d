"""The cases of one side of an incident: what is known of all of them, and of the labelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.data.incident_records import AffectedRows, Side
from trustlib.postmortem.amounts import WrongTotal, wrong_total
from trustlib.stats.horvitz_thompson import FloatArray, IntArray, sampled_fraction

SIDES: tuple[Side, ...] = ("over", "under")
NO_CASE = "no case of this side in the affected table"
_SUMS = ["items", "resolved", "gross_cents", "recovered_cents"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SideCases:
    """One side's cases in two cells, the others (0) and the suspects (1).

    Attributes
    ----------
    totals
        Two rows: items, resolved, gross_cents, recovered_cents.
    labelled
        As `AffectedRows.labelled`, of this side, in an order of its own.
    wrong
        (n,) 1: over and not violating, or under and violating.
    cell
        (n,) 0 or 1.
    weight, fraction
        (n,) 1/π; the part of its cell that a label stands for.
    """

    side: Side
    totals: pd.DataFrame
    labelled: pd.DataFrame
    wrong: FloatArray
    cell: IntArray
    weight: FloatArray
    fraction: FloatArray

    @property
    def items(self) -> int:
        return int(self.totals["items"].sum())

    @property
    def n(self) -> int:
        return len(self.labelled)

    @property
    def calibrated(self) -> FloatArray:
        """(n,) cases that each label stands for: weights scaled to the cells' known numbers."""
        drawn = np.bincount(self.cell, self.weight, minlength=2)
        known = self.totals["items"].to_numpy(float)
        scale = np.divide(known, drawn, out=np.zeros(2), where=drawn > 0)
        return np.asarray(self.weight * scale[self.cell], dtype=np.float64)

    def wrong_items(self, *, level: float) -> WrongTotal:
        """How many cases are wrong."""
        return self.total(np.ones((self.n, 1)), self.totals[["items"]], level=level).whole()

    def total(self, amount: FloatArray, totals: pd.DataFrame, *, level: float) -> WrongTotal:
        """What wrong cases hold of `amount` (n, K), known in all as `totals` (2, K)."""
        return wrong_total(
            self.wrong, cell=self.cell, weight=self.weight, fraction=self.fraction,
            amount=amount, totals=totals.to_numpy(float), level=level,
        )  # fmt: skip


def side_cases(rows: AffectedRows, side: Side) -> SideCases:
    """The cases of `side`, whatever their strata are called."""
    own = rows.cases[rows.cases["side"] == side]
    return with_totals(own, rows.labelled[rows.labelled["side"] == side], side)


def with_totals(cells: pd.DataFrame, labelled: pd.DataFrame, side: Side) -> SideCases:
    """The same of any part of a side: `cells` has suspect and items, perhaps amounts too."""
    totals = _totals(cells)
    keys = ["viewers", "customer_dose", "account_dose", "recovered_cents", "gross_cents",
            "inclusion", "label", "suspect"]  # fmt: skip
    labelled = labelled.take(np.lexsort([labelled[key].to_numpy() for key in keys]))
    label = labelled["label"].to_numpy(float)
    cell = labelled["suspect"].to_numpy(bool).astype(np.int64)
    inclusion = labelled["inclusion"].to_numpy(float)
    units = totals["items"].to_numpy(float)
    return SideCases(
        side=side,
        totals=totals,
        labelled=labelled,
        wrong=1 - label if side == "over" else label,
        cell=cell,
        weight=1 / inclusion,
        fraction=sampled_fraction(stratum=cell, inclusion=inclusion, units=units),
    )


def _totals(cells: pd.DataFrame) -> pd.DataFrame:
    """Sums of the others and the suspects; 0 where `cells` does not tell."""
    suspect = cells["suspect"].to_numpy(bool).astype(np.int64)
    sums = {
        name: np.bincount(suspect, cells[name].to_numpy(float), minlength=2).astype(np.int64)
        if name in cells
        else np.zeros(2, dtype=np.int64)
        for name in _SUMS
    }
    return pd.DataFrame(sums, index=pd.Index([False, True], name="suspect"))


def why_not(rows: AffectedRows, cases: SideCases) -> str | None:
    """Why nothing can be said of the side's wrong cases; None where something can."""
    if cases.items == 0:
        return rows.missing.get("affected", NO_CASE)
    if cases.n == 0:
        return rows.missing.get("labels", "no case of this side is labelled")
    return None
