"""What happened when: one line per event on a local clock, the changes as ticks below."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from trustlib.core.format import plural, zone_name
from trustlib.core.text import clean, short
from trustlib.figures import house
from trustlib.figures.clock import local_axis
from trustlib.figures.house import PALETTE
from trustlib.postmortem.result import Postmortem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 19.0  # points
MOST_TOLD = 8  # stated events with a line of their own; more become ticks
_SIDE = 8.0  # points left and right of the axes
_GAP = 8.0  # points between a mark and its words
_TOP, _BOTTOM = 26.0, 24.0
_ENDS = ("low_at", "high_at")
_MARKS = {"stated": ("o", True), "estimated": ("D", True), "timeline": ("o", False)}


@dataclass(frozen=True, kw_only=True)
class _Line:
    """One line: a mark with words beside it, or, where `ticks` has instants, ticks."""

    text: str
    clock: str = ""
    kind: str = ""
    at: float = 0.0
    low: float = 0.0
    high: float = 0.0
    ticks: tuple[float, ...] = ()

    def words(self, width: float) -> str:
        """The event, cut to `width` points with its time, which stays."""
        clock = f", {self.clock}"
        return house.fitted(self.text, width - house.text_width(clock) - 4) + clock


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """The time axis, from `low` to `high` in `wide` points."""

    low: float
    high: float
    wide: float

    def points(self, at: float) -> float:
        return (at - self.low) / (self.high - self.low) * self.wide

    def side(self, line: _Line) -> tuple[bool, float]:
        """Whether there is more room at the left of the mark, and how much for words."""
        before, after = self.points(line.low), self.wide - self.points(line.high)
        return before > after, max(before, after) - _GAP

    def crowds(self, line: _Line) -> bool:
        """Whether the words need a row of their own above the mark."""
        room = self.side(line)[1]
        return room < 0.7 * self.wide and line.words(room) != line.words(self.wide)


def timeline(result: Postmortem, *, ax: Axes | None = None) -> Axes | None:
    """Stamps, events and changes in their order, the window shaded.

    Stated instants are dots, told events are rings, and what the data show is a diamond with its
    interval. Changes of the log are ticks, and so are told events after the first eight.
    """
    from matplotlib.dates import date2num

    rows = timeline_rows(result)
    if rows.empty:
        return None
    lines = _lines(rows, result.spec.sizing.timezone)
    window = result.spec.sizing.incident
    first, last = _span(rows, result)
    scale = _Scale(
        low=float(date2num(first)), high=float(date2num(last)),
        wide=(72 * house.WIDTH if ax is None else house.size(ax)[0]) - 2 * _SIDE,
    )  # fmt: skip
    n = sum(2 if line.ticks or scale.crowds(line) else 1 for line in lines)
    with house.style():
        ax = house.axes(ax, height=(_TOP + _BOTTOM + ROW * (n + 1)) / 72)
        house.margins(ax, left=_SIDE, right=_SIDE, top=_TOP, bottom=_BOTTOM)
        local_axis(ax, first, last, result.spec.sizing.timezone, most=4)
        _within(ax, scale)
        ax.axvspan(
            date2num(window.start), date2num(window.end), color=PALETTE["harm"], alpha=0.07,
            linewidth=0,
        )  # fmt: skip
        ax.set_yticks([])
        ax.grid(False)
        ax.set_ylim(n - 0.5, -1.5)
        edges = (float(date2num(window.start)), float(date2num(window.end)))
        _over(ax, "incident window", edges, -1, PALETTE["harm"], scale)
        y = 0
        for line in lines:
            y += _draw(ax, line, y, scale)
        zone = zone_name(result.spec.sizing.timezone)
        house.unit(ax, "UTC" if zone == "UTC" else f"local time, {zone}")
    return ax


def timeline_rows(result: Postmortem) -> pd.DataFrame:
    """at, kind, event, low_at, high_at: the interval of the estimated start, NaT for others."""
    frame = result.timeline
    onset = result.sizing.onset.iloc[0]
    start = (frame["kind"] == "estimated") & (frame["at"] == onset["estimated_at"])
    rows = pd.DataFrame(
        {
            "at": frame["at"],
            "kind": frame["kind"].astype(str),
            "event": [clean(event) for event in frame["event"]],
        }
    )
    for name in ("low_at", "high_at"):
        ends = pd.Series(pd.NaT, index=frame.index).dt.tz_localize("UTC").dt.as_unit("us")
        rows[name] = ends.mask(start, onset[name]) if not pd.isna(onset[name]) else ends
    return rows[rows["at"].notna()].reset_index(drop=True)


def _lines(rows: pd.DataFrame, timezone: str) -> list[_Line]:
    from matplotlib.dates import date2num

    told = rows[rows["kind"] == "timeline"]
    alone = rows[(rows["kind"] != "change log") & ~rows.index.isin(told.index[MOST_TOLD:])]
    estimated = set(rows.loc[rows["kind"] == "estimated", "event"])
    lines = []
    for _, row in alone.iterrows():
        at, kind = float(date2num(row["at"])), str(row["kind"])
        twice = kind == "estimated" or (kind == "stated" and row["event"] in estimated)
        ends = [at if pd.isna(row[end]) else float(date2num(row[end])) for end in _ENDS]
        name = short(row["event"], 70) + (f" ({kind})" if twice else "")
        clock = f"{row['at'].astimezone(ZoneInfo(timezone)):%H:%M}"
        lines.append(_Line(text=name, clock=clock, kind=kind, at=at, low=ends[0], high=ends[1]))
    changes = rows[rows["kind"] == "change log"]
    for what, name in ((told[MOST_TOLD:], "more event"), (changes, "logged change")):
        if len(what):
            ticks = tuple(float(date2num(one)) for one in what["at"])
            lines.append(_Line(text=plural(len(what), name), ticks=ticks))
    return lines


def _span(rows: pd.DataFrame, result: Postmortem) -> tuple[datetime, datetime]:
    window = result.spec.sizing.incident
    at = [*rows["at"], *rows["low_at"].dropna(), *rows["high_at"].dropna()]
    first = min([pd.Timestamp(window.start), *at]).to_pydatetime()
    last = max([pd.Timestamp(window.end), *at]).to_pydatetime()
    room = max((last - first) * 0.03, timedelta(minutes=10))
    return first - room, last + room


def _draw(ax: Axes, line: _Line, y: int, scale: _Scale) -> int:
    """One line; returns the rows that it took."""
    if line.ticks:
        ax.vlines(line.ticks, y + 0.6, y + 1.4, color=PALETTE["muted"], linewidth=1.6, zorder=3)
        _over(ax, line.text, (min(line.ticks), max(line.ticks)), y, PALETTE["muted"], scale)
        return 2
    ink = PALETTE["ink"]
    crowded = scale.crowds(line)
    if crowded:
        text = line.words(scale.wide)
        half = house.text_width(text) / 2
        place = min(max(scale.points(line.at), half), scale.wide - half) - scale.points(line.at)
        _words(ax, text, line.at, y, ink, gap=place, ha="center")
        y += 1
    else:
        left, room = scale.side(line)
        at, gap = (line.low, -_GAP) if left else (line.high, _GAP)
        _words(ax, line.words(room), at, y, ink, gap=gap, ha="right" if left else "left")
    marker, filled = _MARKS.get(line.kind, ("o", False))
    colour = PALETTE["harm"] if line.kind == "estimated" else PALETTE["actual"]
    if line.high > line.low:
        ax.plot(
            [line.low, line.high], [y, y], color=colour, linewidth=5, alpha=0.45,
            solid_capstyle="butt",
        )  # fmt: skip
    ax.plot(
        [line.at], [y], marker=marker, markersize=8, color=colour, markeredgewidth=1.8,
        markerfacecolor=colour if filled else PALETTE["paper"], zorder=4,
    )  # fmt: skip
    return 2 if crowded else 1


def _over(
    ax: Axes, text: str, ends: tuple[float, float], y: int, colour: str, scale: _Scale
) -> None:
    """Words above a stretch: from its start on, or up to its end where that is the longer way."""
    left = scale.points(ends[1]) > scale.wide - scale.points(ends[0])
    at, gap, ha = (ends[1], -3.0, "right") if left else (ends[0], 3.0, "left")
    _words(ax, text, at, y, colour, gap=gap, ha=ha)


def _words(ax: Axes, text: str, at: float, y: int, colour: str, *, gap: float, ha: str) -> None:
    ax.annotate(
        text, (at, y), xytext=(gap, 0), textcoords="offset points", va="center", ha=ha,
        color=colour,
    )  # fmt: skip


def _within(ax: Axes, scale: _Scale) -> None:
    """No tick's label beyond the figure's edge."""
    marks = ax.get_xticks()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    for i, (mark, label) in enumerate(zip(marks, labels, strict=True)):
        half, at = house.text_width(label) / 2, scale.points(float(mark))
        if at - half < -_SIDE or at + half > scale.wide + _SIDE:
            labels[i] = ""
    ax.set_xticks(marks, labels)
