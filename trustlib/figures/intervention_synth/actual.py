"""What was observed, against its synthetic: the same line before the start, or nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core.calendar import period
from trustlib.core.format import plural
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.intervention_synth.timeline import (
    band,
    left_room,
    of_group,
    period_ticks,
    start_labels,
    start_lines,
    starts,
    synthetic_name,
)
from trustlib.figures.interventions.words import outcome
from trustlib.figures.labels import End, ends_apart
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_COHORTS = 6  # with a panel of their own
_LINES = ["actual", "synthetic", "low", "high"]
_ROW = 1.6  # inches of a row of small panels
_GAP = 14.0  # points between two panels


def actual_and_synthetic(
    result: SynthResult, *, group: str | None = None, ax: Axes | None = None
) -> Axes | None:
    """The treated and their synthetic per period, with the synthetic's band after the start.

    None where nothing was estimable.

    Parameters
    ----------
    group
        "all", or a cohort's start; None: all, and under it a small panel for each start where
        there are several (six at most, of the most units).
    """
    frame = of_group(result.path, group or "all")
    if frame.empty or frame["synthetic"].isna().all():
        return None
    cohorts = _cohorts(result) if group is None and ax is None else []
    with house.style():
        rows = -(-len(cohorts) // 2)
        ax = house.axes(ax, height=3.4 + _ROW * rows)
        at = starts(result, list(frame["time"])) if group in (None, "all") else _own(frame)
        by, word = house.scale(float(frame[_LINES].abs().max().max()))
        _lines(ax, frame, at, by)
        names = ("actual", synthetic_name(result))
        right = max(house.text_width(name, bold=True) for name in names) + 12
        left = left_room(ax, list(frame["time"]))
        house.margins(ax, left=left, right=right, top=24, bottom=24 + 72 * _ROW * rows)
        house.headroom(ax, 18)
        period_ticks(ax, list(frame["time"]), house.size(ax)[0] - left - right)
        tail = word.rstrip() + (", mean of the treated" if result.design.treated > 1 else "")
        house.unit(ax, outcome(result, "", tail.removeprefix(", "), level=True))
        start_labels(ax, list(frame["time"]), at)
        _names(ax, frame, names, by)
        if cohorts:
            _small(ax, result, cohorts, by)
    return ax


def _own(frame: pd.DataFrame) -> list[int]:
    after = frame["after"].to_numpy(dtype=bool)
    return [int(after.argmax())] if after.any() else []


def _lines(ax: Axes, frame: pd.DataFrame, at: list[int], by: float) -> None:
    place = list(range(len(frame)))
    few = len(place) <= 40
    start_lines(ax, at)
    band(ax, frame, ("low", "high"), by, color=PALETTE["expected"])
    ax.plot(
        place, frame["synthetic"] / by, color=PALETTE["expected"], linewidth=1.6,
        linestyle=(0, (4, 2)),
    )  # fmt: skip
    ax.plot(
        place, frame["actual"] / by, color=PALETTE["actual"],
        linewidth=2.2 if len(place) <= 300 else 1.2, marker="o" if few else "", markersize=3,
    )  # fmt: skip
    low, high = ax.get_ylim()
    if 0 < low <= 0.45 * high:  # from zero where that costs little room
        ax.set_ylim(0, high)


def _names(ax: Axes, frame: pd.DataFrame, names: tuple[str, str], by: float) -> None:
    known = frame.dropna(subset=["actual", "synthetic"])
    if known.empty:
        return
    last = known.iloc[-1]
    ends_apart(
        ax,
        [
            End(last["actual"] / by, names[0], PALETTE["actual"], "bold"),
            End(last["synthetic"] / by, names[1], PALETTE["expected"], "normal"),
        ],
    )


def _cohorts(result: SynthResult) -> list[tuple[str, int]]:
    """Starts and their numbers of units, in time; the six largest where there are more."""
    if len(result.design.starts) < 2:
        return []
    pool = result.pool[result.pool["role"] == "treated"]
    sizes = pool["first_treated"].astype(str).value_counts()
    found = [(start, int(sizes.get(start, 0))) for start in result.design.starts]
    largest = sorted(found, key=lambda one: -one[1])[:MOST_COHORTS]
    return [one for one in found if one in largest]


def _small(ax: Axes, result: SynthResult, cohorts: list[tuple[str, int]], by: float) -> None:
    """Each start by itself: the mean above changes its members from start to start."""
    width, height = house.size(ax)
    figure = ax.get_figure(root=True)
    assert figure is not None
    left = 72 * house.WIDTH * ax.get_position().x0
    panel = (width - 2 * left - _GAP) / 2
    for i, (start, units) in enumerate(cohorts):
        frame = of_group(result.path, start)
        if frame.empty:
            continue
        column, row = i % 2, i // 2
        bottom = 72 * _ROW * (-(-len(cohorts) // 2) - 1 - row) + 22
        x = left + column * (panel + left + _GAP)
        small = figure.add_axes(
            (x / width, bottom / height, panel / width, (72 * _ROW - 54) / height)
        )
        _lines(small, frame, _own(frame), by)
        house.y_labels(small)
        period_ticks(small, list(frame["time"]), panel)
        small.annotate(
            f"from {period(start, year=False, width=16)}, {plural(units, 'unit')}", (0, 1),
            xycoords="axes fraction", xytext=(-left + 2, 5), textcoords="offset points",
            color=PALETTE["muted"], va="bottom",
        )  # fmt: skip
