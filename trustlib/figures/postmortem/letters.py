"""Marks with letters, each where no other mark or letter stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from trustlib.figures import house
from trustlib.figures.house import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

_STATUS = {"recommended": ("D", True), "existing": ("s", True), "proposed": ("o", False)}
_AROUND = ((0, 14), (14, 0), (0, -14), (-14, 0), (12, 12), (12, -12), (-12, 12), (-12, -12))


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A mark at (x, y) with the interval of x (NaN: none), its letter, and what it is."""

    letter: str
    status: str
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class _Spot:
    """Where a mark or a letter stands, in points."""

    x: float
    y: float

    def meets(self, other: _Spot, room: float = 13) -> bool:
        return abs(self.x - other.x) < room and abs(self.y - other.y) < room


def letters(ax: Axes, marks: Sequence[Marked]) -> None:
    """Draw `marks`; call it when margins and limits are set, and lines are drawn."""
    ink = PALETTE["ink"]
    for mark in marks:
        if mark.low == mark.low and mark.high == mark.high:
            ax.plot([mark.low, mark.high], [mark.y, mark.y], color=ink, linewidth=1.6)
        marker, filled = _STATUS.get(mark.status, ("o", False))
        ax.plot(
            [mark.x], [mark.y], marker=marker, markersize=8, color=ink, clip_on=False, zorder=5,
            markerfacecolor=ink if filled else PALETTE["paper"], markeredgewidth=1.6,
        )  # fmt: skip
    spots = [_Spot(*place(ax, mark.x, mark.y)) for mark in marks]
    taken, lines = list(spots), _strokes(ax)
    for mark, spot in zip(marks, spots, strict=True):
        free = _free(ax, spot, taken, lines)
        taken.append(free)
        ax.annotate(
            mark.letter, (mark.x, mark.y), xytext=(free.x - spot.x, free.y - spot.y),
            textcoords="offset points", ha="center", va="center", weight="bold", color=ink,
            zorder=6,
        )  # fmt: skip


def _strokes(ax: Axes) -> list[_Spot]:
    """Points every few points along all lines that are drawn."""
    spots = []
    for line in ax.lines:
        ends = line.get_transform().transform(line.get_xydata())
        at = in_points(ax).inverted().transform(ends)
        for (x0, y0), (x1, y1) in pairwise(at):
            steps = max(1, int(max(abs(x1 - x0), abs(y1 - y0)) / 6))
            spots += [
                _Spot(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps)
                for k in range(steps + 1)
            ]
    return spots


def in_points(ax: Axes) -> Transform:
    """From points, counted from the lower left corner of the axes."""
    from matplotlib.transforms import Affine2D

    width, height = house.size(ax)
    box = ax.get_position()
    return Affine2D().scale(1 / (width * box.width), 1 / (height * box.height)) + ax.transAxes


def place(ax: Axes, x: float, y: float) -> tuple[float, float]:
    """Data to points, counted from the lower left corner of the axes."""
    at_x, at_y = (ax.transData + in_points(ax).inverted()).transform((x, y))
    return float(at_x), float(at_y)


def _free(ax: Axes, spot: _Spot, taken: Sequence[_Spot], lines: Sequence[_Spot]) -> _Spot:
    """The nearest place around a mark with no mark, letter or line; a line if need be."""
    width, height = place(ax, ax.get_xlim()[1], ax.get_ylim()[1])
    around = [
        _Spot(spot.x + ring * dx, spot.y + ring * dy) for ring in range(1, 9) for dx, dy in _AROUND
    ]
    free = [
        one
        for one in around
        if 4 <= one.x <= width - 4
        and 8 <= one.y <= height - 4
        and not any(one.meets(other) for other in taken)
    ]
    clear = [one for one in free[:16] if not any(one.meets(other, 8) for other in lines)]
    return next(iter([*clear, *free, spot]))
