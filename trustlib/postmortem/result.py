"""Everything that a postmortem found, a frame per block of the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.data.incident_records import RestrictedList
from trustlib.incidents import SizingResult
from trustlib.postmortem.spec import PostmortemSpec

# The blocks of the record, in their order: METHODS §3.
BLOCKS = (
    "verdict", "timeline", "excess", "affected", "dose", "money", "lists", "maturity",
    "detection", "factors", "severity", "actions", "data_health", "revisions",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Postmortem:
    """The record of one incident. Instants are aware UTC; NaN and NaT: not estimable.

    Attributes
    ----------
    estimates
        Those of `sizing`, excess_80 (the same at 80 %), affected_items, affected_accounts,
        affected_customers, affected_viewers, false_positives, false_negatives, gross_loss_usd,
        recovered_usd, net_loss_usd, clean_up_precision, clean_up_recall, back_fill_precision,
        back_fill_recall, time_to_detect_hours, time_to_acknowledge_hours,
        time_to_mitigate_hours, time_to_recover_hours. Each is there, with a note where it is not
        estimable.
    timeline
        at, kind ("stated", "estimated", "timeline", "change log"), event, link ("" none); by time.
    durations
        name (of the estimate), from_at, to_at, definition (a sentence); one row each.
    affected
        kind ("items", "accounts", "customers", "viewers"), side ("over", "under"), candidates
        (cases, or people with a case), point, low, high (wrongly hit).
    doses
        kind, side, dose ("1", "2", "3–5", "6–10", "11 or more"), people, cases: candidates; small
        cells merged.
    top_share
        kind, side, top_people (the top 1 %, at least one), share (of all cases; NaN withheld).
    overlaps
        first, second, people (NaN: fewer than 11).
    by_segment
        segment, value, side, items (candidates), point, low, high (wrong cases; NaN without
        enough labels); small cells merged into "the rest".
    money
        item ("gross", "recovered", "net"), side ("over", "under", "both"), point, low, high (USD).
    lists
        As written; None where no list could be written.
    maturity
        kind, seen, factor, final, low, high (arrivals about the window), complete (share seen),
        final_on (instant from which on at least 99 % are in).
    detection
        alert, status ("existing", "proposed", "recommended"), kind, value, fired_at, delay_hours
        (after the start of impact), alarms, weeks, false_alarms_per_week, low, high (of that
        rate), avoided, avoided_low, avoided_high (units that an alarm then would have spared).
    trade_off
        kind, value, false_alarms_per_week, delay_hours: what each setting of a kind costs.
    factors
        factor (a name), test, verdict ("supported", "not supported", "not tested"), text.
    severity
        severity, measure, at_least, value, basis ("upper end", "point"), met (bool; None where
        the measure is not estimable).
    severity_level
        The first rule's that is met; None: none is, or there are no rules.
    revision
        step, amount: the bridge from the earlier excess to this one; empty without an earlier one.
    then_now
        name, then, then_low, then_high, now, low, high: what both revisions estimated.
    blocks
        number (1–14), block (of BLOCKS), present (bool), reason ("" where present).
    as_of
        What came later was left out; None: nothing was.
    observed_until
        Up to when arrivals were read; None: none were.
    """

    spec: PostmortemSpec
    sizing: SizingResult
    verdict: str
    estimates: Mapping[str, Estimate]
    checks: tuple[Check, ...]
    timeline: pd.DataFrame
    durations: pd.DataFrame
    affected: pd.DataFrame
    doses: pd.DataFrame
    top_share: pd.DataFrame
    overlaps: pd.DataFrame
    by_segment: pd.DataFrame
    money: pd.DataFrame
    lists: tuple[RestrictedList, ...]
    maturity: pd.DataFrame
    detection: pd.DataFrame
    trade_off: pd.DataFrame
    factors: pd.DataFrame
    severity: pd.DataFrame
    severity_level: str | None
    revision: pd.DataFrame
    then_now: pd.DataFrame
    blocks: pd.DataFrame
    as_of: datetime | None = None
    observed_until: datetime | None = None

    @property
    def viewers_are_some(self) -> bool:
        """Whether views were a sample, so that there are more viewers than were counted."""
        share = self.spec.views_share
        return share is not None and share < 1

    def reason(self, block: str) -> str | None:
        """Why a block is not there; None where it is."""
        row = self.blocks[self.blocks["block"] == block].iloc[0]
        return None if row["present"] else str(row["reason"])
