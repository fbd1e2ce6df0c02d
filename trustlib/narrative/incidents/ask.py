"""What the reader is asked to decide: from the verdict and the numbers, no invented facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from trustlib.core import Check, Estimate, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.incidents import SizingResult
from trustlib.incidents.grid import WEEKS_FOR_INTERVAL
from trustlib.narrative import house, run
from trustlib.narrative.incidents import words
from trustlib.narrative.incidents.words import (
    CONFIRMED,
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
    NOT_SHOWN,
)

_PER_WEEK = {"30min": 336, "1h": 168, "1d": 7}


def ask(result: SizingResult, checks: Sequence[Check]) -> View:
    """What the reader is asked to decide; made from the verdict and the numbers alone."""
    sentence = clean(" ".join(_request(result)))
    weak = [c.label for verdict in ("fail", "warn") for c in checks if c.verdict == verdict]
    if weak and result.verdict in (CONFIRMED, NOT_CONCLUSIVE):
        named = house.listed([f"“{clean(label)}”" for label in weak[:3]])
        sentence += f" Before that, judge what the checks flag: {named}."
    return run.ask(sentence)


def _request(result: SizingResult) -> list[str]:
    amount, interval = words.size(result)
    unit = words.unit(result)
    if result.verdict == NOT_ESTIMABLE:
        needed = _weeks_needed(result)
        if result.counterfactual["fitted"].sum() >= needed * _PER_WEEK[result.spec.bucket]:
            return [
                "Quote no size yet.",
                "The history is long enough, but in too much of it the incident's hours are left "
                "out or missing: exclude less, or bring more, and run this again.",
            ]
        return [
            "Quote no size yet.",
            f"Bring at least {house.number_word(needed)} usable weeks of history before the "
            "incident and run this again.",
        ]
    if result.verdict == NOT_SHOWN and words.clearly_other_way(result):
        way = "a decrease" if (words.excess(result).point or 0) < 0 else "an increase"
        return [
            f"Do not close this: the counts show {way}, {amount} ({interval}), which is not what "
            "was asked about. Set direction to either and run this again."
        ]
    if result.verdict == NOT_SHOWN:
        smallest = result.estimates["smallest_detectable_excess"].point
        unseen = (
            "If other signals disagree, name a narrower window or segment."
            if smallest is None
            else f"An excess below {show.count(smallest)} {unit} would probably go unseen: where "
            "that would matter, name a narrower window or segment."
        )
        return ["Open no incident on this series alone.", unseen]
    if result.verdict == NOT_CONCLUSIVE:
        return [
            f"Do not decide on {amount} alone: anything from {interval} is possible. "
            "Look for a second signal first."
        ]
    asked = [
        "Decide what this calls for: make good, notify, change a rule, or nothing. "
        f"{_cautious(result)}"
    ]
    if words.is_open(result):
        asked.insert(
            0,
            f"It was still going on at the last count read, {words.last_count(result)}: decide on "
            "containment first.",
        )
    return asked


def _weeks_needed(result: SizingResult) -> int:
    """Three earlier windows, each in whole weeks of its own."""
    weeks = -(-result.spec.incident.duration // timedelta(days=7))
    return WEEKS_FOR_INTERVAL * weeks


def _cautious(result: SizingResult) -> str:
    """The number, and the end of its interval that lies nearer to zero."""
    name = "shortfall" if (words.excess(result).point or 0) < 0 else "excess"
    what, least = words.size(result)[0], _nearer_end(words.excess(result))
    if (cost := result.estimates.get("cost_usd")) is not None and words.has_interval(cost):
        what += f" ({words.amount(cost)[0]})"
        least += f" ({_nearer_end(cost)})"
    return f"The {name} is {what}; at the cautious end of its interval, {least}."


def _nearer_end(estimate: Estimate) -> str:
    """The interval's end nearer to zero, rounded as in the interval."""
    assert estimate.point is not None
    assert estimate.low is not None
    assert estimate.high is not None
    texts = words.alike(estimate)
    return texts[1] if estimate.point > 0 else texts[2]
