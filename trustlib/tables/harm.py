"""Tables of a deep-dive into one kind of abuse: what it found, what it rests on, what was read."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from trustlib.core import Check, Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.deep_dive.published import FEWER, is_small, safe_checks, shown_n
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import WITHHELD, amount
from trustlib.tables import house, run
from trustlib.tables.harm_safe import caption
from trustlib.tables.harm_size import changes, harms, level, methods, raters, rests_on, strata
from trustlib.tables.harm_today import (
    clusters,
    controls,
    lifecycles,
    measurements,
    new_tokens,
    options,
    overlap,
    unseen_models,
)
from trustlib.tables.harm_where import mix, searched, segments, survivorship

__all__ = [
    "changes",
    "checks",
    "clusters",
    "controls",
    "definitions",
    "estimates",
    "harms",
    "health",
    "lifecycles",
    "measurements",
    "methods",
    "mix",
    "new_tokens",
    "options",
    "overlap",
    "raters",
    "searched",
    "segments",
    "sources",
    "statement",
    "strata",
    "survivorship",
    "unseen_models",
]

_QUANTITIES = {
    "prevalence": "Share of items that violate",
    "prevalence_views": "Share of views that are of violating items",
    "affected_accounts": "Accounts that saw violating items",
    "recall_of_controls": "Share that today's controls find together",
    "unseen_lower_bound": "Found by no control, at the least",
    "prevalence_labelled": "Share of items that violate, as the labels say",
    "prevalence_views_labelled": "Share of views of violating items, as the labels say",
    "violating_items": "Violating items in the window",
    "violating_views": "Views of violating items in the window",
    "confirmed_items": "Confirmed items",
    "confirmed_views": "Views of confirmed items",
    "confirmed_accounts": "Accounts with confirmed items",
    "cost_usd": "Cost",
    "harm": "Harm",
    "precision_of_controls": "Share of what controls or user reports point at that violates",
    "proactive_rate": "Share acted on before any user report",
    "overturn_rate": "Share of decided appeals that were overturned",
    "gini": "Concentration on accounts (0 even, 1 all with one)",
    "top_10pc_share": "Confirmed items of the tenth of these accounts with most",
    "missing_account_share": "Accounts without a row in the accounts table",
}
_ROLES = {
    "items": "Items",
    "accounts": "Accounts",
    "views": "Views",
    "scores": "Scores",
    "labels": "Labels",
    "view_labels": "Labels of views",
    "gold": "Items of known truth",
    "actions": "Actions",
    "appeals": "Appeals",
    "reports": "User reports",
    "links": "Shared devices and payments",
    "ledger": "Changes of the instrument",
}


def checks(made: Sequence[Check]) -> View:
    """Every check with its verdict and the reason, the worst first; small counts not named."""
    return run.checks(safe_checks(made))


def estimates(result: DeepDive) -> View:
    """Every estimate with its interval, how it was made, and what it rests on."""
    rows = []
    for name, estimate in result.estimates.items():
        number, interval = _shown(result, name, estimate)
        how = estimate.method if estimate.low is not None else estimate.note or estimate.method
        quantity = _QUANTITIES.get(name, house.capital(name.replace("_", " ")))
        said = (name in _QUANTITIES and name != "harm") or estimate.unit.startswith("share")
        unit = "" if said else f", {short(estimate.unit, 40)}"
        rows.append((f"{quantity}{unit}", number, interval, house.capital(how), rests_on(estimate)))
    columns = ("Quantity", "Estimate", level(result), "How", "n")
    return house.table(rows, columns=columns, caption=caption("Estimates", rows),
                       numeric=("Estimate", level(result), "n"))  # fmt: skip


def _shown(result: DeepDive, name: str, estimate: Estimate) -> tuple[str, str]:
    """A number and its interval; not where it is one of a small group, or a count of few."""
    number, interval = amount(estimate)
    found = result.where.concentration
    few = name == "top_10pc_share" and found is not None and is_small(0.1 * found.actors)
    exact = name == "missing_account_share" and estimate.point and shown_n(estimate) is None
    if few or exact:
        return WITHHELD, WITHHELD
    known = estimate.point is not None and estimate.low is None
    return number, "none" if known else interval


def health(rows: AbuseRows) -> View:
    """What was read, and what was done about rows that are not as they should be."""
    found = rows.health[rows.health["n"] != 0]
    told = [
        (house.capital(str(item)), FEWER if 0 < n < 11 else show.exact(float(n)), str(why))
        for item, n, why in found[["item", "n", "note"]].itertuples(index=False)
    ]
    told += [(_ROLES.get(role, house.capital(role)), "–", str(why))
             for role, why in rows.missing.items()]  # fmt: skip
    return house.table(told, columns=("What", "Number", "What was done"), numeric=("Number",),
                       caption="Data of the deep-dive")  # fmt: skip


def sources(rows: AbuseRows, *, timezone: str = "UTC", span: str | None = None) -> View:
    """Which rows the report rests on, one line per table; `span` in the place of instants."""
    over = "Periods" if span is not None else f"From, to ({show.zone_name(timezone)})"
    told = []
    for role, snapshot in rows.snapshots.items():
        start, end = snapshot.window_start_at, snapshot.window_end_at
        own = span or "–"
        if span is None and start is not None and end is not None:
            own = f"{show.instant(start, timezone)} to {show.instant(end, timezone)}"
        told.append((_ROLES.get(role, house.capital(role)), short(snapshot.source, 80),
                     snapshot.kind, f"{snapshot.rows:,}", own, snapshot.sha256[:12]))  # fmt: skip
    columns = ("What", "Source", "Kind", "Rows", over, "Content")
    return house.table(told, columns=columns, caption="What was read", numeric=("Rows",))


def statement(rows: AbuseRows) -> View:
    """The SQL that ran for every table, each behind a line that opens it."""
    views = []
    for role, snapshot in rows.snapshots.items():
        text = str(snapshot.sql).strip()
        summary = f"The statement that ran: {_ROLES.get(role, role).lower()}"
        html = Markup("<details><summary>{}</summary><pre>{}</pre></details>").format(summary, text)
        views.append(View(html=html, text=summary))
    return stack(views)


def definitions(result: DeepDive) -> View:
    """What the words of this report mean."""
    area, told = short(result.spec.area, 40), show.level(result.spec.level)
    terms = {
        "Violating": f"Against the policies on {area}, as the raters' labels say; where their "
        "errors are known, corrected for them.",
        "Share of views": "Views of violating items over all views. It says what people meet; the "
        "share of items says what is posted.",
        f"{told} interval": "Values that the data are compatible with: made in this way, "
        f"{told} of such intervals hold the truth. It covers the luck of the sample, not a wrong "
        "assumption.",
        "Confirmed": "Labelled violating, or found so by a review, and not overturned since. "
        "A floor: what nobody looked at is not in it.",
        "Stratum": "A part of all items from which labels are drawn at a rate of its own, such "
        "as a range of the score. Labels count for as many items as they stand for.",
        "Rate and mix": "A share can move because it moves within the parts (rate) or because the "
        "parts grow and shrink (mix). The two add up to the change.",
        "Not attributable": "The measured share moved when the way of measuring changed. What "
        "happened outside cannot be told from that.",
        "Recall": "The part of all violating items that a control finds; precision is the part of "
        "what it acts on that is violating.",
        "At least, at the lower bound": "Controls look for the same signs, so what one finds "
        "another finds more often than by chance; what none finds is more than this estimate.",
        "Beyond chance": "More than in shuffled copies of the same data.",
        "q": "The share of false findings to expect among all findings at least as sure.",
        "Withheld": f"Counts of people or items below 11 read “{FEWER}” or “withheld”, as does "
        "what would give them away.",
    }
    items = Markup("").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(term, text) for term, text in terms.items()
    )
    return View(
        html=Markup("<dl>{}</dl>").format(items),
        text="\n".join(f"{term}: {text}" for term, text in terms.items()),
    )
