"""Jackknife and bootstrap: by hand, by their refusals, and by what they are for."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student

from tests.interventions.markets import panel, paths
from trustlib.interventions.synth.cohorts import cases, combined
from trustlib.interventions.synth.fit import fit
from trustlib.interventions.synth.resampling import bootstrap, jackknife
from trustlib.interventions.synth.worlds import BASELINE, draw


def fitted(one, preset):
    return [fit(case, preset) for _, case in cases(one)]


@pytest.fixture
def staggered():
    outcome = paths(seed=2, donors=13, periods=30, start=20)
    # The last donor falls away from all others: no start has a use for it.
    outcome[-1] -= 2.0 * np.arange(30)
    one = panel(outcome, start=(20, 20, 20, 24, 24))
    rng = np.random.default_rng(5)
    return replace(one, weight=rng.uniform(1, 9, outcome.shape))


@pytest.mark.parametrize("preset", ["synthetic_did", "did"])
def test_jackknife_by_hand(staggered, preset) -> None:
    one, fits = staggered, fitted(staggered, preset)
    people = one.weight.mean(axis=1)
    effects = []
    for out in range(one.n_units):
        kept = np.arange(one.n_units) != out
        above = below = 0.0
        for start, found in zip((20, 24), fits, strict=True):
            treated = kept & (one.first_treated == start)
            donors = kept[one.donors]
            weights = found.unit_weights[donors] / found.unit_weights[donors].sum()
            target = np.average(one.outcome[treated], axis=0, weights=people[treated])
            gap = target - weights @ one.outcome[one.donors[donors]]
            effect = gap[start:].mean() - found.time_weights @ gap[:start]
            above += treated.sum() * (30 - start) * effect
            below += treated.sum() * (30 - start)
        effects.append(above / below)
    found = jackknife(one, fits, level=0.9)
    n = one.n_units
    by_hand = np.sqrt((n - 1) / n * ((effects - np.mean(effects)) ** 2).sum())
    assert found.att == pytest.approx(effects, abs=1e-11)
    assert found.standard_error == pytest.approx(by_hand, rel=1e-11)
    # Of five treated: four degrees of freedom.
    last = np.eye(30)[29]
    assert found.half(last) == pytest.approx(student.ppf(0.95, 4) * found.error(last))
    assert found.error(last) == pytest.approx(
        np.sqrt((n - 1) / n * ((found.paths[:, 29] - found.paths[:, 29].mean()) ** 2).sum())
    )


def test_units_without_weight_move_nothing(staggered) -> None:
    fits = fitted(staggered, "synthetic_did")
    total = combined(cases(staggered), fits)
    found = jackknife(staggered, fits)
    idle = np.all([one.unit_weights == 0 for one in fits], axis=0)
    assert idle[-1]
    assert not idle.all()
    assert found.att[staggered.donors[idle]] == pytest.approx(total, abs=1e-12)


def test_the_bootstrap_refits_what_it_draws(staggered) -> None:
    one = bootstrap(staggered, "synthetic_did", draws=40, seed=3)
    assert one.standard_error == pytest.approx(np.std(one.att))
    again = bootstrap(staggered, "synthetic_did", draws=40, seed=3)
    assert one.att.tolist() == again.att.tolist()
    assert one.att.tolist() != bootstrap(staggered, "synthetic_did", draws=40, seed=4).att.tolist()
    # The error comes from units that differ: from twins alone, with one start, there is none.
    twins = replace(
        staggered,
        outcome=staggered.outcome[[0] * 5 + [5] * 9],
        first_treated=np.where(staggered.treated, 20, 30),
    )
    assert bootstrap(twins, "did", draws=40, seed=3).standard_error == pytest.approx(0, abs=1e-12)
    apart = replace(twins, outcome=np.where(twins.treated[:, None], staggered.outcome, 1.0))
    assert bootstrap(apart, "did", draws=40, seed=3).standard_error > 0.1


def test_paths_and_effects_belong_together() -> None:
    one = draw(replace(BASELINE, size=0.5), seed=2).panel
    fits = fitted(one, "synthetic_did")
    weights = np.where(np.arange(40) >= 30, 0.1, 0.0)
    for found in (jackknife(one, fits), bootstrap(one, "synthetic_did", draws=30)):
        assert found.paths @ weights == pytest.approx(found.att, abs=1e-12)
        assert found.error(weights) == pytest.approx(found.standard_error, rel=1e-9)
        assert found.att.mean() == pytest.approx(0.5, abs=4 * found.standard_error)


def test_jackknife_and_bootstrap_agree_about_size() -> None:
    one = draw(BASELINE, seed=11).panel
    by_turns = jackknife(one, fitted(one, "did")).standard_error
    assert by_turns == pytest.approx(bootstrap(one, "did", draws=400).standard_error, rel=0.25)


@pytest.mark.parametrize(
    ("starts", "donors", "preset", "why"),
    [
        ((20, 20), 6, "synthetic_control", "not smooth"),
        ((20,), 6, "synthetic_did", "single treated unit"),
        ((20, 20, 22), 6, "did", "single treated unit"),
        ((20, 20), 1, "did", "single donor"),
    ],
)
def test_why_not(starts, donors, preset, why) -> None:
    one = panel(paths(donors=donors + len(starts) - 1, periods=30, start=20), start=starts)
    for found in (jackknife(one, fitted(one, preset)), bootstrap(one, preset, draws=99)):
        assert found.kind == "none"
        assert why in found.reason
        assert np.isnan([found.standard_error, found.error(np.ones(30)), found.half(np.ones(30))]
                        ).all()  # fmt: skip


def test_a_start_that_rests_on_one_donor_has_no_jackknife() -> None:
    one = panel(paths(donors=6, periods=30, start=20), start=(20, 20))
    found = fitted(one, "synthetic_did")[0]
    alone = replace(found, unit_weights=np.eye(5)[2])
    assert "a single donor" in jackknife(one, [alone]).reason


def test_a_start_that_draws_rarely_reach_has_no_bootstrap() -> None:
    # 26 starts with two units each: few draws have units of all of them, and of the two donors.
    starts = tuple(np.repeat(np.arange(2, 28), 2).tolist())
    one = panel(paths(donors=53, periods=30, start=2), start=starts)
    assert "draws only" in bootstrap(one, "did", draws=99).reason
