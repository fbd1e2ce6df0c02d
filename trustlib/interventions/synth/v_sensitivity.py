"""Whether the effect hangs on how predictors are weighted, and whether the weights were found.

V is chosen to fit the outcome before the start, and many V give nearly the same donors. So: the
same question under V equal, V from regression, and without each predictor in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trustlib.core import Check, Verdict
from trustlib.core.format import count, percent, plural
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import Fit
from trustlib.interventions.synth.predictor_program import program_of, regression_based, theta_of
from trustlib.interventions.synth.predictor_weighted import predictor_weighted

COLUMNS = ("choice", "att", "mspe", "largest_weight_change")
AS_GOOD = 2.0  # times the fitted MSPE: choices that fit worse before the start count for less
COSTLY = 2.0  # times the least root mean squared gap
ALMOST = 0.05  # relative, of the mean squared gap: what a better V could still win


@dataclass(frozen=True, kw_only=True, eq=False)
class SensitivityToV:
    """The effect under other weights of the predictors.

    Attributes
    ----------
    frame
        choice ("fitted", "equal", "regression-based", "without <predictor>"), att, mspe (mean
        squared gap over the periods on which predictors are fitted), largest_weight_change (of
        any donor's weight, against "fitted"). With one predictor there is none to leave out.
    least_mspe
        Of any donor weights, predictors aside, on the same periods.
    lower_bound
        No V has a smaller mspe; NaN where V decides nothing.
    proven
        "fitted" is within one part in a thousand of `lower_bound`.
    matched_exactly
        Some mix of donors has the target's predictors: V decides nothing.
    reached, finished
        Searches that ended at the best V, and all; 0 where the best was proven without.
    constant
        Predictors left out, the same in all units.
    """

    frame: pd.DataFrame
    least_mspe: float
    lower_bound: float
    proven: bool
    matched_exactly: bool
    reached: int
    finished: int
    constant: int


def v_sensitivity(case: Case, fit: Fit, *, names: Sequence[str], seed: int = 0) -> SensitivityToV:
    """The fit `fit` of `case` beside those under other V.

    Parameters
    ----------
    names
        (k,) the predictors', for a reader.
    seed
        Of the searches without a predictor.
    """
    rows = [_row("fitted", case, fit.unit_weights, fit)]
    program = program_of(case)
    if program.predictors.shape[1]:
        k = program.predictors.shape[1]
        for choice, v in (("equal", np.ones(k)), ("regression-based", regression_based(program))):
            rows.append(_row(choice, case, program.mix(theta_of(v))[0], fit))
    for i in range(case.n_predictors) if case.n_predictors > 1 else ():
        other = predictor_weighted(_without(case, i), seed=seed)
        rows.append(_row(f"without {names[i]}", case, other.unit_weights, fit))
    notes = fit.notes
    return SensitivityToV(
        frame=pd.DataFrame(rows, columns=list(COLUMNS)),
        least_mspe=fit.objective - fit.optimality_gap,
        lower_bound=notes.get("lower_bound", float("nan")),
        proven=bool(notes.get("proven", 0.0)),
        matched_exactly=bool(notes.get("matched_exactly", 0.0)),
        reached=int(notes.get("reached", 0.0)),
        finished=int(notes.get("finished", 0.0)),
        constant=int(notes.get("constant_predictors", 0.0)),
    )


def _row(choice: str, case: Case, weights: FloatArray, fitted: Fit) -> tuple[object, ...]:
    gap = case.target - weights @ case.donors
    return (
        choice,
        float(gap[case.n_pre :].mean()),
        float(np.mean(gap[case.fitted] ** 2)),
        float(np.abs(weights - fitted.unit_weights).max()),
    )


def _without(case: Case, predictor: int) -> Case:
    kept = np.arange(case.n_predictors) != predictor
    assert case.donor_predictors is not None
    return replace(
        case,
        target_predictors=case.target_predictors[kept],
        donor_predictors=case.donor_predictors[:, kept],
    )


def predictor_weights_check(
    found: SensitivityToV, *, standard_error: float, names: Sequence[str]
) -> Check:
    """Whether the predictors' weights were found, what they cost, and whether they decide.

    Choices that fit more than twice as badly before the start are told and do not decide: their
    synthetic is not the treated's twin.

    Parameters
    ----------
    standard_error
        Of the effect, NaN without.
    names
        Of the predictors.
    """
    fitted, others = found.frame.iloc[0], found.frame.iloc[1:]
    as_good = others[others["mspe"] <= AS_GOOD * fitted["mspe"]]
    text = f"{_search(found, names)} {_cost(found, fitted)} {_moved(fitted, others, as_good)}"
    if found.constant:
        apart = "tells" if found.constant == 1 else "tell"
        text += f" {plural(found.constant, 'predictor')} {apart} no two units apart: no weight."
    verdict, label, why = _judged(found, fitted, as_good, standard_error)
    return Check(name="predictor_weights", verdict=verdict, label=label, text=text + why)


def _search(found: SensitivityToV, names: Sequence[str]) -> str:
    """Whether V is the best there is."""
    if found.matched_exactly:
        return (
            f"Some mix of donors has the treated's own value of {_all(names)}, so how predictors "
            "are weighted decides nothing; of all such mixes the one closest before the start is "
            "taken."
        )
    if found.proven:
        return (
            f"The weights of {_all(names)} are the best that there are for the fit before the "
            "start: all others are ruled out."
        )
    fitted = float(found.frame["mspe"].iloc[0])
    return (
        f"The weights of {_all(names)} are the best of a search ({found.reached} of "
        f"{plural(found.finished, 'run')} ended there), which is not proof: that no weights bring "
        f"the mean squared gap, now {count(fitted)}, below {count(found.lower_bound)} is."
    )


def _all(names: Sequence[str]) -> str:
    return "the predictor" if len(names) == 1 else f"all {len(names)} predictors"


def _cost(found: SensitivityToV, fitted: pd.Series) -> str:
    """The optimality gap, in words."""
    return (
        f"Mean squared gap before the start: {count(float(fitted['mspe']))}; without asking that "
        f"predictors match, donors could reach {count(found.least_mspe)}."
    )


def _moved(fitted: pd.Series, others: pd.DataFrame, as_good: pd.DataFrame) -> str:
    """What other choices make of the effect."""
    own = f"beside {count(float(fitted['att']), sign=True)}"
    if others.empty:
        return f"There is no other choice of weights to set {own}."
    said = (
        f"{plural(len(others), 'other choice')} (equal, regression-based, each predictor left out "
        "in turn)"
    )
    if as_good.empty:
        return f"{said}: none fits nearly as well before the start, so none is set {own}."
    points = as_good["att"]
    far = as_good.loc[(points - fitted["att"]).abs().idxmax()]
    ends = f"{count(float(points.min()), sign=True)} to {count(float(points.max()), sign=True)}"
    return (
        f"{said}: {len(as_good)} {'fits' if len(as_good) == 1 else 'fit'} about as well before the "
        f"start and {'gives' if len(as_good) == 1 else 'give'} "
        f"{ends if len(as_good) > 1 else count(float(points.iloc[0]), sign=True)}, {own}; "
        f"furthest is “{far['choice']}”, where a donor's weight changes by up to "
        f"{percent(float(far['largest_weight_change']))}."
    )


def _judged(
    found: SensitivityToV, fitted: pd.Series, as_good: pd.DataFrame, standard_error: float
) -> tuple[Verdict, str, str]:
    effect = float(fitted["att"])
    points = as_good["att"].to_numpy()
    moved = float(np.abs(points - effect).max(initial=0.0))
    if (points * effect < 0).any() and not moved <= standard_error:
        return "fail", "predictors' weights decide the sign", ""
    if moved > standard_error:
        why = f" That is more than one standard error ({count(standard_error)})."
        return "warn", "predictors' weights matter much", why
    if fitted["mspe"] > COSTLY**2 * found.least_mspe + np.finfo(float).eps * effect**2:
        why = (
            " Matching these predictors costs much of the match with the outcome: they may not be "
            "what drives it."
        )
        return "warn", "predictors fit the outcome badly", why
    if found.proven or found.matched_exactly:
        return "pass", "predictors' weights do not decide", ""
    # Leaving a predictor out is a V, too.
    least = float(found.frame["mspe"].min())
    if least < (1 - ALMOST) * fitted["mspe"]:
        why = f" One of them fits better ({count(least)}): the search did not find the best."
        return "warn", "predictors' weights not the best", why
    if found.reached < 2 and found.lower_bound < (1 - ALMOST) * fitted["mspe"]:
        why = " A best that was reached only once may not be the best."
        return "warn", "predictors' weights perhaps not the best", why
    return "pass", "predictors' weights do not decide", ""
