"""The answer: number, interval, sentence, strip of checks, three points, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from trustlib.core import VERDICTS, Check, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.incidents import SizingResult
from trustlib.narrative import house
from trustlib.narrative.incidents import words
from trustlib.narrative.incidents.words import (
    CONFIRMED,
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
    NOT_SHOWN,
)

_SIGNS = {"pass": "✓", "warn": "!", "fail": "✗", "not_run": "–"}
_SPOKEN = {"pass": "passed", "warn": "warning", "fail": "failed", "not_run": "not run"}
_STRIP = 8


def answer(result: SizingResult, checks: Sequence[Check]) -> View:
    """Everything above the first figure."""
    return stack([headline(result, checks), points(result, checks), ask(result, checks)])


def headline_sentence(result: SizingResult) -> str:
    """One sentence with the number and its interval, for results.json and the gallery."""
    estimate = words.excess(result)
    number, interval = words.amount(estimate)
    unit, when = words.unit(result), f"over {words.length(result)}"
    against = words.relative(result)
    if not words.has_interval(estimate):
        return clean(
            f"{house.upper_first(result.verdict)}: {number} {unit} against expectation {when}, "
            f"without an interval ({_why_none(result)})."
        )
    sides = [f"{words.level(result)} interval {interval}", *([against] if against else [])]
    return clean(
        f"{house.upper_first(result.verdict)}: {number} {unit} against expectation {when} "
        f"({'; '.join(sides)})."
    )


def headline(result: SizingResult, checks: Sequence[Check]) -> View:
    """The number first and large, or the verdict where the number must not stand alone."""
    figure, interval = _figure(result)
    sentence = " ".join(_sentences(result))
    html = Markup(
        '<section class="headline" aria-label="Answer"><p class="figure">{}</p>'
        '<p class="interval">{}</p><p>{}</p>{}</section>'
    ).format(clean(figure), clean(interval), clean(sentence), _strip(checks))
    marks = [f"{_SIGNS[check.verdict]} {clean(check.label)}" for check in _chosen(checks)]
    text = "\n".join([clean(figure), clean(interval), clean(sentence), " · ".join(marks)])
    return View(html=html, text=text)


def points(result: SizingResult, checks: Sequence[Check]) -> View:
    """Three bullets: how much, when, and the weakest point."""
    return house.bullets([_how_much(result), _when(result), _weakest(checks)])


def ask(result: SizingResult, checks: Sequence[Check]) -> View:
    """What the reader is asked to decide; made from the verdict and the numbers alone."""
    sentence = clean(" ".join(_request(result)))
    weak = [check.label for check in checks if check.verdict in ("fail", "warn")]
    if weak and result.verdict in (CONFIRMED, NOT_CONCLUSIVE):
        sentence += f" Judge first: {house.listed([clean(label) for label in weak[:3]])}."
    html = Markup('<div class="ask"><p><strong>What we ask of you.</strong> {}</p></div>').format(
        sentence
    )
    return View(html=html, text=f"What we ask of you. {sentence}")


def _figure(result: SizingResult) -> tuple[str, str]:
    """The large line and the line under it."""
    estimate = words.excess(result)
    number, interval = words.amount(estimate)
    unit, against = words.unit(result), words.relative(result)
    shown = f"{words.level(result)} interval {interval}"
    if result.verdict == NOT_ESTIMABLE or not words.has_interval(estimate):
        known = "" if estimate.point is None else f"counted minus expected: {number} {unit}; "
        return "Not estimable", f"{known}no {words.level(result)} interval: {_why_none(result)}"
    if result.verdict == NOT_SHOWN:
        return "No incident shown", f"{number} {unit} against expectation · {shown}"
    weak = [NOT_CONCLUSIVE] if result.verdict == NOT_CONCLUSIVE else []
    return f"{number} {unit}", " · ".join([shown, *([against] if against else []), *weak])


def _sentences(result: SizingResult) -> list[str]:
    actual, expected = result.estimates["actual"], result.estimates["expected"]
    unit = words.unit(result)
    expected_text = show.count(expected.point, digits=4)
    found = [
        f"Over {words.length(result)}, {words.counted(actual.point)} {unit} were counted where "
        f"{expected_text} were expected."
    ]
    if result.verdict == NOT_ESTIMABLE:
        return [*found, "Too little history stands behind that expectation to say how sure it is."]
    found.append(_placebo_sentence(result))
    if result.verdict == NOT_SHOWN:
        found.append(
            f"The counts moved the other way: the question was about "
            f"{_article(result.spec.direction)}."
            if words.went_wrong_way(result) and words.excludes_zero(words.excess(result))
            else "A difference of this size is what quiet weeks show as well."
        )
    elif result.verdict == NOT_CONCLUSIVE:
        found.append(_doubt(result))
    elif (over := words.recovered(result)) is not None:
        found.append(f"Counts were back in their season by {over}.")
    elif words.is_open(result):
        found.append("The deviation had not ended when the data did.")
    return found


def _article(direction: str) -> str:
    return {"increase": "an increase", "decrease": "a decrease"}.get(direction, "a change")


def _doubt(result: SizingResult) -> str:
    if not words.excludes_zero(words.excess(result)):
        return "The interval holds zero, so chance alone could explain it."
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


def _how_much(result: SizingResult) -> str:
    if (cost := result.estimates.get("cost_usd")) is not None:
        number, interval = words.amount(cost)
        each = show.usd(result.spec.unit_cost_usd)
        if not words.has_interval(cost):
            return f"Cost at {each} each: {number}, without an interval."
        return f"Cost at {each} each: {number} ({words.level(result)} interval {interval})."
    other, own = result.estimates["same_hours_excess"], words.excess(result)
    if words.has_interval(other) and words.has_interval(own):
        number, interval = words.amount(other)
        return f"A second method, the same hours of previous weeks, gives {number} ({interval})."
    smallest = result.estimates["smallest_detectable_excess"].point
    if smallest is not None:
        return f"An excess below {show.count(smallest)} would probably not have been seen."
    return f"How sure the number is cannot be said: {_why_none(result)}."


def _when(result: SizingResult) -> str:
    row = words.onset(result)
    if not words.has_onset(result):
        return house.upper_first(f"the start is {_reason(row['note'])}.")
    began = f"The counts leave their season at {words.brief(result, row['estimated_at'])}"
    if words.has_interval(result.estimates["onset_hours"]):
        low, high = words.brief(result, row["low_at"]), words.brief(result, row["high_at"])
        began += f" ({low} to {high})"
    stated = f"the stated start is {words.brief(result, row['stated_at'])}"
    if row["estimated_at"] == row["stated_at"]:
        stated = "which is the stated start"
    over = words.recovered(result)
    ended = f"back by {over}" if over else "not yet back when the data end"
    return f"{began}, {stated}; {ended}."


def _weakest(checks: Sequence[Check]) -> str:
    ranked = [check for verdict in VERDICTS for check in checks if check.verdict == verdict]
    first = ranked[0] if ranked else None
    if first is None:
        return "No assumption was tested."
    if first.verdict == "pass":
        return f"All {len(ranked)} checks pass."
    lead = {"fail": "Failed", "warn": "Weakest point", "not_run": "Not tested"}[first.verdict]
    return f"{lead}: {clean(first.label)}. {clean(first.text)}"


def _request(result: SizingResult) -> list[str]:
    estimate = words.excess(result)
    number, interval = words.amount(estimate)
    unit = words.unit(result)
    if result.verdict == NOT_ESTIMABLE:
        return [
            "Quote no size yet.",
            "Bring at least three weeks of history before the incident and run this again.",
        ]
    if result.verdict == NOT_SHOWN:
        smallest = result.estimates["smallest_detectable_excess"].point
        return [
            "Open no incident on this series alone.",
            f"An excess below {show.count(smallest)} {unit} would probably have stayed unseen: "
            "if that would matter, name a narrower window or segment."
            if smallest is not None
            else "If other signals disagree, name a narrower window or segment.",
        ]
    if result.verdict == NOT_CONCLUSIVE:
        return [
            f"Do not decide on {number} {unit} alone: plan for any value from {interval}, "
            "and look for a second signal."
        ]
    what = f"{number} {unit} ({interval})"
    if (cost := result.estimates.get("cost_usd")) is not None and words.has_interval(cost):
        price, range_ = words.amount(cost)
        what += f", {price} ({range_}),"
    asked = [
        f"Decide what {what} {'call' if ',' in what else 'calls'} for: repair, notice, or neither."
    ]
    if words.is_open(result):
        asked.append("It was still going on when the data end: decide on containment first.")
    return asked


def _why_none(result: SizingResult) -> str:
    return _reason(words.excess(result).note or "too little history").removeprefix(
        "not estimable: "
    )


def _reason(note: str) -> str:
    return clean(note).rstrip(".") or "not estimable"


def _chosen(checks: Sequence[Check]) -> list[Check]:
    """The strip: everything that did not pass, then what did, in the order given."""
    weak = [check for check in checks if check.verdict != "pass"]
    strong = [check for check in checks if check.verdict == "pass"]
    kept = set(map(id, [*weak, *strong][: max(_STRIP, len(weak))]))
    return [check for check in checks if id(check) in kept]


def _strip(checks: Sequence[Check]) -> Markup:
    items = Markup("").join(
        Markup('<li class="{}" aria-label="{}: {}">{} {}</li>').format(
            check.verdict, _SPOKEN[check.verdict], clean(check.label),
            _SIGNS[check.verdict], clean(check.label),
        )
        for check in _chosen(checks)
    )  # fmt: skip
    return Markup('<ul class="strip" aria-label="Checks">{}</ul>').format(items)
