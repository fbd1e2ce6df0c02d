"""What the reader is asked to decide: from the verdict and the numbers, no invented facts."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.interventions.synth.result import SynthResult
from trustlib.narrative import house, run
from trustlib.narrative.intervention_synth import words
from trustlib.narrative.intervention_synth.doubt import decisive, holds_not
from trustlib.narrative.intervention_synth.words import ALONE, NOT_CONCLUSIVE, NOT_SHOWN, SHOWN


def ask(result: SynthResult, checks: Sequence[Check]) -> View:
    """What the reader is asked to decide; made from the verdict and the numbers alone."""
    sentence = " ".join(_request(result))
    weak = [c.label for verdict in ("fail", "warn") for c in checks if c.verdict == verdict]
    if weak and result.verdict in (SHOWN, NOT_CONCLUSIVE):
        labels = house.listed([f"“{clean(label)}”" for label in weak[:3]])
        sentence += f" Before that, judge what the checks flag: {labels}."
    return run.ask(sentence)


def _request(result: SynthResult) -> list[str]:
    if not words.known(result):
        return [
            "Quote no effect.",
            f"The reason: {words.why_none(result)}.",
            "Mend that, or decide on other evidence.",
        ]
    number, interval = words.size(result)
    if result.verdict == NOT_SHOWN:
        return [
            "Do not credit the intervention with a change in either direction.",
            f"Decide whether an effect inside {interval} would matter: if it would, wait for more "
            "periods or find more donors and run this again; if not, decide on cost alone.",
        ]
    if result.verdict == NOT_CONCLUSIVE:
        lead = f"Do not decide on {number} alone:"
        if (made := decisive(result)) is not None:
            return [
                f"{lead} a check on which it rests {holds_not(made)} ({clean(made.label)}). "
                "Settle it first."
            ]
        if words.moved_donor(result):
            return [
                f"{lead} the interval runs from {interval}, and a donor that moved at the start "
                "may spoil the comparison. Find out whether the intervention reached it; if so, "
                "list it in affected_units and run this again."
            ]
        return [
            f"{lead} the interval runs from {interval}, and whether chance could do this has two "
            "answers. Wait for more periods, or find donors that are more like it, and run this "
            "again."
        ]
    if result.verdict == ALONE:
        return [
            f"Do not credit the intervention with {number} on this evidence alone: it shows that "
            "something changed, and not what changed it.",
            "Say what else began at that time, or find a unit that the intervention did not reach.",
        ]
    place = words.whom(result)
    return [
        f"Decide whether to keep the intervention in {place}, extend it, change it or end it.",
        _cautious(result),
        f"It is the effect in {place}: elsewhere it may differ.",
    ]


def _cautious(result: SynthResult) -> str:
    """The number, and the end of its interval that lies nearer to zero."""
    estimate = words.att(result)
    number, interval = words.size(result)
    ends = interval.split(" to ")
    nearer = ends[0] if abs(estimate.low or 0.0) < abs(estimate.high or 0.0) else ends[1]
    sentence = f"The effect is {number} {words.per(result)}; at the cautious end, {nearer}."
    if (total := _cautious_total(result)) is not None:
        sentence += f" {total}"
    return sentence


def _cautious_total(result: SynthResult) -> str | None:
    value = result.estimates.get("total_value_usd")
    total = value if value is not None else result.estimates.get("total_effect")
    if total is None or total.point is None or not words.excludes_zero(total):
        return None
    near, far = sorted((abs(total.low or 0.0), abs(total.high or 0.0)))
    dollars = total.unit == "USD"
    # Rounded with the far end too, as the headline is.
    texts = show.alike([abs(total.point), near, far], currency="$" if dollars else "")
    fewer = "fewer" if total.point < 0 else "more"
    what = f" {'less' if total.point < 0 else 'more'}" if dollars else f" {fewer}"
    label = "" if dollars else f" {words.unit(result)}"
    return f"In total it is {texts[0]}{what}{label}; at the cautious end, {texts[1]}{what}."
