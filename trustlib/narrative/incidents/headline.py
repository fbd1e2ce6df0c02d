"""The answer: number, interval, sentence, strip of checks, three points, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.incidents import SizingResult
from trustlib.incidents.control import CONTROL_MOVED
from trustlib.narrative import house, run
from trustlib.narrative.incidents import words
from trustlib.narrative.incidents.ask import ask
from trustlib.narrative.incidents.points import points
from trustlib.narrative.incidents.words import (
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
    NOT_SHOWN,
)


def answer(result: SizingResult, checks: Sequence[Check]) -> View:
    """Everything above the first figure."""
    return stack([headline(result, checks), points(result, checks), ask(result, checks)])


def headline_sentence(result: SizingResult) -> str:
    """One sentence with the number and its interval, for results.json and the gallery."""
    amount, interval = words.size(result)
    when = f"over {words.length_counted(result)}"
    against = words.relative(result)
    if not words.has_interval(words.excess(result)):
        return _plain(
            f"{house.upper_first(result.verdict)}: {amount} against expectation {when}, "
            f"without an interval ({words.why_none(result)})."
        )
    sides = [f"{words.level(result)} interval {interval}", *([against] if against else [])]
    return _plain(
        f"{house.upper_first(result.verdict)}: {amount} against expectation {when} "
        f"({'; '.join(sides)})."
    )


def _plain(sentence: str) -> str:
    """For readers that are programs: ordinary spaces."""
    return clean(sentence).replace(show.NBSP, " ")


def headline(result: SizingResult, checks: Sequence[Check]) -> View:
    """The number first and large, or the verdict where the number must not stand alone."""
    figure, interval = _figure(result)
    sentence = " ".join(_sentences(result))
    return run.headline(figure, interval, sentence, checks)


def _figure(result: SizingResult) -> tuple[str, str]:
    """The large line and the line under it."""
    estimate = words.excess(result)
    amount, interval = words.size(result)
    against = words.relative(result)
    shown = f"{words.level(result)} interval {interval}"
    if result.verdict == NOT_ESTIMABLE or not words.has_interval(estimate):
        known = "" if estimate.point is None else f"counted minus expected: {amount}; "
        return (
            "Not estimable",
            f"{known}no {words.level(result)} interval: {words.why_none(result)}",
        )
    if result.verdict == NOT_SHOWN:
        return (
            "No incident shown",
            f"{amount} against expectation · {shown}",
        )
    weak = [NOT_CONCLUSIVE] if result.verdict == NOT_CONCLUSIVE else []
    return amount, " · ".join([shown, *([against] if against else []), *weak])


def _sentences(result: SizingResult) -> list[str]:
    actual, expected = result.estimates["actual"], result.estimates["expected"]
    unit = words.unit(result)
    expected_text = show.count(expected.point, digits=4)
    found = [
        f"Over {words.length_counted(result)}, {words.counted(actual.point)} {unit} were counted "
        f"where {expected_text} were expected."
    ]
    if result.verdict == NOT_ESTIMABLE:
        return [*found, "Too little history stands behind that expectation to say how sure it is."]
    found.append(_placebo_sentence(result))
    if result.verdict == NOT_SHOWN:
        found.append(
            f"The counts moved the other way: the question was about "
            f"{_article(result.spec.direction)}."
            if words.clearly_other_way(result)
            else "A difference of this size is what quiet weeks show as well."
        )
    elif result.verdict == NOT_CONCLUSIVE:
        found.append(_doubt(result))
    elif (over := words.recovered(result)) is not None:
        found.append(f"Counts were back to normal by {over}.")
    elif words.is_open(result):
        found.append(
            f"The deviation had not ended by {words.last_count(result)}, the last count read."
        )
    return found


def _article(direction: str) -> str:
    return {"increase": "an increase", "decrease": "a decrease"}.get(direction, "a change")


def _doubt(result: SizingResult) -> str:
    if not words.excludes_zero(words.excess(result)):
        if any(c.name == "control_usable" and c.label == CONTROL_MOVED for c in result.checks):
            return "The control series moved too, and may hide what happened."
        return "The interval holds zero, so chance alone could explain it."
    if words.too_few_windows(result):
        return "The interval excludes zero, but so few quiet windows cannot set these hours apart."
    p = result.estimates["placebo_p_value"].point
    if p is None or p > 1 - result.spec.level:
        return "The interval excludes zero, but the placebo windows do not set these hours apart."
    return "The interval excludes zero, but a second method does not agree."


def _placebo_sentence(result: SizingResult) -> str:
    p = result.estimates["placebo_p_value"].point
    if p is None:
        return "No earlier window was there to compare it with."
    more, n = words.beyond(result)
    how = {"increase": "as high", "decrease": "as low"}.get(result.spec.direction, "as far off")
    windows = "window" if n == 1 else "windows"
    number = "None" if more == 0 else f"{more:,}"
    return f"{number} of {n:,} quiet {windows} of the same length came out {how}."
