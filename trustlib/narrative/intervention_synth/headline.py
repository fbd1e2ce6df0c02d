"""The answer: effect, interval, sentence, strip of checks, points, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.interventions.synth.result import SynthResult
from trustlib.narrative import house, run
from trustlib.narrative.intervention_synth import words
from trustlib.narrative.intervention_synth.ask import ask
from trustlib.narrative.intervention_synth.doubt import doubt
from trustlib.narrative.intervention_synth.points import points
from trustlib.narrative.intervention_synth.words import (
    ALONE,
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
    NOT_SHOWN,
    SHOWN,
)


def answer(result: SynthResult, checks: Sequence[Check]) -> View:
    """Everything above the first figure."""
    return stack([headline(result, checks), points(result, checks), ask(result, checks)])


def headline_sentence(result: SynthResult) -> str:
    """One sentence with the number, interval, method and total: for results.json, the gallery."""
    estimate, verdict = words.att(result), house.upper_first(result.verdict)
    if estimate.point is None:
        return _plain(
            f"{verdict}: the effect on {words.outcome(result)} has no number "
            f"({words.why_none(result)})."
        )
    number, interval = words.size(result)
    spread = (
        f"{words.level(result)} interval {interval}"
        if words.has_interval(estimate)
        else f"no interval: {words.why_none(result)}"
    )
    return _plain(
        f"{verdict}: {number} {_in_outcome(result)}, {words.per(result)} in {words.whom(result)} "
        f"({spread}; {clean(estimate.method)}), over {words.over(result)}{_total_clause(result)}."
    )


def headline(result: SynthResult, checks: Sequence[Check]) -> View:
    """The effect first and large, or the verdict where the number must not stand alone."""
    figure, interval = _figure(result)
    return run.headline(figure, interval, " ".join(_sentences(result)), checks)


def _plain(sentence: str) -> str:
    """For readers that are programs: ordinary spaces."""
    return clean(sentence).replace(show.NBSP, " ")


def _in_outcome(result: SynthResult) -> str:
    return f"in {words.thing(result)}" if words.is_log(result) else words.outcome(result)


def _total_clause(result: SynthResult) -> str:
    total = result.estimates.get("total_effect")
    if total is None or total.point is None or result.verdict == NOT_ESTIMABLE:
        return ""
    number, interval = words.amount(total)
    clause = f"; in total {number} {words.unit(result)}"
    if words.has_interval(total):
        clause += f" ({interval})"
    value = result.estimates.get("total_value_usd")
    if value is not None and value.point is not None:
        worth, ends = words.less(value.point, value.low, value.high)
        clause += f", {worth}" + (f" ({ends})" if words.has_interval(value) else "")
    return clause


def _figure(result: SynthResult) -> tuple[str, str]:
    """The large line and the line under it: a number leads only where it is shown to be one."""
    estimate = words.att(result)
    number, interval = words.size(result)
    what = f"{number} {_in_outcome(result)}"
    if not words.known(result):
        missing = f"{what}; no {words.level(result)} interval"
        if estimate.point is None:
            missing = "No number"
        return house.upper_first(NOT_ESTIMABLE), f"{missing}: {words.why_none(result)}"
    where = f"{words.per(result)} in {words.whom(result)}"
    spread = f"{words.level(result)} interval {interval}"
    if result.verdict != SHOWN:
        return house.upper_first(result.verdict), f"{what}, {where} · {spread}"
    relative = words.relative(result)
    return what, " · ".join([f"{spread}, {where}", *([relative] if relative else [])])


def _sentences(result: SynthResult) -> list[str]:
    estimate = words.att(result)
    name = f"{words.thing(result)} in {words.whom(result)}"
    if estimate.point is None:
        return [f"What became of {name} because of the intervention cannot be told."]
    size = words.bare(words.size(result)[0])
    on_average = f"by {size} {words.per(result)} on average"
    if result.verdict == SHOWN:
        moved = words.moved(estimate.point)
        found = [
            f"Because of the intervention, {name} {moved} {on_average}, over {words.over(result)}."
        ]
    elif result.verdict == ALONE:
        moved = words.moved(estimate.point)
        found = [
            f"{words.first(name)} {moved} {on_average} against its own earlier line, over "
            f"{words.over(result)}.",
            "It is compared with no other unit: anything else that began at that time would look "
            "the same.",
        ]
    else:
        found = [f"Over {words.over(result)}, {name} came out {words.away(result)}, on average."]
    if (total := _total(result)) is not None:
        found.append(total)
    if result.verdict == NOT_SHOWN:
        found.append(_reach(result))
    elif result.verdict == NOT_CONCLUSIVE:
        found.append(doubt(result))
    elif not words.known(result):
        found.append("Nothing stands behind that number that says how sure it is.")
    return found


def _total(result: SynthResult) -> str | None:
    total = result.estimates.get("total_effect")
    if total is None or total.point is None or not words.known(result):
        return None
    number, interval = words.amount(total)
    if total.low is None or total.high is None:
        return f"In total that is {number} {words.unit(result)}, without an interval."
    if words.excludes_zero(total):
        number, interval = show.triple(*_ascending(total))
        side = "fewer" if total.point < 0 else "more"
        return (
            f"In total that is {number} {side} {words.unit(result)} "
            f"({words.level(result)} interval {interval} {side})."
        )
    return (
        f"In total that is {number} {words.unit(result)} "
        f"({words.level(result)} interval {interval})."
    )


def _ascending(total: Estimate) -> tuple[float, float, float]:
    near, far = sorted((abs(total.low or 0.0), abs(total.high or 0.0)))
    return abs(total.point or 0.0), near, far


def _reach(result: SynthResult) -> str:
    smallest = result.estimates.get("smallest_detectable_effect")
    if smallest is None or smallest.point is None:
        return "The interval holds zero."
    value = smallest.point
    text = words.numbers(result, value)[0] if words.is_log(result) else show.alike([abs(value)])[0]
    return (
        f"The interval holds zero; an effect smaller than {words.bare(text)} {words.per(result)} "
        "would probably have gone unseen."
    )
