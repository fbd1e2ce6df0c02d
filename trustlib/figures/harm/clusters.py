"""Groups of accounts that act as one: how large, how harmful, how far they reach."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.published import published
from trustlib.harm.deep_dive.result import DeepDive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW, _TOP = 38.0, 26.0  # points
_GAP = 14.0  # between columns
_BAR = 11.0
_MEASURES = {"accounts": "accounts", "violating_items": "violating items", "views": "views"}
_COLUMNS = ["cluster", "evidence", *_MEASURES]


def clusters(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Clusters in their rank, each with what ties it and a bar for size, harm and reach.

    Clusters of fewer than 11 accounts, and those after the twelfth, are one row. What may not be
    shown reads "withheld". None without a cluster.
    """
    rows = clusters_rows(result)
    if rows.empty:
        return None
    with house.style():
        known = bool(rows[list(_MEASURES)].notna().any(axis=None))
        top, row_height = (_TOP, _ROW) if known else (4.0, _ROW / 2)
        ax = house.axes(ax, height=(top + row_height * len(rows) + 6) / 72)
        width, height = house.size(ax)
        house.margins(ax, left=0, right=0, top=0, bottom=0)
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_axis_off()
        column = (width - 6 - 2 * _GAP) / len(_MEASURES)
        if known:
            for i, words in enumerate(_MEASURES.values()):
                x = 2 + (column + _GAP) * i
                ax.text(x, _TOP - 14, words, va="center", color=PALETTE["muted"])
        for i, row in enumerate(rows.to_dict("records")):
            y = top + row_height * i + 9
            _name(ax, row, y)
            if known:
                _bars(ax, row, rows, y + 17, column)
    return ax


def clusters_rows(result: DeepDive) -> pd.DataFrame:
    """cluster, evidence, accounts, violating_items, views: what of it may be shown.

    The last row is all smaller clusters together; NaN where a count is withheld.
    """
    if result.how.coordination is None:
        return pd.DataFrame(columns=_COLUMNS)
    frame = published(result).clusters
    if frame.empty:
        return pd.DataFrame(columns=_COLUMNS)
    evidence = [clean(kinds).replace("_", " ") for kinds in frame["evidence"]]
    return frame.assign(evidence=evidence)[_COLUMNS].reset_index(drop=True)


def _name(ax: Axes, row: dict[Hashable, Any], y: float) -> None:
    """The cluster, and what ties its accounts."""
    name = house.fitted(row["cluster"], 200, bold=True)
    ax.text(2, y, name, va="center", color=PALETTE["ink"], weight="bold")
    if row["evidence"]:
        start = 2 + house.text_width(name, bold=True) + 8
        text = house.fitted(f"tied by {row['evidence']}", house.size(ax)[0] - start - 4)
        ax.text(start, y, text, va="center", color=PALETTE["muted"])


def _bars(ax: Axes, row: dict[Hashable, Any], rows: pd.DataFrame, y: float, column: float) -> None:
    for i, name in enumerate(_MEASURES):
        x, value = 2 + (column + _GAP) * i, float(row[name])
        if math.isnan(value):
            ax.text(x, y, "withheld", va="center", color=PALETTE["muted"])
            continue
        if not row["evidence"]:  # many clusters together: no bar among those of single ones
            ax.text(x, y, show.count(value), va="center", color=PALETTE["ink"])
            continue
        own = rows.loc[rows["evidence"] != "", name].dropna()
        words = [show.count(one) for one in own]
        room = column - max(house.text_width(text) for text in words) - 6
        long = max(1.0, room * value / max(float(own.max()), 1.0))
        colour = PALETTE["harm"] if name == "violating_items" else PALETTE["actual"]
        ax.barh(y, long, left=x, height=_BAR, color=colour, linewidth=0)
        ax.text(x + long + 4, y, show.count(value), va="center", color=PALETTE["ink"])
