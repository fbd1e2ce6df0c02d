"""The answer: effect, interval, sentence, strip of checks, points, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.interventions import DidResult
from trustlib.narrative import house, run
from trustlib.narrative.interventions import words
from trustlib.narrative.interventions.ask import ask
from trustlib.narrative.interventions.points import points
from trustlib.narrative.interventions.words import NOT_CONCLUSIVE, NOT_ESTIMABLE, NOT_SHOWN


def answer(result: DidResult, checks: Sequence[Check]) -> View:
    """Everything above the first figure."""
    return stack([headline(result, checks), points(result, checks), ask(result, checks)])


def headline_sentence(result: DidResult) -> str:
    """One sentence with the number, its interval and the total: for results.json, the gallery."""
    estimate, verdict = words.att(result), house.upper_first(result.verdict)
    if estimate.point is None:
        return _plain(
            f"{verdict}: the effect on {words.outcome(result)} has no number "
            f"({words.why_none(result)})."
        )
    number, interval = words.size(result)
    known = (
        f"{words.level(result)} interval {interval}"
        if words.has_interval(estimate)
        else f"no interval: {words.why_none(result)}"
    )
    aside = [known, *_in_log_points(result)]
    sentence = (
        f"{verdict}: {number} {_in_outcome(result)} per treated unit and period "
        f"({'; '.join(aside)}), over {words.over(result)}"
    )
    return _plain(f"{sentence}{_total_clause(result)}.")


def headline(result: DidResult, checks: Sequence[Check]) -> View:
    """The effect first and large, or the verdict where the number must not stand alone."""
    figure, interval = _figure(result)
    return run.headline(figure, interval, " ".join(_sentences(result)), checks)


def _plain(sentence: str) -> str:
    """For readers that are programs: ordinary spaces."""
    return clean(sentence).replace(show.NBSP, " ")


def _in_outcome(result: DidResult) -> str:
    return f"in {words.thing(result)}" if words.is_log(result) else words.outcome(result)


def _in_log_points(result: DidResult) -> list[str]:
    if not words.is_log(result):
        return []
    return [f"{words.log_points(words.att(result))[0]} log points"]


def _total_clause(result: DidResult) -> str:
    """``: 34,000 fewer complaints in total (95 % interval −36,000 to −32,000)``."""
    total = result.estimates.get("total_effect")
    if total is None or total.point is None or result.verdict == NOT_ESTIMABLE:
        return ""
    number, interval = words.amount(total)
    clause = f"; in total {number} {words.unit(result)}"
    if words.has_interval(total):
        clause += f" ({interval})"
    value = result.estimates.get("total_value_usd")
    if value is not None and value.point is not None:
        clause += f", {words.less(value.point, value.low, value.high)[0]} in dollars"
    return clause


def _figure(result: DidResult) -> tuple[str, str]:
    """The large line and the line under it."""
    estimate = words.att(result)
    number, interval = words.size(result)
    what = f"{number} {_in_outcome(result)}"
    shown = f"{words.level(result)} interval {interval}"
    if result.verdict == NOT_ESTIMABLE or not words.has_interval(estimate):
        known = "" if estimate.point is None else f"{what}; "
        return (
            house.upper_first(NOT_ESTIMABLE),
            f"{known}no {words.level(result)} interval: {words.why_none(result)}",
        )
    if result.verdict == NOT_SHOWN:
        return "No effect shown", f"{what} per treated unit and period · {shown}"
    relative = words.relative(result)
    more = [*_in_log_points(result), *([relative] if relative else [])]
    if result.verdict == NOT_CONCLUSIVE:
        more.append(NOT_CONCLUSIVE)
    return what, " · ".join([f"{shown}, per treated unit and period", *more])


def _sentences(result: DidResult) -> list[str]:
    estimate, outcome = words.att(result), words.thing(result)
    if estimate.point is None:
        return [f"What the rollout did to {outcome} cannot be told from this panel."]
    sure = result.verdict not in (NOT_SHOWN, NOT_CONCLUSIVE, NOT_ESTIMABLE)
    if sure:
        size = words.bare(words.size(result)[0])
        found = [
            f"Because of the rollout, {outcome} {words.moved(estimate.point)} by {size} on average "
            f"over {words.over(result)}."
        ]
    else:
        found = [f"Over {words.over(result)}, {outcome} came out {words.away(result)}."]
    if (total := _total(result)) is not None:
        found.append(total)
    if result.verdict == NOT_SHOWN:
        found.append(_reach(result))
    elif result.verdict == NOT_CONCLUSIVE:
        found.append(_doubt(result))
    elif result.verdict == NOT_ESTIMABLE:
        found.append("Nothing stands behind that number that says how sure it is.")
    return found


def _total(result: DidResult) -> str | None:
    total = result.estimates.get("total_effect")
    if total is None or total.point is None or result.verdict == NOT_ESTIMABLE:
        return None
    number, interval = words.amount(total)
    if not words.has_interval(total) or total.low is None or total.high is None:
        return f"In total that is {number} {words.unit(result)}, without an interval."
    if words.excludes_zero(total):
        point, ends = show.triple(*_ascending(total))
        side = "fewer" if total.point < 0 else "more"
        return (
            f"In total that is {point} {side} {words.unit(result)} "
            f"({words.level(result)} interval {ends} {side})."
        )
    return (
        f"In total that is {number} {words.unit(result)} "
        f"({words.level(result)} interval {interval})."
    )


def _ascending(total) -> tuple[float, float, float]:
    ends = sorted((abs(total.low), abs(total.high)))
    return abs(total.point), ends[0], ends[1]


def _reach(result: DidResult) -> str:
    smallest = result.estimates.get("smallest_detectable_effect")
    if smallest is None or smallest.point is None:
        return "The interval holds zero."
    return (
        f"The interval holds zero; an effect smaller than {detectable(result, smallest.point)} "
        "would probably have gone unseen."
    )


def detectable(result: DidResult, value: float) -> str:
    """The smallest effect likely to be seen, without a sign."""
    if words.is_log(result):
        return words.percent(value)
    return show.alike([abs(value)])[0]


def _doubt(result: DidResult) -> str:
    if not words.excludes_zero(words.att(result)):
        return "The interval holds zero, so chance alone could explain it."
    p = result.estimates.get("randomization_p_value")
    if p is not None and p.point is not None and p.point > 1 - result.spec.level:
        return "The interval excludes zero, but other start dates would often have done as much."
    failed = [made for made in result.checks if made.verdict == "fail"]
    if failed:
        return (
            "The interval excludes zero, but a check on which it rests fails: "
            f"{clean(failed[0].label)}."
        )
    return "The interval excludes zero, but what it rests on does not hold well enough."
