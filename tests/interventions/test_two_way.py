"""Two-way regressions: published numbers, the two paths, what is said and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.interventions.rollouts import rollout
from trustlib.core import Refusal
from trustlib.interventions import DidSpec, panel_from_frame
from trustlib.interventions import two_way as room
from trustlib.interventions.two_way import two_way, two_way_event_study

REAL = Path(__file__).parents[3] / "shared" / "realdata"
real = pytest.mark.skipif(
    not (REAL / "mpdta.csv").exists(), reason="../shared/realdata is not part of the project"
)


def panel(frame=None, *, covariates=(), **options):
    frame = rollout() if frame is None else frame
    return panel_from_frame(frame, DidSpec(covariates=covariates, **options))


@real
def test_mpdta():
    frame = pd.read_csv(REAL / "mpdta.csv")
    spec = DidSpec(
        unit="county", time="year", outcome="log_employment", treatment_start="first_treated"
    )
    found = two_way(panel_from_frame(frame, spec))
    assert found.overall == pytest.approx(-0.0365489367, abs=5e-11)  # as printed
    assert found.kind == "simple"
    assert found.degrees == 499


@real
def test_base_stagg():
    frame = pd.read_csv(REAL / "base_stagg.csv").replace({"year_treated": {10000.0: np.nan}})
    spec = DidSpec(unit="id", time="year", outcome="y", treatment_start="year_treated")
    assert two_way(panel_from_frame(frame, spec)).overall == pytest.approx(-3.4676, abs=5e-5)


@real
def test_california_is_a_plain_difference_in_differences():
    frame = pd.read_csv(REAL / "prop99.csv")
    frame["start"] = np.where(frame["state"] == "California", 1989, 0)
    spec = DidSpec(unit="state", time="year", outcome="packs_per_capita", treatment_start="start")
    found = two_way(panel_from_frame(frame, spec))
    assert found.overall == pytest.approx(-27.34911108361, abs=5e-12)  # as printed
    by_hand = frame.assign(after=frame["year"] >= 1989, treated=frame["start"] > 0)
    means = by_hand.groupby(["treated", "after"])["packs_per_capita"].mean()
    assert found.overall == pytest.approx(
        means[True, True] - means[True, False] - means[False, True] + means[False, False]
    )


@pytest.mark.parametrize("regression", [two_way, two_way_event_study])
@pytest.mark.parametrize("covariates", [(), ("x",)])
@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize("weighted", [False, True])
def test_closed_form_and_linearmodels_are_one_regression(
    monkeypatch, regression, covariates, missing, weighted
):
    made = panel(rollout(missing=missing, moving=True), covariates=covariates, cluster="cluster")
    made = replace(made, weight=np.random.default_rng(3).uniform(0.5, 2, made.weight.shape))
    if not weighted:  # a weight that is not one of a thousand cells takes linearmodels' path
        made = replace(made, weight=np.ones_like(made.weight))
        made.weight[0, 0] += 1e-13
    by_linearmodels = regression(made)
    monkeypatch.setattr(room, "LARGE", 0)
    closed = regression(made)
    assert by_linearmodels.overall_influence is None
    assert closed.overall_influence is not None
    np.testing.assert_allclose(by_linearmodels.overall, closed.overall, rtol=1e-10)
    np.testing.assert_allclose(by_linearmodels.point, closed.point, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        by_linearmodels.overall_standard_error, closed.overall_standard_error, rtol=1e-10
    )
    np.testing.assert_allclose(by_linearmodels.covariance, closed.covariance, rtol=1e-9, atol=1e-13)


def test_the_influence_has_the_error_of_the_estimate():
    found = two_way_event_study(panel(cluster="cluster"))
    codes = panel(cluster="cluster").cluster
    sums = np.array([np.bincount(codes, column) for column in found.influence.T])
    np.testing.assert_allclose(
        np.sqrt((sums**2).sum(axis=1)) / len(codes), found.standard_error, rtol=1e-10
    )
    overall = np.bincount(codes, found.overall_influence)
    assert np.sqrt((overall**2).sum()) / len(codes) == pytest.approx(found.overall_standard_error)


def test_references_are_zero_and_the_overall_is_the_mean_after():
    found = two_way_event_study(panel())
    at = list(found.keys).index(-1)
    assert found.point[at] == found.standard_error[at] == 0
    assert found.overall == pytest.approx(found.overall_weights @ found.point)
    assert (found.overall_weights[found.before] == 0).all()
    assert found.overall_weights.sum() == pytest.approx(1)
    moved = two_way_event_study(panel(), reference=-2)
    shift = found.point[list(found.keys).index(-2)]
    np.testing.assert_allclose(moved.point, found.point - shift, atol=1e-12)


def test_critical_is_students_for_one_and_wider_for_a_family():
    one = two_way(panel(), level=0.9)
    assert one.critical == pytest.approx(stats.t.ppf(0.95, 119))
    family = two_way_event_study(panel(), level=0.9)
    k = (family.standard_error > 0).sum()
    assert one.critical < family.critical < stats.t.ppf(1 - 0.05 / k, 119)


def test_without_never_treated_the_earliest_event_time_is_a_reference_too():
    found = two_way_event_study(panel(rollout(never=0.0, seed=2)))
    first = list(found.keys).index(found.keys.min())
    assert found.point[first] == found.standard_error[first] == 0
    assert any("second reference" in note for note in found.notes)
    assert np.isfinite(found.point).all()


def test_two_references_take_a_line_out():
    """A trend in event time is not determined then: two outcomes that differ by one agree."""
    frame = rollout(never=0.0, seed=2)
    lined = frame.assign(outcome=frame["outcome"] + 3 * (frame["time"] - frame["treatment_start"]))
    one, two = (two_way_event_study(panel(made)) for made in (frame, lined))
    np.testing.assert_allclose(one.point, two.point, atol=1e-11)


def test_what_no_cell_determines_is_nan_with_a_reason():
    frame = rollout(never=0.0, groups=(4,))
    made = replace(panel_with_two_cohorts(frame), first_treated=np.full(120, 3))
    static = two_way(made)
    assert np.isnan(static.overall)
    assert np.isnan(static.overall_standard_error)
    assert "not estimable" in static.notes[-1]
    dynamic = two_way_event_study(made)
    free = ~np.isin(dynamic.keys, [dynamic.keys.min(), -1])
    assert np.isnan(dynamic.point[free]).all()
    assert np.isnan(dynamic.overall)
    assert "not estimable" in dynamic.notes[-1]


def panel_with_two_cohorts(frame):
    """One whose last unit starts later, so that it is a panel at all."""
    frame = frame.copy()
    frame.loc[frame["unit"] == 119, "treatment_start"] = 6
    return panel(frame)


def test_nobody_treated_is_refused():
    made = panel()
    nobody = replace(made, first_treated=np.full(made.n_units, made.n_periods))
    for regression in (two_way, two_way_event_study):
        with pytest.raises(Refusal, match="nobody is treated"):
            regression(nobody)


def test_a_reference_that_does_not_occur_is_refused():
    with pytest.raises(Refusal, match="reference event time -9"):
        two_way_event_study(panel(), reference=-9)


def with_covariates(**columns):
    made = panel()
    values = np.stack([np.asarray(column, dtype=float) for column in columns.values()], axis=2)
    return replace(made, covariates=values, covariate_names=tuple(columns))


def noise(seed=0):
    return np.random.default_rng(seed).normal(size=panel().outcome.shape)


@pytest.mark.parametrize("regression", [two_way, two_way_event_study])
def test_covariates_that_the_effects_absorb_are_left_out_and_named(regression):
    made = panel()
    of_unit = np.repeat(np.random.default_rng(1).normal(1e6, 1, (made.n_units, 1)), 7, axis=1)
    of_period = np.broadcast_to(np.arange(7.0), made.outcome.shape)
    age = of_unit + of_period
    absorbed = with_covariates(size=of_unit, season=of_period, age=age, same=of_unit * 0 + 1)
    found = regression(absorbed)
    plain = regression(made)
    assert found.overall == plain.overall
    assert found.overall_standard_error == plain.overall_standard_error
    assert [name in " ".join(found.notes) for name in ("size", "season", "age", "same")] == [1] * 4
    assert len(found.notes) == 4


def test_collinear_covariates_are_refused_by_name():
    a, b = noise(1), noise(2)
    # Equal but for unit and period effects, which is all that the regression sees.
    tied = a * 2 + np.arange(7) + np.arange(120)[:, None]
    with pytest.raises(Refusal, match="collinear") as told:
        two_way(with_covariates(temperature=a, other=b, fahrenheit=tied))
    assert "'temperature', 'fahrenheit'" in told.value.what
    assert "other" not in told.value.what


def test_a_covariate_that_is_the_treatment_is_refused_by_name():
    made = panel()
    treated = made.first_treated[:, None] <= np.arange(7)
    for regression in (two_way, two_way_event_study):
        with pytest.raises(Refusal, match=r"cannot be told from .*'policy'"):
            regression(with_covariates(policy=treated))


def test_cells_that_fit_themselves_are_left_out():
    """A unit with a single cell changes neither numbers nor counts."""
    frame = rollout(missing=0.1)
    alone = frame[frame["unit"] == 0].iloc[[2]].assign(unit=999, treatment_start=0)
    found = two_way(panel(pd.concat([frame, alone])))
    plain = two_way(panel(frame))
    assert found.overall == pytest.approx(plain.overall, rel=1e-10)
    assert found.overall_standard_error == pytest.approx(plain.overall_standard_error, rel=1e-10)
    assert found.degrees == plain.degrees
    assert "1 cells alone" in found.notes[0]


def test_a_cell_without_its_covariate_is_left_out_and_counted():
    made = with_covariates(x=noise())
    gap = made.covariates.copy()
    gap[3, 2, 0] = np.nan
    found = two_way(replace(made, covariates=gap))
    outcome = made.outcome.copy()
    outcome[3, 2] = np.nan
    assert found.overall == pytest.approx(
        two_way(replace(made, outcome=outcome)).overall, rel=1e-10
    )
    assert "1 cells without a covariate's value" in found.notes[0]


def test_the_panel_is_not_changed():
    made = panel(rollout(missing=0.1, moving=True), covariates=("x",))
    kept = [made.outcome.copy(), made.weight.copy(), made.covariates.copy()]
    two_way(made)
    two_way_event_study(made)
    for before, after in zip(kept, (made.outcome, made.weight, made.covariates), strict=True):
        np.testing.assert_array_equal(before, after)
