"""The answer: number, interval, sentence, strip of checks, three points, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import VERDICTS, Check, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.harm.deep_dive.published import safe_checks
from trustlib.narrative import house, incidents, run
from trustlib.narrative.incidents import words as sizes
from trustlib.narrative.incidents.words import (
    CONFIRMED,
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
    NOT_SHOWN,
)
from trustlib.narrative.postmortem import numbers, repair, was_it, what, who, why, words
from trustlib.postmortem.result import Postmortem


def answer(result: Postmortem, checks: Sequence[Check]) -> View:
    """Everything above the first block."""
    made = safe_checks(checks)
    figure, interval = _figure(result)
    points = [_who(result), _clock(result), weakest(made)]
    return stack(
        [
            run.headline(figure, interval, " ".join(_sentences(result)), made),
            house.bullets(points),
            run.ask(_request(result, made)),
        ]
    )


def headline_sentence(result: Postmortem) -> str:
    """One sentence with the number and its interval, for results.json and the gallery."""
    sentence = incidents.headline_sentence(result.sizing).removesuffix(".")
    if result.severity_level is None:
        return words.plain(f"{sentence}.")
    named = words.name(result.severity_level, 24)
    told = f"could be as high as {named}" if words.is_open(result) else f"is {named}"
    return words.plain(f"{sentence}; severity {told}.")


def _figure(result: Postmortem) -> tuple[str, str]:
    """The large line and the line under it."""
    sized = result.sizing
    number, interval = sizes.size(sized)
    severe = [] if result.severity_level is None else [_severity_mark(result)]
    if sized.verdict == NOT_ESTIMABLE:
        lacking = f"no {words.level(result)} interval: {sizes.why_none(sized)}"
        if sizes.excess(sized).point is not None:
            lacking = f"counted minus expected: {number}; {lacking}"
        return "Not estimable", " · ".join([lacking, *severe])
    shown = f"{words.level(result)} interval {interval}"
    if sized.verdict == NOT_SHOWN:
        return "No incident shown", " · ".join([f"{number} against expectation", shown, *severe])
    against = sizes.relative(sized)
    parts = [shown, *([against] if against else []), *severe]
    return number, " · ".join([*parts, *([NOT_CONCLUSIVE] if sized.verdict == NOT_CONCLUSIVE
                                         else [])])  # fmt: skip


def _severity_mark(result: Postmortem) -> str:
    named = words.name(result.severity_level, 24)
    if not words.is_open(result):
        return f"{named}, closed"
    return f"{named} or higher, open" if why.undecided(result) else f"up to {named}, open"


def _sentences(result: Postmortem) -> list[str]:
    sized = result.sizing
    expected = show.count(sized.estimates["expected"].point, digits=4)
    found = [
        f"Over {sizes.length_counted(sized)}, {sizes.counted(sized.estimates['actual'].point)} "
        f"{words.unit(result)} were counted where {expected} were expected."
    ]
    if sized.verdict == NOT_ESTIMABLE:
        return [*found, "Too little history stands behind that expectation to say how sure it is."]
    found.append(f"{house.upper_first(was_it.compared(result))}.")
    if sized.verdict == NOT_CONCLUSIVE:
        found.append(was_it.doubt(result))
    elif sizes.clearly_other_way(sized):
        found.append("The counts moved the other way than was asked about.")
    elif sized.verdict == NOT_SHOWN:
        found.append("A difference of this size is what quiet weeks show as well.")
    if (hit := who.hit(result)) is not None:
        found.append(f"{house.upper_first(hit)}.")
    return found


def _who(result: Postmortem) -> tuple[str, str]:
    parts = [
        numbers.brief(result.estimates[f"affected_{kind}"], kind)
        for kind in who.PEOPLE
        if numbers.known(result.estimates.get(f"affected_{kind}"))
    ]
    if parts:
        text = f"{house.upper_first(house.listed(parts))}; {words.level(result)} intervals."
        return "Who was hit", f"{text} Cost: {cost(result)}."
    if result.reason("affected") is not None:
        return "Who was hit", f"Not known: there is no count of cases. Cost: {cost(result)}."
    return "Who was hit", f"Not known: no label tells who was hit wrongly. Cost: {cost(result)}."


def cost(result: Postmortem) -> str:
    """``$14,100 net (95 % interval …)``, or that it is not known."""
    for name, noun in (("net_loss_usd", "net"), ("cost_usd", "by the stated unit cost")):
        if numbers.known(result.estimates.get(name)):
            return numbers.told(result.estimates[name], noun)
    return "not known"


def _clock(result: Postmortem) -> tuple[str, str]:
    detect = result.estimates.get("time_to_detect_hours")
    stop = result.estimates.get("time_to_mitigate_hours")
    told = []
    if detect is not None and detect.point is not None:
        told.append(what.noticed(result))
    if stop is not None and stop.point is not None:
        told.append(f"stated as stopped after {numbers.told(stop)}")
    state = "open" if words.is_open(result) else "closed"
    if (none := words.no_impact(result)) is not None:
        return "Clock", f"{house.upper_first(none)}. The record is {state}."
    text = house.upper_first(" and ".join(told)) if told else "How long it lasted is not stated"
    return "Clock", f"{text}. The record is {state}."


def weakest(checks: Sequence[Check]) -> tuple[str, str]:
    """The worst check."""
    ranked = [check for verdict in VERDICTS for check in checks if check.verdict == verdict]
    if not ranked:
        return "Weakest point", "No assumption was tested."
    first = ranked[0]
    if first.verdict == "pass":
        return "Weakest point", f"None of {len(ranked)} checks found one."
    lead = {"fail": "Failed check", "warn": "Weakest point", "not_run": "Not tested"}
    text = clean(first.text).removeprefix("Not run: ")
    return lead[first.verdict], f"{house.upper_first(clean(first.label))}: {text}"


def _request(result: Postmortem, checks: Sequence[Check]) -> str:
    """What the reader is asked to decide; made from the record alone."""
    text = " ".join(_asked(result))
    failed = [f"“{clean(check.label)}”" for check in checks if check.verdict == "fail"]
    if failed:
        text += f" Before that, judge what fails: {house.listed(failed[:3])}."
    return text


def _asked(result: Postmortem) -> list[str]:
    verdict = result.sizing.verdict
    if verdict == NOT_ESTIMABLE:
        return ["Quote no size yet: bring more history before the incident and run this again."]
    if verdict == NOT_SHOWN:
        return ["Decide whether another series shows it; on this one alone, close without action."]
    if verdict == NOT_CONCLUSIVE:
        return ["Do not decide on this number alone. Look for a second signal first."]
    assert verdict == CONFIRMED
    asked = []
    if words.is_open(result):
        if sizes.is_open(result.sizing):
            asked.append("Decide on containment first: the counts were not back to normal.")
        asked.append(f"{house.upper_first(why.how_severe(result))}.")
        asked.append("Decide who is told now, and what.")
    else:
        asked.append("Decide whether this record can be signed off.")
    if result.lists:
        listed = house.listed([f"the {one.name} list" for one in result.lists])
        asked.append(f"Decide who works through {listed}.")
    asked.append(f"{house.upper_first(repair.promised(result))}.")
    return asked
