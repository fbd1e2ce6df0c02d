"""What a report gets: both analyses at a few bounds, the breakdown values, the check, reasons."""

import time

import numpy as np
import pytest

from trustlib.core import Refusal
from trustlib.interventions.effects import Effects
from trustlib.interventions.honest import (
    breakdown,
    original,
    relative_magnitudes,
    sensitivity,
    sensitivity_check,
    sensitivity_of,
    smoothness,
    survival,
)


def event_study(*, before, after, error=0.05, n_shared=0.5):
    """Coefficients with equal errors that share the reference period's."""
    point = np.array([*before, *after], dtype=float)
    covariance = error**2 * (
        (1 - n_shared) * np.eye(len(point)) + n_shared * np.ones((len(point), len(point)))
    )
    n_post = len(after)
    return {
        "point": point,
        "covariance": covariance,
        "n_pre": len(before),
        "target": np.full(n_post, 1 / n_post),
    }


STEADY = event_study(before=[0.02, -0.03, 0.01], after=[0.9, 1.0])
WORRYING = event_study(before=[-0.6, -0.1, 0.5], after=[0.3, 0.5])
NOISY = event_study(before=[0.02, -0.03, 0.05], after=[0.3, 0.3, 0.3, 0.3, 0.3, 0.3], error=0.1)
NOTHING = event_study(before=[0.02, -0.03, 0.01], after=[0.01, -0.02])


def test_frame_starts_each_kind_with_the_original():
    found = sensitivity(**STEADY)
    frame = found.frame()
    assert list(frame.columns) == ["kind", "bound", "low", "high", "contains_zero"]
    plain = original(**STEADY)
    for kind, first_bounds in (
        ("relative_magnitudes", [0.0, 0.25, 0.5, 1.0, 1.5, 2.0]),
        ("smoothness", [np.nan, 0.0, *(found.bend * np.array([0.25, 0.5, 1.0, 1.5, 2.0]))]),
    ):
        rows = frame[frame["kind"] == kind]
        assert rows["bound"].to_numpy()[:6] == pytest.approx(first_bounds[:6], nan_ok=True)
        assert rows["low"].iloc[0] == plain.low
        assert rows["high"].iloc[0] == plain.high
        assert (rows["contains_zero"] == ((rows["low"] <= 0) & (rows["high"] >= 0))).all()
    assert found.bend == pytest.approx(0.09)  # 0.01 − 2·(−0.03) + 0.02
    assert found.bend_name == "the largest bend before treatment"


def test_rows_are_those_of_the_two_methods():
    found = sensitivity(**WORRYING, level=0.9)
    shown = [interval.bound for interval in found.relative_magnitudes]
    assert list(found.relative_magnitudes) == relative_magnitudes(
        **WORRYING, bounds=shown, level=0.9
    )
    shown = [interval.bound for interval in found.smoothness]
    assert list(found.smoothness) == smoothness(**WORRYING, bounds=shown, level=0.9)
    for kind in ("relative_magnitudes", "smoothness"):
        assert getattr(found, f"breakdown_{kind}") == breakdown(**WORRYING, kind=kind, level=0.9)


@pytest.mark.parametrize("study", [STEADY, WORRYING, NOISY])
def test_rows_reach_beyond_the_breakdown_and_agree_with_it(study):
    found = sensitivity(**study)
    for at_most, intervals in (
        (found.breakdown_relative_magnitudes, found.relative_magnitudes),
        (found.breakdown_smoothness, found.smoothness),
    ):
        assert any(interval.contains_zero for interval in intervals)
        for interval in intervals:
            assert interval.contains_zero == (at_most is None or interval.bound > at_most)


def test_further_bounds_are_shown_only_as_far_as_the_breakdown():
    found = sensitivity(**STEADY)
    assert 3 < found.breakdown_relative_magnitudes < 20
    shown = [interval.bound for interval in found.relative_magnitudes]
    further = [bound for bound in (3.0, 5.0, 10.0, 20.0) if bound <= shown[-1]]
    assert shown == [0.25, 0.5, 1.0, 1.5, 2.0, *further]
    assert shown[-2] < found.breakdown_relative_magnitudes <= shown[-1]
    shown = [interval.bound for interval in sensitivity(**NOTHING).relative_magnitudes]
    assert shown == [0.25, 0.5, 1.0, 1.5, 2.0]


def test_negative_effect_has_the_same_breakdown():
    flipped = STEADY | {"point": -STEADY["point"]}
    for kind in ("relative_magnitudes", "smoothness"):
        assert breakdown(**flipped, kind=kind) == pytest.approx(
            breakdown(**STEADY, kind=kind), rel=1e-9
        )


def test_no_breakdown_where_zero_is_in_already():
    assert breakdown(**NOTHING, kind="relative_magnitudes") is None
    found = sensitivity(**NOTHING)
    assert found.breakdown_smoothness is None
    assert "even if trends are parallel" in found.why_no_breakdown("relative_magnitudes")
    assert "straight-line" in found.why_no_breakdown("smoothness")
    assert sensitivity(**STEADY).why_no_breakdown("smoothness") is None


def test_no_violation_before_and_hardly_any_error_is_beyond_the_largest_bound():
    exact = event_study(before=[0.0, 0.0], after=[1.0], error=1e-6)
    assert breakdown(**exact, kind="relative_magnitudes") == float("inf")
    assert "more than 100 times" in survival(sensitivity(**exact))


def test_check_passes_where_the_worst_before_changes_nothing():
    check = sensitivity_check(sensitivity(**STEADY))
    assert check.verdict == "pass"
    times = breakdown(**STEADY, kind="relative_magnitudes")
    said = float(check.text.split("up to ")[1].split(" times")[0])
    assert said <= times < said * 1.1


def test_check_fails_where_less_than_was_seen_overturns():
    found = sensitivity(**WORRYING)
    assert found.breakdown_relative_magnitudes < 0.5
    assert found.worst_change == pytest.approx(0.6)
    assert found.worst_change_p_value < 1e-6
    check = sensitivity_check(found)
    assert check.verdict == "fail"
    assert "lost once parallel trends is violated by more than" in check.text


def test_check_only_warns_where_the_benchmark_is_noise():
    found = sensitivity(**NOISY)
    assert found.breakdown_relative_magnitudes < 0.5
    # The largest change, 0.08 with errors of 0.1 that share half: p = .42 each, three of them.
    assert found.worst_change_p_value == 1.0
    check = sensitivity_check(found)
    assert check.verdict == "warn"
    assert "how precisely trends are measured" in check.text


def test_check_is_not_run_without_an_effect():
    check = sensitivity_check(sensitivity(**NOTHING))
    assert check.verdict == "not_run"
    assert "no conclusion that a violation could overturn" in check.text
    assert survival(sensitivity(**NOTHING)) == ""


def test_one_period_before_is_enough_and_bends_are_in_standard_errors():
    study = event_study(before=[0.02], after=[0.9])
    found = sensitivity(**study)
    assert found.reason is None
    assert found.bend == pytest.approx(0.05)
    assert found.bend_name == "the standard error of the effect"
    assert found.breakdown_smoothness > 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"point": np.array([0.1, np.nan, 0.1, 1.0, 1.0])}, "1 of 5 coefficients"),
        ({"covariance": np.full((5, 5), np.nan)}, "covariance of the event study is not"),
        ({"covariance": np.diag([1.0, 0.0, 1.0, 1.0, 1.0])}, "1 of 5 coefficients have no"),
        ({"covariance": np.ones((5, 5))}, "rank 1 only: there are too few clusters"),
        ({"n_pre": 0, "target": np.full(5, 0.2)}, "no period before treatment"),
    ],
)
def test_reason_instead_of_a_number(change, reason):
    study = STEADY | change
    found = sensitivity(**study)
    assert reason in found.reason
    assert found.frame().empty
    assert found.why_no_breakdown("smoothness") == found.reason
    check = sensitivity_check(found)
    assert check.verdict == "not_run"
    assert reason in check.text
    with pytest.raises(Refusal, match=reason):
        relative_magnitudes(**study, bounds=[1.0])
    with pytest.raises(Refusal, match=reason):
        smoothness(**study, bounds=[0.0])


def test_covariance_of_few_clusters_is_a_reason():
    rng = np.random.default_rng(0)
    influence = rng.normal(size=(4, 5))
    influence -= influence.mean(axis=0)
    found = sensitivity(**(STEADY | {"covariance": influence.T @ influence / 16}))
    assert "rank 3" in found.reason


@pytest.mark.parametrize(
    "change",
    [
        {"target": np.zeros(2)},
        {"target": np.ones(3)},
        {"covariance": np.eye(4)},
        {"n_pre": 5},
    ],
)
def test_shapes_that_do_not_fit_are_the_callers_mistake(change):
    with pytest.raises(ValueError, match=r"fit|target"):
        sensitivity(**(STEADY | change))


@pytest.mark.parametrize("bound", [-0.1, np.inf, np.nan])
def test_bound_is_finite_and_not_negative(bound):
    for method in (relative_magnitudes, smoothness):
        with pytest.raises(ValueError, match="bounds"):
            method(**STEADY, bounds=[bound])


def effects(point, keys, *, weights, error=0.05):
    point = np.array(point, dtype=float)
    variance = np.where(np.array(keys) == -1, 0.0, error**2)
    return Effects(
        kind="dynamic",
        keys=np.array(keys),
        point=point,
        standard_error=np.sqrt(variance),
        covariance=np.diag(variance),
        units=np.ones(len(keys), dtype=int),
        overall=0.0,
        overall_standard_error=0.0,
        overall_weights=np.array(weights, dtype=float),
    )


def test_event_study_of_a_panel():
    family = effects(
        [0.02, -0.03, 0.0, 0.9, 1.0], [-3, -2, -1, 0, 1], weights=[0, 0, 0, 0.25, 0.75]
    )
    found = sensitivity_of(family)
    by_hand = sensitivity(
        [0.02, -0.03, 0.9, 1.0], 0.05**2 * np.eye(4), n_pre=2, target=[0.25, 0.75]
    )
    assert found == by_hand
    first = sensitivity_of(family, target=[1.0, 0.0])
    assert first.original.low == pytest.approx(0.9 - 1.959964 * 0.05, rel=1e-5)


def test_event_times_that_are_not_estimable_are_left_out_or_the_reason():
    point = [0.5, np.nan, 0.02, 0.0, 0.9, 1.0, np.nan]
    keys = [-4, -3, -2, -1, 0, 1, 2]
    found = sensitivity_of(effects(point, keys, weights=[0, 0, 0, 0, 0.5, 0.5, 0]))
    assert found.left_out == (-4, -3, 2)
    assert found.worst_change == pytest.approx(0.02)  # not the one beyond the gap
    needed = sensitivity_of(effects(point, keys, weights=[0, 0, 0, 0, 0.4, 0.4, 0.2]))
    assert "not estimable" in needed.reason


def test_anticipation_moves_the_reference():
    family = effects([0.02, 0.0, 0.1, 0.9], [-3, -2, -1, 0], weights=[0, 0, 0, 1.0], error=0.05)
    family.covariance[:] = np.diag([0.05**2, 0, 0.05**2, 0.05**2])
    found = sensitivity_of(family, reference=-2)
    assert found.left_out == ()
    by_hand = sensitivity([0.02, 0.1, 0.9], 0.05**2 * np.eye(3), n_pre=1, target=[0.0, 1.0])
    assert found == by_hand


def test_nothing_is_changed_and_nothing_is_drawn():
    point, covariance = STEADY["point"].copy(), STEADY["covariance"].copy()
    state = np.random.get_state()[1].copy()
    first, second = sensitivity(**STEADY), sensitivity(**STEADY)
    assert first == second
    assert (STEADY["point"] == point).all()
    assert (STEADY["covariance"] == covariance).all()
    assert (np.random.get_state()[1] == state).all()


def test_sixteen_coefficients_take_well_under_six_seconds():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(16, 60))
    point = np.append(rng.normal(size=8) * 0.01, 0.3 + rng.normal(size=8) * 0.01)
    started = time.process_time()
    found = sensitivity(point, root @ root.T / 60 * 1e-4, n_pre=8, target=np.full(8, 1 / 8))
    assert time.process_time() - started < 3
    assert found.breakdown_relative_magnitudes > 0.5
