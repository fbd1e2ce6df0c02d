"""did(): the right headline for the design, numbers that add up, nothing said that is not known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trustlib.core import Refusal
from trustlib.interventions import DidSpec, did
from trustlib.interventions.disclosure import may_be_named

PERIODS = 12
STARTS = (5, 7, 9)


def rollout(
    units: int = 80, *, starts: tuple[int, ...] = STARTS, never: int | None = None, seed: int = 0
) -> pd.DataFrame:
    """Units with starts handed out in turn, the last `never` of them untreated; an effect of
    −1 that grows by .2 a period."""
    rng = np.random.default_rng(seed)
    never = units // 3 if never is None else never
    first = np.array([starts[unit % len(starts)] for unit in range(units)], dtype=float)
    first[units - never :] = np.nan
    level = rng.normal(10, 2, units)[:, None] + rng.normal(0, 0.3, PERIODS)
    outcome = level + rng.normal(0, 0.4, (units, PERIODS))
    since = np.arange(PERIODS) - np.nan_to_num(first, nan=99.0)[:, None]
    outcome += np.where(since >= 0, -1 - 0.2 * since, 0.0)
    return pd.DataFrame(
        {
            "unit": np.repeat([f"market {unit:03d}" for unit in range(units)], PERIODS),
            "time": np.tile(np.arange(2000, 2000 + PERIODS), units),
            "outcome": outcome.ravel(),
            "treatment_start": np.repeat(first + 2000, PERIODS),
            "people": np.repeat(rng.integers(100, 900, units), PERIODS).astype(float),
        }
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return rollout()


@pytest.fixture(scope="module")
def result(frame):
    return did(frame, DidSpec(unit_label="incidents", unit_value_usd=2.0))


def check(found, name: str):
    return next(each for each in found.checks if each.name == name)


def test_a_staggered_rollout_is_led_by_group_time_effects(result) -> None:
    assert result.design.staggered
    assert result.design.estimator == "callaway_santanna"
    assert result.estimates["att"].to_json() | {"method": ""} == result.estimates[
        "simple"
    ].to_json() | {"method": "", "n": result.estimates["att"].n}
    assert result.verdict == "effect shown"
    row = result.comparison.iloc[0]
    assert row["headline"]
    assert row["point"] == result.estimates["att"].point
    assert set(result.comparison["estimator"]) == {
        "callaway_santanna", "imputation", "sun_abraham", "two_way"
    }  # fmt: skip


def test_the_truth_lies_in_the_intervals(result) -> None:
    since = [t - s for s in STARTS for t in range(s, PERIODS)]
    truth = float(np.mean([-1 - 0.2 * e for e in since]))
    counts = result.rollout[result.rollout["group"] != "never"].groupby("group").size()
    weights = [counts[str(2000 + s)] for s in STARTS for _ in range(s, PERIODS)]
    truth = float(np.average([-1 - 0.2 * e for e in since], weights=weights))
    att, total = result.estimates["att"], result.estimates["total_effect"]
    assert att.low <= truth <= att.high
    assert total.low <= truth * sum(weights) <= total.high
    assert total.n == sum(weights)


def test_the_total_is_the_average_times_the_exposure(result) -> None:
    att, total = result.estimates["att"], result.estimates["total_effect"]
    assert total.point == pytest.approx(att.point * total.n, rel=1e-12)
    assert result.estimates["total_value_usd"].point == pytest.approx(2 * total.point)
    parts = result.totals.iloc[:-1]
    assert parts["effect"].sum() == pytest.approx(total.point, rel=1e-12)
    assert parts["periods_treated"].sum() == total.n
    assert result.totals.iloc[-1]["name"] == "all"


def test_observed_less_counterfactual_is_the_effect(result) -> None:
    whole = result.counterfactual[result.counterfactual["group"] == "all"]
    gap = (whole["observed"] - whole["counterfactual"]).to_numpy()
    treated = int((result.rollout["group"] != "never").sum())
    assert treated * gap[min(STARTS) :].sum() == pytest.approx(
        result.estimates["total_effect"].point, rel=1e-9
    )
    # The last period before each cohort's start is its reference.
    for start in STARTS:
        own = result.counterfactual[result.counterfactual["group"] == str(2000 + start)]
        before = own[own["time"] == str(2000 + start - 1)].iloc[0]
        assert before["observed"] == pytest.approx(before["counterfactual"], abs=1e-12)


def test_a_rate_is_summed_over_people(frame) -> None:
    rated = frame.assign(outcome=frame["outcome"] + 50)
    spec = DidSpec(weight="people", outcome_scale="rate", rate_per=1000)
    found = did(rated, spec)
    cells = found.group_time[found.group_time["after"]].set_index(["group", "time"])["point"]
    treated = rated[rated["time"] >= rated["treatment_start"]]
    keys = zip(treated["treatment_start"].astype(int).astype(str), treated["time"].astype(str),
               strict=True)  # fmt: skip
    expected = sum(n / 1000 * cells[key] for key, n in zip(keys, treated["people"], strict=True))
    assert found.estimates["total_effect"].point == pytest.approx(expected, rel=1e-9)
    observed = (treated["people"] / 1000 * treated["outcome"]).sum()
    assert found.estimates["relative_effect"].point == pytest.approx(
        expected / (observed - expected), rel=1e-9
    )


def test_a_log_outcome_is_sized_in_levels(frame) -> None:
    logged = frame.assign(log_sales=np.log(np.maximum(frame["outcome"], 0.5)))
    found = did(logged, DidSpec(outcome="log_sales"))
    assert found.design.outcome_scale == "log"
    assert "logarithm" in check(found, "outcome_scale").text
    cells = found.group_time[found.group_time["after"]].set_index(["group", "time"])["point"]
    treated = logged[logged["time"] >= logged["treatment_start"]]
    keys = zip(treated["treatment_start"].astype(int).astype(str), treated["time"].astype(str),
               strict=True)  # fmt: skip
    expected = sum(
        np.exp(y) * (1 - np.exp(-cells[key]))
        for key, y in zip(keys, treated["log_sales"], strict=True)
    )
    assert found.estimates["total_effect"].point == pytest.approx(expected, rel=1e-9)


def test_one_date_is_the_plain_difference_of_means(frame) -> None:
    one = frame.assign(treatment_start=frame["treatment_start"].where(
        frame["treatment_start"].isna(), 2006.0))  # fmt: skip
    found = did(one, DidSpec())
    assert found.design.estimator == "two_way"
    after, treated = one["time"] >= 2006, one["treatment_start"].notna()
    mean = {(a, t): one["outcome"][(after == a) & (treated == t)].mean()
            for a in (True, False) for t in (True, False)}  # fmt: skip
    plain = mean[True, True] - mean[False, True] - mean[True, False] + mean[False, False]
    assert found.estimates["att"].point == pytest.approx(plain, rel=1e-9)
    assert check(found, "forbidden_comparisons").verdict == "pass"
    whole = found.counterfactual[found.counterfactual["group"] == "all"]
    gap = (whole["observed"] - whole["counterfactual"]).to_numpy()
    assert gap[6:].mean() == pytest.approx(plain, rel=1e-9)
    assert gap[:6].mean() == pytest.approx(0, abs=1e-9)


def test_with_few_clusters_the_interval_comes_from_re_assignment() -> None:
    found = did(rollout(12, starts=(6,), never=6), DidSpec())
    att = found.estimates["att"]
    assert found.design.few_clusters
    assert "re-assignment" in att.method
    assert att.standard_error is None
    assert att.low < att.point < att.high
    assert found.estimates["randomization_p_value"].point <= 0.05
    assert check(found, "few_clusters").verdict == "warn"


def test_so_few_that_no_interval_can_be_had_says_so() -> None:
    found = did(rollout(5, starts=(6,), never=4), DidSpec())
    att = found.estimates["att"]
    assert (att.low, att.high) == (None, None)
    assert "p-value below" in att.note
    assert found.verdict == "not estimable"
    assert check(found, "few_clusters").verdict == "fail"
    assert check(found, "sensitivity_to_trends").verdict == "not_run"
    assert check(found, "pre_trend").verdict == "not_run"
    assert found.comparison["low"].isna().all()


def test_a_trend_that_was_there_before_is_not_an_effect(frame) -> None:
    drifting = frame.assign(
        outcome=frame["outcome"] - 0.5 * (frame["time"] - 2000) * frame["treatment_start"].notna()
    )
    found = did(drifting, DidSpec())
    assert check(found, "pre_trend").verdict == "fail"
    assert found.verdict == "not conclusive"


def test_no_effect_is_not_shown(frame) -> None:
    since = frame["time"] - frame["treatment_start"]
    still = frame.assign(outcome=frame["outcome"] + np.where(since >= 0, 1 + 0.2 * since, 0.0))
    found = did(still, DidSpec())
    att = found.estimates["att"]
    assert att.low < 0 < att.high
    assert found.verdict == "no effect shown"
    assert check(found, "sensitivity_to_trends").verdict == "not_run"
    assert found.estimates["smallest_detectable_effect"].point > 0


def test_a_two_way_headline_with_forbidden_comparisons_fails(frame) -> None:
    found = did(frame, DidSpec(estimator="two_way"))
    assert check(found, "forbidden_comparisons").verdict == "fail"
    assert found.verdict == "not conclusive"


def test_where_all_are_treated_in_the_end_the_not_yet_treated_compare() -> None:
    found = did(rollout(60, never=0), DidSpec())
    assert found.design.control_group == "not_yet"
    assert check(found, "comparison_group").verdict == "warn"
    assert check(found, "coverage_of_the_total").verdict == "warn"
    total = found.estimates["total_effect"]
    assert total.n == 20 * 4 + 20 * 2  # after the last start nobody is left to compare with


def test_gaps_are_counted(frame) -> None:
    holes = frame.drop(frame.index[[3, 40, 41, 500]])
    found = did(holes, DidSpec())
    assert found.design.missing_cells == 4
    assert "4" in check(found, "balance").text
    assert check(found, "forbidden_comparisons").verdict == "not_run"
    assert found.bacon.empty


@pytest.mark.parametrize("estimator", ["imputation", "sun_abraham", "two_way"])
def test_another_estimator_can_lead(frame, estimator) -> None:
    found = did(frame, DidSpec(estimator=estimator))
    assert found.comparison.iloc[0]["estimator"] == estimator
    att, total = found.estimates["att"], found.estimates["total_effect"]
    assert total.point == pytest.approx(att.point * total.n)
    assert total.high == pytest.approx(att.high * total.n)
    assert found.event_study["event_time"].is_monotonic_increasing


def test_anticipation_moves_the_reference(frame) -> None:
    found = did(frame, DidSpec(anticipation=1))
    reference = found.event_study_universal.set_index("event_time")["reference"]
    assert reference[-2]
    assert reference.sum() == 1


def test_rows_in_any_order_and_other_labels_change_nothing(frame, result) -> None:
    shuffled = frame.sample(frac=1, random_state=1)
    again = did(shuffled, DidSpec(unit_label="incidents", unit_value_usd=2.0))
    assert again.series() == result.series()
    assert again.estimates == result.estimates
    renamed = frame.assign(unit="x" + frame["unit"].str[-3:], time=frame["time"] - 1990,
                           treatment_start=frame["treatment_start"] - 1990)  # fmt: skip
    moved = did(renamed, DidSpec(unit_label="incidents", unit_value_usd=2.0))
    for name, estimate in result.estimates.items():
        assert moved.estimates[name].point == pytest.approx(estimate.point, rel=1e-9), name


def test_scaling_scales(frame, result) -> None:
    big = did(frame.assign(outcome=frame["outcome"] * 1e6), DidSpec())
    for name in ("att", "total_effect", "group", "dynamic", "calendar"):
        assert big.estimates[name].point == pytest.approx(1e6 * result.estimates[name].point)
        assert big.estimates[name].low == pytest.approx(1e6 * result.estimates[name].low)
    assert big.verdict == result.verdict
    assert big.estimates["breakdown_relative_magnitudes"].point == pytest.approx(
        result.estimates["breakdown_relative_magnitudes"].point, rel=1e-4
    )


def test_the_frame_is_not_changed(frame) -> None:
    before = frame.copy(deep=True)
    did(frame, DidSpec())
    pd.testing.assert_frame_equal(frame, before)


def test_what_could_be_a_person_is_not_named(frame) -> None:
    accounts = frame.assign(unit="acct_" + frame["unit"].str[-3:] + "00912")
    found = did(accounts, DidSpec())
    assert not found.design.names_shown
    text = str(found.series())
    assert "acct_" not in text
    assert found.rollout["units"].sum() == 80


@pytest.mark.parametrize(
    ("names", "allowed"),
    [
        (["Berlin", "Köln 2"], True),
        (["ann@example.org"], False),
        (["8001234"], False),
        (["4f9a77c01be2"], False),
        (["a3b1d2e4-55aa-4c1e-9f00-2b1d8e8f7a10"], False),
        ([str(n) for n in range(101)], False),
    ],
)
def test_names_that_may_be_shown(names, allowed) -> None:
    assert may_be_named(names) is allowed


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"estimator": "callaway"}, "estimator"),
        ({"control_group": "nevr"}, "control_group"),
        ({"level": 1.0}, "level"),
        ({"anticipation": -1}, "anticipation"),
        ({"rate_per": 0}, "rate_per"),
        ({"outcome_scale": "rate"}, "weight"),
        ({"unit_value_usd": -1}, "unit_value_usd"),
        ({"covariates": ("outcome",)}, "twice"),
        ({"draws": 10}, "draws"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(change, match) -> None:
    with pytest.raises(Refusal, match=match):
        DidSpec(**change)


def test_a_count_with_negative_values_is_refused(frame) -> None:
    negative = frame.assign(outcome=frame["outcome"] - 100)
    with pytest.raises(Refusal, match="negative") as error:
        did(negative, DidSpec(outcome_scale="count"))
    assert "-9" not in error.value.message()


def test_with_few_clusters_the_two_way_row_is_bootstrapped() -> None:
    found = did(rollout(14, never=5), DidSpec())
    row = found.comparison[found.comparison["estimator"] == "two_way"].iloc[0]
    assert "wild cluster bootstrap" in row["description"]
    assert row["low"] < row["point"] < row["high"]


def test_a_two_way_headline_with_covariates_and_few_clusters_is_bootstrapped() -> None:
    frame = rollout(14, starts=(6,), never=7)
    rng = np.random.default_rng(4)
    frame["load"] = rng.normal(size=len(frame))
    found = did(frame, DidSpec(estimator="two_way", covariates=("load",)))
    att = found.estimates["att"]
    assert "wild cluster bootstrap" in att.method
    assert att.low < att.point < att.high < 0


def test_without_neighbours_is_a_row_of_its_own(frame) -> None:
    near = frame["unit"].isin(["market 070", "market 071", "market 072", "market 073"])
    shown = did(frame.assign(near=near), DidSpec(neighbour="near"))
    row = shown.comparison.iloc[-1]
    assert "without neighbours" in row["description"]
    left = did(frame[~near], DidSpec())
    assert row["point"] == pytest.approx(left.estimates["att"].point, rel=1e-9)
    assert check(shown, "displacement").verdict in ("pass", "warn")


def test_the_band_of_all_cells_is_wider_than_that_of_event_times(result) -> None:
    cells = result.group_time
    wide = (cells["band_high"] - cells["point"]) / (cells["high"] - cells["point"])
    events = result.event_study
    narrow = (events["band_high"] - events["point"]) / (events["high"] - events["point"])
    assert wide.min() > narrow.max() > 1


def test_cohorts_of_few_people_are_not_shown_alone(frame) -> None:
    accounts = frame.assign(unit="user-7341" + frame["unit"].str[-3:])
    few = accounts[
        accounts["treatment_start"].ne(2005) | accounts["unit"].isin(accounts["unit"].unique()[:24])
    ]
    found = did(few, DidSpec())
    plain = did(few.assign(unit=few["unit"].str[-2:]), DidSpec())
    assert found.estimates == plain.estimates
    assert check(found, "small_cells").verdict == "warn"
    assert set(plain.group_effects["group"]) == {"2005", "2007", "2009"}
    for name in ("group_time", "group_effects", "counterfactual", "totals", "rollout", "bacon"):
        groups = getattr(found, name)["group"]
        assert "2005" not in set(groups), name
        # One cohort alone would be the difference between the whole and the rest.
        assert len({"2007", "2009"} & set(groups)) <= 1, name
    assert (found.event_study["units"] >= 11).all()
    assert "2005" not in set(found.leave_one_out["left_out"])
    assert all(name != "small_cells" for name in [each.name for each in plain.checks])


def test_where_only_few_people_are_treated_the_page_says_so(frame) -> None:
    first = frame["unit"].unique()
    kept = frame[frame["treatment_start"].isna() | frame["unit"].isin(first[:9])]
    found = did(kept.assign(unit="user-7341" + kept["unit"].str[-3:]), DidSpec())
    assert "restrict" in check(found, "small_cells").text
    assert found.totals.iloc[-1]["name"] == "all"


def test_what_knows_no_anticipation_refuses_it_and_is_marked_beside(frame) -> None:
    for estimator in ("sun_abraham", "two_way"):
        with pytest.raises(Refusal, match="anticipation"):
            DidSpec(estimator=estimator, anticipation=1)
    found = did(frame, DidSpec(anticipation=1))
    rows = found.comparison.set_index("estimator")
    for estimator in ("sun_abraham", "two_way"):
        assert "without anticipation" in rows.loc[estimator, "description"]
        assert not rows.loc[estimator, "modern"]


@pytest.mark.parametrize("estimator", ["imputation", "sun_abraham"])
def test_periods_without_any_comparison_are_in_no_total(estimator) -> None:
    found = did(rollout(60, never=0), DidSpec(estimator=estimator))
    assert found.estimates["total_effect"].n == 20 * 4 + 20 * 2
    assert check(found, "coverage_of_the_total").verdict == "warn"


def test_a_start_inside_a_period_is_said(frame) -> None:
    first = pd.Timestamp("2026-01-05")
    weekly = frame.assign(
        time=first + pd.to_timedelta(7 * (frame["time"] - 2000), "D"),
        treatment_start=first + pd.to_timedelta(7 * (frame["treatment_start"] - 2000) + 3, "D"),
    )
    found = did(weekly, DidSpec())
    assert found.estimates["att"].point == pytest.approx(
        did(frame, DidSpec()).estimates["att"].point
    )
    assert "diluted" in check(found, "left_out").text


def test_a_logarithm_that_cannot_be_one(frame) -> None:
    large = frame.assign(log_sales=frame["outcome"] * 1000)
    assert did(large, DidSpec(outcome="log_sales")).design.outcome_scale == "level"
    with pytest.raises(Refusal, match="logarithm"):
        did(large, DidSpec(outcome="log_sales", outcome_scale="log"))
