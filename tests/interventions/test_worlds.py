"""Worlds state their truth: what they add is what they say."""

from dataclasses import replace

import numpy as np
import pytest

from trustlib.interventions.panel_from_frame import panel_from_frame
from trustlib.interventions.spec import DidSpec
from trustlib.interventions.worlds import STAGGERED, draw, placebo_law, placebo_rollout


def test_the_mean_effect_of_a_cohort_is_the_stated_one():
    one = draw(replace(STAGGERED, clusters=4000), seed=1)
    for start in STAGGERED.starts:
        mine = one.effect[one.panel.first_treated == start]
        for time in (start - 1, start, 19):
            wanted = STAGGERED.effect(start, time - start)
            assert mine[:, time].mean() == pytest.approx(wanted, abs=0.05)
    assert np.mean(one.panel.never) == pytest.approx(0.4, abs=0.03)


def test_shocks_have_the_stated_spread_and_memory():
    for degrees in (0, 5):
        world = replace(placebo_law(400, rho=0.6, degrees=degrees), period_sd=0.0, unit_sd=0.0)
        mean = draw(replace(world, noise_sd=0.0), seed=1).panel.outcome - 0.1 * np.arange(20)
        assert mean.std() == pytest.approx(1, abs=0.06)
        assert np.corrcoef(mean[:, 3], mean[:, 4])[0, 1] == pytest.approx(0.6, abs=0.08)
        assert (mean[0] == mean[9]).all()  # shared by the cluster


def test_counts_are_exact_and_draws_seeded():
    panel = draw(placebo_rollout(24), seed=3).panel
    starts = panel.first_treated[::10]
    assert [int((starts == start).sum()) for start in (6, 10, 14, 20)] == [4, 4, 4, 12]
    again = draw(placebo_rollout(24), seed=3).panel
    assert (panel.outcome == again.outcome).all()
    assert (panel.outcome != draw(placebo_rollout(24), seed=4).panel.outcome).any()


def test_the_long_frame_is_the_same_panel():
    one = draw(replace(placebo_rollout(12), units_per_cluster=2), seed=3)
    panel = panel_from_frame(one.frame, DidSpec(cluster="cluster"))
    assert (panel.outcome == one.panel.outcome).all()
    assert (panel.first_treated == one.panel.first_treated).all()
    assert (panel.cluster == one.panel.cluster).all()
