"""What `incident_postmortem` is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator

from trustlib.params.abuse_fields import Names
from trustlib.params.abuse_sources import needs
from trustlib.params.fields import Column, Instant, Source, fault
from trustlib.params.incidents import IncidentSizingParams
from trustlib.params.postmortem_fields import ActionItem, Actions, Timeline
from trustlib.params.postmortem_places import CaseSegments, Currency, EarlierResults, ListsFolder
from trustlib.params.postmortem_rules import Alerts, Rules

if TYPE_CHECKING:
    from trustlib.data import CountsQuery
    from trustlib.data.incident_records import AffectedQuery
    from trustlib.postmortem.spec import PostmortemSpec

ROLES = ("affected", "labels", "views", "arrivals", "change_log")
STAMPS = ("first_signal_at", "declared_at", "mitigated_at", "recovered_at")
# A signal may come before the impact that is stated, but not from another time.
_EARLIEST = timedelta(days=7)


class IncidentPostmortemParams(IncidentSizingParams):
    """The record of one incident: its size, its clock, whom it hit, what it cost, what is next."""

    notebook: ClassVar[str] = "incident_postmortem"
    edit_first: ClassVar[tuple[str, ...]] = (
        "count_column",
        "event_id_column",
        "affected_source",
        "labels_source",
        "change_log_source",
        *STAMPS,
        "status",
        "timeline",
        "actions",
        "severity_rules",
        "alerts",
    )

    event_id_column: Annotated[
        Column | None,
        Field(
            description="Column with what tells one event from another, where one row is one "
            "event: rows with the same id count once, at their earliest time. null: every row "
            "counts.",
            examples=["action_id"],
        ),
    ] = None
    affected_source: Annotated[
        Source | None,
        Field(
            description="Cases, items that the incident may have hit, a path to .csv, .parquet or "
            ".sql, or a table name: one row with item_id, case_at and actioned (1: acted on, "
            "perhaps wrongly; 0: not acted on, perhaps missed); suspect (1: the lists should hold "
            "it), account_id, customer_id, dose, gross, recovered, resolved_at and columns for "
            "segments if known. Columns that are called otherwise are renamed in a .sql file. "
            "null: nobody is counted.",
            examples=["data/my-cases.csv", "params/incident_postmortem/cases.sql"],
        ),
    ] = None
    labels_source: Annotated[
        Source | None,
        Field(
            description="As affected_source, one row with item_id and label (1 violates, 0 does "
            "not), for each rater's vote on a case; rater_id, stratum, inclusion_probability and "
            "labelled_at if known. null: nothing says which cases are wrong.",
            examples=["labels"],
        ),
    ] = None
    views_source: Annotated[
        Source | None,
        Field(
            description="As affected_source, one row with item_id and viewer_id, for each view of "
            "a case; viewed_at if known. null: viewers are not counted.",
            examples=["views"],
        ),
    ] = None
    views_share: Annotated[
        float | None,
        Field(
            gt=0,
            le=1,
            description="Share of all views that views_source holds, where it is a sample. Viewers "
            "are then a lower bound. null: all views.",
            examples=[0.05],
        ),
    ] = None
    arrivals_source: Annotated[
        Source | None,
        Field(
            description="As affected_source, one row with kind (label, appeal, chargeback …), "
            "event_at and arrived_at, for what comes late, of any time; arrival_id if known (rows "
            "with the same one count once). null: nothing says what is still to come.",
            examples=["params/incident_postmortem/arrivals.sql"],
        ),
    ] = None
    change_log_source: Annotated[
        Source | None,
        Field(
            description="As affected_source, one row with changed_at and change, for each change "
            "to rules, models and systems; link if known. null: no change is weighed as a cause.",
            examples=["change_log"],
        ),
    ] = None
    segments: Annotated[
        CaseSegments,
        Field(
            description="Columns of the affected table by which to count; their values are shown. "
            "[]: none.",
            examples=[["market"]],
        ),
    ] = ()
    first_signal_at: Annotated[
        Instant | None,
        Field(
            description="When the first signal was there (alert, report, complaint), with its "
            "offset. null: not stated.",
            examples=["2026-03-17T18:00:00+00:00"],
        ),
    ] = None
    declared_at: Annotated[
        Instant | None,
        Field(
            description="When somebody took it on as an incident. null: not stated.",
            examples=["2026-03-17T20:30:00+00:00"],
        ),
    ] = None
    mitigated_at: Annotated[
        Instant | None,
        Field(
            description="When the cause no longer acted. null: not stated.",
            examples=["2026-03-18T16:00:00+00:00"],
        ),
    ] = None
    recovered_at: Annotated[
        Instant | None,
        Field(
            description="When all was as before. null: not yet, or not stated.",
            examples=["2026-03-20T12:00:00+00:00"],
        ),
    ] = None
    status: Annotated[
        Literal["open", "closed"],
        Field(
            description="open: severity takes the upper end of each interval; closed: the point. "
            "closed needs recovered_at."
        ),
    ] = "open"
    timeline: Annotated[
        Timeline,
        Field(
            description='What happened, each as {at: "2026-03-17T14:20:00+00:00", event: rule 17 '
            'went live, link: "https://…"}; the link (http, https or a relative path) may be '
            "missing. []: stamps and changes alone.",
            examples=[[{"at": "2026-03-17T14:20:00+00:00", "event": "rule 17 went live"}]],
        ),
    ] = ()
    actions: Annotated[
        Actions,
        Field(
            description="What is to be done, each as {title: replay rules before they go live, "
            'type: prevent, owner: Rules, due: "2026-05-15", check: no rule goes live without a '
            "replay}. type is prevent, detect, mitigate or process; status (open, done) and link "
            "may be missing. []: none yet.",
            examples=[
                [
                    {
                        "title": "replay rules before they go live",
                        "type": "prevent",
                        "owner": "Rules",
                        "due": "2026-05-15",
                        "check": "no rule goes live without a replay",
                    }
                ]
            ],
        ),
    ] = ()
    severity_rules: Annotated[
        Rules,
        Field(
            description="From the most severe on, each as {severity: SEV1, measure: "
            "false_positives, at_least: 1000}; the first that holds is the severity. measure is "
            "the name of an estimate of this notebook. []: no severity.",
            examples=[[{"severity": "SEV1", "measure": "false_positives", "at_least": 1000}]],
        ),
    ] = ()
    alerts: Annotated[
        Alerts,
        Field(
            description="Alerts to be tried on the history, each as {name: rule actions an hour, "
            "kind: threshold, value: 60, status: proposed}. kind: threshold (a count), "
            "rate_of_change (times the same hours of the four weeks before) or cusum (standard "
            "deviations); status: existing, or proposed (the default). []: settings are "
            "recommended all the same.",
            examples=[[{"name": "rule actions an hour", "kind": "threshold", "value": 60}]],
        ),
    ] = ()
    false_alarms_per_week: Annotated[
        float,
        Field(
            gt=0,
            le=10_000,
            description="How many false alarms a week responders can bear; the recommended alert "
            "stays below.",
        ),
    ] = 1.0
    change_hours: Annotated[
        float,
        Field(
            gt=0,
            le=24 * 28,
            description="A change so many hours before the start of impact, or fewer, comes into "
            "question as a cause.",
        ),
    ] = 6.0
    affected_segments: Annotated[
        Names,
        Field(
            description="Values of segment_column that the suspected cause could reach; the others "
            "are compared with them. []: unknown.",
            examples=[["birch", "elm"]],
        ),
    ] = ()
    currency: Annotated[
        Currency | None,
        Field(
            description="ISO 4217 code of gross and recovered in the affected table. null: there "
            "are no amounts.",
            examples=["EUR"],
        ),
    ] = None
    usd_rate: Annotated[
        float | None,
        Field(
            gt=0,
            validate_default=True,
            description="Dollars for one unit of currency. null: currency is USD, or none.",
            examples=[1.08],
        ),
    ] = None
    lists_folder: Annotated[
        ListsFolder | None,
        Field(
            description="Folder for the lists of raw ids for those who put things right, outside "
            "reports/; its owner alone can read it. null: no lists are written.",
            examples=["restricted/rule-17"],
        ),
    ] = None
    previous_results: Annotated[
        EarlierResults | None,
        Field(
            description="results.json of an earlier run of this postmortem, for the bridge from "
            "then to now. null: none.",
            examples=[
                "reports/incident_postmortem/rule-17/runs/20260320T090000Z-a1b2c3/results.json"
            ],
        ),
    ] = None

    @field_validator("event_id_column")
    @classmethod
    def _ids_are_of_events(cls, column: str | None, info: ValidationInfo) -> str | None:
        if column is not None and info.data.get("count_column") is not None:
            raise fault(
                "is set, and so is count_column: ready counts have no events to tell apart",
                next_step="set count_column to null if one row is one event, else this one",
            )
        return column

    @field_validator("labels_source", "views_source")
    @classmethod
    def _of_cases(cls, source: str | None, info: ValidationInfo) -> str | None:
        return needs(source, info, "affected_source", "which items are cases")

    @field_validator("views_share")
    @classmethod
    def _share_of_views(cls, share: float | None, info: ValidationInfo) -> float | None:
        return needs(share, info, "views_source", "what it is a share of")

    @field_validator(*STAMPS)
    @classmethod
    def _in_order(cls, at: datetime | None, info: ValidationInfo) -> datetime | None:
        as_of = info.data.get("as_of")
        if at is None:
            return at
        for name, bound in _bounds(str(info.field_name), info):
            if at < bound:
                raise fault(
                    f"({at.isoformat()}) is before {name} ({bound.isoformat()}): the stages of an "
                    "incident come one after the other",
                    next_step="correct one of the two, or set to null what is not known",
                )
        if as_of is not None and at > as_of:
            raise fault(
                f"({at.isoformat()}) is after as_of ({as_of.isoformat()}): it was not known then",
                next_step="move as_of, or set this stamp to null",
            )
        return at

    @field_validator("status")
    @classmethod
    def _closed_is_recovered(cls, status: str, info: ValidationInfo) -> str:
        if status == "closed" and info.data.get("recovered_at", "") is None:
            raise fault(
                "is closed, and recovered_at is null: nothing says when all was as before",
                next_step="set recovered_at, or leave the status open",
                lacks=("recovered_at",),
            )
        return status

    @field_validator("actions")
    @classmethod
    def _due_after_the_start(
        cls, actions: tuple[ActionItem, ...], info: ValidationInfo
    ) -> tuple[ActionItem, ...]:
        start, zone = info.data.get("incident_start"), info.data.get("timezone")
        if start is None or zone is None:
            return actions
        day = start.astimezone(ZoneInfo(zone)).date()
        for number, action in enumerate(actions, start=1):
            if action.due < day:
                raise fault(
                    f"item {number}, due ({action.due}) is before incident_start ({day})",
                    next_step="write the day until which it is to be done",
                )
        return actions

    @field_validator("affected_segments")
    @classmethod
    def _segments_are_counted(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return needs(names, info, "segment_column", "which rows are whose")

    @field_validator("usd_rate")
    @classmethod
    def _rate_of_a_currency(cls, rate: float | None, info: ValidationInfo) -> float | None:
        currency = info.data.get("currency", "")
        if currency == "":  # refused already
            return rate
        if currency is None and rate is not None:
            raise fault(
                "is set, and currency is null: nothing says of what it is the rate",
                next_step="set currency, or set usd_rate to null",
                lacks=("currency",),
            )
        if currency not in (None, "USD") and rate is None:
            raise fault(
                f"is null, and currency is {currency}: amounts are told in dollars",
                next_step=f"write how many dollars one {currency} was, for example 1.08",
                lacks=("usd_rate",),
            )
        if currency == "USD" and rate not in (None, 1):
            raise fault(
                f"is {rate:g}, and currency is USD: a dollar is a dollar",
                next_step="set usd_rate to null, or correct currency",
            )
        return rate

    def counts_query(self) -> CountsQuery:
        """What to read, for `trustlib.data.read_counts`."""
        return replace(super().counts_query(), event_id_column=self.event_id_column)

    def affected_query(self) -> AffectedQuery:
        """Which tables of cases to read, for `trustlib.data.incident_read.read_affected`."""
        from trustlib.core import Window
        from trustlib.data.incident_records import TABLES, AffectedQuery

        given = {role: getattr(self, f"{role}_source") for role in TABLES}
        return AffectedQuery(
            sources={role: source for role, source in given.items() if source is not None},
            connection=self.connection,
            window=Window(self.incident_start, self.incident_end),
            segments=self.segments,
            currency=self.currency,
            timezone=self.timezone,
            as_of=self.as_of,
        )

    def spec(self) -> PostmortemSpec:  # type: ignore[override]  # what was sized, and more
        """What to put on record, for `trustlib.postmortem.record.postmortem`."""
        from trustlib.postmortem import spec as room

        return room.PostmortemSpec(
            sizing=super().spec(),
            stamps=room.Stamps(**{name: getattr(self, name) for name in STAMPS}),
            timeline=tuple(room.TimelineEntry(**vars(each)) for each in self.timeline),
            actions=tuple(room.ActionItem(**vars(each)) for each in self.actions),
            severity_rules=tuple(room.SeverityRule(**vars(each)) for each in self.severity_rules),
            status=self.status,
            alerts=tuple(room.Alert(**vars(each)) for each in self.alerts),
            false_alarms_per_week=self.false_alarms_per_week,
            change_hours=self.change_hours,
            affected_segments=self.affected_segments,
            currency=self.currency,
            usd_rate=1.0 if self.currency == "USD" else self.usd_rate,
            segments=self.segments,
            views_share=self.views_share,
        )


def _bounds(stamp: str, info: ValidationInfo) -> Iterator[tuple[str, datetime]]:
    """What `stamp` may not come before, as (its name for a reader, the instant)."""
    for name in reversed(STAMPS[: STAMPS.index(stamp)]):
        earlier = info.data.get(name)
        if earlier is not None:
            yield name, earlier
    start = info.data.get("incident_start")
    if start is not None and stamp in ("first_signal_at", "declared_at"):
        yield "7 days before incident_start", start - _EARLIEST
    elif start is not None:
        yield "incident_start", start
