"""One comparison of two groups over two periods, with or without covariates.

The estimators are the panel ones of R's `DRDID` (Sant'Anna and Zhao 2020, J. Econometrics 219):
outcome regression (`reg_did_panel`), normalised inverse probability (`std_ipw_did_panel`) and
the traditional doubly robust one (`drdid_panel`), with their influence functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.propensity import Propensity, propensity
from trustlib.interventions.spec import CovariateMethod
from trustlib.stats.fixed_order import cross, times


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoByTwo:
    """The effect on the treated, or the reason why there is none.

    Attributes
    ----------
    point
        NaN where not estimable.
    influence
        (n,) its mean is 0 and the error of the point is that of its mean.
    reason
        Why not estimable; else empty.
    trimmed
        Comparison units left out because covariates all but say that they are treated.
    """

    point: float
    influence: FloatArray
    reason: str = ""
    trimmed: int = 0


def two_by_two(
    change: FloatArray,
    *,
    treated: np.ndarray,
    weight: FloatArray,
    covariates: FloatArray,
    method: CovariateMethod,
) -> TwoByTwo:
    """The effect on the treated of n units seen in both periods.

    Parameters
    ----------
    change
        (n,) outcome in the later period less that in the base period.
    treated
        (n,) bool.
    weight
        (n,) positive, of any scale.
    covariates
        (n, n_covariates), perhaps none.
    method
        How they enter.
    """
    if not treated.any():
        return _none("no treated unit seen in both periods")
    if treated.all():
        return _none("no comparison unit seen in both periods")
    weight = weight / weight.mean()
    control = weight * ~treated
    if not covariates.shape[1]:
        return _difference(change, treated, weight, control)
    design = _design(covariates)
    if int((~treated).sum()) <= design.shape[1]:
        return _none("too few comparison units for the covariates")
    if _rank(design[~treated]) < design.shape[1]:
        return _none("covariates are collinear among the comparison units")
    score = None
    if method != "regression":
        score = propensity(treated, weight=weight, design=design)
        if score.reason:
            return _none(score.reason)
        control = control * score.odds
    if method == "ipw":
        return _difference(change, treated, weight, control, design=design, score=score)
    residual, influence = _regression(change, control=weight * ~treated, design=design)
    return _difference(
        residual, treated, weight, control, design=design, score=score, regression=influence
    )


def _difference(
    change: FloatArray,
    treated: np.ndarray,
    weight: FloatArray,
    control: FloatArray,
    *,
    design: FloatArray | None = None,
    score: Propensity | None = None,
    regression: FloatArray | None = None,
) -> TwoByTwo:
    """Mean change of the treated less that of the controls, and its influence.

    With X the design, r the change (less its regression), w_t and w_c the weights:

        psi = w_t (r − m_t) / w̄_t − (w_c (r − m_c) + S·E[w_c (r − m_c) X]) / w̄_c
              + A·(E[w_c X] / w̄_c − E[w_t X] / w̄_t)

    where S and A are the influence on the coefficients of the propensity score and of the
    regression. Under "regression" w_c are the plain weights: with an intercept m_c is 0 and
    the controls' own terms cancel.
    """
    n = len(change)
    treat = weight * treated
    total_t, total_c = float(treat.sum()), float(control.sum())
    mean_t = float((treat * change).sum() / total_t)
    mean_c = float((control * change).sum() / total_c)
    own = control * (change - mean_c)
    psi = treat * (change - mean_t) * (n / total_t) - own * (n / total_c)
    if design is not None and score is not None:
        slope: FloatArray = np.divide(cross(design, own[:, None]), total_c)
        psi = np.subtract(psi, times(score.influence, slope)[:, 0])
    if design is not None and regression is not None:
        apart: FloatArray = np.subtract(control / total_c, treat / total_t)
        psi = np.add(psi, times(regression, cross(design, apart[:, None]))[:, 0])
    trimmed = score.trimmed if score is not None else 0
    return TwoByTwo(point=mean_t - mean_c, influence=psi, trimmed=trimmed)


def _regression(
    change: FloatArray, *, control: FloatArray, design: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(n,) change less its regression on `design` among controls, and the (n, p) influence."""
    information = cross(design, control[:, None] * design)
    moments = cross(design, (control * change)[:, None])
    coefficients = np.asarray(np.linalg.solve(information, moments), dtype=np.float64)
    residual = change - times(design, coefficients)[:, 0]
    scores = (control * residual)[:, None] * design
    inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
    return residual, times(scores, inverse * len(change))


def _design(covariates: FloatArray) -> FloatArray:
    """An intercept and the covariates on one scale, which changes no effect but the digits."""
    mean, spread = covariates.mean(axis=0), covariates.std(axis=0)
    scaled = (covariates - mean) / np.where(spread > 0, spread, 1.0)
    return np.column_stack([np.ones(len(covariates)), scaled])


def _rank(design: FloatArray) -> int:
    return int(np.linalg.matrix_rank(cross(design, design), rtol=1e-12, hermitian=True))


def _none(reason: str) -> TwoByTwo:
    return TwoByTwo(point=float("nan"), influence=np.empty(0), reason=reason)
