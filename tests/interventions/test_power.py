"""Power before launch: the curve from one set of draws, and that what it promises is found."""

from dataclasses import replace

import numpy as np
import pytest

from trustlib.core import NoData, Refusal
from trustlib.interventions import placebo_rollouts
from trustlib.interventions.margin import MANY
from trustlib.interventions.placebo_rollouts import Plan, placebos
from trustlib.interventions.power import PowerSpec, power, smallest_detectable
from trustlib.interventions.worlds import draw, placebo_rollout

QUIET = replace(
    placebo_rollout(40), periods=36, counts=(0, 0, 0), units_per_cluster=1, cluster_sd=0.0
)
SPEC = PowerSpec(planned_units=(6, 6), periods_before=5, periods_after=4, draws=300)


@pytest.fixture(scope="module")
def history():
    panel = draw(QUIET, seed=1).panel
    return replace(panel, outcome=panel.outcome + 20)


@pytest.fixture(scope="module")
def result(history):
    return power(history, replace(SPEC, effects=(-1.0, 0.5)))


@pytest.mark.parametrize("waves", [(6, 6), (2, 2)])
def test_an_injected_effect_is_found_exactly_where_the_placebo_says(history, monkeypatch, waves):
    plan = Plan(clusters=waves, before=20, gap=6, after=10)  # the whole history: one window
    plain = placebos(history, plan, draws=12, level=0.9, seed=3)
    assert plain.windows == 1
    effect = 0.9
    real = placebo_rollouts.sums

    def injected(panel, **options):
        # Each draw is made again with the effect in the outcome of the clusters it treats.
        return lambda start: real(
            replace(panel, outcome=panel.outcome + effect * (start[:, None] <= np.arange(36))),
            **options,
        )

    for name in ("_by_error", "_by_assignment"):
        old = getattr(placebo_rollouts, name)
        monkeypatch.setattr(
            placebo_rollouts,
            name,
            lambda made, start, *rest, old=old: old(made(start), start, *rest),
        )
    monkeypatch.setattr(placebo_rollouts, "sums", injected)
    moved = placebos(history, plan, draws=12, level=0.9, seed=3)
    assert moved.point == pytest.approx(plain.point + effect)
    assert ((moved.low > 0) | (moved.high < 0)).tolist() == plain.found(effect)[:12].tolist()


def test_the_promised_power_is_kept_on_other_panels(result):
    effect = result.estimates["smallest_detectable_effect"].point
    others = [
        placebos(draw(QUIET, seed=seed).panel, result.plan, draws=100, level=0.95, seed=seed)
        for seed in range(10, 16)
    ]
    assert np.mean([other.found(effect).mean() for other in others]) == pytest.approx(0.8, abs=0.1)
    assert np.mean([other.found(0.0).mean() for other in others]) < 0.09


def test_the_curve_rises_from_the_size_to_one(result):
    curve = result.power_curve
    assert curve["power"].iloc[0] == result.estimates["false_alarm_rate"].point
    assert (np.diff(curve["power"]) >= -0.02).all()
    assert curve["power"].iloc[-1] > 0.99
    assert ((curve["low"] <= curve["power"]) & (curve["power"] <= curve["high"])).all()
    at = np.interp(result.estimates["smallest_detectable_effect"].point, curve.effect, curve.power)
    assert at == pytest.approx(0.8, abs=0.03)
    assert curve.loc[curve["asked"], "effect"].tolist() == [0.5, 1.0]
    # Direction does not matter to a two-sided test.
    assert result.estimates["power_at_-1"].point > result.estimates["power_at_0.5"].point


def test_relative_effects_refer_to_the_level(history, result):
    relative = power(history, replace(SPEC, effects=(-0.05,), effect_scale="relative"))
    assert relative.baseline == pytest.approx(np.mean(history.outcome))
    direct = power(history, replace(SPEC, effects=(0.05 * relative.baseline,)))
    assert relative.estimates["power_at_-0.05"].point == list(direct.estimates.values())[2].point
    share = relative.estimates["smallest_detectable_relative_effect"].point
    assert share == pytest.approx(
        relative.estimates["smallest_detectable_effect"].point / relative.baseline
    )
    with pytest.raises(Refusal, match="positive level"):
        power(replace(history, outcome=history.outcome - 40),
              replace(SPEC, effects=(0.1,), effect_scale="relative"))  # fmt: skip


def test_scaling_scales_and_seeds_repeat(history, result):
    tenfold = power(replace(history, outcome=10 * history.outcome), SPEC)
    again = power(history, SPEC)
    name = "smallest_detectable_effect"
    assert tenfold.estimates[name].point == pytest.approx(10 * again.estimates[name].point)
    assert again.estimates[name] == result.estimates[name]
    assert power(history, replace(SPEC, seed=1)).estimates[name] != result.estimates[name]


def test_other_plans_point_the_right_way(result):
    ratio = result.alternatives.set_index("change")["ratio"]
    assert ratio["half as many treated"] > 1.1


def test_three_of_six_can_show_nothing(history):
    six = draw(replace(QUIET, clusters=6), seed=1).panel
    found = power(six, PowerSpec(planned_units=(3,), periods_before=5, periods_after=4))
    checks = {check.name: check for check in found.checks}
    assert checks["few_clusters"].verdict == "fail"
    assert found.estimates["smallest_detectable_effect"].point is None
    assert found.verdict == "not detectable"
    assert found.by_assignment


def test_what_was_treated_already_is_no_history(history):
    first = history.first_treated.copy()
    first[:10] = 12
    outcome = history.outcome.copy()
    outcome[:10, 12:] += 1000
    found = power(replace(history, first_treated=first, outcome=outcome), SPEC)
    assert found.baseline < 30
    assert np.abs(found.draws["point"]).max() < 10


def test_plans_that_do_not_fit_are_refused(history):
    for change, words in (
        ({"planned_units": (50,)}, "40 that are not"),
        ({"planned_units": (39,)}, "fewer than two clusters"),
        ({"periods_after": 40}, "the history has"),
    ):
        with pytest.raises(Refusal, match=words):
            power(history, replace(SPEC, **change))
    with pytest.raises(Refusal):
        replace(SPEC, planned_units=())
    with pytest.raises(NoData):
        power(replace(history, outcome=np.full(history.outcome.shape, np.nan)), SPEC)


def test_the_normal_formula():
    # (1.959964 + 0.841621) × the error: the textbook's 2.8.
    assert smallest_detectable(1.0) == pytest.approx(2.801585, abs=1e-6)


def test_a_large_plan_agrees_with_the_formula():
    panel = draw(replace(QUIET, clusters=200, rho=0.0), seed=1).panel
    found = power(panel, PowerSpec(planned_units=(60,), periods_before=5, periods_after=4))
    # One base period, four periods after: the variance of a mean of four less one.
    error = np.sqrt((1 / 4 + 1) * (1 / 60 + 1 / 140))
    assert min(found.plan.clusters) >= MANY
    assert found.estimates["smallest_detectable_effect"].point == pytest.approx(
        smallest_detectable(error), rel=0.08
    )
