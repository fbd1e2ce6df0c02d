"""The probability of treatment given covariates: a logit, solved to machine precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from trustlib.interventions.panel import FloatArray
from trustlib.stats.fixed_order import cross, times

_ITERATIONS = 50
_MAX_PROBABILITY = 0.999  # R's `did` gives a cell up above this: no overlap
_TRIM = 0.995  # DRDID: a control this likely treated weighs nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Propensity:
    """A fitted logit of treatment.

    Attributes
    ----------
    odds
        (n,) p / (1 − p), 0 where p is .995 or more.
    influence
        (n, p) of each unit on the coefficients.
    trimmed
        Controls whose odds were set to 0.
    reason
        Why there is none; else empty.
    """

    odds: FloatArray
    influence: FloatArray
    trimmed: int = 0
    reason: str = ""


def propensity(treated: np.ndarray, *, weight: FloatArray, design: FloatArray) -> Propensity:
    """Weighted logit of `treated` (n,) on `design` (n, p), by Newton's method.

    The score is brought to rounding error: packages that stop at a relative change of the
    deviance of 1e-8, as R's `glm`, agree to some seven digits only.
    """
    n, p = design.shape
    d = treated.astype(np.float64)
    share = float((weight * d).sum() / weight.sum())
    coefficients = np.zeros(p)
    coefficients[0] = np.log(share / (1 - share))
    size = float(np.abs(weight[:, None] * design).sum(axis=0).max())
    for _ in range(_ITERATIONS):
        probability = expit(times(design, coefficients[:, None])[:, 0])
        score = cross(design, (weight * (d - probability))[:, None])[:, 0]
        spread = weight * probability * (1 - probability)
        information = cross(design, spread[:, None] * design)
        if not np.linalg.cond(information) < 1e14:
            return _none("covariates separate treated from comparison units: no overlap")
        step = np.linalg.solve(information, score)
        if np.abs(score).max() <= 1e-14 * size or np.abs(step).max() <= 1e-13:
            break
        # Far from the solution Newton's step overshoots: no more than 4 on the logit's scale.
        coefficients = coefficients + step * min(1.0, 4.0 / np.abs(step).max())
    else:
        return _none("the propensity score did not converge: little overlap in covariates")
    if probability.max() > _MAX_PROBABILITY:
        return _none("covariates all but tell who is treated: no overlap")
    kept = treated | (probability < _TRIM)
    inverse = np.linalg.inv(information)
    return Propensity(
        odds=np.where(kept, probability / (1 - probability), 0.0),
        influence=times((weight * (d - probability))[:, None] * design, inverse * n),
        trimmed=int((~kept).sum()),
    )


def _none(reason: str) -> Propensity:
    return Propensity(odds=np.empty(0), influence=np.empty((0, 0)), reason=reason)
