"""Marks with letters, each where no other mark or letter stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

    def meets(self, other: _Spot) -> bool:
        return abs(self.x - other.x) < 13 and abs(self.y - other.y) < 13


def letters(ax: Axes, marks: Sequence[Marked]) -> None:
    """Draw `marks`; call it when margins and limits are set."""
    ink = PALETTE["ink"]
    spots = [_Spot(*place(ax, mark.x, mark.y)) for mark in marks]
    taken = list(spots)
    for mark, spot in zip(marks, spots, strict=True):
        if mark.low == mark.low and mark.high == mark.high:
            ax.plot([mark.low, mark.high], [mark.y, mark.y], color=ink, linewidth=1.6)
        marker, filled = _STATUS.get(mark.status, ("o", False))
        ax.plot(
            [mark.x], [mark.y], marker=marker, markersize=8, color=ink, clip_on=False, zorder=5,
            markerfacecolor=ink if filled else PALETTE["paper"], markeredgewidth=1.6,
        )  # fmt: skip
        free = _free(ax, spot, taken)
        taken.append(free)
        ax.annotate(
            mark.letter, (mark.x, mark.y), xytext=(free.x - spot.x, free.y - spot.y),
            textcoords="offset points", ha="center", va="center", weight="bold", color=ink,
            zorder=6,
        )  # fmt: skip


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


def _free(ax: Axes, spot: _Spot, taken: Sequence[_Spot]) -> _Spot:
    """The nearest place around a mark where nothing stands yet."""
    width, height = place(ax, ax.get_xlim()[1], ax.get_ylim()[1])
    for ring in range(1, 9):
        for dx, dy in _AROUND:
            one = _Spot(spot.x + ring * dx, spot.y + ring * dy)
            inside = 4 <= one.x <= width - 4 and 8 <= one.y <= height - 4
            if inside and not any(one.meets(other) for other in taken):
                return one
    return spot
