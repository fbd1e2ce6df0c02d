"""How long each stage takes: the share that has not reached its end, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.harm.words import FEW, told
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.lifecycle import Lifecycle
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL = 150.0  # points of a stage: words above, curve, tick labels
_WORDS = 66.0  # of one that has no curve
_TOP, _BOTTOM, _LEFT, _RIGHT = 40.0, 24.0, 44.0, 24.0
_DAYS = 240.0  # hours from which on days read better
_TAIL = 0.35  # of the cases: what takes far longer than the others is cut
_MOST = 200  # points of a curve
_COLUMNS = ["stage", "start", "end", "unit", "time", "surviving", "low", "high"]


def lifecycle_curves(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Kaplan and Meier's curve of each stage with its band, and the median with its interval.

    A panel for each stage, with an axis of its own; on `ax` the first stage alone. Single cases
    are not to be seen: neighbouring points are 11 cases apart at least. None without a stage.
    """
    stages = result.how.lifecycles
    if not stages:
        return None
    with house.style():
        if ax is not None:
            house.margins(ax, left=_LEFT, right=_RIGHT, top=_TOP, bottom=_BOTTOM)
            _stage(ax, stages[0])
            return ax
        tall = [_PANEL if _has_curve(_points(one)) else _WORDS for one in stages]
        ax = house.axes(None, height=sum(tall) / 72)
        figure = ax.get_figure(root=True)
        assert figure is not None
        width, height = house.size(ax)
        for i, one in enumerate(stages):
            foot = _BOTTOM if tall[i] == _PANEL else 4.0
            place = (
                _LEFT / width, (sum(tall[i + 1 :]) + foot) / height,
                (width - _LEFT - _RIGHT) / width, (tall[i] - _TOP - foot) / height,
            )  # fmt: skip
            panel = ax if i == 0 else figure.add_axes(place)
            panel.set_position(place)
            _stage(panel, one)
    return ax


def lifecycle_curves_rows(result: DeepDive) -> pd.DataFrame:
    """stage, start, end, unit, time, surviving, low, high: the points of the curves, as drawn.

    Times in `unit`: hours as days where a stage takes long. A stage that fewer than 11 cases
    completed has no rows.
    """
    parts = [
        _points(one).assign(
            stage=one.stage.name, start=one.stage.start, end=one.stage.end, unit=_unit(one)[1]
        )
        for one in result.how.lifecycles
    ]
    if not parts:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(parts, ignore_index=True)[_COLUMNS]


def _unit(one: Lifecycle) -> tuple[float, str]:
    """What to divide times by, and its word: as the part of the curve that is drawn asks."""
    if one.stage.unit == "hours" and len(one.curve) and _end(one.curve) >= _DAYS:
        return 24.0, "days"
    return 1.0, one.stage.unit


def _end(curve: pd.DataFrame) -> float:
    """Where the axis ends: of a long tail a part, so that the fall can be seen."""
    last = float(curve["time"].iloc[-1]) or 1.0
    low = curve.loc[curve["surviving"] <= _TAIL, "time"]
    near = 3 * float(low.iloc[0]) if len(low) else 0.0
    return near if 0 < near < last / 2.5 else last


def _points(one: Lifecycle) -> pd.DataFrame:
    """The curve from 1 on, at points that are 11 cases apart; empty with fewer cases."""
    names = ["time", "surviving", "low", "high"]
    curve, (by, _) = one.curve, _unit(one)
    if one.ended < SMALLEST_CELL:
        return pd.DataFrame(columns=names, dtype=float)
    events = curve["events"].to_numpy(dtype=float)
    # Sums of sampling weights are not cases: as many as their share of those that ended.
    cases = np.cumsum(events) * one.ended / float(events.sum())
    apart = max(float(SMALLEST_CELL), float(cases[-1]) / _MOST)
    kept: list[int] = []
    since = 0.0
    for i, sofar in enumerate(cases):
        if sofar - since >= apart - 1e-9:
            kept.append(i)
            since = float(sofar)
    if not kept:
        return pd.DataFrame(columns=names, dtype=float)
    kept[-1] = len(cases) - 1  # what is left over goes with the last ones
    kept = _with_median(kept, curve, cases, apart)
    found = curve.iloc[kept][names]
    start = pd.DataFrame({"time": [0.0], "surviving": [1.0], "low": [1.0], "high": [1.0]})
    whole = pd.concat([start, found], ignore_index=True).astype(float)
    return whole.assign(time=whole["time"] / by)


def _has_curve(points: pd.DataFrame) -> bool:
    """Whether anything ends later than at once."""
    return len(points) > 0 and float(points["time"].iloc[-1]) > 0


def _with_median(
    kept: list[int], curve: pd.DataFrame, cases: np.ndarray, apart: float
) -> list[int]:
    """The median's own point instead of those too near to it, so that it lies on the curve."""
    half = np.flatnonzero(curve["surviving"].to_numpy() <= 0.5 + 1e-12)
    if not len(half) or cases[half[0]] < apart:
        return kept
    own = int(half[0])
    others = [i for i in kept if abs(cases[i] - cases[own]) >= apart - 1e-9]
    return sorted([*others, own]) if kept[-1] in (*others, own) else kept


def _stage(ax: Axes, one: Lifecycle) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    by, unit = _unit(one)
    points = _points(one)
    end = _end(points) if len(points) else 1.0
    below = f"share not there yet, per cent, over {unit}"
    if len(points) and end < points["time"].iloc[-1]:
        below += f", the last after {told(float(points['time'].iloc[-1]))}"
    heads = ((below, "muted"), (_title(one, house.size(ax)[0] - 8), "ink"))
    for line, (text, colour) in enumerate(heads):
        ax.annotate(
            text, (0, 1), xycoords=("figure fraction", "axes fraction"),
            xytext=(2, 5 + 15 * line), textcoords="offset points", color=PALETTE[colour],
            va="bottom", weight="bold" if line else "normal",
        )  # fmt: skip
    ax.set_ylim(0, 104)
    ax.set_yticks([0, 50, 100])
    if not _has_curve(points):
        text = f"{FEW} cases got there"
        if len(points):
            left = show.percent(float(points["surviving"].iloc[-1]))
            text = f"{left} not while followed, the others at once"
        ax.set_axis_off()
        ax.annotate(
            house.fitted(text, house.size(ax)[0] * ax.get_position().width - 8), (0, 0.5),
            xycoords=("figure fraction", "axes fraction"), xytext=(2, 0),
            textcoords="offset points",
            color=PALETTE["muted"], va="center",
        )  # fmt: skip
        return
    x = points["time"]
    ax.fill_between(
        x, 100 * points["low"], 100 * points["high"], color=PALETTE["actual"], alpha=0.2,
        linewidth=0,
    )  # fmt: skip
    ax.plot(x, 100 * points["surviving"], color=PALETTE["actual"], linewidth=2.2)
    ax.set_xlim(0, end)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(FuncFormatter(house.number))
    _median(ax, one, by)


def _median(ax: Axes, one: Lifecycle, by: float) -> None:
    """Half of them, at its time, with its interval as a bar."""
    point, low, high = one.median.point, one.median.low, one.median.high
    if point is None:
        return
    ax.plot([point / by] * 2, [0, 50], color=PALETTE["harm"], linewidth=1.2, linestyle=(0, (3, 3)))
    if low is not None and high is not None:
        ax.plot([low / by, high / by], [50, 50], color=PALETTE["harm"], linewidth=3)
    ax.plot([point / by], [50], marker="o", markersize=6, color=PALETTE["harm"])


def _title(one: Lifecycle, width: float) -> str:
    """The stage and its median, with short units where long ones do not fit."""
    text = f"{one.stage.start} to {one.stage.end}: {_half(one)}"
    for long, brief in (("minutes", "min"), ("hours", "h"), ("days", "d")):
        if house.text_width(text, bold=True) > width:
            text = text.replace(f" {long}", f" {brief}")
    return house.fitted(text, width, bold=True)


def _half(one: Lifecycle) -> str:
    """The median in words."""
    point, low, high = one.median.point, one.median.low, one.median.high
    if one.ended < SMALLEST_CELL:
        return "too few to tell"
    if point is None:
        return "half are not there yet"
    if point == 0:
        return f"half before the first {one.stage.unit.removesuffix('s')}"
    unit = _unit(one)[1]
    times = [_time(value, unit) for value in (point, low, high) if value is not None]
    units = {unit for _, unit in times}
    texts = [value if len(units) == 1 else f"{value} {unit}" for value, unit in times]
    text = texts[0] + (f" ({texts[1]} to {texts[2]})" if len(texts) == 3 else "")
    return f"half within {text} {times[0][1]}" if len(units) == 1 else f"half within {text}"


def _time(value: float, unit: str) -> tuple[str, str]:
    """Hours, told in the axis' unit or a smaller one; views as they are."""
    if unit in ("hours", "days") and value < 1:
        return told(60 * value), "minutes"
    if unit == "days" and value < 24:
        return told(value), "hours"
    return told(value / 24 if unit == "days" else value), unit
