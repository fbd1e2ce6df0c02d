"""What is asked of the tables of a postmortem, and the small frames that come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from trustlib.core import Check, Window
from trustlib.data.abuse_records import Column
from trustlib.data.records import Snapshot

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["affected", "labels", "views", "arrivals", "change_log"]
Side = Literal["over", "under"]
ListName = Literal["clean-up", "back-fill"]

# Names are a contract (a .sql source renames what is called otherwise).
TABLES: Mapping[Role, Mapping[str, Column]] = {
    # A case: an item that the incident may have hit. Actioned: perhaps wrongly (over-blocking);
    # not actioned: perhaps missed (under-blocking).
    "affected": {
        "item_id": Column(kind="key"),
        "case_at": Column(kind="time"),
        "actioned": Column(kind="flag"),
        "suspect": Column(kind="flag", needed=False),
        "account_id": Column(kind="key", needed=False),
        "customer_id": Column(kind="key", needed=False),
        "dose": Column(kind="number", needed=False),
        "gross": Column(kind="number", needed=False),
        "recovered": Column(kind="number", needed=False),
        "resolved_at": Column(kind="time", needed=False),
    },
    "labels": {
        "item_id": Column(kind="key"),
        "label": Column(kind="flag"),
        "rater_id": Column(kind="key", needed=False),
        "stratum": Column(kind="text", needed=False),
        "inclusion_probability": Column(kind="number", needed=False),
        "labelled_at": Column(kind="time", needed=False),
    },
    "views": {
        "item_id": Column(kind="key"),
        "viewer_id": Column(kind="key"),
        "viewed_at": Column(kind="time", needed=False),
    },
    # What comes late: one row per label, appeal, chargeback … of any time. With arrival_id each
    # counts once; without, two of one second cannot be told from one row that is there twice.
    "arrivals": {
        "arrival_id": Column(kind="key", needed=False),
        "kind": Column(kind="text"),
        "event_at": Column(kind="time"),
        "arrived_at": Column(kind="time"),
    },
    "change_log": {
        "changed_at": Column(kind="time"),
        "change": Column(kind="text"),
        "link": Column(kind="text", needed=False),
    },
}
STEP_HOURS = 6  # of ages and delays in `AffectedRows.arrivals`


@dataclass(frozen=True, kw_only=True)
class AffectedQuery:
    """Which tables to read, and which part of them.

    Attributes
    ----------
    sources
        Role -> path or table; any may be absent.
    connection
        Name of an environment variable with the warehouse's URL, for tables and .sql files.
    window
        The incident: cases whose `case_at` lies in it count, all others are left out and counted.
    segments
        Columns of the affected table by which to count.
    currency
        Of gross and recovered; None: amounts are refused.
    timezone
        IANA name, for times without an offset.
    as_of
        Rows after this instant are left out, by the time that a table has; None: all rows.

    Raises
    ------
    ValueError
        For an instant that is naive.
    """

    sources: Mapping[Role, str]
    connection: str | None = None
    window: Window
    segments: tuple[str, ...] = ()
    currency: str | None = None
    timezone: str = "UTC"
    as_of: datetime | None = None

    def __post_init__(self) -> None:
        if self.as_of is not None and self.as_of.tzinfo is None:
            raise ValueError("AffectedQuery: as_of is naive, an aware instant is needed")


@dataclass(frozen=True, kw_only=True, eq=False)
class AffectedRows:
    """What the tables say of the incident; people and items are numbered, never named.

    A case is one item once: equal rows are counted once, rows of one item that differ are refused.
    `side` is "over" (actioned) or "under" (not actioned). Without the column suspect every case
    is one. Frames are empty, with their columns, where the role that they need is missing.

    Attributes
    ----------
    cases
        side, suspect (bool), stratum (str: of the labels; "all" where labels have none), items,
        resolved (put right by as_of), gross_cents, recovered_cents (int; 0 without): totals of the
        window. Strata are the labels'; cases do not carry them, so that there is one row per
        side and suspect, with stratum "all".
    has_money, has_resolved, has_dose
        Whether the affected table has gross, resolved_at, dose.
    labelled
        One row per labelled case: item (0 … n − 1), side, suspect, inclusion (in (0, 1]), label
        (1 violates, 0 not: majority of its votes, ties count as not), n_votes, ties, account,
        customer (codes from 0, −1 unknown), account_dose, customer_dose (cases of the same side
        that this account or customer has; 0 unknown), viewers (distinct), dose (NaN without),
        gross_cents, recovered_cents, resolved (bool), labelled_at (datetime64[s, UTC]; NaT
        without), a column per segment (str, "unknown").
    people
        kind ("accounts", "customers", "viewers"), side, dose (distinct cases that a person has, of
        that side), people: how many people have that dose. Viewers are those of "under" cases
        within the window and after.
    overlaps
        first, second, people: distinct ids that are in both of two sets; sets are "accounts over",
        "accounts under", "viewers under" (first < second as written here).
    by_segment
        segment, value, side, suspect, items, accounts (distinct, −1 unknown), resolved. At most 30
        values a segment by items, the rest is "other".
    arrivals
        kind, in_window (event_at in the window), age, delay (whole steps of STEP_HOURS: from the
        event to `observed_until`, and to the arrival; delay ≤ age), n.
    observed_until
        Up to when arrivals were read: as_of, or the last instant of any time column that is not in
        the future of all others; the last arrival where they end before that and it is no chance
        (`trustlib.data.engine.incident_times.heard`). None where nothing has a time.
    change_log
        changed_at, change, link ("" without): text with identifiers masked
        (`trustlib.core.identifiers`), sorted.
    missing
        Role -> why there is nothing of it.
    health, checks, snapshots
        As in `PanelRows`; one snapshot per role.
    """

    query: AffectedQuery
    cases: pd.DataFrame
    has_money: bool
    has_resolved: bool
    has_dose: bool
    labelled: pd.DataFrame
    people: pd.DataFrame
    overlaps: pd.DataFrame
    by_segment: pd.DataFrame
    arrivals: pd.DataFrame
    observed_until: datetime | None
    change_log: pd.DataFrame
    missing: Mapping[Role, str]
    health: pd.DataFrame
    checks: tuple[Check, ...]
    snapshots: Mapping[Role, Snapshot]


@dataclass(frozen=True, kw_only=True)
class RestrictedList:
    """A list of raw ids, written apart for those who put things right.

    Clean-up: over, suspect, not judged violating, not resolved. Back-fill: under, suspect, not
    judged benign, not resolved. Rows: item_id, account_id (if known), case_at; sorted by item_id.

    Attributes
    ----------
    name
        "clean-up" or "back-fill".
    path
        Of the CSV file as given in params (mode 0600, folder 0700).
    rows, sha256
        Of the file.
    labelled_wrong, unlabelled
        Rows of it that labels have judged (wrong, by the rule above), and that they have not.
    before, left, left_resolved, left_judged
        Of the file that stood there before (None: none did): its rows, how many of them are not
        on the list now, and of those how many were put right, or judged otherwise, since. The
        rest left because the sources changed. The earlier file is kept beside it.
    """

    name: ListName
    path: str
    rows: int
    sha256: str
    labelled_wrong: int
    unlabelled: int
    before: int | None = None
    left: int = 0
    left_resolved: int = 0
    left_judged: int = 0
