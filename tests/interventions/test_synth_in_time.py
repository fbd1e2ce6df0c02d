"""Placebos in time, and leaving out each donor."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.interventions.markets import case, panel, paths
from trustlib.interventions.synth.cohorts import cases, combined
from trustlib.interventions.synth.fit import fit
from trustlib.interventions.synth.in_time import in_time, in_time_check
from trustlib.interventions.synth.leave_one_out import leave_one_out, leave_one_out_check
from trustlib.interventions.synth.placebos_in_space import in_space
from trustlib.interventions.synth.spread import spread


def test_a_pretended_start_is_the_study_of_a_shorter_panel():
    outcome = paths()
    found = in_time(panel(outcome), "synthetic_did")
    assert found["start"].tolist() == ["2020", "2027", "2030"]
    assert found[["pre", "post"]].to_numpy().tolist() == [[20, 20], [27, 13], [30, 10]]
    short = case(outcome[:, :40], start=27)
    alone = fit(short, "synthetic_did")
    chance = in_space([(27, short)], [alone])
    row = found.iloc[1]
    assert row["point"] == pytest.approx(alone.att, abs=1e-12)
    assert row["standard_error"] == pytest.approx(chance.standard_error, rel=1e-9)
    assert row["p_value"] == chance.p_value
    assert row["high"] - row["point"] == pytest.approx(row["point"] - row["low"])


@pytest.mark.parametrize("preset", ["synthetic_did", "synthetic_control", "did"])
def test_nothing_from_the_start_on_is_seen(preset):
    outcome = paths()
    later = outcome.copy()
    later[:, 40:] += np.random.default_rng(0).standard_normal(later[:, 40:].shape) * 99
    pd.testing.assert_frame_equal(
        in_time(panel(outcome), preset), in_time(panel(later), preset), check_exact=True
    )


def test_staggered_units_start_together_before_the_first_of_them():
    outcome = paths(donors=12)
    two = in_time(panel(outcome, start=(40, 50)), "did", draws=99)
    assert two["start"].iloc[0] == "2020"
    mean, pool = outcome[:2, :40].mean(axis=0), outcome[2:, :40].mean(axis=0)
    gap = mean - pool
    assert two["point"].iloc[0] == pytest.approx(gap[20:].mean() - gap[:20].mean())


def test_predictors_do_not_look_ahead():
    outcome = paths(donors=12)
    plain = panel(outcome)
    told = replace(plain, predictors=outcome[:, 38:40], predictor_names=("a", "b"))
    pd.testing.assert_frame_equal(
        in_time(told, "synthetic_control_predictors"), in_time(plain, "synthetic_control")
    )
    check = in_time_check(
        in_time(told, "synthetic_control_predictors"),
        effect=-6.0,
        preset="synthetic_control_predictors",
        level=0.95,
    )
    assert "on outcomes alone" in check.text


def test_placebos_matched_exactly_give_no_ranks():
    rng = np.random.default_rng(0)
    kept = {"paths": rng.standard_normal((24, 10)), "own_rmspe": 1.0, "level": 0.95}
    ranked = spread("synthetic_control", pre_rmspe=np.ones(24), **kept)
    assert (ranked.kind, ranked.reason) == ("rank", None)
    exact = np.ones(24)
    exact[3] = 1e-14
    found = spread("synthetic_control", pre_rmspe=exact, **kept)
    assert found.kind == "placebo"
    assert "1 of 24 placebos are matched exactly" in found.reason
    assert found.half(np.full(10, 0.1)) < 10


def test_verdicts_in_time():
    quiet = in_time(panel(paths()), "synthetic_did")
    seen = in_time_check(quiet, effect=-6.0, preset="synthetic_did", level=0.95)
    assert (seen.verdict, seen.label) == ("pass", "no effect before the start")
    early = paths()
    early[0, 20:] -= 8  # the real one is no larger than what was there before
    found = in_time(panel(early), "synthetic_did")
    seen = in_time_check(found, effect=-6.0, preset="synthetic_did", level=0.95)
    assert (seen.verdict, seen.label) == ("fail", "an effect before the start")
    assert "2020" in seen.text
    seen = in_time_check(found, effect=-60.0, preset="synthetic_did", level=0.95)
    assert (seen.verdict, seen.label) == ("warn", "a small effect before the start")
    seen = in_time_check(quiet, effect=0.01, preset="synthetic_did", level=0.95)
    assert (seen.verdict, seen.label) == ("warn", "as large before the start")
    none = in_time(panel(paths(start=3), start=3), "did")
    assert none.empty
    seen = in_time_check(none, effect=-6.0, preset="did", level=0.95)
    assert (seen.verdict, seen.text[:30]) == ("not_run", "Not run: there are too few per")


@pytest.fixture(scope="module")
def study():
    parts = [(40, case(paths()))]
    fits = [fit(parts[0][1], "synthetic_control")]
    return parts, fits, in_space(parts, fits), tuple(f"m{i:02}" for i in range(1, 25))


def test_each_donor_with_weight_is_left_out(study):
    parts, fits, chance, names = study
    found = leave_one_out(parts, fits, chance, donor_names=names, level=0.95)
    weights = fits[0].unit_weights
    assert len(found) == (weights > 0.001).sum()
    assert found["weight"].is_monotonic_decreasing
    heaviest = int(np.argmax(weights))
    assert found["left_out"].iloc[0] == names[heaviest]
    rest = parts[0][1].without(heaviest)
    again = fit(rest, "synthetic_control")
    row = found.iloc[0]
    assert row["point"] == pytest.approx(again.att, abs=1e-12)
    # The worse the match without the donor, the wider the interval.
    by = spread("synthetic_control", paths=chance.paths, pre_rmspe=chance.pre_rmspe,
                own_rmspe=again.pre_rmspe, level=0.95)  # fmt: skip
    after = np.where(np.arange(60) >= 40, 1 / 20, 0.0)
    assert row["high"] - row["point"] == pytest.approx(by.half(after))
    assert found["weight"].lt(0.001).sum() == 0


def test_several_starts_are_left_out_together():
    outcome = paths(donors=10)
    parts = cases(panel(outcome, start=(40, 50)))
    fits = [fit(one, "synthetic_did") for _, one in parts]
    chance = in_space(parts, fits, draws=99)
    names = [f"d{i}" for i in range(9)]
    found = leave_one_out(parts, fits, chance, donor_names=names, level=0.95)
    out = int(found["left_out"].iloc[0][1:])
    rest = [(start, one.without(out)) for start, one in parts]
    wanted = combined(rest, [fit(one, "synthetic_did") for _, one in rest])
    assert found["point"].iloc[0] == pytest.approx(wanted, abs=1e-12)
    weight = (fits[0].unit_weights[out] + fits[1].unit_weights[out]) / 2
    assert found["weight"].iloc[0] == pytest.approx(weight)


def test_one_donor_cannot_be_left_out():
    one = case(paths(donors=1))
    fits = [fit(one, "did")]
    chance = in_space([(40, one)], fits)
    found = leave_one_out([(40, one)], fits, chance, donor_names=["d"], level=0.95)
    assert found.empty
    assert leave_one_out_check(found, effect=1.0, error=1.0, half=2.0).verdict == "not_run"


LEFT_OUT = [
    # points, effect, error, half, verdict, label
    ((-6.1, -5.9), -6.0, 1.0, 2.0, "pass", "no single donor decides"),
    ((-6.1, -4.0), -6.0, 1.0, 2.0, "warn", "one donor matters much"),
    ((-6.1, -2.9), -6.0, 9.0, 2.0, "fail", "one donor makes half the effect"),
    ((-6.1, -2.9), -6.0, 9.0, 9.0, "warn", "one donor makes half the effect"),
    ((-6.1, 0.1), -6.0, 1.0, 2.0, "fail", "one donor decides the sign"),
    ((-0.1, 0.1), -0.2, 1.0, 2.0, "warn", "sign not settled"),
    ((-6.1, -5.9), -6.0, np.nan, np.nan, "pass", "no single donor decides"),
    ((-2.5, -2.1), -2.4, 1.0, 2.2, "warn", "one donor makes it certain"),
    ((-2.5, -2.1), -2.4, 1.0, 2.6, "pass", "no single donor decides"),
]


@pytest.mark.parametrize(("points", "effect", "error", "half", "verdict", "label"), LEFT_OUT)
def test_verdicts_of_leaving_out(points, effect, error, half, verdict, label):
    frame = pd.DataFrame({"left_out": ["A", "B"], "weight": [0.6, 0.4], "point": points})
    frame["low"], frame["high"] = frame["point"] - half, frame["point"] + half
    seen = leave_one_out_check(frame, effect=effect, error=error, half=half)
    assert (seen.verdict, seen.label) == (verdict, label)
    worst = "A" if abs(points[0] - effect) >= abs(points[1] - effect) - 1e-12 else "B"
    assert f"; {worst}, with" in seen.text
