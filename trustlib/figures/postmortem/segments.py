"""Wrong cases by segment, with their interval, and of how many."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import pandas as pd

from trustlib.core.format import plural
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.harm.words import LINE, below
from trustlib.figures.postmortem.words import (
    capital,
    counted,
    number,
    row_names,
    side,
    value_ticks,
    without_few,
)
from trustlib.postmortem.result import Postmortem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 14
_COLUMNS = ["segment", "value", "side", "items", "point", "low", "high", "drawn"]


def by_segment(result: Postmortem, *, ax: Axes | None = None) -> Axes | None:
    """How many cases of each value were wrong; at the end of each line, of how many cases.

    The 14 values with the most cases, under the name of their segment. None where no segment has
    enough labels.
    """
    rows = by_segment_rows(result)
    shown = rows[rows["drawn"]]
    if shown["point"].isna().all():
        return None
    ends = shown[["point", "low", "high"]].to_numpy(dtype=float)
    by, word = house.scale(float(pd.Series(ends.ravel()).max()))
    lines: list[Line] = []
    for (segment, way), group in shown.groupby(["segment", "side"], sort=False):
        lines.append(Line(label=f"{capital(segment)}, {side(way)}", heading=True))
        lines += [_line(row, by) for row in group.to_dict("records")]
    left = len(rows) - len(shown)
    foot = [f"and {plural(left, 'more value')} in the file"] if left else []
    room = max(house.text_width(line.text, bold=line.strong) for line in lines) + 12
    with house.style():
        ax = house.axes(ax, height=dots.height(lines, more=LINE * len(foot)))
        names = row_names(lines)
        own = [name for name, line in zip(names, lines, strict=True) if not line.heading]
        dots.rows(ax, lines, names)
        dots.linear(ax)
        wide = max(house.text_width(name, bold=True) for name in own)
        house.margins(
            ax, left=wide + 18, right=room + 4, top=dots.TOP,
            bottom=dots.BOTTOM + LINE * len(foot),
        )  # fmt: skip
        value_ticks(ax)
        dots.finish(ax, lines, room=room)
        house.unit(ax, f"{word}wrong cases, with interval; at the right, of all cases")
        below(ax, foot)
    return ax


def by_segment_rows(result: Postmortem) -> pd.DataFrame:
    """segment, value, side, items, point, low, high, drawn; those with the most cases are drawn."""
    frame = without_few(result.by_segment, "items", "point", "low", "high")
    if frame.empty:
        return frame.assign(drawn=pd.Series(dtype=bool))[_COLUMNS]
    rank = frame["items"].rank(method="first", ascending=False, na_option="bottom")
    rows = frame.assign(
        segment=[clean(name) for name in frame["segment"]],
        value=[clean(name) or "(empty)" for name in frame["value"]],
        drawn=rank <= MOST_ROWS,
    )
    return rows[_COLUMNS].reset_index(drop=True)


def _line(row: dict[Hashable, Any], by: float) -> Line:
    point, low, high = (number(row[name]) / by for name in ("point", "low", "high"))
    items = number(row["items"])
    return Line(
        label=str(row["value"]), point=point, low=low, high=high, strong=low > 0,
        text=f"of {counted(items)}" if items == items else "",
        note="" if point == point else "too few labels",
    )  # fmt: skip
