"""Re-assignment of start dates on panels: exact, linear, and the group-time effects' own number."""

from dataclasses import replace

import numpy as np
import pytest

from trustlib.interventions.aggregation import aggregate
from trustlib.interventions.group_time import group_time
from trustlib.interventions.randomization import randomization_check, randomization_inference
from trustlib.interventions.simple_att import cell_weights, simple_att, sums, with_error
from trustlib.interventions.worlds import STAGGERED, draw, placebo_law, placebo_rollout
from trustlib.stats.randomization import all_assignments


def _gaps(panel, share=0.1):
    holes = np.random.default_rng(0).random(panel.outcome.shape) < share
    return replace(panel, outcome=np.where(holes, np.nan, panel.outcome))


def _weighted(panel):
    weight = np.random.default_rng(1).uniform(0.5, 3, (panel.n_units, 1))
    return replace(panel, weight=np.broadcast_to(weight, panel.outcome.shape))


@pytest.mark.parametrize("control", ["never", "not_yet"])
@pytest.mark.parametrize("anticipation", [0, 2])
@pytest.mark.parametrize("change", [lambda p: p, _gaps, _weighted])
def test_the_statistic_is_the_simple_average_of_group_time_effects(control, anticipation, change):
    panel = change(draw(replace(STAGGERED, clusters=60, units_per_cluster=2), seed=4).panel)
    cells = group_time(panel, control_group=control, anticipation=anticipation)
    wanted = aggregate(cells, "simple", level=0.95, draws=99, seed=0)
    made = sums(panel, control_group=control, anticipation=anticipation)
    start = np.empty(panel.n_clusters, dtype=np.int64)
    start[panel.cluster] = panel.first_treated
    point, error, influence = with_error(made, start)
    assert point == pytest.approx(wanted.overall, abs=1e-12)
    assert error == pytest.approx(wanted.overall_standard_error, rel=1e-9)
    assert influence.sum() == pytest.approx(0, abs=1e-12)
    assert simple_att(made, start[None, :])[0] == pytest.approx(point, abs=1e-12)
    weights = cell_weights(panel, made, start)
    assert np.nansum(weights * panel.outcome) == pytest.approx(point, abs=1e-12)


def test_exact_under_the_sharp_null_by_full_enumeration():
    panel = draw(replace(placebo_rollout(8, waves=2), units_per_cluster=3), seed=2).panel
    start = np.empty(8, dtype=np.int64)
    start[panel.cluster] = panel.first_treated
    ways = all_assignments(start)
    p_values = []
    for way in ways:
        found = randomization_inference(replace(panel, first_treated=way[panel.cluster]))
        assert found.enumerated
        assert found.assignments == len(ways)
        p_values.append(found.p_value)
    shares = np.arange(1, len(ways) + 1) / len(ways)
    # Two cohorts and no ties: uniform, with equality.
    assert np.sort(p_values) == pytest.approx(shares)


def test_an_added_effect_moves_point_and_interval_and_nothing_else():
    panel = draw(placebo_law(10), seed=5).panel
    plain = randomization_inference(panel)
    after = panel.first_treated[:, None] <= np.arange(panel.n_periods)
    moved = randomization_inference(replace(panel, outcome=panel.outcome + 7 * after))
    assert moved.point == pytest.approx(plain.point + 7)
    assert (moved.low, moved.high) == pytest.approx((plain.low + 7, plain.high + 7))
    assert moved.p_value <= 0.05 < plain.p_value
    scaled = randomization_inference(replace(panel, outcome=-1e5 * panel.outcome))
    assert (scaled.low, scaled.high) == pytest.approx((-1e5 * plain.high, -1e5 * plain.low))


def test_three_of_six_clusters_have_no_interval_and_say_why():
    found = randomization_inference(draw(placebo_law(6), seed=1).panel)
    assert (found.assignments, found.enumerated) == (20, True)
    assert (found.low, found.high) == (None, None)
    assert "below .10" in found.reason
    check = randomization_check(found)
    assert check.verdict == "warn"
    assert check.label == "too few assignments to tell"


def test_clusters_with_mixed_starts_are_not_re_assigned():
    panel = draw(placebo_law(10), seed=5).panel
    first = panel.first_treated.copy()
    first[0] = 3 if first[0] != 3 else 4
    found = randomization_inference(replace(panel, first_treated=first))
    assert found.p_value is None
    assert randomization_check(found).verdict == "not_run"


def test_draws_are_seeded_and_keep_the_observed_one():
    panel = draw(STAGGERED, seed=1).panel
    one = randomization_inference(panel, seed=3, draws=199)
    again = randomization_inference(panel, seed=3, draws=199)
    other = randomization_inference(panel, seed=4, draws=199)
    assert one.assignments == 200
    assert one.p_value == 1 / 200
    assert (one.statistics == again.statistics).all()
    assert (one.statistics != other.statistics).any()
    assert one.statistics[0] == pytest.approx(one.point)
    assert randomization_check(one).verdict == "pass"
