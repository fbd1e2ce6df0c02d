"""Domains and texts that came more often than before, under names that mean nothing elsewhere."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trustlib.core.format import plural
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.harm.words import FEW, LINE, below, told
from trustlib.harm.deep_dive.result import DeepDive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 12
_COLUMNS = ["name", "kind", "ratio", "low", "high", "new", "note", "drawn"]
_RIGHT = 54.0


def newly_frequent_tokens(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """How many times as often as before each token came, with its interval, on a log axis.

    The surest first, at most 12. An arrow has no end: there was none before. Of tokens that came
    fewer than 11 times no number is shown. None where nothing rose, or all of it is too rare.
    """
    rows = newly_frequent_tokens_rows(result)
    shown = rows[rows["drawn"]]
    if shown["low"].isna().all():
        return None
    lines = [_line(row) for row in shown.to_dict("records")]
    left = len(rows) - len(shown)
    foot = ["new: not seen before, so the ratio has no upper end"] if shown["new"].any() else []
    foot += [f"and {plural(left, 'more token')}"] if left else []
    with house.style():
        ax = house.axes(ax, height=dots.height(lines, more=LINE * len(foot)))
        names = dots.labels(lines, 20)
        dots.rows(ax, lines, names)
        ends = shown[["ratio", "low", "high"]].to_numpy(dtype=float).ravel()
        far = [3 * line.low for line in lines if line.endless]
        dots.logarithmic(ax, [1.0, *ends[np.isfinite(ends)].tolist(), *far])
        dots.reference(ax, 1.0, lines, dashed=False)
        house.margins(
            ax, left=dots.widest(names, lines) + 16, right=_RIGHT, top=dots.TOP,
            bottom=dots.BOTTOM + LINE * len(foot),
        )  # fmt: skip
        dots.finish(ax, lines, room=_RIGHT - 3)
        house.unit(ax, "times as often as before")
        below(ax, foot)
    return ax


def newly_frequent_tokens_rows(result: DeepDive) -> pd.DataFrame:
    """name (keyed), kind, ratio, low, high, new, note, drawn: all tokens that rose.

    Two digits of each number, so that small counts before cannot be worked out; none at all of
    tokens that came fewer than 11 times.
    """
    found = result.how.newly_frequent
    if found is None or found.tokens.empty:
        return pd.DataFrame(columns=_COLUMNS).astype({"low": float, "new": bool, "drawn": bool})
    frame = found.tokens.reset_index(drop=True)
    small = frame["small"].astype(bool)
    numbers = {
        name: [
            math.nan if few else _two_digits(float(x))
            for x, few in zip(frame[name], small, strict=True)
        ]
        for name in ("ratio", "low", "high")
    }
    return pd.DataFrame(
        {
            "name": [clean(name) for name in frame["name"]],
            "kind": [clean(kind) for kind in frame["kind"]],
            **numbers,
            "new": frame["new"].astype(bool) & ~small,
            "note": [f"{FEW} times" if few else "" for few in small],
            "drawn": frame.index < MOST_ROWS,
        }
    )


def _line(row: dict[Hashable, Any]) -> Line:
    ratio, low, high = (float(row[name]) for name in ("ratio", "low", "high"))
    known = math.isfinite(ratio)
    return Line(
        label=str(row["name"]), point=ratio if known else math.nan, low=low, high=high,
        endless=math.isinf(high), note=str(row["note"]), strong=low > 1,
        text=f"×{told(ratio)}" if known else "new" if row["new"] else "",
    )  # fmt: skip


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}") if math.isfinite(value) else value
