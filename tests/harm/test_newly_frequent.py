"""Newly frequent tokens against exact binomial tests, and by simulation of what they promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from trustlib.core import NoData, Refusal
from trustlib.harm.newly_frequent import newly_frequent, ratio_interval, upper_tail, variance_ratio


def tokens(before, now, *, kind="domain") -> pd.DataFrame:
    return pd.DataFrame({"kind": kind, "token": np.arange(len(now)), "before": before, "now": now})


def rates(random, n: int) -> np.ndarray:
    return random.gamma(1.0, 10.0, n)


def drawn(random, mean, *, ratio: float) -> np.ndarray:
    """Poisson, or a negative binomial of variance `ratio` × mean."""
    if ratio == 1:
        return random.poisson(mean)
    return random.negative_binomial(np.maximum(mean, 1e-9) / (ratio - 1), 1 / ratio)


def test_the_tail_is_the_binomials():
    now, total = np.array([0, 3, 9, 9]), np.array([4, 9, 9, 40])
    ours = upper_tail(now, total, 0.3, 1.0)
    assert ours == pytest.approx(stats.binom.sf(now - 1, total, 0.3))


def test_the_interval_is_clopper_and_pearsons():
    low, high = ratio_interval([12, 7], [30, 0], 4.0, 1.0, level=0.9)
    ends = proportion_confint(12, 42, alpha=0.1, method="beta")
    assert (low[0], high[0]) == pytest.approx(tuple(p / (1 - p) * 4 for p in ends))
    share = proportion_confint(7, 7, alpha=0.1, method="beta")[0]
    assert low[1] == pytest.approx(share / (1 - share) * 4)
    assert high[1] == np.inf


def test_q_values_are_those_of_statsmodels():
    random = np.random.default_rng(1)
    before = random.poisson(30, 60)
    now = random.poisson(np.where(np.arange(60) < 12, 30, 10))
    found = newly_frequent(tokens(before, now), exposure_before=3, exposure_now=1)
    p = stats.binom.sf(now - 1, before + now, 0.25)
    expected = multipletests(p, alpha=0.05, method="fdr_bh")[1]
    assert found.tested == 60
    ours = found.tokens.set_index("token")["q"]
    assert sorted(ours.index) == np.flatnonzero(expected <= 0.05).tolist()
    assert ours.to_numpy() == pytest.approx(expected[ours.index])
    assert ours.is_monotonic_increasing
    ratio = found.tokens.set_index("token")["ratio"]
    assert ratio.to_numpy() == pytest.approx((now / before * 3)[ratio.index])


def test_a_token_without_a_past_has_a_lower_bound_only():
    found = newly_frequent(tokens([0, 50], [20, 50]), exposure_before=10, exposure_now=10)
    row = found.tokens.iloc[0]
    assert row["new"]
    assert np.isinf([row["ratio"], row["high"]]).all()
    share = proportion_confint(20, 20, alpha=0.05 * 0.5, method="beta")[0]
    assert row["low"] == pytest.approx(share / (1 - share))
    assert not row["small"]
    assert len(found.tokens) == 1
    assert "Of 2 tokens tested, 1 came" in found.sentence
    assert "1 of them not seen before" in found.sentence


def test_tokens_too_rare_ever_to_be_found_are_not_tested():
    found = newly_frequent(tokens([0, 0, 1], [4, 5, 9]), exposure_before=1, exposure_now=1)
    assert (found.tested, found.untestable) == (2, 1)
    assert found.tokens["small"].all()


def test_exposures_may_differ_by_kind():
    frame = pd.concat([tokens([40], [40]), tokens([40], [40], kind="device")])
    found = newly_frequent(
        frame, exposure_before={"domain": 4, "device": 1}, exposure_now={"domain": 1, "device": 1}
    )
    assert found.tokens["kind"].tolist() == ["domain"]
    assert found.tokens["ratio"].tolist() == [4]


@pytest.mark.parametrize("ratio", [1.0, 3.0])
def test_an_unchanged_world_gives_no_more_than_the_nominal_rate(ratio):
    random, any_found, p_values = np.random.default_rng(2), [], []
    for _ in range(200):
        mean = rates(random, 200)
        before, now = (drawn(random, mean * times, ratio=ratio) for times in (4, 1))
        found = newly_frequent(
            tokens(before, now), exposure_before=4, exposure_now=1, variance_ratio=ratio
        )
        any_found.append(len(found.tokens) > 0)
        often = before + now >= 20
        p_values.append(upper_tail(now, before + now, 0.2, ratio)[often])
    assert np.mean(any_found) <= 0.09
    assert 0.025 <= np.mean(np.concatenate(p_values) <= 0.05) <= 0.055


def test_counts_that_vary_more_are_not_mistaken_for_news():
    random, plain, known = np.random.default_rng(3), [], []
    for _ in range(40):
        mean = rates(random, 200)
        before, now = (drawn(random, mean * times, ratio=4.0) for times in (4, 1))
        frame, exposure = tokens(before, now), {"exposure_before": 4, "exposure_now": 1}
        plain.append(len(newly_frequent(frame, **exposure).tokens) > 0)
        known.append(len(newly_frequent(frame, **exposure, variance_ratio=4.0).tokens) > 0)
    assert np.mean(plain) > 0.9
    assert np.mean(known) < 0.15


def test_false_discoveries_and_intervals_of_what_is_found():
    random, false, covered = np.random.default_rng(4), [], []
    for _ in range(120):
        truth = np.where(np.arange(200) < 30, 3.0, 1.0)
        mean = rates(random, 200) + 5
        frame = tokens(random.poisson(mean * 2), random.poisson(mean * truth))
        found = newly_frequent(frame, exposure_before=2, exposure_now=1).tokens
        ratio = truth[found["token"]]
        false.append((ratio == 1).mean())
        covered.append(((found["low"] <= ratio) & (ratio <= found["high"])).mean())
    assert 0.02 <= np.mean(false) <= 0.06
    assert np.mean(covered) >= 0.95


def test_the_variance_ratio_is_recovered():
    random = np.random.default_rng(5)
    for ratio in (1.0, 3.0):
        mean = rates(random, 3000)
        rows = [
            tokens(0, drawn(random, mean, ratio=ratio)).assign(window=window) for window in range(6)
        ]
        history = pd.concat(rows).rename(columns={"now": "count"})
        history = history[history["count"] > 0]
        assert variance_ratio(history) == pytest.approx(ratio, rel=0.06)
    with pytest.raises(Refusal, match="one window"):
        variance_ratio(history[history["window"] == 0])
    with pytest.raises(NoData):
        variance_ratio(history.assign(token=np.arange(len(history)), count=1))


def test_neither_order_nor_the_callers_frame_changes():
    random = np.random.default_rng(6)
    frame = tokens(random.poisson(5, 50), random.poisson(20, 50))
    before = frame.copy(deep=True)
    one = newly_frequent(frame, exposure_before=1, exposure_now=1)
    other = newly_frequent(frame.sample(frac=1, random_state=1), exposure_before=1, exposure_now=1)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(one.tokens, other.tokens)
    assert len(one.tokens) > 10


def test_nothing_found_is_said():
    found = newly_frequent(tokens([30, 0], [30, 1]), exposure_before=1, exposure_now=1)
    assert found.sentence == (
        "Of 1 tokens tested, none is more frequent than before beyond chance; "
        "1 were too rare to test."
    )


def test_what_cannot_be_read_is_refused():
    frame = tokens([1, 2], [3, 4])
    both = {"exposure_before": 1.0, "exposure_now": 1.0}
    for wrong, message in (
        (frame.drop(columns="now"), "no column now"),
        (frame.assign(now=[1, -1]), "now is not a whole number from 0 in 1 rows"),
        (frame.assign(token=0), "repeats within its kind in 1 rows"),
    ):
        with pytest.raises(Refusal, match=message):
            newly_frequent(wrong, **both)
    with pytest.raises(Refusal, match="exposure is not a number above 0"):
        newly_frequent(frame, exposure_before=0, exposure_now=1)
    with pytest.raises(Refusal, match="missing for 1 kinds"):
        newly_frequent(frame, exposure_before={"device": 1}, exposure_now=1)
    for nothing in (frame.iloc[:0], tokens([0, 0], [0, 0])):
        with pytest.raises(NoData):
            newly_frequent(nothing, **both)
