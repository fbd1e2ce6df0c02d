"""Forest plots: one row per choice or segment, its point and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trustlib.core.text import told_apart
from trustlib.figures import house
from trustlib.figures.house import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a forest; `low` and `high` are NaN where there is no interval."""

    label: str
    point: float
    low: float
    high: float
    strong: bool = False


def forest(rows: Sequence[Row], *, unit: str, width: int = 24, ax: Axes | None = None) -> Axes:
    """`rows` from top to bottom; strong ones filled, the others hollow.

    Parameters
    ----------
    unit
        Of the axis; ``{scale}`` in it becomes "thousand " where the numbers are shown so.
    width
        Letters of a label; longer ones are cut.
    """
    with house.style():
        ax = house.axes(ax, height=0.78 + 0.31 * len(rows))
        ends = [x for row in rows for x in (row.point, row.low, row.high) if x == x]
        by, word = house.scale(max((abs(x) for x in ends), default=0.0))
        ax.axvline(0, color=PALETTE["ink"], linewidth=1)
        for y, row in enumerate(rows):
            _draw(ax, y, row, by)
        labels = told_apart((row.label for row in rows), width)
        ax.set_yticks(range(len(rows)), labels)
        for label, row in zip(ax.get_yticklabels(), rows, strict=True):
            label.set(weight="bold" if row.strong else "normal", color=PALETTE["ink"])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.margins(x=0.05)
        ax.grid(False, axis="y")
        ax.grid(True, axis="x")
        house.signed_ticks(ax)
        widths = [
            house.text_width(text, bold=row.strong) for text, row in zip(labels, rows, strict=True)
        ]
        house.margins(ax, left=max(widths, default=0) + 10, right=26, top=24, bottom=24)
        house.unit(ax, unit.replace("{scale}", word))
    return ax


def _draw(ax: Axes, y: int, row: Row, by: float) -> None:
    colour = PALETTE["actual"] if row.strong else PALETTE["expected"]
    if row.low == row.low and row.high == row.high:
        ax.plot([row.low / by, row.high / by], [y, y], color=colour, linewidth=2)
    if row.point == row.point:
        face = colour if row.strong else PALETTE["paper"]
        ax.plot(
            [row.point / by], [y], marker="o", markersize=7,
            color=colour, markerfacecolor=face, markeredgewidth=1.6,
        )  # fmt: skip
