"""How long each stage takes: the share that has not reached its end, over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.figures import house
from trustlib.figures.harm.words import FEW, told
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.lifecycle import Lifecycle
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL = 150.0  # points of a stage: words above, curve, tick labels
_TOP, _BOTTOM, _LEFT, _RIGHT = 40.0, 24.0, 44.0, 24.0
_DAYS = 240.0  # hours from which on days read better
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
        ax = house.axes(None, height=_PANEL * len(stages) / 72)
        figure = ax.get_figure(root=True)
        assert figure is not None
        width, height = house.size(ax)
        for i, one in enumerate(stages):
            place = (
                _LEFT / width, (_PANEL * (len(stages) - 1 - i) + _BOTTOM) / height,
                (width - _LEFT - _RIGHT) / width, (_PANEL - _TOP - _BOTTOM) / height,
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
    """What to divide times by, and its word."""
    if one.stage.unit == "hours" and one.follow_up >= _DAYS:
        return 24.0, "days"
    return 1.0, one.stage.unit


def _points(one: Lifecycle) -> pd.DataFrame:
    """The curve from 1 on, at points that are 11 cases apart; empty with fewer cases."""
    names = ["time", "surviving", "low", "high"]
    curve, (by, _) = one.curve, _unit(one)
    if one.ended < SMALLEST_CELL:
        return pd.DataFrame(columns=names, dtype=float)
    events = curve["events"].to_numpy(dtype=float)
    # Sums of sampling weights do not tell how many cases: at least one in each row.
    counts = math.isclose(float(events.sum()), one.ended, abs_tol=0.5)
    cases = np.cumsum(events if counts else np.ones(len(events)))
    apart = max(float(SMALLEST_CELL), float(cases[-1]) / _MOST)
    kept: list[int] = []
    since = 0.0
    for i, sofar in enumerate(cases):
        if sofar - since >= apart:
            kept.append(i)
            since = float(sofar)
    if not kept:
        return pd.DataFrame(columns=names, dtype=float)
    kept[-1] = len(cases) - 1  # what is left over goes with the last ones
    found = curve.iloc[kept][names]
    start = pd.DataFrame({"time": [0.0], "surviving": [1.0], "low": [1.0], "high": [1.0]})
    whole = pd.concat([start, found], ignore_index=True).astype(float)
    return whole.assign(time=whole["time"] / by)


def _stage(ax: Axes, one: Lifecycle) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    by, unit = _unit(one)
    points = _points(one)
    title = f"{one.stage.start} to {one.stage.end}: {_half(one, by, unit)}"
    heads = (
        (f"share not there yet, per cent, over {unit}", "muted"),
        (house.fitted(title, house.size(ax)[0] - 8, bold=True), "ink"),
    )
    for line, (text, colour) in enumerate(heads):
        ax.annotate(
            text, (0, 1), xycoords=("figure fraction", "axes fraction"),
            xytext=(2, 5 + 15 * line), textcoords="offset points", color=PALETTE[colour],
            va="bottom", weight="bold" if line else "normal",
        )  # fmt: skip
    ax.set_ylim(0, 104)
    ax.set_yticks([0, 50, 100])
    if points.empty:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.annotate(
            f"{FEW} cases got there", (0, 0.5), xycoords="axes fraction", xytext=(6, 0),
            textcoords="offset points", color=PALETTE["muted"], va="center",
        )  # fmt: skip
        return
    x = points["time"]
    ax.fill_between(
        x, 100 * points["low"], 100 * points["high"], color=PALETTE["actual"], alpha=0.2,
        linewidth=0,
    )  # fmt: skip
    ax.plot(x, 100 * points["surviving"], color=PALETTE["actual"], linewidth=2.2)
    ax.set_xlim(0, float(x.iloc[-1]) or 1.0)
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


def _half(one: Lifecycle, by: float, unit: str) -> str:
    """The median in words."""
    point, low, high = one.median.point, one.median.low, one.median.high
    if one.ended < SMALLEST_CELL:
        return "too few to tell"
    if point is None:
        return "half are not there yet"
    text = f"half within {told(point / by)}"
    if low is not None and high is not None:
        text += f" ({told(low / by)} to {told(high / by)})"
    return f"{text} {unit}"
