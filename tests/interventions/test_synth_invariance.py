"""What must not matter does not: order, names, shifts, scale, twins; and what must add, adds.

One exception, by the published formula: the penalty of synthetic difference-in-differences is in
units of the donors' steps from period to period, and a path that is common to all units changes
the spread of those steps, unless it is a straight line. So straight lines are added to it, and
other paths with the noise held.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.interventions.markets import panel, paths
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.cohorts import cases, combined
from trustlib.interventions.synth.fit import Fit, fit
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.panel_from_frame import synth_panel
from trustlib.interventions.synth.placebos_in_space import InSpace, in_space
from trustlib.interventions.synth.resampling import jackknife
from trustlib.interventions.synth.spec import SynthSpec
from trustlib.interventions.synth.synth import synth
from trustlib.interventions.synth.weights import noise_of

PRESETS = ("synthetic_did", "synthetic_control", "did")
FEW = settings(max_examples=20, deadline=None, derandomize=True)
NEAR = 1e-8  # of outcomes around 50 with noise around 1


@some.composite
def panels(draw, treated: int = 3) -> SynthPanel:
    """Markets in rows, the first ones treated: alone, together or at dates of their own."""
    before, after = draw(some.integers(3, 20)), draw(some.integers(1, 6))
    starts = [
        before + draw(some.integers(0, after - 1)) for _ in range(draw(some.integers(1, treated)))
    ]
    donors = draw(some.integers(len(starts) + 1, 14))
    outcome = paths(
        seed=draw(some.integers(0, 2**32 - 1)),
        donors=donors + len(starts) - 1,
        periods=before + after,
        start=before,
    )
    return panel(outcome, start=tuple(starts))


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """All that is compared."""

    att: float
    fits: list[Fit]
    chance: InSpace

    @property
    def numbers(self) -> np.ndarray:
        """In the outcome's unit."""
        gaps = np.concatenate([found.gap for found in self.fits])
        return np.concatenate([[self.att], gaps, self.chance.att, self.chance.pre_rmspe])

    @property
    def weights(self) -> np.ndarray:
        return np.concatenate([np.append(f.unit_weights, f.time_weights) for f in self.fits])


def answer(one: SynthPanel, preset, *, noise: list[float] | None = None) -> Answer:
    parts = cases(one)
    if noise is not None:
        parts = tuple(
            (start, replace(case, noise=held))
            for (start, case), held in zip(parts, noise, strict=True)
        )
    fits = [fit(case, preset) for _, case in parts]
    chance = in_space(parts, fits, draws=12, seed=1)
    return Answer(att=combined(parts, fits), fits=fits, chance=chance)


def fitted(one: SynthPanel, preset) -> list[Fit]:
    return [fit(case, preset) for _, case in cases(one)]


def same(one: Answer, other: Answer, *, size: float = 1.0) -> None:
    assert other.weights == pytest.approx(one.weights, abs=NEAR)
    assert other.numbers / size == pytest.approx(one.numbers, abs=50 * NEAR)
    assert other.chance.p_value == one.chance.p_value


def moved(one: SynthPanel, outcome: np.ndarray) -> SynthPanel:
    return replace(one, outcome=outcome)


def taken(one: SynthPanel, rows: np.ndarray) -> SynthPanel:
    return replace(
        one,
        outcome=one.outcome[rows],
        first_treated=one.first_treated[rows],
        weight=one.weight[rows],
        predictors=one.predictors[rows],
        unit_names=tuple(one.unit_names[row] for row in rows),
    )


def frame_of(one: SynthPanel) -> tuple[pd.DataFrame, SynthSpec]:
    n, periods = one.outcome.shape
    rows = pd.DataFrame(
        {
            "unit": np.repeat(one.unit_names, periods),
            "time": np.tile(np.arange(2001, 2001 + periods), n),
            "outcome": one.outcome.ravel(),
            "start": np.repeat(np.where(one.treated, one.first_treated + 2001.0, np.nan), periods),
        }
    )
    return rows, SynthSpec(treatment_start_column="start", outcome_scale="level", draws=99)


@FEW
@given(one=panels(), seed=some.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_not_one_bit(one, seed) -> None:
    rows, spec = frame_of(one)
    plain = synth_panel(rows, spec)
    rng = np.random.default_rng(seed)
    shuffled = rows.iloc[rng.permutation(len(rows))][list(rng.permutation(rows.columns))]
    other = synth_panel(shuffled.reset_index(drop=True), spec)
    assert other.outcome.tolist() == plain.outcome.tolist() == one.outcome.tolist()
    assert other.first_treated.tolist() == plain.first_treated.tolist()
    assert (other.unit_names, other.period_names) == (plain.unit_names, plain.period_names)


def test_nor_in_the_whole_answer() -> None:
    one = panel(paths(donors=9, periods=16, start=11), start=(11, 13))
    rows, spec = frame_of(one)
    shuffled = rows.sample(frac=1.0, random_state=5)
    plain, other = synth(rows, spec), synth(shuffled, spec)
    assert other.series() == plain.series()
    assert other.estimates == plain.estimates


@pytest.mark.parametrize("preset", PRESETS)
@FEW
@given(one=panels(treated=1), seed=some.integers(0, 2**32 - 1))
def test_names_and_places_of_units_do_not_matter(preset, one, seed) -> None:
    # Under other names, units come in another order.
    order = np.random.default_rng(seed).permutation(one.n_units)
    plain, other = answer(one, preset), answer(taken(one, order), preset)
    places = np.argsort(order[~one.treated[order]])  # where each donor is now
    assert other.att == pytest.approx(plain.att, abs=NEAR)
    assert other.fits[0].unit_weights[places] == pytest.approx(plain.fits[0].unit_weights, abs=NEAR)
    assert other.fits[0].time_weights == pytest.approx(plain.fits[0].time_weights, abs=NEAR)
    assert other.chance.att[places] == pytest.approx(plain.chance.att, abs=50 * NEAR)
    assert other.chance.standard_error == pytest.approx(plain.chance.standard_error, abs=50 * NEAR)
    assert other.chance.p_value == plain.chance.p_value


@pytest.mark.parametrize("preset", ["synthetic_control", "did"])
@FEW
@given(one=panels(treated=1), seed=some.integers(0, 2**32 - 1))
def test_nor_does_the_order_of_periods_before_the_start(preset, one, seed) -> None:
    start = int(one.starts[0])
    order = np.arange(one.n_periods)
    order[:start] = np.random.default_rng(seed).permutation(start)
    plain, other = answer(one, preset), answer(moved(one, one.outcome[:, order]), preset)
    assert other.fits[0].unit_weights == pytest.approx(plain.fits[0].unit_weights, abs=NEAR)
    assert other.att == pytest.approx(plain.att, abs=NEAR)
    assert other.fits[0].gap == pytest.approx(plain.fits[0].gap[order], abs=NEAR)


@pytest.mark.parametrize("preset", ["synthetic_did", "did"])
@FEW
@given(one=panels(), seed=some.integers(0, 2**32 - 1))
def test_levels_of_units_change_nothing(preset, one, seed) -> None:
    levels = np.random.default_rng(seed).normal(scale=200, size=(one.n_units, 1))
    same(answer(one, preset), answer(moved(one, one.outcome + levels), preset))


@pytest.mark.parametrize("preset", ["synthetic_control", "did"])
@FEW
@given(one=panels(), seed=some.integers(0, 2**32 - 1))
def test_a_common_path_changes_nothing(preset, one, seed) -> None:
    path = np.random.default_rng(seed).normal(scale=200, size=one.n_periods)
    same(answer(one, preset), answer(moved(one, one.outcome + path), preset))


@FEW
@given(one=panels(), slope=some.floats(-30, 30), level=some.floats(-200, 200))
def test_a_common_line_changes_nothing_for_synthetic_did_either(one, slope, level) -> None:
    line = level + slope * np.arange(one.n_periods)
    other = moved(one, one.outcome + line)
    same(answer(one, "synthetic_did"), answer(other, "synthetic_did"))


@FEW
@given(one=panels(), seed=some.integers(0, 2**32 - 1))
def test_nor_does_a_common_path_with_the_noise_held(one, seed) -> None:
    path = np.random.default_rng(seed).normal(scale=200, size=one.n_periods)
    noise = [noise_of(case) for _, case in cases(one)]
    plain = answer(one, "synthetic_did", noise=noise)
    other = answer(moved(one, one.outcome + path), "synthetic_did", noise=noise)
    assert other.weights == pytest.approx(plain.weights, abs=NEAR)
    assert other.att == pytest.approx(plain.att, abs=50 * NEAR)
    for before, after in zip(plain.fits, other.fits, strict=True):
        assert after.gap == pytest.approx(before.gap, abs=50 * NEAR)


@pytest.mark.parametrize("preset", PRESETS)
@FEW
@given(one=panels(), power=some.floats(-6, 6))
def test_a_scale_scales(preset, one, power) -> None:
    size = 10.0**power
    same(answer(one, preset), answer(moved(one, size * one.outcome), preset), size=size)


@pytest.mark.parametrize("preset", PRESETS)
@FEW
@given(one=panels(), more=some.floats(-100, 100))
def test_what_is_added_after_the_start_is_found(preset, one, more) -> None:
    added = more * (np.arange(one.n_periods) >= one.first_treated[:, None])
    plain, other = answer(one, preset), answer(moved(one, one.outcome + added), preset)
    assert other.weights.tolist() == plain.weights.tolist()
    assert other.att - plain.att == pytest.approx(more, abs=NEAR)
    assert other.chance.att.tolist() == plain.chance.att.tolist()


@pytest.mark.parametrize("preset", ["synthetic_did", "did"])
@FEW
@given(one=panels(), seed=some.integers(0, 2**32 - 1))
def test_jackknife_errors_know_no_levels_and_scale(preset, one, seed) -> None:
    twice = taken(one, np.r_[np.flatnonzero(one.treated), np.arange(one.n_units)])
    twice = moved(twice, twice.outcome + np.random.default_rng(0).normal(size=twice.outcome.shape))
    plain = jackknife(twice, fitted(twice, preset)).standard_error
    levels = np.random.default_rng(seed).normal(scale=200, size=(twice.n_units, 1))
    other = moved(twice, 1e-3 * (twice.outcome + levels))
    found = jackknife(other, fitted(other, preset)).standard_error
    assert found == pytest.approx(1e-3 * plain, rel=1e-6)


@FEW
@given(one=panels(), which=some.integers(0, 13))
def test_a_twin_of_a_donor_changes_no_synthetic_control(one, which) -> None:
    donor = int(one.donors[which % len(one.donors)])
    twins = taken(one, np.append(np.arange(one.n_units), donor))
    plain, other = fitted(one, "synthetic_control"), fitted(twins, "synthetic_control")
    at = int(np.flatnonzero(one.donors == donor)[0])
    for before, after in zip(plain, other, strict=True):
        assert after.objective == pytest.approx(before.objective, abs=NEAR)
        if before.pre_rmspe > 1e-6:  # else more than one mix matches, and twins tip the scales
            assert after.gap == pytest.approx(before.gap, abs=50 * NEAR)
        assert after.unit_weights[at] == pytest.approx(after.unit_weights[-1], abs=NEAR)


@pytest.mark.parametrize("preset", ["synthetic_did", "synthetic_control"])
@FEW
@given(one=panels(treated=1))
def test_a_donor_without_weight_may_leave(preset, one) -> None:
    case = cases(one)[0][1]
    held = noise_of(case)  # which says how heavy the penalty is, whoever is in the pool
    plain = fit(replace(case, noise=held), preset)
    idle = np.flatnonzero(plain.unit_weights == 0)
    kept = plain.unit_weights > 0
    for donor in idle[:3]:
        other = fit(replace(case.without(int(donor)), noise=held), preset)
        weights = np.delete(plain.unit_weights, donor)
        assert other.unit_weights == pytest.approx(weights, abs=NEAR)
    alone = Case(target=case.target, donors=case.donors[kept], n_pre=case.n_pre, noise=held)
    assert fit(alone, preset).unit_weights == pytest.approx(plain.unit_weights[kept], abs=NEAR)
