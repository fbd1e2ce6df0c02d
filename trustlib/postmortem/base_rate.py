"""How often a stretch of time like the one before the incident holds a change, from the log itself.

With w the length of the stretch, from `behind` before a moment to `ahead` after it,

    moments = (w + length of the moments at which the same stretch holds a change) / (w + moments)
    days    = (1 + days on which the same clock hours hold a change) / (1 + days)

over the logged history: from `behind` after its first entry to the last stretch that ends before
the incident's begins. The incident's own stretch is counted once on both sides, as in a permutation
test, so that a rare event never has chance 0. Days matter because changes are made in office hours,
when incidents begin as well; on a weekday only weekdays are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


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


def chance_of(
    at: pd.DatetimeIndex,
    start: pd.Timestamp,
    *,
    behind: pd.Timedelta,
    ahead: pd.Timedelta,
    timezone: str,
) -> Chance:
    """The base rate of a change in a stretch from `behind` before `start` to `ahead` after it.

    Parameters
    ----------
    at
        Instants of all changes, ascending; the first is where the logged history begins.
    """
    width = behind + ahead
    first, last = at[0] + behind, start - width
    covered = _covered(at, first=first, last=last, ahead=ahead, behind=behind)
    moments = max(last - first, pd.Timedelta(0))
    days = _same_hours(start, first=first, last=last, timezone=timezone)
    hit = _hit(at, days, ahead=ahead, behind=behind)
    return Chance(
        moments=float((covered + width) / (moments + width)),
        days=float((1 + hit.sum()) / (1 + len(days))),
        n_days=len(days),
    )


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
    start: pd.Timestamp, *, first: pd.Timestamp, last: pd.Timestamp, timezone: str
) -> pd.DatetimeIndex:
    """`start` on the local clock of earlier days in [first, last]; weekdays only for a weekday."""
    local = start.tz_convert(timezone).tz_localize(None)
    n = max(0, (start - first).days + 2)
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
