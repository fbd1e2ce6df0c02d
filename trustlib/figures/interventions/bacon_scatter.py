"""Goodman-Bacon: what the two-way regression compares, with which weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.interventions.words import outcome
from trustlib.figures.labels import End, beside, ends_apart
from trustlib.interventions import DidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MOST_MARKS = 200


def bacon_scatter(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """Weight × estimate of every comparison; crosses are with units already treated."""
    frame = bacon_rows(result)
    if frame.empty:
        return None
    with house.style():
        ax = house.axes(ax, height=3.3)
        by, word = house.scale(float(frame["estimate"].abs().max()))
        ax.axhline(0, color=PALETTE["ink"], linewidth=1)
        bad = forbidden(frame)
        for part, colour, marker in (
            (frame[~bad], PALETTE["actual"], "o"),
            (frame[bad], PALETTE["harm"], "x"),
        ):
            ax.plot(
                100 * part["weight"], part["estimate"] / by, linestyle="", marker=marker,
                color=colour, markerfacecolor="none", markersize=7, markeredgewidth=1.8,
            )  # fmt: skip
        ax.margins(x=0.06, y=0.08)
        ax.set_xlim(left=0)
        ax.grid(True, axis="x")
        lines = _reference_lines(ax, result, by)
        right = max([house.text_width(name) for _, name in lines] or [0.0]) + 14
        left = house.y_labels(ax)
        house.margins(ax, left=left, right=right, top=42, bottom=house.UNDER)
        _x_ticks(ax)
        _key(ax, outcome(result, "estimate, ", word), counts=(int((~bad).sum()), int(bad.sum())))
        house.under(ax, "weight in the two-way regression, per cent")
        _name_lines(ax, lines)
    return ax


def bacon_rows(result: DidResult) -> pd.DataFrame:
    """The rows that the figure draws: the 200 of the largest weight, in their order."""
    frame = result.bacon.dropna(subset=["weight", "estimate"])
    heavy = frame["weight"].sort_values(ascending=False, kind="stable").index[:MOST_MARKS]
    return frame.loc[sorted(heavy)].reset_index(drop=True)


def forbidden(frame: pd.DataFrame) -> pd.Series:
    """Which comparisons take units that are already treated for untreated ones."""
    return frame["kind"].astype(str).str.contains("forbidden")


def _reference_lines(ax: Axes, result: DidResult, by: float) -> list[tuple[float, str]]:
    rows = result.comparison.dropna(subset=["point"])
    lines = []
    for chosen, name, dash in (
        (rows[rows["headline"].astype(bool)], "headline", "-"),
        (rows[rows["estimator"] == "two_way"], "two-way", (0, (4, 2))),
    ):
        if len(chosen):
            value = float(chosen["point"].iloc[0]) / by
            ax.axhline(value, color=PALETTE["muted"], linewidth=1.1, linestyle=dash)
            lines.append((value, name))
    low, high = ax.get_ylim()
    values = [value for value, _ in lines]
    span = 0.04 * (high - low)
    ax.set_ylim(min([low, *(v - span for v in values)]), max([high, *(v + span for v in values)]))
    return lines


def _name_lines(ax: Axes, lines: list[tuple[float, str]]) -> None:
    ends = [End(value, name, PALETTE["muted"], "normal") for value, name in lines]
    if len(ends) == 2:
        ends_apart(ax, ends)
    for end in ends if len(ends) == 1 else ():
        beside(ax, end.y, end.text, color=end.color, weight=end.weight)


def _x_ticks(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(FuncFormatter(house.number))


def _key(ax: Axes, unit: str, *, counts: tuple[int, int]) -> None:
    """The unit, and under it the two marks with their names."""
    ax.annotate(
        unit, (0, 1), xycoords=("figure fraction", "axes fraction"), xytext=(2, 24),
        textcoords="offset points", color=PALETTE["muted"], va="bottom",
    )  # fmt: skip
    first = f"○ with untreated units ({counts[0]:,})"
    second = f"× with treated ones ({counts[1]:,})"
    for text, x, colour in (
        (first, 2.0, PALETTE["actual"]),
        (second, 2.0 + house.text_width(first) + 16, PALETTE["harm"]),
    ):
        ax.annotate(
            text, (0, 1), xycoords=("figure fraction", "axes fraction"), xytext=(x, 7),
            textcoords="offset points", color=colour, va="bottom",
        )  # fmt: skip
