"""Assumptions of a deep-dive: quality of the evidence × effect on the answer."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, Estimate, View
from trustlib.core.text import short
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import percent
from trustlib.tables import house
from trustlib.tables.run import STRENGTH, evidence

Row = tuple[str, str, str]


def assumptions(result: DeepDive, checks: Sequence[Check]) -> View:
    """What the answer rests on, how well each is supported, and what follows if it is wrong."""
    rows = [*_size(result, checks), *_growth(result, checks), *_who(result, checks)]
    rows += _controls(result, checks)
    return house.table(
        [(text, STRENGTH[verdict], effect) for text, verdict, effect in rows],
        columns=("Assumption", "Evidence", "If it is wrong"),
        caption="What the answer rests on",
        classes=[verdict for _, verdict, _ in rows],
        classed="Evidence",
    )


def _size(result: DeepDive, checks: Sequence[Check]) -> list[Row]:
    area = short(result.spec.area, 40)
    return [
        (
            "Labels were drawn at random, with the chances that are recorded",
            evidence(checks, *_both_of("inclusion_probabilities", "strata_without_labels")),
            "the share is that of what was chosen, not of everything",
        ),
        (
            "The labels of the window have arrived",
            evidence(checks, "labels_arrived"),
            "what is labelled late is missing, and the last weeks look too low or too high",
        ),
        (
            "Raters err as often here as on the items of known truth",
            _at_most_medium(evidence(checks, "rater_error", *_both_of("rater_correction"))),
            _uncorrected(result),
        ),
        (
            f"Enough {area} was labelled to tell how much there is",
            evidence(checks, *_both_of("positive_labels", "strata_without_positives",
                                       "actors_behind_positives")),
            "the interval is too narrow, and a rare part may be missed altogether",
        ),
    ]  # fmt: skip


def _growth(result: DeepDive, checks: Sequence[Check]) -> list[Row]:
    rows = [
        (
            "Nothing in the way of measuring changed with the share",
            _instrument(result, checks),
            "a move of the measurement is taken for one of the harm",
        )
    ]
    if result.where.mix is not None:
        rows.append(
            (
                "Before and now can be compared part by part",
                evidence(checks, "decomposition_covered", "rates_known"),
                "rate and mix are about the parts that have labels only",
            )
        )
    return rows


def _who(result: DeepDive, checks: Sequence[Check]) -> list[Row]:
    rows = [
        (
            "Accounts that were closed are still in the tables",
            evidence(checks, "survivorship"),
            _bounds(result),
        )
    ]
    if result.how.coordination is not None:
        rows.append(
            (
                "Ties between accounts are more than chance",
                evidence(checks, "shuffle_null", "tokens_that_cannot_tell"),
                "strangers are taken for a ring; so are, even if it is right, households and fans",
            )
        )
    return rows


def _controls(result: DeepDive, checks: Sequence[Check]) -> list[Row]:
    rows = [
        (
            "Enough violating labels stand behind recall",
            evidence(checks, "recall_labels", "recall_empty_strata"),
            "recall is only roughly known, and what is rare may be missed by controls and labels",
        ),
        (
            "The sample was drawn without looking at what controls decided",
            "not_run",
            "recall is too high: what no control sees is not in the sample either",
        ),
    ]
    if result.today.unseen is not None:
        rows.append(
            (
                "Controls find independently of each other",
                "fail" if evidence(checks, "capture_recapture") == "fail" else "warn",
                "more is unseen than the estimate: it is a lower bound",
            )
        )
    return rows


def _both_of(*names: str) -> list[str]:
    """A check on items, and the same on views."""
    return [f"{name}{end}" for name in names for end in ("", "_views")]


def _at_most_medium(verdict: str) -> str:
    """What is measured elsewhere is taken over: nothing tests that."""
    return "warn" if verdict == "pass" else verdict


def _instrument(result: DeepDive, checks: Sequence[Check]) -> str:
    """Changes without a clear move are no proof that none of them moved anything."""
    found = evidence(checks, "instrument_changes")
    ledger = result.ledger
    if ledger is None or not len(ledger.changes) or not ledger.changes["inside"].any():
        return found
    return _at_most_medium(found)


def _uncorrected(result: DeepDive) -> str:
    """What the share is without the correction."""
    plain, corrected = _both(result)
    if plain is None or plain.point is None:
        return "the share moves with their errors"
    if corrected is None or corrected.point is None:
        return "the share is that of labels, which err: it is not corrected for that"
    return f"with the labels taken as they are, the share is {percent(plain.point)}"


def _both(result: DeepDive) -> tuple[Estimate | None, Estimate | None]:
    size = result.size
    pairs = ((size.views, size.views_corrected), (size.items, size.items_corrected))
    for found, corrected in pairs:
        if found is not None:
            return found.estimate, None if corrected is None else corrected.estimate
    return None, None


def _bounds(result: DeepDive) -> str:
    found = result.where.survivorship
    if found is None or found.prevalence_low is None:
        return "tables by what only accounts know leave out those that mattered most"
    low, high = percent(found.prevalence_low), percent(found.prevalence_high)
    return f"the share over all items lies between {low} and {high}"
