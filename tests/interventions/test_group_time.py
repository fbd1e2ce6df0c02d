"""Group-time effects: by hand, closed form against cell by cell, what is not estimable."""

from dataclasses import replace

import numpy as np
import pytest

from tests.interventions.rollouts import ours, rollout
from trustlib.core import Refusal
from trustlib.interventions import DidSpec, group_time, panel_from_frame
from trustlib.interventions.cell_by_cell import cell_by_cell
from trustlib.interventions.cells import cells
from trustlib.interventions.closed_form import closed_form


def panel_of(frame, **spec):
    return panel_from_frame(frame, DidSpec(**spec))


def test_two_by_two_by_hand():
    frame = rollout(units=30, periods=2, groups=(2,))
    found = ours(frame)
    wide = frame.pivot(index="unit", columns="time", values="outcome")
    change = wide[2] - wide[1]
    treated = frame.groupby("unit")["treatment_start"].first() == 2
    yes, no = change[treated], change[~treated]
    assert found.point.tolist() == pytest.approx([yes.mean() - no.mean()])
    # Variances over n, not n − 1: no degrees-of-freedom factor.
    error = np.sqrt(yes.var(ddof=0) / len(yes) + no.var(ddof=0) / len(no))
    assert found.standard_error.tolist() == pytest.approx([error])
    assert found.units.tolist() == [treated.sum()]
    assert found.reason == ("",)


@pytest.mark.parametrize("cluster", [None, "cluster", "block"])
@pytest.mark.parametrize("control_group", ["never", "not_yet"])
@pytest.mark.parametrize("base_period", ["varying", "universal"])
def test_the_closed_form_is_the_sum_over_comparisons(cluster, control_group, base_period):
    panel = panel_of(rollout(units=300), weight="weight", cluster=cluster)
    how = {"control_group": control_group, "anticipation": 1, "base_period": base_period}
    comparisons = cells(panel, **how)
    m = len(comparisons)
    no_base = comparisons.base < 0
    reason = ["no base" if none else "" for none in no_base]
    fast = closed_form(panel, comparisons, ~no_base)
    slow = cell_by_cell(panel, comparisons, reason, covariate_method="regression")
    np.testing.assert_allclose(fast.point, slow.point, atol=1e-12)
    weights = np.random.default_rng(0).normal(size=(m, 40)) * ~no_base[:, None]
    np.testing.assert_allclose(fast.influence_of(weights), slow.influence_of(weights), atol=1e-9)
    one = fast.covariance(panel.cluster)
    np.testing.assert_allclose(one, slow.covariance(panel.cluster), atol=1e-12)
    # And both are what their own influence says.
    psi = fast.influence_of(np.eye(m))
    summed = np.zeros((panel.n_clusters, m))
    np.add.at(summed, panel.cluster, psi)
    np.testing.assert_allclose(one, summed.T @ summed / panel.n_units**2, atol=1e-12)


@pytest.mark.parametrize("method", ["doubly_robust", "regression", "ipw"])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_influence_has_mean_zero(method, missing):
    frame = rollout(units=200, missing=missing)
    found = ours(frame, covariates=("x", "z"), covariate_method=method, weight="weight")
    influence = found.influence_of(np.eye(len(found.point)))
    assert influence.shape == (found.panel.n_units, len(found.point))
    np.testing.assert_allclose(influence.mean(axis=0), 0, atol=1e-10)
    error = np.sqrt((influence**2).mean(axis=0) / len(influence))
    np.testing.assert_allclose(found.standard_error, error, rtol=1e-10)


def test_without_covariates_the_method_makes_no_difference():
    frame = rollout(missing=0.1)
    one, other = (ours(frame, covariate_method=how) for how in ("doubly_robust", "regression"))
    np.testing.assert_array_equal(one.point, other.point)
    np.testing.assert_array_equal(one.standard_error, other.standard_error)


def test_a_covariate_that_explains_the_trend_is_taken_out():
    """x moves the trend and is more common among the treated: parallel only given x."""
    frame = rollout(units=4000, seed=5)
    frame["outcome"] += 0.6 * frame["x"] * frame["time"]
    truth = {0: 0.5, 1: 1.0, 2: 1.5}
    for method in ("doubly_robust", "regression", "ipw"):
        found = ours(frame, covariates=("x",), covariate_method=method)
        for event_time, effect in truth.items():
            own = found.event_time == event_time
            assert np.abs(found.point[own] - effect).max() < 5 * found.standard_error[own].max()
    plain = ours(frame)
    last = plain.event_time == 4
    assert (plain.point[last] - 2.5 > 3 * plain.standard_error[last]).all()


def test_anticipation_moves_the_base_and_drops_what_has_none():
    frame = rollout(groups=(2, 4))
    found = ours(frame, anticipation=1)
    early = (found.group == 1) & (found.event_time >= 0)
    assert np.isnan(found.point[early]).all()
    assert {found.reason[cell] for cell in np.flatnonzero(early)} == {
        "no period before treatment and anticipation"
    }
    assert (found.units[early] == 0).all()
    assert np.isnan(found.standard_error[early]).all()
    late = (found.group == 3) & (found.event_time == 0)
    wide = frame.pivot(index="unit", columns="time", values="outcome")
    start = frame.groupby("unit")["treatment_start"].first()
    change = wide[4] - wide[2]
    assert found.point[late] == pytest.approx(change[start == 4].mean() - change[start == 0].mean())


def test_not_yet_treated_units_stop_being_compared_with_once_they_may_react():
    frame = rollout(never=0.0, groups=(3, 6))
    for anticipation, last in ((0, 5), (1, 4)):
        found = ours(frame, control_group="not_yet", anticipation=anticipation)
        own = found.group == 2
        names = np.asarray(found.panel.period_names, dtype=int)[found.time]
        np.testing.assert_array_equal(np.isnan(found.point[own]), names[own] > last)
    assert "no unit to compare with" in found.reason


def test_a_cohort_of_one_unit_is_estimated_and_its_error_said_to_be_short():
    frame = rollout()
    starts = frame.groupby("unit")["treatment_start"].first()
    extra = starts[starts == 6].index[1:]
    frame = frame[~frame["unit"].isin(extra)]
    found = ours(frame)
    own = found.group == 5
    assert (found.units[own] == 1).all()
    assert np.isfinite(found.standard_error[own]).all()
    assert all("one treated unit" in found.reason[cell] for cell in np.flatnonzero(own))
    assert not any(found.reason[cell] for cell in np.flatnonzero(~own))


def test_a_panel_with_gaps_compares_units_seen_in_both_periods():
    frame = rollout(missing=0.2, seed=4)
    found = ours(frame)
    wide = frame.pivot(index="unit", columns="time", values="outcome")
    start = frame.groupby("unit")["treatment_start"].first()
    change = (wide[5] - wide[3]).dropna()
    treated, never = change[start == 4], change[start == 0]
    cell = np.flatnonzero((found.group == 3) & (found.time == 4))[0]
    assert found.point[cell] == pytest.approx(treated.mean() - never.mean())
    assert found.units[cell] == len(treated)


def test_a_cohort_that_was_never_seen_before_has_no_effect_and_a_reason():
    frame = rollout(groups=(3, 5))
    unseen = (frame["treatment_start"] == 5) & (frame["time"] == 4)
    found = ours(frame[~unseen])
    own = (found.group == 4) & (found.event_time >= 0)
    assert np.isnan(found.point[own]).all()
    assert {found.reason[cell] for cell in np.flatnonzero(own)} == {
        "no treated unit seen in both periods"
    }
    assert np.isfinite(found.point[found.group == 2]).all()


def test_covariates_that_tell_who_is_treated_are_not_extrapolated():
    frame = rollout(groups=(3,))
    frame["x"] = np.where(frame["treatment_start"] > 0, 5.0, -5.0) + frame["x"]
    for method in ("doubly_robust", "ipw"):
        found = ours(frame, covariates=("x",), covariate_method=method)
        assert np.isnan(found.point).all()
        assert all("overlap" in reason for reason in found.reason)


def test_covariates_that_are_collinear_among_the_controls_of_a_cell_give_a_reason():
    frame = rollout(groups=(3,))
    frame["x"] = np.where(frame["treatment_start"] > 0, frame["x"], 2 * frame["z"])
    found = ours(frame, covariates=("x", "z"))
    assert all("collinear among the comparison units" in reason for reason in found.reason)
    assert np.isnan(found.point).all()


def test_too_few_controls_for_the_covariates_give_a_reason():
    frame = rollout(units=40, groups=(3,))
    never = frame.loc[frame["treatment_start"] == 0, "unit"].unique()
    found = ours(frame[~frame["unit"].isin(never[3:])], covariates=("x", "z"))
    assert all("too few comparison units" in reason for reason in found.reason)


def test_no_never_treated_unit_is_refused_with_the_way_out():
    with pytest.raises(Refusal, match="not_yet"):
        ours(rollout(never=0.0))
    with pytest.raises(Refusal, match="not_yet"):
        ours(rollout(), control_group="notyet")


@pytest.mark.parametrize(("missing", "covariates"), [(0.0, ()), (0.05, ("x",))])
def test_the_panel_is_left_alone(missing, covariates):
    panel = panel_of(rollout(missing=missing), covariates=covariates, weight="weight")
    kept = replace(
        panel,
        outcome=panel.outcome.copy(),
        weight=panel.weight.copy(),
        covariates=panel.covariates.copy(),
    )
    group_time(panel, control_group="not_yet")
    np.testing.assert_array_equal(panel.outcome, kept.outcome)
    np.testing.assert_array_equal(panel.weight, kept.weight)
    np.testing.assert_array_equal(panel.covariates, kept.covariates)
