"""Words and small pieces that the figures of a postmortem share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import clean, told_apart
from trustlib.figures import house
from trustlib.figures.harm.dots import WIDEST, Line
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = f"fewer than {SMALLEST_CELL}"
_SIDES = {"over": "wrongly actioned", "under": "missed", "both": "together"}


def decided(name: object) -> str:
    """What was decided about a case, rightly or wrongly."""
    return {"over": "actioned", "under": "not actioned"}.get(str(name), clean(name))


def side(name: object) -> str:
    """ "over" and "under" as a reader knows them."""
    return _SIDES.get(str(name), clean(name))


def capital(text: object) -> str:
    """`text` cleaned, with a capital letter in front and blanks for underscores."""
    whole = clean(str(text).replace("_", " "))
    return whole[:1].upper() + whole[1:]


def number(value: Any) -> float:
    """NaN where there is none."""
    return math.nan if value is None or pd.isna(value) else float(value)


def known(value: float) -> float | None:
    """None where there is none: what `trustlib.core.format` takes."""
    return value if math.isfinite(value) else None


def counted(value: float) -> str:
    """A count as its row says it: "253", "1.2 million", "fewer than 11" where it is withheld."""
    return show.count(round(value) if value >= 10 else value) if math.isfinite(value) else FEW


def without_few(frame: pd.DataFrame, count: str, *made_from: str) -> pd.DataFrame:
    """`frame` with NaN for counts below 11, and for what is made from them."""
    few = (frame[count] > 0) & (frame[count] < SMALLEST_CELL)
    columns = [count, *made_from]
    return frame.assign(**{name: frame[name].astype(float).mask(few) for name in columns})


def value_ticks(ax: Axes, *, most: int = 5) -> None:
    """Few ticks on the x axis, without a sign, whose labels do not meet."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    room = house.size(ax)[0] * ax.get_position().width
    low, high = ax.get_xlim()
    for number_of in range(most, 0, -1):
        locator = MaxNLocator(number_of)
        marks = [x for x in locator.tick_values(low, high) if low <= x <= high]
        needed = sum(house.text_width(house.number(mark)) + 14 for mark in marks)
        if needed <= room or number_of == 1:
            break
    ax.set_xticks(marks)
    ax.xaxis.set_major_formatter(FuncFormatter(house.number))


def row_names(lines: Sequence[Line], width: int = 24) -> list[str]:
    """Names of rows, cut and told apart; a heading may be as wide as the figure."""
    own = iter(told_apart((line.label for line in lines if not line.heading), width))
    return [
        house.fitted(line.label, 72 * house.WIDTH - 8, bold=True)
        if line.heading
        else house.fitted(next(own), WIDEST, bold=True)
        for line in lines
    ]
