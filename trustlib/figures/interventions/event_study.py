"""Event study: the effect by periods since the start, with both intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.interventions.words import outcome
from trustlib.interventions import DidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PALE = 0.28  # opacity of the simultaneous band behind the pointwise interval
_START = -0.5
_NUMBERS = ["point", "low", "high", "band_low", "band_high"]


def event_study(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """Effects by event time against the last period before the start, which is marked.

    Thin bars are pointwise intervals, wide pale ones the simultaneous band. None where no event
    time is estimable.
    """
    frame = result.event_study_universal.dropna(subset=["point"])
    if frame.empty:
        return None
    with house.style():
        ax = house.axes(ax, height=3.5)
        by, word = house.scale(float(frame[_NUMBERS].abs().max().max()))
        ax.axhline(0, color=PALETTE["ink"], linewidth=1)
        ax.axvline(_START, color=PALETTE["muted"], linewidth=1, linestyle=(0, (3, 3)))
        reference = frame["reference"].astype(bool)
        for before in (True, False):
            side = (frame["event_time"] < _START) == before
            _bars(ax, frame[side & ~reference], by, before=before, rows=len(frame))
        at = frame.loc[reference, "event_time"]
        ax.plot(
            at, [0.0] * len(at), marker="D", linestyle="", markersize=5.5,
            color=PALETTE["ink"], markerfacecolor=PALETTE["paper"],
        )  # fmt: skip
        low, high = float(frame["event_time"].min()), float(frame["event_time"].max())
        ax.set_xlim(min(low, -1) - 0.7, max(high, 0) + 0.7)
        ax.margins(y=0.06)
        house.whole_ticks(ax)
        house.margins(ax, left=house.y_labels(ax), right=14, top=24, bottom=house.UNDER)
        house.headroom(ax, 18)
        house.unit(ax, outcome(result, "effect on ", word))
        house.under(ax, "periods since the start")
        _sides(ax)
    return ax


def _bars(ax: Axes, part: pd.DataFrame, by: float, *, before: bool, rows: int) -> None:
    colour = PALETTE["expected"] if before else PALETTE["actual"]
    at, wide = part["event_time"], max(2.5, min(9.0, 190 / rows))
    ax.vlines(
        at, part["band_low"] / by, part["band_high"] / by,
        color=colour, alpha=_PALE, linewidth=wide,
    )  # fmt: skip
    ax.vlines(at, part["low"] / by, part["high"] / by, color=colour, linewidth=1.8)
    ax.plot(
        at, part["point"] / by, marker="o", linestyle="", markersize=min(6.0, wide + 1),
        color=colour, markerfacecolor=PALETTE["paper"] if before else colour, markeredgewidth=1.4,
    )  # fmt: skip


def _sides(ax: Axes) -> None:
    """The two sides of the start, named where there is room for the words."""
    low, high = ax.get_xlim()
    width = house.size(ax)[0] * ax.get_position().width
    share = (_START - low) / (high - low)
    for text, x, align, room in (
        ("before", -5, "right", share * width),
        ("after the start", 5, "left", (1 - share) * width),
    ):
        if room > house.text_width(text) + 10:
            ax.annotate(
                text, (_START, 1), xycoords=("data", "axes fraction"), xytext=(x, -1),
                textcoords="offset points", color=PALETTE["muted"], va="top", ha=align,
            )  # fmt: skip
