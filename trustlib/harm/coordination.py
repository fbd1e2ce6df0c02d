"""Groups of accounts that act as one: what ties them, how big they are, what they do.

Pairs that survived their own nulls (`shared_infrastructure`, `co_sharing`) are the edges of one
graph. Edges that close no triangle are set aside: a single tie between two rings, or between a
ring and a bystander, would otherwise make one cluster of both. What remains connected is a
cluster. Clusters are ranked by violating items, then views, then size.

A cluster is not a verdict: a household, an office or a fan club shares devices and moments too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Check, Refusal
from trustlib.harm import token_pairs as tp
from trustlib.harm.co_sharing import CoSharing
from trustlib.harm.shared_infrastructure import SharedInfrastructure

SMALL = 11  # accounts; the counts of smaller clusters are for the caller to suppress
TIMED = "at the same moment"
_ACTIVITY = ("items", "violating_items", "views", "first_at", "last_at")


@dataclass(frozen=True, kw_only=True, eq=False)
class Coordination:
    """Clusters of tied accounts, ranked.

    Attributes
    ----------
    clusters
        cluster (rank, from 1), size, items, violating_items, views, tokens (in common to two
        members or more), evidence (kinds of ties, "device, at the same moment"),
        infrastructure_pairs, co_sharing_pairs, pairs (tied in either way), density (of all
        pairs), first_at, last_at (of its members' activity, seconds; NaN unknown), small
        (fewer than 11 accounts: its counts are to be suppressed).
    members
        cluster, actor (code), pairs: for a restricted list, never for a page.
    tied_accounts, lone_pairs
        Accounts with a surviving tie; pairs that close no triangle and are in no cluster.
    checks
        What the clusters rest on.
    """

    clusters: pd.DataFrame
    members: pd.DataFrame
    tied_accounts: int
    lone_pairs: int
    checks: tuple[Check, ...]

    @property
    def members_in_all(self) -> int:
        """Accounts in clusters."""
        return len(self.members)


def coordination(
    *,
    infrastructure: SharedInfrastructure | None,
    co_sharing: CoSharing | None,
    actors: pd.DataFrame | None = None,
) -> Coordination:
    """Clusters of accounts from either kind of tie, or both.

    Parameters
    ----------
    infrastructure, co_sharing
        Pairs beyond chance; None where there was no source.
    actors
        actor (code), items, violating_items, views, first_at, last_at (seconds): one row for
        each account; accounts without a row count as 0, a missing column as unknown (NaN).

    Raises
    ------
    Refusal
        If both sources are None, or an account has two rows.
    """
    if infrastructure is None and co_sharing is None:
        raise Refusal(
            "coordination needs links or events",
            next_step="give links_source, or items with a domain or a text hash",
        )
    ties = [found.pairs for found in (infrastructure, co_sharing) if found is not None]
    ends = pd.concat([pairs[["actor_a", "actor_b"]] for pairs in ties]).drop_duplicates()
    codes, position = np.unique(ends.to_numpy(dtype=np.int64), return_inverse=True)
    low, high = position.reshape(-1, 2).astype(np.int64).T
    inside = tp.closes_triangle(low, high, len(codes))
    label = tp.components(low[inside], high[inside], len(codes))
    members = pd.DataFrame({"actor": codes, "label": label})[label >= 0]
    clusters = _described(members, infrastructure, co_sharing, actors)
    rank = pd.Series(clusters["cluster"].to_numpy(), index=clusters["label"].to_numpy())
    key = tp.pair_keys(low, high, max(len(codes), 1))[inside]
    degree = np.bincount(np.concatenate([low[inside], high[inside]]), minlength=len(codes))
    members = members.assign(
        cluster=members["label"].map(rank).astype(np.int64), pairs=degree[label >= 0]
    )
    return Coordination(
        clusters=clusters.drop(columns="label"),
        members=members[["cluster", "actor", "pairs"]].sort_values(
            ["cluster", "actor"], ignore_index=True
        ),
        tied_accounts=len(codes),
        lone_pairs=len(low) - len(key),
        checks=_checks(infrastructure, co_sharing, n_clusters=len(clusters)),
    )


def _described(
    members: pd.DataFrame,
    infrastructure: SharedInfrastructure | None,
    co_sharing: CoSharing | None,
    actors: pd.DataFrame | None,
) -> pd.DataFrame:
    """One row for each cluster, ranked; `label` is the component."""
    home = members.set_index("actor")["label"]
    table = _activity(members, actors)
    ties = _tie_rows(infrastructure, co_sharing, home)
    by_label = ties.groupby("label")
    table["tokens"] = by_label["token"].nunique().reindex(table.index, fill_value=0)
    table["evidence"] = by_label["kind"].agg(_kinds).reindex(table.index, fill_value="")
    both = []
    for name, found in (("infrastructure_pairs", infrastructure), ("co_sharing_pairs", co_sharing)):
        pairs = _within(found.pairs, home) if found is not None else _NO_PAIRS
        both.append(pairs[["actor_a", "actor_b", "label"]])
        table[name] = pairs.groupby("label").size().reindex(table.index, fill_value=0)
    either = pd.concat(both).drop_duplicates()
    table["pairs"] = either.groupby("label").size().reindex(table.index, fill_value=0)
    table["density"] = table["pairs"] / (table["size"] * (table["size"] - 1) / 2)
    table["small"] = table["size"] < SMALL
    table = table.sort_values(
        ["violating_items", "views", "size", "least"], ascending=[False, False, False, True]
    )
    table.insert(0, "cluster", np.arange(1, len(table) + 1))
    order = [
        *("cluster", "size", "items", "violating_items", "views", "tokens", "evidence"),
        *("infrastructure_pairs", "co_sharing_pairs", "pairs", "density"),
        *("first_at", "last_at", "small"),
    ]
    return table.reset_index()[["label", *order]]


_NO_PAIRS = pd.DataFrame(
    {name: np.zeros(0, dtype=np.int64) for name in ("actor_a", "actor_b", "label")}
)


def _activity(members: pd.DataFrame, actors: pd.DataFrame | None) -> pd.DataFrame:
    """size, least (account code), and what the members did, by label."""
    if actors is None:
        actors = pd.DataFrame({"actor": np.zeros(0, dtype=np.int64)})
    elif not actors.empty:
        tp.columns(actors, ("actor",), what="actors")
        if actors["actor"].duplicated().any():
            raise Refusal(
                f"actors: an account repeats in {int(actors['actor'].duplicated().sum()):,} rows",
                next_step="aggregate to one row for each account",
            )
    known = [name for name in _ACTIVITY if name in actors]
    joined = members.merge(actors[["actor", *known]], on="actor", how="left")
    for name in _ACTIVITY:
        joined[name] = joined[name].astype(float) if name in known else np.nan
    grouped = joined.groupby("label")
    table = grouped.agg(size=("actor", "size"), least=("actor", "min"))
    for name in ("items", "violating_items", "views"):
        table[name] = grouped[name].sum() if name in known else np.nan
    table["first_at"], table["last_at"] = grouped["first_at"].min(), grouped["last_at"].max()
    return table


def _within(pairs: pd.DataFrame, home: pd.Series) -> pd.DataFrame:
    """The rows of pairs whose two accounts are in one cluster, with its label."""
    one, other = pairs["actor_a"].map(home), pairs["actor_b"].map(home)
    same = (one == other).to_numpy()
    return pairs[same].assign(label=one[same].astype(np.int64))


def _tie_rows(
    infrastructure: SharedInfrastructure | None, co_sharing: CoSharing | None, home: pd.Series
) -> pd.DataFrame:
    """label, kind, token (told apart by kind): one row for each tie within a cluster."""
    rows = []
    for found in (infrastructure, co_sharing):
        if found is None:
            continue
        ties = _within(found.ties, home)
        kind = ties["kind"] if "kind" in ties else pd.Series(TIMED, index=ties.index)
        token = kind.astype(str) + " " + ties["token"].astype(str)
        rows.append(pd.DataFrame({"label": ties["label"], "kind": kind, "token": token}))
    return pd.concat(rows, ignore_index=True)


def _kinds(kinds: pd.Series) -> str:
    """The kinds of ties, the most frequent first."""
    counts = kinds.value_counts().rename_axis("kind").reset_index()
    return ", ".join(counts.sort_values(["count", "kind"], ascending=[False, True])["kind"])


def _checks(
    infrastructure: SharedInfrastructure | None, co_sharing: CoSharing | None, *, n_clusters: int
) -> tuple[Check, ...]:
    return (_null_check(infrastructure, co_sharing, n_clusters), _blind_check(co_sharing))


def _null_check(
    infrastructure: SharedInfrastructure | None, co_sharing: CoSharing | None, n_clusters: int
) -> Check:
    label, parts = "ties against shuffled worlds", []
    for name, found in (("shared infrastructure", infrastructure), ("sharing in time", co_sharing)):
        if found is None:
            parts.append(f"{name}: no source")
            continue
        parts.append(
            f"{name}: {len(found.pairs):,} pairs kept, {found.shuffled_pairs:,.1f} in an average "
            f"of {found.draws} shuffles"
        )
    text = "; ".join(parts) + "."
    if n_clusters:
        return Check(name="shuffle_null", verdict="pass", label=label, text=text)
    return Check(
        name="shuffle_null",
        verdict="warn",
        label="no ties beyond chance",
        text=f"{text} Nothing stands out from shuffled worlds; that is not proof of absence.",
    )


def _blind_check(found: CoSharing | None) -> Check:
    name = "tokens_that_cannot_tell"
    if found is None:
        return Check(
            name=name, verdict="not_run", label="tokens that tell", text="No events were given."
        )
    blind = found.tokens_that_cannot_tell
    share = blind / found.tokens if found.tokens else 0.0
    text = (
        f"{blind:,} of {found.tokens:,} tokens were shared only within "
        f"{found.within_seconds / 60:g} minutes in all, so shuffling their times cannot tell; "
        f"{found.tokens_left_out:,} with more than {found.most_accounts:,} accounts were left out."
    )
    return Check(
        name=name, verdict="warn" if share > 0.5 else "pass", label="tokens that tell", text=text
    )
