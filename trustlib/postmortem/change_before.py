"""Was something changed shortly before it began, and how often is something changed anyway.

A change counts where it was made between `change_hours` before the earliest and the latest instant
at which the impact may have begun. How close one is by chance is asked of a nested family of
stretches around the start, as estimated or stated: from x before it to the end of its bucket, x
growing; and last, where only later changes count, the whole stretch. The chance of the
smallest one that holds a change (one bucket at least: a start is known to no more) is read off
the log (`trustlib.postmortem.base_rate`), over all moments and over the same hours of other days;
the larger of the two is reported and judged. Where no change is near, it is told of the whole
stretch.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.core import format
from trustlib.core.text import short
from trustlib.data.incident_records import AffectedRows
from trustlib.incidents import SizingResult
from trustlib.incidents.spec import BUCKETS
from trustlib.postmortem.base_rate import Chance, chance_of
from trustlib.postmortem.factor import Factor, FactorVerdict, not_tested
from trustlib.postmortem.spec import PostmortemSpec

TEST = "chance of a change so close, from the change log"
_MOST_NAMED = 5
_LENGTH = dict(zip(BUCKETS, (pd.Timedelta(hours=h) for h in (0.5, 1, 24)), strict=True))
_LONGEST = 80  # characters of a change's text
_IN_TIME = (
    "That one thing came before another does not make it the cause, and this is one incident."
)


def change_before(sizing: SizingResult, rows: AffectedRows, *, spec: PostmortemSpec) -> Factor:
    """Whether a change shortly before the start is more than office hours would give."""
    hours = f"{spec.change_hours:g}{format.NBSP}hours"
    factor = f"a change within {hours} before the start"
    why = rows.missing.get("change_log")
    if why is not None or rows.change_log.empty:
        return not_tested(factor, TEST, (why or "the change log has no rows").rstrip("."))
    low, start, high = started(sizing)
    before = pd.Timedelta(hours=spec.change_hours)
    log = rows.change_log.sort_values(["changed_at", "change"], kind="stable")
    at = pd.DatetimeIndex(log["changed_at"]).tz_convert("UTC")
    if at[0] > low - before:
        return not_tested(factor, TEST, "the change log begins after the hours in question")
    near = (at >= low - before) & (at <= high)
    if not near.any() and _ended(at, low):
        silent = format.duration(_whole_hours(low - at[-1]))
        return not_tested(
            factor,
            TEST,
            f"the change log's last entry lies {silent} before the start, longer than it was ever "
            "silent before: it may have ended",
        )
    # The smallest stretch of the family that holds a change.
    behind, ahead = before + (start - low), high - start
    bucket = _LENGTH[sizing.spec.bucket]
    upto = min(bucket, ahead)
    if (closest := at[near & (at <= start + upto)]).size:
        ahead = upto
        behind = min(behind, max(start - closest[-1], bucket - upto))
    chance = chance_of(at, start, behind=behind, ahead=ahead, timezone=sizing.spec.timezone)
    alpha = 1 - sizing.spec.level
    verdict, told = _judged(near, chance, alpha=alpha, hours=hours)
    began = _start_told(low, start, high, timezone=sizing.spec.timezone)
    named = _named(log[near], low=low, start=start)
    text = " ".join(part for part in (began, named, told, _IN_TIME) if part)
    p = chance.larger if near.any() else 1.0
    return Factor(factor=factor, test=TEST, verdict=verdict, text=text, p_value=p)


def started(sizing: SizingResult) -> tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp]:
    """Earliest, likeliest and latest start of impact; all three the stated one without these."""
    row = sizing.onset.iloc[0]
    if pd.notna(row["low_at"]) and pd.notna(row["high_at"]):
        return row["low_at"], row["estimated_at"], row["high_at"]
    return row["stated_at"], row["stated_at"], row["stated_at"]


def _ended(at: pd.DatetimeIndex, low: pd.Timestamp) -> bool:
    gaps = at[1:] - at[:-1]
    return at[-1] < low and (not len(gaps) or low - at[-1] > gaps.max())


def _judged(
    near: np.ndarray, chance: Chance, *, alpha: float, hours: str
) -> tuple[FactorVerdict, str]:
    base = (
        f"A start at a random moment of the logged history would have a change so close in "
        f"{format.percent(chance.moments)} of cases, at the same hours of "
        f"{format.plural(chance.n_days, 'comparable earlier day')} in "
        f"{format.percent(chance.days)}"
    )
    if not near.any():
        return "not supported", (
            f"The log has no change in the {hours} before the start. {base}. A cause that was not "
            "logged is not ruled out."
        )
    if 1 / (1 + chance.n_days) > alpha:
        return "not tested", (
            f"{base}: the log reaches back too few days to tell a coincidence from a pattern."
        )
    if chance.larger > alpha:
        return "not supported", f"{base}: often enough that it may be a coincidence."
    return "supported", f"{base}: a coincidence is unlikely."


def _start_told(
    low: pd.Timestamp, start: pd.Timestamp, high: pd.Timestamp, *, timezone: str
) -> str:
    if low == high:
        return f"The impact is stated to have begun on {format.instant(start, timezone)}."
    ends = f"{format.instant(low, timezone)} to {format.instant(high, timezone)}"
    return f"The impact is estimated to have begun on {format.instant(start, timezone)} ({ends})."


def _named(near: pd.DataFrame, *, low: pd.Timestamp, start: pd.Timestamp) -> str:
    """Every change, the latest first."""
    if near.empty:
        return ""
    told = []
    latest = near.iloc[::-1].head(_MOST_NAMED)
    for at, change in zip(latest["changed_at"], latest["change"], strict=True):
        when = f"{_length(abs(start - at))} {'before' if at < start else 'after'} that"
        if at == start:
            when = "at that instant"
        if low < at:
            when += ", perhaps after the true start"
        told.append(f"“{short(change, _LONGEST)}” ({when})")
    more = len(near) - len(told)
    tail = f" and {more} more" if more else ""
    return f"{format.plural(len(near), 'change')} so close: {'; '.join(told)}{tail}."


def _length(length: pd.Timedelta) -> str:
    """``61 minutes``, ``4.5 hours``."""
    minutes = max(1, round(length / pd.Timedelta(minutes=1)))
    if minutes < 120:
        return format.plural(minutes, "minute")
    return format.duration(pd.Timedelta(minutes=minutes))


def _whole_hours(length: pd.Timedelta) -> pd.Timedelta:
    return max(length.round("h"), pd.Timedelta(hours=1))
