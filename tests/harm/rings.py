"""Made-up worlds with rings of accounts among lone ones; the truth is returned beside the data.

Lone accounts hold tokens drawn at random; the members of ring r also hold, each with
probability `joining`, the ring's own token of each kind, or share a token of everybody's
within five minutes of the ring's moment.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

KINDS = {"device": (0.9, 1), "ip_block": (0.3, 2), "payment": (0.9, 1), "domain": (0.16, 2)}
DAY = 86_400.0


def truth(random: np.random.Generator, *, accounts: int, rings: int) -> np.ndarray:
    """(accounts,) ring of each account, −1 for the lone ones; rings of 8 to 60."""
    ring = np.full(accounts, -1)
    free = random.permutation(accounts)
    for code in range(rings):
        size = int(random.integers(8, 61))
        ring[free[:size]], free = code, free[size:]
    return ring


def links(
    seed: int, *, accounts: int = 5000, rings: int = 8, joining: float = 0.7
) -> tuple[pd.DataFrame, np.ndarray]:
    """actor, kind, token; and the ring of each account."""
    random = np.random.default_rng(seed)
    ring, rows = truth(random, accounts=accounts, rings=rings), []
    for kind, (tokens, each) in KINDS.items():
        n = int(tokens * accounts)
        actor = np.repeat(np.arange(accounts), each)
        rows.append((kind, actor, random.integers(0, n, len(actor))))
        member = np.flatnonzero((ring >= 0) & (random.random(accounts) < joining))
        rows.append((kind, member, n + ring[member]))
    frame = [pd.DataFrame({"actor": a, "kind": kind, "token": t}) for kind, a, t in rows]
    return pd.concat(frame, ignore_index=True), ring


def events(
    seed: int,
    *,
    accounts: int = 5000,
    rings: int = 8,
    tokens: int = 2000,
    moments: int = 6,
    joining: float = 0.6,
) -> tuple[pd.DataFrame, np.ndarray]:
    """actor, token, time; every token has a rise of its own and a fall over a day."""
    random = np.random.default_rng(seed)
    ring = truth(random, accounts=accounts, rings=rings)
    rise = random.random(tokens) * 30 * DAY
    chance = np.arange(1, tokens + 1) ** -0.7
    actor = np.repeat(np.arange(accounts), 6)
    token = random.choice(tokens, len(actor), p=chance / chance.sum())
    rows = [(actor, token, rise[token] + random.exponential(DAY, len(actor)))]
    for code in range(rings):
        for _ in range(moments):
            members = np.flatnonzero((ring == code) & (random.random(accounts) < joining))
            shared = random.integers(0, tokens)
            moment = rise[shared] + random.exponential(DAY)
            times = moment + random.random(len(members)) * 300
            rows.append((members, np.full(len(members), shared), times))
    frame = [pd.DataFrame({"actor": a, "token": t, "time": at}) for a, t, at in rows]
    return pd.concat(frame, ignore_index=True), ring


def precision(pairs: pd.DataFrame, ring: np.ndarray) -> float:
    """Share of the pairs whose accounts are of one ring."""
    one, other = ring[pairs["actor_a"]], ring[pairs["actor_b"]]
    return float(((one >= 0) & (one == other)).mean())


def recovered(members: pd.DataFrame, ring: np.ndarray) -> tuple[float, float, float]:
    """Of clusters: share of members in their cluster's main ring, share of ring members found
    in their ring's cluster, share of rings with at least half of their members in one cluster."""
    table = pd.crosstab(members["cluster"], ring[members["actor"]])
    of_rings = table.drop(columns=-1, errors="ignore")
    size = np.bincount(ring[ring >= 0])
    best = of_rings.max(axis=0).reindex(range(len(size)), fill_value=0).to_numpy()
    right = of_rings.max(axis=1).sum() / max(len(members), 1)
    return float(right), float(best.sum() / size.sum()), float((best >= size / 2).mean())
