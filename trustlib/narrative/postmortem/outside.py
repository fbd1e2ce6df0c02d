"""The version for users and regulators: nothing internal, numbers of two digits, intervals kept.

No text of params or data reaches it: every word is written here, but for the zone's name, dates
and numbers, and a unit where it is one of a fixed list. It has no thresholds, no unit values (so
no cost of an excess, which divided by the excess would give one) and no segments.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from trustlib.core import Estimate, View
from trustlib.core import format as show
from trustlib.harm.deep_dive.published import FEWER, is_small
from trustlib.narrative import house
from trustlib.narrative.incidents import words as sizes
from trustlib.narrative.incidents.words import CONFIRMED, NOT_CONCLUSIVE, NOT_ESTIMABLE
from trustlib.narrative.postmortem import numbers, repair, summary, who, words
from trustlib.narrative.postmortem.rounding import rounded, two_up
from trustlib.narrative.postmortem.sides import (
    BY_SIDE,
    NO_SIGN,
    SIGN_OF,
    SURE,
    UNSURE,
    happened,
    sides,
)
from trustlib.postmortem.result import Postmortem

# A unit_label that is none of these reads "events": it may name a rule, a team or a person.
_UNITS = frozenset({
    "accounts", "appeals", "comments", "images", "items", "listings", "logins", "messages",
    "orders", "payments", "posts", "reports", "reviews", "sign-ups", "transactions", "trips",
    "uploads", "user reports", "videos", "views",
})  # fmt: skip
_CAN_DO = {
    "over": "If you think that something of yours was restricted by mistake in these hours, please "
    "use the usual appeal route.",
    "under": "If you came across something harmful in these hours, please report it in the usual "
    "way.",
    "": "If you could not use the service as usual in these hours, please contact our support.",
}


def external(result: Postmortem) -> View:
    """What happened, how large, who, how sure, what to do, and when final numbers come."""
    return words.paragraphs(*_paragraphs(result))


def communication(result: Postmortem) -> list[dict[str, str]]:
    """Both versions as rows for results.json: version ("executive", "external"), text."""
    views = {"executive": summary.executive(result), "external": external(result)}
    return [
        {"version": version, "text": view.text.replace(show.NBSP, " ")}
        for version, view in views.items()
    ]


def _paragraphs(result: Postmortem) -> list[str]:
    first = [_what(result), *_size(result)]
    second = [*_hit(result), *_money(result)]
    if any("interval" in text for text in (*first, *second)):
        second.append(
            "Numbers are rounded to two digits; an interval is the range in which the true number "
            "most likely lies."
        )
    third = [_state(result), *[_CAN_DO[side] for side in sides(result) or [""]], _final(result)]
    return [" ".join(part) for part in (first, second, third) if part]


def _what(result: Postmortem) -> str:
    """When, on both clocks, and of what kind."""
    window, zone = result.spec.sizing.incident, result.spec.sizing.timezone
    when = f"from {_both(window.start, zone)} to {_both(window.end, zone)}."
    if result.sizing.verdict != CONFIRMED:
        looked = "we are looking" if words.is_open(result) else "we looked"
        asked = f"{looked} into whether an incident affected our service"
        return f"{house.upper_first(asked)}. The hours in question run {when}"
    unsure = set(sides(result).values()) - {NO_SIGN} == {UNSURE}
    lead = "The hours in question run" if unsure else "This was"
    return f"{house.upper_first(happened(result))}. {lead} {when}"


def _both(at: datetime, zone: str) -> str:
    """``26 Jan 2015, 12:00 New York time (26 Jan 2015, 17:00 UTC)``."""
    utc = f"{show.instant(at, 'UTC')} UTC"
    local = f"{show.instant(at, zone)} {show.zone_name(zone)} time"
    return f"{local} ({utc})" if at.astimezone(ZoneInfo(zone)).utcoffset() else utc


def _unit(result: Postmortem) -> str:
    label = result.spec.sizing.unit_label.strip().lower()
    return label if label in _UNITS else "events"


def _size(result: Postmortem) -> list[str]:
    """The excess in two digits; or that there is no number."""
    verdict = result.sizing.verdict
    if verdict == NOT_ESTIMABLE:
        return ["We cannot say yet how large it was, because there is too little to compare with."]
    text = _excess(result)
    if verdict == CONFIRMED:
        return [] if text is None else [f"{_lead(result)} {text}."]
    if verdict == NOT_CONCLUSIVE:
        told = f"The evidence is not conclusive{'' if text is None else f': we counted {text}'}."
        return [told]
    if sizes.clearly_other_way(result.sizing):
        return ["The counts moved the other way than such an incident would move them, so none is "
                "shown."]  # fmt: skip
    return ["What we counted is what quiet times show as well, so no incident is shown."]


def _lead(result: Postmortem) -> str:
    return "So far, we have counted" if words.is_open(result) else "We counted"


def _excess(result: Postmortem) -> str | None:
    """``about 270 more events than expected (95 % interval 220 to 320)``."""
    estimate, unit = sizes.excess(result.sizing), _unit(result)
    if estimate.point is None or estimate.low is None or estimate.high is None:
        return None
    level = show.level(estimate.level)
    if not sizes.excludes_zero(estimate):
        low, high = abs(estimate.low), abs(estimate.high)
        if is_small(low) or is_small(high):
            return None
        span = f"between {two_up(low)} fewer and {two_up(high)} more"
        return f"{span} {unit} than expected ({level} interval)"
    way = "fewer" if estimate.point < 0 else "more"
    ends = sorted([abs(estimate.low), abs(estimate.high)])
    figure, span = rounded(abs(estimate.point), ends[0], ends[1])
    told = figure if figure == FEWER else f"about {figure}"
    return f"{told} {way} {unit} than expected{_bracket(level, span)}"


def _hit(result: Postmortem) -> list[str]:
    """Items by side, and people."""
    found = sides(result)
    texts = [_items(result, side, known) for side, known in found.items()]
    if not set(found.values()) - {NO_SIGN}:
        return texts  # nobody is known to be concerned, nor thought to be
    made = {kind: result.estimates.get(f"affected_{kind}") for kind in who.PEOPLE}
    told = {kind: text for kind, one in made.items()
            if (text := people(one, kind)) and (one is None or one.point != 0)}  # fmt: skip
    lows = [0 if (one := made[kind]) is None else one.low or 0 for kind in told]
    if told:
        surely = SURE in found.values() and min(lows) > 0
        verb = "concerned" if surely else "may have concerned"
        texts.append(f"This {verb} {house.listed(list(told.values()))}.")
    else:
        texts.append("How many people this concerned is not known yet." if words.is_open(result)
                     else "How many people this concerned is not known.")  # fmt: skip
    return texts


def _items(result: Postmortem, side: str, known: str) -> str:
    """How many on one side: admitted, hedged or not found, as far as labels go."""
    name, noun, was = BY_SIDE[side]
    estimate = result.estimates.get(name)
    if known == NO_SIGN:
        text = f"We found no sign that {SIGN_OF[side]}, of what was checked"
        if estimate is None or not estimate.high:
            return f"{text}."
        most = FEWER if is_small(estimate.high) else f"up to {two_up(estimate.high)}"
        return f"{text}; {most} cannot be ruled out ({show.level(estimate.level)} interval)."
    told = people(estimate, noun)
    if told is None:
        yet = " yet" if words.is_open(result) else ""
        return f"We do not know{yet} how many {noun}, if any, {was}."
    return f"We estimate that {told}{'' if known == SURE else ', if any,'} {was}."


def people(estimate: Estimate | None, noun: str) -> str | None:
    """``about 240 accounts (95 % interval 210 to 260)``; None where nothing can be said."""
    if estimate is None or not numbers.known(estimate):
        return None
    if estimate.point is None:
        return f"{FEWER} {noun}"
    if estimate.low is None or estimate.high is None:
        return f"{FEWER} {noun}" if is_small(estimate.point) else None
    if estimate.high == 0:
        return None
    figure, span = rounded(estimate.point, estimate.low, estimate.high)
    some = estimate.unit.endswith("at least")  # views were a sample: there are more
    told = figure if figure == FEWER else f"{'at least ' if some else ''}about {figure}"
    return f"{told} {noun}{_bracket(show.level(estimate.level), span)}"


def _bracket(level: str, span: str) -> str:
    if not span:
        return ""
    return f" ({span})" if span.startswith("exact") else f" ({level} interval {span})"


def _money(result: Postmortem) -> list[str]:
    """The net amount, where it is about more than a few cases and surely a loss."""
    net, items = result.estimates.get("net_loss_usd"), result.estimates.get("affected_items")
    if net is None or net.point is None or net.low is None or net.high is None or net.low <= 0:
        return []
    if items is None or items.point is None or is_small(items.point) or is_small(items.low):
        return []
    figure, span = rounded(net.point, net.low, net.high, "$")
    return [
        "The money involved, less what was recovered, is about "
        f"{figure}{_bracket(show.level(net.level), span)}."
    ]


def _state(result: Postmortem) -> str:
    text = "Our review is closed."
    if words.is_open(result):
        text = "Our review is still open, and these findings may change."
    if result.as_of is not None:
        text += f" Numbers are as of {_both(result.as_of, result.spec.sizing.timezone)}."
    return text


def _final(result: Postmortem) -> str:
    """When final numbers come, by the labels that numbers of items and people rest on."""
    names = [*(BY_SIDE[side][0] for side in sides(result)), *(f"affected_{k}" for k in who.PEOPLE)]
    made = [result.estimates.get(name) for name in names]
    said = [one for one in made if one is not None and one.low is not None]
    at = repair.final_on(result, labels=True)
    if said and repair.is_final(result, labels=True):
        if all(one.low == one.high for one in said) and len(said) == sum(map(numbers.known, made)):
            return "The numbers of items and people are final unless new information comes in."
        return "No more labels are expected; the numbers stay estimates from a sample."
    if at is not None and sides(result):
        return f"Final numbers are expected by {words.day(result, at)}."
    if words.is_open(result):
        return "We cannot say yet when the numbers will be final."
    return "These numbers stand unless new information comes in."
