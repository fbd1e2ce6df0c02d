"""Families of effects with their joint error: what every estimator of this room returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.interventions.panel import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Effects:
    """A family of effects of one aggregation, with their joint error.

    Attributes
    ----------
    kind
        "simple", "group", "dynamic" or "calendar".
    keys
        (k,) event times, or indices of first treated periods or of periods; empty for simple.
    point, standard_error
        (k,) NaN where not estimable. A reference period has point 0 and standard error 0.
    covariance
        (k, k), clustered as the panel says.
    units
        (k,) treated units that each rests on.
    overall, overall_standard_error
        The aggregation's one number.
    overall_weights
        (k,) how the family averages to it; empty for simple.
    influence, overall_influence
        (n_units, k) and (n_units,): each unit's influence, so that the error of a mean of
        them is the estimate's; None where the estimator has none.
    critical
        Of the simultaneous band at the spec's level: half-width = critical × standard error.
        NaN where there is none.
    degrees
        Degrees of freedom of Student's t for pointwise intervals; infinite: normal.
    notes
        What a reader must know: what was left out, what is not estimable, and why.
    """

    kind: str
    keys: IntArray
    point: FloatArray
    standard_error: FloatArray
    covariance: FloatArray
    units: IntArray
    overall: float
    overall_standard_error: float
    overall_weights: FloatArray
    influence: FloatArray | None = None
    overall_influence: FloatArray | None = None
    critical: float = float("nan")
    degrees: float = float("inf")
    notes: tuple[str, ...] = ()

    @property
    def before(self) -> np.ndarray:
        """(k,) of a dynamic family: event times before treatment."""
        return self.keys < 0
