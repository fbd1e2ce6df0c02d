"""The panel of a synthetic control as arrays: complete, units in rows, periods in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from trustlib.interventions.panel import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class SynthPanel:
    """Treated units and the donor pool. No cell is missing; periods ascend.

    Attributes
    ----------
    outcome
        (n_units, n_periods).
    first_treated
        (n_units,) index of the first treated period, 1 or more; n_periods for donors.
    weight
        (n_units, n_periods) people behind each cell, positive; 1 without a weight column.
    predictors
        (n_units, n_predictors), complete; no columns where none were asked for.
    fit_from, fit_to
        Periods [fit_from, fit_to) on which the predictors' weights are fitted.
    unit_names, period_names, predictor_names
        Labels, as text, in the order of the axes. Units are sorted by label.
    left_out
        Units of the source that are in neither group: unit -> reason. Reasons are "treated"
        (another treated unit), "affected", "missing cells", "no outcome", "treated from the
        start", "not in donor_units".
    notes
        What was read in a way that a reader must know: key -> n. "periods without a treated
        outcome" counts periods dropped because a treated unit has no value there.
    """

    outcome: FloatArray
    first_treated: IntArray
    weight: FloatArray
    predictors: FloatArray
    fit_from: int
    fit_to: int
    unit_names: tuple[str, ...]
    period_names: tuple[str, ...]
    predictor_names: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_units(self) -> int:
        return int(self.outcome.shape[0])

    @property
    def n_periods(self) -> int:
        return int(self.outcome.shape[1])

    @property
    def treated(self) -> np.ndarray:
        """(n_units,) bool."""
        return self.first_treated < self.n_periods

    @property
    def donors(self) -> IntArray:
        """(n_donors,) positions of the donor pool."""
        return np.flatnonzero(~self.treated)

    @property
    def starts(self) -> IntArray:
        """First treated periods that occur, ascending: one cohort each."""
        return np.unique(self.first_treated[self.treated])
