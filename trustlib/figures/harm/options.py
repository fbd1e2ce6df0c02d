"""What could be done: harm addressed per false positive, and how sure the order is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.harm.words import number
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.result import DeepDive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 10
_SPREAD = 8.0  # largest over smallest, from which on the axis is a log one
_COLUMNS = ["name", "kind", "ratio", "low", "high", "probability_first", "unit", "note", "drawn"]


def options(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Options by harm addressed per false positive with its interval, and the chance to be first.

    In the ranking's order; what only measures ("label") is not drawn. None without an option that
    has a ratio.
    """
    rows = options_rows(result)
    shown = rows[rows["drawn"]]
    if shown["ratio"].isna().all():
        return None
    lines = _lines(shown)
    with house.style():
        ax = house.axes(ax, height=dots.height(lines, more=15))
        names = dots.labels(lines, 25)
        right = max(dots.widest([line.text for line in lines], lines), 30.0) + 16
        dots.rows(ax, lines, names)
        ends = shown[["ratio", "low", "high"]].to_numpy(dtype=float).ravel()
        ends = ends[ends == ends]
        if (ends > 0).all() and ends.max() > _SPREAD * ends.min():
            dots.logarithmic(ax, ends.tolist())
        else:
            dots.linear(ax)
        house.margins(
            ax, left=dots.widest(names, lines) + 16, right=right, top=dots.TOP + 15,
            bottom=dots.BOTTOM,
        )  # fmt: skip
        dots.finish(ax, lines, room=right - 3)
        unit = house.fitted(shown["unit"].iloc[0], 72 * house.WIDTH - 10)
        ax.annotate(
            unit, (0, 1), xycoords=("figure fraction", "axes fraction"), xytext=(2, 22),
            textcoords="offset points", color=PALETTE["muted"], va="bottom",
        )  # fmt: skip
        if shown["probability_first"].notna().any():
            ax.annotate(
                "chance to be the first", (1, 1), xycoords="axes fraction",
                xytext=(right - 3, 5), textcoords="offset points", color=PALETTE["muted"],
                va="bottom", ha="right",
            )  # fmt: skip
    return ax


def options_rows(result: DeepDive) -> pd.DataFrame:
    """name, kind, ratio, low, high, probability_first, unit, note, drawn: as they are ranked."""
    if result.ranking is None:
        return pd.DataFrame(columns=_COLUMNS).astype({"ratio": float, "drawn": bool})
    rows = [
        {
            "name": clean(option.name),
            "kind": option.kind,
            "ratio": number(ratio.point),
            "low": number(ratio.low),
            "high": number(ratio.high),
            "probability_first": float(first),
            "unit": clean(ratio.unit),
            "note": clean(ratio.note or ""),
        }
        for option, ratio, first in zip(
            result.ranking.options, result.ranking.ratio, result.ranking.probability_first,
            strict=True,
        )
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    real = frame["kind"] != "label"
    return frame.assign(drawn=real & (real.cumsum() <= MOST_ROWS))[_COLUMNS]


def _lines(shown: pd.DataFrame) -> list[Line]:
    best = shown["probability_first"].max()
    return [
        Line(
            label=str(row["name"]).removeprefix("acting on "),
            point=row["ratio"], low=row["low"], high=row["high"],
            text=_chance(row["probability_first"]),
            strong=row["probability_first"] == best,
            note="" if row["ratio"] == row["ratio"] else _why(str(row["note"])),
        )
        for row in shown.to_dict("records")
    ]  # fmt: skip


def _why(note: str) -> str:
    """In a few words: a row has little room."""
    return note.removeprefix("not estimable: ").removesuffix(" was found")


def _chance(value: float) -> str:
    if math.isnan(value):
        return ""
    if value < 0.01:
        return f"<{show.NBSP}1{show.NBSP}%"
    if value > 0.99:
        return f">{show.NBSP}99{show.NBSP}%"
    return f"{round(100 * value)}{show.NBSP}%"
