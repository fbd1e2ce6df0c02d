"""Groups of accounts that act as one: how large, how harmful, how far they reach."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import pandas as pd

from trustlib.core import format as show
from trustlib.core.format import plural
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm.words import FEW
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 10
_ROW, _TOP, _FOOT = 40.0, 26.0, 22.0  # points
_LEFT = 34.0  # for the rank
_GAP = 12.0  # between columns
_BAR = 11.0
_MEASURES = {"size": "accounts", "violating_items": "violating items", "views": "views"}
_COLUMNS = ["cluster", "evidence", "size", "violating_items", "views", "note", "drawn"]


def clusters(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Clusters in their rank, each with its evidence and a bar for size, harm and reach.

    Of a cluster with fewer than 11 accounts no number is shown. At most ten rows; the rest is
    counted. None without a cluster.
    """
    rows = clusters_rows(result)
    if rows.empty:
        return None
    shown = rows[rows["drawn"]]
    left = len(rows) - len(shown)
    known = bool(shown["size"].notna().any())
    top = _TOP if known else 4.0
    with house.style():
        height = top + _ROW * len(shown) + (_FOOT if left else 6)
        ax = house.axes(ax, height=height / 72)
        width, height = house.size(ax)
        house.margins(ax, left=0, right=0, top=0, bottom=0)
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_axis_off()
        column = (width - _LEFT - 4 - 2 * _GAP) / len(_MEASURES)
        if known:
            _heads(ax, column)
        for i, row in enumerate(shown.to_dict("records")):
            _row(ax, row, shown, top + _ROW * (i + 0.5), column)
        if left:
            ax.text(2, height - _FOOT / 2, f"and {plural(left, 'more cluster')}",
                    va="center", color=PALETTE["muted"])  # fmt: skip
    return ax


def clusters_rows(result: DeepDive) -> pd.DataFrame:
    """cluster (rank), evidence, size, violating_items, views, note, drawn: all clusters.

    Numbers of clusters with fewer than 11 accounts are withheld, and every count below 11.
    """
    found = result.how.coordination
    if found is None or found.clusters.empty:
        return pd.DataFrame(columns=_COLUMNS)
    frame = found.clusters
    small = frame["small"].astype(bool) | (frame["size"] < SMALLEST_CELL)
    numbers = {}
    for name in _MEASURES:
        values = frame[name].astype(float)
        numbers[name] = values.where(~small & (values >= SMALLEST_CELL), math.nan)
    return pd.DataFrame(
        {
            "cluster": frame["cluster"].astype(int),
            "evidence": [clean(kinds).replace("_", " ") for kinds in frame["evidence"]],
            **numbers,
            "note": [f"{FEW} accounts" if few else "" for few in small],
            "drawn": [i < MOST_ROWS for i in range(len(frame))],
        }
    ).reset_index(drop=True)


def _heads(ax: Axes, column: float) -> None:
    for i, words in enumerate(_MEASURES.values()):
        x = _LEFT + (column + _GAP) * i
        ax.text(x, _TOP - 14, words, va="center", color=PALETTE["muted"])


def _row(ax: Axes, row: dict[Hashable, Any], shown: pd.DataFrame, y: float, column: float) -> None:
    """Rank and bars; under them what ties the accounts."""
    ax.text(2, y - 8, f"{row['cluster']}", va="center", color=PALETTE["ink"], weight="bold")
    evidence = house.fitted(f"tied by {row['evidence']}", house.size(ax)[0] - _LEFT - 4)
    ax.text(_LEFT, y + 8, evidence, va="center", color=PALETTE["muted"])
    if row["note"]:
        ax.text(_LEFT, y - 8, row["note"], va="center", color=PALETTE["ink"])
        return
    for i, name in enumerate(_MEASURES):
        x, value = _LEFT + (column + _GAP) * i, float(row[name])
        if math.isnan(value):
            ax.text(x, y - 8, "not shown", va="center", color=PALETTE["muted"])
            continue
        words = [show.count(one) for one in shown[name].dropna()]
        room = column - max(house.text_width(text) for text in words) - 6
        long = max(1.0, room * value / float(shown[name].max()))
        colour = PALETTE["harm"] if name == "violating_items" else PALETTE["actual"]
        ax.barh(y - 8, long, left=x, height=_BAR, color=colour, linewidth=0)
        ax.text(x + long + 4, y - 8, show.count(value), va="center", color=PALETTE["ink"])
