"""What is asked of the tables of a deep-dive, and the small frames that come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from trustlib.core import Check, Window
from trustlib.data.records import Snapshot

Kind = Literal["key", "time", "text", "number", "flag"]
Role = Literal[
    "items", "accounts", "views", "scores", "labels", "actions", "appeals", "reports", "links",
    "ledger",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a role's table: what it holds, and whether the role can do without it."""

    kind: Kind
    needed: bool = True


# Names are a contract (a .sql source renames what is called otherwise).
TABLES: Mapping[Role, Mapping[str, Column]] = {
    "items": {
        "item_id": Column(kind="key"),
        "account_id": Column(kind="key"),
        "created_at": Column(kind="time"),
        "kind": Column(kind="text", needed=False),
        "url_domain": Column(kind="text", needed=False),
        "text_hash": Column(kind="text", needed=False),
    },
    "accounts": {
        "account_id": Column(kind="key"),
        "created_at": Column(kind="time", needed=False),
    },
    "views": {
        "item_id": Column(kind="key"),
        "viewed_at": Column(kind="time"),
    },
    "scores": {
        "item_id": Column(kind="key"),
        "score": Column(kind="number"),
    },
    "labels": {
        "item_id": Column(kind="key"),
        "label": Column(kind="flag"),
        "rater_id": Column(kind="key", needed=False),
        "policy": Column(kind="text", needed=False),
        "stratum": Column(kind="text", needed=False),
        "inclusion_probability": Column(kind="number", needed=False),
        "labelled_at": Column(kind="time", needed=False),
    },
    "actions": {
        "action_id": Column(kind="key", needed=False),
        "item_id": Column(kind="key"),
        "source": Column(kind="text"),
        "action": Column(kind="text", needed=False),
        "acted_at": Column(kind="time"),
    },
    "appeals": {
        "action_id": Column(kind="key"),
        "outcome": Column(kind="text"),
        "decided_at": Column(kind="time", needed=False),
    },
    "reports": {
        "item_id": Column(kind="key"),
        "reason": Column(kind="text", needed=False),
        "reported_at": Column(kind="time"),
    },
    "links": {
        "account_id": Column(kind="key"),
        "kind": Column(kind="text"),
        "token": Column(kind="key"),
    },
    "ledger": {
        "changed_at": Column(kind="time"),
        "instrument": Column(kind="text"),
        "note": Column(kind="text", needed=False),
    },
}


@dataclass(frozen=True, kw_only=True)
class AbuseQuery:
    """Which tables to read, and which part of them.

    Attributes
    ----------
    sources
        Role -> path or table; "items" must be there, every other may be absent.
    connection
        Name of an environment variable with the warehouse's URL, for tables and .sql files.
    window
        Items made, and views seen, within it.
    policy
        Labels of this policy only; None: all.
    segments
        Columns of items or accounts by which to count.
    timezone
        IANA name, for times without an offset.

    Raises
    ------
    ValueError
        Without items.
    """

    sources: Mapping[Role, str]
    connection: str | None = None
    window: Window
    policy: str | None = None
    segments: tuple[str, ...] = ()
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if "items" not in self.sources:
            raise ValueError("AbuseQuery: there is no source of items")


@dataclass(frozen=True, kw_only=True, eq=False)
class AbuseRows:
    """What the tables say of the window; people and items are numbered, never named.

    Attributes
    ----------
    sample
        One row per labelled item: item, actor (int64 codes, actor −1 unknown), stratum (str),
        inclusion, label (majority of its votes, ties count as not violating), n_votes, ties,
        views, score (NaN without), created_at (datetime64[s], UTC), a column per segment (str,
        "unknown" where the table has none), ``control:<source>`` and ``reported`` (bool).
    votes
        item, rater (int64 codes), label (0 or 1): every vote.
    population
        stratum, items, views: the window's totals, by the labels' strata. Strata are those
        that labels name; their items are counted by the labels' own weights, scaled to the
        window's number of items.
    by_segment
        segment, value, items, views: of all items of the window.
    by_day
        day (datetime64[s], UTC midnight), items, views.
    controls
        source, items: distinct items of the window that each control acted on, and
        ``reported``.
    missing
        Role -> why there is nothing of it.
    health, checks, snapshots
        As in `PanelRows`; one snapshot per role.
    """

    sample: pd.DataFrame
    votes: pd.DataFrame
    population: pd.DataFrame
    by_segment: pd.DataFrame
    by_day: pd.DataFrame
    controls: pd.DataFrame
    missing: Mapping[Role, str] = field(default_factory=dict)
    health: pd.DataFrame
    checks: tuple[Check, ...]
    snapshots: Mapping[Role, Snapshot]
