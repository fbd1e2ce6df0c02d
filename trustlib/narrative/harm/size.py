"""How much, since when, and whether the labels are right: headings and their sentences."""

from __future__ import annotations

import pandas as pd

from trustlib.core import Estimate, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.harm.deep_dive.published import without_small_counts
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import amount, percent
from trustlib.harm.instrument_ledger import InstrumentLedger
from trustlib.narrative import house
from trustlib.narrative.harm import words


def how_much(result: DeepDive) -> View:
    """The floor that is known, and the estimate that goes beyond it."""
    estimate, of = words.headline(result)
    area = words.area(result)
    if estimate.point is None:
        heading = f"How much {area} there is, is not estimable"
        return words.said(heading, f"{house.upper_first(words.reason(estimate))}.", _floor(result))
    number, _ = amount(estimate)
    heading = f"{house.upper_first(area)} is {number} of {of}"
    if words.rough(estimate):
        heading = f"{house.upper_first(area)} is roughly {words.brief(estimate)} of {of}"
    other = result.estimates["prevalence" if of == "views" else "prevalence_views"]
    own = f"The {words.level(result)} interval of the share of {of} is {amount(estimate)[1]}."
    known = own if words.has_interval(estimate) else ""
    return words.said(heading, known, _beside(other, of), _floor(result), _affected(result))


def _beside(other: Estimate, of: str) -> str:
    """The other share, and what the difference between them says."""
    name = "items" if of == "views" else "views"
    if other.point is None:
        return f"The share of {name} is not estimable: {words.reason(other)}."
    return f"Of {name} it is {words.share(other)}."


def _floor(result: DeepDive) -> str:
    found = result.size.confirmed
    if found is None:
        return f"No floor is known: {_lower(words.why(result, 'size.confirmed'))}"
    parts = [words.things(found.items, "item")]
    if found.views is not None:
        parts.append(words.things(found.views, "view"))
    who = f" from {words.things(found.accounts, 'account')}"
    told = parts[0] + who + (f", with {parts[1]}" if len(parts) > 1 else "")
    return f"Confirmed are {told}: a floor, since not everything is looked at."


def _affected(result: DeepDive) -> str:
    estimate = result.estimates["affected_accounts"]
    if estimate.point is None:
        return ""
    text, interval = amount(estimate)
    known = f" ({interval})" if words.has_interval(estimate) else ""
    return f"About {text} accounts saw it{known}."


def since_when(result: DeepDive) -> View:
    """Moves of the weekly series, and whether they may be the instrument's."""
    ledger = result.ledger
    if ledger is None:
        return words.missing(result, "Since when is not known", "ledger")
    return words.said(_since(result, ledger), _what_moved(result, ledger), _line(ledger))


def _since(result: DeepDive, ledger: InstrumentLedger) -> str:
    moves = ledger.moves
    area = house.upper_first(words.area(result))
    if not len(moves):
        return f"{area}: no clear step in the weekly share{_slope(ledger)}"
    own = moves[moves["attributable"].astype(bool)]
    if len(own):
        return f"The share of {words.area(result)} {words.moved(result, own.iloc[-1])}"
    row = moves.iloc[-1]
    way = f"The {words.way(row)} in the week of {words.day(result, row['at'])}"
    if not str(row["instrument"]):
        return f"{way} may be one of the measurement"
    return f"{way} came with a change of the {words.instrument(row)}: not attributable"


def _slope(ledger: InstrumentLedger) -> str:
    change = ledger.trend.change
    if change.point is None or change.low is None or change.high is None:
        return ""
    if change.low > 1:
        return ", and a steady rise"
    if change.high < 1:
        return ", and a steady fall"
    return ""


def _what_moved(result: DeepDive, ledger: InstrumentLedger) -> str:
    """The last two moves in the ledger's own words; with none, what its check says."""
    if len(ledger.moves):
        return " ".join(clean(text) for text in ledger.moves["text"].tail(2))
    return without_small_counts(ledger.check.text)


def _line(ledger: InstrumentLedger) -> str:
    """The line of the last stretch between two changes of the instrument."""
    eras = ledger.trend.eras
    if not len(eras):
        return (
            f"There is no trend line: {clean(ledger.trend.note).removeprefix('not estimable: ')}."
        )
    row = eras.iloc[-1]
    if pd.isna(row["change"]) or pd.isna(row["low"]):
        return ""
    since = "Since the last change of the instrument" if len(eras) > 1 else "Over all weeks"
    ends = f"{percent(row['from_share'])} to {percent(row['to_share'])}"
    unsure = "" if row["low"] > 1 or row["high"] < 1 else ", which may be no change at all"
    return f"{since} the line goes from {ends}{unsure}."


def are_labels_right(result: DeepDive) -> View:
    """How often labels are wrong, and whether those of the last weeks are there."""
    error, agree = result.size.rater_error, result.size.agreement
    if error is None:
        heading = "How often labels are wrong is not known"
        if agree is None:
            return words.missing(result, heading, "size.rater_error")
        return words.said(heading, words.why(result, "size.rater_error"), _agree(result),
                          _arrived(result))  # fmt: skip
    se, sp = error.sensitivity, error.specificity
    if se.point is None or sp.point is None:
        lacking = se if se.point is None else sp
        return words.said("How often labels are wrong is not estimable",
                          f"{house.upper_first(words.reason(lacking))}.", _agree(result),
                          _arrived(result))  # fmt: skip
    if not error.informative:
        heading = "The labels do not tell violating items from others"
    else:
        wrong = "nothing" if sp.point == 1 else show.percent(1 - sp.point)
        heading = (
            f"Raters find {percent(se.point)} of what violates, and call {wrong} of the rest "
            "violating"
        )
    return words.said(heading, _correction(result), _agree(result), _arrived(result))


def _correction(result: DeepDive) -> str:
    size = result.size
    pairs = ((size.views, size.views_corrected), (size.items, size.items_corrected))
    for found, corrected in pairs:
        if found is not None and corrected is not None and corrected.estimate.point is not None:
            plain, better = percent(found.estimate.point), percent(corrected.estimate.point)
            if plain == better:
                return f"With their errors out, the share of {found.of} stays {better}."
            return f"Labels as they are say {plain} of {found.of}; with their errors out, {better}."
    return ""


def _agree(result: DeepDive) -> str:
    found = result.size.agreement
    if found is None or found.percent_agreement.point is None:
        return ""
    share = found.percent_agreement.point
    digits = 2 if share <= 0.99 else 4
    text = f"Two raters of one item agree in {percent(share, digits)} of cases"
    kappa = found.fleiss_kappa.point
    if kappa is None:
        return f"{text}."
    beyond = "well" if kappa >= 0.8 else "fairly" if kappa >= 0.6 else "weakly"
    return f"{text}; beyond chance, {beyond} (κ {kappa:.2f})."


def _arrived(result: DeepDive) -> str:
    weeks = result.size.labels_arrived
    if weeks is None or not len(weeks):
        return ""
    late = weeks[weeks["share"] < 0.9]
    if not len(late):
        return "The labels of every week have arrived."
    row = weeks.loc[late.index[-1]]
    return (
        f"Of the week of {words.day(result, row['week'])}, {percent(float(row['share']))} of the "
        "labels to expect have arrived: that week can still move."
    )


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
