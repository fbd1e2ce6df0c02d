"""Placebo in time, leave-one-out, displacement, the outcome's own error."""

from dataclasses import replace

import numpy as np
import pytest

from trustlib.interventions.aggregation import aggregate
from trustlib.interventions.displacement import displacement
from trustlib.interventions.group_time import group_time
from trustlib.interventions.leave_one_out import leave_one_out, leave_one_out_check
from trustlib.interventions.measurement import measurement_error, measurement_error_check
from trustlib.interventions.placebo_in_time import placebo_in_time, placebo_in_time_check
from trustlib.interventions.spec import DidSpec
from trustlib.interventions.subset import subset
from trustlib.interventions.two_way import two_way
from trustlib.interventions.two_way_wild import two_way_wild
from trustlib.interventions.worlds import STAGGERED, draw, placebo_law

SPEC = DidSpec()
SMALL = replace(STAGGERED, clusters=50, shares=(0.2, 0.2, 0.2, 0.1))


@pytest.fixture(scope="module")
def panel():
    return draw(SMALL, seed=3).panel


def _simple(panel, **options):
    cells = group_time(panel, control_group="never", **options)
    return aggregate(cells, "simple", level=0.95, draws=99, seed=0)


def test_a_placebo_is_the_estimate_of_a_panel_cut_before_treatment(panel):
    found = placebo_in_time(panel, SPEC).set_index("shift")
    one_cohort = subset(panel, panel.never | (panel.first_treated == 9))
    row = placebo_in_time(one_cohort, SPEC).set_index("shift").loc[3]
    cut = replace(
        one_cohort,
        outcome=one_cohort.outcome[:, :9],
        weight=one_cohort.weight[:, :9],
        covariates=one_cohort.covariates[:, :9],
        period_names=one_cohort.period_names[:9],
        first_treated=np.where(one_cohort.never, 9, 6),
    )
    wanted = _simple(cut)
    assert row["point"] == pytest.approx(wanted.overall, abs=1e-12)
    assert row["standard_error"] == pytest.approx(wanted.overall_standard_error, rel=1e-9)
    assert found.index.tolist() == list(range(1, 9))
    assert found["units"].iloc[-1] < found["units"].iloc[0]  # early cohorts lack the room


def test_placebos_see_nothing_after_the_start_and_something_before(panel):
    plain = placebo_in_time(panel, SPEC)
    since = np.arange(panel.n_periods) - panel.first_treated[:, None]
    treated = ~panel.never[:, None]
    later = replace(panel, outcome=panel.outcome + 50 * (treated & (since >= 0)))
    assert placebo_in_time(later, SPEC)["point"].to_numpy() == pytest.approx(plain["point"])
    early = replace(panel, outcome=panel.outcome + 5 * (treated & (since >= -2)))
    found = placebo_in_time(early, SPEC).set_index("shift")
    assert found.loc[2, "point"] - plain["point"][1] == pytest.approx(5)
    check = placebo_in_time_check(found.reset_index(), SPEC, effect=2.0)
    assert (check.verdict, check.label) == ("fail", "an effect before the start")
    # Announced and waited for, it is anticipation and no placebo.
    waited = placebo_in_time(early, replace(SPEC, anticipation=2))
    assert waited["p_value"].min() > 0.01


def test_no_room_for_a_placebo_is_said(panel):
    late = replace(panel, first_treated=np.where(panel.never, panel.n_periods, 1))
    found = placebo_in_time(late, SPEC)
    assert found.empty
    assert placebo_in_time_check(found, SPEC, effect=1.0).verdict == "not_run"


def test_leaving_out_is_estimating_the_rest(panel):
    found = leave_one_out(panel, SPEC)
    assert (found["kind"] == "cohort").sum() == 4
    assert (found["kind"] == "cluster").sum() == 50
    cohort = found[found["left_out"] == "9"].iloc[0]
    wanted = _simple(subset(panel, panel.first_treated != 9))
    assert cohort["point"] == pytest.approx(wanted.overall, abs=1e-12)
    assert cohort["standard_error"] == pytest.approx(wanted.overall_standard_error, rel=1e-9)
    cluster = found[found["kind"] == "cluster"].iloc[7]
    assert cluster["point"] == pytest.approx(_simple(subset(panel, panel.cluster != 7)).overall)


def test_leave_one_out_with_covariates_takes_the_same_road(panel):
    rng = np.random.default_rng(0)
    own = np.repeat(rng.standard_normal((50, 1, 1)), 20, axis=1)
    with_x = replace(panel, covariates=own, covariate_names=("x",))
    row = leave_one_out(with_x, replace(SPEC, covariates=("x",))).iloc[0]
    rest = subset(with_x, with_x.first_treated != 5)
    assert row["point"] == pytest.approx(_simple(rest).overall, abs=1e-12)


def test_one_decisive_cluster_is_found(panel):
    outlier = int(np.flatnonzero(panel.first_treated == 5)[0])
    outcome = panel.outcome.copy()
    outcome[outlier, 5:] -= 200
    moved = replace(panel, outcome=outcome)
    found = leave_one_out(moved, SPEC)
    effect = _simple(moved).overall
    # Leaving it out turns the sign; its cluster is the row that moves most.
    clusters = found[found["kind"] == "cluster"].reset_index(drop=True)
    assert (clusters["point"] - effect).abs().idxmax() == outlier
    assert leave_one_out_check(found, SPEC, effect=effect).verdict in ("fail", "warn")
    even = replace(SMALL, sizes=(1.0,) * 4, growth=0.0, spread=0.0, noise_sd=0.3)
    calm = draw(even, seed=3).panel
    check = leave_one_out_check(leave_one_out(calm, SPEC), SPEC, effect=_simple(calm).overall)
    assert check.verdict == "pass"


def _with_neighbours(panel, moved):
    near = panel.never & (np.cumsum(panel.never) % 2 == 0)
    first = panel.groups.min()
    after = near[:, None] & (np.arange(panel.n_periods) >= first)
    return replace(panel, outcome=panel.outcome + moved * after, neighbour=near)


def test_displacement_is_the_neighbours_own_difference():
    panel = draw(replace(STAGGERED, clusters=200), seed=3).panel
    quiet, calm = displacement(_with_neighbours(panel, 0.0), SPEC)
    moved, check = displacement(_with_neighbours(panel, -1.5), SPEC)
    assert (calm.name, calm.verdict) == ("displacement", "pass")
    assert check.verdict == "warn"
    assert check.label == "neighbours moved the other way"
    assert moved["point"][0] - quiet["point"][0] == pytest.approx(-1.5)
    # The comparison without neighbours does not see them.
    assert moved["point"][2] == pytest.approx(quiet["point"][2])
    # Cohorts after the first are measured from a period in which neighbours had moved already.
    assert moved["point"][1] > quiet["point"][1] + 0.1
    assert moved["units"][0] + moved["controls"][0] == panel.never.sum()


def test_displacement_needs_neighbours(panel):
    frame, check = displacement(panel, SPEC)
    assert frame is None
    assert check.verdict == "not_run"
    alone = replace(panel, neighbour=panel.never & (np.cumsum(panel.never) == 1))
    assert "two of each" in displacement(alone, SPEC)[1].text


def test_measurement_error_is_what_simulated_noise_does(panel):
    noisy = replace(panel, standard_error=np.full(panel.outcome.shape, 0.3))
    found = measurement_error(noisy, SPEC)
    rng = np.random.default_rng(1)
    shaken = [
        _simple(
            replace(panel, outcome=panel.outcome + 0.3 * rng.standard_normal(panel.outcome.shape))
        ).overall
        for _ in range(300)
    ]
    assert found.measured == pytest.approx(np.std(shaken), rel=0.12)
    assert found.share == pytest.approx((found.measured / found.standard_error) ** 2)
    assert found.standard_error == pytest.approx(_simple(panel).overall_standard_error)
    assert measurement_error_check(found).verdict == "pass"
    large = measurement_error(replace(noisy, standard_error=4 * noisy.standard_error), SPEC)
    assert large.measured == pytest.approx(4 * found.measured)
    assert measurement_error_check(large).verdict == "warn"
    assert measurement_error_check(measurement_error(panel, SPEC)).verdict == "not_run"


def test_cells_without_a_stated_error_count_as_average(panel):
    errors = np.full(panel.outcome.shape, 0.3)
    whole = measurement_error(replace(panel, standard_error=errors), SPEC)
    errors[np.random.default_rng(0).random(errors.shape) < 0.2] = np.nan
    part = measurement_error(replace(panel, standard_error=errors), SPEC)
    assert part.known < 1
    assert part.measured == pytest.approx(whole.measured)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_the_wild_bootstrap_is_of_the_two_way_coefficient(share):
    panel = draw(placebo_law(10), seed=6).panel
    holes = np.random.default_rng(0).random(panel.outcome.shape) < share
    weight = np.random.default_rng(1).uniform(1, 2, panel.outcome.shape)
    panel = replace(panel, outcome=np.where(holes, np.nan, panel.outcome), weight=weight)
    wild = two_way_wild(panel)
    assert wild.point == pytest.approx(two_way(panel).overall, abs=1e-10)
    assert wild.clusters == 10
    assert wild.low < wild.point < wild.high
    assert (wild.p_value <= 0.05) == (not wild.low <= 0 <= wild.high)
