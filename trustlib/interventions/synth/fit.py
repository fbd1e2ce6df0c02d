"""One estimator over unit and time weights; the presets differ in how they choose them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case

Preset = Literal[
    "did", "synthetic_control", "synthetic_control_predictors", "augmented", "synthetic_did"
]
PRESETS: tuple[Preset, ...] = (
    "synthetic_did",
    "synthetic_control",
    "synthetic_control_predictors",
    "augmented",
    "did",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """What one preset found for one case.

    Attributes
    ----------
    preset
        Which.
    unit_weights
        (n_donors,) sum to 1; not negative, except where augmented.
    time_weights
        (n_pre,) sum to 1 where the preset differences against weighted pre-periods
        (synthetic_did, did: 1 / n_pre), zeros where it takes levels (synthetic controls).
    gap
        (n_periods,) target − synthetic, with the time-weighted gap before treatment taken off.
    att
        Mean gap after treatment.
    pre_rmspe
        Root mean squared gap over [fit_from, fit_to) for predictors, else before treatment;
        about the pre-period's mean where an intercept is fitted (synthetic_did, did).
    kkt
        Largest violation of the optimality conditions over the programs solved, relative to the
        size of the objective's gradient (0 where nothing is optimised).
    objective
        Of the unit-weight program: mean squared error before treatment, with its penalty.
    predictor_weights
        (k,) V on the simplex, empty without predictors.
    optimality_gap
        MSPE(V) − the least MSPE that any unit weights reach on the same periods; NaN elsewhere.
    notes
        name -> number, what a reader or a test may want: "zeta_unit", "ridge", "starts" ...
    """

    preset: Preset
    unit_weights: FloatArray
    time_weights: FloatArray
    gap: FloatArray
    att: float
    pre_rmspe: float
    kkt: float
    objective: float
    predictor_weights: FloatArray = field(default_factory=lambda: np.empty(0))
    optimality_gap: float = float("nan")
    notes: dict[str, float] = field(default_factory=dict)


def fit(case: Case, preset: Preset) -> Fit:
    """The weights of `preset`, and the effect that they give.

    Raises
    ------
    Refusal
        The preset with predictors where the case has none.
    """
    from trustlib.interventions.synth.augmented import augmented
    from trustlib.interventions.synth.predictor_weighted import predictor_weighted
    from trustlib.interventions.synth.weights import did, synthetic_control, synthetic_did

    if preset == "synthetic_control":
        return synthetic_control(case)
    if preset == "synthetic_control_predictors":
        return predictor_weighted(case)
    if preset == "synthetic_did":
        return synthetic_did(case)
    if preset == "augmented":
        return augmented(case)
    return did(case)
