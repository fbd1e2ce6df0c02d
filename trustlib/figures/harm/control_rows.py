"""What today's controls find, how often they are right, and what two of them find alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.core.format import plural
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.harm.words import LINE, below, control_names
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.result import DeepDive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 12
_NUMBER = 54.0  # points, for a share at the end of a row
_PLAIN = {"recall": "found, of what violates", "precision": "right, of what it hit"}
_OVERLAP = ["first", "second", "both", "low", "high", "expected", "drawn"]


def control_recall(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Recall and precision of each control with their intervals, side by side.

    All together are the last row, bold and filled. On `ax` recall alone. None without controls.
    """
    rows = control_recall_rows(result)
    if rows.empty:
        return None
    names = control_names(rows["name"], 16)
    parts = {name: _lines(rows, name, names) for name in ("recall", "precision")}
    with house.style():
        own = ax is None
        ax = house.axes(ax, height=dots.height(parts["recall"], more=LINE))
        figure = ax.get_figure(root=True)
        assert figure is not None
        left = dots.widest(names, parts["recall"]) + 16
        top = dots.TOP + LINE
        if not own:
            house.margins(ax, left=left, right=_NUMBER, top=top, bottom=dots.BOTTOM)
            _panel(ax, parts["recall"], names, "recall")
            return ax
        width, height = house.size(ax)
        wide = (width - left) / 2 - _NUMBER
        for i, (measure, lines) in enumerate(parts.items()):
            place = (
                (left + i * (wide + _NUMBER)) / width, dots.BOTTOM / height, wide / width,
                (height - top - dots.BOTTOM) / height,
            )  # fmt: skip
            panel = ax if i == 0 else figure.add_axes(place)
            panel.set_position(place)
            _panel(panel, lines, names if i == 0 else None, measure)
    return ax


def control_recall_rows(result: DeepDive) -> pd.DataFrame:
    """name, recall, recall_low, recall_high, precision, precision_low, precision_high: shares.

    The last row is all controls together.
    """
    columns = [
        "name", *(f"{m}{tail}" for m in ("recall", "precision") for tail in ("", "_low", "_high"))
    ]  # fmt: skip
    found = result.today.controls
    if found is None:
        return pd.DataFrame(columns=columns)
    table = found.table()[columns]
    return table.assign(name=[clean(name) for name in table["name"]])


def control_overlap(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """The share of what violates that two controls both find, against what chance would give.

    Dots with intervals; a hollow diamond is what two would both find if neither knew of the other.
    Pairs with the largest share first, at most 12. None with fewer than two controls.
    """
    rows = control_overlap_rows(result)
    shown = rows[rows["drawn"]]
    if shown.empty or shown["both"].isna().all():
        return None
    every = list(dict.fromkeys([*rows["first"], *rows["second"]]))
    known = dict(zip(every, control_names(every, 13), strict=True))
    pairs = [
        f"{known[a]} + {known[b]}" for a, b in zip(shown["first"], shown["second"], strict=True)
    ]
    numbers = 100 * shown[["both", "low", "high", "expected"]].astype(float)
    lines = [
        Line(
            label=name, point=row["both"], low=row["low"], high=row["high"], mark=row["expected"],
            text=_percent(row["both"] / 100), strong=row["low"] > row["expected"],
        )
        for name, row in zip(pairs, numbers.to_dict("records"), strict=True)
    ]  # fmt: skip
    left = len(rows) - len(shown)
    foot = ["diamond: by chance, if they knew nothing of each other"]
    foot += ["filled, bold: more than by chance"] if any(line.strong for line in lines) else []
    foot += [f"and {plural(left, 'more pair')}"] if left else []
    with house.style():
        ax = house.axes(ax, height=dots.height(lines, more=LINE * len(foot)))
        dots.rows(ax, lines, pairs)
        dots.linear(ax)
        house.margins(
            ax, left=dots.widest(pairs, lines) + 16, right=_NUMBER, top=dots.TOP,
            bottom=dots.BOTTOM + LINE * len(foot),
        )  # fmt: skip
        dots.finish(ax, lines, room=_NUMBER - 3)
        house.unit(ax, "found by both, per cent of what violates")
        below(ax, foot)
    return ax


def control_overlap_rows(result: DeepDive) -> pd.DataFrame:
    """first, second, both, low, high, expected, drawn: shares of the violating, largest first."""
    found = result.today.controls
    if found is None or found.overlap.empty:
        return pd.DataFrame(columns=_OVERLAP).astype({"drawn": bool})
    frame = found.overlap.sort_values("both", ascending=False, kind="stable", ignore_index=True)
    names = {name: [clean(one) for one in frame[name]] for name in ("first", "second")}
    return frame.assign(**names, drawn=frame.index < MOST_ROWS)[_OVERLAP]


def _percent(share: float) -> str:
    return "" if math.isnan(share) else show.percent(share)


def _lines(rows: pd.DataFrame, measure: str, names: list[str]) -> list[Line]:
    lines: list[Line] = []
    for name, row in zip(names, rows.to_dict("records"), strict=True):
        point, low, high = (float(row[f"{measure}{tail}"]) for tail in ("", "_low", "_high"))
        lines.append(
            Line(
                label=name, point=100 * point, low=100 * low, high=100 * high,
                text=_percent(point), strong=len(lines) == len(rows) - 1,
                note="not estimable" if math.isnan(point) else "",
            )
        )  # fmt: skip
    return lines


def _panel(ax: Axes, lines: list[Line], names: list[str] | None, measure: str) -> None:
    dots.rows(ax, lines, names)
    ax.set_xlim(0, 104)
    ax.set_xticks([0, 50, 100], ["0", "50", "100"])
    dots.finish(ax, lines, room=_NUMBER - 4)
    for line, text in enumerate((f"{_PLAIN[measure]}", f"{measure}, per cent")):
        ax.annotate(
            text, (0, 1), xycoords="axes fraction", xytext=(0, 6 + LINE * line),
            textcoords="offset points", va="bottom", color=PALETTE["ink" if line else "muted"],
            weight="bold" if line else "normal",
        )  # fmt: skip
