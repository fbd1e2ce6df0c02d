"""Kaplan–Meier curves against statsmodels, by hand, and by simulation of their coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from trustlib.core import NoData, Refusal
from trustlib.harm.lifecycle import (
    ABUSE_TO_ACTION,
    SIGN_UP_TO_ABUSE,
    VIEWS_BEFORE_ACTION,
    lifecycle,
    lifecycles,
)


def cases(seed: int, n: int = 300, *, late: bool = False, digits: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    until = np.round(random.exponential(10, n), digits) + 0.1
    end = np.round(random.uniform(0, 30, n), digits) + 0.1
    duration = np.minimum(until, end)
    entry = np.where(random.random(n) < 0.3, np.round(duration * 0.8 * random.random(n), 2), 0.0)
    frame = pd.DataFrame({"duration": duration, "observed": until <= end})
    return frame.assign(entry=entry) if late else frame


def found(frame: pd.DataFrame, **more):
    return lifecycle(frame, stage=ABUSE_TO_ACTION, **more)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_curve_is_that_of_statsmodels(late, level):
    frame = cases(1, late=late)
    ours = found(frame, level=level)
    entry = {"entry": frame["entry"].to_numpy()} if late else {}
    theirs = SurvfuncRight(frame["duration"], frame["observed"].astype(int), **entry)
    curve = ours.curve
    assert curve["time"].to_numpy() == pytest.approx(theirs.surv_times)
    assert curve["at_risk"].to_numpy() == pytest.approx(theirs.n_risk)
    assert curve["events"].to_numpy() == pytest.approx(theirs.n_events)
    assert curve["surviving"].to_numpy() == pytest.approx(theirs.surv_prob, abs=1e-12)
    known = np.isfinite(curve["standard_error"])
    assert known.sum() > 50
    assert curve["standard_error"][known].to_numpy() == pytest.approx(
        theirs.surv_prob_se[known], abs=1e-12
    )
    for share in (0.25, 0.5, 0.6):
        ends = theirs.quantile_ci(share, alpha=1 - level, method="cloglog")
        ours_at = ours.quantile(share)
        assert ours_at.point == pytest.approx(theirs.quantile(share))
        assert (ours_at.low, ours_at.high) == pytest.approx(ends)


def test_a_curve_by_hand():
    frame = pd.DataFrame({"duration": [1, 2, 2, 3, 4], "observed": [1, 1, 0, 1, 0]})
    curve = found(frame).curve
    assert curve["at_risk"].tolist() == [5, 4, 2]
    assert curve["surviving"].to_numpy() == pytest.approx([0.8, 0.6, 0.3])
    variance = 0.6**2 * (1 / (5 * 4) + 1 / (4 * 3))
    assert curve["standard_error"].iloc[1] == pytest.approx(variance**0.5)


def test_counts_stand_for_that_many_cases_and_order_does_not_matter():
    frame = cases(2, digits=0)
    grouped = frame.groupby(["duration", "observed"]).size().rename("weight").reset_index()
    assert len(grouped) < len(frame) / 2
    one, other = found(frame), found(grouped.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(one.curve, other.curve)
    assert (one.median, one.n, one.ended) == (other.median, other.n, other.ended)
    assert one.n == 300


def test_the_input_is_left_alone():
    frame = cases(4, late=True)
    before = frame.copy(deep=True)
    found(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_equal_sampling_weights_have_greenwoods_variance():
    frame = cases(5)
    counted, sampled = found(frame), found(frame.assign(weight=7.3), weights="sampling")
    for column in ("surviving", "standard_error", "low", "high"):
        assert sampled.curve[column].to_numpy() == pytest.approx(
            counted.curve[column].to_numpy(), abs=1e-9, nan_ok=True
        )
    assert sampled.n == 300


def test_the_sampling_variance_is_the_sum_of_squared_influences():
    random = np.random.default_rng(6)
    frame = cases(6, n=60, late=True).assign(weight=random.integers(1, 9, 60) / 3)
    curve = found(frame, weights="sampling").curve
    hazard = curve["events"] / curve["at_risk"]
    left = curve["at_risk"] - curve["events"]
    for row in (0, 7, 20):
        total = 0.0
        for case in frame.itertuples():
            times = curve["time"]
            there = (times > case.entry) & (times <= min(case.duration, times[row]))
            influence = -(hazard / left)[there].sum()
            if case.observed and case.duration <= times[row]:
                influence += 1 / left[times == case.duration].iloc[0]
            total += (case.weight * influence) ** 2
        expected = curve["surviving"][row] * total**0.5
        assert curve["standard_error"][row] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weights", ["counts", "sampling"])
def test_intervals_cover(weights):
    random, hits, medians = np.random.default_rng(7), [], []
    for _ in range(300):
        n = 150
        heavy = (random.random(n) < 0.5) & (weights == "sampling")
        until = random.exponential(np.where(heavy, 10.0, 3.0))
        end = random.uniform(0, 25, n)
        frame = pd.DataFrame({"duration": np.minimum(until, end), "observed": until <= end})
        frame["weight"] = np.where(heavy, 9.0, 1.0)
        ours = found(frame, weights=weights)
        share = ours.ended_by(4)
        truth = 0.1 * np.exp(-4 / 3) + 0.9 * np.exp(-0.4) if heavy.any() else np.exp(-4 / 3)
        hits.append(share.low <= 1 - truth <= share.high)
        if weights == "counts":
            medians.append(ours.median.low <= 3 * np.log(2) <= ours.median.high)
    assert 0.92 <= np.mean(hits) <= 0.985
    assert weights == "sampling" or 0.92 <= np.mean(medians) <= 0.985


def test_a_median_that_is_not_reached_is_said():
    frame = pd.DataFrame({"duration": [1, 2] + [50] * 18, "observed": [1, 1] + [0] * 18})
    ours = lifecycle(frame, stage=SIGN_UP_TO_ABUSE)
    assert ours.median.point is None
    assert ours.sentence == (
        "From sign-up to first abuse: not reached: 10% of 20 got to first abuse within the "
        "50 hours that they were followed."
    )
    assert ours.ended_by(30).point == pytest.approx(0.1)
    assert ours.ended_by(60).point is None
    assert ours.ended_by(0.5).point == 0


def test_a_median_whose_interval_does_not_end_has_none():
    frame = pd.DataFrame({"duration": [1, 2, 3, 4, 5, 6], "observed": [1, 1, 1, 0, 0, 0]})
    median = found(frame).median
    assert median.point == 3
    assert median.low is None
    assert "upper end lies beyond" in median.note
    assert "lower end is 1" in median.note


def test_a_curve_that_ends_at_zero_stays_there():
    random = np.random.default_rng(8)
    weight = random.random(40) * 3
    frame = pd.DataFrame({"duration": random.random(40), "observed": True, "weight": weight})
    ours = found(frame, weights="sampling")
    assert ours.curve["surviving"].iloc[-1] == 0
    assert (ours.curve["surviving"].iloc[:-1] > 0).all()
    after = ours.ended_by(5)
    assert (after.point, after.low) == (1, None)
    assert "everything at risk" in after.note


def test_checks_say_what_the_curve_rests_on():
    plain = {check.name: check for check in found(cases(9)).checks}
    assert plain["censoring"].verdict == "pass"
    assert plain["left_truncation"].verdict == "not_run"
    late = {check.name: check for check in found(cases(9, late=True)).checks}
    assert late["left_truncation"].verdict == "pass"
    frame = cases(9)
    finished = {c.name: c for c in found(frame[frame["observed"]]).checks}
    assert finished["censoring"].verdict == "warn"
    few = {c.name: c for c in found(frame.head(5)).checks}
    assert few["risk_set"].verdict == "warn"
    none = found(frame[~frame["observed"]])
    assert none.median.point is None
    assert none.checks[2].label == "nothing happened"


def test_stages_without_rows_are_left_out():
    frame = cases(10)
    both = lifecycles({"views_before_action": frame, "sign_up_to_abuse": None})
    assert [curve.stage for curve in both] == [VIEWS_BEFORE_ACTION]
    assert both[0].median.unit == "views"
    with pytest.raises(Refusal, match="1 stages have no description"):
        lifecycles({"other": frame})


def test_what_cannot_be_read_is_refused():
    frame = cases(11, late=True)
    for column, value, message in (
        ("duration", -1.0, "duration is not a number from 0 in 1 rows"),
        ("entry", 1e9, "entry is not before the duration"),
        ("weight", 0.5, "weight is not a count"),
        ("observed", 2, "observed is not true or false"),
    ):
        wrong = frame.assign(weight=1.0, observed=frame["observed"].astype(int))
        wrong.loc[3, column] = value
        with pytest.raises(Refusal, match=message):
            found(wrong)
    with pytest.raises(Refusal, match="no column observed"):
        found(frame[["duration"]])
    with pytest.raises(NoData):
        found(frame.iloc[:0])
    with pytest.raises(NoData):
        found(frame.assign(weight=0.0))
