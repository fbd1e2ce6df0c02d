"""What every figure shows, for those who see it (caption) and for those who cannot (alt).

Where a figure has nothing to draw, the caption says why, and `figures.house.view` shows it in a
box in the figure's place.
"""

from __future__ import annotations

from typing import TypedDict

import pandas as pd

from trustlib.core import format as show
from trustlib.core.calendar import period as named
from trustlib.core.text import clean
from trustlib.interventions import DidResult
from trustlib.narrative.interventions import words
from trustlib.narrative.interventions.findings import sensitivity_missing


class About(TypedDict):
    """The words of one figure: ``view(…, **about_event_study(result))``."""

    alt: str
    caption: str


def about_event_study(result: DidResult) -> About:
    """The effect by periods since the start."""
    frame = result.event_study_universal.dropna(subset=["point"])
    if frame.empty:
        return _nothing("No event study", _why(result))
    before, after = frame[frame["event_time"] < 0], frame[frame["event_time"] >= 0]
    outside = int(((before["band_low"] > 0) | (before["band_high"] < 0)).sum())
    last = _last_effect(result, after)
    bands = frame["band_low"].notna().any()
    return _about(
        alt=f"Event study of {words.outcome(result)}: {show.plural(len(before), 'period')} before "
        f"the start, of which {outside} leave zero, and {show.plural(len(after), 'period')} from "
        f"the start on{last}.",
        caption=f"Effect on {words.outcome(result)} by periods since the start, against the last "
        f"period before it (diamond). Dark bars: {words.level(result)} interval of each period. "
        + (
            "Pale bars: the band that holds all of them at once. "
            if bands
            else "No band for all of them at once. "
        )
        + "Hollow: before the start.",
    )


def about_observed_and_counterfactual(result: DidResult) -> About:
    """Observed against what would have been."""
    frame = result.counterfactual
    whole = frame[frame["group"] == "all"].dropna(subset=["counterfactual"])
    if whole.empty:
        return _nothing("No counterfactual", _why(result))
    last = whole.iloc[-1]
    ends = show.alike([float(last["observed"]), float(last["counterfactual"])])
    first = int(whole["treated_units"].max())
    shade = (
        "The shade starts with the first unit's start and deepens when all have started."
        if result.design.staggered
        else "Shaded: since the start."
    )
    band = (
        f"Band: {words.level(result)} interval of the dashed line."
        if whole["low"].notna().any()
        else "No band: too few clusters for an error of the dashed line."
    )
    return _about(
        alt=f"Line chart of {words.outcome(result)}, mean of {first:,} treated units by period, "
        f"observed against what would have been without the rollout. In the last period "
        f"{ends[0]} was observed where {ends[1]} would have been.",
        caption=f"{words.outcome(result)}: observed (solid) against what would have been without "
        f"the rollout (dashed), mean of the treated units. {band} "
        f"{shade} The scale need not start at zero.",
    )


def about_group_time_map(result: DidResult) -> About:
    """Effects by cohort and period."""
    frame = result.group_time.dropna(subset=["point"])
    if frame.empty:
        return _nothing("No group-time effects", _why(result))
    after = frame[frame["after"].astype(bool)]
    clear = int(((after["low"] > 0) | (after["high"] < 0)).sum())
    cohorts = frame["group"].nunique()
    return _about(
        alt=f"Heat map of {len(frame)} effects by cohort and period, "
        f"{show.plural(cohorts, 'cohort')}. Of {len(after)} after the start, {clear} have an "
        "interval that excludes zero; the numbers are in the table.",
        caption=f"Effect on {words.outcome(result)} by cohort (row) and period (column). A thick "
        "line marks each cohort's start. Framed, or signed where there are too many cells for "
        f"numbers: the {words.level(result)} interval of that cell excludes zero; of many "
        "cells a few do so by chance. Blue: fall, red: rise, darker: larger.",
    )


def about_cohorts(result: DidResult) -> About:
    """The effect by cohort."""
    frame = result.group_effects.dropna(subset=["point"])
    if frame.empty:
        return _nothing("No effects by cohort", _why(result))
    return _about(
        alt=f"Effect on {words.outcome(result)} of {show.plural(len(frame), 'cohort')} with "
        f"{words.level(result)} intervals, {_range(result, frame)}.",
        caption=f"Average effect by cohort; bars: {words.level(result)} intervals. Filled: the "
        "interval excludes zero.",
    )


def about_totals(result: DidResult) -> About:
    """The total, and its parts."""
    total = result.estimates.get("total_effect")
    if result.totals.empty or total is None or total.point is None:
        why = "not estimable" if total is None else words.reason(total.note or "")
        return _nothing("No totals", why)
    number, interval = words.amount(total)
    return _about(
        alt=f"Total effect in {words.unit(result)}, {show.plural(len(result.totals) - 1, 'part')} "
        f"and their sum, {number} ({interval}).",
        caption=f"Total effect in {words.unit(result)} by part, and their sum (filled); bars: "
        f"{words.level(result)} intervals.",
    )


def about_estimators(result: DidResult) -> About:
    """The same effect by other estimators."""
    frame = result.comparison.dropna(subset=["point"])
    if frame.empty:
        return _nothing("No estimates to compare", _why(result))
    return _about(
        alt=f"The effect by {show.plural(len(frame), 'estimator')}, {_range(result, frame)}.",
        caption=f"The same effect by every estimator; bars: {words.level(result)} intervals. "
        "Filled: the headline. "
        + (
            "The two-way regression is shown for comparison, not as an answer."
            if words.two_way(result) is not None and result.design.staggered
            else ""
        ),
    )


def about_bacon_scatter(result: DidResult) -> About:
    """What the two-way regression compares."""
    frame = result.bacon.dropna(subset=["weight", "estimate"])
    if frame.empty:
        return _nothing("No decomposition of the two-way regression", _why_no_bacon(result))
    share = words.forbidden_share(result) or 0.0
    return _about(
        alt=f"Scatter plot of {len(frame)} comparisons inside the two-way regression, weight "
        f"against estimate. {words.percent(share)} of the weight lies on comparisons with units "
        "that are already treated.",
        caption="Every comparison that the two-way regression averages (Goodman-Bacon). Crosses: "
        "with units that are already treated, whose own effect then counts against the result; "
        f"{words.percent(share)} of the weight."
        + (" Drawn: the 200 heaviest." if len(frame) > 200 else ""),
    )


def about_sensitivity(result: DidResult, kind: str = "relative_magnitudes") -> About:
    """Intervals under departures from parallel trends."""
    frame = result.sensitivity
    rows = frame[frame["kind"] == kind].dropna(subset=["low", "high"])
    if rows.empty:
        return _nothing("No sensitivity analysis", sensitivity_missing(result))
    held = rows[~rows["contains_zero"].astype(bool)]
    reach = held["bound"].dropna().max() if len(held) else None
    upto = (
        "At none of the bounds does the interval exclude zero."
        if not len(held)
        else f"The interval excludes zero up to a bound of {show.alike([float(reach)])[0]}."
        if reach is not None and not pd.isna(reach)
        else "Only the original interval excludes zero."
    )
    allowed = (
        "After the start the trends may differ by so many times the worst difference seen before "
        "it (Rambachan and Roth, relative magnitudes)."
        if kind == "relative_magnitudes"
        else "The difference of the trends may bend by so much from one period to the next "
        "(Rambachan and Roth, smoothness)."
    )
    more = " Larger bounds hold zero too: see the table." if len(rows) - len(held) > 2 else ""
    return _about(
        alt=f"{words.level(result)} intervals of the effect under {len(rows) - 1} bounds on the "
        f"departure from parallel trends. {upto}",
        caption=f"{allowed} Thick: excludes zero; dashed: holds zero. "
        f"Bars: {words.level(result)} intervals; the first assumes parallel trends.{more}",
    )


def about_rollout_map(result: DidResult) -> About:
    """Who was treated, since when."""
    design = result.design
    if result.rollout.empty:
        return _nothing("No rollout map", "no unit is left in the panel")
    dates = show.plural(design.cohorts, "start date")
    return _about(
        alt=f"Rollout map: {design.treated_units:,} of {design.units:,} units treated from "
        f"{dates}, {design.never_units:,} never, over {show.plural(design.periods, 'period')} from "
        f"{named(design.period_names[0])} to {named(design.period_names[1])}.",
        caption="Who was treated since when: thin until the start, thick from then on.",
    )


def about_leave_one_out(result: DidResult) -> About:
    """The effect without one cohort or cluster."""
    frame = result.leave_one_out.dropna(subset=["point"])
    if frame.empty or words.att(result).point is None:
        why = "there is one cohort" if not result.design.staggered else _why(result)
        return _nothing("Nothing could be left out", why)
    kinds = " and ".join(dict.fromkeys(frame["kind"].astype(str)))
    return _about(
        alt=f"The effect with one {kinds} left out at a time, {len(frame)} times: "
        f"{_range(result, frame)}.",
        caption=f"The effect without one {kinds} at a time; bars: {words.level(result)} intervals. "
        "Filled: with everything.",
    )


def about_placebo_in_time(result: DidResult) -> About:
    """Starts that never were."""
    frame = result.placebo_in_time.dropna(subset=["point"])
    if frame.empty or words.att(result).point is None:
        return _nothing("No placebo in time", _from_check(result, "placebo_in_time"))
    clear = int(((frame["low"] > 0) | (frame["high"] < 0)).sum())
    return _about(
        alt=f"The effect of {show.plural(len(frame), 'placebo start')} earlier than the real one: "
        f"{clear} have an interval that excludes zero.",
        caption="The same estimate on the periods before the start only, as if the start had come "
        f"so many periods earlier; bars: {words.level(result)} intervals. It ought to be zero.",
    )


def about_randomization(result: DidResult) -> About:
    """The effect among those of re-assigned start dates."""
    p = result.estimates.get("randomization_p_value")
    if result.randomization.empty or p is None or p.point is None:
        return _nothing("No re-assignment of start dates", _from_check(result, "randomization", p))
    n = len(result.randomization)
    return _about(
        alt=f"Histogram of the effects that {n:,} re-assignments of the start dates give. As large "
        f"as the real one, or larger: p {_p(p.point)}.",
        caption=f"The effect that {n:,} re-assignments of the start dates over the clusters give, "
        f"and the real one (line). If the rollout had done nothing, any of them could have been "
        f"seen; p {_p(p.point)}.",
    )


def _p(value: float) -> str:
    text = show.probability(value)
    return text if text.startswith("<") else f"= {text}"


def _about(*, alt: str, caption: str) -> About:
    text = clean(caption)
    return About(alt=clean(alt), caption=text[:1].upper() + text[1:])


def _nothing(what: str, why: str) -> About:
    reason = clean(why).rstrip(".")
    sentence = f"{what}: {reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason}."
    return About(alt=sentence, caption=sentence)


def _why(result: DidResult) -> str:
    return words.why_none(result)


def _why_no_bacon(result: DidResult) -> str:
    made = words.check(result.checks, "forbidden_comparisons", "bacon")
    if made is not None and made.verdict == "not_run":
        return made.text.removeprefix("Not run: ")
    if not result.design.staggered:
        return "with one start date there is only one comparison, and it is clean"
    if not result.design.balanced:
        gaps = show.plural(result.design.missing_cells, "cell")
        return f"it needs a panel without gaps; {gaps} of this one have no value"
    if result.spec.weight is not None:
        return "it is defined for units of equal weight only"
    return words.why_none(result)


def _from_check(result: DidResult, name: str, estimate=None) -> str:
    made = words.check(result.checks, name)
    if made is not None and made.verdict == "not_run":
        return made.text.removeprefix("Not run: ")
    if estimate is not None and estimate.note:
        return words.reason(estimate.note)
    return words.why_none(result)


def _range(result: DidResult, frame: pd.DataFrame) -> str:
    low, high = float(frame["point"].min()), float(frame["point"].max())
    return f"from {words.numbers(result, low, low, high)[1]}"


def _last_effect(result: DidResult, after: pd.DataFrame) -> str:
    if after.empty:
        return ""
    row = after.iloc[-1]
    number, interval = words.numbers(result, row["point"], row["low"], row["high"])
    return f"; in the last of them the effect is {number} ({interval})"
