"""The imputation estimator: the published run, its definition by plain regression, its limits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.interventions.rollouts import rollout
from trustlib.core import Refusal
from trustlib.interventions import DidSpec, panel_from_frame
from trustlib.interventions.imputation import imputation
from trustlib.interventions.two_way import two_way

REAL = Path(__file__).parents[3] / "shared" / "realdata"


def panel(frame=None, *, covariates=(), **options):
    frame = rollout() if frame is None else frame
    return panel_from_frame(frame, DidSpec(covariates=covariates, **options))


@pytest.mark.skipif(
    not (REAL / "mpdta.csv").exists(),
    reason="../shared/realdata/mpdta.csv is not part of the project",
)
def test_mpdta():
    spec = DidSpec(
        unit="county", time="year", outcome="log_employment", treatment_start="first_treated"
    )
    made = panel_from_frame(pd.read_csv(REAL / "mpdta.csv"), spec)
    _, simple = imputation(made)
    assert simple.overall == pytest.approx(-0.0477099183, abs=6e-11)  # as printed
    assert simple.overall_standard_error == pytest.approx(0.0132224887, abs=6e-11)


def by_least_squares(frame, *, anticipation=0, covariates=(), weight=None):
    """Effects of treated cells from dummies of units and periods, fitted to the others; units
    that were never seen untreated have none."""
    start = frame["treatment_start"].to_numpy()
    since = frame["time"].to_numpy() - start
    treated = (start > 0) & (since >= -anticipation)
    dummies = pd.get_dummies(frame[["unit", "time"]].astype(str), dtype=float)
    design = np.column_stack([dummies, frame[list(covariates)]])
    root = np.ones(len(frame)) if weight is None else np.sqrt(frame[weight].to_numpy())
    outcome = frame["outcome"].to_numpy()
    fit = np.linalg.lstsq(
        (design * root[:, None])[~treated], (outcome * root)[~treated], rcond=1e-12
    )
    table = pd.DataFrame({"since": since, "effect": outcome - design @ fit[0], "w": root**2})
    return table[treated & frame["unit"].isin(frame["unit"][~treated]).to_numpy()]


@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize("covariates", [(), ("x",)])
@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize("anticipation", [0, 1])
def test_it_is_plain_least_squares_on_untreated_cells(missing, covariates, weight, anticipation):
    frame = rollout(missing=missing, moving=True, seed=8)
    frame["weight"] = np.random.default_rng(9).uniform(0.5, 2, len(frame))
    made = panel(frame, covariates=covariates, weight=weight)
    found, simple = imputation(made, anticipation=anticipation)
    effects = by_least_squares(
        frame, anticipation=anticipation, covariates=covariates, weight=weight
    )
    for key, rows in effects.groupby("since"):
        at = list(found.keys).index(key)
        assert found.point[at] == pytest.approx(np.average(rows["effect"], weights=rows["w"]))
        assert found.units[at] == len(rows)
    after = effects[effects["since"] >= 0]
    assert simple.overall == pytest.approx(np.average(after["effect"], weights=after["w"]))


def by_theorem_3(frame, keys):
    """Errors of event times 0 … from weights of every cell, by dense algebra."""
    start, unit = frame["treatment_start"].to_numpy(), frame["unit"].to_numpy()
    since = frame["time"].to_numpy() - start
    treated = (start > 0) & (since >= 0)
    dummies = pd.get_dummies(frame[["unit", "time"]].astype(str), dtype=float).to_numpy()
    outcome = frame["outcome"].to_numpy()
    coefficients = np.linalg.lstsq(dummies[~treated], outcome[~treated], rcond=1e-12)[0]
    left = outcome - dummies @ coefficients
    excess = pd.Series(left).groupby([pd.Series(start), pd.Series(since)]).transform("mean")
    error = np.where(treated, left - excess, left)
    errors = []
    for key in keys:
        cell = treated & (since == key)
        weight = cell / cell.sum()
        back = np.linalg.lstsq(
            dummies[~treated].T, dummies[treated].T @ weight[treated], rcond=1e-12
        )
        weight[~treated] = -back[0]
        psi = pd.Series(weight * error).groupby(unit).sum()
        errors.append(np.sqrt((psi**2).sum()))
    return errors


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_errors_are_those_of_theorem_3(missing):
    frame = rollout(missing=missing, seed=10)
    found, _ = imputation(panel(frame))
    after = found.keys >= 0
    np.testing.assert_allclose(
        found.standard_error[after], by_theorem_3(frame, found.keys[after]), rtol=1e-9
    )


def test_the_simple_effect_is_the_mean_of_the_family():
    found, simple = imputation(panel(rollout(missing=0.1), cluster="cluster"))
    assert simple.overall == pytest.approx(found.overall)
    assert simple.overall_standard_error == pytest.approx(found.overall_standard_error)
    assert (found.overall_weights[found.before] == 0).all()
    codes = panel(rollout(missing=0.1), cluster="cluster").cluster
    sums = np.bincount(codes, simple.overall_influence)
    assert np.sqrt((sums**2).sum()) / len(codes) == pytest.approx(simple.overall_standard_error)


def test_coefficients_before_treatment_do_not_know_what_came_after():
    frame = rollout()
    after = (frame["treatment_start"] > 0) & (frame["time"] >= frame["treatment_start"])
    other = frame.assign(outcome=frame["outcome"] + after * np.arange(len(frame)))
    one, two = (imputation(panel(made))[0] for made in (frame, other))
    before = one.before
    np.testing.assert_array_equal(one.point[before], two.point[before])
    np.testing.assert_array_equal(one.standard_error[before], two.standard_error[before])
    assert (one.point[~before] != two.point[~before]).all()


def test_anticipation_moves_the_reference_and_stays_out_of_the_average():
    found, simple = imputation(panel(), anticipation=1)
    at = list(found.keys).index(-2)
    assert found.point[at] == found.standard_error[at] == 0
    assert found.point[at + 1] != 0
    assert found.overall_weights[found.keys == -1] == 0
    assert found.overall == pytest.approx(simple.overall)


def test_without_never_treated_late_event_times_are_not_estimable_and_said():
    """Nobody is untreated from the last start on: cells of these periods have no prediction."""
    frame = rollout(never=0.0, seed=2)
    found, simple = imputation(panel(frame))
    late = found.keys >= 3  # starts 3 and 6
    assert np.isnan(found.point[late]).all()
    assert np.isnan(found.standard_error[late]).all()
    assert np.isfinite(found.point[~late]).all()
    after = frame[frame["time"] >= frame["treatment_start"]]
    lost = (after["time"] >= 6).sum()
    assert f"{lost} treated cells left out" in simple.notes[0]
    assert "event time 3, 4 not estimable" in simple.notes[1]
    early = after[after["time"] < 6]
    assert found.units[~found.before & ~late].sum() == len(early)
    effects = by_least_squares(frame[frame["time"] < 6])
    assert simple.overall == pytest.approx(effects["effect"].mean())
    first = found.keys.min()
    assert found.point[list(found.keys).index(first)] == 0  # the second reference


def test_a_unit_never_seen_untreated_is_left_out_and_said():
    frame = rollout()
    whose = frame.loc[frame["treatment_start"] == 3, "unit"].iloc[0]
    gap = frame[~((frame["unit"] == whose) & (frame["time"] < 3))]
    _, simple = imputation(panel(gap))
    _, without = imputation(panel(frame[frame["unit"] != whose]))
    assert simple.overall == pytest.approx(without.overall)
    assert simple.overall_standard_error == pytest.approx(without.overall_standard_error)
    assert "5 treated cells left out" in simple.notes[0]


def test_periods_without_a_link_are_not_compared():
    """Two islands in time: units seen before do not tell what units seen after would have had."""
    frame = rollout(groups=(6,), seed=3)
    early = frame["unit"] % 2 == 0
    islands = frame[(early & (frame["time"] <= 3)) | (~early & (frame["time"] >= 4))]
    one = frame[(frame["unit"] == frame.loc[frame["treatment_start"] == 6, "unit"].iloc[0])]
    joined = pd.concat([islands[islands["unit"] != one["unit"].iloc[0]], one[one["time"] != 4]])
    only_early = joined["unit"].eq(one["unit"].iloc[0]) & joined["time"].isin([4, 5])
    found, simple = imputation(panel(joined[~only_early]))
    # Its untreated periods are on the first island, its treated ones on the second.
    assert "2 treated cells left out" in simple.notes[0]
    assert np.isfinite(simple.overall)
    assert np.isfinite(found.point[found.keys >= 0]).all()


def test_everyone_treated_at_once_has_no_number():
    made = panel()
    everyone = replace(made, first_treated=np.full(made.n_units, 3))
    found, simple = imputation(everyone)
    assert np.isnan(simple.overall)
    assert np.isnan(simple.overall_standard_error)
    assert np.isnan(found.point[found.keys >= 0]).all()
    assert "not estimable" in simple.notes[-1]


def test_nobody_treated_is_refused():
    made = panel()
    with pytest.raises(Refusal, match="nobody is treated"):
        imputation(replace(made, first_treated=np.full(made.n_units, made.n_periods)))


def test_covariates_collinear_among_untreated_cells_are_refused_by_name():
    made = panel(rollout(moving=True), covariates=("x",))
    both = np.concatenate([made.covariates, 2 * made.covariates + 5], axis=2)
    with pytest.raises(Refusal, match="'x', 'again'"):
        imputation(replace(made, covariates=both, covariate_names=("x", "again")))


def test_heterogeneous_growing_effects_are_recovered_where_two_way_is_wrong():
    frame = rollout(units=4000, groups=(2, 3, 5, 6), never=0.2, seed=6)
    since = (frame["time"] - frame["treatment_start"] + 1).clip(lower=0)
    treated = (frame["treatment_start"] > 0) & (since > 0)
    own = np.where(treated, since * (8 - frame["treatment_start"]), 0.0)
    frame["outcome"] = np.random.default_rng(7).normal(size=len(frame)) + own
    truth = own[treated].mean()
    _, simple = imputation(panel(frame))
    assert abs(simple.overall - truth) < 4 * simple.overall_standard_error
    assert two_way(panel(frame)).overall < 0.7 * truth
