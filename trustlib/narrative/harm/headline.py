"""The answer: share, interval, sentence, strip of checks, points, what is asked."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import VERDICTS, Check, View, stack
from trustlib.core.text import clean
from trustlib.harm.deep_dive.published import is_small, published, safe_checks
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import amount, percent
from trustlib.harm.options import SURE
from trustlib.narrative import house, run
from trustlib.narrative.harm import words
from trustlib.narrative.harm.today import best, chance, effect, leading, name, passed_over
from trustlib.narrative.harm.where import confirmed, place

STRIP = 8  # checks above the first figure, where fewer warn


def answer(result: DeepDive, checks: Sequence[Check]) -> View:
    """Everything above the first figure."""
    made = safe_checks(checks)
    figure, line = _figure(result)
    sentence = " ".join(part for part in (_size(result), _growth(result)) if part)
    return stack(
        [
            run.headline(figure, line, sentence, _strip(made)),
            house.bullets(_points(result, made)),
            run.ask(_request(result, made)),
        ]
    )


def _strip(checks: Sequence[Check]) -> list[Check]:
    """What fails or warns; others only as far as the strip stays short. All are in the table."""
    weak = [check for check in checks if check.verdict in ("fail", "warn")]
    others = [check for verdict in ("not_run", "pass") for check in checks
              if check.verdict == verdict]  # fmt: skip
    return [*weak, *others[: max(0, STRIP - len(weak))]]


def headline_sentence(result: DeepDive) -> str:
    """One sentence with the number, interval and method: for results.json and the gallery."""
    estimate, of = words.headline(result)
    area = house.upper_first(words.area(result))
    if estimate.point is None:
        return words.told(
            f"{area}: the share of items and views is not estimable ({words.reason(estimate)})."
        )
    number, interval = amount(estimate)
    known = (
        f"{words.level(result)} interval {interval}"
        if words.has_interval(estimate)
        else f"no interval: {words.reason(estimate)}"
    )
    growth = _growth_clause(result)
    return words.told(
        f"{area} is {number} of {of}, {words.period(result)} ({known}; {clean(estimate.method)})"
        f"{growth}."
    )


def _figure(result: DeepDive) -> tuple[str, str]:
    estimate, of = words.headline(result)
    if estimate.point is None:
        return "Not estimable", words.reason(estimate)
    number, interval = amount(estimate)
    known = (
        f"{words.level(result)} interval {interval}"
        if words.has_interval(estimate)
        else f"no {words.level(result)} interval: {words.reason(estimate)}"
    )
    return f"{number} of {of}", known


def _size(result: DeepDive) -> str:
    estimate, of = words.headline(result)
    if estimate.point is None:
        found = result.size.confirmed
        if found is None:
            return "Nothing in the tables says how much there is."
        return (
            f"Confirmed are {words.things(found.items, 'item')} from "
            f"{words.things(found.accounts, 'account')}; how much more there is, is not known."
        )
    number, _ = amount(estimate)
    text = f"{number} of {of} were {words.area(result)}, {words.period(result)}"
    affected = result.estimates["affected_accounts"]
    if affected.point is not None:
        told, ends = amount(affected)
        known = f" ({ends})" if words.has_interval(affected) and ends != told else ""
        text += f"; about {told} accounts saw it{known}"
    return f"{text}."


def _growth(result: DeepDive) -> str:
    """The last move that the ledger does not explain, and the last that it may."""
    ledger = result.ledger
    if ledger is None:
        return "Whether it grows is not known."
    moves = ledger.moves
    if not len(moves):
        return "The weekly share shows no clear step."
    own = moves[moves["attributable"].astype(bool)]
    tied = moves[~moves["attributable"].astype(bool)]
    told = []
    if len(own):
        told.append(
            f"The weekly share {words.moved(result, own.iloc[-1])}; no listed change of the "
            "instrument explains it."
        )
    if len(tied) and str(tied.iloc[-1]["instrument"]):
        row = tied.iloc[-1]
        what = "it" if told else "the weekly share"
        told.append(
            f"That {what} {words.moved(result, row)}, when the {words.instrument(row)} changed as "
            "well, cannot be told from that change."
        )
    elif len(tied):
        told.append(
            f"The weekly share {words.moved(result, tied.iloc[-1])}; nobody listed changes of the "
            "instrument, so it may be one of those."
        )
    return " ".join(told)


def _growth_clause(result: DeepDive) -> str:
    ledger = result.ledger
    if ledger is None or not len(ledger.moves):
        return ""
    own = ledger.moves[ledger.moves["attributable"].astype(bool)]
    if len(own):
        return f"; the weekly share {words.moved(result, own.iloc[-1])}"
    row = ledger.moves.iloc[-1]
    week = words.day(result, row["at"])
    return f"; the {words.way(row)} in the week of {week} is not attributable"


def _points(result: DeepDive, checks: Sequence[Check]) -> list[tuple[str, str]]:
    return [_who(result), _missed(result), _weakest(checks)]


def _who(result: DeepDive) -> tuple[str, str]:
    """Segment that stands out, accounts behind half of it, groups."""
    parts = []
    row = confirmed(result.where.search)
    if row is not None:
        parts.append(f"{house.upper_first(place(row))} has {words.times(row['ratio'])} the share "
                     "of others.")  # fmt: skip
    found = result.where.concentration
    if found is not None and found.actors_behind_half.point is not None:
        n = words.things(found.actors_behind_half.point, "account")
        parts.append(f"{house.upper_first(n)} are behind half of what is confirmed.")
    groups = result.how.coordination
    if groups is not None and len(groups.clusters) and len(parts) < 2:
        n = words.things(groups.members_in_all, "account")
        parts.append(f"{house.upper_first(n)} act in groups.")
    if parts:
        return "Where and who", " ".join(parts)
    if not published(result).segments and found is None:
        return "Where and who", "Not known: " + words.why(result, "where.segments")
    return "Where and who", "Nothing stands out for sure."


def _missed(result: DeepDive) -> tuple[str, str]:
    """What controls miss."""
    found, unseen = result.today.controls, result.today.unseen
    recall = result.estimates["recall_of_controls"]
    if found is None or recall.point is None:
        why = words.why(result, "today.controls") if found is None else words.reason(recall)
        return "What controls find", f"Not known: {words.ends_with_stop(why)}"
    text = f"Together they find {words.share(recall)} of violating {found.of}."
    bound = None if unseen is None else unseen.unseen_lower_bound
    if bound is not None and bound.point is not None and not is_small(bound.point):
        number, interval = amount(bound)
        unit = words.short(bound.unit, 40)
        if words.rough(bound):
            text += f" What none of them sees is hardly known ({interval} {unit}, or more)."
        else:
            text += f" About {number} {unit} or more are seen by none ({interval})."
    return "What controls find", text


def _weakest(checks: Sequence[Check]) -> tuple[str, str]:
    """The worst check."""
    ranked = [check for verdict in VERDICTS for check in checks if check.verdict == verdict]
    # A lower bound is never more than that: it is said above, and last here.
    bound = [c for c in ranked if c.name == "capture_recapture" and c.verdict == "warn"]
    others = [check for check in ranked if check not in bound]
    weak = [check for check in others if check.verdict != "pass"]
    ranked = [*weak, *bound, *(check for check in others if check.verdict == "pass")]
    if not ranked:
        return "Weakest point", "No assumption was tested."
    first = ranked[0]
    if first.verdict == "pass":
        return "Weakest point", f"None of {len(ranked)} checks found one."
    lead = {"fail": "Failed check", "warn": "Weakest point", "not_run": "Not tested"}
    text = clean(first.text).removeprefix("Not run: ")
    return lead[first.verdict], f"{house.upper_first(clean(first.label))}: {text}"


def _request(result: DeepDive, checks: Sequence[Check]) -> str:
    """What the reader is asked to decide; made from the result alone."""
    estimate, _ = words.headline(result)
    failed = [clean(check.label) for check in checks if check.verdict == "fail"]
    ranking = result.ranking
    first = None if ranking is None else best(ranking)
    at = None if ranking is None else leading(ranking)
    if estimate.point is None:
        text = "Quote no share yet. Decide on a labelling round: it is what the answer lacks."
    elif ranking is None or first is None or at is None:
        text = (
            "Decide who owns the next step. No option could be weighed: decide on a labelling "
            "round that can."
        )
    else:
        text = f"Decide on {_within(name(ranking, at))}. {effect(ranking, at)}"
        sure, over = chance(ranking, first), passed_over(ranking)
        text += f" {over}" if over else ""
        if sure is not None and sure < SURE:
            text += (
                f" The order is not sure: the first is the best with a chance of {percent(sure)}."
            )
    if failed:
        named = house.listed([f"“{label}”" for label in failed[:3]])
        text += f" Before that, judge what fails: {named}."
    return text


def _within(option: str) -> str:
    """An option's name within a sentence: "acting on cluster 1"."""
    return option[:1].lower() + option[1:]
