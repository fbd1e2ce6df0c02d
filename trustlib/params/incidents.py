"""What `incident_sizing` is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from trustlib.params.fields import BUCKETS, Column, Instant, Text, WindowPair, fault
from trustlib.params.shared import OneSourceParams

if TYPE_CHECKING:
    from trustlib.data import CountsQuery
    from trustlib.incidents import SizingSpec


class IncidentSizingParams(OneSourceParams):
    """How big was an incident: a window, a history, and a series to count."""

    notebook: ClassVar[str] = "incident_sizing"
    edit_first: ClassVar[tuple[str, ...]] = ("count_column",)

    time_column: Annotated[
        Column,
        Field(
            description="Column with the time of the event or the start of the bucket.",
            examples=["timestamp", "acted_at"],
        ),
    ]
    count_column: Annotated[
        Column | None,
        Field(
            description="Column with ready counts. null: one row is one event.",
            examples=["count"],
        ),
    ] = None
    segment_column: Annotated[
        Column | None,
        Field(
            description="Column to split the excess by: market, surface, rule. null: no split.",
            examples=["market"],
        ),
    ] = None
    control_column: Annotated[
        Column | None,
        Field(
            description="Column with a series that the incident cannot have moved, for example "
            "traffic; it narrows the interval. null: none.",
            examples=["views"],
        ),
    ] = None
    incident_start: Annotated[
        Instant,
        Field(
            description="First instant of the incident, with its offset.",
            examples=["2026-03-17T14:00:00+00:00"],
        ),
    ]
    incident_end: Annotated[
        Instant,
        Field(
            description="First instant after the incident (the window is half-open), with its "
            "offset.",
            examples=["2026-03-18T16:00:00+00:00"],
        ),
    ]
    history_start: Annotated[
        Instant | None,
        Field(
            description="Where the history begins that the expected level is learnt from; at "
            "least three weeks before the start, better eight. null: the first row.",
            examples=["2026-01-05T00:00:00+00:00"],
        ),
    ] = None
    bucket: Annotated[
        Literal["30min", "1h", "1d"], Field(description="Width of the time buckets.")
    ] = "1h"
    exclude_windows: Annotated[
        tuple[WindowPair, ...],
        Field(
            strict=False,
            max_length=200,
            description="Windows of the history to leave out (holidays, earlier incidents): a "
            "list of [start, end] pairs, each instant with its offset.",
            examples=[[["2026-02-10T00:00:00+00:00", "2026-02-11T00:00:00+00:00"]]],
        ),
    ] = ()
    direction: Annotated[
        Literal["increase", "decrease", "either"],
        Field(description="Which way the incident could have moved the counts."),
    ] = "either"
    unit_label: Annotated[
        Text, Field(max_length=60, description="What one count is, in the plural.")
    ] = "events"
    unit_cost_usd: Annotated[
        float | None,
        Field(ge=0, description="Dollars per count; gives the cost. null: no cost."),
    ] = None

    @field_validator("incident_end")
    @classmethod
    def _end_after_start(cls, end: datetime, info: ValidationInfo) -> datetime:
        start, as_of = info.data.get("incident_start"), info.data.get("as_of")
        if start is not None and end <= start:
            raise fault(
                "is not after incident_start: the window is reversed or empty",
                next_step="swap incident_start and incident_end, or correct one of them",
            )
        if as_of is not None and as_of < end:
            raise fault(
                f"({end.isoformat()}) is after as_of ({as_of.isoformat()}): the window is not over",
                next_step="move as_of to the end of the incident or later, set it to null, or end "
                "the window at as_of to size the incident so far",
            )
        return end

    @field_validator("history_start")
    @classmethod
    def _history_before_start(
        cls, history: datetime | None, info: ValidationInfo
    ) -> datetime | None:
        start = info.data.get("incident_start")
        if history is not None and start is not None and history >= start:
            raise fault(
                "is not before incident_start: no history is left",
                next_step="move it at least three weeks before incident_start, or set it to null",
            )
        return history

    @field_validator("bucket")
    @classmethod
    def _bucket_fits(cls, bucket: str, info: ValidationInfo) -> str:
        start, end = info.data.get("incident_start"), info.data.get("incident_end")
        # The day on which the clocks go forward has 23 hours; whether it is one, the data say.
        shortest = timedelta(hours=23) if bucket == "1d" else BUCKETS[bucket]
        if start is not None and end is not None and end - start < shortest:
            raise fault(
                f"{bucket} is longer than the incident window",
                next_step="choose a narrower bucket (30min, 1h) or a longer window",
            )
        return bucket

    @field_validator("exclude_windows")
    @classmethod
    def _exclusions_spare_the_incident(
        cls, windows: tuple[tuple[datetime, datetime], ...], info: ValidationInfo
    ) -> tuple[tuple[datetime, datetime], ...]:
        start, end = info.data.get("incident_start"), info.data.get("incident_end")
        if start is None or end is None:
            return windows
        for number, (first, last) in enumerate(windows, start=1):
            if first < end and start < last:
                raise fault(
                    f"window {number} overlaps the incident window",
                    next_step="leave out history only: end it at incident_start or begin it at "
                    "incident_end",
                )
        return windows

    def counts_query(self) -> CountsQuery:
        """What to read, for `trustlib.data.read_counts`."""
        from trustlib.data import CountsQuery

        return CountsQuery(
            source=self.source,
            connection=self.connection,
            time_column=self.time_column,
            count_column=self.count_column,
            segment_column=self.segment_column,
            control_column=self.control_column,
            timezone=self.timezone,
            bucket=self.bucket,
            history_start=self.history_start,
            incident_start=self.incident_start,
            incident_end=self.incident_end,
            as_of=self.as_of,
        )

    def spec(self) -> SizingSpec:
        """What to estimate, for `trustlib.incidents.sizing`."""
        from trustlib.core import Window
        from trustlib.incidents import SizingSpec

        return SizingSpec(
            incident=Window(self.incident_start, self.incident_end),
            history_start=self.history_start,
            bucket=self.bucket,
            timezone=self.timezone,
            exclude_windows=tuple(Window(*pair) for pair in self.exclude_windows),
            direction=self.direction,
            level=self.level,
            seed=self.seed,
            unit_label=self.unit_label,
            unit_cost_usd=self.unit_cost_usd,
        )
