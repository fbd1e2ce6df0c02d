"""Was it an incident at all, and how settled that is."""

from __future__ import annotations

from trustlib.core import View
from trustlib.core import format as show
from trustlib.narrative.incidents import words as sizes
from trustlib.narrative.incidents.words import CONFIRMED, NOT_CONCLUSIVE
from trustlib.narrative.postmortem import words
from trustlib.narrative.postmortem.words import Point
from trustlib.postmortem.result import Postmortem


def verdict(result: Postmortem) -> View:
    """Whether it was an incident, by quiet windows of the same length."""
    if result.reason("verdict") is not None:
        return words.absent(result, "verdict", "Whether this was an incident cannot be said")
    return words.section(_was_it(result), [_chance(result), *_doubts(result), *_reach(result)])


def compared(result: Postmortem) -> str:
    """``none of 597 quiet windows came out this high``."""
    more, n = sizes.beyond(result.sizing)
    if n == 0:
        return "no earlier window could stand beside it"
    way = {"increase": "as high", "decrease": "as low"}.get(
        result.spec.sizing.direction, "as far off"
    )
    some = "none" if more == 0 else f"{more:,}"
    return f"{some} of {n:,} quiet {'window' if n == 1 else 'windows'} came out {way}"


def doubt(result: Postmortem) -> str:
    """Why the verdict is not settled, as a sentence."""
    sized = result.sizing
    if not sizes.excludes_zero(sizes.excess(sized)):
        return "The interval of the excess holds zero, so chance alone could explain it."
    if sizes.too_few_windows(sized):
        return "So few quiet windows cannot set these hours apart."
    p = sized.estimates["placebo_p_value"].point
    if p is None or p > 1 - sized.spec.level:
        return "Quiet windows do not set these hours apart."
    return "A second method does not agree."


def _was_it(result: Postmortem) -> str:
    found = compared(result)
    if result.sizing.verdict == CONFIRMED:
        return f"This was an incident: {found}"
    if result.sizing.verdict == NOT_CONCLUSIVE:
        return f"Whether this was an incident is not settled: {found}"
    if sizes.clearly_other_way(result.sizing):
        return "No incident of the kind asked about: the counts moved the other way"
    return f"No incident is shown: {found}"


def _chance(result: Postmortem) -> Point:
    p = result.sizing.estimates["placebo_p_value"].point
    if p is None:
        return "Chance", "Too few earlier windows to say how often quiet times look like this."
    return (
        "Chance",
        f"In quiet times a window this far off comes up with probability {show.probability(p)} "
        "(its share among all windows, this one included).",
    )


def _doubts(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    if result.sizing.verdict == NOT_CONCLUSIVE:
        points.append(("Not conclusive", doubt(result)))
    if (apart := methods_disagree(result)) is not None:
        points.append(("Methods disagree", apart))
    return points


def methods_disagree(result: Postmortem) -> str | None:
    """A sentence where the intervals of the two methods do not meet."""
    own, other = sizes.excess(result.sizing), result.sizing.estimates["same_hours_excess"]
    if own.low is None or own.high is None or other.low is None or other.high is None:
        return None
    if own.low <= other.high and other.low <= own.high:
        return None
    number, interval = sizes.amount(other)
    return f"The same hours of earlier weeks give {number} ({interval}), outside the first range."


def _reach(result: Postmortem) -> list[Point]:
    smallest = result.sizing.estimates["smallest_detectable_excess"].point
    if smallest is None:
        return []
    text = f"A deviation below {show.count(smallest)} {words.unit(result)} would probably go unseen"
    return [("Reach", f"{text} (a property of the method, without an interval).")]
