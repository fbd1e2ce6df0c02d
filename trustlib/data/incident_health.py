"""The health table of an incident's tables: everything that was counted about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from trustlib.data.abuse_health import cell_rows
from trustlib.data.incident_prepare import Ready
from trustlib.data.incident_records import Role


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """Every frame of `AffectedRows`, and what was counted on the way.

    Attributes
    ----------
    frames
        Name -> frame.
    views, arrivals, changes
        Counts of the engine's; empty where the role is not there.
    heard
        Second up to which arrivals were read.
    apart
        Pairs of sets of people that have nobody in common, though neither is small.
    early
        Cases that were put right before they happened.
    unmarked
        Cases whose suspect is empty.
    """

    frames: Mapping[str, pd.DataFrame]
    views: Mapping[str, int] = field(default_factory=dict)
    arrivals: Mapping[str, int] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    heard: int | None = None
    apart: tuple[str, ...] = ()
    early: int = 0
    unmarked: int = 0


def health(ready: Ready, seen: Seen, rows: Mapping[Role, int]) -> pd.DataFrame:
    """``item``, ``n``, ``note``: one row per thing that was counted."""
    made = [(f"rows of {_said(role)}", n, "all rows of the source") for role, n in rows.items()]
    made += cell_rows(ready.cells)
    made += [
        (f"rows of {_said(role)} after as_of", n, "left out") for role, n in ready.late.items()
    ]
    if ready.strays:
        note = "not used as evidence of how far the tables reach"
        made.append(("times far after all others", ready.strays, note))
    if "affected" in rows:
        made += _affected(ready, seen)
    if "labels" in rows and ready.judged:
        made += _labels(ready, seen)
    if "views" in rows and seen.views:
        made += [
            (
                "views of cases that were not actioned",
                seen.views["pairs"] + seen.views["again"],
                "",
            ),
            ("views by a viewer who saw the item before", seen.views["again"], "counted once"),
            ("views before the window, or without a time", seen.views["early"], "left out"),
            ("views of items that are no such case", seen.views["other"], "left out"),
        ]
    if "arrivals" in rows and seen.arrivals:
        made += _arrivals(ready, seen)
    if "change_log" in rows and seen.changes:
        made += [
            ("rows of change log that are there twice", seen.changes["twice"], "counted once"),
            ("changes far from the window", seen.changes["far"], "left out"),
            ("links of the change log that may not be shown", seen.changes["lost"], "left out"),
        ]
    return pd.DataFrame(made, columns=["item", "n", "note"]).astype(
        {"item": "str", "n": "int64", "note": "str"}
    )


def _affected(ready: Ready, seen: Seen) -> list[tuple[str, int, str]]:
    cases = seen.frames["cases"]
    made = [
        ("rows of affected outside the window", ready.outside, "left out"),
        ("rows of affected that are there twice", ready.repeated, "counted once"),
        ("cases that were actioned", _items(cases, "over"), ""),
        ("cases that were not actioned", _items(cases, "under"), ""),
    ]
    if ready.tables.has("affected", "suspect"):
        made.append(("cases whose suspect is empty", seen.unmarked, "not on a list"))
    if ready.tables.has("affected", "resolved_at"):
        made.append(("cases put right before they happened", seen.early, "taken for put right"))
    if ready.amounts:
        made += [
            ("cases without a gross amount", ready.amounts["empty"], "counted as 0"),
            ("cases with parts of a cent", ready.amounts["parts"], "rounded to cents"),
        ]
    return made


def _items(cases: pd.DataFrame, side: str) -> int:
    return int(cases.loc[cases["side"] == side, "items"].sum())


def _labels(ready: Ready, seen: Seen) -> list[tuple[str, int, str]]:
    labelled = seen.frames["labelled"]
    made = [
        ("rows of labels that are there twice", ready.judged["twice"], "counted once"),
        ("labelled items that are no case", ready.judged["other"], "left out"),
    ]
    made += [
        (f"labelled cases that were {said}", int((labelled["side"] == side).sum()), "")
        for side, said in (("over", "actioned"), ("under", "not actioned"))
    ]
    made.append(
        ("labelled cases whose votes are tied", int(labelled["ties"].sum()), "not violating")
    )
    return made


def _arrivals(ready: Ready, seen: Seen) -> list[tuple[str, int, str]]:
    made = [("rows of arrivals that are there twice", seen.arrivals["twice"], "counted once")]
    if not ready.tables.has("arrivals", "arrival_id"):
        note = "counted: without arrival_id they may be two events"
        made = [("rows of arrivals equal to another", seen.arrivals["equal"], note)]
    made.append(("arrivals before their event", seen.arrivals["early"], "left out"))
    if ready.tables.as_of is None:
        made.append(("arrivals far after all others", seen.arrivals["after"], "left out"))
    made.append(("arrivals used", int(seen.frames["arrivals"]["n"].sum()), ""))
    return made


def _said(role: str) -> str:
    return role.replace("_", " ")
