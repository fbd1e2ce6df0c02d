"""Where the harm is: the share by the values of each segment, against the whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.harm import dots
from trustlib.figures.harm.dots import Line
from trustlib.figures.harm.words import LINE, below, share_unit, told
from trustlib.figures.house import PALETTE
from trustlib.harm.deep_dive.published import published
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.samples import UNKNOWN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 16  # headings not counted
MOST_TOGETHER = 3  # combinations that the search confirmed
_TOGETHER = "confirmed together"
_NUMBERS = ("share", "low", "high", "at_most")
_FAR = 1.5  # times the largest end: bars of withheld values that reach farther are cut
_COLUMNS = [
    "segment", "value", "share", "low", "high", "at_most", "confirmed", "drawn", "note",
]  # fmt: skip


def segment_forest(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Shares by value, highest first, in a group for each segment; the whole's share is a line.

    Bold and filled are values that the search confirmed on accounts that it had not looked at.
    Combinations that it confirmed follow in words. Of more than 16 values those with the highest
    shares are drawn and the others counted. None without a value that may be shown.
    """
    frame = segment_forest_rows(result)
    if frame.empty or frame[["share", "at_most"]].isna().all(axis=None):
        return None
    by, word = share_unit(result)
    lines = _lines(frame, by)
    with house.style():
        foot = []
        if any(line.strong for line in lines):
            foot.append("filled, bold: confirmed on accounts that were not searched")
        if any(line.until == line.until for line in lines):
            foot.append("dotted: few labels, so only a rounded upper end is shown")
        ax = house.axes(ax, height=dots.height(lines, more=LINE * len(foot) + 15))
        names = dots.labels(lines, 20)
        whole = _whole(result)
        if whole is not None:
            dots.reference(ax, by * whole, lines)
        dots.rows(ax, lines, names)
        _limits(ax, lines, whole, by)
        right = dots.widest([line.text for line in lines], lines) + 22
        house.margins(
            ax, left=max(dots.widest(names, lines) + 16, 60), right=right,
            top=dots.TOP + 15, bottom=dots.BOTTOM + LINE * len(foot),
        )  # fmt: skip
        dots.finish(ax, lines, room=right - 3)
        _words(ax, by, word, whole)
        below(ax, foot)
    return ax


def segment_forest_rows(result: DeepDive) -> pd.DataFrame:
    """segment, value, share, low, high, at_most, confirmed, drawn, note: all values, in order.

    Where labels are few there is no share, only a rounded upper end: `at_most`. The last rows
    are the confirmed combinations, whose note says how many times the rate of all others theirs
    is, on the half of the accounts that was not searched.
    """
    parts = []
    for segment, every in published(result).segments.items():
        table = every[every["value"] != UNKNOWN].reset_index(drop=True)
        held = _confirmed(result, str(segment))
        part = pd.DataFrame(
            {
                "segment": clean(segment),
                "value": [clean(value) or "(empty)" for value in table["value"]],
                **{name: table[name].astype(float) for name in ("share", "low", "high")},
                # All of it is no bound.
                "at_most": table["at_most"].where(table["at_most"] < 1).astype(float),
                "confirmed": [str(value) in held for value in table["value"]],
                "drawn": False,
            }
        )
        unknown = part["share"].isna()
        hidden = ["few labels: withheld" if few else "no labels" for few in table["withheld"]]
        part["note"] = [
            why if nothing and math.isnan(end) else ""
            for why, nothing, end in zip(hidden, unknown, part["at_most"], strict=True)
        ]
        # Not in the order of shares that may not be shown.
        order = ["share", "at_most", "value"]
        parts.append(part.sort_values(order, ascending=[False, False, True], kind="stable"))
    if not parts:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat([*_drawn(parts), *_together(result)], ignore_index=True)[_COLUMNS]


def _together(result: DeepDive) -> list[pd.DataFrame]:
    """Combinations of values that the search confirmed, in words: how many times the rest."""
    frame = _held(result)
    if frame.empty:
        return []
    frame = frame[[len(one) > 1 for one in frame["attributes"]]].head(MOST_TOGETHER)
    rows = [
        {
            "segment": _TOGETHER,
            "value": " + ".join(clean(value) for value in row["attributes"].values()),
            "note": f"{told(row['ratio'])} times the rest ({told(row['low'])} to "
            f"{told(row['high'])})",
        }
        for row in frame.to_dict("records")
    ]
    numbers = dict.fromkeys(("share", "low", "high"), math.nan)
    more = {**numbers, "confirmed": True, "drawn": True}
    return [pd.DataFrame(rows).assign(**more)] if rows else []


def _held(result: DeepDive) -> pd.DataFrame:
    """What the search confirmed and what stands for itself."""
    search = result.where.search
    if search is None or search.segments.empty:
        return pd.DataFrame()
    frame = search.segments
    return frame[frame["confirmed"].astype(bool) & (frame["explained_by"] == "")]


def _confirmed(result: DeepDive, segment: str) -> set[str]:
    """Values of one segment that the search confirmed by themselves."""
    held = _held(result)
    if held.empty:
        return set()
    found: list[Mapping[str, str]] = held["attributes"].tolist()
    return {str(one[segment]) for one in found if len(one) == 1 and segment in one}


def _drawn(parts: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Room for 16 rows: as many for each segment as it needs, taken from the largest."""
    rooms = [len(part) for part in parts]
    while sum(rooms) > MOST_ROWS and max(rooms) > 1:
        largest = rooms.index(max(rooms))
        rooms[largest] -= 1
    return [
        part.assign(drawn=[i < room for i in range(len(part))])
        for part, room in zip(parts, rooms, strict=True)
    ]


def _lines(frame: pd.DataFrame, by: float) -> list[Line]:
    lines: list[Line] = []
    for segment, part in frame.groupby("segment", sort=False):
        lines.append(Line(label=str(segment), heading=True))
        for row in part[part["drawn"]].to_dict("records"):
            share, low, high, most = (by * float(row[name]) for name in _NUMBERS)
            lines.append(
                Line(
                    label=str(row["value"]), point=share, low=low, high=high,
                    text=told(share) if math.isnan(most) else f"≤ {told(most)}",
                    since=0.0 * most, until=most,
                    strong=bool(row["confirmed"]), note=str(row["note"]),
                )
            )  # fmt: skip
        left = int((~part["drawn"]).sum())
        if left:
            lines.append(Line(label="", note=f"and {left:,} more, not drawn"))
    return lines


def _whole(result: DeepDive) -> float | None:
    """The share of all: corrected for the raters' errors where those of the values are."""
    corrected = any("share_labelled" in table for table in result.where.segments.values())
    found = result.size.items_corrected if corrected else result.size.items
    return found.estimate.point if found is not None else None


def _limits(ax: Axes, lines: list[Line], whole: float | None, by: float) -> None:
    """Room for every interval; bars of withheld values may leave the frame."""
    ends = [line.high for line in lines if line.high == line.high]
    bounds = [line.until for line in lines if line.until == line.until]
    if bounds:
        ends.append(min(max(bounds), _FAR * max(ends)) if ends else max(bounds))
    ends += [] if whole is None else [by * whole]
    dots.linear(ax)
    if ends:
        ax.set_xlim(0, 1.04 * max(ends) or 1.0)


def _words(ax: Axes, by: float, word: str, whole: float | None) -> None:
    ax.annotate(
        f"share of violating items, {word}", (0, 1), xycoords=("figure fraction", "axes fraction"),
        xytext=(2, 22), textcoords="offset points", color=PALETTE["muted"], va="bottom",
    )  # fmt: skip
    if whole is None:
        return
    low, high = ax.get_xlim()
    late = (by * whole - low) / (high - low) > 0.6
    ax.annotate(
        f"all: {told(by * whole)}", (by * whole, 1), xycoords=("data", "axes fraction"),
        xytext=(4 if late else -4, 5), textcoords="offset points", color=PALETTE["ink"],
        va="bottom", ha="right" if late else "left",
    )  # fmt: skip
