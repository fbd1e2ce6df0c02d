"""Sun and Abraham's estimator: fixest's published run, and what it is by definition."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.interventions.rollouts import rollout
from trustlib.core import Refusal
from trustlib.interventions import DidSpec, group_time, panel_from_frame
from trustlib.interventions.sun_abraham import sun_abraham
from trustlib.interventions.two_way import two_way, two_way_event_study

REAL = Path(__file__).parents[3] / "shared" / "realdata"


def panel(frame=None, **options):
    return panel_from_frame(rollout() if frame is None else frame, DidSpec(**options))


@pytest.mark.skipif(
    not (REAL / "base_stagg.csv").exists(),
    reason="../shared/realdata/base_stagg.csv is not part of the project",
)
def test_base_stagg():
    frame = pd.read_csv(REAL / "base_stagg.csv").replace({"year_treated": {10000.0: np.nan}})
    spec = DidSpec(
        unit="id", time="year", outcome="y", treatment_start="year_treated", covariates=("x1",)
    )
    _, simple = sun_abraham(panel_from_frame(frame, spec))
    assert simple.overall == pytest.approx(-1.1337494, abs=6e-8)  # as printed
    assert simple.overall_standard_error == pytest.approx(0.2050705, abs=6e-8)
    assert simple.degrees == 94


def test_balanced_it_is_group_time_effects_with_the_last_period_before_as_base():
    made = panel()
    found, simple = sun_abraham(made)
    cells = group_time(made, control_group="never", base_period="universal")
    size = np.bincount(made.first_treated)[cells.group]
    for key, point in zip(found.keys, found.point, strict=True):
        at = cells.event_time == key
        expected = 0 if key == -1 else np.average(cells.point[at], weights=size[at])
        assert point == pytest.approx(expected, abs=1e-10)
    after = cells.event_time >= 0
    assert simple.overall == pytest.approx(np.average(cells.point[after], weights=size[after]))


def test_one_date_is_the_two_way_event_study():
    made = panel(rollout(groups=(4,)), cluster="cluster")
    found, simple = sun_abraham(made)
    event_study = two_way_event_study(made)
    np.testing.assert_allclose(found.point, event_study.point, atol=1e-11)
    np.testing.assert_allclose(found.covariance, event_study.covariance, rtol=1e-9, atol=1e-14)
    assert simple.overall == pytest.approx(event_study.overall)
    assert simple.overall_standard_error == pytest.approx(event_study.overall_standard_error)


def test_the_simple_effect_is_the_mean_of_the_family():
    found, simple = sun_abraham(panel(rollout(missing=0.1), weight="weight"))
    assert simple.overall == pytest.approx(found.overall)
    assert simple.overall_standard_error == pytest.approx(found.overall_standard_error)
    assert simple.overall_influence == pytest.approx(found.overall_influence)


def test_heterogeneous_growing_effects_are_recovered_where_two_way_is_wrong():
    frame = rollout(units=4000, groups=(2, 3, 5, 6), never=0.2, seed=6)
    since = (frame["time"] - frame["treatment_start"] + 1).clip(lower=0)
    treated = (frame["treatment_start"] > 0) & (since > 0)
    own = np.where(treated, since * (8 - frame["treatment_start"]), 0.0)
    frame["outcome"] = np.random.default_rng(7).normal(size=len(frame)) + own
    truth = own[treated].mean()
    _, simple = sun_abraham(panel(frame))
    assert abs(simple.overall - truth) < 4 * simple.overall_standard_error
    assert two_way(panel(frame)).overall < 0.7 * truth


def test_without_never_treated_the_last_cohort_is_compared_with_until_it_starts():
    frame = rollout(never=0.0, seed=2)
    made = panel(frame)
    found, simple = sun_abraham(made)
    early = frame[frame["time"] < 6].copy()
    early.loc[early["treatment_start"] == 6, "treatment_start"] = 0
    by_hand, simple_by_hand = sun_abraham(panel(early))
    np.testing.assert_array_equal(found.keys, by_hand.keys)
    np.testing.assert_allclose(found.point, by_hand.point, atol=1e-11)
    np.testing.assert_allclose(found.standard_error, by_hand.standard_error, rtol=1e-9)
    assert simple.overall == pytest.approx(simple_by_hand.overall)
    assert "starts last" in simple.notes[-1]
    assert found.influence.shape == (made.n_units, len(found.keys))


def test_a_cohort_without_its_reference_period_makes_nan_with_a_reason():
    frame = rollout()
    gap = frame[~((frame["treatment_start"] == 4) & (frame["time"] <= 3))]
    found, simple = sun_abraham(panel(gap))
    rests_on_it = np.isin(found.keys, [0, 1, 2, 3])
    assert np.isnan(found.point[rests_on_it]).all()
    assert np.isfinite(found.point[~rests_on_it]).all()
    assert np.isnan(simple.overall)
    assert np.isnan(simple.overall_standard_error)
    assert "0, 1, 2, 3 not estimable" in simple.notes[-1]


def test_nothing_to_compare_with_is_refused():
    made = panel()
    everyone = replace(made, first_treated=np.full(made.n_units, 3))
    nobody = replace(made, first_treated=np.full(made.n_units, made.n_periods))
    with pytest.raises(Refusal, match="nothing to compare"):
        sun_abraham(everyone)
    with pytest.raises(Refusal, match="nobody is treated"):
        sun_abraham(nobody)
