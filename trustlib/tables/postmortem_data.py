"""Tables of what the record rests on: data health, sources, estimates, the meaning of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.postmortem.result import Postmortem
from trustlib.tables import house, run
from trustlib.tables.postmortem_words import FEWER, amount, level, name

if TYPE_CHECKING:
    from trustlib.data import Counts
    from trustlib.data.incident_records import AffectedRows

_ROLES = {
    "affected": "Cases",
    "labels": "Labels of cases",
    "views": "Views of what was missed",
    "arrivals": "Labels, appeals and the like as they arrive",
    "change_log": "Change log",
}
# Estimates whose n counts cases or people; that of the others counts weeks or instants.
_OF_CASES = (
    "affected_",
    "false_",
    "clean_up_",
    "back_fill_",
    "gross_",
    "recovered_",
    "net_",
    "final_",
)


def data_health(counts: Counts, rows: AffectedRows) -> View:
    """What was read of the counts and of the tables about cases, and what was done about it."""
    told = [
        (house.capital(str(item)), FEWER if 0 < n < SMALLEST_CELL else show.exact(float(n)),
         str(note))
        for item, n, note in rows.health[["item", "n", "note"]].itertuples(index=False)
        if n != 0
    ]  # fmt: skip
    told += [(_ROLES.get(role, house.capital(role)), "not read", str(why))
             for role, why in rows.missing.items()]  # fmt: skip
    columns = ("What", "Number", "What was done")
    own = house.table(told, columns=columns, caption="The tables about cases", numeric=("Number",))
    return stack([run.health(counts), own])


def sources(counts: Counts, rows: AffectedRows, *, timezone: str = "UTC") -> View:
    """Which rows the record rests on, one line per table."""
    found = {"Counts": counts.snapshot}
    found |= {_ROLES.get(role, house.capital(role)): one for role, one in rows.snapshots.items()}
    told = []
    for what, one in found.items():
        start, end, span = one.window_start_at, one.window_end_at, "–"
        if start is not None and end is not None:
            span = f"{show.instant(start, timezone)} to {show.instant(end, timezone)}"
        n = FEWER if 0 < one.rows < SMALLEST_CELL else f"{one.rows:,}"
        told.append((what, short(one.source, 80), one.kind, n, span, one.sha256[:12]))
    columns = (
        "What",
        "Source",
        "Kind",
        "Rows",
        f"From, to ({show.zone_name(timezone)})",
        "Content",
    )
    return house.table(told, columns=columns, caption="What was read", numeric=("Rows",))


def statement(counts: Counts, rows: AffectedRows) -> View:
    """The SQL that ran for every table, each behind a line that opens it."""
    found = {"counts": counts.snapshot}
    found |= {_ROLES.get(role, role).lower(): one for role, one in rows.snapshots.items()}
    views = []
    for what, one in found.items():
        summary = f"The statement that ran: {what}"
        html = Markup("<details><summary>{}</summary><pre>{}</pre></details>")
        views.append(View(html=html.format(summary, str(one.sql).strip()), text=summary))
    return stack(views)


def estimates(result: Postmortem) -> View:
    """Every estimate with its interval, what it was made from, and how."""
    rows = []
    for measure, one in result.estimates.items():
        told, ends = amount(measure, one)
        if one.low is not None and one.level != result.spec.sizing.level:
            ends = f"{ends} ({show.level(one.level)})"
        how = one.method if one.low is not None else one.note or one.method
        rows.append((name(measure), told, ends, house.capital(how), _n(measure, one.n, told)))
    columns = ("Quantity", "Estimate", level(result), "How", "n")
    return house.table(rows, columns=columns, caption="Estimates",
                       numeric=(*columns[1:3], "n"))  # fmt: skip


def _n(measure: str, n: int, told: str) -> str:
    """Cases and people are counted from 11 on."""
    if told == FEWER or (measure.startswith(_OF_CASES) and 0 < n < SMALLEST_CELL):
        return FEWER
    return f"{n:,}"


def definitions(result: Postmortem) -> View:
    """What the words of this record mean."""
    terms = {
        "Case": "An item that the incident may have hit: actioned, perhaps wrongly, or not "
        "actioned, perhaps missed. Whether it was wrong is known where it has a label; labels "
        "count for as many cases as they stand for, and are taken as true.",
        "Excess": "Counted minus expected over the window; negative for a shortfall. It comes from "
        "the counts, the number of wrong cases from labels: they need not agree.",
        "Start of impact": "Where the counts leave what was expected, estimated from the data with "
        "its interval, beside the start that was stated.",
        **{name(row["name"]).removesuffix(", hours"): clean(row["definition"])
           for _, row in result.durations.iterrows()},
        level(result): "Values that the data are compatible with; made in this way, that part of "
        "such intervals holds the truth. It covers chance, not a wrong assumption.",
        "Clean-up and back-fill list": "Cases that are still to be put right, and those that are "
        "still to be actioned, in files of their own with access for few.",
        "Expected in the end": "What has arrived, divided by the part that earlier arrivals had "
        "brought at the same age. Final means that 99 % of it is in.",
        "False alarms": "Times at which an alert would have fired outside the incident and the "
        "excluded windows, fires less than six hours apart counted once.",
        "Spared": "The excess from the moment on at which an alert would have stopped the "
        "incident, had the response taken as long as it did.",
        "Severity": "By rules that stand in params: while the incident is open they look at the "
        "upper end of the interval, once it is closed at the estimate.",
        "Not shown": f"Counts of people or cases below {SMALLEST_CELL} read “{FEWER}”, and what "
        "would give them away is not shown either.",
    }  # fmt: skip
    items = Markup("").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(term, text) for term, text in terms.items()
    )
    return View(
        html=Markup("<dl>{}</dl>").format(items),
        text="\n".join(f"{term}: {text}" for term, text in terms.items()),
    )
