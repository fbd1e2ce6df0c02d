"""HonestDiD: the interval under larger and larger departures from parallel trends."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.interventions.words import outcome
from trustlib.interventions import DidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UNDER = {
    "relative_magnitudes": "departure after the start, in times the worst one before it",
    "smoothness": "change of the trend's slope from one period to the next",
}
_BREAKDOWN = {
    "relative_magnitudes": "breakdown_relative_magnitudes",
    "smoothness": "breakdown_smoothness",
}


def sensitivity(
    result: DidResult, kind: str = "relative_magnitudes", *, ax: Axes | None = None
) -> Axes | None:
    """Intervals by bound, the original one first; a line marks the breakdown value.

    Parameters
    ----------
    kind
        "relative_magnitudes" or "smoothness".
    """
    frame = _near(sensitivity_rows(result, kind).dropna(subset=["low", "high"]))
    if frame.empty:
        return None
    with house.style():
        ax = house.axes(ax, height=3.1)
        by, word = house.scale(float(frame[["low", "high"]].abs().max().max()))
        at = _positions(frame)
        ax.axhline(0, color=PALETTE["ink"], linewidth=1)
        _intervals(ax, frame, at, by)
        edge = max(0.7 * _step(frame), 0.06 * (max(at) - min(at)))
        ax.set_xlim(min(at) - edge, max(at) + edge)
        ax.margins(y=0.06)
        left = house.y_labels(ax)
        house.margins(ax, left=left, right=20, top=24, bottom=house.UNDER)
        _name_bounds(ax, frame, at)
        house.headroom(ax, 18)
        house.unit(ax, outcome(result, "effect on ", word))
        house.under(ax, _UNDER[kind])
        _mark_breakdown(ax, result, kind)
    return ax


def _near(frame: pd.DataFrame) -> pd.DataFrame:
    """Up to the second bound that lets zero in: wider bars would only press the others flat."""
    held = frame["contains_zero"].astype(bool)
    return frame[~held | (held.cumsum() <= 2)].reset_index(drop=True)


def sensitivity_rows(result: DidResult, kind: str = "relative_magnitudes") -> pd.DataFrame:
    """The rows of one kind."""
    frame = result.sensitivity
    return frame[frame["kind"] == kind].reset_index(drop=True)


def _name_bounds(ax: Axes, frame: pd.DataFrame, at: list[float]) -> None:
    """The bounds under their bars, but for those that would run into their neighbours."""
    low, high = ax.get_xlim()
    width = house.size(ax)[0] * ax.get_position().width
    names = ["as it is", *(f"{bound:.2g}" for bound in frame["bound"].iloc[1:])]
    shown: list[tuple[float, str]] = []
    until = float("-inf")
    for x, name in zip(at, names, strict=True):
        middle, half = (x - low) / (high - low) * width, house.text_width(name) / 2
        if middle - half > until:
            shown.append((x, name))
            until = middle + half + 6
    ax.set_xticks([x for x, _ in shown], [name for _, name in shown])
    ax.set_xticks(at, minor=True)


def _step(frame: pd.DataFrame) -> float:
    bounds = sorted(frame["bound"].iloc[1:].dropna())
    gaps = [b - a for a, b in pairwise(bounds) if b > a]
    return min(gaps, default=(bounds[0] or 1.0) if bounds else 1.0)


def _positions(frame: pd.DataFrame) -> list[float]:
    """The original interval stands one step to the left of the first bound."""
    rest = [float(bound) for bound in frame["bound"].iloc[1:]]
    return [(min(rest) if rest else 0.0) - _step(frame), *rest]


def _intervals(ax: Axes, frame: pd.DataFrame, at: list[float], by: float) -> None:
    for x, (_, row) in zip(at, frame.iterrows(), strict=True):
        holds = bool(row["contains_zero"])
        colour = PALETTE["expected"] if holds else PALETTE["actual"]
        low, high = float(row["low"]) / by, float(row["high"]) / by
        ax.plot(
            [x, x], [low, high], color=colour, linewidth=2.0 if holds else 4.0,
            linestyle=(0, (2.5, 1.5)) if holds else "-", solid_capstyle="butt",
            dash_capstyle="butt",
        )  # fmt: skip
        ax.plot(
            [x, x], [low, high], color=colour, linestyle="", marker="_", markersize=9,
            markeredgewidth=2,
        )  # fmt: skip


def _mark_breakdown(ax: Axes, result: DidResult, kind: str) -> None:
    estimate = result.estimates.get(_BREAKDOWN[kind])
    if estimate is None or estimate.point is None:
        return
    low, high = ax.get_xlim()
    if not low < estimate.point < high:
        return
    ax.axvline(estimate.point, color=PALETTE["harm"], linewidth=1.3, linestyle=(0, (4, 2)))
    late = (estimate.point - low) / (high - low) > 0.5
    ax.annotate(
        f"breaks down at {show.alike([estimate.point])[0]}", (estimate.point, 1),
        xycoords=("data", "axes fraction"), xytext=(-4 if late else 4, -1),
        textcoords="offset points", color=PALETTE["harm"], va="top",
        ha="right" if late else "left",
    )  # fmt: skip
