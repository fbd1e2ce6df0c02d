"""Predictors and outcomes of one case, standardised; what a choice of V makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from trustlib.core import Refusal
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Fit
from trustlib.stats.simplex import simplex_least_squares

# No predictor weighs less than 1e-8 of the heaviest one: at exactly zero the donor weights are not
# unique any more.
WIDEST = float(np.log(1e8))
_MATCHED = 1e-9  # standard deviations
_PENALTY = 1e3


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Donors less the target.

    Attributes
    ----------
    predictors
        (n_donors, k) in standard deviations, without those that are the same in all units.
    outcomes
        (n_donors, m) over the periods fitted, in units of `size`.
    kept
        (case's predictors,) bool: which columns `predictors` has.
    size
        In the outcome's unit.
    """

    predictors: FloatArray
    outcomes: FloatArray
    kept: np.ndarray
    size: float

    def miss(self, weights: FloatArray) -> float:
        """Mean squared gap over the periods fitted, in units of `size` squared."""
        return float(np.mean((weights @ self.outcomes) ** 2))

    def mix(self, theta: FloatArray) -> tuple[FloatArray, float]:
        """(n_donors,) donor weights under V ∝ exp(theta), and their KKT residual.

        Where several mixes match the predictors equally well, the one that misses the outcome
        least.
        """
        if len(theta) == 0:
            return self.tied(np.zeros(0)), 0.0
        root = np.exp((theta - theta.max()) / 2)
        scaled = self.predictors * root
        found = simplex_least_squares(scaled.T, np.zeros(len(theta)))
        weights = found.weights
        gradient = scaled @ (weights @ scaled)
        level = float(weights @ gradient)
        equal = np.flatnonzero((gradient - level <= 1e-9 * level) | (weights > 0))
        if level <= _MATCHED**2:
            equal = np.arange(len(weights))
        columns = np.column_stack([self.predictors[equal], np.ones(len(equal))])
        if np.linalg.matrix_rank(columns) < len(equal):
            weights = self.tied(weights @ self.predictors)
        return weights, found.kkt

    def tied(self, fitted: FloatArray) -> FloatArray:
        """(n_donors,) among the mixes with predictors `fitted` the one that misses least."""
        periods = self.outcomes.shape[1]
        design = np.vstack([_PENALTY * self.predictors.T, self.outcomes.T / np.sqrt(periods)])
        aim, weights = fitted.copy(), np.empty(0)
        # Each round adds what was missed to what is asked for (method of multipliers).
        for _ in range(4):
            target = np.concatenate([_PENALTY * aim, np.zeros(periods)])
            weights = simplex_least_squares(design, target, ridge=1e-12).weights
            missed = fitted - weights @ self.predictors
            if np.abs(missed).max(initial=0.0) <= _MATCHED:
                break
            aim = aim + missed
        return weights

    @property
    def inside(self) -> bool:
        """Some mix of donors has the target's predictors: V decides nothing."""
        k = self.predictors.shape[1]
        if k == 0:
            return True
        return simplex_least_squares(self.predictors.T, np.zeros(k)).objective <= k * _MATCHED**2


def program_of(case: Case) -> Program:
    """Standardised over all units, the target among them.

    Raises
    ------
    Refusal
        Where the case has no predictors.
    """
    if case.n_predictors == 0 or case.donor_predictors is None:
        raise Refusal(
            "a synthetic control with predictors has no predictors",
            where="predictors: []",
            next_step="name predictors, or take method synthetic_control",
        )
    every = np.vstack([case.target_predictors, case.donor_predictors])
    # Centred first: a predictor far from zero keeps its digits.
    every = every - every.mean(axis=0)
    spread = every.std(axis=0, ddof=1)
    kept = spread > 1e-12 * np.abs(np.vstack([case.target_predictors, every])).max(axis=0)
    away = (every[1:, kept] - every[0, kept]) / spread[kept]
    periods = case.fitted
    outcomes = case.donors[:, periods] - case.target[periods]
    size = float(np.sqrt(np.mean(outcomes**2))) or 1.0
    return Program(predictors=away, outcomes=outcomes / size, kept=kept, size=size)


def theta_of(v: FloatArray) -> FloatArray:
    """Logarithms of weights, at most `WIDEST` below the largest one."""
    share = np.maximum(v / v.max(), np.exp(-WIDEST)) if v.max() > 0 else np.ones(len(v))
    return np.log(share)


def regression_based(program: Program) -> FloatArray:
    """(k,) V from how the predictors explain the outcome over all units, period by period.

    Squared coefficients, summed over the periods fitted, as in the authors' own software.
    """
    # The target is where all differences are zero.
    rows = np.vstack([np.zeros(program.predictors.shape[1]), program.predictors])
    paths = np.vstack([np.zeros(program.outcomes.shape[1]), program.outcomes])
    rows, paths = rows - rows.mean(axis=0), paths - paths.mean(axis=0)
    found = np.linalg.lstsq(rows, paths, rcond=None)[0]
    total = (found**2).sum(axis=1)
    k = len(total)
    return np.asarray(total / total.sum()) if total.sum() > 0 else np.full(k, 1 / k)


def rationalised(program: Program, weights: FloatArray) -> FloatArray:
    """(k,) the V under which the donor weights `weights` are nearest to optimal."""
    fitted = weights @ program.predictors
    rows = (program.predictors[weights > 0] - fitted) * fitted
    k = program.predictors.shape[1]
    system = np.vstack([rows / (np.abs(rows).max() or 1.0), np.ones(k)])
    found = nnls(system, np.append(np.zeros(len(rows)), 1.0))[0]
    return np.asarray(found / found.sum()) if found.sum() > 0 else np.full(k, 1 / k)


def from_weights(
    case: Case,
    weights: FloatArray,
    *,
    kkt: float,
    least: float,
    predictor_weights: FloatArray,
    notes: dict[str, float],
) -> Fit:
    """The fit that donor weights give; `least` is the smallest mean squared gap of any."""
    gap = case.target - weights @ case.donors
    missed = float(np.mean(gap[case.fitted] ** 2))
    return Fit(
        preset="synthetic_control_predictors",
        unit_weights=weights,
        time_weights=np.zeros(case.n_pre),
        gap=gap,
        att=float(gap[case.n_pre :].mean()),
        pre_rmspe=float(np.sqrt(missed)),
        kkt=kkt,
        objective=missed,
        predictor_weights=predictor_weights,
        optimality_gap=max(0.0, missed - least),
        notes=notes,
    )
