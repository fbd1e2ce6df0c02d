"""The design of one postmortem: what was stated, promised and asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Literal

from trustlib.incidents import SizingSpec

AlertKind = Literal["threshold", "rate_of_change", "cusum"]
AlertStatus = Literal["existing", "proposed"]
ActionType = Literal["prevent", "detect", "mitigate", "process"]
ActionStatus = Literal["open", "done"]
Status = Literal["open", "closed"]


@dataclass(frozen=True, kw_only=True)
class Stamps:
    """The stated instants after the start of impact (`SizingSpec.incident.start`), in this order;
    None: not stated. Aware, UTC."""

    first_signal_at: datetime | None = None
    declared_at: datetime | None = None
    mitigated_at: datetime | None = None
    recovered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One stated event: when, what, and where that can be looked up ("" nowhere)."""

    at: datetime
    event: str
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class ActionItem:
    """What is to be done so that it does not come again; `check` is how one sees it is done."""

    title: str
    type: ActionType
    owner: str
    due: date
    check: str
    status: ActionStatus = "open"
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class SeverityRule:
    """`severity` holds where the estimate `measure` is at least `at_least` (its own unit)."""

    severity: str
    measure: str
    at_least: float


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A rule that looks at one bucket after the other and fires, in the incident's direction.

    `value` is, by kind: threshold, the count from which on (down to which) it fires;
    rate_of_change, the ratio of the count to the mean of the same bucket of the week in the four
    weeks before; cusum, the decision limit h in standard deviations (reference value k = .5).
    """

    name: str
    kind: AlertKind
    value: float
    status: AlertStatus = "proposed"


@dataclass(frozen=True, kw_only=True)
class PostmortemSpec:
    """What to put on record.

    Attributes
    ----------
    sizing
        The window, the history, and the series that is counted.
    severity_rules
        From the most severe to the least; the first that holds is the severity.
    status
        While open, severity takes the upper end of each interval; closed, the point.
    false_alarms_per_week
        What responders can bear; the recommended alert stays below it.
    change_hours
        How long before the start of impact a change counts as "within hours before".
    affected_segments
        Values of the sizing's segments that the suspected cause reached; empty: unknown.
    currency, usd_rate
        Of the affected table's amounts, and dollars for one unit of it.
    segments
        Columns of the affected table by which to count.
    views_share
        Share of all views that the table of views holds, in (0, 1]; None: all of them.
    """

    sizing: SizingSpec
    stamps: Stamps = Stamps()
    timeline: tuple[TimelineEntry, ...] = ()
    actions: tuple[ActionItem, ...] = ()
    severity_rules: tuple[SeverityRule, ...] = ()
    status: Status = "open"
    alerts: tuple[Alert, ...] = ()
    false_alarms_per_week: float = 1.0
    change_hours: float = 6.0
    affected_segments: tuple[str, ...] = ()
    currency: str | None = None
    usd_rate: float | None = None
    segments: tuple[str, ...] = ()
    views_share: float | None = None

    @property
    def rules_hash(self) -> str:
        """The first 12 hex digits of the SHA-256 of the severity rules, in their order."""
        plain = json.dumps([asdict(rule) for rule in self.severity_rules], sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()[:12]
