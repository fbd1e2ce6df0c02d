"""Who is in the donor pool: the treated, the donors by their weight, and who was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.core import format as show
from trustlib.core.calendar import period
from trustlib.core.format import plural
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 0.001  # of the weight: less is none
MOST_LINES = 6  # of names in a group; then how many more
_MOST_SQUARES = 100  # of a group; beyond it, a bar
_SIDE = 10.0  # points of a square
_STEP = 13.0
_TEXT = 15.5  # points of a line of words
_EDGE = 2.0
_PAUSE = 10.0  # between two groups
_NAME = 150.0  # points of a name; a longer one is cut
_COMMA = 9.0
_MORE = 96.0  # for the words that count the rest
_REASONS = {
    "affected": "reached by it otherwise",
    "treated": "treated too",
    "treated from the start": "treated from the first period on",
    "missing cells": "periods are missing",
    "no outcome": "no outcome",
    "not in donor_units": "not in donor_units",
}


@dataclass(frozen=True, kw_only=True)
class _Group:
    """One part of the pool: its heading, a fill (0 to 1) for each unit, and its names in lines."""

    head: str
    colour: str
    fill: np.ndarray
    lines: list[str]
    crossed: bool = False

    @property
    def rows(self) -> int:
        """Lines of squares."""
        return -(-len(self.fill) // _PER_LINE) if len(self.fill) <= _MOST_SQUARES else 1

    @property
    def height(self) -> float:
        return _TEXT + _STEP * self.rows + 4 + _TEXT * len(self.lines)


_WIDTH = 72 * house.WIDTH - 2 * _EDGE
_PER_LINE = int(_WIDTH // _STEP)


def pool_map(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """A square for each unit, by its part; the fuller a donor's square, the heavier it is.
    Crossed squares are units that were left out.

    Names stand under the squares where they may be told, as many as fit into six lines. Groups
    of more than 100 units are a bar, whose length is their number. None where there is nothing
    but the treated.
    """
    if not len(result.pool) or (result.pool["role"] == "treated").all():
        return None
    with house.style():
        groups = _groups(result)
        height = sum(group.height for group in groups) + _PAUSE * (len(groups) - 1) + 6
        ax = house.axes(ax, height=height / 72)
        house.margins(ax, left=0, right=0, top=0, bottom=0)
        ax.set_xlim(0, 72 * house.WIDTH)
        ax.set_ylim(height, 0)
        ax.set_axis_off()
        top, most = 2.0, max(len(group.fill) for group in groups)
        for group in groups:
            _draw(ax, group, top, most=most)
            top += group.height + _PAUSE
    return ax


def _groups(result: SynthResult) -> list[_Group]:
    pool, named = result.pool, result.design.names_shown
    treated = pool[pool["role"] == "treated"]
    donors = pool[pool["role"] == "donor"].sort_values(
        "weight", key=lambda column: -column.abs(), kind="stable"
    )
    used = donors["weight"].abs() > LEAST
    out = pool[pool["role"] == "left out"]
    found = [_treated(treated, named=named)]
    if used.any():
        found.append(_with_weight(donors[used], of=len(donors), named=named))
    if (~used).any():
        idle = donors[~used]
        found.append(_plain(idle, f"donors without weight: {len(idle):,}", named=named))
    for reason, part in out.groupby("reason", sort=False):
        why = _REASONS.get(str(reason), house.fitted(reason, 200))
        head = f"left out, {why}: {len(part):,}"
        reached = str(reason) == "affected"  # the one that would bias the answer
        found.append(_plain(part, head, named=named, crossed=True, reached=reached))
    return found


def _treated(part: pd.DataFrame, *, named: bool) -> _Group:
    starts = part["first_treated"].astype(str)
    each = starts.nunique() > 1
    when = (
        f", {starts.nunique()} starts" if each else f", from {period(starts.iloc[0], width=16)} on"
    )
    return _Group(
        head=f"treated: {len(part):,}{when}",
        colour="actual",
        fill=np.ones(len(part)),
        lines=_wrapped(part["unit"], [f" ({period(s, width=16)})" if each else "" for s in starts])
        if named
        else [],
    )


def _with_weight(part: pd.DataFrame, *, of: int, named: bool) -> _Group:
    weight = part["weight"].to_numpy(dtype=float)
    return _Group(
        head=f"donors with weight: {len(part):,} of {plural(of, 'donor')}",
        colour="expected",
        fill=np.abs(weight) / np.abs(weight).max(),
        lines=_wrapped(part["unit"], [f" {show.percent(share)}" for share in weight.tolist()])
        if named
        else [],
    )


def _plain(
    part: pd.DataFrame, head: str, *, named: bool, crossed: bool = False, reached: bool = False
) -> _Group:
    return _Group(
        head=head,
        colour="harm" if reached else "expected",
        crossed=crossed,
        fill=np.zeros(len(part)),
        lines=_wrapped(part["unit"], [""] * len(part)) if named else [],
    )


def _wrapped(names: Iterable[object], tails: Sequence[str]) -> list[str]:
    """Names one after the other, in lines of the figure's width; the rest of many is counted."""
    lines: list[str] = []
    line, filled = "", 0.0
    for i, (name, tail) in enumerate(zip(names, tails, strict=True)):
        word = house.fitted(name, _NAME) + tail
        need = house.text_width(word) + _COMMA
        last = len(lines) == MOST_LINES - 1
        if line and filled + need > _WIDTH - (_MORE if last else 0.0):
            if last:
                return [*lines, f"{line} … and {len(tails) - i:,} more"]
            lines.append(f"{line},")
            line, filled = "", 0.0
        line = f"{line}, {word}" if line else word
        filled += need
    return [*lines, line]


def _draw(ax: Axes, group: _Group, top: float, *, most: int) -> None:
    ax.text(_EDGE, top + _TEXT / 2, group.head, va="center", color=PALETTE["ink"], weight="bold")
    start = top + _TEXT + 1
    if len(group.fill) > _MOST_SQUARES:
        end = _EDGE + _WIDTH * len(group.fill) / most
        _boxes(ax, [(_EDGE, start, end, start + _SIDE)], PALETTE[group.colour], 0.45)
    else:
        _squares(ax, group, start)
    for i, line in enumerate(group.lines):
        y = start + _STEP * group.rows + 3 + _TEXT * (i + 0.5)
        ax.text(_EDGE, y, line, va="center", color=PALETTE["muted"])


def _squares(ax: Axes, group: _Group, start: float) -> None:
    """Outlines in one path and fillings in another: a page does not carry hundreds of each."""
    colour = PALETTE[group.colour]
    frames, filled, crosses = [], [], []
    for i, fill in enumerate(group.fill.tolist()):
        x = _EDGE + _STEP * (i % _PER_LINE) + 0.5
        y = start + _STEP * (i // _PER_LINE) + 0.5
        frames.append((x, y, x + _SIDE, y + _SIDE))
        if fill > 0:
            filled.append((x, y + _SIDE * (1 - fill), x + _SIDE, y + _SIDE))
        elif group.crossed:
            nan = float("nan")
            crosses += [(x, y), (x + _SIDE, y + _SIDE), (nan, nan)]
    _boxes(ax, filled, colour, 1.0)
    _boxes(ax, frames, colour, None)
    if crosses:
        at = np.array(crosses)
        ax.plot(at[:, 0], at[:, 1], color=colour, linewidth=1)


def _boxes(
    ax: Axes, boxes: list[tuple[float, float, float, float]], colour: str, alpha: float | None
) -> None:
    if alpha is None:
        house.rectangles(ax, boxes, facecolor="none", edgecolor=colour, linewidth=1.0)
    else:
        house.rectangles(ax, boxes, facecolor=colour, alpha=alpha, linewidth=0)
