"""Presets without predictors: plain averages, synthetic control, synthetic DiD.

Source: Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), "Synthetic
difference-in-differences", American Economic Review 111(12). Their programs are solved exactly
here, where the authors' own code stops early.
"""

from __future__ import annotations

import numpy as np

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Fit, Preset
from trustlib.stats.simplex import simplex_least_squares

# Their regularisation of the time weights, in standard deviations of the noise.
_TIME_PENALTY = 1e-6


def did(case: Case) -> Fit:
    """All donors and all periods before the start alike."""
    units = np.full(case.n_donors, 1 / case.n_donors)
    times = np.full(case.n_pre, 1 / case.n_pre)
    return _found(case, "did", units, times)


def synthetic_control(case: Case) -> Fit:
    """Donor weights on the simplex that match every outcome before the start; no intercept."""
    found = simplex_least_squares(case.donors[:, : case.n_pre].T, case.target[: case.n_pre])
    mean = found.objective / case.n_pre
    return _found(
        case,
        "synthetic_control",
        found.weights,
        np.zeros(case.n_pre),
        kkt=found.kkt,
        objective=mean,
        notes={"support": float(found.support), "iterations": float(found.iterations)},
    )


def synthetic_did(case: Case, *, near: Fit | None = None) -> Fit:
    """Donor weights with an intercept and a penalty, and weights of the periods before.

    The penalty on donors is zeta² = (n_treated × n_post)^½ × noise², with `noise` the standard
    deviation of the donors' first differences before the start.

    Parameters
    ----------
    near
        Of the same periods and nearly the same donors: its periods' weights are where the search
        for these begins, and change nothing else.
    """
    before, after = case.donors[:, : case.n_pre], case.donors[:, case.n_pre :]
    noise = noise_of(case)
    zeta = (case.n_treated * case.n_post) ** 0.25 * noise
    units = simplex_least_squares(
        before.T, case.target[: case.n_pre], ridge=zeta**2 * case.n_pre, intercept=True
    )
    times = simplex_least_squares(
        before,
        after.mean(axis=1),
        ridge=(_TIME_PENALTY * noise) ** 2 * case.n_donors,
        intercept=True,
        start=None if near is None else near.time_weights,
    )
    return _found(
        case,
        "synthetic_did",
        units.weights,
        times.weights,
        kkt=max(units.kkt, times.kkt),
        objective=units.objective / case.n_pre,
        notes={"zeta_unit": zeta, "zeta_time": _TIME_PENALTY * noise, "noise": noise},
    )


def noise_of(case: Case) -> float:
    """Standard deviation of the donors' first differences before the start."""
    if case.noise is not None:
        return case.noise
    steps = np.diff(case.donors[:, : case.n_pre], axis=1)
    return float(steps.std(ddof=1)) if steps.size > 1 else 0.0


def _found(
    case: Case,
    preset: Preset,
    units: FloatArray,
    times: FloatArray,
    *,
    kkt: float = 0.0,
    objective: float = float("nan"),
    notes: dict[str, float] | None = None,
) -> Fit:
    raw = case.target - units @ case.donors
    before = raw[: case.n_pre]
    gap = raw - times @ before
    about = before - before.mean() if times.any() else before
    fitted = float(np.mean(about**2))
    return Fit(
        preset=preset,
        unit_weights=units,
        time_weights=times,
        gap=gap,
        att=float(gap[case.n_pre :].mean()),
        pre_rmspe=float(np.sqrt(fitted)),
        kkt=kkt,
        objective=fitted if np.isnan(objective) else objective,
        notes=notes or {},
    )
