"""What a change without a comparison rests on, and what it can never show."""

from __future__ import annotations

import math

from trustlib.core import Check
from trustlib.core.format import count, p_value, plural
from trustlib.interventions.synth.interrupted import Interrupted

NO_CAUSE = "a change at the time, not a cause"


def interrupted_checks(found: Interrupted) -> tuple[Check, ...]:
    """One check per assumption; the first says that there is no comparison."""
    return (
        no_comparison(found),
        enough_periods(found),
        straight_before(found),
        autocorrelation(found),
        placebo_breaks(found),
    )


def no_comparison(found: Interrupted) -> Check:
    """Never better than a warning: nothing tells the intervention from whatever else happened."""
    return Check(
        name="no_comparison",
        verdict="warn",
        label="no comparison",
        text=f"What is found is {NO_CAUSE}: no other unit shows what would have happened anyway. "
        "Anything else that began in the same period, or a line that would have bent by itself, "
        f"looks the same. Season taken out: {found.season}.",
    )


def enough_periods(found: Interrupted) -> Check:
    """Whether there is a line before, and enough after it."""
    name = "pre_periods"
    after = len(found.actual) - found.start
    text = f"{plural(found.start, 'period')} before the start and {after:,} from it on"
    if found.reason:
        text = f"{found.reason.removeprefix('not estimable: ')}."
        return Check(name=name, verdict="fail", label="too few periods", text=text)
    if found.start < 2 * 8:
        text += ": a line through so few is uncertain, and so is where it would have gone."
        return Check(name=name, verdict="warn", label="few periods before", text=text)
    return Check(name=name, verdict="pass", label="enough periods", text=f"{text}.")


def straight_before(found: Interrupted) -> Check:
    """Whether the line drawn on after the start describes what came before it."""
    name = "straight_before"
    if not math.isfinite(found.curve_p):
        text = "Not run: too few periods before the start to see a bend."
        return Check(name=name, verdict="not_run", label="bend not looked for", text=text)
    chance = 1 - found.level
    text = f"Test that the series before the start is straight: {p_value(found.curve_p)}."
    if found.curve_p > chance:
        return Check(name=name, verdict="pass", label="straight before", text=text)
    text += " It bends, so the line drawn on from it is no guide to what would have happened."
    if found.curve_p <= chance / 5:
        return Check(name=name, verdict="fail", label="not straight before", text=text)
    return Check(name=name, verdict="warn", label="perhaps not straight before", text=text)


def autocorrelation(found: Interrupted) -> Check:
    """Whether neighbouring periods tell the same, and whether the errors still cope."""
    name = "autocorrelation"
    if found.reason or not math.isfinite(found.ljung_box_p):
        text = "Not run: there are no residuals to look at."
        return Check(name=name, verdict="not_run", label="residuals not looked at", text=text)
    text = (
        f"Neighbouring residuals correlate by about {found.correlation:.2f} (Durbin–Watson "
        f"{found.durbin_watson:.2f}, Ljung–Box {p_value(found.ljung_box_p)}). Errors "
        f"allow for that: {count(found.standard_error)}, where Newey–West over "
        f"{plural(found.bandwidth, 'period')} gives {count(found.hac_error)}."
    )
    if found.correlation > 0.8:
        text += " The series hardly returns to its line: an interval of any method is unsure."
        return Check(name=name, verdict="warn", label="the series wanders", text=text)
    return Check(name=name, verdict="pass", label="errors allow for neighbours", text=text)


def placebo_breaks(found: Interrupted) -> Check:
    """Whether the change at the start is larger than at dates when nothing happened."""
    name = "placebo_breaks"
    if not found.placebos:
        text = "Not run: too few periods before the start to pretend a change in them."
        return Check(name=name, verdict="not_run", label="no earlier change to pretend", text=text)
    larger = found.placebo_rank - 1
    text = (
        f"Of {plural(found.placebos, 'date')} before the start at which a change was pretended, "
        f"{larger:,} show{'s' if larger == 1 else ''} one as large, set against its error."
    )
    if not larger:
        return Check(name=name, verdict="pass", label="no such change before", text=text)
    if larger > found.placebos / 4:
        return Check(name=name, verdict="fail", label="such changes are usual", text=text)
    return Check(name=name, verdict="warn", label="such changes happened before", text=text)
