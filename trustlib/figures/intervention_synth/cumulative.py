"""The running total of the effect, in the reader's units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.intervention_synth.timeline import band, left_room, of_group, period_ticks
from trustlib.figures.labels import beside
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = ["cumulative", "cumulative_low", "cumulative_high"]


def cumulative(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """The effect summed up from the start on, with its interval; the last value is named.

    None where it is not estimable.
    """
    frame = cumulative_rows(result)
    if frame.empty:
        return None
    with house.style():
        ax = house.axes(ax, height=3.0)
        by, word = house.scale(float(frame[_COLUMNS].abs().max().max()))
        at = list(range(len(frame)))
        ax.axhline(0, color=PALETTE["ink"], linewidth=1)
        band(ax, frame, ("cumulative_low", "cumulative_high"), by, color=PALETTE["actual"])
        ax.plot(
            at, frame["cumulative"] / by, color=PALETTE["actual"], linewidth=2.2,
            marker="o" if len(at) <= 40 else "", markersize=3,
        )  # fmt: skip
        ax.margins(y=0.08)
        last = float(frame["cumulative"].iloc[-1]) / by
        text = show.alike([last], sign=True)[0]
        right = house.text_width(text, bold=True) + 14
        left = left_room(ax, list(frame["time"]))
        house.margins(ax, left=left, right=right, top=24, bottom=24)
        period_ticks(ax, list(frame["time"]), house.size(ax)[0] - left - right)
        house.unit(ax, f"since the start, {word}{short(result.spec.unit_label, 40)}")
        beside(ax, last, text, color=PALETTE["actual"], weight="bold")
    return ax


def cumulative_rows(result: SynthResult) -> pd.DataFrame:
    """The rows that the figure draws: time, cumulative and its interval, from the start on."""
    frame = of_group(result.gap)
    frame = frame[frame["after"].astype(bool) & frame["cumulative"].notna()]
    return frame[["time", *_COLUMNS]].reset_index(drop=True)
