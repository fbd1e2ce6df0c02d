"""Tables of what follows: lists, alerts, factors, severity, and what changed since last time."""

from __future__ import annotations

import re

import pandas as pd

from trustlib.core import Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short, told_apart
from trustlib.data.incident_records import RestrictedList
from trustlib.postmortem.result import Postmortem
from trustlib.tables import house
from trustlib.tables.postmortem_words import (
    FEWER,
    absent,
    alert,
    amount,
    cell,
    empty,
    level,
    name,
    number,
    spaced,
    told_by,
)


def lists(result: Postmortem) -> View:
    """The restricted files: how many rows, which content, how good; no folder and no row."""
    if absent(result, "lists"):
        return empty()
    facts = [_facts(result, one) for one in result.lists]
    rows = [(what, *(one[what] for one in facts)) for what in facts[0]]
    columns = ("What", *(house.capital(one.name) for one in result.lists))
    caption = "Restricted lists: the files are kept apart from this page"
    return house.table(rows, columns=columns, caption=caption)


def _facts(result: Postmortem, one: RestrictedList) -> dict[str, str]:
    """What a reader may know of one list."""
    key = one.name.replace("-", "_")
    wrong, without = _judged(one)
    return {
        "File": short(_file(one.path), 60),
        "Rows": cell(one.rows),
        "Content (SHA-256 begins with)": one.sha256[:12],
        "Rows with a label, wrong": wrong,
        "Rows without a label": without,
        f"Part of it that is wrong ({level(result)})": _quality(result, f"{key}_precision"),
        f"Part of all wrong cases that is on it ({level(result)})": _quality(
            result, f"{key}_recall"
        ),
        "Since the last file": _left(one),
    }


def _quality(result: Postmortem, measure: str) -> str:
    estimate = result.estimates.get(measure)
    if estimate is None or estimate.point is None:
        return "not estimable"
    told, ends = amount(measure, estimate)
    return f"{told} ({ends})" if estimate.low is not None else told


def _file(path: str) -> str:
    """The name of the file only, whichever system wrote the path."""
    return re.split(r"[\\/]", path)[-1]


def _judged(one: RestrictedList) -> tuple[str, str]:
    """Both or none: they may add up to the rows."""
    told = cell(one.labelled_wrong), cell(one.unlabelled)
    return (FEWER, "not shown") if FEWER in told else told


def _left(one: RestrictedList) -> str:
    """What is not on it any more; parts only where none of them is small."""
    if one.before is None:
        return "the first file"
    if not one.left:
        return f"nothing left it ({cell(one.before)} rows before)"
    other = one.left - one.left_resolved - one.left_judged
    told = f"{cell(one.before)} rows before, {cell(one.left)} left it"
    parts = {"put right": one.left_resolved, "judged otherwise": one.left_judged,
             "by a change of the sources": other}  # fmt: skip
    if any(0 < n < 11 for n in parts.values()):
        return f"{told}: {', '.join(why for why, n in parts.items() if n)}"
    return f"{told}: {', '.join(f'{n:,} {why}' for why, n in parts.items() if n)}"


def detection(result: Postmortem) -> View:
    """Each alert on the real history: when it fires, what it costs, what it would have spared."""
    if absent(result, "detection"):
        return empty()
    timezone, frame = result.spec.sizing.timezone, result.detection
    fired, cost = [], []
    for alias, (_, row) in zip(told_apart(frame["alert"], 60), frame.iterrows(), strict=True):
        rate = _rate(*(number(row[one]) for one in ("false_alarms_per_week", "low", "high")))
        spared = show.triple(*(number(row[one]) for one in _AVOIDED))
        setting = f"{alert(row['kind'])}, {show.count(number(row['value']))}"
        fired.append((alias, clean(row["status"]), setting, _fired(row, timezone),
                      _hours(row["delay_hours"])))  # fmt: skip
        cost.append((alias, *rate, show.count(number(row["weeks"])), *spared))
    unit = house.capital(short(result.spec.sizing.unit_label, 30))
    heads = ("Alert", "Status", "Looks at, set to", f"Fires ({show.zone_name(timezone)})",
             "Hours after the start")  # fmt: skip
    when = house.table(fired, columns=heads, caption="When alerts would have fired",
                       numeric=heads[4:])  # fmt: skip
    more = ("Alert", "False alarms a week", level(result), "Weeks", f"{unit} spared",
            "Interval of that")  # fmt: skip
    budget = show.count(result.spec.false_alarms_per_week)
    caption = f"What they cost (responders can bear {budget} a week)"
    costs = house.table(cost, columns=more, caption=caption, numeric=more[1:])
    return stack([when, costs])


def _fired(row: pd.Series, timezone: str) -> str:
    if not pd.isna(row["fired_at"]):
        return show.instant(row["fired_at"], timezone)
    return "never" if number(row["alarms"]) is not None else "not known"


_AVOIDED = ("avoided", "avoided_low", "avoided_high")


def _rate(point: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    """Two digits each: rates of alarms are small, and the ends of their intervals far apart."""
    return show.count(point, digits=2), show.interval(low, high, lambda x: show.count(x, digits=2))


def _hours(value: object) -> str:
    hours = number(value)
    return "–" if hours is None else show.alike([hours])[0]


def factors(result: Postmortem) -> View:
    """What may have contributed, how it was tested, and what the data say."""
    if absent(result, "factors"):
        return empty()
    rows = [
        (short(spaced(row["factor"]), 80), clean(row["verdict"]), short(row["test"], 200),
         short(row["text"], 1200))
        for _, row in result.factors.iterrows()
    ]  # fmt: skip
    columns = ("Factor", "Verdict", "How it was tested", "What the data say")
    return house.table(rows, columns=columns, caption="What may have contributed")


def severity(result: Postmortem) -> View:
    """Every rule with what it was held against; the first one that is met counts."""
    if absent(result, "severity"):
        return empty()
    rows = []
    for _, row in result.severity.iterrows():
        measure = str(row["measure"])
        estimate = result.estimates.get(measure)
        unit = "" if estimate is None else estimate.unit
        least, value = (told_by(unit, number(row[one])) for one in ("at_least", "value"))
        if estimate is not None and amount(measure, estimate)[0] == FEWER:
            value = FEWER
        met = "not decided" if pd.isna(row["met"]) else "met" if row["met"] else "not met"
        rows.append((short(row["severity"], 40), name(measure), least,
                     value, clean(row["basis"]), met))  # fmt: skip
    found = "no rule is met" if result.severity_level is None else short(result.severity_level, 40)
    columns = ("Severity", "Measure", "At least", "Value used", "Taken at", "Rule")
    return house.table(
        rows, columns=columns, numeric=columns[2:4],
        caption=f"Severity: {found}; rules {result.spec.rules_hash}, incident {result.spec.status}",
    )  # fmt: skip


def revisions(result: Postmortem) -> View:
    """What led from the earlier excess to this one, and every estimate then and now."""
    if absent(result, "revisions"):
        return empty()
    tables = []
    if len(result.revision):
        tables.append(_bridge(result))
    if len(result.then_now):
        rows = [_then_now(result, row) for _, row in result.then_now.iterrows()]
        columns = ("Quantity", "Then", f"{level(result)} then", "Now", f"{level(result)} now")
        tables.append(house.table(rows, columns=columns, caption="Then and now",
                                  numeric=columns[1:]))  # fmt: skip
    return stack(tables)


def _bridge(result: Postmortem) -> View:
    then = result.then_now[result.then_now["name"] == "excess"]
    parts = [(house.capital(row["step"]) or "(empty)", number(row["amount"]))
             for _, row in result.revision.iterrows()]  # fmt: skip
    if len(then):
        first, last = (number(then.iloc[0][one]) for one in ("then", "now"))
        parts = [("The earlier excess", first), *parts, ("The excess now", last)]
    largest = max((abs(x) for _, x in parts if x is not None), default=0.0)
    rows = [
        (text, show.triple(x, None, None, sign=True, beside=largest or None)[0])
        for text, x in parts
    ]
    unit = short(result.spec.sizing.unit_label, 40)
    caption = f"From the earlier excess to this one, in {unit}; rounded"
    return house.table(rows, columns=("Step", "Amount"), numeric=("Amount",), caption=caption)


def _then_now(result: Postmortem, row: pd.Series) -> tuple[str, ...]:
    """One estimate in both revisions; what is withheld now is withheld then."""
    measure = str(row["name"])
    now = result.estimates.get(measure)
    told: list[str] = []
    for ends in (("then", "then_low", "then_high"), ("now", "low", "high")):
        point, low, high = (number(row[one]) for one in ends)
        told += _one(measure, "" if now is None else now.unit, point, low, high)
    if now is not None and amount(measure, now)[0] == FEWER:
        told = [FEWER] * 4
    return (name(measure), *told)


def _one(
    measure: str, unit: str, point: float | None, low: float | None, high: float | None
) -> tuple[str, str]:
    whole = point is not None and low is not None and high is not None and low <= point <= high
    return amount(
        measure,
        Estimate(
            point=point, low=low if whole else None, high=high if whole else None, level=0.95,
            unit=unit, method="as reported", n=0, note=None if whole else "not estimable",
        ),
    )  # fmt: skip
