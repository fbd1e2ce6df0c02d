"""What made the share move: within parts, or because parts grew and shrank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import Estimate
from trustlib.core.format import day
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.words import LINE, alike, number, share_unit, told
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.result import DeepDive

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAR = 0.62  # of a row's height
_COLUMNS = ["part", "kind", "start", "end", "point", "low", "high"]
_RIGHT = 52.0


def rate_and_mix_bars(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Bars one after the other from the share before to the share now, each with its interval.

    The first is what changed within the parts, the others are what the growing and shrinking of
    each dimension's values made; together they are the change, the last bar. None where it was
    not taken apart.
    """
    rows = rate_and_mix_bars_rows(result)
    if rows.empty:
        return None
    by, word = share_unit(result)
    mix = result.where.mix
    assert mix is not None
    with house.style():
        ax = house.axes(ax, height=(42 + (dots.ROW + 5) * len(rows) + 26) / 72)
        labels = [house.fitted(part, 150, bold=True) for part in rows["part"]]
        for y, row in enumerate(rows.to_dict("records")):
            _bar(ax, y, row, by, last=y == len(rows) - 1)
        ax.axvline(0, color=PALETTE["ink"], linewidth=1)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_yticks(range(len(rows)), labels)
        for y, label in enumerate(ax.get_yticklabels()):
            label.set(color=PALETTE["ink"], weight="bold" if y == len(rows) - 1 else "normal")
        ax.grid(False, axis="y")
        ax.grid(True, axis="x")
        ax.margins(x=0.05)
        if ax.get_xlim()[1] - ax.get_xlim()[0] < 1e-9:  # nothing moved
            ax.set_xlim(-1, 1)
        house.signed_ticks(ax)
        left = max(house.text_width(label, bold=True) for label in labels) + 12
        house.margins(ax, left=left, right=_RIGHT, top=42, bottom=26)
        _words(ax, rows, by)
        before, after = (told(by * number(one.point)) for one in (mix.before, mix.after))
        per = " %" if by == 100 else ""
        since = day(result.spec.compare_from, result.spec.timezone, year=False)
        unit = "percentage points" if by == 100 else word
        for line, text in enumerate(
            (f"{unit}, with intervals", f"before {since}: {before}{per}, since then: {after}{per}")
        ):
            ax.annotate(
                text, (0, 1), xycoords=("figure fraction", "axes fraction"),
                xytext=(2, 7 + LINE * line), textcoords="offset points", color=PALETTE["muted"],
                va="bottom",
            )  # fmt: skip
    return ax


def rate_and_mix_bars_rows(result: DeepDive) -> pd.DataFrame:
    """part, kind ("rate", "mix", "change"), start, end (of the bar), point, low, high: shares."""
    mix = result.where.mix
    if mix is None or mix.change.point is None:
        return pd.DataFrame(columns=_COLUMNS)
    rows: list[dict[str, object]] = []
    at = 0.0
    found: list[tuple[str, str, Estimate]] = [("within the parts", "rate", mix.rate)]
    found += [(f"mix of {clean(name)}", "mix", one) for name, one in mix.mix.items()]
    for part, kind, one in found:
        point = number(one.point)
        rows.append({"part": part, "kind": kind, "start": at, "end": at + point, **_ends(one)})
        at += point
    whole = {"part": "change in all", "kind": "change", "start": 0.0, "end": mix.change.point}
    return pd.DataFrame([*rows, whole | _ends(mix.change)], columns=_COLUMNS)


def _ends(one: Estimate) -> dict[str, float]:
    return {"point": number(one.point), "low": number(one.low), "high": number(one.high)}


def _bar(ax: Axes, y: int, row, by: float, *, last: bool) -> None:
    start, end = by * row["start"], by * row["end"]
    colour = PALETTE["actual"] if last else PALETTE["expected"]
    ax.barh(
        y, end - start, left=start, height=_BAR, color=colour, alpha=1.0 if last else 0.55,
        linewidth=0,
    )  # fmt: skip
    ends = [start + by * row["low"], start + by * row["high"]]
    ax.plot(ends, [y, y], color=PALETTE["ink"], linewidth=1.6)
    for at in ends:
        ax.plot([at, at], [y - 0.16, y + 0.16], color=PALETTE["ink"], linewidth=1.6)
    if not last:  # where the next one begins
        ax.plot([end, end], [y, y + 1], color=PALETTE["muted"], linewidth=0.8)


def _words(ax: Axes, rows: pd.DataFrame, by: float) -> None:
    for y, text in enumerate(alike([by * float(point) for point in rows["point"]])):
        ax.annotate(
            text, (1, y), xycoords=("axes fraction", "data"),
            xytext=(_RIGHT - 3, 0), textcoords="offset points", va="center", ha="right",
            color=PALETTE["ink"], weight="bold" if y == len(rows) - 1 else "normal",
        )  # fmt: skip
