"""Why a number does not settle the question: the check that failed, or ranks that disagree."""

from __future__ import annotations

from trustlib.core.text import clean
from trustlib.interventions.synth.result import SynthResult
from trustlib.interventions.synth.verdict import DECISIVE
from trustlib.narrative.intervention_synth import words


def doubt(result: SynthResult) -> str:
    """Of a verdict "not conclusive", a sentence."""
    failed = [made for made in result.checks if made.verdict == "fail"]
    decisive = [made for made in failed if words.alone(result) or made.name in DECISIVE]
    apart = words.excludes_zero(words.att(result))
    if decisive:
        lead = "The interval excludes zero, but" if apart else "The interval holds zero, and"
        return f"{lead} a check on which it rests fails: {clean(decisive[0].label)}."
    p = result.estimates.get("placebo_p_value")
    if p is not None and p.point is not None:
        text = words.p_text(p.point)
        if apart:
            return (
                "The interval excludes zero, but placebos moved as far too often to call the gap "
                f"unusual ({text})."
            )
        return (
            f"The gap is unusual among the placebos ({text}), but the interval of its average "
            "holds zero."
        )
    if apart:
        return "The interval excludes zero, but what it rests on does not hold well enough."
    return "The interval holds zero, so chance alone could explain it."
