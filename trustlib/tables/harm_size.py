"""Tables of how much: strata, methods, raters, changes of the instrument, harm types."""

from __future__ import annotations

import pandas as pd

from trustlib.core import Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.core.view import note
from trustlib.harm.deep_dive.published import is_small, published, shown_n
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import MISSING, WITHHELD, amount, between, cell, percent
from trustlib.harm.prevalence import Prevalence
from trustlib.tables import house, numbers
from trustlib.tables.harm_safe import caption

MOST_ROWS = 40
TOO_WIDE = 1000.0  # times its lower end that an upper end is, where a ratio tells nothing


def why(result: DeepDive, field: str) -> View:
    """The box that says why a section is missing."""
    return note(result.why.get(field) or "There is nothing of it in the tables that were given.")


def level(result: DeepDive) -> str:
    return f"{show.level(result.spec.level)} interval"


def strata(result: DeepDive) -> View:
    """What the labels of each stratum say, of items and of views."""
    found = published(result)
    views = []
    for frame, of in ((found.strata, "items"), (found.view_strata, "views")):
        if len(frame):
            views.append(_strata(result, frame, of))
    return stack(views) if views else why(result, "size.items")


def _strata(result: DeepDive, frame: pd.DataFrame, of: str) -> View:
    rows = []
    for _, row in frame.iterrows():
        hidden = bool(row["withheld"])
        rows.append(
            (
                short(row["stratum"], 40),
                cell(row["population"]),
                cell(row["labelled"]),
                WITHHELD if hidden else cell(row["positive"]),
                WITHHELD if hidden else percent(row["share"]),
                WITHHELD if hidden else between(row["low"], row["high"]),
            )
        )
    columns = ("Stratum", house.capital(of), "Labels", "Violating", "Share", level(result))
    text = f"Labels by stratum, of {of}"
    return house.table(rows, columns=columns, caption=caption(text, rows), numeric=columns[1:])


def methods(result: DeepDive) -> View:
    """The same prevalence by other methods, the report's own first."""
    size, tables = result.size, []
    for found, corrected, name in (
        (size.items, size.items_corrected, "items"),
        (size.views, size.views_corrected, "views"),
    ):
        if found is None:
            continue
        rows = [] if corrected is None else [_method("Rater errors taken out", corrected.estimate)]
        rows += _labelled(found)
        if name == "items" and size.prediction_powered is not None:
            rows.append(_method("With the score's help", size.prediction_powered.estimate))
        columns = ("Method", "Share", level(result), "To know")
        text = f"The share of {name} by other methods"
        table = house.table(rows, columns=columns, caption=text, numeric=columns[1:3])
        tables.append(table)
    return stack(tables) if tables else why(result, "size.items")


def _method(name: str, estimate: Estimate) -> tuple[str, str, str, str]:
    number, interval = amount(estimate)
    return name, number, interval, house.capital(estimate.note or estimate.method)


def _labelled(found: Prevalence) -> list[tuple[str, str, str, str]]:
    rows = []
    for _, row in found.methods.iterrows():
        name = str(row["method"])
        # Unweighted, the share times the labels is the count of violating ones.
        if name.startswith("simple random") and is_small(found.positives):
            continue
        interval = between(numbers.number(row["low"]), numbers.number(row["high"]))
        own = "As the labels say" if row["note"] == "the estimate" else house.capital(name)
        told = name if row["note"] == "the estimate" else str(row["note"])
        rows.append((own, percent(row["point"]), interval, house.capital(told)))
    return rows


def raters(result: DeepDive) -> View:
    """How often labels are wrong, and how far raters agree."""
    error, agree = result.size.rater_error, result.size.agreement
    if error is None and agree is None:
        return why(result, "size.rater_error")
    rows = []
    if error is not None:
        rows += [
            ("Violating items labelled so (sensitivity)", error.sensitivity),
            ("Other items labelled so (specificity)", error.specificity),
        ]
    if agree is not None:
        rows += [
            ("Pairs of votes that agree", agree.percent_agreement),
            ("Fleiss' κ", agree.fleiss_kappa),
            ("Krippendorff's α", agree.krippendorff_alpha),
            ("Gwet's AC1", agree.gwet_ac1),
        ]
    told = []
    for name, one in rows:
        number, interval = _beyond_chance(one) if "beyond" in one.unit else _right(one)
        how = one.method if one.low is not None else one.note or ""
        n = WITHHELD if is_small(one.n) else show.exact(one.n)
        told.append((name, number, interval, n, house.capital(how)))
    columns = ("What", "Estimate", level(result), "Items", "How")
    return house.table(told, columns=columns, caption=caption("Raters", told), numeric=columns[1:4])


def _right(estimate: Estimate) -> tuple[str, str]:
    """Shares near 1 need more digits: 99.98 % and 99.2 % are not the same."""
    if estimate.point is None:
        return MISSING, MISSING
    digits = 4 if estimate.point > 0.99 else 3
    return percent(estimate.point, digits), between(estimate.low, estimate.high, digits)


def _beyond_chance(estimate: Estimate) -> tuple[str, str]:
    if estimate.point is None:
        return MISSING, MISSING
    return f"{estimate.point:.2f}", show.interval(
        estimate.low, estimate.high, lambda value: f"{value:.2f}".replace("-", show.MINUS)
    )


def changes(result: DeepDive) -> View:
    """The ledger of instrument changes, each with what it does to the series."""
    ledger = result.ledger
    if ledger is None:
        return why(result, "ledger")
    zone = result.spec.timezone
    step = ledger.trend.points["at"].diff().min()
    rows = []
    for _, row in ledger.changes.iterrows():
        number, ends = "–", "–"
        if row["high"] / row["low"] > TOO_WIDE:
            ends = "too wide to tell"
        elif row["ratio"] == row["ratio"]:
            number, ends = f"{row['ratio']:.2f}", f"{row['low']:.2f} to {row['high']:.2f}"
        told = house.capital(short(row["what"], 24))
        words = short(row["note"], 60) if str(row["note"]).strip() else "–"
        near = _moves_at(ledger.moves, row["at"], step)
        verdict = "Outside the weeks drawn" if not row["inside"] else near
        rows.append((show.day(row["at"], zone), told, words, number, ends, verdict))
    columns = ("From", "Instrument", "What changed", "Odds after ÷ before", level(result),
               "Moves of the series")  # fmt: skip
    if not rows:
        return note("No change of the instrument is listed.")
    return house.table(rows, columns=columns, caption="Changes of the instrument",
                       numeric=columns[3:5])  # fmt: skip


def _moves_at(moves: pd.DataFrame, at: pd.Timestamp, step: pd.Timedelta) -> str:
    """Whether a move of the series could have begun with a change at `at`."""
    if not len(moves):
        return "None at that time"
    near = (moves["low_at"] - step < at) & (at < moves["high_at"] + step)
    if not near.any():
        return "None at that time"
    return "One at that time: cannot be told apart, not attributable"


def harms(result: DeepDive) -> View:
    """Harm types, their policies and what one of each weighs."""
    taxonomy = result.spec.taxonomy
    if taxonomy is None:
        return note("No harm types were given: every violating item weighs the same.")
    rows = [
        (short(harm.name, 60), short(", ".join(harm.policies), 80), f"{harm.severity:g}",
         harm.counted_in)
        for harm in taxonomy.harms
    ]  # fmt: skip
    return house.table(
        rows,
        columns=("Harm", "Policies", "Severity", "For each of its"),
        caption=f"What harms weigh, in {short(taxonomy.unit, 40)}",
        numeric=("Severity",),
    )


def rests_on(estimate: Estimate) -> str:
    """The number of observations, where that and the part of it are no small counts."""
    if not estimate.n:
        return "–"
    n = shown_n(estimate)
    return WITHHELD if n is None else f"{n:,}"
