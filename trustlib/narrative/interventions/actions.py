"""What to do next: steps that follow from the verdict and the checks."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, View, stack
from trustlib.core.text import clean
from trustlib.interventions import DidResult
from trustlib.narrative import house
from trustlib.narrative.interventions import words
from trustlib.narrative.interventions.words import (
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
    SHOWN,
)


def what_to_do(result: DidResult, checks: Sequence[Check]) -> View:
    """Next steps that follow from the verdict and the checks."""
    lead = {
        SHOWN: "Use the effect with its interval, and keep watching the comparison group",
        NOT_CONCLUSIVE: "Keep some units untreated until the interval is narrow enough",
        NOT_ESTIMABLE: "Bring a panel that can answer before anyone quotes an effect",
    }.get(result.verdict, "Credit the rollout with nothing on this evidence")
    return stack([house.finding(lead), house.bullets(_steps(result, checks))])


def _steps(result: DidResult, checks: Sequence[Check]) -> list[str]:
    steps = []
    number, interval = words.size(result)
    if words.has_interval(words.att(result)) and result.verdict != NOT_ESTIMABLE:
        steps.append(
            f"Quote {number} per treated unit and period with its {words.level(result)} interval, "
            f"{interval}; never the number alone."
        )
    if result.design.never_units == 0:
        steps.append("Leave a group untreated next time: here everybody was treated in the end.")
    elif result.verdict in (SHOWN, NOT_CONCLUSIVE) and result.design.periods_after < 4:
        steps.append("Run this again when more periods have passed since the start.")
    if (made := words.check(checks, "displacement")) is not None and made.verdict == "not_run":
        steps.append("Name a neighbour_column to see whether the harm moved to untreated units.")
    if result.spec.unit_value_usd is None and result.verdict == SHOWN:
        steps.append("Set unit_value_usd to see what it is worth.")
    for made in checks:
        if made.verdict == "fail":
            steps.append(f"Settle the failed check: {clean(made.label)}.")
    return steps or ["Keep the comparison group untreated and run this again."]
