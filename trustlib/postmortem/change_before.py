"""Was something changed shortly before it began, and how often is something changed anyway.

A change counts where it was made between `change_hours` before the earliest and the latest instant
at which the impact may have begun. The nearest one was made x before that earliest instant (one
bucket at least: a start is known to no more), so that a stretch of length w = x + width of the
interval holds a change. How likely one is to be that close by chance is read off the log, twice:

    moments = (w + length of the moments at which the same stretch holds a change) / (w + moments)
    days    = (1 + days on which the same clock hours hold a change) / (1 + days)

over the logged history: from x after its first entry to the last stretch that ends before the
incident's begins. Where no change is near, x is `change_hours`. The incident's own stretch is
counted once on both sides, as in a permutation test, so that a rare event never has chance 0. Days
matter because changes are made in office hours, when incidents begin as well; on a weekday only
weekdays are compared. The larger of the two is the chance that is reported and judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import format
from trustlib.core.text import short
from trustlib.data.incident_records import AffectedRows
from trustlib.incidents import SizingResult
from trustlib.incidents.spec import BUCKETS
from trustlib.postmortem.factor import Factor, FactorVerdict, not_tested
from trustlib.postmortem.spec import PostmortemSpec

TEST = "chance of a change so close, from the change log"
_MOST_NAMED = 5
_LENGTH = dict(zip(BUCKETS, (pd.Timedelta(hours=h) for h in (0.5, 1, 24)), strict=True))
_LONGEST = 80  # characters of a change's text
_IN_TIME = (
    "That one thing came before another does not make it the cause, and this is one incident."
)


@dataclass(frozen=True, kw_only=True)
class Chance:
    """How often the same stretch of time holds a change.

    Attributes
    ----------
    moments
        Share of the logged moments, the incident's own stretch included.
    days
        Share of comparable days at the same hours, the incident's own included.
    n_days
        Comparable days before the incident.
    """

    moments: float
    days: float
    n_days: int

    @property
    def larger(self) -> float:
        return max(self.moments, self.days)


def change_before(sizing: SizingResult, rows: AffectedRows, *, spec: PostmortemSpec) -> Factor:
    """Whether a change shortly before the start is more than office hours would give."""
    hours = f"{spec.change_hours:g}{format.NBSP}hours"
    factor = f"a change within {hours} before the start"
    why = rows.missing.get("change_log")
    if why is not None or rows.change_log.empty:
        return not_tested(factor, TEST, (why or "the change log has no rows").rstrip("."))
    low, high, estimated = started(sizing)
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
    close = before
    if near.any():
        close = min(before, max(low - at[near][-1], _LENGTH[sizing.spec.bucket]))
    chance = chance_of(at, low=low, high=high, before=close, timezone=sizing.spec.timezone)
    alpha = 1 - sizing.spec.level
    verdict, told = _judged(near, chance, alpha=alpha, hours=hours)
    start = _start_told(low, high, estimated, sizing.spec.timezone)
    named = _named(log[near], low=low, high=high)
    text = " ".join(part for part in (start, named, told, _IN_TIME) if part)
    p = chance.larger if near.any() else 1.0
    return Factor(factor=factor, test=TEST, verdict=verdict, text=text, p_value=p)


def started(sizing: SizingResult) -> tuple[pd.Timestamp, pd.Timestamp, bool]:
    """Earliest and latest start of impact, and whether they are estimated; else the stated one."""
    row = sizing.onset.iloc[0]
    if pd.notna(row["low_at"]) and pd.notna(row["high_at"]):
        return row["low_at"], row["high_at"], True
    return row["stated_at"], row["stated_at"], False


def chance_of(
    at: pd.DatetimeIndex,
    *,
    low: pd.Timestamp,
    high: pd.Timestamp,
    before: pd.Timedelta,
    timezone: str,
) -> Chance:
    """The base rate of a change in a stretch from `before` ahead of `low` to `high`.

    Parameters
    ----------
    at
        Instants of all changes, ascending; the first is where the logged history begins.
    """
    width = (high - low) + before
    first, last = at[0] + before, low - width
    covered = _covered(at, first=first, last=last, ahead=high - low, behind=before)
    moments = max(last - first, pd.Timedelta(0))
    share = 1.0 if not width else float((covered + width) / (moments + width))
    days = _same_hours(low, first=first, last=last, timezone=timezone)
    hit = _hit(at, days, ahead=high - low, behind=before)
    return Chance(moments=share, days=float((1 + hit.sum()) / (1 + len(days))), n_days=len(days))


def _covered(
    at: pd.DatetimeIndex,
    *,
    first: pd.Timestamp,
    last: pd.Timestamp,
    ahead: pd.Timedelta,
    behind: pd.Timedelta,
) -> pd.Timedelta:
    """Length of the moments t in [first, last] with a change in [t − behind, t + ahead]."""
    if last <= first:
        return pd.Timedelta(0)
    least, most = (one.tz_localize(None).to_datetime64() for one in (first, last))
    begin, end = (
        np.minimum(np.maximum(shifted.tz_localize(None).to_numpy(), least), most)
        for shifted in (at - ahead, at + behind)
    )
    begin[1:] = np.maximum(begin[1:], end[:-1])  # what the change before has covered already
    return pd.Timedelta((end - begin).sum())


def _same_hours(
    low: pd.Timestamp, *, first: pd.Timestamp, last: pd.Timestamp, timezone: str
) -> pd.DatetimeIndex:
    """`low` on the local clock of earlier days in [first, last]; weekdays only for a weekday."""
    local = low.tz_convert(timezone).tz_localize(None)
    n = max(0, (low - first).days + 2)
    days = local - pd.to_timedelta(np.arange(1, n), unit="D")
    if local.day_of_week < 5:
        days = days[days.day_of_week < 5]
    # Which of two equal hours, or a minute that a clock change skips, does not matter here.
    ambiguous = np.zeros(len(days), dtype=bool)
    aware = days.tz_localize(timezone, ambiguous=ambiguous, nonexistent="shift_forward")
    instants = aware.tz_convert("UTC")
    return instants[(instants >= first) & (instants <= last)]


def _hit(
    at: pd.DatetimeIndex, days: pd.DatetimeIndex, *, ahead: pd.Timedelta, behind: pd.Timedelta
) -> np.ndarray:
    """Which of `days` has a change in [day − behind, day + ahead]."""
    return at.searchsorted(days + ahead, side="right") > at.searchsorted(days - behind, side="left")


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
        return "not supported", f"{base}: so often that a coincidence explains it."
    return "supported", f"{base}: a coincidence is unlikely."


def _start_told(low: pd.Timestamp, high: pd.Timestamp, estimated: bool, timezone: str) -> str:
    if not estimated:
        return f"The impact is stated to have begun on {format.instant(low, timezone)}."
    return (
        f"The impact began between {format.instant(low, timezone)} and "
        f"{format.instant(high, timezone)}, as estimated."
    )


def _named(near: pd.DataFrame, *, low: pd.Timestamp, high: pd.Timestamp) -> str:
    """Every change, nearest to the start first."""
    if near.empty:
        return ""
    told = []
    nearest = near.iloc[::-1].head(_MOST_NAMED)
    for at, change in zip(nearest["changed_at"], nearest["change"], strict=True):
        away = low - at
        if away > pd.Timedelta(0):
            when = f"{format.duration(_whole_minutes(away))} before"
        elif high > low:
            when = "within that interval, so perhaps after the start"
        else:
            when = "at that instant"
        told.append(f"“{short(change, _LONGEST)}” ({when})")
    more = len(near) - len(told)
    tail = f" and {more} more" if more else ""
    return f"{format.plural(len(near), 'change')} so close: {'; '.join(told)}{tail}."


def _whole_minutes(length: pd.Timedelta) -> pd.Timedelta:
    return max(length.round("min"), pd.Timedelta(minutes=1))


def _whole_hours(length: pd.Timedelta) -> pd.Timedelta:
    return max(length.round("h"), pd.Timedelta(hours=1))
