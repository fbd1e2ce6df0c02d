"""The record in plain words for those who decide: 120 to 180 words, whatever is known."""

from __future__ import annotations

from dataclasses import dataclass

from trustlib.core import Check, View
from trustlib.core import format as show
from trustlib.harm.deep_dive.published import safe_checks
from trustlib.narrative import house
from trustlib.narrative.incidents import words as sizes
from trustlib.narrative.incidents.words import CONFIRMED, NOT_ESTIMABLE
from trustlib.narrative.postmortem import headline, numbers, repair, was_it, what, who, why, words
from trustlib.postmortem.result import Postmortem

FEWEST, MOST = 125, 172  # words that are aimed at; 120 and 180 are promised


@dataclass(frozen=True, kw_only=True)
class Part:
    """A sentence, where it stands, and how much it matters (0: always there)."""

    paragraph: int
    text: str
    rank: int = 0


def executive(result: Postmortem) -> View:
    """What happened, how sure, who was hit, cost, state, what comes next, severity."""
    return words.paragraphs(*told(result))


def told(result: Postmortem) -> list[str]:
    """Its three paragraphs."""
    chosen = _chosen([*_happened(result), *_hit(result), *_state(result), *_glossary(result)])
    paragraphs = sorted({part.paragraph for part in chosen})
    return [
        " ".join(part.text for part in chosen if part.paragraph == paragraph)
        for paragraph in paragraphs
    ]


def length(text: str) -> int:
    """Words, as a reader would count them."""
    return len(text.split())


def _chosen(parts: list[Part]) -> list[Part]:
    """What must be there, then the rest by rank while there is room; explanations fill up."""
    kept = [part for part in parts if part.rank == 0]
    total = sum(length(part.text) for part in kept)
    for part in sorted((p for p in parts if p.rank), key=lambda p: p.rank):
        if part.rank >= 9 and total >= FEWEST:
            break
        if total + length(part.text) <= MOST:
            kept.append(part)
            total += length(part.text)
    return [part for part in parts if part in kept]


def _happened(result: Postmortem) -> list[Part]:
    sized = result.sizing
    start = show.instant(sized.spec.incident.start, sized.spec.timezone)
    lead = {CONFIRMED: "There was an incident", NOT_ESTIMABLE: "A possible incident was sized"}.get(
        sized.verdict, "A possible incident was looked into"
    )
    first = (
        f"{lead} in the {sizes.length_counted(sized).removeprefix('the ')} from {start} "
        f"({words.clock(result)}): "
        f"{words.excess_told(sized)}."
    )
    return [Part(paragraph=1, text=first), Part(paragraph=1, text=_sure(result))]


def _sure(result: Postmortem) -> str:
    """How sure, in a sentence."""
    verdict, (more, n) = result.sizing.verdict, sizes.beyond(result.sizing)
    if verdict == NOT_ESTIMABLE:
        return "Too little history stands behind this, so no size should be quoted yet."
    if verdict == CONFIRMED:
        if n == 0:
            return "No earlier window could be compared, so chance was not ruled out that way."
        sure = "so chance is an unlikely explanation"
        if more:
            sure += ", though a possible one"
        return f"{house.upper_first(was_it.compared(result))}, {sure}."
    if verdict == "not conclusive":
        return f"That is not conclusive. {was_it.doubt(result)}"
    if sizes.clearly_other_way(result.sizing):
        return "That is not the direction that was asked about, so no such incident is shown."
    return "Quiet weeks show differences of this size as well, so no incident is shown."


def _hit(result: Postmortem) -> list[Part]:
    parts = []
    found = who.hit(result)
    if found is None:
        parts.append(Part(paragraph=2, text=_nobody(result)))
    else:
        parts.append(Part(paragraph=2, text=f"{house.upper_first(found)}."))
    people = [
        numbers.brief(result.estimates[f"affected_{kind}"], kind)
        for kind in who.PEOPLE
        if numbers.known(result.estimates.get(f"affected_{kind}"))
    ]
    if people:
        text = f"That concerns {house.listed(people)}."
        parts.append(Part(paragraph=2, text=text))
    parts.append(Part(paragraph=2, text=f"{_cost(result)}"))
    if any(numbers.is_wide(result.estimates.get(name)) for name in
           ("false_positives", "false_negatives", "net_loss_usd")):  # fmt: skip
        wide = "Some intervals are wide, so the single numbers should not be quoted alone."
        parts.append(Part(paragraph=2, text=wide, rank=1))
    return parts


def _nobody(result: Postmortem) -> str:
    if result.reason("affected") is not None:
        return "How many people were hit is not known, since no table of cases was given."
    return "How many were hit wrongly is not known, since too few cases have a label."


def _cost(result: Postmortem) -> str:
    cost = headline.cost(result)
    if cost == "not known":
        return "What it cost is not known."
    return f"The cost is {cost}."


def _state(result: Postmortem) -> list[Part]:
    """Open or closed, what was quick, what comes next, how severe."""
    parts = []
    if words.is_open(result):
        parts.append(Part(paragraph=3, text="The record is still open, and figures may change."))
    else:
        parts.append(Part(paragraph=3, text="The record is closed."))
    if result.as_of is not None:
        text = f"Figures are as of {words.when(result, result.as_of, year=True)}."
        parts.append(Part(paragraph=3, text=text, rank=4))
    stop = result.estimates.get("time_to_mitigate_hours")
    detect = result.estimates.get("time_to_detect_hours")
    none = words.no_impact(result)
    if none is None and detect is not None and detect.point is not None:
        text = f"It was {what.noticed(result)}."
        parts.append(Part(paragraph=3, text=text, rank=2))
    if none is None and stop is not None and stop.point is not None:
        text = f"Harm is stated as stopped after {numbers.told(stop)}."
        parts.append(Part(paragraph=3, text=text, rank=2))
    if none is not None:
        parts.append(Part(paragraph=3, text="The record dates no impact.", rank=2))
    parts.append(Part(paragraph=3, text=f"{house.upper_first(why.how_severe(result))}."))
    parts.append(Part(paragraph=3, text=f"Next: {repair.promised(result)}."))
    parts += _next(result)
    if (weak := _weakest(safe_checks(result.checks))) is not None:
        parts.append(Part(paragraph=3, text=weak, rank=1))
    return parts


def _next(result: Postmortem) -> list[Part]:
    parts = [
        Part(paragraph=3, rank=3,
             text=f"The {one.name} list holds {numbers.rows_of(one.rows, 'case')} to put right.")
        for one in result.lists
    ]  # fmt: skip
    if (at := repair.final_on(result)) is not None and not repair.is_final(result):
        text = f"Late figures should be final by {words.day(result, at)}."
        parts.append(Part(paragraph=3, text=text, rank=1))
    return parts


def _weakest(checks: tuple[Check, ...]) -> str | None:
    """The worst two checks by their labels."""
    for verdict, lead in (("fail", "What fails"), ("warn", "What is weak")):
        labels = [words.name(check.label, 60) for check in checks if check.verdict == verdict]
        if labels:
            return f"{lead}: {house.listed(labels[:2])}."
    return None


def _glossary(result: Postmortem) -> list[Part]:
    """Explanations, told where there is room."""
    texts = [
        f"A {words.level(result)} interval is the range that should hold the true number in that "
        "share of such analyses.",
        "Expected means what the same hours would have shown without an incident, as learnt from "
        "the weeks before.",
        "What came before the incident is not thereby its cause, and this record blames nobody.",
        "Where a number is missing, the full record says why, and what would be needed to have it.",
        "The full record shows the methods, the checks and the limits behind every figure here.",
        "Numbers are quoted with their intervals, since a single figure would look surer than it "
        "is.",
    ]
    return [Part(paragraph=4, text=text, rank=9 + i) for i, text in enumerate(texts)]
