"""How few accounts are behind the harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.harm.concentration import Concentration
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ALL = 0.9995  # of the harm: whoever has it, has all of it
_NOTHING = 0.001  # of the harm: where the curve may be left out
_COLUMNS = ["accounts", "harm", "low", "high"]


def concentration_curve(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Lorenz curve of confirmed violating items over accounts, with its band and the equality line.

    Accounts stand from those with least; where most have none, the axis begins near where the
    curve leaves zero. What the top 1 % have is written out, or how many have all and half of it
    where 1 % are more than those. None without a curve, or with fewer than 11 accounts behind it.
    """
    rows = concentration_curve_rows(result)
    found = result.where.concentration
    if rows.empty or found is None:
        return None
    with house.style():
        ax = house.axes(ax, height=3.4)
        x, y = 100 * rows["accounts"], 100 * rows["harm"]
        known = 100 * rows.dropna()
        ax.fill_between(
            known["accounts"], known["low"], known["high"], color=PALETTE["actual"], alpha=0.2,
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

    Two points are there without a band: where the curve leaves zero, and where half is reached.
    Points with fewer than 11 accounts above them are left out; so is everything where fewer than
    11 accounts, or items, are behind it.
    """
    found = result.where.concentration
    if found is None or min(found.actors_with_harm, found.harm) < SMALLEST_CELL:
        return pd.DataFrame(columns=_COLUMNS, dtype=float)
    curve = found.curve.rename(columns={"actors": "accounts"})[_COLUMNS]
    if curve["harm"].isna().any():
        return curve.iloc[:0]
    above = (1 - curve["accounts"]) * found.actors
    curve = curve[(above >= SMALLEST_CELL - 0.5) | (curve["accounts"] == 1)]
    half = found.actors_behind_half.point
    known = [(1 - found.actors_with_harm / found.actors, 0.0)]
    if half is not None and half >= SMALLEST_CELL:
        known.append((1 - half / found.actors, 0.5))
    more = pd.DataFrame(known, columns=["accounts", "harm"]).reindex(columns=_COLUMNS)
    near = [np.isclose(curve["accounts"], at, atol=1e-9).any() for at in more["accounts"]]
    more = more[~np.array(near)].astype(float)
    whole = pd.concat([curve, more]) if len(more) else curve
    return whole.sort_values(["accounts", "harm"], kind="stable", ignore_index=True)


def _start(rows: pd.DataFrame) -> float:
    """Where the axis begins: 0, or so that what counts has about half of its length."""
    last = rows["high"].fillna(rows["harm"])
    nothing = rows.loc[last <= _NOTHING, "accounts"]
    tail = 1.6 * (1 - float(nothing.iloc[-1])) if len(nothing) else 1.0
    wide = next(
        (k * 10.0**power for power in range(-6, 0) for k in (1, 2, 5) if k * 10.0**power >= tail),
        1.0,
    )
    return 1 - wide


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
    _top(ax, found)
    _equality(ax, start)
    cut = f"; the first {start:g} % have none" if start else ""
    house.under(ax, f"accounts, those with least first, per cent{cut}")


def _top(ax: Axes, found: Concentration) -> None:
    """What the top have, in words and marked on the curve."""
    tops = {
        part: one
        for part, one in sorted(found.top_share.items())
        if one.point is not None and part * found.actors >= SMALLEST_CELL
    }
    part, top = next(iter(tops.items()), (0.0, None))
    half = found.actors_behind_half
    if top is not None and top.point is not None and top.point < _ALL:
        text = f"{show.percent(part)} of accounts have {show.percent(top.point)}"
        if top.low is not None and top.high is not None:
            text += f" ({show.percent(top.low)} to {show.percent(top.high)})"
        x, y = 100 * (1 - part), 100 * (1 - top.point)
        ax.plot([x, x], [y, 100], color=PALETTE["harm"], linewidth=2)
        ax.plot([x], [y], marker="o", markersize=7, color=PALETTE["harm"])
    else:
        text = f"{show.exact(found.actors_with_harm)} accounts have all"
        if half.point is not None and half.point >= SMALLEST_CELL:
            text += f", {show.exact(half.point)} have half"
            x = 100 * (1 - half.point / found.actors)
            if half.low is not None and half.high is not None:
                text += f" ({show.exact(half.low)} to {show.exact(half.high)})"
                ends = [100 * (1 - end / found.actors) for end in (half.high, half.low)]
                ax.plot(ends, [50, 50], color=PALETTE["harm"], linewidth=3)
            ax.plot([x], [50], marker="o", markersize=7, color=PALETTE["harm"])
    ax.annotate(
        text, (1, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points",
        color=PALETTE["harm"], va="bottom", ha="right", weight="bold",
    )  # fmt: skip


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
