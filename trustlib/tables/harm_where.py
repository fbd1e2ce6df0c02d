"""Tables of where and who: segments, rate and mix, the search, missing accounts."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from trustlib.core import Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import short, told_apart
from trustlib.core.view import note
from trustlib.harm.deep_dive.published import published
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import WITHHELD, amount, between, cell, percent
from trustlib.harm.rate_and_mix import RateAndMix
from trustlib.harm.segment_search import SegmentSearch
from trustlib.tables import house, numbers
from trustlib.tables.harm_safe import caption
from trustlib.tables.harm_size import MOST_ROWS, level, why

_MISSING = {
    "enforced_missing": "Enforced, no row",
    "enforced_there": "Enforced, row there",
    "others_missing": "Others, no row",
    "others_there": "Others, row there",
}


def segments(result: DeepDive) -> View:
    """The share in every value of each segment; where labels are few, only a rounded upper end."""
    found = published(result).segments
    if not found:
        return why(result, "where.segments")
    tables = []
    for name, frame in found.items():
        rows = [
            (value, *_segment(row))
            for value, (_, row) in zip(
                told_apart(frame["value"], 40), frame.head(MOST_ROWS).iterrows(), strict=False
            )
        ]
        columns = (house.capital(short(name, 24)), "Items", "Labels", "Violating", "Share",
                   level(result))  # fmt: skip
        text = caption(f"Share of violating items by {short(name, 24)}", rows)
        tables.append(house.table(rows, columns=columns, caption=text, numeric=columns[1:]))
    return stack(tables)


def _segment(row: pd.Series) -> tuple[str, ...]:
    if row["withheld"]:
        end = f"at most {percent(row['at_most'])}" if row["at_most"] < 1 else WITHHELD
        return cell(row["population"]), WITHHELD, WITHHELD, WITHHELD, end
    ends = between(numbers.number(row["low"]), numbers.number(row["high"]))
    counts = (cell(row[name]) for name in ("population", "labelled", "positive"))
    return (*counts, percent(row["share"]), ends)


def mix(result: DeepDive) -> View:
    """What moved the rate: the rate within parts, or their sizes."""
    found = result.where.mix
    if found is None:
        return why(result, "where.mix")
    parts: dict[str, Estimate] = {
        "Before": found.before,
        "Now": found.after,
        "Change": found.change,
        "of that, within parts (rate)": found.rate,
    }
    parts |= {f"of that, sizes by {short(name, 24)} (mix)": one for name, one in found.mix.items()}
    rows = []
    finest = _decimals(found)
    for at, (name, one) in enumerate(parts.items()):
        told = amount(one) if at < 2 else _points(finest, one.point, one.low, one.high)
        rows.append((name, *told))
    columns = ("Part", "Share, change in points", level(result))
    whole = house.table(rows, columns=columns, caption="Rate against mix; the parts add up",
                        numeric=columns[1:])  # fmt: skip
    return stack([whole, _by_segment(result)])


def _by_segment(result: DeepDive) -> View:
    """Each value's part; those with few labels are added up, as the parts may be."""
    found = result.where.mix
    assert found is not None
    name = next(iter(found.mix))
    known = published(result).segments.get(name)
    few = set() if known is None else set(known.loc[known["withheld"], "value"].astype(str))
    frame = found.by_segment
    hidden = frame["segment"].astype(str).isin(few)
    shown = frame[~hidden].sort_values("total", key=lambda x: -x.abs(), kind="stable")
    rows = [
        _part(str(row["segment"]), row, _decimals(found))
        for _, row in shown.head(MOST_ROWS).iterrows()
    ]
    rest = pd.concat([frame[hidden], shown.iloc[MOST_ROWS:]])
    if len(rest):
        columns = ["share_before", "share_after", "rate_part", "inner_mix_part", "mix_part",
                   "total"]  # fmt: skip
        one = rest[columns].sum()
        one["low"] = one["high"] = math.nan
        rows.append(_part(f"{show.plural(len(rest), 'other')} together", one, _decimals(found)))
    heads = (house.capital(short(name, 24)), "Items before", "Items now", "Rate part", "Mix part",
             "Together", level(result))  # fmt: skip
    text = f"The change by {short(name, 24)}, in points of a per cent"
    if hidden.any():
        text += "; values with few violating labels are added up"
    return house.table(rows, columns=heads, caption=text, numeric=heads[1:])


def _part(name: str, row: pd.Series, decimals: int) -> tuple[str, ...]:
    inner = float(row["mix_part"]) + float(row["inner_mix_part"])
    total, ends = _points(decimals, row["total"], row["low"], row["high"])
    return (
        short(name, 40),
        percent(row["share_before"]),
        percent(row["share_after"]),
        _points(decimals, row["rate_part"])[0],
        _points(decimals, inner)[0],
        total,
        "–" if row["low"] != row["low"] else ends,
    )


def _points(decimals: int, point: Any, low: Any = None, high: Any = None) -> tuple[str, str]:
    """Differences of shares in points of a per cent, with their sign."""
    known = [100 * float(value) for value in (point, low, high) if value is not None]
    texts = [numbers.fixed(value, decimals) for value in known]
    return texts[0], f"{texts[1]} to {texts[2]}" if len(texts) == 3 else "–"


def _decimals(found: RateAndMix) -> int:
    """Two, or so many that the change has two digits."""
    largest = 100 * max(abs(end or 0.0) for end in (found.change.low, found.change.high))
    return 2 if largest == 0 else max(2, 1 - math.floor(math.log10(largest)))


def searched(result: DeepDive) -> View:
    """Segments that stand out by rate and by growth, and what held on the other half."""
    tables = []
    for found, field in ((result.where.search, "search"), (result.where.growing, "growing")):
        tables.append(why(result, f"where.{field}") if found is None else _search(result, found))
    return stack(tables)


def _search(result: DeepDive, found: SegmentSearch) -> View:
    growth = found.of == "growth"
    what = "growth" if growth else "rate"
    if not len(found.segments):
        return note(
            f"{found.searched:,} combinations searched by {what}: none stood out on the half that "
            "was searched."
        )
    rows = []
    for name, (_, row) in zip(
        told_apart(found.segments["segment"], 60), found.segments.head(MOST_ROWS).iterrows(),
        strict=False,
    ):  # fmt: skip
        number, interval = _times(row["ratio"], row["low"], row["high"])
        held = "confirmed" if row["confirmed"] else "did not hold"
        if row["confirmed"] and row["explained_by"]:
            held = f"confirmed, through {short(row['explained_by'], 60)}"
        rows.append((name, number, interval, show.probability(numbers.number(row["q"])), held))
    columns = ("Segment", "Times that of others", level(result), "q", "On the other half")
    text = (
        f"Segments by {what}: {found.searched:,} combinations searched on half of the accounts, "
        f"{found.candidates:,} tested on the other half, {found.confirmed:,} held"
    )
    return house.table(rows, columns=columns, caption=text, numeric=columns[1:4])


def _times(ratio: float, low: float, high: float) -> tuple[str, str]:
    """A ratio and its interval; an end that is not finite reads as open."""

    def one(value: float) -> str:
        return f"{value:,.2g}" if value < 10 else f"{value:,.0f}"

    if ratio != ratio:
        return "not estimable", "not estimable"
    if not math.isfinite(ratio):
        return "only here", f"above {one(low)}"
    ends = f"{one(low)} to {one(high)}" if math.isfinite(high) else f"above {one(low)}"
    return one(ratio), ends


def survivorship(result: DeepDive) -> View:
    """Accounts without a row in the accounts table, and what they could move."""
    found = result.where.survivorship
    if found is None:
        return why(result, "where.survivorship")
    frame = published(result).missing
    rows = []
    for name, (_, row) in zip(told_apart(frame["segment"], 40), frame.iterrows(), strict=True):
        counts = [cell(row[column]) for column in ("accounts", *_MISSING)]
        gone = row["enforced_missing"] + row["others_missing"]
        share = percent(gone / row["accounts"]) if gone == gone and row["accounts"] else WITHHELD
        rows.append(("Everything" if name == "all" else name, *counts, share))
    columns = ("Where", "Accounts", *_MISSING.values(), "No row, share")
    text = "Accounts behind items or actions, and their row in the accounts table"
    table = house.table(rows, columns=columns, caption=caption(text, rows), numeric=columns[1:])
    return stack([table, _bounds(result)]) if found.prevalence_low is not None else table


def _bounds(result: DeepDive) -> View:
    found = result.where.survivorship
    assert found is not None
    ends = f"{percent(found.prevalence_low)} to {percent(found.prevalence_high)}"
    return note(
        f"If the items of accounts without a row could be anything the labels allow, the share "
        f"over all items lies between {ends.replace(' to ', ' and ')}."
    )
