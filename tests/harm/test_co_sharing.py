"""Ties in time: exact tails by hand and brute force, shuffled worlds, planted rings."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.harm.rings import DAY, events, precision
from trustlib.core import NoData, Refusal
from trustlib.harm.co_sharing import co_sharing, poisson_binomial_tail


def together(tokens: int = 4, others: int = 20, *, gap: float = 60.0) -> pd.DataFrame:
    """Accounts 1, 2, 3 share every token within two minutes, others an hour apart each."""
    rows = []
    for token in range(tokens):
        rows += [(actor, token, 1e6 + gap * actor) for actor in (1, 2, 3)]
        rows += [(100 + nth * 7 + token, token, 1e6 + 3600.0 * (nth + 1)) for nth in range(others)]
    return pd.DataFrame(rows, columns=["actor", "token", "time"])


def test_the_tail_by_brute_force():
    chances = np.array([[0.1, 0.4, 0.7, 0.0], [0.5, 0.5, 0.5, 0.5], [0.2, 0.9, 1.0, 0.3]])
    at_least = np.array([2, 3, 0])
    ours = poisson_binomial_tail(chances, at_least=at_least)
    for row, number in enumerate(at_least):
        total = 0.0
        for outcome in itertools.product((0, 1), repeat=4):
            chance = np.where(outcome, chances[row], 1 - chances[row]).prod()
            total += chance * (sum(outcome) >= number)
        assert ours[row] == pytest.approx(total, rel=1e-12)
    assert ours[1] == pytest.approx(stats.binom.sf(2, 4, 0.5))


def test_a_pair_by_hand():
    found = co_sharing(together())
    assert found.pairs[["actor_a", "actor_b"]].to_numpy().tolist() == [[1, 2], [1, 3], [2, 3]]
    # 3 close pairs among 23 accounts, at each of four tokens.
    chance = 3 / (23 * 22 / 2)
    assert found.pairs["expected"].to_numpy() == pytest.approx(4 * chance)
    assert found.pairs["p_value"].to_numpy() == pytest.approx(chance**4)
    assert found.pairs["evidence"].to_numpy() == pytest.approx(-8 * np.log(chance))
    assert (found.pairs["close"] == 4).all()
    assert len(found.ties) == 12
    first = found.ties.iloc[0]
    assert (first["first_at"], first["last_at"]) == (1e6 + 60, 1e6 + 120)
    assert found.p_value == pytest.approx(0.05)


def test_close_means_at_most_delta_apart():
    frame = together(gap=60.0)
    # At just under two minutes 1 and 3 are apart; 1–2 and 2–3 remain.
    for within, pairs in ((120, 3), (119.9, 2), (60, 2), (59.9, 0)):
        assert co_sharing(frame, within_seconds=within).candidate_pairs == pairs


def test_pairs_that_close_no_triangle_are_set_aside():
    found = co_sharing(together(), within_seconds=100)
    assert (len(found.pairs), found.pairs_set_aside) == (0, 2)


def test_only_the_first_share_of_a_token_counts_unless_periods_are_given():
    frame = together(tokens=1)
    later = pd.concat([frame.assign(time=frame["time"] + day * DAY) for day in range(4)])
    once = co_sharing(later)
    assert (once.tokens, once.candidate_pairs) == (1, 0)
    anew = co_sharing(later, period_seconds=DAY)
    assert len(anew.pairs) == 3
    assert (anew.pairs["close"] >= 3).all()


def test_a_token_with_all_its_shares_in_delta_cannot_tell():
    rows = [(actor, token, 10.0 * actor) for actor in range(6) for token in range(5)]
    found = co_sharing(pd.DataFrame(rows, columns=["actor", "token", "time"]))
    assert (found.tokens, found.tokens_that_cannot_tell) == (5, 5)
    assert found.candidate_pairs == 0
    assert found.pairs.empty


def test_common_tokens_are_left_out_and_counted():
    everybody = pd.DataFrame({"actor": np.arange(300), "token": 99, "time": 1e6})
    found = co_sharing(pd.concat([together(), everybody]), most_accounts=50)
    assert (found.tokens, found.tokens_left_out) == (5, 1)
    pd.testing.assert_frame_equal(found.pairs, co_sharing(together()).pairs)


def test_neither_order_nor_the_callers_frame_nor_the_origin_of_time_changes():
    frame, _ = events(1, accounts=900, rings=2, tokens=400)
    before = frame.copy(deep=True)
    one = co_sharing(frame)
    pd.testing.assert_frame_equal(frame, before)
    other = co_sharing(frame.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(one.pairs, other.pairs)
    pd.testing.assert_frame_equal(one.ties, other.ties)
    moved = co_sharing(frame.assign(time=frame["time"] + 1_700_000_000))
    assert (moved.pairs[["actor_a", "actor_b"]] == one.pairs[["actor_a", "actor_b"]]).all(axis=None)
    assert len(one.pairs) > 50


def test_a_rush_that_everybody_joins_ties_nobody():
    random = np.random.default_rng(3)
    rows = []
    for token in range(40):
        actor = random.choice(200, 60, replace=False)
        rows.append(pd.DataFrame({"actor": actor, "token": token}))
        rows[-1]["time"] = token * DAY + random.exponential(1200, 60)
    found = co_sharing(pd.concat(rows), draws=39)
    assert found.candidate_pairs > 1000
    assert found.pairs.empty


def test_rings_are_found_and_what_is_found_is_rings():
    right, seen = [], []
    for seed in range(4):
        frame, ring = events(seed)
        found = co_sharing(frame, seed=seed)
        right.append(precision(found.pairs, ring))
        tied = found.pairs[["actor_a", "actor_b"]].to_numpy()
        seen.append(np.isin(np.flatnonzero(ring >= 0), tied).mean())
    assert np.mean(right) > 0.97
    assert np.mean(seen) > 0.7


def test_shuffled_times_give_ties_at_no_more_than_the_nominal_rate():
    any_tie, p_values = [], []
    for seed in range(80):
        frame, _ = events(seed, accounts=600, rings=0, tokens=120)
        found = co_sharing(frame, seed=seed)
        any_tie.append(len(found.pairs) > 0)
        p_values.append(found.p_value)
    # 80 worlds at 5 %: more than 9 has a chance of 1 %.
    assert sum(any_tie) <= 9
    assert min(p_values) >= 0.05


def test_what_cannot_be_read_is_refused():
    frame = together()
    with pytest.raises(Refusal, match="no column time"):
        co_sharing(frame.drop(columns="time"))
    with pytest.raises(Refusal, match="time is not a number of seconds in 1 rows"):
        co_sharing(frame.assign(time=frame["time"].where(frame.index != 5)))
    with pytest.raises(Refusal, match="must be above 0"):
        co_sharing(frame, within_seconds=0)
    with pytest.raises(Refusal, match="18 shuffles cannot show"):
        co_sharing(frame, draws=18)
    with pytest.raises(NoData):
        co_sharing(frame.iloc[:0])
