"""The phrases that sentences about an incident share; every number through the formatter."""

from __future__ import annotations

from typing import TypedDict

import pandas as pd

from trustlib.core import Estimate
from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.incidents import SizingResult

CONFIRMED = "incident confirmed"
NOT_SHOWN = "no incident shown"
NOT_CONCLUSIVE = "not conclusive"
NOT_ESTIMABLE = "not estimable"


class _Style(TypedDict):
    sign: bool
    currency: str


def unit(result: SizingResult) -> str:
    """What is counted, as given."""
    return short(result.spec.unit_label, 60)


def excess(result: SizingResult) -> Estimate:
    return result.estimates["excess"]


def has_interval(estimate: Estimate) -> bool:
    return estimate.low is not None


def excludes_zero(estimate: Estimate) -> bool:
    """The interval lies on one side of zero."""
    return estimate.low is not None and not estimate.low <= 0 <= (estimate.high or 0.0)


def amount(estimate: Estimate) -> tuple[str, str]:
    """A signed number and its interval, rounded alike: ``("−734,000", "−839,000 to −630,000")``."""
    return show.triple(estimate.point, estimate.low, estimate.high, **_style(estimate))


def alike(estimate: Estimate) -> list[str]:
    """Point, low and high, each on its own."""
    values = [v for v in (estimate.point, estimate.low, estimate.high) if v is not None]
    return show.alike(values, **_style(estimate))


def _style(estimate: Estimate) -> _Style:
    dollars = estimate.unit == "USD"
    return _Style(sign=not dollars, currency="$" if dollars else "")


def size(result: SizingResult) -> tuple[str, str]:
    """The excess with what it counts, and its interval: ``("−734,000 trips", …)``."""
    number, interval = amount(excess(result))
    return f"{number}{show.NBSP}{unit(result)}", interval


def counted(value: float | None) -> str:
    """A total that was counted: every digit up to ten million."""
    if value is not None and abs(value) < 1e7:
        return show.exact(value)
    return show.count(value, digits=4)


def level(result: SizingResult) -> str:
    return show.level(result.spec.level)


def length(result: SizingResult) -> str:
    if result.spec.bucket == "1d":  # a local day may have 23 or 25 hours
        return show.plural(int(result.counterfactual["in_window"].sum()), "day")
    return show.duration(result.spec.incident.duration)


def length_counted(result: SizingResult) -> str:
    """The window's length; where buckets are missing, how much of it was counted."""
    window = result.counterfactual[result.counterfactual["in_window"]]
    present = int(window["actual"].notna().sum())
    if present == len(window):
        return length(result)
    if result.spec.bucket == "1d":
        return f"the {present} counted of {length(result)}"
    share = result.spec.incident.duration * present / len(window)
    return f"the {show.duration(share)} counted of {length(result)}"


def period(result: SizingResult) -> str:
    """The window in words, local time first: for the page's head."""
    incident = result.spec.incident
    return show.window(incident.start, incident.end, result.spec.timezone)


def relative(result: SizingResult) -> str | None:
    """``65 % below expected``, ``2.4 times the expected``; None where nothing was expected."""
    share = result.estimates["relative_excess"].point
    if share is None:
        return None
    if share >= 4:
        return f"{show.count(1 + share, digits=2)} times the expected"
    if abs(share) < 0.0005:
        return "as expected"
    return f"{percent(abs(share))} {'below' if share < 0 else 'above'} expected"


def percent(share: float | None, *, sign: bool = False) -> str:
    """Two digits, three from 100 % on: ``65 %``, ``131 %``."""
    return show.percent(share, sign=sign, digits=3 if share is not None and abs(share) >= 1 else 2)


def local(result: SizingResult, at: pd.Timestamp) -> str:
    """An instant on the local clock, ``26 Jan 2015, 16:00``; of daily buckets, the day."""
    if result.spec.bucket == "1d":
        return show.day(at, result.spec.timezone)
    return show.instant(at, result.spec.timezone)


def brief(result: SizingResult, at: pd.Timestamp) -> str:
    """The same without its year, for an instant near the window."""
    if result.spec.bucket == "1d":
        return show.day(at, result.spec.timezone, year=False)
    return show.instant(at, result.spec.timezone, year=False)


def onset(result: SizingResult) -> pd.Series:
    return result.onset.iloc[0]


def has_onset(result: SizingResult) -> bool:
    return not pd.isna(onset(result)["estimated_at"])


def span(result: SizingResult, low: pd.Timestamp, high: pd.Timestamp, at: pd.Timestamp) -> str:
    """``15:00 to 17:00``, with days only where they differ from that of `at`."""
    days = {show.day(instant, result.spec.timezone) for instant in (low, high, at)}
    if len(days) == 1 and result.spec.bucket != "1d":
        clock = [show.instant(end, result.spec.timezone).split(", ")[1] for end in (low, high)]
        return " to ".join(clock)
    return f"{brief(result, low)} to {brief(result, high)}"


def apart(result: SizingResult, length: pd.Timedelta) -> str:
    """A stretch of time in words; of daily buckets, in days."""
    if result.spec.bucket == "1d":  # a local day may have 23 or 25 hours
        return show.plural(round(length / pd.Timedelta(days=1)), "day")
    return show.duration(length)


def recovered(result: SizingResult) -> str | None:
    """``27 Jan, 09:00`` when the deviation was over; None while it lasts or where unknown.

    Said only where the counts bear it out: a step towards the season is no return to it. Most of
    the next 24 buckets must lie inside the interval of a single bucket.
    """
    at = onset(result)["recovered_at"]
    if pd.isna(at):
        return None
    frame = result.counterfactual.dropna(subset=["actual", "low", "high"])
    after = frame[frame["bucket_start_at"] >= at].head(24)
    if len(after) and after["actual"].between(after["low"], after["high"]).mean() < 0.5:
        return None
    return brief(result, at)


def last_count(result: SizingResult) -> str:
    """``30 Jan, 12:00``: where the counts that were read end, which may be before the data do."""
    frame = result.counterfactual
    last = frame.loc[frame["actual"].notna(), "bucket_start_at"].iloc[-1]
    return brief(result, last + frame["bucket_start_at"].diff().iloc[-1])


def is_open(result: SizingResult) -> bool:
    """A confirmed deviation whose end the data do not show."""
    return result.verdict == CONFIRMED and has_onset(result) and recovered(result) is None


def beyond(result: SizingResult) -> tuple[int, int]:
    """Placebo windows at least as extreme as the incident, and all of them.

    The first is what the p-value says: p = (1 + beyond) / (1 + windows).
    """
    p, n = result.estimates["placebo_p_value"].point, len(result.placebos)
    return (0 if p is None else round(p * (1 + n)) - 1), n


def too_few_windows(result: SizingResult) -> bool:
    """No placebo window is as extreme, and there are too few for a small p."""
    p = result.estimates["placebo_p_value"].point
    return p is not None and beyond(result)[0] == 0 and p > 1 - result.spec.level


def clearly_other_way(result: SizingResult) -> bool:
    """The counts moved against the direction asked about, and the interval excludes zero."""
    return went_wrong_way(result) and excludes_zero(excess(result))


def went_wrong_way(result: SizingResult) -> bool:
    """The counts moved against the direction that was asked about."""
    point = excess(result).point or 0.0
    return (result.spec.direction, point > 0) in (("decrease", True), ("increase", False)) and (
        point != 0
    )


def why_none(result: SizingResult) -> str:
    """Why there is no interval."""
    return reason(excess(result).note or "too little history").removeprefix("not estimable: ")


def reason(note: str) -> str:
    """A note as part of a sentence."""
    return clean(note).rstrip(".") or "not estimable"
