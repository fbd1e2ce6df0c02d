"""Verdicts on a deep-dive's tables, in a reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from trustlib.core import Check
from trustlib.core.format import percent, plural
from trustlib.data import clock as clocks
from trustlib.data.abuse_health import Found
from trustlib.data.abuse_records import AbuseQuery
from trustlib.data.engine.abuse_health import Cells
from trustlib.data.engine.abuse_made import UNKNOWN

_STRANGERS = 0.01  # of a table's rows; more of unknown items is worth a warning
_ARRIVED = 2 / 3  # of a week's items that its labels stand for
_KNOWN = 0.95  # of the items, by their segment
_DAY = 86_400
_UNDECIDED = "appeals.outcome"  # may be empty
_NOUNS = {
    "labels": "votes", "views": "views", "actions": "actions", "reports": "reported items",
    "scores": "scores", "view_labels": "labelled views",
}  # fmt: skip


def checks(found: Found, frames: Mapping[str, Any], query: AbuseQuery) -> tuple[Check, ...]:
    """All of them, in the order in which a reader would ask."""
    return (
        _covered(found, query),
        readable(found.cells),
        _once(found),
        _keys(found),
        _labels(found, frames["sample"], query),
        _arrived(found, frames, query),
        _strata(found, frames),
        *_segments(frames["by_segment"], query),
        *_gold(found, frames["gold"], query),
        *_appeals(found, query),
    )


def _covered(found: Found, query: AbuseQuery) -> Check:
    name, end = "window_covered", clocks.seconds(query.window.end)
    said = []
    if query.as_of is not None and query.as_of < query.window.end:
        said.append("Nothing after as_of is used, and the window ends later.")
    short = False
    for role in ("items", "views"):
        last = found.times.get(role, (None, None))[1]
        if last is None or last >= end - _DAY:
            continue
        said.append(
            f"The last of {role} is of {clocks.instant(last):%d %b %Y, %H:%M} UTC, more than a day "
            "before the window's end."
        )
        short |= last < clocks.seconds(query.compare_from)
    if not said:
        text = "Items and views reach to the window's end."
        return Check(name=name, verdict="pass", label="window covered", text=text)
    if short:
        said.append("So there is nothing of the later part, which is compared with the earlier.")
    return Check(
        name=name,
        verdict="fail" if short else "warn",
        label="data end early",
        text=" ".join(said),
    )


def readable(cells: tuple[Cells, ...]) -> Check:
    """Whether what tables need can be read in every row."""
    bad = {f"{c.role}.{c.column}": c.unreadable for c in cells if c.unreadable}
    empty = {f"{c.role}.{c.column}": c.rows - c.there for c in cells if c.needed}
    empty = {name: n for name, n in empty.items() if n and name != _UNDECIDED}
    if not bad and not empty:
        text = "Every key, time, number and answer that is needed is there and can be read."
        return Check(name="rows_readable", verdict="pass", label="rows readable", text=text)
    said = [f"{n:,} of {name} cannot be read" for name, n in bad.items()]
    said += [f"{n:,} of {name} are empty" for name, n in empty.items()]
    text = f"{'; '.join(said)}. These rows are left out where they would be needed."
    return Check(name="rows_readable", verdict="warn", label="rows left out", text=text)


def _once(found: Found) -> Check:
    more = {role: n for role, n in found.repeated.items() if n}
    if not more:
        text = "No row of items, accounts, views or actions is there twice."
        return Check(name="rows_once", verdict="pass", label="no row twice", text=text)
    said = ", ".join(f"{n:,} of {role}" for role, n in more.items())
    text = f"Rows that are there more than once count once: {said}."
    return Check(name="rows_once", verdict="warn", label="rows there twice", text=text)


def _keys(found: Found) -> Check:
    odd = [(role, n, k) for role, (n, k) in found.strangers.items() if n and k > _STRANGERS * n]
    if not odd:
        text = "Labels, views, actions and reports are of items that are in items."
        return Check(name="keys_match", verdict="pass", label="tables fit together", text=text)
    said = "; ".join(
        f"{k:,} of {n:,} {_NOUNS[role]} ({percent(k / n)}) are of "
        + ("views that are not in views" if role == "view_labels" else "items not in items")
        for role, n, k in odd
    )
    none = any(n == k for _, n, k in odd)
    text = f"{said[0].upper()}{said[1:]}: they are left out."
    if none:
        text += " Where none is found, check that both tables write their keys alike."
    return Check(
        name="keys_match",
        verdict="fail" if none else "warn",
        label="rows of unknown items",
        text=text,
    )


def _labels(found: Found, sample: pd.DataFrame, query: AbuseQuery) -> Check:
    name = "labels_read"
    if not len(sample):
        text = "Not run: no item made from history_start on has a label."
        return Check(name=name, verdict="not_run", label="no labels", text=text)
    ties = int(sample["ties"].sum())
    text = f"{plural(len(sample), 'item')} with a label, {int(sample['in_window'].sum()):,} of the "
    text += "window."
    if ties:
        text += f" {plural(ties, 'item')} with tied votes {_counts(ties)} as not violating."
    if found.told["labels"]:
        return Check(name=name, verdict="pass", label="labels read", text=text)
    text += (
        " Labels do not say with which chance they were drawn: simple random samples of the "
        "strata are assumed. If what looked bad was labelled first, every share is too high."
    )
    return Check(name=name, verdict="warn", label="sampling not told", text=text)


def _counts(n: int) -> str:
    return "counts" if n == 1 else "count"


def _arrived(found: Found, frames: Mapping[str, Any], query: AbuseQuery) -> Check:
    name, sample = "labels_arrived", frames["sample"]
    inside = sample[sample["in_window"]]
    if not len(inside) or not found.told["labels"]:
        why = "labels do not say how they were drawn"
        text = f"Not run: {why if len(inside) else 'no label is of the window'}."
        return Check(name=name, verdict="not_run", label="late labels not looked for", text=text)
    shares = arrived(frames, query)
    low = shares[shares < _ARRIVED]
    if low.empty:
        text = f"In every week of the window, labels stand for at least {percent(shares.min())} of "
        text += "its items."
        return Check(name=name, verdict="pass", label="labels arrived", text=text)
    text = (
        f"In {plural(len(low), 'week')} of {len(shares)} of the window, labels stand for less than "
        f"two thirds of the items, at least in that of {low.idxmin():%d %b %Y} "
        f"({percent(low.min())}): labels that come late, or a sample that was cut."
    )
    return Check(name=name, verdict="warn", label="labels missing in some weeks", text=text)


def arrived(frames: Mapping[str, Any], query: AbuseQuery) -> pd.Series:
    """Week of the window -> items that its labels stand for, over its items."""
    weeks = frames["weeks"].groupby("week")["items"].sum()
    first = query.window.start - pd.Timedelta(days=query.window.start.weekday())
    weeks = weeks[(weeks.index >= first) & (weeks > 0)]
    sample = frames["sample"]
    at = sample["created_at"]
    monday = at.dt.floor("D") - pd.to_timedelta(at.dt.day_of_week, unit="D")
    weight = (1 / sample["inclusion"]).groupby(monday).sum()
    return weight.reindex(weeks.index, fill_value=0.0) / weeks


def _strata(found: Found, frames: Mapping[str, Any]) -> Check:
    name, n = "strata_counted", len(frames["population"])
    if found.counted and found.other_stratum:
        text = (
            f"Items are counted in {plural(n, 'stratum', 'strata')}. "
            f"{plural(found.other_stratum, 'label')} came from another stratum than the item's own."
        )
        return Check(name=name, verdict="warn", label="strata differ for some", text=text)
    if found.counted:
        text = f"Items and views are counted in each of {plural(n, 'stratum', 'strata')}."
        return Check(name=name, verdict="pass", label="strata counted", text=text)
    if set(frames["sample"]["stratum"]) <= {"all"}:
        text = "There is one stratum: all items."
        return Check(name=name, verdict="pass", label="one stratum", text=text)
    text = (
        "Items do not say their stratum: the labels' own weights tell how large strata are, which "
        "is less sure. A column stratum in items would count them."
    )
    return Check(name=name, verdict="warn", label="strata estimated", text=text)


def _segments(by_segment: pd.DataFrame, query: AbuseQuery) -> tuple[Check, ...]:
    if not query.segments:
        return ()
    name, known = "segments_known", {}
    for segment in query.segments:
        rows = by_segment[by_segment["segment"] == segment]
        unknown = rows.loc[rows["value"] == UNKNOWN, "items"].sum()
        known[segment] = 1 - unknown / rows["items"].sum()
    worst = min(known, key=lambda segment: (known[segment], segment))
    if known[worst] == 0:
        text = f"Of no item the {worst} is known" + (
            ": there is no source of accounts." if "accounts" not in query.sources else "."
        )
        return (Check(name=name, verdict="warn", label="a segment is unknown", text=text),)
    text = f"The {worst} of {percent(known[worst])} of the items is known"
    text += ", of the other segments at least as many." if len(known) > 1 else "."
    few = known[worst] < _KNOWN
    return (
        Check(
            name=name,
            verdict="warn" if few else "pass",
            label="segments with gaps" if few else "segments known",
            text=text,
        ),
    )


def _gold(found: Found, gold: pd.DataFrame, query: AbuseQuery) -> tuple[Check, ...]:
    if "gold" not in query.sources:
        return ()
    name, items = "gold_read", int(gold["item"].nunique())
    text = f"{plural(len(gold), 'vote')} on {plural(items, 'item')} whose answer is known."
    if found.odd_gold:
        text += f" {plural(found.odd_gold, 'item')} with two different answers left out."
        return (Check(name=name, verdict="warn", label="gold items disagree", text=text),)
    return (Check(name=name, verdict="pass", label="gold items read", text=text),)


def _appeals(found: Found, query: AbuseQuery) -> tuple[Check, ...]:
    if "appeals" not in query.sources:
        return ()
    n, odd = found.appeals["appeals"], found.appeals["odd"]
    if odd:
        text = (
            f"{odd:,} of {plural(n, 'appeal')} {'has' if odd == 1 else 'have'} an outcome that is "
            "neither overturned nor upheld: taken for undecided."
        )
        return (Check(name="appeals_read", verdict="warn", label="other outcomes", text=text),)
    text = f"{plural(n, 'appeal')}, each overturned, upheld or undecided."
    return (Check(name="appeals_read", verdict="pass", label="appeals read", text=text),)
