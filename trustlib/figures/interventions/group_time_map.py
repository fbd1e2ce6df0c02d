"""Heat map of group-time effects: a row for each cohort, a column for each period.

Every cell prints its effect; a frame marks those whose interval excludes zero, so that nothing
hangs on colour. Where so many cells would not be legible, signs stand in the place of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.core.calendar import periods as named
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.interventions.words import outcome, periods, sparse
from trustlib.interventions import DidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 21.0  # points of a row's height
_MOST_LINES = 44  # rows over all blocks; beyond it, signs
_MOST_COHORTS = 40
_STEPS = (0.10, 0.22, 0.36)  # opacities by size of the effect


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """The cells as arrays, (cohorts, periods)."""

    cohorts: list[str]
    times: list[str]
    point: np.ndarray
    clear: np.ndarray
    after: np.ndarray


def group_time_map(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """Effects by cohort and period. None where no cell is estimable."""
    frame = group_time_rows(result)
    if frame["point"].isna().all():
        return None
    grid = _grid(frame, periods(result))
    with house.style():
        left = max(house.text_width(name) for name in grid.cohorts) + 12
        room = 72 * house.WIDTH - left - 8
        texts, power = _texts(grid.point)
        widest = max(house.text_width(text, bold=True) for row in texts for text in row) + 8
        per_block = max(1, min(len(grid.times), int(room // widest)))
        blocks = -(-len(grid.times) // per_block)
        signs = blocks * len(grid.cohorts) > _MOST_LINES
        if signs:
            per_block, blocks = len(grid.times), 1
        else:
            per_block = -(-len(grid.times) // blocks)  # even blocks
        lines = blocks * (len(grid.cohorts) + 1.6) - 0.6
        ax = house.axes(ax, height=(lines * _ROW + 44) / 72)
        for block in range(blocks):
            first = block * per_block
            columns = range(first, min(first + per_block, len(grid.times)))
            top = block * (len(grid.cohorts) + 1.6)
            _block(ax, grid, columns, top, texts, signs=signs, room=room, per_block=per_block)
        _frame_axes(ax, per_block, lines)
        house.margins(ax, left=left, right=8, top=38, bottom=6)
        scaled = f"× 10{_superscript(-power)}" if power else ""
        ax.annotate(
            outcome(result, "effect on ", scaled), (0, 1),
            xycoords=("figure fraction", "axes fraction"), xytext=(2, 22),
            textcoords="offset points", color=PALETTE["muted"], va="bottom",
        )  # fmt: skip
    return ax


def group_time_rows(result: DidResult) -> pd.DataFrame:
    """The rows that the heat map draws: those of the 40 largest cohorts."""
    frame = result.group_time
    size = frame.groupby("group", sort=False)["units"].max()
    if len(size) <= _MOST_COHORTS:
        return frame
    kept = size.sort_values(ascending=False, kind="stable").index[:_MOST_COHORTS]
    return frame[frame["group"].isin(kept)].reset_index(drop=True)


def _grid(frame: pd.DataFrame, times: Sequence[str]) -> _Grid:
    cohorts = list(dict.fromkeys(map(str, frame["group"])))
    known = set(map(str, frame.dropna(subset=["point"])["time"]))
    times = [time for time in times if time in known]
    row = {name: i for i, name in enumerate(cohorts)}
    column = {name: i for i, name in enumerate(times)}
    point = np.full((len(cohorts), len(times)), np.nan)
    clear, after = np.zeros(point.shape, dtype=bool), np.zeros(point.shape, dtype=bool)
    cells = frame[["group", "time", "point", "low", "high", "after"]].itertuples(index=False)
    for group, time, value, low, high, treated in cells:
        if str(time) not in column:
            continue
        at = row[str(group)], column[str(time)]
        point[at], clear[at], after[at] = value, low > 0 or high < 0, treated
    return _Grid(cohorts=named(cohorts), times=named(times, width=12), point=point,
                 clear=clear, after=after)  # fmt: skip


def _texts(point: np.ndarray) -> tuple[list[list[str]], int]:
    """Each cell in at most two digits before the dot and few after it, and the power of ten."""
    largest = float(np.nanmax(np.abs(point)))
    exponent = math.floor(math.log10(largest)) if largest > 0 else 0
    power = 0 if -1 <= exponent <= 2 else -exponent
    decimals = {-1: 2, 0: 1, 1: 0, 2: 0}[exponent] if power == 0 else 1
    return [[_number(value * 10.0**power, decimals) for value in row] for row in point], power


def _number(value: float, decimals: int) -> str:
    if value != value:
        return ""
    text = f"{abs(value):.{decimals}f}"
    if not float(text):
        return "0"
    return ("−" if value < 0 else "+") + (text[1:] if text.startswith("0.") else text)


def _superscript(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _block(
    ax: Axes, grid: _Grid, columns: range, top: float, texts: list[list[str]], *,
    signs: bool, room: float, per_block: int,
) -> None:  # fmt: skip
    chosen = [grid.times[i] for i in columns]
    width = room * len(columns) / per_block
    for i in sparse(chosen, width, gap=6):
        ax.text(i + 0.5, top - 0.12, chosen[i], ha="center", va="bottom", color=PALETTE["muted"])
    for y, name in enumerate(grid.cohorts):
        ax.annotate(
            name, (0, top + y + 0.5), xycoords=("axes fraction", "data"), xytext=(-6, 0),
            textcoords="offset points", ha="right", va="center", color=PALETTE["ink"],
            annotation_clip=False,
        )  # fmt: skip
    cells = [(x, y, columns[x]) for y in range(len(grid.cohorts)) for x in range(len(columns))]
    _paint(ax, grid, cells, top)
    _start_lines(ax, grid, columns, top)
    if signs:
        _signs(ax, grid, cells, top)
        return
    _frames(ax, grid, cells, top)
    for x, y, at in cells:
        if text := texts[y][at]:
            strong = bool(grid.clear[y, at])
            ax.text(
                x + 0.5, top + y + 0.5, text, ha="center", va="center",
                weight="bold" if strong else "normal",
                color=PALETTE["ink"] if grid.after[y, at] else PALETTE["muted"],
            )  # fmt: skip


def _paint(ax: Axes, grid: _Grid, cells: list[tuple[int, int, int]], top: float) -> None:
    """One path for each direction and step of size."""
    largest = float(np.nanmax(np.abs(grid.point))) or 1.0
    for sign, colour in ((-1, PALETTE["actual"]), (1, PALETTE["harm"])):
        for step, opacity in enumerate(_STEPS):
            boxes = []
            for x, y, at in cells:
                value = grid.point[y, at] / largest
                if value == value and sign * value > 0:
                    level = min(int(abs(value) * len(_STEPS)), len(_STEPS) - 1)
                    if level == step:
                        boxes.append((x + 0.03, top + y + 0.06, x + 0.97, top + y + 0.94))
            house.rectangles(ax, boxes, color=colour, alpha=opacity, linewidth=0)


def _frames(ax: Axes, grid: _Grid, cells: list[tuple[int, int, int]], top: float) -> None:
    boxes = [
        (x + 0.05, top + y + 0.09, x + 0.95, top + y + 0.91)
        for x, y, at in cells
        if grid.clear[y, at]
    ]
    house.rectangles(ax, boxes, facecolor="none", edgecolor=PALETTE["ink"], linewidth=1.2)


def _start_lines(ax: Axes, grid: _Grid, columns: range, top: float) -> None:
    """A thick line where a cohort's treatment starts."""
    x, y = [], []
    for row in range(len(grid.cohorts)):
        treated = np.flatnonzero(grid.after[row])
        if len(treated) and treated[0] in columns:
            at = treated[0] - columns[0]
            x += [at, at, float("nan")]
            y += [top + row + 0.02, top + row + 0.98, float("nan")]
    ax.plot(x, y, color=PALETTE["ink"], linewidth=2.2, clip_on=False)


def _signs(ax: Axes, grid: _Grid, cells: list[tuple[int, int, int]], top: float) -> None:
    """A minus or plus in each cell whose interval excludes zero: one path for all."""
    x: list[float] = []
    y: list[float] = []
    nan = float("nan")
    for column, row, at in cells:
        if not grid.clear[row, at]:
            continue
        middle, height = column + 0.5, top + row + 0.5
        x += [column + 0.2, column + 0.8, nan]
        y += [height, height, nan]
        if grid.point[row, at] > 0:
            x += [middle, middle, nan]
            y += [height - 0.3, height + 0.3, nan]
    ax.plot(x, y, color=PALETTE["ink"], linewidth=1.3)


def _frame_axes(ax: Axes, columns: int, lines: float) -> None:
    ax.set_xlim(0, columns)
    ax.set_ylim(lines, 0)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(False)
    ax.spines["bottom"].set_visible(False)
