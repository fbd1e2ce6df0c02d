"""Every guard, as a table of cases: what passes, warns, fails, and is left undone with a reason."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.interventions.markets import case, panel, paths
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.checks import checks
from trustlib.interventions.synth.contaminated import contaminated, donors_affected
from trustlib.interventions.synth.fit import fit
from trustlib.interventions.synth.fit_guards import (
    estimators_agree,
    exact_fit,
    placebo_rank,
    pre_fit,
)
from trustlib.interventions.synth.guards import (
    donors_treated,
    enough_donors,
    missing_cells,
    one_donor,
    pre_periods,
)
from trustlib.interventions.synth.hull import convex_hull, hull
from trustlib.interventions.synth.in_time import in_time
from trustlib.interventions.synth.leave_one_out import leave_one_out
from trustlib.interventions.synth.placebos_in_space import InSpace, in_space
from trustlib.interventions.synth.structural_break import structural_break, structural_break_check
from trustlib.interventions.synth.verdict import DECISIVE

NAMES = tuple(f"d{i:02}" for i in range(60))


def _chance(*, own=1.0, others=(1.0, 1.2, 0.8), ratio=5.0, ratios=1.0):
    """Placebos with the misfits `others`, and the treated's `own`."""
    others = np.array(others)
    n = len(others)
    return InSpace(
        donors=np.arange(n)[:, None], fits=(), paths=np.zeros((n, 5)), att=np.zeros(n),
        pre_rmspe=others, post_rmspe=others * ratios, own_att=1.0, own_pre_rmspe=own,
        own_post_rmspe=own * ratio, exact=True,
    )  # fmt: skip


def _short(n_pre):
    return [(n_pre, case(paths(start=n_pre), start=n_pre))]


def _pre_fit(misfit, others):
    parts = [(40, case(paths()))]
    moves = np.median(np.vstack([parts[0][1].target, parts[0][1].donors])[:, :40].std(axis=1))
    chance = _chance(own=misfit * moves, others=np.array(others) * moves)
    return pre_fit(parts, "synthetic_did", chance)


def _one_donor(*weights):
    one = case(paths(donors=len(weights)))
    found = replace(fit(one, "did"), unit_weights=np.array(weights, dtype=float))
    return one_donor([(40, one)], [found], donor_names=NAMES)


def _left_out(donors=24, **reasons):
    names = {f"x{i}{why}": why.replace("_", " ") for why, n in reasons.items() for i in range(n)}
    return replace(panel(paths(donors=donors)), left_out=names)


def _hull(lift, preset="synthetic_control", slope=0.0):
    """Donors are parallel ramps at 0 … 9; the target is theirs, lifted and tilted."""
    ramp = np.sin(np.arange(30.0))
    donors = ramp + np.arange(10.0)[:, None]
    target = 4.5 + ramp + lift + slope * np.arange(30)
    return convex_hull([(20, Case(target=target, donors=donors, n_pre=20))], preset)


def _others(*points):
    """Plain difference-in-differences beside, and far off."""
    rows = [("synthetic_did", -5.0, -8.0, -2.0, True), ("did", 99.0, 90.0, 110.0, False)]
    rows += [("augmented", point, point - 1, point + 1, False) for point in points]
    return pd.DataFrame(rows, columns=["estimator", "point", "low", "high", "headline"])


CASES = {
    "pre_periods": [
        (lambda: pre_periods(_short(12)), "pass", "12"),
        (lambda: pre_periods(_short(9)), "warn", "9"),
        (lambda: pre_periods(_short(4)), "fail", "5 at least"),
    ],
    "enough_donors": [
        (lambda: enough_donors(19, 19, level=0.95), "pass", ".05"),
        (lambda: enough_donors(9, 9, level=0.95), "warn", "p cannot be below .10"),
        (lambda: enough_donors(9, 9, level=0.9), "pass", "as small as .10"),
        (lambda: enough_donors(5, 5, level=0.95), "fail", "p cannot be below .17"),
        (lambda: enough_donors(0, 2, level=0.95), "fail", "no interval"),
    ],
    "donors_treated": [
        (lambda: donors_treated(_left_out()), "pass", "All 24"),
        (lambda: donors_treated(_left_out(treated=2, affected=1)), "pass", "1 affected; 2 treated"),
        (lambda: donors_treated(_left_out(donors=4, treated=6)), "warn", "than are left"),
    ],
    "one_donor": [
        (lambda: _one_donor(0.3, 0.3, 0.4), "pass", "like 2.9 of equal weight"),
        (lambda: _one_donor(0.6, 0.4), "warn", "d00 has 60"),
        (lambda: _one_donor(0.1, 0.9), "fail", "d01 has 90"),
        (lambda: _one_donor(1.0), "fail", "100"),
        (lambda: _one_donor(0.8, 0.3, -0.1), "warn", "below zero add up to −0.1"),
    ],
    "missing_cells": [
        (lambda: missing_cells(_left_out()), "pass", "every period"),
        (lambda: missing_cells(_left_out(missing_cells=2)), "warn", "2 donors with gaps"),
        (lambda: missing_cells(_left_out(donors=3, missing_cells=4)), "fail", "4 donors"),
        (lambda: missing_cells(replace(
            panel(paths()), notes={"periods without a treated outcome": 20})), "fail", "20"),
    ],
    "pre_fit": [
        (lambda: _pre_fit(0.1, (0.1, 0.1, 0.2)), "pass", "0 of 3 fit better"),
        (lambda: _pre_fit(0.1, (0.01, 0.02, 0.1)), "warn", "2 of 3"),
        (lambda: _pre_fit(0.4, (0.3, 0.3, 0.3)), "pass", "40"),
        (lambda: _pre_fit(0.6, (0.6, 0.6, 0.6)), "warn", "60"),
        (lambda: _pre_fit(0.6, (0.3, 0.3, 0.6)), "fail", "does not follow"),
        (lambda: _pre_fit(0.6, ()), "fail", "does not follow"),
    ],
    "exact_fit": [
        (lambda: exact_fit(_chance()), "pass", "No match is exact"),
        (lambda: exact_fit(_chance(own=1e-9)), "warn", "mean nothing"),
        (lambda: exact_fit(_chance(others=(1.0, 1.0, 1e-9))), "warn", "1 placebo of 3 is"),
        (lambda: exact_fit(_chance(others=())), "not_run", "no placebos"),
    ],
    "placebo_rank": [
        (lambda: placebo_rank(_chance(others=[1.0] * 19), level=0.95), "pass", "number 1 of 20"),
        (lambda: placebo_rank(_chance(others=[1.0] * 18), level=0.95), "warn", "So few placebos"),
        (lambda: placebo_rank(_chance(others=[1.0] * 19, ratios=9.0), level=0.95), "warn",
         "number 20 of 20"),
        (lambda: placebo_rank(replace(_chance(others=()), reason="2 donors"), level=0.95),
         "not_run", "2 donors."),
    ],
    "estimators_agree": [
        (lambda: estimators_agree(_others(-4.0, -6.0)), "pass", "all donors alike it would be +99"),
        (lambda: estimators_agree(_others(-4.0, -9.0)), "warn", "1 outside"),
        (lambda: estimators_agree(_others(-4.0, 3.0)), "fail", "+3"),
        (lambda: estimators_agree(_others()), "not_run", "no other"),
    ],
    "convex_hull": [
        (lambda: _hull(0.0), "pass", "0\xa0%"),
        (lambda: _hull(4.8), "warn", "100\xa0%"),
        (lambda: _hull(4.6), "warn", "100\xa0%"),
        (lambda: _hull(1.6), "pass", "(a usual donor is"),
        (lambda: _hull(25.0), "fail", "No mix of donors"),
        (lambda: _hull(25.0, "synthetic_did"), "pass", "about its own mean"),
        (lambda: _hull(25.0, "synthetic_did", slope=0.5), "fail", "No mix of donors"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "made", "verdict", "said"),
    [(name, *row) for name, rows in CASES.items() for row in rows],
    ids=[f"{name}-{at}" for name, rows in CASES.items() for at in range(len(rows))],
)
def test_guards(name, made, verdict, said):
    check = made()
    assert (check.name, check.verdict) == (name, verdict), check.text
    assert said in check.text.replace("\xa0", " ") or said in check.text


def _planted(jump, *, donor=1, seed=0, start=40):
    outcome = paths(seed=seed)
    outcome[donor, start:] += jump
    one = case(outcome)
    found = fit(one, "synthetic_did")
    return [(40, one)], [found]


def test_a_donor_that_was_reached_is_found_and_its_weight_is_felt():
    parts, fits = _planted(-8.0)
    found = contaminated(parts, fits)
    assert [one.donor for one in found.reached] == [0]
    reached = found.reached[0]
    assert reached.jump == pytest.approx(-8.0, abs=2.5)
    assert reached.weight == pytest.approx(fits[0].unit_weights[0])
    without = fit(parts[0][1].without(0), "synthetic_did").att
    assert found.without == pytest.approx(without, abs=1e-12)
    seen = donors_affected(found, donor_names=NAMES, error=0.5)
    assert seen.verdict == "fail"
    assert "d00 by −" in seen.text
    assert "affected_units" in seen.text
    unsure = replace(found, without=found.effect * 1.3)
    assert donors_affected(unsure, donor_names=NAMES, error=np.nan).verdict == "fail"
    # Where it moves the answer little beside its error, it is a warning.
    little = replace(found, without=found.effect * 1.01)
    assert donors_affected(little, donor_names=NAMES, error=0.5).verdict == "warn"
    unused = replace(found, reached=(replace(reached, weight=0.0),))
    seen = donors_affected(unused, donor_names=NAMES, error=0.5)
    assert (seen.verdict, seen.label) == ("pass", "no donor in use moved")


def test_two_reached_donors_do_not_hide_each_other():
    outcome = paths(seed=3)
    outcome[2, 40:] += 12
    outcome[5, 40:] += 12
    one = case(outcome)
    found = contaminated([(40, one)], [fit(one, "synthetic_did")])
    assert {reached.donor for reached in found.reached} == {1, 4}


def test_a_donor_that_jumped_before_as_well_is_no_sign_of_being_reached():
    outcome = paths(seed=1)
    outcome[4, 40:] += 8
    loud = case(outcome)
    assert contaminated([(40, loud)], [fit(loud, "did")]).reached
    outcome[4, 20:30] += 25
    found = contaminated([(40, case(outcome))], [fit(case(outcome), "did")])
    assert 3 not in {reached.donor for reached in found.reached}


def test_untouched_donors_are_mostly_left_alone():
    alarms = 0
    for seed in range(30):
        parts, fits = _planted(0.0, seed=seed)
        alarms += bool(contaminated(parts, fits).reached)
    assert alarms <= 5  # one or two are what the level allows
    parts, fits = _planted(0.0)
    seen = donors_affected(contaminated(parts, fits), donor_names=NAMES, error=1.0)
    assert (seen.verdict, seen.label) == ("pass", "no donor moved at the start")


def test_too_few_donors_to_tell_one_from_the_others():
    one = case(paths(donors=5))
    found = contaminated([(40, one)], [fit(one, "did")])
    seen = donors_affected(found, donor_names=NAMES, error=1.0)
    assert (seen.verdict, seen.label) == ("not_run", "donors not searched")


def _walk(seed, *, step=0.0, at=20, n=40, donors=24):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((donors + 1, n + 10))
    rows[0, at:n] += step
    one = case(rows, start=n)
    return one, fit(one, "did")


def test_a_break_before_the_start_is_dated():
    one, found = _walk(0, step=4.0, at=22)
    seen = structural_break(one, found)
    assert seen.at == 22
    assert seen.p_value < 0.05
    assert seen.step == pytest.approx(4.0, abs=0.8)
    again = structural_break(one, found)
    assert again == seen
    names = tuple(str(2000 + t) for t in range(50))
    small = structural_break_check(seen, period_names=names, effect=100.0, level=0.95)
    assert (small.verdict, small.label) == ("warn", "a break, followed")
    assert "2022" in small.text
    large = structural_break_check(seen, period_names=names, effect=5.0, level=0.95)
    assert (large.verdict, large.label) == ("fail", "a break before the start")
    quiet = structural_break(*_walk(1))
    check = structural_break_check(quiet, period_names=names, effect=5.0, level=0.95)
    assert check.verdict == "pass"
    few = structural_break(*_walk(1, n=9))
    check = structural_break_check(few, period_names=names, effect=5.0, level=0.95)
    assert (check.verdict, few.at) == ("not_run", None)


def test_no_break_is_found_at_the_rate_of_chance():
    """Few donors, so that the simulated lines alone decide."""
    p_values = [structural_break(*_walk(seed, donors=8), draws=199).p_value for seed in range(200)]
    assert 0.005 <= np.mean(np.array(p_values) <= 0.05) <= 0.1
    assert 0.3 <= np.mean(p_values) <= 0.7


def test_a_break_survives_level_trend_and_unit():
    one, found = _walk(0, step=4.0, at=22)
    moved = replace(one, target=1e6 * (one.target + 3 + np.arange(50)), donors=1e6 * one.donors)
    again = structural_break(moved, found)
    assert again.statistic == pytest.approx(structural_break(one, found).statistic, rel=1e-6)


def test_the_hull_of_predictors_and_the_nearest_mix():
    one = _short(20)[0][1]
    predictors = np.column_stack([np.linspace(0, 1, 24), np.linspace(0, 1, 24)])
    told = replace(one, target_predictors=np.array([0.5, 1.5]), donor_predictors=predictors)
    found = hull(told, "synthetic_control")
    assert found.predictors_outside == (1,)
    check = convex_hull([(20, told)], "synthetic_control", predictor_names=("age", "price"))
    assert check.verdict == "warn"
    assert "1 predictor: price" in check.text.replace("\xa0", " ")
    control = fit(one, "synthetic_control")
    assert found.distance == pytest.approx(control.pre_rmspe, rel=1e-9)
    mix = replace(one, target=one.donors[:2].mean(axis=0))
    assert hull(mix, "synthetic_control").distance == pytest.approx(0, abs=1e-9)
    assert hull(mix, "synthetic_control").outside == 0


def test_noise_that_no_mix_follows_is_not_far_from_the_donors():
    one, _ = _walk(0)
    assert hull(one, "synthetic_control").relative > 0.5
    assert convex_hull([(40, one)], "synthetic_control").verdict == "pass"
    alone = replace(one, donors=one.donors[:1])
    assert np.isnan(hull(alone, "synthetic_control").usual)
    assert convex_hull([(40, alone)], "synthetic_control").verdict == "fail"


def test_all_checks_of_one_study():
    whole = panel(paths())
    one = case(paths())
    parts, fits = [(40, one)], [fit(one, "synthetic_did")]
    chance = in_space(parts, fits)
    frame = _others(-4.0)
    kept = {
        "comparison": frame,
        "leave_one_out": leave_one_out(parts, fits, chance, donor_names=NAMES, level=0.95),
        "in_time": in_time(whole, "synthetic_did"),
        "effect": fits[0].att,
        "error": chance.standard_error,
        "half": 2.07 * chance.standard_error,
        "donor_names": NAMES[:24],
        "level": 0.95,
    }
    before = whole.outcome.copy()
    found = checks(whole, parts, fits, chance, **kept)
    assert (whole.outcome == before).all()
    names = [check.name for check in found]
    assert len(set(names)) == len(names) == 14
    assert set(CASES) < set(names)
    # That of the predictors' weights is made where there are predictors.
    assert set(names) | {"predictor_weights"} >= DECISIVE
    assert {check.name: check.verdict for check in found if check.verdict != "pass"} == {}
    assert found == checks(whole, parts, fits, chance, **kept)
