"""The clock of an incident: what happened when, and how long each step took.

Durations are defined here and nowhere else. Their start is the start of impact as the data show
it (`trustlib.incidents.onset`), with that estimate's interval; where it is not estimable, the
stated start, and then a duration says so and has no interval.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd

from trustlib.core import Check, Estimate, format
from trustlib.incidents import SizingResult
from trustlib.postmortem.spec import Stamps, TimelineEntry

START = "start of impact"
_STAMPS = {
    "first_signal_at": "First signal",
    "declared_at": "Declared",
    "mitigated_at": "Mitigated",
    "recovered_at": "Recovered",
}
# Estimate -> from (None: the start of impact), to, in words.
DEFINITIONS: dict[str, tuple[str | None, str, str]] = {
    "time_to_detect_hours": (
        None, "first_signal_at", "From the start of impact to the first signal that anyone had.",
    ),
    "time_to_acknowledge_hours": (
        "first_signal_at", "declared_at", "From the first signal to the incident being declared.",
    ),
    "time_to_mitigate_hours": (
        None, "mitigated_at", "From the start of impact to the stated end of new harm.",
    ),
    "time_to_recover_hours": (
        None, "recovered_at", "From the start of impact to the stated return to how it was.",
    ),
}  # fmt: skip
# Changes further away from the incident are no part of its story.
_BEFORE, _AFTER = timedelta(days=2), timedelta(days=1)
_STILL = 0.1  # part of the excess after mitigation that is worth a word


@dataclass(frozen=True, kw_only=True)
class Clock:
    """`Postmortem.timeline`, `Postmortem.durations`, their estimates and checks."""

    timeline: pd.DataFrame
    durations: pd.DataFrame
    estimates: dict[str, Estimate]
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True)
class _Impact:
    """When impact began; `low` and `high` where the data give an interval."""

    at: datetime
    low: datetime | None
    high: datetime | None
    estimated: bool
    note: str
    n: int


def clock(
    sizing: SizingResult,
    changes: pd.DataFrame,
    *,
    stamps: Stamps,
    timeline: tuple[TimelineEntry, ...] = (),
) -> Clock:
    """Put what was stated, what was logged and what the data show on one clock.

    Parameters
    ----------
    changes
        changed_at, change, link: `AffectedRows.change_log`.
    """
    impact = _impact(sizing)
    found = {name: _duration(name, stamps, impact, sizing) for name in DEFINITIONS}
    return Clock(
        timeline=_timeline(sizing, changes, stamps, timeline, impact),
        durations=pd.DataFrame(
            [_row(name, stamps, impact) for name in DEFINITIONS],
            columns=["name", "from_at", "to_at", "definition"],
        ),
        estimates=found,
        checks=(_order(sizing, stamps, impact), *_mitigated(sizing, stamps)),
    )


def _impact(sizing: SizingResult) -> _Impact:
    row, n = sizing.onset.iloc[0], sizing.estimates["onset_hours"].n
    if pd.isna(row["estimated_at"]):
        at = sizing.spec.incident.start
        return _Impact(at=at, low=None, high=None, estimated=False, note=str(row["note"]), n=n)
    ends = [
        None if pd.isna(row[end]) else row[end].to_pydatetime() for end in ("low_at", "high_at")
    ]
    at = row["estimated_at"].to_pydatetime()
    return _Impact(
        at=at, low=ends[0], high=ends[1], estimated=True, note=str(row["note"]), n=max(n, 1)
    )


def _duration(name: str, stamps: Stamps, impact: _Impact, sizing: SizingResult) -> Estimate:
    start, end, _ = DEFINITIONS[name]
    blank = Estimate(
        point=None, low=None, high=None, level=sizing.spec.level, unit="hours",
        method="difference of two stated instants", n=2, note="not estimable",
    )  # fmt: skip
    until: datetime | None = getattr(stamps, end)
    since = impact.at if start is None else getattr(stamps, start)
    for stamp, at in ((end, until), (start, since)):
        if at is None:
            return replace(blank, note=f"not estimable: {stamp} is not stated")
    assert until is not None
    hours = _hours(until - since)
    if start is not None:
        return replace(blank, point=hours, low=hours, high=hours, note=None)
    if not impact.estimated or impact.low is None or impact.high is None:
        why = "stated, not estimated" if not impact.estimated else "estimated without an interval"
        note = f"no interval: the {START} is {why} ({impact.note})"
        return replace(blank, point=hours, note=note, n=max(impact.n, 1))
    return replace(
        blank,
        point=hours,
        low=_hours(until - impact.high),
        high=_hours(until - impact.low),
        method=f"stated instant minus the {START} estimated from the data",
        n=impact.n,
        note=None,
    )


def _row(name: str, stamps: Stamps, impact: _Impact) -> dict[str, object]:
    start, end, definition = DEFINITIONS[name]
    return {
        "name": name,
        "from_at": _utc(impact.at if start is None else getattr(stamps, start)),
        "to_at": _utc(getattr(stamps, end)),
        "definition": definition,
    }


def _timeline(
    sizing: SizingResult,
    changes: pd.DataFrame,
    stamps: Stamps,
    entries: tuple[TimelineEntry, ...],
    impact: _Impact,
) -> pd.DataFrame:
    window = sizing.spec.incident
    rows: list[tuple[object, str, str, str]] = [(window.start, "stated", "Impact starts", "")]
    rows += [
        (getattr(stamps, name), "stated", event, "")
        for name, event in _STAMPS.items()
        if getattr(stamps, name) is not None
    ]
    if impact.estimated:
        rows.append((impact.at, "estimated", "Impact starts", ""))
    back = sizing.onset.iloc[0]["recovered_at"]
    if not pd.isna(back):
        rows.append((back, "estimated", "Counts are back to normal", ""))
    rows += [(one.at, "timeline", one.event, one.link) for one in entries]
    last = max([window.end, *(at for at in vars(stamps).values() if at is not None)])
    near = changes["changed_at"].between(
        pd.Timestamp(window.start - _BEFORE), pd.Timestamp(last + _AFTER)
    )
    rows += [
        (one["changed_at"], "change log", str(one["change"]), str(one["link"]))
        for _, one in changes[near].iterrows()
    ]
    frame = pd.DataFrame(rows, columns=["at", "kind", "event", "link"])
    frame["at"] = pd.to_datetime(frame["at"], utc=True).dt.as_unit("us")
    return frame.sort_values(["at", "kind", "event", "link"], kind="stable", ignore_index=True)


def _order(sizing: SizingResult, stamps: Stamps, impact: _Impact) -> Check:
    """Whether the stated instants go with the start that the data show."""
    first, low = stamps.first_signal_at, impact.low or impact.at
    told = {"name": "stamps_and_data"}
    if first is None or not impact.estimated:
        lacks = "no first signal is stated" if first is None else f"the data date no {START}"
        return Check(
            **told, verdict="not_run", label="stated instants beside the data",
            text=f"Not run: {lacks}.",
        )  # fmt: skip
    if first < low:
        return Check(
            **told, verdict="warn", label="the first signal precedes the impact",
            text=f"The first signal is stated {_hours(low - first):.1f} hours before the earliest "
            f"{START} that the data allow: one of the two, or the series, is about another thing.",
        )  # fmt: skip
    return Check(
        **told, verdict="pass", label="stated instants go with the data",
        text=f"The first signal comes after the earliest {START} that the data allow.",
    )  # fmt: skip


def _mitigated(sizing: SizingResult, stamps: Stamps) -> tuple[Check, ...]:
    """Whether the excess ends where mitigation is stated, as far as the window tells."""
    end, window = stamps.mitigated_at, sizing.spec.incident
    if end is None:
        return ()
    told = {"name": "excess_after_mitigation"}
    if end > window.end + timedelta(hours=1):
        return (
            Check(
                **told, verdict="warn", label="the window ends before mitigation",
                text=f"Mitigation is stated {_hours(end - window.end):.1f} hours after the end of "
                "the window that is sized: harm in between is not in the figures.",
            ),
        )  # fmt: skip
    rows = sizing.counterfactual[sizing.counterfactual["in_window"]]
    beyond = (rows["actual"] - rows["expected"]).where(rows["actual"].notna(), 0.0)
    after = float(beyond[rows["bucket_start_at"] >= pd.Timestamp(end)].sum())
    total = float(beyond.sum())
    part = after / total if total else 0.0
    if part > _STILL:
        return (
            Check(
                **told, verdict="warn", label="excess after the stated mitigation",
                text=f"About {format.percent(part)} of the excess, "
                f"{format.count(after, sign=True)} {sizing.spec.unit_label}, was counted after the "
                "instant that is stated as the end of new harm: it went on.",
            ),
        )  # fmt: skip
    return (
        Check(
            **told, verdict="pass", label="the excess ends with mitigation",
            text="Within the window that is sized, next to nothing of the excess was counted after "
            "the instant that is stated as the end of new harm.",
        ),
    )  # fmt: skip


def _hours(length: timedelta) -> float:
    return length.total_seconds() / 3600


def _utc(at: datetime | None) -> object:
    return pd.NaT if at is None else pd.Timestamp(at).tz_convert("UTC")
