"""The axis of periods that the figures of a synthetic control share, with the start on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.core.calendar import period
from trustlib.core.calendar import periods as named
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEW = 3  # periods with an interval
_MOST_STARTS = 6  # lines; of more starts the first and the last


def of_group(frame: pd.DataFrame, group: str = "all") -> pd.DataFrame:
    """The rows of one group, numbered from 0 in their order: a row's number is its place."""
    return frame[frame["group"] == group].reset_index(drop=True)


def starts(result: SynthResult, times: Sequence[object]) -> list[int]:
    """Places of the starts among `times`, ascending."""
    place = {str(time): at for at, time in enumerate(times)}
    return sorted(place[start] for start in result.design.starts if start in place)


def synthetic_name(result: SynthResult) -> str:
    """What the comparison line is called: without donors it is the market's own past."""
    alone = result.design.preset == "interrupted_time_series"
    return "expected" if alone else "synthetic"


def treated_name(result: SynthResult, width: float) -> str:
    """What to call the treated in a figure, in `width` points; by name only where it may be."""
    treated = result.pool[result.pool["role"] == "treated"]
    if result.design.treated == 1 and result.design.names_shown and len(treated) == 1:
        return house.fitted(treated["unit"].iloc[0], width, bold=True)
    return "the treated"


def period_ticks(ax: Axes, times: Sequence[object], width: float) -> None:
    """As many periods named under the axis as fit into `width` points."""
    labels = named(times, width=12)
    every = -(-len(labels) // max(1, int(width // (_widest(labels) + 8))))
    at = list(range(0, len(labels), max(1, every)))
    ax.set_xticks(at, [labels[i] for i in at])
    ax.set_xlim(-0.4, max(len(labels) - 0.6, 0.4))


def left_room(ax: Axes, times: Sequence[object]) -> float:
    """Points left of the axes: for the ticks of the values, and half of the first period's name."""
    first = house.text_width(named(times, width=12)[0]) / 2 + 3
    return max(34.0, house.y_labels(ax), first)


def _widest(labels: Sequence[str]) -> float:
    """Periods are named alike: a few of the longest in letters hold the longest in points."""
    longest = sorted(dict.fromkeys(labels), key=len)[-12:]
    return max((house.text_width(label) for label in longest), default=0.0)


def start_lines(ax: Axes, at: Sequence[int]) -> None:
    """A dashed line before the first treated period of each start."""
    chosen = at if len(at) <= _MOST_STARTS else (at[0], at[-1])
    for i, place in enumerate(chosen):
        ax.axvline(
            place - 0.5, color=PALETTE["ink"] if i == 0 else PALETTE["muted"],
            linewidth=1.0 if i == 0 else 0.8, linestyle=(0, (3, 3)),
        )  # fmt: skip


def start_labels(ax: Axes, times: Sequence[object], at: Sequence[int]) -> None:
    """The first start by its date, and the last; call it when margins and limits are set."""
    if not at:
        return
    words, date = ("start" if len(at) == 1 else "first start"), period(times[at[0]], width=16)
    end = _words(ax, at, 0, (f"{words}, {date}", words, "start"))
    if len(at) > 1 and _points(ax, at[-1] - 0.5) > end + 6:
        _words(ax, at, len(at) - 1, ("last start",))


def band(ax: Axes, frame: pd.DataFrame, ends: tuple[str, str], by: float, *, color: str) -> None:
    """An interval per period as a band; as bars where the band would be a sliver or nothing."""
    low, high = (frame[name].to_numpy(dtype=float) / by for name in ends)
    at = np.arange(len(frame))
    ax.fill_between(at, low, high, color=color, alpha=0.2, linewidth=0)
    known = np.isfinite(low) & np.isfinite(high)
    beside = np.zeros(len(known), dtype=bool)
    beside[1:] |= known[:-1]
    beside[:-1] |= known[1:]
    bars = known & (~beside | (known.sum() <= _FEW))
    if bars.any():
        ax.vlines(at[bars], low[bars], high[bars], color=color, linewidth=1.8)


def _words(ax: Axes, at: Sequence[int], which: int, texts: Sequence[str]) -> float:
    """The first of `texts` that no line runs through, at a start; returns its end, in points."""
    x, width = _points(ax, at[which] - 0.5), house.size(ax)[0] * ax.get_position().width
    until = _points(ax, at[which + 1] - 0.5) if which + 1 < len(at) else width
    since = _points(ax, at[which - 1] - 0.5) if which else 0.0
    for text in texts:
        need = house.text_width(text) + 8
        late = x + need > until
        if late and x - need < since:
            continue
        ax.annotate(
            text, (at[which] - 0.5, 1), xycoords=("data", "axes fraction"),
            xytext=(-4 if late else 4, -1), textcoords="offset points",
            color=PALETTE["muted"], va="top", ha="right" if late else "left",
        )  # fmt: skip
        return x if late else x + need
    return x


def _points(ax: Axes, value: float) -> float:
    """How far `value` lies from the left end of the axes, in points."""
    low, high = ax.get_xlim()
    width = house.size(ax)[0] * ax.get_position().width
    return (value - low) / (high - low) * width
