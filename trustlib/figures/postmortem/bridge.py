"""From the earlier figure to this one, step by step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.house import PALETTE
from trustlib.figures.postmortem.words import capital, number, value_ticks
from trustlib.postmortem.result import Postmortem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_STEPS = 10  # the smaller ones are added up
_ENDS = ("then", "then_low", "then_high", "now", "low", "high")
_COLUMNS = ["step", "amount", "since", "until", "total", "low", "high"]


def bridge(result: Postmortem, *, ax: Axes | None = None) -> Axes | None:
    """The earlier excess, what each step added or took away, and the excess now.

    None where there is no earlier one, or where the steps do not add up.
    """
    rows = bridge_rows(result)
    if rows.empty:
        return None
    by, word = house.scale(float(rows[["since", "until", "low", "high"]].abs().max().max()))
    with house.style():
        lines = [_line(row, by) for _, row in rows.iterrows()]
        room = max(house.text_width(line.text, bold=line.strong) for line in lines) + 12
        ax = house.axes(ax, height=dots.height(lines))
        names = dots.labels(lines, 26)
        dots.rows(ax, lines, names)
        _steps(ax, rows, by)
        ax.margins(x=0.04)
        ax.autoscale(axis="x")
        house.margins(
            ax, left=dots.widest(names, lines) + 18, right=room + 4, top=dots.TOP,
            bottom=dots.BOTTOM,
        )  # fmt: skip
        value_ticks(ax, most=4)
        dots.finish(ax, lines, room=room)
        house.unit(ax, f"excess, {word}{short(result.spec.sizing.unit_label, 34)}")
    return ax


def bridge_rows(result: Postmortem) -> pd.DataFrame:
    """step, amount, since, until (the running figure), total (bool), low, high (of a total).

    Empty where the steps do not lead from the earlier figure to this one.
    """
    empty = pd.DataFrame(columns=_COLUMNS).astype(dict.fromkeys(_COLUMNS[1:4], float))
    frame = result.revision
    names = [clean(step) or "(empty)" for step in frame["step"]]
    steps = list(zip(names, map(number, frame["amount"]), strict=True))
    then, now = _ends(result)
    if not steps or not _equal(then[0] + sum(amount for _, amount in steps), now[0]):
        return empty
    rows: list[tuple[object, ...]] = [
        ("earlier excess", then[0], then[0], then[0], True, *then[1:])
    ]
    running = then[0]
    for step, amount in _fewer(steps):
        rows.append((step, amount, running, running + amount, False, math.nan, math.nan))
        running += amount
    rows.append(("excess now", now[0], now[0], now[0], True, *now[1:]))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _ends(result: Postmortem) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Point, low and high of the excess, then and now."""
    frame = result.then_now
    row = frame[frame["name"] == "excess"]
    if row.empty:
        nothing = (math.nan, math.nan, math.nan)
        return nothing, nothing
    then, then_low, then_high, now, low, high = (number(row.iloc[0][name]) for name in _ENDS)
    return (then, then_low, then_high), (now, low, high)


def _equal(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)  # False for NaN


def _fewer(steps: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The ten largest steps in their order, the others as one, so that they still add up."""
    if len(steps) <= MOST_STEPS:
        return steps
    order = sorted(range(len(steps)), key=lambda at: -abs(steps[at][1]))
    kept = set(order[: MOST_STEPS - 1])
    rest = [amount for at, (_, amount) in enumerate(steps) if at not in kept]
    shown = [one for at, one in enumerate(steps) if at in kept]
    return [*shown, (f"{len(rest)} smaller steps", sum(rest))]


def _line(row: pd.Series, by: float) -> Line:
    amount, total = float(row["amount"]), bool(row["total"])
    text = show.triple(amount, None, None, sign=not total)[0]
    nothing = math.nan
    return Line(
        label=capital(row["step"]), strong=total, text=text,
        point=amount / by if total else nothing,
        low=number(row["low"]) / by if total else nothing,
        high=number(row["high"]) / by if total else nothing,
    )  # fmt: skip


def _steps(ax: Axes, rows: pd.DataFrame, by: float) -> None:
    """A bar per step from where the one before ended, a thin line from one to the next."""
    for y, (_, row) in enumerate(rows.iterrows()):
        since, until = float(row["since"]) / by, float(row["until"]) / by
        if not row["total"]:
            colour = PALETTE["actual"] if until >= since else PALETTE["harm"]
            ax.barh(y, until - since, left=since, height=0.5, color=colour,
                    alpha=0.8 if until >= since else 0.55)  # fmt: skip
        if y + 1 < len(rows):
            ax.plot([until, until], [y, y + 1], color=PALETTE["muted"], linewidth=0.8, zorder=1)
