"""Who stands in for the treated, with which weight; and which periods before the start count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.core import format as show
from trustlib.core.calendar import period
from trustlib.core.format import plural
from trustlib.core.text import told_apart
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.intervention_synth.timeline import period_ticks
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DONORS = 15
LEAST = 0.001  # of the weight: less is none
_MOST_COHORTS = 6  # rows of period weights
_ROW = 20.0  # points
_TIME_ROW = 30.0
_TIME_HEAD = 44.0


def weights(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """Donors by their weight, the 15 heaviest by themselves; small ticks are single starts.

    Under them, where the method weighs periods, the weights of those before the start, a row for
    each start. None without donors.
    """
    donors = result.pool[result.pool["role"] == "donor"]
    size = donors["weight"].abs()
    heavy = donors[size > LEAST].sort_values(
        "weight", key=lambda column: -column.abs(), kind="stable"
    )
    if heavy.empty:
        return None
    shown = heavy.head(MOST_DONORS)
    times = _period_weights(result) if ax is None else []
    with house.style():
        below = _TIME_HEAD + _TIME_ROW * len(times) + 10 if times else 0.0
        ax = house.axes(ax, height=(26 + _ROW * len(shown) + 26 + below) / 72)
        names = told_apart(shown["unit"], 26)
        _dots(ax, shown, result)
        _frame(ax, names)
        left = max(house.text_width(name) for name in names) + 12
        house.margins(ax, left=left, right=46, top=26, bottom=26 + below)
        house.unit(ax, f"weight, per cent{_rest(donors, shown)}")
        _numbers(ax, shown)
        if times:
            _periods(ax, result, times, below)
    return ax


def _dots(ax: Axes, shown: pd.DataFrame, result: SynthResult) -> None:
    place = np.arange(len(shown))
    share = 100 * shown["weight"].to_numpy(dtype=float)
    ax.axvline(0, color=PALETTE["ink"], linewidth=1)
    ax.hlines(place, 0, share, color=PALETTE["rule"], linewidth=2.2)
    if len(result.design.starts) > 1:
        row = {str(unit): i for i, unit in enumerate(shown["unit"])}
        own = result.weights[result.weights["unit"].astype(str).isin(list(row))]
        ax.plot(
            100 * own["weight"], [row[str(unit)] for unit in own["unit"]], linestyle="",
            marker="|", markersize=9, markeredgewidth=1.2, color=PALETTE["expected"],
        )  # fmt: skip
    for negative, colour in ((False, PALETTE["actual"]), (True, PALETTE["harm"])):
        on = (share < 0) == negative
        ax.plot(
            share[on], place[on], linestyle="", marker="o", markersize=7.5, color=colour,
            markerfacecolor=PALETTE["paper"] if negative else colour, markeredgewidth=1.6,
        )  # fmt: skip


def _frame(ax: Axes, names: list[str]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", labelcolor=PALETTE["ink"])
    ax.set_ylim(len(names) - 0.4, -0.6)
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.0) if low < -0.5 else 0.0, 1.02 * high)
    ax.grid(False, axis="y")
    ax.grid(True, axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(house.number))


def _rest(donors: pd.DataFrame, shown: pd.DataFrame) -> str:
    """What is not shown by itself, in words; "" where all are."""
    others = donors.drop(index=shown.index)
    if others.empty:
        return ""
    share = float(others["weight"].sum())
    tail = f"with {show.percent(share)} together" if abs(share) > LEAST else "with none"
    return f" · {plural(len(others), 'other donor')} {tail}"


def _numbers(ax: Axes, shown: pd.DataFrame) -> None:
    for y, weight in enumerate(shown["weight"]):
        ax.annotate(
            show.percent(float(weight)), (1, y), xycoords=("axes fraction", "data"),
            xytext=(42, 0), textcoords="offset points", va="center", ha="right",
            color=PALETTE["ink"],
        )  # fmt: skip


def _period_weights(result: SynthResult) -> list[tuple[str, pd.DataFrame]]:
    """Start and weights, where the method has any; the first six starts."""
    frame = result.time_weights
    found = []
    for group, part in frame.groupby("group", sort=False):
        if (part["weight"] > 0).any():
            found.append((str(group), part))
    return found[:_MOST_COHORTS]


def _periods(
    ax: Axes, result: SynthResult, times: list[tuple[str, pd.DataFrame]], below: float
) -> None:
    """Bars for the periods before the start: one path, whose breaks are NaN."""
    width, height = house.size(ax)
    figure = ax.get_figure(root=True)
    assert figure is not None
    several = len(result.design.starts) > 1
    labels = [f"from {period(group, width=16)}" if several else "" for group, _ in times]
    left = max(house.text_width(label) for label in labels) + 12 if several else 42.0
    longest = max((part for _, part in times), key=len)
    panel = figure.add_axes(
        (
            left / width,
            24 / height,
            (width - left - 46) / width,
            (_TIME_ROW * len(times) - 4) / height,
        )
    )
    for row, (_, part) in enumerate(times):
        weight = part["weight"].to_numpy(dtype=float)
        tall = 0.8 * weight / max(float(weight.max()), 1e-12)
        base = len(times) - 1 - row
        on = np.flatnonzero(weight > LEAST / 10)
        x = np.repeat(on.astype(float), 3)
        y = np.stack([np.full(len(on), float(base)), base + tall[on], np.full(len(on), np.nan)])
        panel.plot(
            x, y.T.ravel(), color=PALETTE["actual"], solid_capstyle="butt",
            linewidth=max(1.0, min(7.0, 300 / len(longest))),
        )  # fmt: skip
        panel.plot([-0.4, len(part) - 0.6], [base, base], color=PALETTE["muted"], linewidth=0.8)
    panel.set_ylim(-0.05, len(times))
    panel.grid(False)
    panel.spines["bottom"].set_visible(False)
    panel.set_yticks([len(times) - 1 - row + 0.3 for row in range(len(times))], labels)
    panel.tick_params(axis="x", length=0)
    period_ticks(panel, list(longest["time"]), width - left - 46)
    heaviest = max(float(part["weight"].max()) for _, part in times)
    alike = all(float(np.ptp(part["weight"])) < LEAST / 100 for _, part in times)
    most = "all alike" if alike else f"{show.percent(heaviest)} at most"
    panel.annotate(
        f"weight of the periods before the start, {most}", (0, 1),
        xycoords=("figure fraction", "axes fraction"), xytext=(2, 5),
        textcoords="offset points", color=PALETTE["muted"], va="bottom",
    )  # fmt: skip
