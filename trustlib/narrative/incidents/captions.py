"""What every figure shows, for those who see it (caption) and for those who cannot (alt)."""

from __future__ import annotations

from typing import TypedDict

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.incidents import SizingResult
from trustlib.incidents.disclosure import SMALLEST_CELL
from trustlib.narrative.incidents import words

_BUCKET = {"30min": "half-hour", "1h": "hour", "1d": "day"}


class About(TypedDict):
    """The words of one figure: ``view(…, **about_counterfactual(result))``."""

    alt: str
    caption: str


def about_counterfactual(result: SizingResult) -> About:
    """Actual against expected."""
    bucket, unit = _BUCKET[result.spec.bucket], words.unit(result)
    missing = int(
        result.counterfactual.loc[result.counterfactual["in_window"], "actual"].isna().sum()
    )
    gap = (
        f" {show.plural(missing, bucket)} of the window not counted: marked on the axis."
        if missing
        else ""
    )
    band = (
        f"Band: {words.level(result)} interval for a single {bucket}."
        if result.counterfactual["low"].notna().any()
        else "No band: too little history for an interval."
    )
    actual, expected = result.estimates["actual"].point, result.estimates["expected"].point
    return _about(
        alt=f"Line chart of {unit} per {bucket}, actual against expected. In the incident window "
        f"{words.counted(actual)} were counted where {show.count(expected, digits=4)} were expected"
        f"{_against(result)}.",
        caption=f"{unit} per {bucket}, {_clock(result)}: counted (solid) against expected "
        f"without the incident (dashed). {band}{gap}",
    )


def about_cumulative_excess(result: SizingResult) -> About:
    """The running excess."""
    number, interval = words.amount(words.excess(result))
    known = words.has_interval(words.excess(result))
    return _about(
        alt=f"Line chart of the running excess of {words.unit(result)} over the window, which ends "
        f"at {number}"
        + (f", {words.level(result)} interval {interval}." if known else ", without an interval."),
        caption=f"Counted minus expected {words.unit(result)}, added up since the start of the "
        "window. "
        + (
            f"Band: {words.level(result)} interval from the errors of whole windows, not of single "
            "buckets."
            if known
            else "No band: too little history for an interval."
        ),
    )


def about_placebo_windows(result: SizingResult) -> About:
    """The incident among quiet windows."""
    more, n = words.beyond(result)
    share = result.estimates["relative_excess"]
    own = (
        f"The incident lies at {words.percent(share.point, sign=True)}."
        if (share.point is not None)
        else "The incident's share is not estimable."
    )
    p = result.estimates["placebo_p_value"].point
    extreme = "" if p is None else f" {more:,} are at least as extreme."
    said = "not estimable" if p is None else show.probability(p)
    return _about(
        alt=f"Dot plot of the excess in {n:,} earlier windows of the same length, as a share of "
        f"what was expected. {own}{extreme}",
        caption=f"Each mark is one earlier window of {words.length(result)} in which nothing is "
        f"known to have happened, sized as if it were the incident; bar: {words.level(result)} "
        f"interval. Placebo p: {said}; windows overlap, so they tell less than as many separate "
        "ones.",
    )


def about_segments(result: SizingResult) -> About:
    """Excess by segment."""
    parts = pd.DataFrame() if result.segments is None else result.segments
    n = len(parts)
    merged = n > 0 and bool((parts["actual"] < SMALLEST_CELL).any())
    small = f" Those with fewer than {SMALLEST_CELL} events are merged." if merged else ""
    return _about(
        alt=f"Excess of {words.unit(result)} by segment with {words.level(result)} intervals, "
        f"{show.plural(n, 'segment')}; the numbers are in the table below.",
        caption=f"Excess by segment; bars: {words.level(result)} intervals. Filled: clearly moved. "
        f"Segments add up to the total.{small}",
    )


def about_sensitivity(result: SizingResult) -> About:
    """The excess under other choices."""
    ends = result.sensitivity["excess"].dropna()
    low, high = (None, None) if ends.empty else (float(ends.min()), float(ends.max()))
    _, range_ = show.triple(low, low, high, sign=True)
    return _about(
        alt=f"The excess under {show.plural(len(result.sensitivity), 'choice')} of history and "
        f"method: from {range_}.",
        caption=f"The excess under other choices; bars: {words.level(result)} intervals. "
        "Filled: the choice of the headline.",
    )


def _about(*, alt: str, caption: str) -> About:
    text = clean(caption)
    return About(alt=clean(alt), caption=text[:1].upper() + text[1:])


def _against(result: SizingResult) -> str:
    against = words.relative(result)
    return f", {against}" if against else ""


def _clock(result: SizingResult) -> str:
    zone = show.zone_name(result.spec.timezone)
    return "UTC" if zone == "UTC" else f"{zone} time"
