"""diff-diff on simulated panels: our optimum is never above its, and the rest is the same formula.

Its synthetic difference-in-differences stops Frank-Wolfe early, as the authors' code does; its
plain synthetic control is an exact non-negative least squares. So the first is compared by

- the unit weights' objective: ours was lower by more than 1e-9, relative, in 155 of these 192
  panels (by up to 1e-3), lower by less in the other 37, and higher in none;
- the formulas at its own weights, which agree to rounding: effect, jackknife error;
- the effect itself, where its time weights are near their optimum too. With fewer donors than
  periods they often are not: many mixes of the periods match the donors' means exactly, and
  where its search stops depends on where it began. Its objective was then above ours by a
  factor of up to 8e6; in 15 of the panels the effects differ by more than .05, in one by .97.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from tests.interventions.markets import panel, paths
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import cases
from trustlib.interventions.synth.fit import Fit, fit
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.placebos_in_space import in_space
from trustlib.interventions.synth.resampling import bootstrap, jackknife

POST = 6
EFFECT = -6.0
GRID = [
    (donors, before, treated)
    for donors in (5, 12, 25, 40)
    for before in (8, 20, 40)
    for treated in (1, 3)
]
SEEDS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    panel: SynthPanel
    case: Case
    frame: pd.DataFrame


def world(donors: int, before: int, treated: int, seed: int) -> World:
    outcome = paths(
        seed=seed, donors=donors + treated - 1, periods=before + POST, start=before, effect=EFFECT
    )
    n, periods = outcome.shape
    one = panel(outcome, start=(before,) * treated)
    frame = pd.DataFrame(
        {
            "unit": np.repeat(one.unit_names, periods),
            "time": np.tile(np.arange(periods), n),
            "y": outcome.ravel(),
            "ever": np.repeat((np.arange(n) < treated).astype(int), periods),
        }
    )
    return World(panel=one, case=cases(one)[0][1], frame=frame)


def theirs(one: World, **options):
    from diff_diff import SyntheticDiD

    before = one.case.n_pre
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SyntheticDiD(**({"seed": 1, "n_bootstrap": 2} | options)).fit(
            one.frame,
            outcome="y",
            treatment="ever",
            unit="unit",
            time="time",
            post_periods=list(range(before, before + POST)),
        )


def weights(one: World, found) -> tuple[np.ndarray, np.ndarray]:
    units = [found.unit_weights[one.panel.unit_names[i]] for i in one.panel.donors]
    return np.array(units), np.array([found.time_weights[t] for t in range(one.case.n_pre)])


def objectives(case: Case, fitted: Fit, units: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Of the two programs, as published, at these weights."""
    before = case.donors[:, : case.n_pre]
    zeta_unit, zeta_time = fitted.notes["zeta_unit"], fitted.notes["zeta_time"]
    missed = units @ before - case.target[: case.n_pre]
    apart = before @ times - case.donors[:, case.n_pre :].mean(axis=1)
    return np.array(
        [
            case.n_pre * (missed.var() + zeta_unit**2 * (units @ units)),
            case.n_donors * (apart.var() + zeta_time**2 * (times @ times)),
        ]
    )


def at(case: Case, fitted: Fit, units: np.ndarray, times: np.ndarray) -> Fit:
    """Our fit, with other weights put in."""
    raw = case.target - units @ case.donors
    gap = raw - times @ raw[: case.n_pre]
    return replace(
        fitted, unit_weights=units, time_weights=times, gap=gap, att=gap[case.n_pre :].mean()
    )


@pytest.mark.parametrize(("donors", "before", "treated"), GRID)
def test_our_optimum_is_never_above_theirs(donors, before, treated) -> None:
    for seed in range(SEEDS):
        one = world(donors, before, treated, seed)
        ours, other = fit(one.case, "synthetic_did"), theirs(one)
        assert ours.notes["zeta_unit"] == pytest.approx(other.zeta_omega, rel=1e-12)
        assert ours.notes["zeta_time"] == pytest.approx(other.zeta_lambda, rel=1e-12)
        assert ours.kkt < 1e-10
        mine = objectives(one.case, ours, ours.unit_weights, ours.time_weights)
        units, times = weights(one, other)
        found = objectives(one.case, ours, units, times)
        assert (mine <= found * (1 + 1e-9)).all()
        assert ours.objective == pytest.approx(mine[0] / before, rel=1e-9)
        # Strongly convex: how far weights are apart is bounded by how far objectives are.
        apart = np.linalg.norm(units - ours.unit_weights)
        penalty = ours.notes["zeta_unit"] ** 2 * before
        assert apart <= np.sqrt((found[0] - mine[0]) / penalty) + 1e-6
        assert at(one.case, ours, units, times).att == pytest.approx(other.att, abs=1e-9)
        if found[1] <= mine[1] * (1 + 1e-5):
            assert ours.att == pytest.approx(other.att, abs=0.01)


def test_early_stopping_is_what_separates_the_effects() -> None:
    # The panel with the widest gap: with our time weights in place of its own, it agrees.
    one = world(5, 20, 1, seed=1)
    ours, other = fit(one.case, "synthetic_did"), theirs(one)
    units, times = weights(one, other)
    mine = objectives(one.case, ours, ours.unit_weights, ours.time_weights)
    assert objectives(one.case, ours, units, times)[1] > 1e4 * mine[1]
    assert abs(ours.att - other.att) > 0.9
    assert at(one.case, ours, units, ours.time_weights).att == pytest.approx(ours.att, abs=1e-3)


@pytest.mark.parametrize(("donors", "before", "treated"), [(12, 20, 1), (12, 20, 3), (30, 20, 3)])
def test_placebos_are_the_same_ones(donors, before, treated) -> None:
    # Its draws are known by their seed, and keep the study's penalty: so do ours here.
    one = world(donors, before, treated, seed=0)
    other = theirs(one, seed=5, n_bootstrap=40)
    ours = fit(one.case, "synthetic_did")
    rng = np.random.default_rng(5)
    effects = []
    for _ in range(40):
        order = rng.permutation(donors)
        chosen, rest = order[donors - treated :], order[: donors - treated]
        case = replace(
            one.case,
            target=one.case.donors[chosen].mean(axis=0),
            donors=one.case.donors[rest],
            noise=ours.notes["noise"],
        )
        effects.append(fit(case, "synthetic_did").att)
    assert other.variance_effects == pytest.approx(effects, abs=0.03)
    assert other.se == pytest.approx(np.std(effects), rel=0.005)
    if treated == 1:
        # Every draw is one of the enumerated placebos, but for the penalty of their own.
        exact = in_space([(before, one.case)], [ours])
        assert exact.exact
        assert np.abs(other.variance_effects[:, None] - exact.att).min(axis=1).max() < 0.3


@pytest.mark.parametrize(("donors", "before", "treated"), [(8, 30, 2), (20, 20, 3), (40, 12, 6)])
def test_jackknife_errors(donors, before, treated) -> None:
    one = world(donors, before, treated, seed=2)
    ours, other = fit(one.case, "synthetic_did"), theirs(one, variance_method="jackknife")
    same = at(one.case, ours, *weights(one, other))
    assert jackknife(one.panel, [same]).standard_error == pytest.approx(other.se, rel=1e-9)
    assert jackknife(one.panel, [ours]).standard_error == pytest.approx(other.se, rel=1e-2)


def test_bootstrap_errors() -> None:
    # Two samples of 200 draws: each error is known to about a twentieth.
    one = world(20, 20, 4, seed=4)
    other = theirs(one, variance_method="bootstrap", n_bootstrap=200)
    found = bootstrap(one.panel, "synthetic_did", draws=200)
    assert found.standard_error == pytest.approx(other.se, rel=0.2)


@pytest.mark.parametrize(("donors", "before"), [(5, 8), (12, 20), (25, 40), (40, 40), (40, 8)])
def test_plain_synthetic_control(donors, before) -> None:
    from diff_diff import SyntheticControl

    for seed in range(3):
        one = world(donors, before, 1, seed)
        treated = (one.frame["ever"] == 1) & (one.frame["time"] >= before)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = SyntheticControl(
                v_method="custom", custom_v=np.ones(before), standardize="none"
            ).fit(
                one.frame.assign(now=treated.astype(int)),
                outcome="y",
                treatment="now",
                unit="unit",
                time="time",
                pre_period_outcomes="all",
            )
        found = fit(one.case, "synthetic_control")
        names = [one.panel.unit_names[i] for i in one.panel.donors]
        assert found.unit_weights == pytest.approx(
            [other.donor_weights.get(name, 0.0) for name in names], abs=1e-6
        )
        assert found.pre_rmspe <= other.pre_rmspe * (1 + 1e-9)
        assert found.att == pytest.approx(other.att, abs=1e-5)
