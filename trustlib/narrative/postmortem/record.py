"""What was read, what changed since the last revision, what it rests on, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import pandas as pd

from trustlib.core import Check, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.data import Snapshot
from trustlib.harm.deep_dive.published import safe_checks
from trustlib.narrative import house, run
from trustlib.narrative.incidents import words as sizes
from trustlib.narrative.incidents.words import CONFIRMED, NOT_ESTIMABLE
from trustlib.narrative.postmortem import numbers, repair, words
from trustlib.narrative.postmortem.words import Point
from trustlib.postmortem.result import Postmortem


class OneRead(Protocol):
    """What was read of one source: `Counts`."""

    @property
    def checks(self) -> tuple[Check, ...]: ...
    @property
    def snapshot(self) -> Snapshot: ...


class TablesRead(Protocol):
    """What was read of several tables: `AffectedRows`."""

    @property
    def checks(self) -> tuple[Check, ...]: ...
    @property
    def snapshots(self) -> Mapping[object, Snapshot]: ...
    @property
    def missing(self) -> Mapping[object, str]: ...


def data_health(result: Postmortem, counts: OneRead, rows: TablesRead) -> View:
    """How many rows of how many tables, what is missing, and what stands out."""
    tables = [counts.snapshot, *rows.snapshots.values()]
    n = sum(one.rows for one in tables)
    were = "row was" if n == 1 else "rows were"
    heading = f"{n:,} {were} read from {words.counted_in_words(len(tables), 'table')} (exact)"
    flagged = _flagged([*counts.checks, *rows.checks])
    heading += "; to note: " + house.listed([clean(c.label) for c in flagged[:2]]) if flagged else (
        "; nothing about them stands out"
    )  # fmt: skip
    points: list[Point] = [
        (house.upper_first(clean(check.label)), words.stop(check.text)) for check in flagged[:4]
    ]
    for role, why in rows.missing.items():
        points.append(
            (
                f"No {words.name(str(role).replace('_', ' '), 24)}",
                house.upper_first(words.stop(words.name(why, 200))),
            )
        )
    if result.reason("data_health") is not None:
        points.append(words.stop(result.reason("data_health") or ""))
    points.append(("Clock", _clock(result)))
    return words.section(heading, points)


def _clock(result: Postmortem) -> str:
    clock = words.clock(result)
    told = "and told in UTC" if clock == "UTC" else f"in UTC and told in {clock}"
    zone = "" if clock == "UTC" else (
        f" Times without an offset in the sources, if any, were read as {clock}."
    )  # fmt: skip
    return f"Times are kept {told}.{zone}"


def _flagged(checks: Sequence[Check]) -> list[Check]:
    made = safe_checks(checks)
    return [c for verdict in ("fail", "warn") for c in made if c.verdict == verdict]


def revisions(result: Postmortem) -> View:
    """How the excess moved since the earlier revision, and by which step."""
    if result.reason("revisions") is not None:
        return words.absent(result, "revisions", "There is no earlier revision to compare with")
    return words.section(_moved(result), [*_steps(result), *_then_now(result)])


def _excess_row(result: Postmortem) -> pd.Series | None:
    rows = result.then_now[result.then_now["name"] == "excess"]
    return rows.iloc[0] if len(rows) else None


def _pair(row: pd.Series, when: str) -> str | None:
    """One column's number with its interval: ``1,320 (1,050 to 1,590)``."""
    point, low, high = (numbers.number(row.get(name)) for name in _ends(row, when))
    if point is None:
        return None
    if low is None or high is None:
        return f"{show.alike([point], sign=_signed(row), currency=_currency(row))[0]} (no interval)"
    number, span = _triple(row, point, low, high)
    return number if not span else f"{number} ({span})"


def _ends(row: pd.Series, when: str) -> tuple[str, str, str]:
    if when == "then":
        return "then", "then_low", "then_high"
    return ("now", "now_low", "now_high") if "now_low" in row else ("now", "low", "high")


def _triple(row: pd.Series, point: float, low: float, high: float) -> tuple[str, str]:
    low, high = min(low, point), max(high, point)
    name = str(row["name"])
    if _signed(row):
        return show.triple(point, low, high, sign=True)
    unit = "USD" if name.endswith("_usd") else "hours" if name.endswith("_hours") else (
        "share" if name.endswith(("_precision", "_recall", "relative_excess")) else "items"
    )  # fmt: skip
    return numbers.triple(point, low, high, unit)


def _signed(row: pd.Series) -> bool:
    return str(row["name"]) in ("excess", "excess_80", "same_hours_excess")


def _currency(row: pd.Series) -> str:
    return "$" if str(row["name"]).endswith("_usd") else ""


def _moved(result: Postmortem) -> str:
    row = _excess_row(result)
    then, now = (None, None) if row is None else (_pair(row, "then"), _pair(row, "now"))
    if then is None or now is None:
        return "How the excess moved since the earlier revision is not known"
    if then == now:
        return f"The excess stands as in the earlier revision: {now}"
    return f"The excess moved from {then} to {now} since the earlier revision"


def _steps(result: Postmortem) -> list[Point]:
    """The largest steps of the bridge."""
    inner = result.revision.dropna(subset=["amount"])
    inner = inner[inner["amount"] != 0]
    ranked = inner.sort_values("amount", key=lambda x: -x.abs(), kind="stable")
    points: list[Point] = [
        (house.upper_first(words.name(row["step"], 60)),
         f"{show.alike([float(row['amount'])], sign=True)[0]} (exact).")
        for _, row in ranked.head(4).iterrows()
    ]  # fmt: skip
    more = len(ranked) - len(points)
    if more > 0:
        points.append(
            f"{house.upper_first(words.counted_in_words(more, 'smaller step'))} beside these."
        )
    return points


def _then_now(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    frame = result.then_now[result.then_now["name"] != "excess"]
    for _, row in frame.iterrows():
        then, now = _pair(row, "then"), _pair(row, "now")
        if then is None or now is None or len(points) == 4:
            continue
        what = house.upper_first(words.measure(str(row["name"])))
        points.append((what, f"{now}, earlier {then}." if then != now else f"{now}, as before."))
    return points


def can_we_believe_it(checks: Sequence[Check]) -> View:
    """How many checks pass, and what the others need."""
    if not checks:
        return house.finding("No assumption was tested")
    return run.can_we_believe_it(safe_checks(checks))


def what_it_rests_on(result: Postmortem) -> View:
    """The assumption that no data can test, said first."""
    if result.sizing.verdict == NOT_ESTIMABLE:
        return house.finding("The size has no interval: it rests on too little history")
    unit = words.unit(result)
    if result.reason("affected") is None:
        return house.finding(
            f"The answer stands if nothing else moved {unit} in those hours, and if labels are "
            "right"
        )
    return house.finding(f"The answer stands if nothing else moved {unit} in those hours")


def what_to_do(result: Postmortem, checks: Sequence[Check]) -> View:
    """Next steps that follow from the findings and the checks."""
    made = safe_checks(checks)
    if result.sizing.verdict == NOT_ESTIMABLE:
        lead = "Bring more history before quoting a size"
    elif result.sizing.verdict != CONFIRMED:
        lead = "Settle whether this was an incident before closing the record"
    elif words.is_open(result):
        lead = "Put right what is listed, and close the record when figures are final"
    else:
        lead = "Finish what is promised, and check that it holds"
    return words.section(lead, _next(result, made) or ["Keep the series under watch."])


def _next(result: Postmortem, checks: Sequence[Check]) -> list[Point]:
    steps: list[Point] = []
    if sizes.has_interval(sizes.excess(result.sizing)):
        number, interval = sizes.size(result.sizing)
        steps.append(
            f"Quote {number} with its {words.level(result)} interval, {interval}; never the number "
            "alone."
        )
    steps += [
        f"Work through the {one.name} list: {numbers.rows_of(one.rows, 'case')} (exact)."
        for one in result.lists
        if one.rows
    ]
    if (at := repair.final_on(result)) is not None and not repair.is_final(result):
        steps.append(f"Run this again on {words.day(result, at)}, when late figures are in.")
    if any(one.status == "open" for one in result.spec.actions):
        steps.append(f"{house.upper_first(repair.promised(result))}.")
    if result.reason("actions") is not None:
        steps.append("Agree on action items, each with an owner, a due date and a check.")
    hit = result.estimates.get("affected_items")
    if result.reason("affected") is None and not numbers.known(hit):
        steps.append("Have a random sample of cases labelled: without it nobody is counted.")
    steps += [f"Settle the failed check: {clean(c.label)}." for c in checks if c.verdict == "fail"]
    return steps[:7]
