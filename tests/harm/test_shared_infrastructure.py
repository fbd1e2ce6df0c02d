"""Ties by shared tokens: by hand, in shuffled worlds, and with planted rings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.harm.rings import events, links, precision
from trustlib.core import NoData, Refusal
from trustlib.harm import token_pairs as tp
from trustlib.harm.shared_infrastructure import shared_infrastructure


def frame(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["actor", "kind", "token"])


def ring_of_three(accounts: int = 400) -> pd.DataFrame:
    """Accounts 1, 2, 3 have a device, a payment and a domain in common; the others nothing."""
    lone = [(a, kind, a) for a in range(accounts) for kind in ("device", "payment", "domain")]
    tied = [(a, kind, 9999) for a in (1, 2, 3) for kind in ("device", "payment", "domain")]
    return frame(lone + tied)


def test_the_weight_is_the_surprise_of_a_shuffle():
    found = shared_infrastructure(ring_of_three())
    assert found.pairs[["actor_a", "actor_b"]].to_numpy().tolist() == [[1, 2], [1, 3], [2, 3]]
    # A token of 3 among 403 links; the two accounts have two links each.
    chance = 2 * 2 * 3 * 2 / (403 * 402)
    assert found.pairs["weight"].to_numpy() == pytest.approx(-3 * np.log(chance))
    # The third account is tied to both: √(w w) on top.
    assert found.pairs["evidence"].to_numpy() == pytest.approx(-6 * np.log(chance))
    assert (found.pairs["tokens"] == 3).all()
    assert len(found.ties) == 9
    assert set(found.ties["token"]) == {9999}
    assert found.p_value == pytest.approx(0.01)
    assert found.threshold == pytest.approx(-6 * np.log(chance))


def test_one_token_in_common_is_no_evidence():
    lone = [(a, "device", a) for a in range(200)]
    found = shared_infrastructure(frame(lone + [(a, "device", 999) for a in range(30)]))
    assert (found.candidate_pairs, len(found.pairs), found.threshold) == (0, 0, None)
    with pytest.raises(Refusal, match="never beyond chance"):
        shared_infrastructure(ring_of_three(), fewest_tokens=1)


def test_common_tokens_are_left_out_and_counted():
    everybody = frame([(a, "ip_block", 7) for a in range(400)])
    rows = pd.concat([ring_of_three(), everybody])
    found = shared_infrastructure(rows, most_accounts=50)
    assert found.left_out.to_numpy().tolist() == [["ip_block", 1, 400]]
    pd.testing.assert_frame_equal(found.pairs, shared_infrastructure(ring_of_three()).pairs)


def test_order_and_repeated_rows_do_not_matter_and_the_frame_is_left_alone():
    rows, _ = links(1, accounts=800, rings=2)
    before = rows.copy(deep=True)
    one = shared_infrastructure(rows, draws=39)
    shuffled = pd.concat([rows, rows.head(100)]).sample(frac=1, random_state=2)
    other = shared_infrastructure(shuffled, draws=39)
    pd.testing.assert_frame_equal(rows, before)
    pd.testing.assert_frame_equal(one.pairs, other.pairs)
    pd.testing.assert_frame_equal(one.ties, other.ties)
    assert len(one.pairs) > 50


def test_codes_of_accounts_do_not_matter():
    rows, _ = links(2, accounts=800, rings=2)
    one = shared_infrastructure(rows, draws=39)
    moved = shared_infrastructure(rows.assign(actor=rows["actor"] * 5 + 3), draws=39)
    assert (moved.pairs["actor_a"] == one.pairs["actor_a"] * 5 + 3).all()
    assert (moved.pairs["evidence"] == one.pairs["evidence"]).all()
    assert len(one.pairs) > 50


def test_rings_are_found_and_what_is_found_is_rings():
    right, seen = [], []
    for seed in range(4):
        rows, ring = links(seed)
        found = shared_infrastructure(rows, draws=19, seed=seed)
        right.append(precision(found.pairs, ring))
        tied = found.pairs[["actor_a", "actor_b"]].to_numpy()
        seen.append(np.isin(np.flatnonzero(ring >= 0), tied).mean())
    assert np.mean(right) > 0.93
    assert np.mean(seen) > 0.85


def test_a_world_without_rings_has_ties_at_no_more_than_the_nominal_rate():
    any_tie = []
    for seed in range(60):
        rows, _ = links(seed, accounts=400, rings=0)
        any_tie.append(len(shared_infrastructure(rows, draws=19, seed=seed).pairs) > 0)
    # 60 worlds at 5 %: more than 7 has a chance of 1 %.
    assert sum(any_tie) <= 7


def test_followers_are_all_pairs_before_the_end():
    one, other = tp.followers(np.array([3, 3, 3, 4]))
    assert list(zip(one, other, strict=True)) == [(0, 1), (0, 2), (1, 2)]


def test_evidence_adds_what_third_accounts_are_tied_by():
    n = 10
    key = np.array([0 * n + 1, 0 * n + 2, 1 * n + 2, 2 * n + 3])
    total = tp.evidence(key, np.array([1.0, 4.0, 9.0, 5.0]), n=n)
    assert total == pytest.approx([1 + 6, 4 + 3, 9 + 2, 5])


def test_false_discovery_by_hand():
    observed, shuffled = np.array([1.0, 5.0, 5.0, 3.0]), np.array([1.0, 3.0])
    ours = tp.false_discovery([observed, shuffled])
    # (pairs of the other world + 1) / 2 worlds / own pairs, no larger than at lower evidence.
    assert ours[0] == pytest.approx([3 / 2 / 4, 1 / 2 / 2, 1 / 2 / 2, 2 / 2 / 3])
    assert ours[1] == pytest.approx([1, 1])


def test_a_group_that_shuffles_also_make_is_set_aside():
    n = 100

    def clique(*actors):
        return [a * n + b for a in actors for b in actors if a < b]

    ring, chance = clique(*range(10, 20)), clique(1, 2, 3)
    key = np.array(sorted([*ring, *chance]), dtype=np.int64)
    worlds = [(key, np.full(len(key), 9.0))]
    for nth in range(39):
        made = np.array(clique(4, 5, 6) if nth < 5 else [], dtype=np.int64)
        worlds.append((made, np.full(len(made), 9.0)))
    found = tp.survivors(worlds, n=n, rate=0.05)
    assert (found.q_value <= 0.05).all()
    assert key[found.chosen].tolist() == ring
    assert (found.set_aside, found.threshold, found.p_value) == (3, 9.0, 1 / 40)


@pytest.mark.parametrize(("shuffles_with_more", "found"), [(2, 3), (3, 0)])
def test_a_finding_of_which_shuffles_make_more_is_none(shuffles_with_more, found):
    triangle = np.array([1, 2, 102], dtype=np.int64)
    many = np.arange(501, 511, dtype=np.int64)
    worlds = [(triangle, np.full(3, 20.0))]
    worlds += [(many, np.full(10, 7.0))] * shuffles_with_more
    worlds += [(many[:0], np.zeros(0))] * (60 - shuffles_with_more)
    survival = tp.survivors(worlds, n=100, rate=0.05)
    assert survival.p_value == (1 + shuffles_with_more) / 61
    assert (survival.q_value <= 0.05).all()
    assert survival.chosen.sum() == found


def test_the_cap_is_lowered_where_pairs_would_not_fit(monkeypatch):
    monkeypatch.setattr(tp, "MOST_ROWS", 10)
    size = np.array([3, 2, 6, 4])
    assert tp.affordable(size, size * (size - 1.0) / 2, cap=50) == 5
    assert tp.affordable(size[:2], size[:2] * (size[:2] - 1.0) / 2, cap=50) == 50


def test_what_cannot_be_read_is_refused():
    rows = ring_of_three(20)
    with pytest.raises(Refusal, match="no column token"):
        shared_infrastructure(rows.drop(columns="token"))
    with pytest.raises(Refusal, match="actor is not a whole number from 0 in 1 rows"):
        shared_infrastructure(rows.assign(actor=np.where(np.arange(len(rows)) == 4, -1, 2)))
    with pytest.raises(Refusal, match="10 shuffles cannot show a rate"):
        shared_infrastructure(rows, draws=10)
    with pytest.raises(NoData):
        shared_infrastructure(rows.iloc[:0])


def test_accounts_that_hold_many_of_few_tokens_are_not_tied_by_it():
    """A shuffle with repeated links has fewer ties than chance: 38 of 40 such worlds had rings."""
    tied = 0
    for seed in range(25):
        posted, _ = events(100 + seed, accounts=200, rings=0, tokens=80)
        tied += (
            shared_infrastructure(posted.assign(kind="domain"), draws=19, seed=seed).p_value <= 0.05
        )
    assert tied <= 5
