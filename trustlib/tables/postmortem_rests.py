"""Assumptions of a postmortem: quality of the evidence × effect on the answer."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, View, stack
from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.postmortem.result import Postmortem
from trustlib.tables import house
from trustlib.tables.assumptions import assumptions as of_the_excess
from trustlib.tables.postmortem_words import absent
from trustlib.tables.run import STRENGTH, evidence

Row = tuple[str, str, str]


def assumptions(result: Postmortem, checks: Sequence[Check]) -> View:
    """What the excess rests on, then what the rest of the record does."""
    own = [*_cases(result, checks), *_people(result, checks), *_money(result, checks)]
    own += [*_late(result, checks), *_alerts(result), *_why(result, checks)]
    own.append(
        (
            "The stamps are when it happened",
            _at_most_medium(evidence(checks, "stamps_and_data")),
            "durations move by as much; the start of impact comes from the counts",
        )
    )
    rest = house.table(
        [(text, STRENGTH[verdict], effect) for text, verdict, effect in own],
        columns=("Assumption", "Evidence", "If it is wrong"),
        caption="What the rest of the record rests on",
        classes=[verdict for _, verdict, _ in own],
        classed="Evidence",
    )
    return stack([of_the_excess(result.sizing, checks), rest])


def _cases(result: Postmortem, checks: Sequence[Check]) -> list[Row]:
    if absent(result, "affected"):
        return []
    return [
        (
            "The affected table holds every case, once",
            evidence(checks, "affected_cases", "affected_once", "affected_readable",
                     "affected_as_of"),
            "cases that are not in it are in no count of wrong cases, and on no list",
        ),
        (
            "Labels were drawn at random, with the chances that are recorded",
            evidence(checks, "case_labels", "case_weights", "cases_unlabelled",
                     "cases_without_wrong", "affected_label_weights", "affected_labelled_sides"),
            _range(result),
        ),
        (
            "Labels are right",
            _at_most_medium(evidence(checks, "labels_as_truth")),
            "wrong cases, lists and money move with the raters' errors: nothing corrects for them",
        ),
    ]  # fmt: skip


def _people(result: Postmortem, checks: Sequence[Check]) -> list[Row]:
    if absent(result, "dose"):
        return []
    return [
        (
            "One person has one id",
            evidence(checks, "people_identified", "people_known", "affected_ids"),
            "people are counted twice, or two as one; doses are too low or too high",
        ),
        (
            "Wrong cases fall on people neither all together nor all apart",
            evidence(checks, "people_labels"),
            "nothing: the intervals of people span both",
        ),
    ]


def _money(result: Postmortem, checks: Sequence[Check]) -> list[Row]:
    if absent(result, "money"):
        return []
    rows = []
    if len(result.money):
        rows.append(
            (
                "Amounts are complete, and few cases do not decide them",
                evidence(checks, "large_amounts", "affected_amounts"),
                "the loss moves with them; what has no amount counts as nothing",
            )
        )
    rate, currency = result.spec.usd_rate, result.spec.currency
    if rate is not None and currency not in (None, "USD"):
        rows.append(
            (
                f"1 {short(currency, 12)} is ${rate:.10g}",
                "not_run",
                "every amount in dollars moves in proportion",
            )
        )
    return rows


def _late(result: Postmortem, checks: Sequence[Check]) -> list[Row]:
    if absent(result, "maturity"):
        return []
    return [
        (
            "What is still to come comes as late as it did before",
            evidence(checks, "maturity_history", "delay_drift", "delay_tail", "nowcast_errors",
                     "window_delays"),
            "the final counts are higher or lower, and final later, than the table says",
        )
    ]  # fmt: skip


def _alerts(result: Postmortem) -> list[Row]:
    if absent(result, "detection"):
        return []
    return [
        (
            "Alerts meet weeks like those of the history",
            "not_run",
            "an alert with few false alarms in these weeks has more of them in others",
        ),
        (
            "An earlier alarm is answered as fast as this signal was",
            "not_run",
            "less is spared than the table says",
        ),
    ]


def _why(result: Postmortem, checks: Sequence[Check]) -> list[Row]:
    if absent(result, "factors"):
        return []
    return [
        (
            "What came before, or moved with the cause, contributed",
            _at_most_medium(evidence(checks, "contributing_factors", "side_by_side")),
            "another change in the same hours is the cause: order in time does not prove it",
        )
    ]


def _at_most_medium(verdict: str) -> str:
    """What can be made plausible, not shown."""
    return "warn" if verdict == "pass" else verdict


def _range(result: Postmortem) -> str:
    found = result.estimates.get("affected_items")
    if found is None or found.point is None or found.low is None or found.high is None:
        return "how many cases were wrong is not known"
    if found.low == found.high:
        return "nothing: every case has a label"
    low, high = show.triple(found.point, found.low, found.high)[1].split(" to ")
    return f"the number of wrong cases is outside {low} to {high}"
