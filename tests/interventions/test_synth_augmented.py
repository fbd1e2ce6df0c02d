"""Ridge-augmented synthetic control against its closed forms and its two ends."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.interventions.markets import case as market
from tests.interventions.markets import paths
from trustlib.interventions.synth.augmented import augmented
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.fit import fit
from trustlib.interventions.synth.placebos_in_space import in_space

PROP99 = Path(__file__).resolve().parents[2] / ".." / "shared" / "realdata" / "prop99.csv"


@pytest.fixture
def outside() -> Case:
    """Twelve periods before, fifteen donors, and a target above what any mix of them reaches."""
    made = market(paths(donors=15, periods=18, start=12), start=12)
    return replace(made, target=made.target + np.linspace(20, 40, 18))


def centred(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Donors and target before the start, less the donors' mean in each period."""
    before = case.donors[:, : case.n_pre]
    centre = before.mean(axis=0)
    return before - centre, case.target[: case.n_pre] - centre


def by_formula(case: Case, ridge: float) -> np.ndarray:
    """The paper's weights, with an inverse over periods."""
    donors, target = centred(case)
    plain = fit(case, "synthetic_control").unit_weights
    inverse = np.linalg.inv(donors.T @ donors + ridge * np.eye(case.n_pre))
    return plain + donors @ inverse @ (target - plain @ donors)


@pytest.mark.parametrize("ridge", [1e-2, 1.0, 50.0, 1e4])
def test_weights_are_the_papers(outside, ridge) -> None:
    found = augmented(outside, ridge=ridge)
    assert found.unit_weights == pytest.approx(by_formula(outside, ridge), abs=1e-8)
    assert found.unit_weights.sum() == pytest.approx(1)
    assert found.notes["ridge"] == ridge
    below = found.unit_weights[found.unit_weights < 0]
    assert found.notes["negative_weight"] == pytest.approx(below.sum())


def test_weights_solve_the_penalised_program(outside) -> None:
    donors, target = centred(outside)
    plain = fit(outside, "synthetic_control").unit_weights
    found = augmented(outside, ridge=20.0)
    rows = np.vstack([donors.T, np.sqrt(20.0) * np.eye(15)])
    best = np.linalg.lstsq(rows, np.concatenate([target, np.sqrt(20.0) * plain]), rcond=None)[0]
    assert found.unit_weights == pytest.approx(best, abs=1e-8)
    distance = float(((best - plain) ** 2).sum())
    assert found.objective == pytest.approx(
        np.mean((target - best @ donors) ** 2) + 20 * distance / 12
    )
    assert found.pre_rmspe == pytest.approx(np.sqrt(np.mean((target - best @ donors) ** 2)))


def test_a_large_ridge_is_synthetic_control(outside) -> None:
    plain = fit(outside, "synthetic_control")
    found = augmented(outside, ridge=1e14)
    assert found.unit_weights == pytest.approx(plain.unit_weights, abs=1e-9)
    assert found.att == pytest.approx(plain.att, abs=1e-8)
    assert found.notes["negative_weight"] == pytest.approx(0, abs=1e-9)
    assert found.notes["left_of_misfit"] == pytest.approx(1)


def test_no_ridge_matches_every_period_before(outside) -> None:
    found = augmented(outside, ridge=1e-10)
    assert found.gap[:12] == pytest.approx(np.zeros(12), abs=1e-6)
    assert found.notes["left_of_misfit"] == pytest.approx(0, abs=1e-6)
    assert found.notes["negative_weight"] < 0
    few = replace(outside, donors=outside.donors[:5])
    donors, target = centred(few)
    missed = target - np.linalg.lstsq(donors.T, target, rcond=None)[0] @ donors
    assert augmented(few, ridge=1e-10).gap[:12] == pytest.approx(missed, abs=1e-6)


def test_the_ridge_is_chosen_by_leaving_out_periods(outside) -> None:
    donors, _ = centred(outside)
    largest = np.linalg.eigvalsh(donors.T @ donors)[-1]
    ridges = largest * 10.0 ** np.linspace(0, -8, 21)
    errors = np.empty((12, 21))
    for period in range(12):
        keep = [*np.delete(np.arange(12), period), *range(12, 18)]
        rest = Case(target=outside.target[keep], donors=outside.donors[:, keep], n_pre=11)
        for at, ridge in enumerate(ridges):
            weights = by_formula(rest, ridge)
            errors[period, at] = (outside.target - weights @ outside.donors)[period] ** 2
    mean, error = errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(12)
    best = int(mean.argmin())
    allowed = np.flatnonzero(mean <= mean[best] + error[best])[0]
    assert 0 < allowed < best  # neither end of the grid, and the rule matters here
    found = fit(outside, "augmented")
    assert found.notes["ridge"] == pytest.approx(ridges[allowed])
    assert found.notes["left_out_rmse"] == pytest.approx(np.sqrt(mean[allowed]))


@pytest.mark.skipif(not PROP99.exists(), reason="../shared/realdata is not part of the project")
def test_california() -> None:
    states = pd.read_csv(PROP99).pivot(index="state", columns="year", values="packs_per_capita")
    case = Case(
        target=states.loc["California"].to_numpy(),
        donors=states.drop("California").to_numpy(),
        n_pre=19,
    )
    found = fit(case, "augmented")
    # Our own figures, checked by the closed form: between synthetic control and its exact match.
    assert found.unit_weights == pytest.approx(by_formula(case, found.notes["ridge"]), abs=1e-8)
    assert found.att == pytest.approx(-15.95, abs=0.01)
    assert found.pre_rmspe < 0.5 * fit(case, "synthetic_control").pre_rmspe
    chance = in_space([(19, case)], [found])
    assert chance.n == 38
    assert chance.p_value == pytest.approx(2 / 39)


def test_added_paths_scales_and_order_change_nothing(outside) -> None:
    found = fit(outside, "augmented")
    shift = np.linspace(0, 40, 18) ** 1.3
    moved = replace(outside, target=outside.target + shift, donors=outside.donors + shift)
    assert fit(moved, "augmented").att == pytest.approx(found.att, abs=1e-7)
    raised = replace(outside, target=outside.target + 3.5 * (np.arange(18) >= 12))
    assert fit(raised, "augmented").att == pytest.approx(found.att + 3.5, abs=1e-10)
    for size in (1e-6, 1e6):
        scaled = replace(outside, target=size * outside.target, donors=size * outside.donors)
        assert fit(scaled, "augmented").att == pytest.approx(size * found.att, rel=1e-7)
    order = np.random.default_rng(0).permutation(15)
    shuffled = replace(outside, donors=outside.donors[order])
    assert fit(shuffled, "augmented").unit_weights == pytest.approx(
        found.unit_weights[order], abs=1e-8
    )


def test_predictors_are_not_used(outside) -> None:
    rng = np.random.default_rng(0)
    given = replace(
        outside,
        target_predictors=rng.standard_normal(3),
        donor_predictors=rng.standard_normal((15, 3)),
        fit_from=4,
        fit_to=9,
    )
    assert (fit(given, "augmented").gap == fit(outside, "augmented").gap).all()


def test_one_donor_and_one_period(outside) -> None:
    alone = fit(replace(outside, donors=outside.donors[:1]), "augmented")
    assert alone.unit_weights == pytest.approx([1.0])
    assert alone.notes["left_of_misfit"] == pytest.approx(1)
    short = fit(replace(outside, n_pre=1), "augmented")
    assert "left_out_rmse" not in short.notes
    assert np.isfinite(short.att)


def test_a_donor_like_the_target_needs_no_correction(outside) -> None:
    twin = fit(replace(outside, target=outside.donors[3]), "augmented")
    assert twin.unit_weights == pytest.approx(np.eye(15)[3], abs=1e-6)
    assert twin.att == pytest.approx(0, abs=1e-6)
