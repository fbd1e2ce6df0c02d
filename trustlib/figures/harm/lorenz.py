"""How few accounts are behind the harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.harm.concentration import Concentration
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TOP = 0.01  # of the accounts, whose share is written out
_NOTHING = 0.001  # of the harm: where the curve may be left out
_COLUMNS = ["accounts", "harm", "low", "high"]


def concentration_curve(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Lorenz curve of confirmed violating items over accounts, with its band and the equality line.

    Accounts stand from those with least; where most have none, the axis begins where the curve
    leaves zero. What the top 1 % have is written out. None without a curve, or with fewer than 11
    accounts behind it.
    """
    rows = concentration_curve_rows(result)
    found = result.where.concentration
    if rows.empty or found is None:
        return None
    with house.style():
        ax = house.axes(ax, height=3.4)
        x, y = 100 * rows["accounts"], 100 * rows["harm"]
        ax.fill_between(
            x, 100 * rows["low"], 100 * rows["high"], color=PALETTE["actual"], alpha=0.2,
            linewidth=0,
        )  # fmt: skip
        ax.plot([0, 100], [0, 100], color=PALETTE["expected"], linewidth=1.4,
                linestyle=(0, (4, 2)))  # fmt: skip
        ax.plot(x, y, color=PALETTE["actual"], linewidth=2.4)
        start = 100 * _start(rows)
        ax.set_xlim(start, 100)
        ax.set_ylim(0, 102)
        _ticks(ax)
        house.margins(ax, left=44, right=24, top=42, bottom=house.UNDER)
        _words(ax, found, start)
    return ax


def concentration_curve_rows(result: DeepDive) -> pd.DataFrame:
    """accounts (share, from those with least), harm (their share of it), low, high.

    Empty with fewer than 11 accounts that have any: the curve would show each of them.
    """
    found = result.where.concentration
    if found is None or found.actors_with_harm < SMALLEST_CELL:
        return pd.DataFrame(columns=_COLUMNS, dtype=float)
    curve = found.curve.rename(columns={"actors": "accounts"})[_COLUMNS]
    return curve if curve["harm"].notna().all() else curve.iloc[:0]


def _start(rows: pd.DataFrame) -> float:
    """Where the axis begins: 0, or the tenth below the first account that counts."""
    last = rows["high"].fillna(rows["harm"])
    nothing = rows.loc[last <= _NOTHING, "accounts"]
    first = float(nothing.iloc[-1]) if len(nothing) else 0.0
    if first < 0.5:
        return 0.0
    return int(10 * first) / 10 if first < 0.98 else 0.95


def _ticks(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.set_yticks([0, 25, 50, 75, 100])
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(house.number))


def _words(ax: Axes, found: Concentration, start: float) -> None:
    """The unit, what the top have, the name of the equality line, and what was cut away."""
    ax.annotate(
        "confirmed violating items, per cent of all", (0, 1),
        xycoords=("figure fraction", "axes fraction"), xytext=(2, 23),
        textcoords="offset points", color=PALETTE["muted"], va="bottom",
    )  # fmt: skip
    top = found.top_share.get(_TOP)
    if top is not None and top.point is not None:
        text = f"1{show.NBSP}% of accounts have {show.percent(top.point)}"
        if top.low is not None and top.high is not None:
            text += f" ({show.percent(top.low)} to {show.percent(top.high)})"
        at = 100 * (1 - top.point)
        ax.plot([99, 99], [at, 100], color=PALETTE["harm"], linewidth=2)
        ax.plot([99], [at], marker="o", markersize=7, color=PALETTE["harm"])
        ax.annotate(
            text, (1, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points",
            color=PALETTE["harm"], va="bottom", ha="right", weight="bold",
        )  # fmt: skip
    _equality(ax, start)
    cut = f"; the first {start:g} % have none" if start else ""
    house.under(ax, f"accounts, those with least first, per cent{cut}")


def _equality(ax: Axes, start: float) -> None:
    """Named where the line leaves room: over it where it rises, under it where it runs flat."""
    x = start + 0.08 * (100 - start)
    if start:
        ax.annotate(
            "if all had the same", (x, x), xytext=(0, -4), textcoords="offset points",
            color=PALETTE["expected"], va="top",
        )  # fmt: skip
        return
    ax.annotate(
        "if all had the same", (44, 44), xytext=(-6, 2), textcoords="offset points",
        color=PALETTE["expected"], va="bottom", ha="right",
    )  # fmt: skip
