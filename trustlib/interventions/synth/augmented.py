"""Synthetic control, with what is left of its misfit taken off by ridge regression.

Source: Ben-Michael, Feller and Rothstein (2021), "The augmented synthetic control method", Journal
of the American Statistical Association 116(536). With X0 (donors, less their mean in each period)
and r what synthetic control misses before the start,

    weights = synthetic control's + X0 (X0'X0 + ridge I)⁻¹ r.

A large ridge is synthetic control itself; a ridge of zero matches every period before the start
if there are donors enough. Weights may be negative: that is extrapolation, and the ridge its price.
"""

from __future__ import annotations

import numpy as np

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Fit
from trustlib.stats.simplex import simplex_least_squares

# The grid of the authors' own software: down from the first squared singular value of X0.
_STEPS = 20
_SMALLEST = 1e-8


def augmented(case: Case, *, ridge: float | None = None) -> Fit:
    """Ridge-augmented synthetic control on the outcomes before the start.

    Predictors, where the case has any, are not used: outcomes only.

    Parameters
    ----------
    ridge
        In squared units of the outcome, positive; None: chosen by leaving out one period before
        the start at a time. The largest is taken whose squared error is at most one standard
        error above the least (Breiman's rule, as in the authors' own software), so that weights
        go below zero only where this clearly predicts better.

    Returns
    -------
    Fit
        objective: mean squared gap before the start, and ridge × the squared distance from
        synthetic control's weights, per period. notes: "ridge"; "negative_weight" (sum of the
        weights below 0); "left_of_misfit" (share of synthetic control's root mean squared gap
        before the start); "left_out_rmse" (of periods left out; not with a ridge that was given
        or a single period).
    """
    before, own = case.donors[:, : case.n_pre], case.target[: case.n_pre]
    plain = simplex_least_squares(before.T, own)
    centre = before.mean(axis=0)
    donors, target = before - centre, own - centre
    notes: dict[str, float] = {}
    if ridge is None:
        ridge, error = _by_leaving_out(donors, target, plain.weights)
        notes = {} if np.isnan(error) else {"left_out_rmse": error}
    moved = _ridge_weights(donors, target - plain.weights @ donors, np.array([ridge]))[0]
    weights = plain.weights + moved
    gap = case.target - weights @ case.donors
    missed = float(np.mean(gap[: case.n_pre] ** 2))
    least = float(np.sqrt(plain.objective / case.n_pre))
    notes |= {
        "ridge": ridge,
        "negative_weight": float(weights[weights < 0].sum()),
        "left_of_misfit": float(np.sqrt(missed)) / least if least > 0 else 1.0,
    }
    return Fit(
        preset="augmented",
        unit_weights=weights,
        time_weights=np.zeros(case.n_pre),
        gap=gap,
        att=float(gap[case.n_pre :].mean()),
        pre_rmspe=float(np.sqrt(missed)),
        kkt=plain.kkt,
        objective=missed + ridge * float(moved @ moved) / case.n_pre,
        notes=notes,
    )


def _ridge_weights(donors: FloatArray, missed: FloatArray, ridges: FloatArray) -> FloatArray:
    """(n_ridges, n_donors): what is added to the weights, for each ridge."""
    left, size, right = np.linalg.svd(donors, full_matrices=False)
    kept = size > 1e-12 * size.max(initial=0.0)
    left, size, right = left[:, kept], size[kept], right[kept]
    shrunk = size / (size**2 + ridges[:, None])
    added: FloatArray = (shrunk * (right @ missed)) @ left.T
    return added


def _by_leaving_out(
    donors: FloatArray, target: FloatArray, start: FloatArray
) -> tuple[float, float]:
    """The ridge, and the root mean squared error of periods left out under it."""
    first = float(np.linalg.norm(donors, 2)) ** 2
    ridges = first * _SMALLEST ** (np.arange(_STEPS + 1) / _STEPS)
    periods = len(target)
    if periods < 2 or first == 0:
        return first, float("nan")
    errors = np.empty((periods, len(ridges)))
    for out in range(periods):
        others = np.arange(periods) != out
        rest, aim = donors[:, others], target[others]
        plain = simplex_least_squares(rest.T, aim, start=start).weights
        weights = plain + _ridge_weights(rest, aim - plain @ rest, ridges)
        errors[out] = (target[out] - weights @ donors[:, out]) ** 2
    mean = errors.mean(axis=0)
    best = int(np.argmin(mean))
    allowed = mean[best] + errors[:, best].std(ddof=1) / np.sqrt(periods)
    chosen = int(np.argmax(mean <= allowed))
    return float(ridges[chosen]), float(np.sqrt(mean[chosen]))
