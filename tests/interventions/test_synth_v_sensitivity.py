"""What other weights of the predictors make of the effect, and the verdict on it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.interventions.test_synth_predictors import by_nnls, mspe, world
from trustlib.interventions.synth.fit import fit
from trustlib.interventions.synth.v_sensitivity import (
    COLUMNS,
    SensitivityToV,
    predictor_weights_check,
    v_sensitivity,
)

NAMES = ("income", "price", "age")


def _found(*others, own=(-10.0, 4.0), **changes) -> SensitivityToV:
    """Rows of (effect, mspe); the first one is what was fitted."""
    rows = [("fitted", *own, 0.0)]
    rows += [(f"without {i}", *other, 0.2) for i, other in enumerate(others)]
    settled = SensitivityToV(
        frame=pd.DataFrame(rows, columns=list(COLUMNS)), least_mspe=3.0, lower_bound=4.0,
        proven=True, matched_exactly=False, reached=0, finished=0, constant=0,
    )  # fmt: skip
    return replace(settled, **changes)


UNPROVEN = {"proven": False, "lower_bound": 3.0, "reached": 1, "finished": 3}
CASES = [
    (_found((-9.0, 5.0), (-12.0, 7.9)), "pass", "all others are ruled out"),
    (_found((-9.0, 5.0), (-12.0, 7.9)), "pass", "−12 to −9, beside −10"),
    (_found((-9.0, 5.0)), "pass", "4; without asking that predictors match, donors could reach 3"),
    (_found((-9.0, 5.0)), "pass", "“without 0”, where a donor's weight changes by up to 20"),
    (_found((-4.0, 5.0)), "warn", "more than one standard error (3)"),
    (_found((2.0, 5.0)), "fail", "gives +2"),
    (_found((2.0, 8.1)), "pass", "none fits nearly as well"),
    (_found((1.0, 5.0), own=(-1.0, 4.0)), "pass", "+1, beside −1"),
    (_found(), "pass", "no other choice"),
    (_found((-9.0, 5.0), least_mspe=0.9), "warn", "costs much"),
    (_found((-9.0, 5.0), least_mspe=1.1), "pass", "ruled out"),
    (_found((-9.0, 5.0), **UNPROVEN), "warn", "reached only once"),
    (_found((-9.0, 5.0), **UNPROVEN), "warn", "now 4, below 3 is"),
    (_found((-9.0, 5.0), **UNPROVEN | {"reached": 2}), "pass", "2 of 3"),
    (_found((-9.0, 5.0), **UNPROVEN | {"lower_bound": 3.9}), "pass", "1 of 3"),
    (_found((-9.0, 3.5), **UNPROVEN | {"reached": 3}), "warn", "fits better (3.5)"),
    (_found((-9.0, 3.5), proven=False, matched_exactly=True), "pass", "decides nothing"),
    (_found((-9.0, 5.0), constant=1), "pass", "1 predictor tells no two units apart"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "verdict", "says"), CASES)
def test_verdicts(found, verdict, says) -> None:
    check = predictor_weights_check(found, standard_error=3.0, names=NAMES)
    assert check.name == "predictor_weights"
    assert check.verdict == verdict, check.text
    assert says in check.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "all 3 predictors" in check.text


def test_without_a_standard_error_only_a_change_of_sign_tells() -> None:
    nan = float("nan")
    assert predictor_weights_check(
        _found((-4.0, 5.0)), standard_error=nan, names=NAMES
    ).verdict == "pass"  # fmt: skip
    assert predictor_weights_check(
        _found((4.0, 5.0)), standard_error=nan, names=NAMES
    ).verdict == "fail"  # fmt: skip


def test_every_choice_is_there_with_its_own_numbers() -> None:
    case = world(seed=2, donors=9, k=3)
    fitted = fit(case, "synthetic_control_predictors")
    found = v_sensitivity(case, fitted, names=NAMES)
    frame = found.frame.set_index("choice")
    assert list(frame.index) == [
        "fitted", "equal", "regression-based", "without income", "without price", "without age",
    ]  # fmt: skip
    assert tuple(found.frame.columns) == COLUMNS
    assert frame.loc["fitted", "att"] == fitted.att
    assert frame.loc["fitted", "mspe"] == pytest.approx(fitted.objective)
    assert frame.loc["fitted", "largest_weight_change"] == 0
    equal = by_nnls(case, np.full(3, 1 / 3))
    assert frame.loc["equal", "mspe"] == pytest.approx(mspe(case, equal), rel=1e-4)
    change = np.abs(equal - fitted.unit_weights).max()
    assert frame.loc["equal", "largest_weight_change"] == pytest.approx(change, abs=1e-4)
    less = replace(
        case,
        target_predictors=case.target_predictors[[0, 2]],
        donor_predictors=case.donor_predictors[:, [0, 2]],
    )
    without = fit(less, "synthetic_control_predictors")
    assert frame.loc["without price", "att"] == pytest.approx(without.att)
    # A predictor left out is a predictor without weight.
    assert frame["mspe"].min() >= fitted.objective * (1 - 1e-3)
    plain = fit(case, "synthetic_control")
    assert found.least_mspe == pytest.approx(plain.objective)
    assert found.proven
    check = predictor_weights_check(found, standard_error=100.0, names=NAMES)
    assert check.verdict == "pass", check.text


def test_regression_gives_weight_to_what_explains_the_outcome() -> None:
    rng = np.random.default_rng(0)
    case = world(seed=0, donors=20, k=2)
    level = rng.standard_normal(21)
    outcome = 10 * level[:, None] + 0.1 * rng.standard_normal((21, 14))
    noise = rng.standard_normal(21)
    case = replace(
        case, target=outcome[0], donors=outcome[1:],
        target_predictors=np.array([level[0], noise[0] + 4]),
        donor_predictors=np.column_stack([level, noise])[1:],
    )  # fmt: skip
    found = v_sensitivity(
        case, fit(case, "synthetic_control_predictors"), names=("level", "noise")
    ).frame.set_index("choice")
    assert found.loc["regression-based", "mspe"] < 0.5 * found.loc["equal", "mspe"]
    assert found.loc["without level", "mspe"] > 2 * found.loc["without noise", "mspe"]


def test_one_predictor_cannot_be_left_out() -> None:
    case = world(k=1)
    found = v_sensitivity(case, fit(case, "synthetic_control_predictors"), names=("income",))
    assert list(found.frame["choice"]) == ["fitted", "equal", "regression-based"]
    assert found.frame["att"].nunique() == 1
    assert "the predictor" in predictor_weights_check(
        found, standard_error=1.0, names=("income",)
    ).text  # fmt: skip


def test_inside_the_hull_no_choice_changes_anything() -> None:
    case = world(k=2, donors=7)
    mix = np.random.default_rng(1).dirichlet(np.ones(7))
    case = replace(case, target_predictors=mix @ case.donor_predictors)
    found = v_sensitivity(case, fit(case, "synthetic_control_predictors"), names=("a", "b"))
    assert found.matched_exactly
    assert found.frame["att"][:3].to_numpy() == pytest.approx(found.frame["att"][0], abs=1e-5)
