"""What the reader is asked to decide: from the verdict and the numbers, no invented facts."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.interventions import DidResult
from trustlib.narrative import house, run
from trustlib.narrative.interventions import words
from trustlib.narrative.interventions.words import (
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
    NOT_SHOWN,
    SHOWN,
)


def ask(result: DidResult, checks: Sequence[Check]) -> View:
    """What the reader is asked to decide; made from the verdict and the numbers alone."""
    sentence = " ".join(_request(result))
    weak = [c.label for verdict in ("fail", "warn") for c in checks if c.verdict == verdict]
    if weak and result.verdict in (SHOWN, NOT_CONCLUSIVE):
        named = house.listed([f"“{clean(label)}”" for label in weak[:3]])
        sentence += f" Before that, judge what the checks flag: {named}."
    return run.ask(sentence)


def _request(result: DidResult) -> list[str]:
    if result.verdict == NOT_ESTIMABLE or words.att(result).point is None:
        return [
            "Quote no effect.",
            f"The reason: {words.why_none(result)}.",
            "Mend that, or decide on other evidence.",
        ]
    number, interval = words.size(result)
    if result.verdict == NOT_SHOWN:
        return [
            "Do not credit the rollout with a change in either direction.",
            f"Decide whether an effect inside {interval} would matter: if it would, go on with "
            "more units or more periods and run this again; if not, decide on cost alone.",
        ]
    if result.verdict == NOT_CONCLUSIVE:
        return [
            f"Do not decide on {number} alone: {_possible(result, interval)}. Keep some units "
            "untreated for longer, or bring a second outcome, before anyone relies on it."
        ]
    untreated = result.design.never_units
    where = (
        f" to the {untreated:,} {'unit' if untreated == 1 else 'units'} that have not had it"
        if untreated
        else ""
    )
    return [
        f"Decide whether to keep the rollout as it is, extend it{where}, change it or end it.",
        _cautious(result),
    ]


def _possible(result: DidResult, interval: str) -> str:
    if words.has_interval(words.att(result)):
        return f"the interval runs from {interval}"
    return "there is no interval"


def _cautious(result: DidResult) -> str:
    """The number, and the end of its interval that lies nearer to zero."""
    estimate = words.att(result)
    if estimate.point is None or estimate.low is None or estimate.high is None:
        return "The effect has no interval."
    number, interval = words.size(result)
    ends = interval.split(" to ")
    nearer = ends[0] if abs(estimate.low) < abs(estimate.high) else ends[1]
    sentence = f"The effect is {number} per treated unit and period; at the cautious end, {nearer}."
    if (total := _cautious_total(result)) is not None:
        sentence += f" {total}"
    return sentence


def _cautious_total(result: DidResult) -> str | None:
    value = result.estimates.get("total_value_usd")
    total = value if value is not None else result.estimates.get("total_effect")
    if total is None or total.point is None or not words.excludes_zero(total):
        return None
    assert total.low is not None
    assert total.high is not None
    near = min(abs(total.low), abs(total.high))
    dollars = total.unit == "USD"
    texts = show.alike([abs(total.point), near], currency="$" if dollars else "")
    fewer = "fewer" if total.point < 0 else "more"
    what = f" {'less' if total.point < 0 else 'more'}" if dollars else f" {fewer}"
    unit = "" if dollars else f" {words.unit(result)}"
    return f"In total it is {texts[0]}{what}{unit}; at the cautious end, {texts[1]}{what}."
