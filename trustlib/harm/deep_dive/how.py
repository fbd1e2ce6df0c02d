"""How it works: the way from sign-up to action, who acts as one, what is newly frequent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.core import NoData, Refusal
from trustlib.data.abuse_records import AbuseRows, Role
from trustlib.harm.co_sharing import CoSharing, co_sharing
from trustlib.harm.coordination import Coordination, coordination
from trustlib.harm.deep_dive.result import How
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.deep_dive.token_names import token_names
from trustlib.harm.lifecycle import Lifecycle, lifecycles
from trustlib.harm.newly_frequent import NewlyFrequent, newly_frequent, variance_ratio
from trustlib.harm.shared_infrastructure import SharedInfrastructure, shared_infrastructure

# Shuffles of tokens and of times: 39 hold a rate of 5 % (19 would be the least) at half the wait
# of 99; measured in tests/studies/ring_recovery.md.
DRAWS = 39

# A domain of more accounts is everybody's. In eight demo worlds of four weeks, domains beside
# devices, addresses and payments bring 78 % of ring accounts into clusters where these alone bring
# 12 %, and .3 % of clustered accounts are of no ring; up to 200 accounts a domain it is 3 %. Texts
# are left to sharing in time: a text comes with its domain, so that one item would count twice.
MOST_ACCOUNTS_OF_DOMAIN = 50

# Few domains among busy accounts: a shuffle gives one to an account that has it already, which
# ties nobody, so shuffled worlds fall short of chance. At 2.5 % of links in vain 3 of 20 worlds
# without rings gave clusters, at .1 % (the demo's) 1 of 30.
MOST_IN_VAIN = 0.01

Why = dict[str, str]


def how(rows: AbuseRows, spec: DeepDiveSpec) -> tuple[How, Why]:
    """Lifecycles, coordination and what is newly frequent; and why a part is missing or empty.

    Returns
    -------
    The section, and field ("how.lifecycles", "how.coordination", "how.newly_frequent") -> the
    sentence that says why it is None or empty. "how.newly_frequent.variance_ratio" says so where
    counts were taken to vary as Poisson's, for want of weeks before.
    """
    why: Why = {}
    found = How(
        lifecycles=_lifecycles(rows, spec, why),
        coordination=_coordination(rows, spec, why),
        newly_frequent=_newly_frequent(rows, spec, why),
    )
    return found, why


def absent(rows: AbuseRows, role: Role, otherwise: str) -> str:
    """A sentence: why there is nothing of a role, or `otherwise` where it was read."""
    reason = rows.missing.get(role)
    return f"There is nothing of {role.replace('_', ' ')}: {reason}." if reason else otherwise


def _lifecycles(rows: AbuseRows, spec: DeepDiveSpec, why: Why) -> tuple[Lifecycle, ...]:
    known = {name: times for name, times in rows.durations.items() if len(times)}
    weighed = {
        name: times
        for name, times in known.items()
        if "weight" not in times or (times["weight"] > 0).any()
    }
    if not weighed:
        why["how.lifecycles"] = absent(
            rows, "labels", "No labelled item of the window is violating, so no way can be timed."
        )
        return ()
    return lifecycles(weighed, weights="sampling", level=spec.level)


def _coordination(rows: AbuseRows, spec: DeepDiveSpec, why: Why) -> Coordination | None:
    links, shares = _infrastructure(rows, spec), _in_time(rows, spec)
    if links is None and shares is None:
        why["how.coordination"] = absent(
            rows, "links", "No accounts of the window have a token that could tie them."
        )
        return None
    found = coordination(infrastructure=links, co_sharing=shares, actors=_actors(rows))
    if found.clusters.empty:
        why["how.coordination"] = (
            "No group of accounts is tied more closely than in shuffled worlds; that is not "
            "proof that there is none."
        )
    return found


def _actors(rows: AbuseRows) -> pd.DataFrame | None:
    return rows.actors if len(rows.actors) else None


def _infrastructure(rows: AbuseRows, spec: DeepDiveSpec) -> SharedInfrastructure | None:
    """From links, and the domains that few accounts link to; None without links."""
    links = _known(rows.links)
    if links.empty:
        return None
    shares = _known(rows.shares)
    domains = shares.loc[shares["kind"] == "domain", ["actor", "kind", "token"]].drop_duplicates()
    accounts = domains.groupby("token")["actor"].transform("size")
    few = domains[accounts <= MOST_ACCOUNTS_OF_DOMAIN]
    if _in_vain(few) > MOST_IN_VAIN:
        few = few.iloc[:0]
    both = pd.concat([links[["actor", "kind", "token"]], few], ignore_index=True)
    return shared_infrastructure(both, draws=DRAWS, seed=spec.seed)


def _in_vain(domains: pd.DataFrame) -> float:
    """Share of links that a shuffle is expected to give to an account that has the domain."""
    n = len(domains)
    held = domains.groupby("actor").size().to_numpy(float)
    by = domains.groupby("token").size().to_numpy(float)
    pairs = (held * (held - 1)).sum() * (by * (by - 1)).sum() / 2
    return float(pairs / max(n**2 * (n - 1), 1))


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    """Without unknown accounts and tokens."""
    return rows[(rows["actor"] >= 0) & (rows["token"] >= 0)]


def _in_time(rows: AbuseRows, spec: DeepDiveSpec) -> CoSharing | None:
    shares = _known(rows.shares)
    if shares.empty:
        return None
    # Domains and texts have codes of their own, which would meet: one code for each of both.
    kinds = shares["kind"].astype(str)
    order = pd.MultiIndex.from_arrays([kinds, shares["token"]])
    codes = order.unique().sort_values()
    events = pd.DataFrame(
        {
            "actor": shares["actor"].to_numpy(np.int64),
            "token": codes.get_indexer(order),
            "time": shares["time"].to_numpy(float),
        }
    )
    return co_sharing(events, draws=DRAWS, seed=spec.seed)


def _newly_frequent(rows: AbuseRows, spec: DeepDiveSpec, why: Why) -> NewlyFrequent | None:
    field = "how.newly_frequent"
    if not (rows.tokens[["before", "now"]].to_numpy(float) > 0).any():
        why[field] = "No domain or text came three times in the window, or items carry neither."
        return None
    if not (rows.items_before > 0 and rows.items_now > 0):
        why[field] = "One of the two stretches that are compared has no items."
        return None
    ratio = 1.0
    try:
        ratio = variance_ratio(rows.token_weeks)
    except (Refusal, NoData):
        why[f"{field}.variance_ratio"] = (
            "There are not two whole weeks before to tell how much counts vary; they are taken "
            "to vary as Poisson's do, so some of what is listed may be ordinary ups and downs."
        )
    found = newly_frequent(
        rows.tokens[["kind", "token", "before", "now"]],
        exposure_before=float(rows.items_before),
        exposure_now=float(rows.items_now),
        variance_ratio=ratio,
        level=spec.level,
    )
    if found.tokens.empty:
        why[field] = found.sentence
    return replace(found, tokens=found.tokens.assign(name=token_names(rows, found.tokens)))
