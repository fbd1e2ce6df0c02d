"""Synthetic control with predictors: donors are mixed to match what drives the outcome.

Source: Abadie, Diamond and Hainmueller (2010), "Synthetic control methods for comparative case
studies", Journal of the American Statistical Association 105(490). Donor weights w(V) minimise
the predictors' squared differences, weighted by V; V is chosen so that w(V) misses the outcome
least over the periods fitted. The inner program is solved exactly. The outer one has kinks and
many local optima: branch and bound finds the best of all, and proves it, in most cases; where it
takes too long the best of many searches stands, and how far it is from what is proven is reported.

Predictors are divided by their standard deviation over all units, the target among them (n − 1),
as in the authors' own software.
"""

from __future__ import annotations

import numpy as np

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Fit
from trustlib.interventions.synth.predictor_bound import bounded, realised
from trustlib.interventions.synth.predictor_program import (
    WIDEST,
    Program,
    from_weights,
    program_of,
    rationalised,
    regression_based,
    theta_of,
)
from trustlib.interventions.synth.predictor_search import refined, searched
from trustlib.stats.simplex import SimplexFit, simplex_least_squares

PROVEN = 1e-3  # relative, of the mean squared gap
_NODES = 300
_NOTHING = 1e-14  # a mean squared gap, where outcomes differ by 1


def predictor_weighted(case: Case, *, starts: FloatArray | None = None, seed: int = 0) -> Fit:
    """Donor weights from predictors, whose own weights V are chosen by the outcome.

    Where several donor mixes match the predictors equally well (all of them, exactly, where the
    target is inside their hull), the one that misses the outcome least is taken. A predictor
    that is the same in all units has weight 0.

    Parameters
    ----------
    starts
        (m, k) V to start from beside the usual ones, not negative.
    seed
        Of the random starts.

    Returns
    -------
    Fit
        notes: "constant_predictors" (left out); "matched_exactly" (1: V decides nothing); else
        "lower_bound" (no V has a smaller mean squared gap), "proven" (1: the objective is within
        one part in a thousand of it), "nodes" of branch and bound. Where that did not end:
        "starts" of searches looked at, "reached" of the "finished" ones ended at the best
        objective, "spread" (worst end less best, of the mean squared gap).

    Raises
    ------
    Refusal
        Where the case has no predictors.
    """
    program = program_of(case)
    best = _outcomes_only(program)
    notes = {"constant_predictors": float((~program.kept).sum())}
    if program.inside:
        theta = np.zeros(program.predictors.shape[1])
        notes |= {"matched_exactly": 1.0}
    else:
        theta, found = _best(program, best.weights, starts, seed=seed)
        notes |= {"matched_exactly": 0.0, **found}
    weights, kkt = program.mix(theta)
    return from_weights(
        case,
        weights,
        kkt=max(kkt, best.kkt),
        least=program.miss(best.weights) * program.size**2,
        predictor_weights=_importance(program, theta),
        notes=notes,
    )


def _best(
    program: Program, least: FloatArray, starts: FloatArray | None, *, seed: int
) -> tuple[FloatArray, dict[str, float]]:
    """Logarithm of V, and notes: by branch and bound, and where this does not end, by search."""
    unit = program.size**2
    bound = bounded(program, known=np.inf, nodes=_NODES)
    theta, value = np.zeros(program.predictors.shape[1]), np.inf
    if bound.weights is not None and bound.normal is not None:
        found = realised(program, bound.weights, bound.normal)
        theta, value = refined(program, [theta_of(v) for v in found], seed=seed)
    notes = {"lower_bound": bound.lower * unit, "nodes": float(bound.nodes), "starts": 0.0}
    if not _reaches(value, bound.lower):
        searches = searched(program, _informed(program, least, starts), seed=seed)
        notes |= {
            "starts": float(searches.starts),
            "finished": float(len(searches.values)),
            "reached": float(searches.reached),
            "spread": float(searches.values[-1] - searches.values[0]) * unit,
        }
        if searches.values[0] < value:
            theta, value = searches.theta, float(searches.values[0])
    # What is known to be reached bounds from above what was not looked at.
    notes["lower_bound"] = min(notes["lower_bound"], value * unit)
    return theta, notes | {"proven": float(_reaches(value, bound.lower))}


def _reaches(value: float, lower: float) -> bool:
    return value <= lower * (1 + PROVEN) + _NOTHING


def _outcomes_only(program: Program) -> SimplexFit:
    return simplex_least_squares(program.outcomes.T, np.zeros(program.outcomes.shape[1]))


def _importance(program: Program, theta: FloatArray) -> FloatArray:
    """(k of the case,) V on the simplex; equal where no predictor tells units apart."""
    if not program.kept.any():
        return np.full(len(program.kept), 1 / len(program.kept))
    out = np.zeros(len(program.kept))
    v = np.exp(theta - theta.max())
    out[program.kept] = v / v.sum()
    return out


def _informed(program: Program, weights: FloatArray, starts: FloatArray | None) -> FloatArray:
    """(m, k) logarithms of V worth starting from.

    Equal; regression-based; what makes the outcomes' own optimum `weights` nearly optimal; each
    predictor far above the others.
    """
    k = program.predictors.shape[1]
    alone = np.full((k, k), -WIDEST / 2)
    alone[np.diag_indices(k)] = 0.0
    rows = [
        np.zeros(k),
        theta_of(regression_based(program)),
        theta_of(rationalised(program, weights)),
        *alone,
    ]
    if starts is not None:
        asked = np.atleast_2d(np.asarray(starts, dtype=float))[:, program.kept]
        rows += [theta_of(row) for row in asked]
    return np.array(rows)
