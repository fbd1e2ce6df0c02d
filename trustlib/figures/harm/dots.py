"""Rows of dots with their intervals, under headings, with a number at the end of each row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trustlib.core.text import told_apart
from trustlib.figures import house
from trustlib.figures.house import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 21.0  # points
TOP, BOTTOM = 26.0, 24.0
WIDEST = 190.0  # points of a row's name
_NAN = float("nan")
_STEPS = {1: (1,), 2: (1, 3), 3: (1, 2, 5)}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row. `low`, `high` NaN: no interval; `point` NaN: no dot.

    Attributes
    ----------
    label
        At the left; a heading's stands alone in its row.
    text
        At the right end, beyond the axes.
    note
        In the row, where there is no dot.
    mark
        A second value, drawn as a hollow diamond.
    since, until
        Ends of a pale dotted bar of what is possible, where nothing else may be shown; what
        reaches beyond the axis has an arrow.
    """

    label: str
    point: float = _NAN
    low: float = _NAN
    high: float = _NAN
    text: str = ""
    note: str = ""
    mark: float = _NAN
    strong: bool = False
    heading: bool = False
    since: float = _NAN
    until: float = _NAN


def height(lines: Sequence[Line], *, more: float = 0.0) -> float:
    """Inches of a figure that has these rows, and `more` points besides."""
    return (TOP + ROW * len(lines) + BOTTOM + more) / 72


def labels(lines: Sequence[Line], width: int) -> list[str]:
    """What is written at the left; names that would read alike are told apart."""
    cut = told_apart((line.label for line in lines), width)
    return [
        house.fitted(name, WIDEST, bold=True) if line.label else ""
        for name, line in zip(cut, lines, strict=True)
    ]


def widest(texts: Sequence[str], lines: Sequence[Line]) -> float:
    """Points that the texts need; strong rows and headings are bold."""
    widths = [
        house.text_width(text, bold=line.strong or line.heading)
        for text, line in zip(texts, lines, strict=True)
        if text
    ]
    return max(widths, default=0.0)


def rows(ax: Axes, lines: Sequence[Line], names: Sequence[str] | None) -> None:
    """Draw `lines` from top to bottom; `names` None: another panel has them."""
    for y, line in enumerate(lines):
        _draw(ax, y, line)
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.grid(True, axis="x")
    ax.tick_params(axis="y", pad=8)  # dots at the axis' end stick out
    shown = names if names is not None else [""] * len(lines)
    ax.set_yticks(range(len(lines)), ["" if one.heading else name
                                      for name, one in zip(shown, lines, strict=True)])  # fmt: skip
    for tick, line in zip(ax.get_yticklabels(), lines, strict=True):
        tick.set(weight="bold" if line.strong else "normal", color=PALETTE["ink"])
    for y, (name, line) in enumerate(zip(shown, lines, strict=True)):
        if line.heading and name:
            ax.annotate(
                name, (0, y), xycoords=("figure fraction", "data"), xytext=(2, 0),
                textcoords="offset points", va="center", color=PALETTE["muted"], weight="bold",
            )  # fmt: skip


def reference(ax: Axes, at: float, lines: Sequence[Line], *, dashed: bool = True) -> None:
    """A vertical line through all rows but those that have words in its way."""
    y = 0
    while y < len(lines):
        end = y
        while end < len(lines) and not lines[end].note:
            end += 1
        if end > y:
            ax.plot(
                [at, at], [y - 0.5, end - 0.5], color=PALETTE["ink"], linewidth=1, zorder=1,
                linestyle=(0, (3, 3)) if dashed else "-", solid_capstyle="butt",
            )  # fmt: skip
        y = end + 1


def finish(ax: Axes, lines: Sequence[Line], *, room: float = 0.0) -> None:
    """Bars of what is possible, words in rows without a dot, and the rows' texts.

    Call it when margins and limits are set. Texts end `room` points beyond the axes.
    """
    within = house.size(ax)[0] * ax.get_position().width - 8
    end = ax.get_xlim()[1]
    for y, line in enumerate(lines):
        if line.since == line.since:
            colour, inside = PALETTE["expected"], min(line.until, end)
            ax.plot(
                [line.since, inside], [y, y], color=colour, linewidth=2, linestyle=(0, (1, 1.4)),
                solid_capstyle="butt",
            )  # fmt: skip
            ax.plot(
                [inside], [y], marker=">" if line.until > end else "|", markersize=8,
                color=colour, clip_on=False,
            )  # fmt: skip
        if line.note:
            ax.annotate(
                house.fitted(line.note, within), (0, y), xycoords=("axes fraction", "data"),
                xytext=(5, 0), textcoords="offset points", va="center", color=PALETTE["muted"],
            )  # fmt: skip
        if line.text:
            ax.annotate(
                line.text, (1, y), xycoords=("axes fraction", "data"), xytext=(room, 0),
                textcoords="offset points", va="center", ha="right", color=PALETTE["ink"],
                weight="bold" if line.strong else "normal",
            )  # fmt: skip


def linear(ax: Axes, *, least: float | None = 0.0, most: int = 5) -> None:
    """Few ticks without a sign; `least` is the axis' lower end."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.margins(x=0.04)
    ax.autoscale(axis="x")
    high = ax.get_xlim()[1]
    if least is not None:
        ax.set_xlim(least, high if high > least else least + 1.0)
    ax.xaxis.set_major_locator(MaxNLocator(most))
    ax.xaxis.set_major_formatter(FuncFormatter(house.number))


def logarithmic(ax: Axes, values: Sequence[float]) -> None:
    """A log axis around `values` with at most seven ticks at round numbers."""
    known = [value for value in values if value > 0 and math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.5, 2.0)
    span = max(math.log10(high / low), 0.3)
    ax.set_xscale("log")
    ax.set_xlim(low / 10 ** (0.06 * span), high * 10 ** (0.06 * span))
    left, right = ax.get_xlim()
    marks: list[float] = []
    for steps in (3, 2, 1):
        decades = range(math.floor(math.log10(left)), math.ceil(math.log10(right)) + 1)
        marks = [
            k * 10.0**d for d in decades for k in _STEPS[steps] if left <= k * 10.0**d <= right
        ]
        if len(marks) <= 7:
            break
    marks = marks[:: -(-len(marks) // 7)] if marks else [low]
    ax.set_xticks(marks, [house.number(mark) for mark in marks])
    ax.set_xticks([], minor=True)


def _draw(ax: Axes, y: int, line: Line) -> None:
    colour = PALETTE["actual"] if line.strong else PALETTE["expected"]
    if line.low == line.low and line.high == line.high:
        ax.plot([line.low, line.high], [y, y], color=colour, linewidth=2)
    if line.mark == line.mark:
        ax.plot(
            [line.mark], [y], marker="D", markersize=6, color=PALETTE["ink"], clip_on=False,
            markerfacecolor=PALETTE["paper"], markeredgewidth=1.2, zorder=4,
        )  # fmt: skip
    if line.point == line.point and math.isfinite(line.point):
        ax.plot(
            [line.point], [y], marker="o", markersize=7, color=colour, zorder=5, clip_on=False,
            markerfacecolor=colour if line.strong else PALETTE["paper"], markeredgewidth=1.6,
        )  # fmt: skip
