"""What is asked of the tables of a deep-dive, and the small frames that come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from trustlib.core import Check, Window
from trustlib.data.records import Snapshot

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["key", "time", "text", "number", "flag"]
Role = Literal[
    "items", "accounts", "views", "scores", "labels", "view_labels", "gold", "actions", "appeals",
    "reports", "links", "ledger",
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
        "stratum": Column(kind="text", needed=False),
    },
    "accounts": {
        "account_id": Column(kind="key"),
        "created_at": Column(kind="time", needed=False),
    },
    "views": {
        "item_id": Column(kind="key"),
        "viewed_at": Column(kind="time"),
        "view_id": Column(kind="key", needed=False),
        "viewer_id": Column(kind="key", needed=False),
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
    "view_labels": {
        "view_id": Column(kind="key"),
        "item_id": Column(kind="key"),
        "label": Column(kind="flag"),
        "rater_id": Column(kind="key", needed=False),
        "policy": Column(kind="text", needed=False),
        "stratum": Column(kind="text", needed=False),
        "inclusion_probability": Column(kind="number", needed=False),
        "labelled_at": Column(kind="time", needed=False),
    },
    "gold": {
        "item_id": Column(kind="key"),
        "label": Column(kind="flag"),
        "gold": Column(kind="flag"),
        "rater_id": Column(kind="key", needed=False),
        "policy": Column(kind="text", needed=False),
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
    history_start
        From when on weeks are counted for the trend; at most the window's start.
    compare_from
        Within the window: what comes from here on is "now", what comes earlier "before".
    policy
        Labels of this policy only; None: all.
    segments
        Columns of items or accounts by which to count.
    control_sources
        Sources of actions that are today's controls of this abuse; empty: all.
    confirming_sources
        Sources of actions whose decision confirms that an item violates; empty: labels alone do.
    report_reasons
        Reasons of user reports that mean this abuse; empty: all.
    timezone
        IANA name, for times without an offset.
    as_of
        Rows after this instant are left out, by the time that a table has; None: all rows.

    Raises
    ------
    ValueError
        Without items, or for instants that are naive or out of order.
    """

    sources: Mapping[Role, str]
    connection: str | None = None
    window: Window
    history_start: datetime
    compare_from: datetime
    policy: str | None = None
    segments: tuple[str, ...] = ()
    control_sources: tuple[str, ...] = ()
    confirming_sources: tuple[str, ...] = ()
    report_reasons: tuple[str, ...] = ()
    timezone: str = "UTC"
    as_of: datetime | None = None

    def __post_init__(self) -> None:
        if "items" not in self.sources:
            raise ValueError("AbuseQuery: there is no source of items")
        for name in ("history_start", "compare_from", "as_of"):
            value = getattr(self, name)
            if value is not None and value.tzinfo is None:
                raise ValueError(f"AbuseQuery: {name} is naive, an aware instant is needed")
        if self.history_start > self.window.start:
            raise ValueError("AbuseQuery: history_start lies after the window's start")
        if not self.window.start < self.compare_from < self.window.end:
            raise ValueError("AbuseQuery: compare_from lies outside the window")


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """What is known to violate: labelled so, or decided so by a confirming source and not
    overturned since. Counts of the window; None where the table for it is not there."""

    items: int
    views: int | None
    accounts: int
    viewers: int | None


@dataclass(frozen=True, kw_only=True)
class Appealed:
    """Items of the window that controls acted on, and what became of them on appeal."""

    enforced: int
    appealed: int
    decided: int
    overturned: int


@dataclass(frozen=True, kw_only=True, eq=False)
class AbuseRows:
    """What the tables say of the window; people and items are numbered, never named.

    Instants are datetime64[s, UTC]. Actors are codes from 0, the same in all frames; −1 unknown.
    Frames are empty, with their columns, where the role that they need is missing.

    Attributes
    ----------
    sample
        One row per labelled item made from history_start on: item (0 … n − 1), actor, stratum
        (str), inclusion, label (majority of its votes, ties count as not violating), n_votes,
        ties, policy (of its violating votes; the first by name, "" without), views (in the
        window), score (NaN without), created_at, in_window, a column per segment (str,
        "unknown" where the table has none), domain and text_hash (token codes as in `tokens`,
        −1 none), ``control:<source>`` for each control, reported, confirmed (bool).
    view_sample
        One row per labelled view seen from history_start on: actor (of the item), stratum,
        inclusion (of the view), label (majority), n_votes, seen_at, in_window, a column per
        segment.
    votes
        item (as in `sample`), rater (codes), label (0 or 1): every vote on an item.
    gold
        item, rater (codes), label, truth (0 or 1): every vote on an item whose answer is known.
    population
        stratum, items (made in the window), views (in the window, of items of the stratum
        whenever they were made): the window's totals. mean_score: of the items made in the window
        that have a score; NaN where more than one item in a thousand has none.
    weeks
        week (its Monday), stratum, items (made), views (seen), from history_start to the window's
        end.
    by_segment
        segment, value, stratum, items, views: of items made in the window. At most 30 values a
        segment by items; the rest is "other", in the sample as well.
    cells
        A column per segment, before, now (items made before and from compare_from on, within the
        window).
    strata_counted
        Whether items carry their stratum, so that totals of strata are counts. Otherwise the
        labels' own weights share out the counts among strata.
    controls
        source, items: distinct items of the window that each control acted on, and
        ``reported``.
    appealed
        None without actions or appeals.
    proactive
        proactive, actioned, accounts: accounts with so many actioned items, of which so many had
        no user report before the action.
    confirmed
        None without labels and confirming sources.
    viewers
        item (violating one of the sample, in the window), viewers (distinct, in the window).
    shared_viewers
        first, second (items of `viewers`, first < second), viewers: distinct viewers of both;
        pairs without any are left out.
    actor_harm
        amount (confirmed violating items), actors: accounts with items in the window, those
        without any confirmed (amount 0) too.
    accounts_join
        segment, value, accounts, missing, enforced, enforced_missing, items, items_missing: the
        first row is ("all", "all"), further ones by the segments that items themselves know.
    actors
        actor, items, violating_items (confirmed), views, first_at, last_at (seconds since 1970):
        accounts of the window that have a token in common with another.
    links
        actor, kind, token (codes within kind): of accounts with items in the window.
    shares
        actor, kind ("domain", "text"), token (codes within kind as in `tokens`), time (seconds
        since 1970): items of the window with a token that two accounts or more used.
    tokens
        kind ("domain", "text"), token (code), before, now, name (the raw value: never for a
        page). Tokens with fewer than three uses in all are left out.
    token_weeks
        kind, token, window (codes of whole weeks before compare_from), count.
    items_before, items_now
        Items of the window before, and from, compare_from.
    durations
        Stage name of `trustlib.harm.lifecycle` -> duration, observed, weight, entry: of labelled
        violating items of the window (weights of sampling), and accounts behind those of the
        sample (1 over the chance that one of their violating items was drawn).
    ledger
        changed_at, instrument, note; None where no ledger is kept.
    missing
        Role -> why there is nothing of it.
    health, checks, snapshots
        As in `PanelRows`; one snapshot per role.
    """

    query: AbuseQuery
    sample: pd.DataFrame
    view_sample: pd.DataFrame
    votes: pd.DataFrame
    gold: pd.DataFrame
    population: pd.DataFrame
    weeks: pd.DataFrame
    by_segment: pd.DataFrame
    cells: pd.DataFrame
    strata_counted: bool
    controls: pd.DataFrame
    appealed: Appealed | None
    proactive: pd.DataFrame
    confirmed: Confirmed | None
    viewers: pd.DataFrame
    shared_viewers: pd.DataFrame
    actor_harm: pd.DataFrame
    accounts_join: pd.DataFrame
    actors: pd.DataFrame
    links: pd.DataFrame
    shares: pd.DataFrame
    tokens: pd.DataFrame
    token_weeks: pd.DataFrame
    items_before: int
    items_now: int
    durations: Mapping[str, pd.DataFrame]
    ledger: pd.DataFrame | None
    missing: Mapping[Role, str]
    health: pd.DataFrame
    checks: tuple[Check, ...]
    snapshots: Mapping[Role, Snapshot]
