"""Names of lines at their ends, instead of a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from trustlib.figures import house

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE = 14.0  # points that one line of text needs


class End(NamedTuple):
    """Where a line ends, and its name."""

    y: float
    text: str
    color: str
    weight: str


def beside(ax: Axes, y: float, text: str, *, color: str, weight: str) -> None:
    """`text` to the right of the axes, at the height of the value `y`."""
    ax.annotate(
        text, (1, y), xycoords=("axes fraction", "data"), xytext=(5, 0),
        textcoords="offset points", va="center", color=color, weight=weight,
    )  # fmt: skip


def ends_apart(ax: Axes, ends: Sequence[End]) -> None:
    """The names of two lines, kept apart where the lines meet; call it when margins are set."""
    lower, upper = sorted(ends, key=lambda end: end.y)
    height = house.size(ax)[1] * ax.get_position().height
    bottom, top = ax.get_ylim()
    need = _LINE * (top - bottom) / height
    push = max(0.0, (need - (upper.y - lower.y)) / 2)
    floor = max(0.0, bottom + need / 2 - (lower.y - push))  # not into the tick labels
    beside(ax, upper.y + push + floor, upper.text, color=upper.color, weight=upper.weight)
    beside(ax, lower.y - push + floor, lower.text, color=lower.color, weight=lower.weight)
