"""The short form of the coverage study; the long one is tests/studies/synth_coverage.py."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.studies import synth_coverage as study
from trustlib.interventions.synth.worlds import BASELINE, ONE_TREATED, draw, exchangeable

RECORD = Path(study.__file__).with_suffix(".md")


def test_intervals_cover_with_one_treated_unit():
    found = study.intervals(ONE_TREATED, runs=40, draws=99, first_seed=5000).set_index("preset")
    # At a true .95, 33 of 40 or fewer happens once in 300.
    assert (found["as reported"] > 33 / 40).all()
    assert (found["by standard error"] > 33 / 40).all()
    # 400 periods, ten in a draw that hang together.
    assert found["each period"].to_numpy() == pytest.approx(0.95, abs=0.04)
    # The scatter of 40 errors is itself known to 11 %.
    scale = found["standard error"] / found["rmse"]
    assert scale.to_numpy() == pytest.approx(1.0, abs=0.3)
    # What the weights are for: the same panels, a third less error.
    assert found.loc["synthetic_did", "rmse"] < 0.8 * found.loc["did", "rmse"]


def test_intervals_cover_with_several_treated_units():
    found = study.intervals(
        BASELINE, runs=40, draws=40, presets=("synthetic_did",), first_seed=5000
    ).iloc[0]
    # At a true .95, 33 of 40 or fewer happens once in 300.
    assert found["as reported"] > 33 / 40
    assert found["rmse"] == pytest.approx(0.027, abs=0.01)
    assert found["standard error"] / found["rmse"] == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("preset", study.MEASURED)
def test_conformal_intervals_hold_their_rate_where_periods_are_exchangeable(preset):
    one = study.single_periods(exchangeable(pre=9), preset, runs=200, level=0.9, first_seed=5000)
    # At a true .9, 166 of 200 or fewer, or 193 or more, happens once in 500.
    assert 166 / 200 < one["inside"] < 193 / 200
    assert one["p_value"] == pytest.approx(1 - one["inside"], abs=1e-9)


def test_no_donor_is_found_where_none_moved():
    # At a true .05, five of 20 or more happens once in 400.
    assert study.donors_found(ONE_TREATED, runs=20, first_seed=5000) < 5 / 20


def test_the_effect_that_is_added_is_the_stated_one():
    world = replace(ONE_TREATED, size=0.3, growth=0.5)
    with_effect, without = draw(world, seed=4), draw(replace(world, size=0.0), seed=4)
    added = with_effect.outcome - without.outcome
    assert added[with_effect.treated].mean(axis=0) == pytest.approx(world.effect)
    assert not added[~with_effect.treated].any()
    assert world.effect[29:32] == pytest.approx([0.0, 0.3, 0.45])
    assert world.att == pytest.approx(0.3 * (1 + 0.5 * 4.5))


def test_levels_factors_and_noise_have_the_stated_spread():
    world = replace(BASELINE, units=4000, period_sd=0.0, trend=0.0, factor_sd=0.0, unit_sd=0.0)
    noise = draw(world, seed=1).outcome
    assert noise.std() == pytest.approx(0.098, rel=0.01)
    # Correlations of an AR(2) with (.01, −.06): a / (1 − b), and a × that + b.
    assert np.mean(noise[:, 1:] * noise[:, :-1]) / 0.098**2 == pytest.approx(0.0094, abs=0.01)
    assert np.mean(noise[:, 2:] * noise[:, :-2]) / 0.098**2 == pytest.approx(-0.0599, abs=0.01)
    levels = draw(replace(world, unit_sd=0.25, noise_sd=1e-9), seed=1).outcome
    assert levels[:, 0].std() == pytest.approx(0.25, rel=0.04)
    assert np.ptp(levels, axis=1).max() < 1e-6
    only = replace(world, factor_sd=0.1, noise_sd=1e-9)
    size = np.mean([(draw(only, seed=seed).outcome ** 2).mean() for seed in range(40)])
    assert size**0.5 == pytest.approx(0.1, rel=0.1)
    values = np.linalg.svd(draw(only, seed=2).outcome, compute_uv=False)
    assert values[4] < 1e-5 * values[3]


def test_who_is_treated_hangs_on_level_and_factor():
    world = replace(BASELINE, units=4000, most_treated=4000, noise_sd=1e-9, factor_sd=1e-9)
    one = draw(world, seed=1)
    level = one.outcome.mean(axis=1)
    assert level[one.treated].mean() - level[~one.treated].mean() > 0.05
    for seed in range(30):
        assert 1 <= draw(BASELINE, seed=seed).treated.sum() <= 10
        assert draw(ONE_TREATED, seed=seed).treated.sum() == 1
    never = replace(BASELINE, shift=-50.0)
    assert draw(never, seed=1).treated.sum() == 1


def test_draws_are_seeded_and_frame_and_panel_are_one():
    one = draw(BASELINE, seed=3)
    assert (one.outcome == draw(BASELINE, seed=3).outcome).all()
    assert (one.outcome != draw(BASELINE, seed=4).outcome).any()
    panel, frame = one.panel, one.frame
    assert frame["outcome"].to_numpy().reshape(panel.outcome.shape).tolist() == (
        panel.outcome.tolist()
    )
    starts = frame.groupby("unit")["treatment_start"].first()
    assert starts.index.tolist() == list(panel.unit_names)
    assert starts.fillna(panel.n_periods).tolist() == panel.first_treated.tolist()
    assert panel.starts.tolist() == [30]


def recorded(column: str) -> list[dict[str, str]]:
    """Rows of the record's table that has `column`."""
    tables = RECORD.read_text(encoding="utf-8").split("\n\n")
    lines = next(one for one in tables if one.startswith("| ") and f" {column} " in one)
    header, _, *rows = [line.strip("| ").split(" | ") for line in lines.splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


def chance(rate: float) -> float:
    """Three standard errors of a rate over the record's 400 draws."""
    return 3 * (rate * (1 - rate) / 400) ** 0.5


def test_the_record_has_the_published_rates():
    assert "--runs 400 " in RECORD.read_text(encoding="utf-8")
    rows = {(row["world"], row["preset"]): row for row in recorded("as reported")}
    for world, presets in study.PUBLISHED.items():
        for preset, theirs in presets.items():
            row = rows[world, preset]
            assert float(row["target"]) == theirs.placebo
            # Plain averages: their placebos stray more than ours; see the record. The rate, then.
            apart = (world, preset) == ("baseline", "did")
            least = study.LEVEL if apart else theirs.placebo
            assert float(row["by standard error"]) > least - chance(least)
            assert float(row["bias"]) == pytest.approx(theirs.bias, abs=0.012)
            assert float(row["rmse"]) == pytest.approx(theirs.rmse, rel=0.4)
    for row in rows.values():
        if row["preset"] == "synthetic_did" or row["world"].startswith("one_treated"):
            assert float(row["as reported"]) == pytest.approx(study.LEVEL, abs=chance(study.LEVEL))


def test_the_record_has_the_jackknifes_and_the_conformal_rate():
    for row in recorded("jackknife"):
        if row["world"] != "many, chosen":  # where the choice is most of the error
            assert float(row["jackknife"]) == pytest.approx(study.LEVEL, abs=chance(study.LEVEL))
    rows = [row for row in recorded("inside") if row["world"].startswith("exchangeable")]
    assert len(rows) == 15
    for row in rows:
        level = float(row["level"])
        assert float(row["inside"]) == pytest.approx(level, abs=chance(level))
