"""Unit and time weights, and cohorts: what can be worked out by hand comes out that way."""

from dataclasses import replace

import numpy as np
import pytest

from tests.interventions.markets import panel, paths
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import cases, combined, together
from trustlib.interventions.synth.fit import fit
from trustlib.interventions.synth.weights import noise_of

PRESETS = ("synthetic_did", "synthetic_control", "did")


def random_case(*, seed: int = 0, donors: int = 12, pre: int = 16, post: int = 5, **more) -> Case:
    outcome = paths(seed=seed, donors=donors, periods=pre + post, start=pre)
    return Case(target=outcome[0], donors=outcome[1:], n_pre=pre, **more)


def test_did_is_the_difference_of_four_means() -> None:
    case = random_case()
    found = fit(case, "did")
    own = case.target[16:].mean() - case.target[:16].mean()
    others = case.donors[:, 16:].mean() - case.donors[:, :16].mean()
    assert found.att == pytest.approx(own - others, abs=1e-12)
    assert found.unit_weights == pytest.approx(np.full(12, 1 / 12))
    assert found.time_weights == pytest.approx(np.full(16, 1 / 16))
    assert found.gap[:16].mean() == pytest.approx(0, abs=1e-12)
    assert found.pre_rmspe == pytest.approx(found.gap[:16].std())


@pytest.mark.parametrize(("height", "weight"), [(0.25, 0.25), (0.0, 0.0), (-3.0, 0.0), (7.0, 1.0)])
def test_synthetic_control_of_two_donors(height, weight) -> None:
    # The target lies off the segment from `low` to `high`, in a direction square to it.
    low, high = np.array([1.0, 2.0, 4.0]), np.array([3.0, 2.0, 8.0])
    off = np.array([2.0, 5.0, -1.0])
    before = low + height * (high - low) + off
    after = np.array([10.0, 20.0])
    donors = np.vstack([np.append(high, [1.0, 1.0]), np.append(low, [3.0, 5.0])])
    found = fit(Case(target=np.append(before, after), donors=donors, n_pre=3), "synthetic_control")
    assert found.unit_weights == pytest.approx([weight, 1 - weight], abs=1e-12)
    missed = before - weight * high - (1 - weight) * low
    assert found.pre_rmspe == pytest.approx(np.sqrt(np.mean(missed**2)))
    assert found.objective == pytest.approx(np.mean(missed**2))
    assert found.gap[:3] == pytest.approx(missed, abs=1e-12)
    assert found.gap[3:] == pytest.approx(
        after - weight * np.ones(2) - (1 - weight) * np.array([3.0, 5.0]), abs=1e-12
    )
    assert found.att == pytest.approx(found.gap[3:].mean())
    assert not found.time_weights.any()


def test_synthetic_did_of_two_donors() -> None:
    # With two donors the program has one unknown. u: share of the first; a, b: centred paths.
    case = random_case(donors=2, pre=9, post=4, n_treated=3)
    before = case.donors[:, :9]
    first, second = before - before.mean(axis=1, keepdims=True)
    aim = case.target[:9] - case.target[:9].mean()
    noise = np.diff(before, axis=1).std(ddof=1)
    penalty = 9 * np.sqrt(3 * 4) * noise**2
    slope = first - second
    share = ((aim - second) @ slope + penalty) / (slope @ slope + 2 * penalty)
    found = fit(case, "synthetic_did")
    assert 0 < share < 1
    assert found.unit_weights == pytest.approx([share, 1 - share], abs=1e-12)
    assert found.notes["noise"] == pytest.approx(noise)
    assert found.notes["zeta_unit"] == pytest.approx((3 * 4) ** 0.25 * noise)
    assert found.notes["zeta_time"] == pytest.approx(1e-6 * noise)
    residual = aim - share * first - (1 - share) * second
    squared = residual @ residual + penalty * (share**2 + (1 - share) ** 2)
    assert found.objective == pytest.approx(squared / 9)
    # The effect is the double difference of weighted means.
    gap = case.target - found.unit_weights @ case.donors
    assert found.att == pytest.approx(gap[9:].mean() - found.time_weights @ gap[:9], abs=1e-12)
    assert found.pre_rmspe == pytest.approx(gap[:9].std())


def test_synthetic_did_weighs_two_periods_by_hand() -> None:
    # Over donors, the mean after treatment moves as three quarters of the second period do and
    # one of the first; the intercept takes the rest.
    rng = np.random.default_rng(3)
    before = rng.normal(size=(30, 2))
    after = before @ [0.25, 0.75] + 8.0
    donors = np.column_stack([before, after - 1.0, after + 1.0])
    found = fit(Case(target=rng.normal(size=4), donors=donors, n_pre=2), "synthetic_did")
    assert found.time_weights == pytest.approx([0.25, 0.75], abs=1e-9)


def test_more_periods_than_donors_leave_no_time_weight_to_chance() -> None:
    # Four donors cannot tell thirty periods apart: the published penalty, far below what the
    # squares can show, chooses the most even weights among those that match.
    rng = np.random.default_rng(1)
    outcome = rng.standard_normal((5, 60))
    case = Case(target=outcome[0], donors=outcome[1:], n_pre=30)
    found = fit(case, "synthetic_did")
    centred = case.donors[:, :30] - case.donors[:, :30].mean(axis=0)
    aim = case.donors[:, 30:].mean(axis=1)
    assert centred @ found.time_weights == pytest.approx(aim - aim.mean(), abs=1e-10)
    system = np.vstack([centred[:3], np.ones(30)])
    held = found.time_weights > 1e-9
    price = np.linalg.lstsq(system[:, held].T, found.time_weights[held], rcond=None)[0]
    assert found.time_weights == pytest.approx(np.maximum(system.T @ price, 0), abs=1e-9)


@pytest.mark.parametrize("preset", PRESETS)
def test_one_donor_takes_it_all(preset) -> None:
    case = random_case(donors=1)
    found = fit(case, preset)
    assert found.unit_weights.tolist() == [1.0]
    gap = case.target - case.donors[0]
    expected = {
        "did": gap[16:].mean() - gap[:16].mean(),
        "synthetic_control": gap[16:].mean(),
        "synthetic_did": gap[16:].mean() - found.time_weights @ gap[:16],
    }
    assert found.att == pytest.approx(expected[preset], abs=1e-12)
    if preset == "synthetic_did":
        # A single donor says nothing about periods, so they count alike.
        assert found.time_weights == pytest.approx(np.full(16, 1 / 16), abs=1e-12)


@pytest.mark.parametrize("preset", ["synthetic_did", "synthetic_control"])
def test_twins_share_one_weight(preset) -> None:
    case = random_case(noise=1.3)
    found = fit(case, preset)
    heaviest = int(found.unit_weights.argmax())
    twice = replace(case, donors=np.vstack([case.donors, case.donors[heaviest]]))
    both = fit(twice, preset)
    assert both.unit_weights[-1] == pytest.approx(both.unit_weights[heaviest], abs=1e-10)
    assert both.unit_weights[-1] > 0
    if preset == "synthetic_control":
        assert both.unit_weights[-1] == pytest.approx(found.unit_weights[heaviest] / 2, abs=1e-10)
        assert both.att == pytest.approx(found.att, abs=1e-10)
        assert both.objective == pytest.approx(found.objective)


def test_a_mix_of_donors_is_found_again() -> None:
    case = random_case()
    weights = np.zeros(12)
    weights[[1, 4, 8]] = 0.5, 0.3, 0.2
    target = weights @ case.donors + 4.0 * (np.arange(21) >= 16)
    found = fit(replace(case, target=target), "synthetic_control")
    assert found.unit_weights == pytest.approx(weights, abs=1e-9)
    assert found.pre_rmspe == pytest.approx(0, abs=1e-9)
    assert found.att == pytest.approx(4.0, abs=1e-9)


@pytest.mark.parametrize("tick", [1.0, 0.1])
@pytest.mark.parametrize("preset", PRESETS)
def test_paths_without_movement(preset, tick) -> None:
    # No variance before treatment: no noise, no penalty, every mix of the donors is as good.
    # Tenths are not exact in binary: their means differ from them in the last digit.
    levels = tick * np.array([5.0, 1.0, 3.0, 4.0])
    donors = np.repeat(levels[:, None], 9, axis=1)
    target = tick * np.where(np.arange(9) >= 6, 6.0, 3.0)
    found = fit(Case(target=target, donors=donors, n_pre=6), preset)
    assert found.att == pytest.approx(3.0 * tick, abs=1e-10)
    assert found.unit_weights @ np.ones(4) == pytest.approx(1)
    assert found.pre_rmspe == pytest.approx(0, abs=1e-10)
    assert noise_of(Case(target=target, donors=donors, n_pre=6)) == 0
    if preset == "synthetic_did":
        assert found.unit_weights == pytest.approx(np.full(4, 0.25), abs=1e-10)
    if preset == "synthetic_control":
        assert found.unit_weights @ levels == pytest.approx(3.0 * tick)


def test_a_single_period_before_has_no_noise() -> None:
    assert noise_of(Case(target=np.arange(2.0), donors=np.eye(2), n_pre=1)) == 0
    # Two periods and one donor: a single step, whose spread cannot be told.
    assert noise_of(Case(target=np.arange(3.0), donors=np.arange(3.0)[None] ** 2, n_pre=2)) == 0


def test_noise_may_come_from_elsewhere() -> None:
    case = random_case()
    assert noise_of(case) == pytest.approx(np.diff(case.donors[:, :16], axis=1).std(ddof=1))
    other = replace(case, noise=0.4)
    assert fit(other, "synthetic_did").notes["zeta_unit"] == pytest.approx(5**0.25 * 0.4)
    # Without a penalty it is synthetic control up to an intercept.
    bare = fit(replace(case, noise=0.0), "synthetic_did")
    centred = case.donors - case.donors[:, :16].mean(axis=1, keepdims=True)
    level = fit(
        replace(case, target=case.target - case.target[:16].mean(), donors=centred),
        "synthetic_control",
    )
    assert bare.unit_weights == pytest.approx(level.unit_weights, abs=1e-9)
    # With ever more of it, weights become plain averages.
    heavy = fit(replace(case, noise=1e6), "synthetic_did")
    assert heavy.unit_weights == pytest.approx(np.full(12, 1 / 12), abs=1e-6)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", [1e-6, 1e-3, 1e3, 1e6])
def test_units_of_measurement(preset, size) -> None:
    case = random_case()
    found = fit(case, preset)
    scaled = fit(replace(case, target=size * case.target, donors=size * case.donors), preset)
    assert scaled.att == pytest.approx(size * found.att, rel=1e-9)
    assert scaled.pre_rmspe == pytest.approx(size * found.pre_rmspe, rel=1e-9)
    assert scaled.unit_weights == pytest.approx(found.unit_weights, abs=1e-9)
    assert scaled.time_weights == pytest.approx(found.time_weights, abs=1e-9)
    assert scaled.kkt < 1e-10


@pytest.fixture
def staggered():
    outcome = paths(donors=11, periods=12, start=6)
    one = panel(outcome, start=(8, 6, 8))
    weight = np.ones_like(outcome)
    weight[0], weight[2] = np.linspace(2, 4, 12), 9.0
    return replace(one, weight=weight, predictors=np.arange(24.0).reshape(12, 2) ** 2)


def test_one_case_per_start(staggered) -> None:
    (first, early), (second, late) = cases(staggered)
    assert (first, second) == (6, 8)
    assert (early.n_pre, late.n_pre) == (6, 8)
    assert (early.n_treated, late.n_treated) == (1, 2)
    assert early.target.tolist() == staggered.outcome[1].tolist()
    # Two units of three and nine people, on average over all periods.
    mix = 0.25 * staggered.outcome[0] + 0.75 * staggered.outcome[2]
    assert late.target == pytest.approx(mix)
    assert late.target_predictors == pytest.approx([0.25 * 0 + 0.75 * 16, 0.25 * 1 + 0.75 * 25])
    for case in (early, late):
        assert case.donors.tolist() == staggered.outcome[3:].tolist()
        assert case.donor_predictors.tolist() == staggered.predictors[3:].tolist()
        assert (case.fit_from, case.fit_to) == (0, 6)


def test_no_case_is_fitted_past_its_own_start(staggered) -> None:
    fitted = [case.fit_to for _, case in cases(replace(staggered, fit_from=1, fit_to=7))]
    assert fitted == [6, 7]
    bare = replace(staggered, predictors=np.empty((12, 0)))
    assert all(case.donor_predictors is None for _, case in cases(bare))


@pytest.mark.parametrize("preset", PRESETS)
def test_staggered_effects_weigh_cells(staggered, preset) -> None:
    parts = cases(staggered)
    fits = [fit(case, preset) for _, case in parts]
    # One unit in six periods, two in four.
    by_hand = (1 * 6 * fits[0].att + 2 * 4 * fits[1].att) / 14
    assert combined(parts, fits) == pytest.approx(by_hand, abs=1e-12)
    gaps = np.stack([found.gap for found in fits])
    path, att = together(gaps, units=np.array([1, 2]), starts=np.array([6, 8]))
    assert att == pytest.approx(by_hand, abs=1e-12)
    assert path[:6] == pytest.approx((gaps[0] + 2 * gaps[1])[:6] / 3)
    assert path[6:8] == pytest.approx(gaps[0, 6:8])
    assert path[8:] == pytest.approx((gaps[0] + 2 * gaps[1])[8:] / 3)


def test_effects_of_two_cohorts_are_both_found() -> None:
    # Donors that stand still, so that nothing but the planted effects is left.
    outcome = np.tile(np.linspace(0, 3, 10), (6, 1)) + np.arange(6.0)[:, None]
    outcome[0, 4:] += 2.0
    outcome[1, 7:] += 5.0
    parts = cases(panel(outcome, start=(4, 7)))
    fits = [fit(case, "synthetic_did") for _, case in parts]
    assert [found.att for found in fits] == pytest.approx([2.0, 5.0], abs=1e-9)
    assert combined(parts, fits) == pytest.approx((6 * 2 + 3 * 5) / 9, abs=1e-9)
