"""Placebo windows of incident sizing: the incident among windows in which nothing happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.incidents import SizingResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def placebo_windows(result: SizingResult, *, ax: Axes | None = None) -> Axes:
    """The incident's excess among the same measure of earlier windows without an incident."""
    with house.style():
        placebos = result.placebos.dropna(subset=["relative_excess"])
        same = placebos["same_phase"].astype(bool)
        groups = {
            "same hours of the week, earlier": placebos[same],
            "other earlier windows": placebos[~same],
        }
        filled = [
            (name, 100 * part["relative_excess"]) for name, part in groups.items() if len(part)
        ]
        ax = house.axes(ax, height=1.25 + 0.62 * len(filled))
        for y in range(len(filled) + 1):  # zero stands at the marks, not through the names
            ax.plot([0, 0], [y - 0.2, y + 0.25], color=PALETTE["ink"], linewidth=1)
        for y, (name, shares) in enumerate(filled):
            _marks(ax, y, shares)
            _above(ax, y, f"{name} ({len(shares):,})", color=PALETTE["muted"], weight="normal")
        incident = result.estimates["relative_excess"]
        if incident.point is not None:
            _whisker(ax, len(filled), incident.point, incident.low, incident.high)
        _above(ax, len(filled), "this incident", color=PALETTE["actual"], weight="bold")
        ax.set_ylim(len(filled) + 0.4, -0.75)
        ax.set_yticks([])
        ax.set(xlabel="", ylabel="")
        ax.margins(x=0.06)
        house.margins(ax, left=20, right=26, top=24, bottom=24)
        house.signed_ticks(ax)
        house.unit(ax, "excess, per cent of what was expected in the window")
    return ax


def _marks(ax: Axes, y: float, shares: pd.Series) -> None:
    """Dots while they can be told apart, a bar code of ticks where they are many."""
    if len(shares) <= 60:
        import seaborn

        seaborn.stripplot(
            x=shares.to_numpy(), y=[y] * len(shares), orient="h", jitter=False, native_scale=True,
            color=PALETTE["expected"], size=6.5, alpha=0.6, linewidth=0, ax=ax, legend=False,
        )  # fmt: skip
        return
    # One path for all ticks: a page does not carry six hundred of them.
    x = [value for share in shares for value in (share, share, float("nan"))]
    at = [y - 0.17, y + 0.17, float("nan")] * len(shares)
    ax.plot(x, at, color=PALETTE["expected"], linewidth=0.8, alpha=0.7)


def _above(ax: Axes, y: float, text: str, *, color: str, weight: str) -> None:
    """A row's name over its marks."""
    ax.annotate(
        text, (0, y - 0.24), xycoords=("axes fraction", "data"), xytext=(0, 1),
        textcoords="offset points", color=color, va="bottom", weight=weight,
    )  # fmt: skip


def _whisker(ax: Axes, y: float, point: float, low: float | None, high: float | None) -> None:
    if low is not None and high is not None:
        ax.plot([100 * low, 100 * high], [y, y], color=PALETTE["actual"], linewidth=2.2)
    ax.plot([100 * point], [y], marker="D", markersize=7.5, color=PALETTE["actual"])
