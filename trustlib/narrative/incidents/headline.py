"""The answer: number, interval, sentence, strip of checks, three points, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from trustlib.core import VERDICTS, Check, Estimate, View, stack
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
    amount, interval = words.size(result)
    when = f"over {words.length(result)}"
    against = words.relative(result)
    if not words.has_interval(words.excess(result)):
        return _plain(
            f"{house.upper_first(result.verdict)}: {amount} against expectation {when}, "
            f"without an interval ({_why_none(result)})."
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
    html = Markup(
        '<section class="headline" aria-label="Answer"><p class="figure">{}</p>'
        '<p class="interval">{}</p><p>{}</p>{}</section>'
    ).format(clean(figure), clean(interval), clean(sentence), _strip(checks))
    marks = [f"{_SIGNS[check.verdict]} {clean(check.label)}" for check in _chosen(checks)]
    text = "\n".join([clean(figure), clean(interval), clean(sentence), " · ".join(marks)])
    return View(html=html, text=text)


def points(result: SizingResult, checks: Sequence[Check]) -> View:
    """Three bullets: how much, when, and the weakest point."""
    return house.bullets([_how_much(result), _when(result), _weakest(result, checks)])


def ask(result: SizingResult, checks: Sequence[Check]) -> View:
    """What the reader is asked to decide; made from the verdict and the numbers alone."""
    sentence = clean(" ".join(_request(result)))
    weak = [check.label for check in checks if check.verdict in ("fail", "warn")]
    if weak and result.verdict in (CONFIRMED, NOT_CONCLUSIVE):
        named = house.listed([f"“{clean(label)}”" for label in weak[:3]])
        sentence += f" Before that, judge what the checks flag: {named}."
    html = Markup('<div class="ask"><p><strong>What we ask of you.</strong> {}</p></div>').format(
        sentence
    )
    return View(html=html, text=f"What we ask of you. {sentence}")


def _figure(result: SizingResult) -> tuple[str, str]:
    """The large line and the line under it."""
    estimate = words.excess(result)
    amount, interval = words.size(result)
    against = words.relative(result)
    shown = f"{words.level(result)} interval {interval}"
    if result.verdict == NOT_ESTIMABLE or not words.has_interval(estimate):
        known = "" if estimate.point is None else f"counted minus expected: {amount}; "
        return "Not estimable", f"{known}no {words.level(result)} interval: {_why_none(result)}"
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


def _how_much(result: SizingResult) -> tuple[str, str]:
    if (cost := result.estimates.get("cost_usd")) is not None:
        number, interval = words.amount(cost)
        each = show.usd(result.spec.unit_cost_usd)
        if not words.has_interval(cost):
            return "Cost", f"{number} at {each} each, without an interval."
        return "Cost", f"{number} at {each} each ({words.level(result)} interval {interval})."
    other, own = result.estimates["same_hours_excess"], words.excess(result)
    if words.has_interval(other) and words.has_interval(own):
        number, interval = words.amount(other)
        return "Second method", f"The same hours of earlier weeks give {number} ({interval})."
    if other.point is not None and not words.has_interval(other):
        number, why = words.amount(other)[0], _reason(other.note or "").partition(": ")[2]
        return "Second method", f"The same hours of earlier weeks give {number}; {why}."
    smallest = result.estimates["smallest_detectable_excess"].point
    if smallest is not None:
        return "Reach", f"An excess below {show.count(smallest)} would probably go unseen."
    return "How sure", house.upper_first(f"{_why_none(result)}.")


def _when(result: SizingResult) -> tuple[str, str]:
    row = words.onset(result)
    if not words.has_onset(result):
        return "Since when", f"The start is {_reason(row['note'])}."
    began = words.brief(result, row["estimated_at"])
    if words.has_interval(result.estimates["onset_hours"]):
        ends = words.span(result, row["low_at"], row["high_at"], row["estimated_at"])
        began += f" ({ends})"
    apart = row["estimated_at"] - row["stated_at"]
    side = "before" if apart < pd.Timedelta(0) else "after"
    stated = f"{words.apart(result, abs(apart))} {side} the stated start" if apart else "as stated"
    over = words.recovered(result)
    ended = f"back in season by {over}" if over else "not yet back when the data end"
    return "Since when", f"The counts leave their season at {began}, {stated}; {ended}."


def _weakest(result: SizingResult, checks: Sequence[Check]) -> tuple[str, str]:
    """The worst check, but for what the other sentences say: the onset, and no incident."""
    said = {"onset_agrees", *(["placebo_windows"] if result.verdict == NOT_SHOWN else [])}
    ranked = [check for verdict in VERDICTS for check in checks if check.verdict == verdict]
    others = [check for check in ranked if check.name not in said] or ranked
    if not others:
        return "Weakest point", "No assumption was tested."
    first = others[0]
    if first.verdict == "pass":
        return "Weakest point", f"None of {len(ranked)} checks found one."
    lead = {"fail": "Failed check", "warn": "Weakest point", "not_run": "Not tested"}
    return lead[first.verdict], f"{house.upper_first(clean(first.label))}: {clean(first.text)}"


def _request(result: SizingResult) -> list[str]:
    amount, interval = words.size(result)
    unit = words.unit(result)
    if result.verdict == NOT_ESTIMABLE:
        return [
            "Quote no size yet.",
            "Bring at least three weeks of history before the incident and run this again.",
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
        asked.insert(0, "It was still going on when the data end: decide on containment first.")
    return asked


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
