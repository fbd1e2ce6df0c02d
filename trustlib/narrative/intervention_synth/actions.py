"""What to do next: steps that follow from the verdict and the checks."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.interventions.synth.alone import UNUSED
from trustlib.interventions.synth.result import SynthResult
from trustlib.narrative import house
from trustlib.narrative.intervention_synth import words
from trustlib.narrative.intervention_synth.doubt import decisive, doubt
from trustlib.narrative.intervention_synth.words import (
    ALONE,
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
    SHOWN,
)


def what_to_do(result: SynthResult, checks: Sequence[Check]) -> View:
    """Next steps that follow from the verdict and the checks."""
    lead = {
        SHOWN: "Use the effect with its interval, and keep the donors free of the intervention",
        NOT_CONCLUSIVE: "Settle what stands in doubt before anyone relies on the number",
        NOT_ESTIMABLE: "Bring a panel that can answer before anyone quotes an effect",
        ALONE: "Find something to compare with before anyone speaks of a cause",
    }.get(result.verdict, "Credit the intervention with nothing on this evidence")
    return stack([house.finding(lead), house.bullets(_steps(result, checks))])


def _steps(result: SynthResult, checks: Sequence[Check]) -> list[str]:
    steps = []
    if words.known(result):
        number, interval = words.size(result)
        with_it = f"its {words.level(result)} interval, {interval}, and the method"
        steps.append(
            f"Quote {number} {words.per(result)} with {with_it}, {words.method(result)}; never the "
            "number alone."
            if result.verdict == SHOWN
            else f"Whoever quotes {number} {words.per(result)} gives {with_it}, "
            f"{words.method(result)}, and says: {result.verdict}."
        )
    steps += _donor_steps(result)
    if result.verdict == NOT_CONCLUSIVE and decisive(result) is None:
        steps.append(
            f"Wait for more periods, or add donors that are more like it: {_lower(doubt(result))}"
        )
    if words.known(result) and result.design.post < 4:
        steps.append("Run this again when more periods have passed since the start.")
    if result.spec.unit_value_usd is None and result.verdict == SHOWN:
        steps.append("Set unit_value_usd to see what it is worth.")
    for made in checks:
        if made.verdict == "fail" and made.name not in ("enough_donors", "donors_affected"):
            steps.append(f"Settle the failed check: {clean(made.label)}.")
    return steps or ["Keep the donors free of the intervention and run this again."]


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _donor_steps(result: SynthResult) -> list[str]:
    steps = []
    if words.alone(result):
        if unused := int((result.pool["reason"] == UNUSED).sum()):
            units = show.plural(unused, "other unit")
            steps.append(f"Set method: auto, which compares with the {units} in the source.")
            return steps
        steps.append(
            "Add units that the intervention did not reach to the source: with them the change "
            "can be told from whatever else happened."
        )
        return steps
    if words.moved_donor(result):
        steps.append(
            "Find out what happened in the donor that moved at the start; if the intervention "
            "reached it, list it in affected_units and run this again."
        )
    few = words.check(result.checks, "enough_donors")
    if few is not None and few.verdict in ("warn", "fail"):
        steps.append(f"Add donors to the source. {clean(few.text)}")
    return steps
