"""A panel as arrays: units in rows, periods in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """A panel of n_units × n_periods; periods are evenly spaced and ascending.

    Attributes
    ----------
    outcome
        (n_units, n_periods), NaN where a cell is missing.
    first_treated
        (n_units,) index of the first treated period; n_periods where the unit is not treated
        inside the panel. Always 1 or more: units treated from the start are not in a panel.
    weight
        (n_units, n_periods), positive; all 1 where there is no weight column.
    cluster
        (n_units,) codes from 0; the unit's own number without a cluster column.
    covariates
        (n_units, n_periods, n_covariates).
    standard_error
        (n_units, n_periods) sampling error of each outcome, or None.
    neighbour
        (n_units,) bool, or None without such a column.
    unit_names, period_names, cluster_names, covariate_names
        Labels, as text, in the order of the axes.
    dropped
        What was left out, and how many units: reason -> n.
    notes
        What was read in a way that a reader must know: key -> n.
    """

    outcome: FloatArray
    first_treated: IntArray
    weight: FloatArray
    cluster: IntArray
    covariates: FloatArray
    standard_error: FloatArray | None = None
    neighbour: npt.NDArray[np.bool_] | None = None
    unit_names: tuple[str, ...]
    period_names: tuple[str, ...]
    cluster_names: tuple[str, ...]
    covariate_names: tuple[str, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_units(self) -> int:
        return int(self.outcome.shape[0])

    @property
    def n_periods(self) -> int:
        return int(self.outcome.shape[1])

    @property
    def n_clusters(self) -> int:
        return len(self.cluster_names)

    @property
    def balanced(self) -> bool:
        """True where no cell is missing."""
        return not bool(np.isnan(self.outcome).any())

    @property
    def never(self) -> npt.NDArray[np.bool_]:
        """(n_units,) not treated inside the panel."""
        return self.first_treated >= self.n_periods

    @property
    def groups(self) -> IntArray:
        """First treated periods that occur, ascending, without the never treated."""
        return np.unique(self.first_treated[~self.never])

    @property
    def unit_weight(self) -> FloatArray:
        """(n_units,) a unit's mean weight over its periods, scaled to a mean of 1."""
        mean = self.weight.mean(axis=1)
        return mean / mean.mean()
