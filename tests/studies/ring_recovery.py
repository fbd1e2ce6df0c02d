"""Planted rings recovered, and shuffled worlds left alone: how often, over seeded worlds.

    python -m tests.studies.ring_recovery [--runs 20] [--nulls 200]

writes tests/studies/ring_recovery.md beside itself. Worlds and truth in tests/harm/rings.py:
six to ten rings of 8 to 60 accounts among 5,000.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from tests.harm.rings import events, links, recovered
from tests.studies.incident_coverage import markdown
from trustlib.harm.co_sharing import co_sharing
from trustlib.harm.coordination import Coordination, coordination
from trustlib.harm.shared_infrastructure import shared_infrastructure

HEAD = """# Rings: recovered where they are planted, not found where they are not

Made by `python -m tests.studies.ring_recovery --runs {runs} --nulls {nulls}`; worlds and truth in
`tests/harm/rings.py`. False-discovery rate asked for: 5 %; {draws} shuffles each.

## Planted: {runs} worlds per row, 6 to 10 rings of 8 to 60 accounts among 5,000

*joining*: chance that a member of the ring holds its token, of each of four kinds (links), or
joins its moment, of six (events); everybody also holds or shares tokens of their own at random.
*precision*: share of clustered accounts that are of their cluster's main ring · *recall*: share
of ring accounts that are in their ring's cluster · *rings*: share with at least half of their
accounts in one cluster · *false clusters*: share of clusters with no more than half of one ring.

"""
NULL = """

## None there: share of {nulls} worlds with any cluster

*lone accounts*: no rings · *shuffled*: rings planted, then tokens permuted within their kind, or
times within their token. The standard error of a share of .05 is {error:.3f}.

"""
DRAWS = 39


def clusters(shared: pd.DataFrame | None, timed: pd.DataFrame | None, *, seed: int) -> Coordination:
    return coordination(
        infrastructure=None
        if shared is None
        else shared_infrastructure(shared, draws=DRAWS, seed=seed),
        co_sharing=None if timed is None else co_sharing(timed, draws=DRAWS, seed=seed),
    )


def planted(seed: int, *, of_links: float | None, of_events: float | None) -> list[float]:
    """precision, recall, rings, false clusters, clusters of one world."""
    rings = 6 + seed % 5
    shared = timed = None
    if of_links is not None:
        shared, ring = links(seed, rings=rings, joining=of_links)
    if of_events is not None:
        timed, ring = events(seed, rings=rings, joining=of_events)
    found = clusters(shared, timed, seed=seed)
    if found.clusters.empty:
        return [np.nan, 0.0, 0.0, 0.0, 0]
    of_ring = found.members.assign(ring=ring[found.members["actor"]])
    real = of_ring[of_ring["ring"] >= 0].groupby(["cluster", "ring"]).size()
    main = real.groupby("cluster").max().reindex(found.clusters["cluster"], fill_value=0)
    false = (main.to_numpy() <= found.clusters["size"].to_numpy() / 2).mean()
    return [*recovered(found.members, ring), float(false), len(found.clusters)]


def lone_links(seed: int) -> pd.DataFrame:
    return links(seed, accounts=1000, rings=0)[0]


def lone_events(seed: int) -> pd.DataFrame:
    return events(seed, accounts=1000, rings=0, tokens=250)[0]


def shuffled_links(seed: int) -> pd.DataFrame:
    rows = links(seed, accounts=1000, rings=4)[0]
    random = np.random.default_rng(seed + 10_000)
    return rows.assign(token=rows.groupby("kind")["token"].transform(random.permutation))


def shuffled_events(seed: int) -> pd.DataFrame:
    rows = events(seed, accounts=1000, rings=4, tokens=250)[0]
    # The first share of an account is the one that counts, so it is the one that is shuffled.
    rows = rows.sort_values("time").drop_duplicates(["actor", "token"])
    random = np.random.default_rng(seed + 10_000)
    return rows.assign(time=rows.groupby("token")["time"].transform(random.permutation))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--nulls", type=int, default=200)
    asked = parser.parse_args()
    rows = []
    for of_links, of_events in (
        *((0.7, None), (0.5, None), (0.35, None)),
        *((None, 0.8), (None, 0.6), (None, 0.4)),
        *((0.5, 0.6), (0.35, 0.4)),
    ):
        scores = [
            planted(seed, of_links=of_links, of_events=of_events) for seed in range(asked.runs)
        ]
        values = np.nanmean(np.array(scores), axis=0)
        ties = [
            f"{name} (joining {joining})"
            for name, joining in (("links", of_links), ("events", of_events))
            if joining is not None
        ]
        names = ("precision", "recall", "rings", "false clusters", "clusters")
        rows.append({"ties": " and ".join(ties)} | dict(zip(names, values, strict=True)))
        print(rows[-1], flush=True)
    nulls = []
    for name, made, timed in (
        ("links, lone accounts", lone_links, False),
        ("links, shuffled", shuffled_links, False),
        ("events, lone accounts", lone_events, True),
        ("events, shuffled", shuffled_events, True),
    ):
        any_cluster = []
        for seed in range(asked.nulls):
            world = made(seed)
            found = clusters(None if timed else world, world if timed else None, seed=seed)
            any_cluster.append(len(found.clusters) > 0)
        nulls.append({"world": name, "any cluster": np.mean(any_cluster)})
        print(nulls[-1], flush=True)
    error = (0.05 * 0.95 / asked.nulls) ** 0.5
    text = HEAD.format(runs=asked.runs, nulls=asked.nulls, draws=DRAWS) + markdown(
        pd.DataFrame(rows)
    )
    text += NULL.format(nulls=asked.nulls, error=error) + markdown(pd.DataFrame(nulls))
    Path(__file__).with_suffix(".md").write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
