"""The health table of a deep-dive: everything that was counted about its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from trustlib.data.abuse_records import Role
from trustlib.data.engine.abuse_health import Cells


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found on the way from the tables to the frames.

    Attributes
    ----------
    counted
        Whether items have strata.
    told
        Role of labels -> whether they say how they were drawn.
    repeated
        Role -> rows that were one too many.
    other_stratum
        Labelled items and views in another stratum than their item.
    odd_gold
        Items with two known answers.
    appeals
        Counts of appeals, of outcomes, and of outcomes that are no known word.
    cells, strangers, times, replaced
        See `trustlib.data.engine.abuse_health`.
    """

    counted: bool
    told: Mapping[Role, bool]
    repeated: Mapping[Role, int]
    other_stratum: int
    odd_gold: int
    appeals: Mapping[str, int]
    cells: tuple[Cells, ...]
    strangers: Mapping[str, tuple[int, int]]
    times: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    replaced: int = 0


def health(found: Found, frames: Mapping[str, Any], rows: Mapping[Role, int]) -> pd.DataFrame:
    """``item``, ``n``, ``note``: one row per thing that was counted."""
    sample, views = frames["sample"], frames["view_sample"]
    made = [(f"rows of {_said(role)}", n, "all rows of the source") for role, n in rows.items()]
    made += [
        (f"rows of {_said(role)} that are there twice", n, "counted once")
        for role, n in found.repeated.items()
        if role in rows
    ]
    made += cell_rows(found.cells)
    made += [
        (f"{_OF[role]} not known", n, _UNKNOWN.get(role, "left out"))
        for role, (_, n) in found.strangers.items()
    ]
    made += [
        ("items made in the window", int(frames["population"]["items"].sum().round()), ""),
        ("views seen in the window", int(frames["population"]["views"].sum().round()), ""),
        ("labelled items", len(sample), "from history_start on"),
        ("labelled items of the window", int(sample["in_window"].sum()), ""),
        ("labelled items whose votes are tied", int(sample["ties"].sum()), "not violating"),
        ("labelled views", len(views), "from history_start on"),
        ("labelled views of the window", int(views["in_window"].sum()), ""),
        ("votes that the same rater replaced", found.replaced, "the later one counts"),
    ]
    if "scores" in rows:
        made.append(("labelled items without a score", int(sample["score"].isna().sum()), ""))
    if "gold" in rows:
        made.append(("gold items with two answers", found.odd_gold, "left out"))
    if "appeals" in rows:
        note = "taken for undecided"
        made.append(("appeals with another outcome", found.appeals["odd"], note))
    if found.counted:
        made.append(("labels in another stratum than their item", found.other_stratum, ""))
    return pd.DataFrame(made, columns=["item", "n", "note"]).astype(
        {"item": "str", "n": "int64", "note": "str"}
    )


_OF = {
    "labels": "votes on items that are", "actions": "actions on items that are",
    "reports": "reported items that are", "scores": "scores of items that are",
    "views": "views of items that are", "view_labels": "labelled views that are",
}  # fmt: skip
_UNKNOWN = {"views": "from history_start on; left out"}


def cell_rows(cells: tuple[Cells, ...]) -> list[tuple[str, int, str]]:
    """item, n, note of cells that cannot be read, and of those that are needed and empty."""
    made = []
    for one in cells:
        if one.unreadable or one.kind == "time":
            noun = {"time": "times", "number": "numbers", "flag": "answers"}[one.kind]
            label = f"{_said(one.role)}: {noun} that cannot be read ({one.column})"
            made.append((label, one.unreadable, "left out"))
        if one.needed:
            label = f"{_said(one.role)}: rows without {one.column}"
            note = "undecided" if one.column == "outcome" else "left out"
            made.append((label, one.rows - one.there, note))
    return made


def _said(role: str) -> str:
    return role.replace("_", " ")
