"""What must not matter does not: order, labels, shifts, scale; and what must add, adds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.interventions.rollouts import ours, rollout
from trustlib.interventions import aggregate

KINDS = ("simple", "group", "dynamic", "calendar")
VARIANTS = {
    "closed form": {},
    "not yet, clusters": {"control_group": "not_yet", "cluster": "cluster", "weight": "weight"},
    "gaps": {"missing": 0.1},
    "doubly robust": {"covariates": ("x",)},
    "regression, gaps": {"missing": 0.1, "covariates": ("x",), "covariate_method": "regression"},
}
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(params=VARIANTS)
def case(request):
    how = dict(VARIANTS[request.param])
    return rollout(missing=how.pop("missing", 0.0), units=100, seed=7), how


def everything(frame, how):
    """All points and errors, cell by cell and averaged, as two vectors."""
    found = ours(frame, **how)
    families = [aggregate(found, kind, level=0.95, draws=99, seed=0) for kind in KINDS]
    points = [found.point, *(one.point for one in families), [one.overall for one in families]]
    errors = [
        found.standard_error,
        *(one.standard_error for one in families),
        [one.overall_standard_error for one in families],
    ]
    critical = [one.critical for one in families[1:]]
    return np.concatenate(points), np.concatenate(errors), critical


def same(one, other, *, scale=1.0, tolerance=1e-10):
    for left, right in zip(one[:2], other[:2], strict=True):
        np.testing.assert_allclose(right / scale, left, rtol=0, atol=tolerance)


@FEW
@given(seed=some.integers(0, 2**32 - 1))
def test_the_order_of_rows_and_columns_changes_not_one_bit(case, seed):
    frame, how = case
    rng = np.random.default_rng(seed)
    shuffled = frame.iloc[rng.permutation(len(frame))][list(rng.permutation(frame.columns))]
    one, other = everything(frame, how), everything(shuffled, how)
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    assert one[2] == other[2]


@FEW
@given(seed=some.integers(0, 2**32 - 1))
def test_labels_do_not_matter(case, seed):
    frame, how = case
    rng = np.random.default_rng(seed)
    units = frame["unit"].unique()
    unit = dict(zip(units, rng.permutation([f"unit {k}" for k in units]), strict=True))
    clusters = frame["cluster"].unique()
    cluster = dict(zip(clusters, rng.permutation(clusters) + 10**9, strict=True))
    renamed = frame.assign(unit=frame["unit"].map(unit), cluster=frame["cluster"].map(cluster))
    same(everything(frame, how), everything(renamed, how))


@FEW
@given(shift=some.integers(-10_000, 10_000), step=some.integers(1, 50))
def test_how_periods_are_numbered_does_not_matter(case, shift, step):
    frame, how = case
    start = frame["treatment_start"]
    moved = frame.assign(
        time=frame["time"] * step + shift,
        treatment_start=(start * step + shift).where(start > 0),
    )
    one, other = everything(frame, how), everything(moved, how)
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


def test_periods_may_be_dates(case):
    frame, how = case
    weeks = pd.date_range("2026-03-02", periods=7, freq="7D").as_unit("us")
    start = frame["treatment_start"]
    dates = pd.Series(weeks[start.clip(lower=1) - 1], index=frame.index).where(start > 0)
    dated = frame.assign(time=weeks[frame["time"] - 1], treatment_start=dates)
    one, other = everything(frame, how), everything(dated, how)
    np.testing.assert_array_equal(one[0], other[0])


@FEW
@given(seed=some.integers(0, 2**32 - 1), size=some.sampled_from([1e-3, 1.0, 1e4]))
def test_levels_of_units_and_of_periods_do_not_matter(case, seed, size):
    frame, how = case
    rng = np.random.default_rng(seed)
    unit, period = size * rng.normal(size=100), size * rng.normal(size=8)
    moved = frame.assign(outcome=frame["outcome"] + unit[frame["unit"]] + period[frame["time"]])
    same(everything(frame, how), everything(moved, how), tolerance=1e-11 * max(size, 10))


@FEW
@given(power=some.integers(-6, 6), sign=some.sampled_from([-1.0, 1.0]))
def test_the_scale_of_the_outcome_scales_effects_and_errors(case, power, sign):
    frame, how = case
    scale = sign * 10.0**power
    scaled = frame.assign(outcome=frame["outcome"] * scale)
    one, other = everything(frame, how), everything(scaled, how)
    np.testing.assert_allclose(other[0] / scale, one[0], rtol=0, atol=1e-11)
    np.testing.assert_allclose(other[1] / abs(scale), one[1], rtol=0, atol=1e-11)
    assert other[2] == pytest.approx(one[2], rel=1e-9)


@FEW
@given(scale=some.sampled_from([1e-6, 1e-3, 1e3, 1e6]), shift=some.sampled_from([0.0, 1e3, -50.0]))
def test_the_scale_of_weights_and_covariates_does_not_matter(case, scale, shift):
    frame, how = case
    scaled = frame.assign(weight=frame["weight"] * scale, x=(frame["x"] + shift) * scale)
    same(everything(frame, how), everything(scaled, how), tolerance=1e-8)


@FEW
@given(added=some.floats(-100, 100).filter(lambda value: abs(value) > 1e-3))
def test_what_is_added_to_treated_cells_is_what_every_effect_rises_by(case, added):
    frame, how = case
    start = frame["treatment_start"]
    after = (start > 0) & (frame["time"] >= start)
    raised = frame.assign(outcome=frame["outcome"] + added * after)
    one, other = ours(frame, **how), ours(raised, **how)
    later = one.event_time >= 0
    np.testing.assert_allclose((other.point - one.point)[later], added, atol=1e-10)
    np.testing.assert_allclose((other.point - one.point)[~later], 0, atol=1e-10)
    np.testing.assert_allclose(other.standard_error, one.standard_error, atol=1e-10)
    for kind in KINDS:
        before, now = (aggregate(x, kind, level=0.9, draws=99, seed=0) for x in (one, other))
        assert now.overall - before.overall == pytest.approx(added, abs=1e-10)
        assert now.overall_standard_error == pytest.approx(before.overall_standard_error, abs=1e-9)


@FEW
@given(copies=some.integers(2, 4))
def test_a_weight_of_k_is_k_copies_of_a_unit_in_one_cluster(case, copies):
    frame, how = case
    how = {"control_group": how.get("control_group", "never"), "cluster": "origin"}
    twice = frame["unit"] % 3 == 0
    weighted = frame.assign(weight=np.where(twice, float(copies), 1.0), origin=frame["unit"])
    more = [frame[twice].assign(unit=frame["unit"] + 1000 * k) for k in range(1, copies)]
    copied = pd.concat([frame, *more]).assign(origin=lambda f: f["unit"] % 1000)
    same(everything(weighted, how | {"weight": "weight"}), everything(copied, how), tolerance=1e-10)


def test_the_frame_is_not_changed(case):
    frame, how = case
    kept = frame.copy(deep=True)
    everything(frame, how)
    pd.testing.assert_frame_equal(frame, kept)
