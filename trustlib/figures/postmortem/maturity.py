"""What has arrived so far, and what is expected in the end."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import pandas as pd

from trustlib.core import format as show
from trustlib.core.format import plural
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.harm.words import below
from trustlib.figures.house import PALETTE
from trustlib.figures.postmortem.words import capital, number, value_ticks, without_few
from trustlib.postmortem.result import Postmortem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 12
_COLUMNS = [
    "kind", "seen", "factor", "final", "low", "high", "complete", "final_on", "drawn",
]  # fmt: skip


def maturity(result: Postmortem, *, ax: Axes | None = None) -> Axes | None:
    """Per kind a bar of what is seen, and the expected final count with its interval.

    At the end of each line, which part is in. None where nothing is known.
    """
    rows = maturity_rows(result)
    shown = rows[rows["drawn"]]
    if shown[["seen", "final", "high"]].isna().all(axis=None):
        return None
    ends = shown[["seen", "final", "low", "high"]].astype(float)
    by, word = house.scale(float(ends.max().max()))
    lines = [_line(row, by) for row in shown.to_dict("records")]
    foot = [f"and {plural(len(rows) - len(shown), 'more kind')}"] if len(rows) > len(shown) else []
    foot = ["bar: seen so far · dot: expected in the end", *foot]
    room = max(house.text_width(line.text, bold=line.strong) for line in lines) + 12
    with house.style():
        bottom = dots.BOTTOM + 15.0 * len(foot)
        ax = house.axes(ax, height=dots.height(lines, more=15.0 * len(foot)))
        names = dots.labels(lines, 24)
        seen = (shown["seen"] / by).fillna(0.0)
        ax.barh(range(len(lines)), seen, height=0.62, color=PALETTE["expected"], alpha=0.35)
        dots.rows(ax, lines, names)
        dots.linear(ax)
        house.margins(
            ax, left=dots.widest(names, lines) + 18, right=room + 4, top=dots.TOP, bottom=bottom
        )
        value_ticks(ax)
        dots.finish(ax, lines, room=room)
        house.unit(ax, f"{word}arrivals about the window".strip())
        below(ax, foot)
    return ax


def maturity_rows(result: Postmortem) -> pd.DataFrame:
    """As `Postmortem.maturity`, with drawn: the first 12."""
    frame = without_few(result.maturity, "seen", "factor", "final", "low", "high", "complete")
    rows = frame.assign(
        kind=[clean(kind) or "(empty)" for kind in frame["kind"]],
        drawn=[at < MOST_ROWS for at in range(len(frame))],
    )
    return rows.astype({"drawn": bool})[_COLUMNS].reset_index(drop=True)


def _line(row: dict[Hashable, Any], by: float) -> Line:
    final, low, high = (number(row[name]) / by for name in ("final", "low", "high"))
    seen, complete = number(row["seen"]), number(row["complete"])
    text = f"{show.percent(complete)} in" if complete == complete else ""
    unknown = final != final
    return Line(
        label=capital(row["kind"]), point=final, low=low, high=high, strong=True, text=text,
        note="not estimable" if unknown and high != high and seen != seen else "",
    )  # fmt: skip
