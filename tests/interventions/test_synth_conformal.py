"""Conformal intervals: against a plain search, exact rates, what they follow, and their speed."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.conformal import conformal, joint_p_value
from trustlib.interventions.synth.fit import fit
from trustlib.stats.simplex import simplex_least_squares

PROP99 = Path(__file__).parents[2] / "../shared/realdata/prop99.csv"


def _world(seed, *, n_pre=19, n_post=2, effect=0.0, donors=8):
    """Periods are exchangeable: every residual is an independent draw of one law."""
    rng = np.random.default_rng(seed)
    pool = rng.standard_normal((donors, n_pre + n_post)) + 3 * rng.standard_normal((donors, 1))
    target = rng.dirichlet(np.ones(donors)) @ pool + 0.5 * rng.standard_normal(n_pre + n_post)
    target[n_pre:] += effect
    return Case(target=target, donors=pool, n_pre=n_pre)


def _prop99():
    if not PROP99.exists():
        pytest.skip("Proposition 99 is not at hand")
    wide = pd.read_csv(PROP99).pivot(index="state", columns="year", values="packs_per_capita")
    treated = wide.index == "California"
    return Case(target=wide[treated].to_numpy()[0], donors=wide[~treated].to_numpy(), n_pre=19)


def _kept(case, theta, level):
    """The definition itself, for the first period after the start, outcomes on the simplex."""
    times = np.arange(case.n_pre + 1)
    aim = case.target[times] - theta * (times == case.n_pre)
    weights = simplex_least_squares(case.donors[:, times].T, aim).weights
    size = np.abs(aim - weights @ case.donors[:, times])
    return (size >= size[-1] * (1 - 1e-9)).mean() > 1 - level + 1e-12


def test_an_interval_ends_where_a_plain_search_ends():
    case = _world(4, n_post=1, effect=2.0)
    row = conformal(case, "synthetic_control", level=0.9).iloc[0]
    grid = np.linspace(row["low"] - 2, row["high"] + 2, 801)
    kept = np.array([_kept(case, theta, 0.9) for theta in grid])
    step = grid[1] - grid[0]
    assert row["low"] == pytest.approx(grid[kept].min(), abs=step)
    assert row["high"] == pytest.approx(grid[kept].max(), abs=step)


@pytest.mark.parametrize("preset", ["synthetic_control", "synthetic_did", "did"])
def test_the_truth_is_inside_at_the_rate_that_ranks_promise(preset):
    """With 19 + 1 exchangeable periods a 90 % interval leaves out exactly 2 ranks of 20."""
    inside = []
    for seed in range(250):
        rows = conformal(_world(seed, n_post=1, effect=2.0), preset, level=0.9)
        inside.append(float(rows["low"].iloc[0]) <= 2.0 <= float(rows["high"].iloc[0]))
    # Three standard errors of 250 draws at .9.
    assert np.mean(inside) == pytest.approx(0.9, abs=3 * (0.09 / 250) ** 0.5)


def test_p_values_of_nothing_are_uniform_and_of_something_are_small():
    quiet = [
        conformal(_world(s, n_post=1), "did", level=0.9)["p_value"].iloc[0] for s in range(400)
    ]
    counts = np.bincount(np.round(np.array(quiet) * 20).astype(int), minlength=21)[1:]
    assert counts.sum() == 400
    assert ((counts - 20) ** 2 / 20).sum() < 43.8  # chi-square with 19 degrees, .999
    loud = conformal(_world(1, effect=20.0), "synthetic_control", level=0.9)["p_value"]
    assert loud.tolist() == pytest.approx([1 / 20, 1 / 20])


def test_joint_p_value_shifts_blocks():
    case = _world(3, n_post=4)
    raw = case.target - case.donors.mean(axis=0)
    residuals = np.abs(raw - raw.mean())
    n = len(residuals)
    blocks = [np.mean([residuals[(at + k) % n] for k in range(4)]) for at in range(n)]
    wanted = np.mean(np.array(blocks) >= blocks[n - 4] - 1e-12)
    assert joint_p_value(case, "did") == pytest.approx(wanted)
    rates = [joint_p_value(_world(s, n_pre=16, n_post=4), "synthetic_did") for s in range(200)]
    assert np.mean(np.array(rates) <= 0.1) == pytest.approx(0.1, abs=0.065)
    assert joint_p_value(_world(3, n_pre=16, n_post=4, effect=9.0), "synthetic_control") == 1 / 20


@pytest.mark.parametrize("preset", ["synthetic_control", "synthetic_did", "did"])
def test_intervals_move_with_what_is_added_and_scale_with_the_unit(preset):
    case = _world(7, effect=1.0)
    plain = conformal(case, preset, level=0.9)
    added = np.where(np.arange(case.n_periods) >= case.n_pre, 5.0, 0.0)
    moved = conformal(replace(case, target=case.target + added), preset, level=0.9)
    for column in ("low", "high"):
        assert moved[column].to_numpy() == pytest.approx(plain[column].to_numpy() + 5, abs=1e-4)
    for scale in (1e-6, 1e6):
        big = replace(case, target=case.target * scale, donors=case.donors * scale)
        scaled = conformal(big, preset, level=0.9)
        assert scaled["low"].to_numpy() / scale == pytest.approx(plain["low"].to_numpy(), abs=1e-4)
    assert (plain["low"] < plain["high"]).all()


def test_synthetic_did_keeps_its_intercept_and_penalty():
    case = _world(5)
    times = [*range(case.n_pre), case.n_pre]
    steps = np.diff(case.donors[:, : case.n_pre], axis=1).std(ddof=1)
    ridge = np.sqrt(case.n_post) * steps**2 * len(times)
    aim = case.target[times]
    found = simplex_least_squares(case.donors[:, times].T, aim, ridge=ridge, intercept=True)
    size = np.abs(aim - found.weights @ case.donors[:, times] - found.intercept)
    wanted = (size >= size[-1] * (1 - 1e-9)).mean()
    rows = conformal(case, "synthetic_did", level=0.9)
    assert rows["p_value"].iloc[0] == wanted
    # The effect that leaves no residual is in the middle of what is kept; ends rule out.
    for end, beyond in (("low", -1e-6), ("high", 1e-6)):
        for theta, kept in ((beyond, False), (-beyond, True)):
            moved = case.target.copy()
            moved[case.n_pre] -= rows[end].iloc[0] + theta
            p_value = conformal(replace(case, target=moved), "synthetic_did", level=0.9)["p_value"]
            assert (p_value.iloc[0] > 0.1 + 1e-12) == kept


def test_presets_with_predictors_use_outcomes_alone():
    case = _world(2)
    by_outcomes = conformal(case, "synthetic_control", level=0.9)
    pd.testing.assert_frame_equal(
        conformal(case, "synthetic_control_predictors", level=0.9), by_outcomes
    )


def test_few_periods_before_the_start_give_a_reason_in_place_of_an_interval():
    rows = conformal(_world(1, n_pre=18), "did", level=0.95)
    assert rows[["low", "high"]].isna().all().all()
    assert rows["p_value"].notna().all()
    assert rows["reason"].iloc[0] == (
        "not estimable: with 18 periods before the start no effect could be ruled out at "
        "95\N{NO-BREAK SPACE}%, as one period in 19 is the largest by chance"
    )
    enough = conformal(_world(1, n_pre=19), "did", level=0.95)
    assert enough["reason"].tolist() == ["", ""]
    assert enough[["low", "high"]].notna().all().all()


def test_one_donor_and_equal_paths():
    flat = Case(target=np.full(12, 3.0), donors=np.full((1, 12), 3.0), n_pre=10)
    rows = conformal(flat, "synthetic_control", level=0.9)
    assert rows[["low", "high"]].to_numpy() == pytest.approx(np.zeros((2, 2)), abs=1e-6)
    assert rows["p_value"].tolist() == [1.0, 1.0]


def test_proposition_99():
    case = _prop99()
    begun = time.perf_counter()
    rows = conformal(case, "synthetic_did", level=0.95)
    assert time.perf_counter() - begun < 1.5
    assert len(rows) == 12
    gap = fit(case, "synthetic_control").gap
    control = conformal(case, "synthetic_control", level=0.95)
    times = control["time"].to_numpy()
    assert (control["low"].to_numpy() <= gap[times]).all()
    assert (gap[times] <= control["high"].to_numpy()).all()
    # Year by year: nothing can be said of the first two, and every one from 1991 on is below 0.
    assert control["high"].lt(0).tolist() == [False] * 2 + [True] * 10
    assert (control["p_value"].to_numpy()[2:] == 1 / 20).all()
