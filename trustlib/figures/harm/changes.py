"""What changed in the instrument, and where the series moved: marks on a time axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.core.format import day
from trustlib.figures import house
from trustlib.figures.harm.words import told, wrapped
from trustlib.figures.house import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 17.0  # points of a row of marks, at the upper end of the axes
MOST_LINES = 6  # of the key
_DASHES = (0, (3, 3))


def change_names(changes: pd.DataFrame, timezone: str) -> list[str]:
    """ "model, 17 Dec" of each change."""
    return [
        f"{house.fitted(row['what'], 90)}, {day(row['at'], timezone, year=False)}"
        for row in changes.to_dict("records")
    ]


def fits(names: Sequence[str], places: Sequence[float], width: float) -> bool:
    """Whether the names stand side by side, each at its own line; places in points."""
    edges = [*places[1:], width][: len(places)]
    return all(
        house.text_width(name) + 8 < after - before
        for name, before, after in zip(names, places, edges, strict=True)
    )


def mark_changes(ax: Axes, at: Sequence[float], names: Sequence[str] | None, *, row: int) -> None:
    """Dashed lines, and above them their names; numbers where these do not fit.

    Parameters
    ----------
    at
        In order, in the units of the x axis.
    names
        None: numbers from 1, those of lines that nearly meet put together.
    row
        Of the names, from the top of the axes.
    """
    height = house.size(ax)[1] * ax.get_position().height
    for x in at:
        ax.axvline(
            x,
            ymax=1 - ROW * (row + 1) / height,
            color=PALETTE["warn"],
            linewidth=1,
            linestyle=_DASHES,
        )
    places = points(ax, at)
    numbers = [str(i + 1) for i in range(len(at))]
    groups = _groups(numbers, places) if names is None else [[i] for i in range(len(at))]
    for group in groups:
        first, last = numbers[group[0]], numbers[group[-1]]
        text = names[group[0]] if names else first if first == last else f"{first}–{last}"
        late = places[group[0]] + house.text_width(text) + 4 > points(ax, [ax.get_xlim()[1]])[0]
        ax.annotate(
            text, (at[group[0]], 1), xycoords=("data", "axes fraction"),
            xytext=(2 if late else -2, -1 - ROW * row), textcoords="offset points",
            color=PALETTE["warn"], va="top", ha="right" if late else "left",
        )  # fmt: skip


def _groups(numbers: Sequence[str], places: Sequence[float]) -> list[list[int]]:
    """Numbers whose lines are too close for one each."""
    groups: list[list[int]] = []
    end = -np.inf
    for i, place in enumerate(places):
        if place < end and groups:
            groups[-1].append(i)
        else:
            groups.append([i])
        text = f"{numbers[groups[-1][0]]}–{numbers[i]}" if len(groups[-1]) > 1 else numbers[i]
        end = places[groups[-1][0]] + house.text_width(text) + 8
    return groups


def mark_moves(ax: Axes, moves: pd.DataFrame, *, row: int) -> None:
    """Each move's interval of time with a triangle; filled where it is attributable."""
    from matplotlib.dates import date2num

    height = house.size(ax)[1] * ax.get_position().height
    y = 1 - (ROW * row + 8) / height
    across = ax.get_xaxis_transform()
    spans = [
        (float(date2num(one["at"])), float(date2num(one["until"])))
        for one in moves.to_dict("records")
    ]
    whole = points(ax, [ax.get_xlim()[1]])[0]
    taken = [tuple(points(ax, span)) for span in spans]
    for span, one in zip(spans, moves.to_dict("records"), strict=True):
        colour = PALETTE["harm"] if one["attributable"] else PALETTE["muted"]
        ax.plot(span, [y, y], color=colour, linewidth=2, transform=across)
        ax.plot(
            [sum(span) / 2], [y], marker="^" if one["ratio"] > 1 else "v", markersize=8,
            color=colour, transform=across, markeredgewidth=1.4, zorder=5,
            markerfacecolor=colour if one["attributable"] else PALETTE["paper"],
        )  # fmt: skip
        left, right = points(ax, span)
        size = f"×{told(one['ratio'])}"
        for text in (size if one["attributable"] else f"{size}, not attributable", size):
            place = _free(text, (left, right), taken, whole)
            if place is None:
                continue
            taken.append((place, place + house.text_width(text)))
            ax.annotate(
                text, (ax.get_xlim()[0], y), xycoords=("data", "axes fraction"),
                xytext=(place, 0), textcoords="offset points", color=colour, va="center",
            )  # fmt: skip
            break


def _free(
    text: str, span: tuple[float, float], taken: Sequence[tuple[float, ...]], whole: float
) -> float | None:
    """Where words beside a mark meet nothing: after it, or before it; None: nowhere."""
    need = house.text_width(text)
    for start in (span[1] + 7, span[0] - 7 - need):
        meets = any(start < b + 4 and a - 4 < start + need for a, b in taken)
        if start >= 0 and start + need <= whole and not meets:
            return start
    return None


def points(ax: Axes, values: Sequence[float]) -> list[float]:
    """How far values lie from the left end of the axes, in points."""
    low, high = ax.get_xlim()
    width = house.size(ax)[0] * ax.get_position().width
    return [(value - low) / (high - low) * width for value in values]


def key(names: Sequence[str], width: float) -> list[str]:
    """ "1 model, 17 Dec · 2 …" in at most six lines of `width` points; the rest is counted."""
    numbered = [f"{i + 1} {name}" for i, name in enumerate(names)]
    for shown in range(len(names), 0, -1):
        rest = [f"and {len(names) - shown:,} more"] if shown < len(names) else []
        lines = wrapped([*numbered[:shown], *rest], width)
        if len(lines) <= MOST_LINES:
            return lines
    return []
