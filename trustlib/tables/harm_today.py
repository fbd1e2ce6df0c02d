"""Tables of how it works, what controls do, and what to do: clusters, tokens, controls, options."""

from __future__ import annotations

import pandas as pd

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.core.text import short, told_apart
from trustlib.core.view import note
from trustlib.harm.deep_dive.published import is_small, published
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import (
    MISSING,
    WITHHELD,
    amount,
    between,
    cell,
    chance,
    counted,
    per_mistake,
    percent,
    rounded,
    things,
)
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.tables import house, numbers
from trustlib.tables.harm_safe import caption
from trustlib.tables.harm_size import MOST_ROWS, level, rests_on, why

MOST_MODELS = 20
NO_GAIN = 0.005
_STAGES = {
    "sign_up_to_abuse": "Sign-up to first abuse",
    "abuse_to_action": "Abuse to action",
    "views_before_action": "Views before action",
}


def lifecycles(result: DeepDive) -> View:
    """How long every stage takes, with what has not come to its end counted in."""
    if not result.how.lifecycles:
        return why(result, "how.lifecycles")
    rows = []
    for one in result.how.lifecycles:
        name = _STAGES.get(one.stage.name, house.capital(one.stage.name.replace("_", " ")))
        parts = (one.ended, one.n - one.ended)
        hidden = is_small(min(parts))
        median = one.median
        half, interval = "not reached", MISSING
        if median.point is not None:
            half, interval = rounded(median.point, median.low, median.high)
        rows.append(
            (
                f"{name}, {one.stage.unit}",
                counted(one.n),
                WITHHELD if hidden else show.exact(one.ended),
                half,
                interval,
                f"{show.count(one.follow_up)} {one.stage.unit}",
            )
        )
    columns = ("Stage", "Cases", "Got to its end", "Half within", level(result), "Followed for")
    return house.table(
        rows,
        columns=columns,
        caption=caption("How long it takes; what is not over yet counts in", rows),
        numeric=columns[1:],
    )


def clusters(result: DeepDive) -> View:
    """Groups of accounts that act as one; small ones together."""
    if result.how.coordination is None:
        return why(result, "how.coordination")
    frame = published(result).clusters
    if not len(frame):
        return note("No group of accounts is tied beyond chance.")
    zone = result.spec.timezone
    rows = []
    for _, row in frame.iterrows():
        seen = "–"
        if row["first_at"] == row["first_at"] and row["evidence"]:
            ends = (pd.Timestamp(row[end], unit="s", tz="UTC") for end in ("first_at", "last_at"))
            seen = " to ".join(show.day(at, zone, year=False) for at in ends)
        counts = [cell(row[name]) for name in ("accounts", "items", "violating_items", "views")]
        ties = short(str(row["evidence"]).replace("_", " "), 60) if row["evidence"] else "–"
        rows.append((house.capital(row["cluster"]), *counts, ties, seen))
    columns = ("Group", "Accounts", "Items", "Confirmed violating", "Views", "In common",
               "Active")  # fmt: skip
    text = "Groups of accounts tied beyond chance, those with most violating items first"
    return house.table(rows, columns=columns, caption=caption(text, rows), numeric=columns[1:5])


def new_tokens(result: DeepDive) -> View:
    """Domains and texts that came more often than before."""
    found = result.how.newly_frequent
    if found is None:
        return why(result, "how.newly_frequent")
    frame = found.tokens.head(MOST_ROWS)
    if not len(frame):
        return note(found.sentence)
    names = frame["name"] if "name" in frame else frame["kind"]
    rows = []
    for name, (_, row) in zip(names, frame.iterrows(), strict=True):
        rows.append(
            (short(name, 40), short(row["kind"], 20), counted(row["before"]), counted(row["now"]),
             *_rise(row))
        )  # fmt: skip
    columns = ("Name", "Kind", "Before", "Now", "Times as often", level(result))
    text = (
        "Newly frequent; names mean nothing outside this report: whoever may read the tables finds "
        "the raw values in read_abuse(…).tokens"
    )
    return house.table(rows, columns=columns, caption=text, numeric=columns[2:])


def _rise(row: pd.Series) -> tuple[str, str]:
    """The rise; where a count behind it is small, only what every such count would allow."""
    if is_small(row["now"]):
        return WITHHELD, WITHHELD
    if not is_small(row["before"]):
        ends = [numbers.number(row[end]) for end in ("ratio", "low", "high")]
        return show.triple(ends[0], ends[1], ends[2])
    least = float(row["now"]) / (SMALLEST_CELL - 1) * float(row["exposure"])
    return f"at least {least:.1f}", WITHHELD


def controls(result: DeepDive) -> View:
    """What each control acted on, and its recall and precision; then rates that mislead."""
    found, hits = result.today.controls, result.today.hits
    acted = dict(zip(hits["source"], hits["items"], strict=True)) if len(hits) else {}
    if found is None:
        rows = [(_control(name), counted(n)) for name, n in acted.items()]
        heads = ("Control", "Items acted on")
        table = house.table(
            rows, columns=heads, numeric=heads[1:], caption="What each control acted on"
        )
        return stack([why(result, "today.controls"), *([table] if rows else []), _rates(result)])
    rows_of = []
    whole = (*found.names, "all together")
    for at, name in enumerate(whole):
        last = at == len(found.names)
        recall = found.recall_of_controls if last else found.recall[at]
        precision = found.precision_of_controls if last else found.precision[at]
        alone = ("–", "–") if last else amount(found.alone[at])
        n = counted(acted[name]) if name in acted else "–"
        rows_of.append((_control(name), n, *amount(recall), *amount(precision), alone[0]))
    columns = ("Control", "Items acted on", "Recall", "Recall, interval", "Precision",
               "Precision, interval", "Found by it alone")  # fmt: skip
    text = f"Today's controls, shares of violating {found.of}; {level(result)}s"
    table = house.table(rows_of, columns=columns, caption=text, numeric=columns[1:])
    return stack([table, _rates(result)])


def _control(name: str) -> str:
    if name == "reported":
        return "User reports"
    return house.capital(short(name.replace("_", " "), 40))


def _rates(result: DeepDive) -> View:
    """Rates that are often taken for recall or precision, each with what it cannot say."""
    today = result.today
    rows = []
    if today.proactive is not None:
        rows.append(("Acted on before any user report (proactive rate)", *amount(today.proactive),
                     "Not recall: what nobody found is in neither count"))  # fmt: skip
    if today.overturns is not None:
        over = today.overturns
        rows += [
            ("Decided appeals that were overturned", *amount(over.overturn_rate),
             "Not the share of wrong decisions: who appeals is selected"),
            ("Actions that were appealed", *amount(over.appeal_rate), "–"),
            ("Wrong decisions, from a random audit", *amount(over.wrong_rate),
             house.capital(over.wrong_rate.note or "–")),
        ]  # fmt: skip
    if not rows:
        return note("No rates from appeals or reports: there are none of either.")
    columns = ("Rate", "Share", level(result), "To know")
    return house.table(rows, columns=columns, numeric=columns[1:3],
                       caption="Rates that are often taken for something else")  # fmt: skip


def overlap(result: DeepDive) -> View:
    """What two controls both find, against chance."""
    found = result.today.controls
    if found is None or not len(found.overlap):
        return why(result, "today.controls") if found is None else note("One control: no overlap.")
    rows = [
        (f"{_control(row['first'])} and {_control(row['second'])}", percent(row["both"]),
         between(row["low"], row["high"]), percent(row["expected"]))
        for _, row in found.overlap.iterrows()
    ]  # fmt: skip
    columns = ("Controls", "Both find", level(result), "By chance")
    text = f"Shares of violating {found.of} that two controls both find"
    return house.table(rows, columns=columns, numeric=columns[1:], caption=text)


def unseen_models(result: DeepDive) -> View:
    """What nobody sees, by every model that was fitted."""
    found = result.today.unseen
    if found is None:
        return why(result, "today.unseen")
    if not len(found.models):
        return note(f"No model was fitted: {found.unseen_lower_bound.note}.")
    rows = []
    for _, row in found.models.head(MOST_MODELS).iterrows():
        ends = [numbers.number(row[end]) for end in ("unseen", "low", "high")]
        number, interval = things(*ends)
        name = short(str(row["model"]).replace("_", " ").replace("×", " × "), 90)
        rows.append((house.capital(name), number, interval, "yes" if row["chosen"] else "no",
                     house.capital(str(row["note"])) or "–"))  # fmt: skip
    columns = (
        "Which find together beyond chance",
        "Unseen at least",
        level(result),
        "In the answer",
        "To know",
    )
    unit = short(found.unseen_lower_bound.unit, 40)
    return house.table(rows, columns=columns, numeric=columns[1:3],
                       caption=f"What no control found, {unit}, by model")  # fmt: skip


def options(result: DeepDive) -> View:
    """What could be done, by harm addressed for each item hit by mistake."""
    found = result.ranking
    if found is None:
        return why(result, "ranking")
    rows = []
    shown = zip(
        told_apart([one.name for one in found.options], 60), found.options, found.ratio,
        found.probability_first, strict=True,
    )  # fmt: skip
    for name, one, ratio, first in shown:
        harm, wrong = amount(one.harm), amount(one.false_positives)
        if one.kind == "label":
            rows.append((house.capital(name), *["–"] * 6))
            continue
        each = per_mistake(one.harm, one.false_positives, ratio)
        rows.append((house.capital(name), *harm, *wrong, each[0], chance(numbers.number(first))))
    unit = next((short(o.harm.unit, 30) for o in found.options if o.harm), "harm")
    columns = ("Option", f"Addresses, {unit}", "Interval", "Hits by mistake, items",
               "Interval of that", "Harm per mistake", "Chance to be first")  # fmt: skip
    return house.table(rows, columns=columns, numeric=columns[1:],
                       caption=caption(f"Options in order; {level(result)}s", rows))  # fmt: skip


def measurements(result: DeepDive) -> View:
    """What to measure next, by how much it would help to choose rightly."""
    found = result.ranking
    if found is None:
        return why(result, "ranking")
    frame = found.measurements
    if not len(frame):
        return note("Nothing to measure between: fewer than two options have both numbers.")
    frame = frame[(frame["gain"] >= NO_GAIN) | frame["flips"].astype(bool)]
    if not len(frame):
        return note("No measurement would change which option is first.")
    rows = []
    for _, row in frame.head(MOST_ROWS).iterrows():
        what = "harm addressed" if row["component"] == "harm" else "items hit by mistake"
        gain = f"{100 * float(row['gain']):.0f} points" if row["gain"] >= NO_GAIN else "none"
        rows.append(
            (f"{house.capital(short(row['option'], 60))}: {what}", gain,
             "yes" if row["flips"] else "no", house.capital(short(row["labels"], 60))
             if row["labels"] else "–")
        )  # fmt: skip
    columns = ("Measure", "Better chance to choose rightly", "Could change the first", "By")
    return house.table(rows, columns=columns, numeric=columns[1:2],
                       caption="What to measure next")  # fmt: skip


__all__ = [
    "clusters", "controls", "lifecycles", "measurements", "new_tokens", "options", "overlap",
    "rests_on", "unseen_models",
]  # fmt: skip
