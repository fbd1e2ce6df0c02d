"""How often people were hit: people and their cases by dose."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core.format import plural
from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm.words import below
from trustlib.figures.house import PALETTE
from trustlib.figures.postmortem.words import FEW, capital, counted, decided, number, without_few
from trustlib.postmortem.result import Postmortem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 12  # doses; a kind of people is drawn whole, or left to the file
_LINE = 15.0  # points of one bar
_HEAD = 20.0
_TOP, _BOTTOM = 4.0, 4.0
_COLUMNS = ["kind", "side", "dose", "people", "cases", "drawn"]


def doses(result: Postmortem, *, ax: Axes | None = None) -> Axes | None:
    """For each number of cases that a person has: how many such people, and how many cases.

    One kind of people under the other, as many as 12 lines hold. None where there is no count.
    """
    rows = doses_rows(result)
    shown = rows[rows["drawn"]]
    if shown[["people", "cases"]].isna().all(axis=None):
        return None
    largest = float(shown[["people", "cases"]].max().max())
    groups = list(shown.groupby(["kind", "side"], sort=False))
    left = len(rows.groupby(["kind", "side"])) - len(groups)
    foot = [f"{plural(left, 'more kind')} of people in the file"] if left else []
    high = sum(_HEAD + (2 * _LINE + 6) * len(group) for _, group in groups)
    with house.style():
        bottom = _BOTTOM + 15.0 * len(foot)
        ax = house.axes(ax, height=(_TOP + high + bottom) / 72)
        names = [
            house.fitted("once" if str(dose) == "1" else f"{dose} times", 130)
            for dose in shown["dose"]
        ]
        ax.set_ylim(high, 0)  # points from the top
        ax.set_xlim(0, (largest or 1.0) * 1.02)
        ends = [_told(number(row[c]), c) for _, row in shown.iterrows() for c in _BARS]
        house.margins(
            ax, left=max(map(house.text_width, names)) + 16,
            right=max(map(house.text_width, ends)) + 8, top=_TOP, bottom=bottom,
        )  # fmt: skip
        ax.grid(False)
        ax.set_xticks([])  # every bar has its number
        ax.spines["bottom"].set_visible(False)
        marks = _groups(ax, groups)
        ax.set_yticks(marks, names)
        ax.tick_params(axis="y", labelcolor=PALETTE["ink"])
        below(ax, foot, first=2.0)
    return ax


_BARS = {"people": "actual", "cases": "expected"}


def doses_rows(result: Postmortem) -> pd.DataFrame:
    """kind, side, dose, people, cases, drawn."""
    frame = without_few(result.doses, "people", "cases")
    if frame.empty:
        return frame.assign(drawn=pd.Series(dtype=bool))[_COLUMNS]
    drawn, used = set(), 0
    for key, group in frame.groupby(["kind", "side"], sort=False):
        if used and used + len(group) > MOST_ROWS:
            break
        drawn.add(key)
        used += len(group)
    keys = zip(frame["kind"], frame["side"], strict=True)
    rows = frame.assign(
        dose=[clean(dose) or "(empty)" for dose in frame["dose"]],
        drawn=[key in drawn for key in keys],
    )
    return rows[_COLUMNS].reset_index(drop=True)


def _groups(ax: Axes, groups: list[tuple[tuple[Hashable, ...], pd.DataFrame]]) -> list[float]:
    """Every group with its heading; returns where the names of its rows stand."""
    y, marks = 0.0, []
    for (kind, way), group in groups:
        ax.annotate(
            f"{capital(kind)} by cases that were {decided(way)}", (0, y + _HEAD / 2),
            xycoords=("figure fraction", "data"), xytext=(2, 0), textcoords="offset points",
            va="center", color=PALETTE["muted"], weight="bold",
        )  # fmt: skip
        y += _HEAD
        for _, row in group.iterrows():
            marks.append(y + _LINE)
            for name, colour in _BARS.items():
                _bar(ax, number(row[name]), y + _LINE / 2, _told(number(row[name]), name), colour)
                y += _LINE
            y += 6
    return marks


def _bar(ax: Axes, value: float, y: float, text: str, colour: str) -> None:
    ax.barh(
        y, value if value == value else 0.0, height=_LINE - 5, color=PALETTE[colour],
        alpha=1.0 if colour == "actual" else 0.55,
    )  # fmt: skip
    ax.annotate(
        text, (value if value == value else 0.0, y), xytext=(4, 0), textcoords="offset points",
        va="center", color=PALETTE["ink"],
    )  # fmt: skip


def _told(value: float, name: str) -> str:
    """ "410 people"; "fewer than 11" where the count is withheld."""
    noun = {"people": "person", "cases": "case"}[name] if value == 1 else name
    return f"{counted(value)} {noun}" if value == value else f"{FEW} {name}"
