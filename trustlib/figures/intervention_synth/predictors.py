"""Balance: is the synthetic like the treated in what predicts the outcome."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import told_apart
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 24
_ROW = 22.0  # points
_FAR = 1.75  # times the donors' distance: beyond it an arrow at the edge
_COLUMNS = ("treated", "synthetic", "donors")
_COLUMN = 62.0  # points of a column of numbers


def predictors(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """For each predictor how far the synthetic is from the treated, and the three numbers.

    Distances are in shares of the donors' own: 0 is like the treated, 1 like the mean of the
    donors. The 24 of the largest importance. None without predictors.
    """
    frame = _shown(result)
    if frame.empty:
        return None
    with house.style():
        ax = house.axes(ax, height=(56 + _ROW * len(frame)) / 72)
        places = [_place(row) for row in frame.to_dict("records")]
        for y, place in enumerate(places):
            _mark(ax, y, place)
        far_left = min([-0.25, *(p for p in places if math.isfinite(p))])
        far_right = max([1.25, *(p for p in places if math.isfinite(p))])
        ax.set_xlim(max(far_left, -_FAR) - 0.12, min(far_right, _FAR) + 0.12)
        ax.axvline(0, color=PALETTE["ink"], linewidth=1)
        ax.axvline(1, color=PALETTE["expected"], linewidth=1, linestyle=(0, (3, 3)))
        names = told_apart(frame["predictor"], 20)
        ax.set_yticks(range(len(names)), names)
        ax.tick_params(axis="y", labelcolor=PALETTE["ink"])
        ax.set_ylim(len(names) - 0.4, -0.6)
        ax.grid(False)
        ax.set_xticks([0, 1], ["treated", "donors"])
        left = max(house.text_width(name) for name in names) + 12
        right = _COLUMN * len(_COLUMNS) + 8
        house.margins(ax, left=left, right=right, top=28, bottom=24)
        house.unit(ax, "● where the synthetic is")
        _numbers(ax, frame)
    return ax


def _shown(result: SynthResult) -> pd.DataFrame:
    frame = result.predictors
    if len(frame) > MOST_ROWS:
        heavy = frame["importance"].sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
        frame = frame.loc[sorted(heavy)]
    return frame.reset_index(drop=True)


def _place(row: dict[Hashable, Any]) -> float:
    """0 at the treated, 1 at the donors' mean; NaN where one is not known."""
    treated, synthetic, donors = (float(row[name]) for name in _COLUMNS)
    away, wide = synthetic - treated, donors - treated
    if wide == 0 or abs(wide) < 1e-12 * abs(treated):
        near = abs(away) <= 1e-9 * max(abs(treated), abs(synthetic))
        return 0.0 if near else math.copysign(math.inf, away)
    return away / wide


def _mark(ax: Axes, y: int, place: float) -> None:
    if math.isnan(place):
        return
    colour = PALETTE["actual"]
    if abs(place) > _FAR:
        ax.plot(
            [math.copysign(_FAR, place)], [y], marker=">" if place > 0 else "<", markersize=8,
            color=colour, clip_on=False,
        )  # fmt: skip
        return
    ax.plot([0, place], [y, y], color=colour, linewidth=2, alpha=0.5)
    ax.plot([place], [y], marker="o", markersize=7.5, color=colour)


def _numbers(ax: Axes, frame: pd.DataFrame) -> None:
    width = house.size(ax)[0]
    ends = [width - 2 - _COLUMN * i for i in range(len(_COLUMNS) - 1, -1, -1)]
    for x, name in zip(ends, _COLUMNS, strict=True):
        ax.annotate(
            name, (x / width, 1), xycoords=("figure fraction", "axes fraction"), xytext=(0, 7),
            textcoords="offset points", color=PALETTE["muted"], va="bottom", ha="right",
        )  # fmt: skip
    for y, row in enumerate(frame.to_dict("records")):
        values = [float(row[name]) for name in _COLUMNS]
        for x, name, text in zip(ends, _COLUMNS, _texts(values), strict=True):
            ax.annotate(
                text, (x / width, y), xycoords=("figure fraction", "data"), va="center",
                ha="right", color=PALETTE["muted"] if name == "donors" else PALETTE["ink"],
                annotation_clip=False,
            )  # fmt: skip


def _texts(values: list[float]) -> list[str]:
    """The three numbers to one place; three digits each where that would be too wide."""
    known = [value for value in values if math.isfinite(value)]
    texts = iter(show.alike(known)) if known else iter(())
    out = [next(texts) if math.isfinite(value) else "–" for value in values]
    if max(house.text_width(text) for text in out) <= _COLUMN - 8:
        return out
    return [f"{value:.2g}" if math.isfinite(value) else "–" for value in values]
