"""Tables of how much: the excess, who was hit how often, money, and what still arrives."""

from __future__ import annotations

import pandas as pd

from trustlib.core import Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short, told_apart
from trustlib.postmortem.result import Postmortem
from trustlib.tables import house, incidents
from trustlib.tables.postmortem_words import (
    FEWER,
    NOT_SHOWN,
    absent,
    amount,
    cell,
    decided,
    dollars,
    empty,
    level,
    name,
    noted,
    number,
    side,
    spaced,
    wrong,
)

MOST_ROWS = 40
_SIZES = (
    "actual", "expected", "excess", "relative_excess", "same_hours_excess",
    "smallest_detectable_excess", "cost_usd",
)  # fmt: skip


def excess(result: Postmortem) -> View:
    """The excess with two intervals, and the same under other choices and by segment."""
    if absent(result, "excess"):
        return empty()
    narrow = result.estimates.get("excess_80")
    second = "80 % interval" if narrow is None else f"{show.level(narrow.level)} interval"
    rows = []
    for one in _SIZES:
        if (estimate := result.estimates.get(one)) is not None:
            told, wide = amount(one, estimate)
            own = "–" if one != "excess" or narrow is None else _narrow(narrow, estimate)
            rows.append((name(one), told, own, wide))
    columns = ("Quantity", "Estimate", second, level(result))
    unit = short(result.spec.sizing.unit_label, 40)
    first = house.table(rows, columns=columns, caption=f"How big it was, in {unit}",
                        numeric=columns[1:])  # fmt: skip
    more = [incidents.sensitivity(result.sizing)]
    if result.sizing.segments is not None:
        more.append(incidents.segments(result.sizing))
    return stack([first, *more])


def _narrow(narrow: Estimate, wide: Estimate) -> str:
    """The narrower interval, with the decimals of the number that it stands beside."""
    if wide.point is None or narrow.low is None or narrow.high is None:
        return "not estimable"
    return show.triple(wide.point, narrow.low, narrow.high, sign=True)[1]


_SAMPLE = " in the views that were read, a sample"


def affected(result: Postmortem) -> View:
    """Who and what was hit, and by segment."""
    if absent(result, "affected"):
        return empty()
    more = result.viewers_are_some
    rows = [
        (
            spaced(row["kind"]) + (_SAMPLE if more and row["kind"] == "viewers" else ""),
            side(row["side"]), cell(row["candidates"]), *wrong(row),
        )
        for _, row in result.affected.iterrows()
    ]  # fmt: skip
    columns = ("Who", "How", "In the window", "Of these, hit", level(result))
    whole = house.table(rows, columns=columns, caption=noted("Who and what was hit", rows),
                        numeric=columns[2:])  # fmt: skip
    return stack([whole, _segments(result)]) if len(result.by_segment) else whole


def _segments(result: Postmortem) -> View:
    frame = result.by_segment.head(MOST_ROWS)
    rows = [
        (
            value,
            short(spaced(row["segment"]), 40),
            side(row["side"]),
            cell(row["items"]),
            *_wrong(row),
        )
        for value, (_, row) in zip(told_apart(frame["value"], 64), frame.iterrows(), strict=True)
    ]
    columns = ("Value", "Segment", "How", "Cases", "Wrong", level(result))
    left = len(result.by_segment) - len(frame)
    caption = "Wrong cases by segment" + (f"; {left:,} more in the figure's file" if left else "")
    return house.table(rows, columns=columns, caption=noted(caption, rows), numeric=columns[3:])


def _wrong(row: pd.Series) -> tuple[str, str]:
    """Of a segment with fewer than 11 cases nothing is said."""
    return (NOT_SHOWN, NOT_SHOWN) if not cell(row["items"])[0].isdigit() else wrong(row)


def dose(result: Postmortem) -> View:
    """People by how often they were hit, the share of those hit most, and who is in two sets."""
    if absent(result, "dose"):
        return empty()
    rows = []
    for _, row in result.doses.iterrows():
        people = cell(row["people"])
        cases = NOT_SHOWN if people == FEWER else cell(row["cases"])
        rows.append((spaced(row["kind"]), decided(row["side"]), clean(row["dose"]), people, cases))
    columns = ("Who", "Cases that were", "Cases each", "People", "Cases")
    tables = [house.table(rows, columns=columns, caption=noted("How often people were hit", rows),
                          numeric=columns[3:])]  # fmt: skip
    if len(result.top_share):
        tables.append(_top(result))
    if len(result.overlaps):
        tables.append(_overlaps(result))
    return stack(tables)


def _top(result: Postmortem) -> View:
    rows = []
    for _, row in result.top_share.iterrows():
        people, share = cell(row["top_people"]), number(row["share"])
        few = share is None or not people[0].isdigit()
        rows.append((spaced(row["kind"]), decided(row["side"]), people,
                     NOT_SHOWN if few else show.percent(share)))  # fmt: skip
    columns = ("Who", "Cases that were", "People in the top 1 %", "Their share of all cases")
    return house.table(rows, columns=columns, caption=noted("Those who were hit most", rows),
                       numeric=columns[2:])  # fmt: skip


def _overlaps(result: Postmortem) -> View:
    rows = [
        (house.capital(_set(row["first"])), _set(row["second"]), cell(row["people"]))
        for _, row in result.overlaps.iterrows()
    ]
    columns = ("In this set", "and in this", "People")
    return house.table(rows, columns=columns, caption="People in two sets", numeric=columns[2:])


def _set(text: object) -> str:
    """ "accounts over" as a reader knows it."""
    kind, _, way = str(text).rpartition(" ")
    return f"{clean(kind)}, {side(way)}" if kind else clean(way)


def money(result: Postmortem) -> View:
    """Gross, recovered and net, with what a unit was taken to be worth."""
    if absent(result, "money"):
        return empty()
    rows = [
        (spaced(row["item"]), side(row["side"]), *dollars(row))
        for _, row in result.money.iterrows()
    ]
    cost = result.estimates.get("cost_usd")
    if cost is not None:
        rows.append(("Excess times its unit cost", "–", *amount("cost_usd", cost)))
    columns = ("Amount", "How", "US dollars", level(result))
    return house.table(rows, columns=columns, caption="; ".join(["Money", *_values(result)]),
                       numeric=columns[2:])  # fmt: skip


def _values(result: Postmortem) -> list[str]:
    """Currency, rate and unit cost, as they were set."""
    spec, told = result.spec, []
    if spec.currency is not None and spec.currency != "USD" and spec.usd_rate is not None:
        currency = short(spec.currency, 12)
        told.append(f"amounts in {currency}, 1 {currency} taken as ${spec.usd_rate:.10g}")
    elif spec.currency is not None:
        told.append(f"amounts in {short(spec.currency, 12)}")
    if spec.sizing.unit_cost_usd is not None:
        told.append(f"each of the excess taken to cost {show.usd(spec.sizing.unit_cost_usd)}")
    return told


def maturity(result: Postmortem) -> View:
    """What has arrived, what is expected in the end, and from when on it is final."""
    if absent(result, "maturity"):
        return empty()
    timezone, rows = result.spec.sizing.timezone, []
    for _, row in result.maturity.iterrows():
        final, factor, share = (number(row[one]) for one in ("final", "factor", "complete"))
        told = wrong(row.rename({"final": "point"})) if final is not None else (NOT_SHOWN,) * 2
        few = not cell(row["seen"])[0].isdigit()
        on = row["final_on"]
        rows.append((
            spaced(row["kind"]), cell(row["seen"]),
            NOT_SHOWN if few or share is None else show.percent(share),
            NOT_SHOWN if few or factor is None else f"×{show.count(factor)}", *told,
            "not known" if pd.isna(on) else show.day(on, timezone),
        ))  # fmt: skip
    columns = ("What arrives", "Seen", "Part that is in", "Factor", "Expected in the end",
               f"{level(result)} of what comes", "Final on")  # fmt: skip
    return house.table(rows, columns=columns, caption=noted("What still arrives", rows),
                       numeric=columns[1:6])  # fmt: skip
