"""The rules behind the headline, and the other choices beside it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.linear_model import OLS

from trustlib.incidents import SizingSpec, sizing
from trustlib.incidents.choice import choose
from trustlib.incidents.counterfactual import Season, forecast
from trustlib.incidents.grid import grid
from trustlib.incidents.headline import sized
from trustlib.incidents.level import WeeklyLevel, followed
from trustlib.incidents.two_way import two_way
from trustlib.incidents.worlds import WORLDS, draw


def check(result, name):
    return next(c for c in result.checks if c.name == name)


def rows(result):
    return result.sensitivity.set_index("choice")


def test_odd_days_are_found_left_out_and_named(drawn):
    counts, spec, _ = drawn("level_drift", effect=1.0)
    day = (pd.Timestamp(spec.incident.start) - pd.Timedelta(days=10)).normalize()
    odd = counts["bucket_start_at"].dt.normalize() == day
    spoiled = counts.assign(count=counts["count"].where(~odd, counts["count"] * 4))
    result = sizing(spoiled, spec)
    made = check(result, "contaminated_history")
    assert made.verdict == "warn"
    assert f"{day:%Y-%m-%d}" in made.text
    assert not result.counterfactual.loc[odd.to_numpy(), "fitted"].any()
    quiet, kept = sizing(counts, spec), rows(result).loc["odd_days_kept"]
    assert result.estimates["excess"].point == pytest.approx(
        quiet.estimates["excess"].point, rel=0.02
    )
    assert abs(kept["excess"] - quiet.estimates["excess"].point) > abs(
        result.estimates["excess"].point - quiet.estimates["excess"].point
    )
    assert check(quiet, "contaminated_history").verdict == "pass"


def test_too_many_odd_days_are_heavy_tails_and_stay(drawn):
    counts, spec, _ = drawn("poisson")
    rng = np.random.default_rng(0)
    day = (counts["bucket_start_at"].dt.normalize() - counts["bucket_start_at"].min()).dt.days
    wild = np.isin(day, rng.choice(55, 8, replace=False))
    result = sizing(counts.assign(count=counts["count"] * np.where(wild, 6, 1)), spec)
    assert check(result, "contaminated_history").label == "history is unruly"
    assert "odd_days_kept" not in rows(result).index


def test_a_wandering_level_is_followed_and_a_standing_one_is_not():
    drifting = replace(next(w for w in WORLDS if w.name == "level_drift"), drift=0.004)
    follows, better = [], []
    for seed in range(12):
        one = draw(drifting, seed=seed, weeks=16)
        on = grid(one.counts.drop(columns="control"), SizingSpec(incident=one.incident))
        made = choose(on, level=0.95)
        follows.append(made.gain is not None)
        if follows[-1]:
            standing = sized(made.grid, made.season, level=0.95)
            better.append(abs(made.result.excess) < abs(standing.excess))
    assert sum(follows) >= 8
    assert np.mean(better) >= 0.6
    quiet = next(w for w in WORLDS if w.name == "poisson")
    gains = []
    for seed in range(20):
        one = draw(quiet, seed=seed)
        on = grid(one.counts.drop(columns="control"), SizingSpec(incident=one.incident))
        gains.append(choose(on, level=0.95).gain)
    assert sum(gain is not None for gain in gains) <= 3


def test_at_least_five_other_choices_agree_on_a_clear_incident(drawn):
    counts, spec, truth = drawn("ar_90", effect=1.5)
    result = sizing(counts, spec)
    others = rows(result).drop("headline")
    assert len(others) >= 7
    assert {"two_way_fixed_effects", "same_hours", "robust", "negative_binomial"} <= set(
        others.index
    )
    assert (others["excess"] > 0).all()
    assert (others["low"] <= others["excess"]).all()
    assert (others["excess"] <= others["high"]).all()
    assert ((others["low"] <= truth) & (truth <= others["high"])).mean() >= 0.8
    assert check(result, "sensitivity").verdict in ("pass", "warn")
    assert result.sensitivity["description"].str.endswith(".").all()


def test_two_methods_that_disagree_are_loud(drawn):
    counts, spec, _ = drawn("poisson", control=True)
    inside = (counts["bucket_start_at"] >= pd.Timestamp(spec.incident.start)) & (
        counts["bucket_start_at"] < pd.Timestamp(spec.incident.end)
    )
    # A control that falls to a tenth drags the forecast down; the same hours know nothing of it.
    counts["control"] = counts["control"].where(~inside, (counts["control"] / 10).round())
    rng = np.random.default_rng(0)
    level = np.exp(rng.normal(0, 0.4, len(counts)))
    counts["control"] = rng.poisson(counts["control"] * level)
    counts["count"] = rng.poisson(counts["count"] * np.where(inside, 1.0, level)).astype(float)
    result = sizing(counts, spec)
    assert check(result, "control_usable").verdict == "warn"
    assert check(result, "two_methods_agree").verdict in ("warn", "fail")
    if check(result, "two_methods_agree").verdict == "fail":
        assert result.verdict != "incident confirmed"


def test_a_control_narrows_the_interval_where_it_shares_the_latent(drawn):
    narrower = []
    for seed in range(8):
        counts, spec, _ = drawn("ar_95", seed=seed, control=True)
        made = choose(grid(counts, spec), level=0.95)
        assert made.control.used
        plain = sized(made.grid, replace(made.season, control=False), level=0.95)
        narrower.append((made.result.high - made.result.low) / (plain.high - plain.low))
    assert np.median(narrower) < 0.7
    counts, spec, _ = drawn("ar_95", seed=0, control=True)
    assert "without_control" in rows(sizing(counts, spec)).index


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c: c.assign(control=5.0), "constant"),
        (lambda c: c.assign(control=c["control"].mask(c.index < 700)), "missing in"),
        (lambda c: c.assign(control=c["control"].mask(c.index > 8 * 168)), "of the incident"),
        (lambda c: c.assign(control=0.0), "constant"),
    ],
)
def test_a_control_that_cannot_be_used_is_set_aside_and_said(drawn, spoil, words):
    counts, spec, _ = drawn("ar_90", control=True, effect=1.0)
    result = sizing(spoil(counts), spec)
    made = check(result, "control_usable")
    assert made.verdict == "fail"
    assert words in made.text
    plain = sizing(counts.drop(columns="control"), spec)
    assert result.estimates["excess"] == plain.estimates["excess"]


def test_a_control_in_other_units_says_the_same(drawn):
    counts, spec, _ = drawn("ar_90", control=True, effect=1.0)
    one = sizing(counts, spec).estimates["excess"]
    other = sizing(counts.assign(control=counts["control"] * 1000), spec).estimates["excess"]
    assert (one.point, one.low, one.high) == pytest.approx((other.point, other.low, other.high))


def test_two_way_imputation_equals_dummy_regression(drawn):
    counts, spec, _ = drawn("poisson", effect=0.5)
    on = grid(counts, spec)
    found = two_way(on, level=0.95)
    local = counts["bucket_start_at"].dt.tz_localize(None).to_numpy()
    back = ((np.datetime64(spec.incident.end.replace(tzinfo=None)) - local.astype("M8[s]"))
            // np.timedelta64(1, "h")).astype(int) - 1  # fmt: skip
    keep = (back >= 0) & (on.fitted | on.present)
    hour, week = back[keep] % 168, back[keep] // 168
    fitted, y = on.fitted[keep], counts["count"].to_numpy()[keep]
    design = np.column_stack(
        [(hour == h) * 1.0 for h in range(168)]
        + [(week == w) * 1.0 for w in range(1, week.max() + 1)]
    )
    model = OLS(np.log(np.maximum(y[fitted], 0.5)), design[fitted]).fit()
    raw = np.exp(design @ model.params)
    expected = raw[~fitted].sum() * y[fitted].sum() / raw[fitted].sum()
    assert found.expected == pytest.approx(expected, rel=1e-8)
    assert found.margin > 0


def test_two_way_says_why_it_was_not_run(drawn):
    for name, options, words in (
        ("sparse", {}, "count fewer than"),
        ("poisson", {"hours": 168, "weeks": 8}, "own week"),
    ):
        counts, spec, _ = drawn(name, **options)
        found = two_way(grid(counts, spec), level=0.95)
        assert found.expected is None
        assert words in found.why_not


def test_placebo_p_value_counts_and_says_how_small_it_can_be(drawn):
    counts, spec, _ = drawn("ar_90", effect=3.0, spec={"direction": "increase"})
    result = sizing(counts, spec)
    n = len(result.placebos)
    assert result.estimates["placebo_p_value"].point == 1 / (1 + n)
    text = check(result, "placebo_windows").text
    assert f"0 of {n}" in text
    assert "overlap" in text
    same = result.placebos[result.placebos["same_phase"]]
    assert len(same) == 8
    ends = result.placebos["window_start_at"] + pd.Timedelta(hours=36)
    assert (ends <= pd.Timestamp(spec.incident.start)).all()


def test_same_phase_placebos_are_the_errors_behind_the_interval(drawn):
    counts, spec, _ = drawn("ar_90")
    result = sizing(counts, spec)
    same = result.placebos[result.placebos["same_phase"]]
    expected = same["excess"] / same["relative_excess"]
    tau = np.sqrt(np.sum(same["excess"] ** 2 - expected) / np.sum(expected**2))
    mean = result.estimates["expected"].point
    assert result.estimates["excess"].standard_error == pytest.approx(
        np.sqrt(mean + 0.5 / 8 + (tau * mean) ** 2)
    )


def test_a_followed_week_is_forecast_from_the_weeks_before_it(drawn):
    counts, spec, _ = drawn("poisson")
    on = grid(counts, spec)
    made = forecast(on, Season(harmonics=2))
    ratio = np.log(np.array([1.1, 0.9, 1.3, 1.2, 0.8, 1.0, 1.4, 0.7]))
    level = WeeklyLevel(log_ratio=ratio, drift_p=0.01)
    # A gain of nearly one: the last week before decides alone.
    after = followed(on, made, level, gain=1 - 1e-12)
    window = on.in_window
    np.testing.assert_allclose(after.expected[window], made.expected[window] * 1.1, rtol=1e-9)
    for block in range(5):
        own = on.block == block
        np.testing.assert_allclose(
            after.left_out[own], made.left_out[own] * np.exp(ratio[block + 1]), rtol=1e-9
        )
    # The first weeks have too few before them to be forecast.
    assert np.isnan(after.left_out[on.block >= 5]).all()
