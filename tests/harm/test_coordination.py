"""Clusters: by hand, without one of the sources, and with planted rings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.harm.rings import events, links, recovered
from trustlib.core import Refusal
from trustlib.harm.co_sharing import CoSharing, co_sharing
from trustlib.harm.coordination import TIMED, coordination
from trustlib.harm.shared_infrastructure import SharedInfrastructure, shared_infrastructure


def tied(pairs, *, kind: str = "device") -> SharedInfrastructure:
    """Those pairs, each by two tokens of its own group (the lowest account's)."""
    frame = pd.DataFrame(pairs, columns=["actor_a", "actor_b"]).astype(np.int64)
    ties = pd.concat([frame.assign(kind=kind, token=token) for token in (7, 8)])
    return SharedInfrastructure(
        pairs=frame.assign(tokens=2, weight=9.0, evidence=9.0, q_value=0.01),
        ties=ties,
        left_out=pd.DataFrame(),
        most_accounts=200,
        fewest_tokens=2,
        candidate_pairs=len(frame),
        pairs_set_aside=0,
        shuffled_pairs=0.0,
        threshold=9.0,
        p_value=0.01,
        rate=0.05,
        draws=99,
    )


def timed(pairs) -> CoSharing:
    frame = pd.DataFrame(pairs, columns=["actor_a", "actor_b"]).astype(np.int64)
    return CoSharing(
        pairs=frame,
        ties=frame.assign(token=7, first_at=0.0, last_at=1.0),
        within_seconds=600.0,
        tokens=10,
        tokens_left_out=1,
        tokens_that_cannot_tell=2,
        most_accounts=500,
        fewest_tokens=2,
        candidate_pairs=len(frame),
        pairs_set_aside=0,
        shuffled_pairs=0.2,
        p_value=0.05,
        rate=0.05,
        draws=19,
    )


def clique(*actors: int) -> list[tuple[int, int]]:
    return [(a, b) for a in actors for b in actors if a < b]


def activity(actors, **more) -> pd.DataFrame:
    frame = pd.DataFrame({"actor": actors, "items": 5, "views": 100})
    return frame.assign(first_at=np.arange(len(frame)), last_at=50.0, **more)


def test_clusters_are_described_and_ranked_by_violating_items():
    pairs = clique(1, 2, 3) + clique(11, 12, 13, 14)
    actors = activity(range(20), violating_items=[9 if a == 2 else 1 for a in range(20)])
    found = coordination(infrastructure=tied(pairs), co_sharing=None, actors=actors)
    first, second = found.clusters.to_dict("records")
    assert first == {
        "cluster": 1,
        "size": 3,
        "items": 15.0,
        "violating_items": 11.0,
        "views": 300.0,
        "tokens": 2,
        "evidence": "device",
        "infrastructure_pairs": 3,
        "co_sharing_pairs": 0,
        "pairs": 3,
        "density": 1.0,
        "first_at": 1.0,
        "last_at": 50.0,
        "small": True,
    }
    assert (second["size"], second["violating_items"], second["pairs"]) == (4, 4.0, 6)
    assert found.members[found.members["cluster"] == 1]["actor"].tolist() == [1, 2, 3]
    assert found.members_in_all == 7


def test_both_kinds_of_ties_make_one_graph():
    found = coordination(
        infrastructure=tied([(1, 2), (2, 3)]), co_sharing=timed([(1, 3), (2, 3)]), actors=None
    )
    row = found.clusters.iloc[0]
    assert (row["size"], row["pairs"]) == (3, 3)
    assert (row["infrastructure_pairs"], row["co_sharing_pairs"]) == (2, 2)
    assert row["evidence"] == f"device, {TIMED}"
    # Token 7 of a device is not token 7 that was shared.
    assert row["tokens"] == 3
    assert np.isnan(row["violating_items"])


def test_a_single_tie_between_two_rings_does_not_make_one_of_them():
    pairs = clique(1, 2, 3, 4) + clique(11, 12, 13) + [(4, 11), (13, 99)]
    found = coordination(infrastructure=tied(pairs), co_sharing=None)
    assert found.clusters["size"].tolist() == [4, 3]
    assert (found.lone_pairs, found.tied_accounts) == (2, 8)
    assert 99 not in set(found.members["actor"])


def test_clusters_of_eleven_are_not_small():
    pairs = clique(*range(11)) + clique(*range(20, 30))
    found = coordination(infrastructure=tied(pairs), co_sharing=None)
    assert found.clusters["small"].tolist() == [False, True]


def test_the_order_of_pairs_and_accounts_does_not_matter():
    pairs = clique(5, 6, 7) + clique(1, 2, 3)
    actors = activity(range(10), violating_items=1)
    one = coordination(infrastructure=tied(pairs), co_sharing=None, actors=actors)
    other = coordination(infrastructure=tied(pairs[::-1]), co_sharing=None, actors=actors[::-1])
    pd.testing.assert_frame_equal(one.clusters, other.clusters)
    pd.testing.assert_frame_equal(one.members, other.members)
    # Equal in all counts: the lower account code first.
    assert one.members["actor"].tolist() == [1, 2, 3, 5, 6, 7]


def test_accounts_without_a_row_count_nothing():
    actors = activity([1, 2], violating_items=[2, 3])
    row = coordination(
        infrastructure=tied(clique(1, 2, 3)), co_sharing=None, actors=actors
    ).clusters.iloc[0]
    assert (row["size"], row["items"], row["violating_items"]) == (3, 10, 5)


def test_no_ties_make_no_clusters_and_that_is_said():
    found = coordination(infrastructure=tied([]), co_sharing=timed([]), actors=activity(range(3)))
    assert found.clusters.empty
    assert found.members.empty
    assert list(found.clusters.columns)[:4] == ["cluster", "size", "items", "violating_items"]
    check = found.checks[0]
    assert (check.verdict, check.label) == ("warn", "no ties beyond chance")
    assert "not proof of absence" in check.text


def test_checks_say_what_was_compared():
    found = coordination(infrastructure=None, co_sharing=timed(clique(1, 2, 3)))
    null, blind = found.checks
    assert null.verdict == "pass"
    assert "shared infrastructure: no source" in null.text
    assert "sharing in time: 3 pairs kept, 0.2 in an average of 19 shuffles" in null.text
    assert "2 of 10 tokens were shared only within 10 minutes" in blind.text
    alone = coordination(infrastructure=tied(clique(1, 2, 3)), co_sharing=None)
    assert alone.checks[1].verdict == "not_run"


def test_nothing_to_go_by_is_refused():
    with pytest.raises(Refusal, match="needs links or events"):
        coordination(infrastructure=None, co_sharing=None)
    with pytest.raises(Refusal, match="an account repeats in 1 rows"):
        coordination(infrastructure=tied(clique(1, 2, 3)), co_sharing=None, actors=activity([1, 1]))


def test_planted_rings_come_back_as_clusters():
    scores = []
    for seed in range(3):
        rows, ring = links(seed, rings=6 + seed)
        shares, _ = events(seed, rings=0)
        found = coordination(
            infrastructure=shared_infrastructure(rows, draws=19),
            co_sharing=co_sharing(shares),
        )
        scores.append(recovered(found.members, ring))
    right, accounts, rings = np.mean(scores, axis=0)
    assert right > 0.98
    assert accounts > 0.8
    assert rings > 0.9
