"""What every figure shows, for those who see it (caption) and for those who cannot (alt).

Where a figure has nothing to draw, the caption says why, and `figures.house.view` shows it in a
box in the figure's place.
"""

from __future__ import annotations

import math
from typing import TypedDict

import pandas as pd

from trustlib.core import format as show
from trustlib.core.calendar import period as named
from trustlib.core.text import clean, short
from trustlib.interventions.synth.result import SynthResult
from trustlib.narrative.intervention_synth import words
from trustlib.narrative.intervention_synth.donors import donor_weights

MOST_DRAWN = 100  # grey lines in the figure of gaps, which says how many they are
NO_DONORS = "it is compared with its own past, and with no donors"


class About(TypedDict):
    """The words of one figure: ``view(…, **about_gaps(result))``."""

    alt: str
    caption: str


def about_actual_and_synthetic(result: SynthResult) -> About:
    """Actual against what would have been."""
    frame = result.path[result.path["group"] == "all"]
    frame = frame.dropna(subset=["actual", "synthetic"])
    if frame.empty:
        return _nothing("No line of what would have been", words.why_none(result))
    last = frame.iloc[-1]
    ends = show.alike([float(last["actual"]), float(last["synthetic"])])
    other = "its own earlier line, drawn on" if words.alone(result) else "its synthetic"
    if result.design.treated > 1:
        other = other.replace("its", "their")
    band = (
        f"Band: {words.interval_of(result)} of the dashed line, period by period."
        if frame["low"].notna().any()
        else f"No band: {words.why_none(result)}."
    )
    mean = "" if result.design.treated == 1 else ", mean over the treated units"
    if len(result.design.starts) > 1:
        mean += " (from the first start on, over those treated by then)"
    return _about(
        alt=f"Line chart of {words.outcome(result)} in {words.whom(result)}, "
        f"{show.plural(result.design.pre, 'period')} before the start and "
        f"{result.design.post:,} from it on. In the last, {named(last['time'])}, it was {ends[0]} "
        f"where it would have been {ends[1]}.",
        caption=f"{words.outcome(result)}: actual (solid) and {other} (dashed){mean}. {band} "
        f"By {words.method(result)}. The scale need not start at zero.",
    )


def about_gaps(result: SynthResult) -> About:
    """The gap, and those of the placebos."""
    frame = result.gap[result.gap["group"] == "all"].dropna(subset=["point"])
    if frame.empty:
        return _nothing("No gaps", words.why_none(result))
    last = frame.iloc[-1]
    number, interval = words.numbers(result, last["point"], last["low"], last["high"])
    spread = "" if interval == "not estimable" else f" ({words.level(result)} interval {interval})"
    drawn = int(result.placebo_paths["unit"].nunique())
    grey = (
        f" Grey: {_up_to(drawn)}, each "
        f"{words.has(result, 'a donor', 'a group of donors')} in the same place; paler where "
        "matched much worse before the start."
        if drawn
        else " No grey lines: there are no placebos."
    )
    what = "Actual minus synthetic"
    if words.alone(result):
        what = "Actual minus its own line; from the start on, the change that the regression finds"
    return _about(
        alt=f"The gap of {words.whom(result)} by period"
        + (f", beside those of {show.plural(drawn, 'placebo')}" if drawn else "")
        + f". In the last period, {named(last['time'])}, it is {number}{spread}.",
        caption=f"{what}, {words.outcome(result)}; the start is marked.{grey}",
    )


def _up_to(placebos: int) -> str:
    """How many lines are drawn, where that is not all."""
    text = show.plural(placebos, "placebo")
    return text if placebos <= MOST_DRAWN else f"some of {text}"


def about_placebo_ratios(result: SynthResult) -> About:
    """The treated one's ratio among the placebos'."""
    others = words.placebos(result).dropna(subset=["ratio"])
    own = result.placebos[result.placebos["treated"].astype(bool)].dropna(subset=["ratio"])
    p = result.estimates.get("placebo_p_value")
    if others.empty or own.empty or p is None or p.point is None:
        why = NO_DONORS if words.alone(result) else words.reason((p.note if p else None) or "")
        return _nothing("No placebo ratios", why)
    if not math.isfinite(float(own["ratio"].iloc[0])):
        why = (
            f"{words.whom(result)} was matched exactly before the start, and no ratio can be taken"
        )
        return _nothing("No placebo ratios", why)
    are = words.has(result, "is", "are")
    rank = f"number {int(own['rank'].iloc[0]):,} of {len(others) + 1:,}"
    least = show.probability(1 / (len(others) + 1))
    return _about(
        alt=f"The gap after the start over the gap before it, of {words.whom(result)} and of "
        f"{show.plural(len(others), 'placebo')}: {words.whom(result)} {are} {rank}, "
        f"{words.p_text(p.point)}.",
        caption="How many times larger the gap is after the start than before it (root mean "
        f"squares). {words.first(words.whom(result))} {are} {rank}: {words.p_text(p.point)}; so "
        f"many cannot give less than {least}.",
    )


def about_cumulative(result: SynthResult) -> About:
    """The total as it grew."""
    frame = result.gap[result.gap["group"] == "all"].dropna(subset=["cumulative"])
    total = result.estimates.get("total_effect")
    if frame.empty or total is None or total.point is None:
        why = "not estimable" if total is None else words.reason(total.note or "")
        return _nothing("No running total", why)
    number, interval = words.amount(total)
    spread = f" ({interval})" if words.has_interval(total) else ""
    band = (
        f"Band: {words.interval_of(result)} of the total up to each period."
        if frame["cumulative_low"].notna().any()
        else f"No band: {words.reason(total.note or '')}."
    )
    return _about(
        alt=f"Running total of the effect in {words.unit(result)} over "
        f"{show.plural(len(frame), 'period')} from the start on: {number}{spread} at the end.",
        caption=f"The effect added up since the start, in {words.unit(result)}. {band}",
    )


def about_weights(result: SynthResult) -> About:
    """Whose weight, and how much."""
    weights = donor_weights(result)
    if result.weights.empty or weights.empty:
        return _nothing("No weights", NO_DONORS)
    heaviest = float(weights.iloc[0])
    name = short(weights.index[0], 40) if result.design.names_shown else "the heaviest donor"
    times = (
        " Below: the weight of each period before the start." if len(result.time_weights) else ""
    )
    cohorts = (
        " Means over the starts; small ticks: single starts."
        if len(result.design.starts) > 1
        else ""
    )
    return _about(
        alt=f"Ranked weights of {show.plural(len(weights), 'donor')}: {name} has "
        f"{words.percent(heaviest)}.",
        caption=f"Share of each donor in what stands in for {words.whom(result)}.{cohorts}{times}",
    )


def about_pool_map(result: SynthResult) -> About:
    """Who is in the pool, and who is not."""
    roles = result.pool["role"].value_counts()
    donors, left_out = int(roles.get("donor", 0)), int(roles.get("left out", 0))
    if not donors and not left_out:
        return _nothing("No pool of donors", NO_DONORS)
    reasons = result.pool.loc[result.pool["role"] == "left out", "reason"].map(str)
    why = f": {words.counted(reasons)}" if left_out else ""
    nobody = show.plural(left_out, "unit") if left_out else "nobody"
    return _about(
        alt=f"Who is compared: {show.plural(result.design.treated, 'treated unit')}, "
        f"{show.plural(donors, 'donor') if donors else 'no donors'} and {nobody} left out{why}.",
        caption="Who was treated, and who may stand in (the fuller, the more weight). "
        + (f"Left out of the pool{why}." if left_out else "Nobody was left out of the pool."),
    )


def about_predictors(result: SynthResult) -> About:
    """Whether the synthetic is like the treated in what predicts the outcome."""
    frame = result.predictors.dropna(subset=["treated", "synthetic"])
    if frame.empty:
        why = NO_DONORS if words.alone(result) else "none were asked for"
        return _nothing("No predictors", why)
    away = (frame["synthetic"] - frame["treated"]).abs()
    plain = (frame["donors"] - frame["treated"]).abs()
    closer = int((away <= plain).sum())
    return _about(
        alt=f"{show.plural(len(frame), 'predictor')}: the synthetic is at least as close to "
        f"{words.whom(result)} as the mean of all donors in {closer}.",
        caption="How far the synthetic is from "
        f"{words.whom(result)} (line) in what predicts the outcome, as a share of how far the mean "
        f"of all donors is (dashed). In {closer} of {len(frame):,} it is at least as close as that "
        "mean.",
    )


def about_estimators(result: SynthResult) -> About:
    """The same effect by other methods."""
    frame = result.comparison.dropna(subset=["point"])
    if len(frame) < 2:
        why = NO_DONORS if words.alone(result) else "no other method could be fitted"
        return _nothing("No estimates to compare", why)
    return _about(
        alt=f"The effect by {show.plural(len(frame), 'method')}, {_range(result, frame)}.",
        caption="The same effect by every method; "
        f"{_intervals(result, frame, 'by the rule of each')}. Filled: the headline.",
    )


def about_leave_one_out(result: SynthResult) -> About:
    """The effect without one donor."""
    frame = result.leave_one_out.dropna(subset=["point"])
    if frame.empty or words.att(result).point is None:
        why = NO_DONORS if words.alone(result) else _from_check(result, "leave_one_donor_out")
        return _nothing("No donor could be left out", why)
    return _about(
        alt=f"The effect with one donor left out at a time, {show.plural(len(frame), 'time')}: "
        f"{_range(result, frame)}.",
        caption="The effect without one donor at a time, weights fitted anew; "
        f"{_intervals(result, frame)}. Filled: with all donors.",
    )


def about_in_time(result: SynthResult) -> About:
    """Starts that never were."""
    frame = result.in_time.dropna(subset=["point"])
    if frame.empty or words.att(result).point is None:
        if words.alone(result):
            return _nothing("No effects of earlier starts to draw", NO_DONORS)
        return _nothing("No earlier start was pretended", _from_check(result, "in_time_placebo"))
    clear = int(((frame["low"] > 0) | (frame["high"] < 0)).sum())
    known = (
        f"{clear} with an interval that excludes zero"
        if frame["low"].notna().any()
        else f"{_range(result, frame)}, without intervals"
    )
    return _about(
        alt=f"The effect of {show.plural(len(frame), 'pretended start')} earlier than the real "
        f"one: {known}.",
        caption="The same estimate on the periods before the start only, as if the start had come "
        f"earlier; {_intervals(result, frame)}. It ought to be zero. "
        "Filled: the real start.",
    )


def _intervals(result: SynthResult, frame: pd.DataFrame, by: str = "from placebos") -> str:
    """Of rows beside the headline's; those of other donors and dates always rest on placebos."""
    if frame["low"].notna().any():
        return f"bars: {words.level(result)} intervals {by}"
    return f"no intervals: {words.why_none(result)}"


def _about(*, alt: str, caption: str) -> About:
    text = clean(caption)
    return About(alt=clean(alt), caption=text[:1].upper() + text[1:])


def _nothing(what: str, why: str) -> About:
    reason = clean(why).rstrip(".")
    sentence = f"{what}: {reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason}."
    return About(alt=sentence, caption=sentence)


def _from_check(result: SynthResult, name: str) -> str:
    made = words.check(result.checks, name)
    if made is not None and made.verdict == "not_run":
        return made.text.removeprefix("Not run: ")
    return words.why_none(result)


def _range(result: SynthResult, frame: pd.DataFrame) -> str:
    low, high = float(frame["point"].min()), float(frame["point"].max())
    if low == high:
        return words.numbers(result, low)[0]
    return f"from {words.numbers(result, low, low, high)[1]}"
