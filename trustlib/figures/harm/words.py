"""Units, numbers and lines of words that the figures of a deep-dive share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trustlib.core.text import told_apart
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE = 15.0  # points that a line of words needs
FEW = f"fewer than {SMALLEST_CELL}"
_RARE = 0.01  # shares below it read better per 10,000
_CONTROLS = {"reported": "user reports"}


def share_unit(result: DeepDive) -> tuple[float, str]:
    """What to multiply shares by, and its words; the same in all figures of a result."""
    size, known = result.size, []
    for one in (size.items, size.views, size.items_corrected, size.views_corrected):
        if one is not None and one.estimate.point is not None:
            known.append(one.estimate.point)
    if not known and result.ledger is not None:
        known = [x for x in result.ledger.trend.points["estimate"].tolist() if x == x]
    rare = bool(known) and max(known) < _RARE
    return (10_000.0, "per 10,000") if rare else (100.0, "per cent")


def told(value: float, *, sign: bool = False) -> str:
    """`value` at two significant digits, three from 100 on: "2.6", "0.043", "1,240"."""
    if value != value:
        return ""
    size = abs(value)
    if size >= 99.5:
        body = f"{round(size, 1 - math.floor(math.log10(size)) + 1):,.0f}"
    else:
        digits = 0 if not size else max(0, 1 - math.floor(math.log10(size)))
        body = f"{round(size, digits):.{digits}f}"
    if not float(body.replace(",", "")):
        return "0"
    return f"{'−' if value < 0 else '+' if sign else ''}{body}"


def alike(values: Sequence[float]) -> list[str]:
    """`values` with a sign, at the decimals that the largest needs for two digits; they add up."""
    largest = max((abs(value) for value in values), default=0.0)
    digits = max(0, 1 - math.floor(math.log10(largest))) if largest else 0
    return [
        f"{'−' if rounded < 0 else '+' if rounded else ''}{abs(rounded):,.{digits}f}"
        for rounded in (round(value, digits) for value in values)
    ]


def control_names(names: Iterable[object], width: int) -> list[str]:
    """Controls as a reader knows them, cut to `width` letters and told apart."""
    cut = told_apart((_CONTROLS.get(str(name), name) for name in names), width)
    return [house.fitted(name, 8.0 * width) for name in cut]


def number(estimate_end: float | None) -> float:
    """NaN where there is none."""
    return math.nan if estimate_end is None else float(estimate_end)


def wrapped(parts: Sequence[str], width: float, *, between: str = " · ") -> list[str]:
    """`parts` one after the other in lines of `width` points; a longer part is cut."""
    lines: list[str] = []
    for part in parts:
        part = house.fitted(part, width)
        longer = f"{lines[-1]}{between}{part}" if lines else part
        if lines and house.text_width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def below(ax: Axes, lines: Sequence[str], *, first: float = 22.0) -> None:
    """Lines of words under the axes, from the figure's left edge; `first` points below them."""
    for i, line in enumerate(lines):
        ax.annotate(
            line, (0, 0), xycoords=("figure fraction", "axes fraction"),
            xytext=(2, -first - LINE * i), textcoords="offset points", color=PALETTE["muted"],
            va="top",
        )  # fmt: skip


def above(ax: Axes, text: str, *, right: bool = False, line: int = 0, color: str = "muted") -> None:
    """Words above the axes, at their own left or right end."""
    ax.annotate(
        text, (1 if right else 0, 1), xycoords="axes fraction", xytext=(0, 7 + LINE * line),
        textcoords="offset points", color=PALETTE[color], va="bottom",
        ha="right" if right else "left",
    )  # fmt: skip
