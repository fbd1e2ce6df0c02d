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
# 12 %, and .3 % of clustered accounts are of no ring; up to 200 accounts a domain it is 3 %.
MOST_POSTED_BY = 50

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
    links = pd.concat([_known(rows.links), _content(rows)], ignore_index=True)
    if links.empty:
        return None
    return shared_infrastructure(links, draws=DRAWS, seed=spec.seed)


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    """Without unknown accounts and tokens."""
    return rows[(rows["actor"] >= 0) & (rows["token"] >= 0)]


def _content(rows: AbuseRows) -> pd.DataFrame:
    """What accounts post, as a token that they hold: actor, kind, token, each once.

    A ring's domain is often seen in its bursts alone. Shuffled times then tell nothing, because
    every share of it lies within the same minutes, but that these accounts and no others hold it
    does. The text of an item with a domain is left out: it comes and goes with the domain, and
    would count one share twice.
    """
    shares = _known(rows.shares)
    of_domain = shares.loc[shares["kind"] == "domain", ["actor", "time"]]
    with_domain = pd.MultiIndex.from_frame(shares[["actor", "time"]]).isin(
        pd.MultiIndex.from_frame(of_domain)
    )
    held = shares.loc[(shares["kind"] == "domain") | ~with_domain, ["actor", "kind", "token"]]
    held = held.drop_duplicates()
    accounts = held.groupby(["kind", "token"])["actor"].transform("size")
    # A kind of its own: links may have a "domain" too, with codes of their own.
    return held[accounts <= MOST_POSTED_BY].assign(kind="posted " + held["kind"])


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
