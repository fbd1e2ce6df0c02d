"""Why a number does not settle the question: the check that failed, or ranks that disagree."""

from __future__ import annotations

from trustlib.core import Check
from trustlib.core.text import clean
from trustlib.interventions.synth.result import SynthResult
from trustlib.interventions.synth.verdict import objection
from trustlib.narrative.intervention_synth import words


def doubt(result: SynthResult) -> str:
    """Of a verdict "not conclusive", a sentence."""
    apart = words.excludes_zero(words.att(result))
    if (made := decisive(result)) is not None:
        lead = "The interval excludes zero, but" if apart else "The interval holds zero, and"
        return f"{lead} a check on which it rests {holds_not(made)}: {clean(made.label)}."
    p = result.estimates.get("placebo_p_value")
    if p is not None and p.point is not None:
        text = words.p_text(p.point)
        if apart:
            return (
                "The interval excludes zero, but among the placebos the gap is not unusual enough "
                f"({text})."
            )
        return (
            f"The gap is unusual among the placebos ({text}), but the interval of its average "
            "holds zero."
        )
    if apart:
        return "The interval excludes zero, but what it rests on does not hold well enough."
    return "The interval holds zero, so chance alone could explain it."


def decisive(result: SynthResult) -> Check | None:
    """The check for which the number cannot be read as the effect."""
    if words.alone(result):
        return next((made for made in result.checks if made.verdict == "fail"), None)
    return objection(result.checks, apart=words.excludes_zero(words.att(result)))


def holds_not(made: Check) -> str:
    """What a check does that decides against the number: a warning does not fail."""
    return "fails" if made.verdict == "fail" else "does not hold"
