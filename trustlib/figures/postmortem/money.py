"""Money lost, come back, and left, each with its interval."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import pandas as pd

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.postmortem.words import capital, known, number, side, value_ticks
from trustlib.postmortem.result import Postmortem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = ["item", "side", "point", "low", "high"]


def money(result: Postmortem, *, ax: Axes | None = None) -> Axes | None:
    """Gross, recovered and net in dollars, with their intervals; None where no amount is known."""
    rows = money_rows(result)
    if rows["point"].isna().all():
        return None
    ends = rows[["point", "low", "high"]].astype(float)
    by, word = house.scale(float(ends.abs().max().max()))
    lines: list[Line] = []
    for way, group in rows.groupby("side", sort=False):
        if rows["side"].nunique() > 1:
            lines.append(Line(label=capital(side(way)), heading=True))
        lines += [_line(row, by) for row in group.to_dict("records")]
    room = max(house.text_width(line.text, bold=line.strong) for line in lines) + 12
    with house.style():
        ax = house.axes(ax, height=dots.height(lines))
        names = dots.labels(lines, 24)
        dots.rows(ax, lines, names)
        below_zero = bool(ends.min().min() < 0)
        dots.linear(ax, least=None if below_zero else 0.0)
        if below_zero:
            dots.reference(ax, 0.0, lines, dashed=False)
        house.margins(
            ax, left=dots.widest(names, lines) + 18, right=room + 4, top=dots.TOP,
            bottom=dots.BOTTOM,
        )  # fmt: skip
        value_ticks(ax, most=4)
        dots.finish(ax, lines, room=room)
        house.unit(ax, f"{word}US dollars, with interval".strip())
    return ax


def money_rows(result: Postmortem) -> pd.DataFrame:
    """item, side, point, low, high (USD)."""
    return result.money[_COLUMNS].reset_index(drop=True)


def _line(row: dict[Hashable, Any], by: float) -> Line:
    point, low, high = (number(row[name]) for name in ("point", "low", "high"))
    return Line(
        label=capital(row["item"]), point=point / by, low=low / by, high=high / by,
        strong=row["item"] == "net", text="" if point != point else show.usd(known(point)),
        note="" if point == point else "not estimable",
    )  # fmt: skip
