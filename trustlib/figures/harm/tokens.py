"""Domains and texts that came more often than before, under names that mean nothing elsewhere."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trustlib.core.format import plural
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.harm.words import FEW, LINE, below, told
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 12
_COLUMNS = ["name", "kind", "ratio", "low", "high", "at_least", "note", "drawn"]
_RIGHT = 66.0


def newly_frequent_tokens(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """How many times as often as before each token came, with its interval, on a log axis.

    The surest first, at most 12. Of tokens that came fewer than 11 times before there is only the
    least that this allows, as an arrow; of those that came fewer than 11 times now no number.
    None where nothing rose, or all of it is too rare.
    """
    rows = newly_frequent_tokens_rows(result)
    shown = rows[rows["drawn"]]
    if shown[["low", "at_least"]].isna().all(axis=None):
        return None
    lines = [_line(row) for row in shown.to_dict("records")]
    left = len(rows) - len(shown)
    foot = [f"arrows: {FEW} times before"] if shown["at_least"].notna().any() else []
    foot += [f"and {plural(left, 'more token')}"] if left else []
    with house.style():
        ax = house.axes(ax, height=dots.height(lines, more=LINE * len(foot)))
        names = dots.labels(lines, 20)
        dots.rows(ax, lines, names)
        ends = shown[["ratio", "low", "high", "at_least"]].to_numpy(dtype=float).ravel()
        far = [3 * line.since for line in lines if line.since == line.since]
        dots.logarithmic(ax, [1.0, *ends[np.isfinite(ends)].tolist(), *far])
        dots.reference(ax, 1.0, lines, dashed=False)
        house.margins(
            ax, left=dots.widest(names, lines) + 16, right=_RIGHT, top=dots.TOP,
            bottom=dots.BOTTOM + LINE * len(foot),
        )  # fmt: skip
        dots.finish(ax, lines, room=_RIGHT - 3)
        house.unit(ax, "times as often as before")
        below(ax, foot)
    return ax


def newly_frequent_tokens_rows(result: DeepDive) -> pd.DataFrame:
    """name (keyed), kind, ratio, low, high, at_least, note, drawn: all tokens that rose.

    No ratio rests on a count below 11; `at_least` is what any count below 11 before would allow.
    """
    found = result.how.newly_frequent
    if found is None or found.tokens.empty:
        return pd.DataFrame(columns=_COLUMNS).astype(
            {**dict.fromkeys(_COLUMNS[2:6], float), "drawn": bool}
        )
    frame = found.tokens.reset_index(drop=True)
    now = frame["now"] < SMALLEST_CELL
    before = frame["before"] < SMALLEST_CELL
    least = frame["now"] / (SMALLEST_CELL - 1) * frame["exposure"]
    names = frame["name"] if "name" in frame else frame["kind"]
    return pd.DataFrame(
        {
            "name": [clean(name) for name in names],
            "kind": [clean(kind) for kind in frame["kind"]],
            **{name: frame[name].where(~now & ~before) for name in ("ratio", "low", "high")},
            "at_least": least.where(before & ~now),
            "note": [f"{FEW} times" if few else "" for few in now],
            "drawn": frame.index < MOST_ROWS,
        }
    )


def _line(row: dict[Hashable, Any]) -> Line:
    ratio, low, high, least = (float(row[k]) for k in ("ratio", "low", "high", "at_least"))
    text = "" if math.isnan(ratio) else f"×{told(ratio)}"
    if not math.isnan(least):
        text = f"≥ ×{told(least)}"
    return Line(
        label=str(row["name"]), point=ratio, low=low, high=high, since=least, until=math.inf,
        note=str(row["note"]), strong=low > 1, text=text,
    )  # fmt: skip
