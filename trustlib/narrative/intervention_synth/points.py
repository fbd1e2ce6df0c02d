"""Points under the headline: how sure, how it was made, what it is worth, the weakest."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import VERDICTS, Check, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.interventions.synth.result import SynthResult
from trustlib.narrative import house
from trustlib.narrative.intervention_synth import words
from trustlib.narrative.intervention_synth.chance import ranked

_BEFORE = {
    "pass": "Before the start the two lines matched.",
    "warn": "Before the start the two lines matched only roughly.",
    "fail": "Before the start the two lines did not match.",
}
_EARLIER = {
    "pass": "A start pretended earlier shows nothing.",
    "warn": "A start pretended earlier shows a little.",
    "fail": "A start pretended earlier shows an effect too, which it must not.",
}
_AS_LARGE = "A start pretended earlier gives a number as large, which chance alone may make."


def points(result: SynthResult, checks: Sequence[Check]) -> View:
    """Three or four bullets; what has no number is left to the sections below."""
    found = [_how_sure(result), _made(result), _value(result), _weakest(result, checks)]
    return house.bullets([point for point in found if point is not None])


def _how_sure(result: SynthResult) -> tuple[str, str] | None:
    if words.alone(result):
        made = words.check(result.checks, "placebo_breaks")
        text = "No other unit shows what would have happened anyway, so this is weak evidence."
        if made is not None and made.verdict in ("pass", "warn", "fail"):
            text += f" {clean(made.text)}"
        return "How sure", text
    parts = [sentence] if (sentence := ranked(result)) else []
    for name, said in (("pre_fit", _BEFORE), ("in_time_placebo", _EARLIER)):
        made = words.check(result.checks, name)
        if made is not None and made.verdict in said:
            large = name == "in_time_placebo" and words.as_large_before(result)
            parts.append(_AS_LARGE if large and made.verdict == "warn" else said[made.verdict])
    return ("How sure", " ".join(parts)) if parts else None


def _made(result: SynthResult) -> tuple[str, str]:
    design = result.design
    who = f"{words.whom(result)} {words.has(result, 'is', 'are')} compared with"
    with_what = words.how(result)
    if design.treated > 1:
        with_what = with_what.replace(" it ", " them ").replace("its own", "their own")
    lead = f"{house.upper_first(words.method(result))}: {who} {with_what}."
    if not words.has_interval(words.att(result)):
        return "How it was made", lead
    return "How it was made", (
        f"{lead} The interval comes {words.comes(result)}, and assumes that "
        f"{clean(design.assumption)}."
    )


def _value(result: SynthResult) -> tuple[str, str] | None:
    value = result.estimates.get("total_value_usd")
    if value is None or value.point is None or not words.known(result):
        return None
    number, interval = words.less(value.point, value.low, value.high)
    each = show.usd(result.spec.unit_value_usd)
    spread = (
        f"{words.level(result)} interval {interval}" if words.has_interval(value) else "no interval"
    )
    return "In money", f"{number}, at {each} for each of the {words.unit(result)} ({spread})."


def _weakest(result: SynthResult, checks: Sequence[Check]) -> tuple[str, str] | None:
    """The worst check, but for what the other points say."""
    ordered = [check for verdict in VERDICTS for check in checks if check.verdict == verdict]
    said = {"no_comparison", "placebo_breaks"} if words.alone(result) else {"placebo_rank"}
    own = {made.name for made in result.checks}
    # How the source was read is flagged; what could not be asked of it is no weak point.
    others = [
        made
        for made in ordered
        if made.name not in said
        and (made.verdict in ("fail", "warn") or (made.verdict == "not_run" and made.name in own))
    ]
    if not others and words.alone(result):
        return None
    if not others:
        return "Weakest point", (
            "No check flags one. What no data can show: that nothing else began in "
            f"{words.whom(result)} at the same time."
        )
    worst = others[0]
    lead = {"fail": "Failed check", "warn": "Weakest point", "not_run": "Not tested"}
    text = clean(worst.text).removeprefix("Not run: ")
    return lead[worst.verdict], f"{house.upper_first(clean(worst.label))}: {text}"
