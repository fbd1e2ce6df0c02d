"""What must not change a regression estimate, and what must change it by a known amount."""

import numpy as np
import pytest

from tests.interventions.rollouts import rollout
from trustlib.interventions import DidSpec, panel_from_frame
from trustlib.interventions.imputation import imputation
from trustlib.interventions.sun_abraham import sun_abraham
from trustlib.interventions.two_way import two_way, two_way_event_study

ESTIMATORS = {
    "two_way": lambda panel: (two_way(panel),),
    "event_study": lambda panel: (two_way_event_study(panel),),
    "sun_abraham": sun_abraham,
    "imputation": imputation,
}
each = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
gaps = pytest.mark.parametrize("missing", [0.0, 0.15])


def world(missing):
    return rollout(missing=missing, moving=True, groups=(3, 4, 6), seed=11)


def numbers(estimator, frame, *, covariates=("x",)):
    """Points, and errors, of all families one after the other."""
    spec = DidSpec(covariates=covariates, weight="weight", cluster="cluster")
    made = estimator(panel_from_frame(frame, spec))
    points = np.concatenate([np.append(one.point, one.overall) for one in made])
    errors = [np.append(one.standard_error, one.overall_standard_error) for one in made]
    return points, np.concatenate(errors)


def same(made, expected, *, rtol=1e-7, atol=1e-9):
    for one, other in zip(made, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


@each
@gaps
def test_row_order_changes_nothing(estimator, missing):
    frame = world(missing)
    mixed = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    same(numbers(estimator, mixed), numbers(estimator, frame), rtol=0, atol=0)


@each
@gaps
def test_labels_change_nothing(estimator, missing):
    """Units in another order, periods with other names."""
    frame = world(missing)
    shuffled = np.random.default_rng(2).permutation(120)
    start = frame["treatment_start"]
    renamed = frame.assign(
        unit=[f"market {shuffled[number]:03d}" for number in frame["unit"]],
        time=frame["time"] + 2000,
        treatment_start=start.where(start == 0, start + 2000),
        cluster=[f"region {90 - number}" for number in frame["cluster"]],
    )
    same(numbers(estimator, renamed), numbers(estimator, frame))


@each
@gaps
def test_unit_and_period_shifts_change_nothing(estimator, missing):
    frame = world(missing)
    outcome = frame["outcome"] + 1e4 * np.sin(frame["unit"]) + 1e3 * frame["time"] ** 2
    same(numbers(estimator, frame.assign(outcome=outcome)), numbers(estimator, frame))


@each
@pytest.mark.parametrize("factor", [1e-6, -3.0, 1e6])
def test_scaling_scales(estimator, factor):
    frame = world(0.1)
    points, errors = numbers(estimator, frame)
    made = numbers(estimator, frame.assign(outcome=factor * frame["outcome"]))
    same(made, (factor * points, abs(factor) * errors), atol=1e-9 * abs(factor))


@each
def test_a_covariates_unit_changes_nothing(estimator):
    frame = world(0.1)
    other = frame.assign(x=1e6 * frame["x"] - 5e6)
    same(numbers(estimator, other), numbers(estimator, frame))


@each
def test_the_weights_unit_changes_nothing(estimator):
    frame = world(0.1)
    other = frame.assign(weight=1e5 * frame["weight"])
    same(numbers(estimator, other), numbers(estimator, frame))


@each
@gaps
def test_a_constant_added_after_treatment_is_added_to_the_effect(estimator, missing):
    frame = world(missing)
    after = (frame["treatment_start"] > 0) & (frame["time"] >= frame["treatment_start"])
    points, errors = numbers(estimator, frame)
    more, same_errors = numbers(estimator, frame.assign(outcome=frame["outcome"] + 7 * after))
    moved = more - points
    assert moved[-1] == pytest.approx(7, rel=1e-8)
    assert set(np.round(moved, 6)) <= {0.0, 7.0}
    np.testing.assert_allclose(same_errors, errors, rtol=1e-6)
