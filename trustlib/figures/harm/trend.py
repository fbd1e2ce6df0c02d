"""The weekly share with its trend, and what changed in the instrument meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trustlib.core.text import clean
from trustlib.figures import house
from trustlib.figures.clock import local_axis
from trustlib.figures.harm.changes import (
    ROW,
    change_names,
    fits,
    key,
    mark_changes,
    mark_moves,
)
from trustlib.figures.harm.words import LINE, above, below, share_unit, wrapped
from trustlib.figures.house import PALETTE
from trustlib.figures.labels import beside
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.small_cells import SMALLEST_CELL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BARS = 60  # weeks with a bar each; beyond it a band
_FAR = 3.0  # times the middle interval's end: what reaches farther is cut
_BEYOND = 1.7  # times the axis without bands: what they may add to it
_SHARES = ["share", "low", "high", "trend", "trend_low", "trend_high", "smoothed",
           "smoothed_low", "smoothed_high"]  # fmt: skip
_COLUMNS = [
    "kind", "number", "at", "until", *_SHARES, "labels", "era", "ratio", "ratio_low",
    "ratio_high", "what", "attributable",
]  # fmt: skip
_NAMES = {
    "estimate": "share", "level": "smoothed", "level_low": "smoothed_low",
    "level_high": "smoothed_high",
}  # fmt: skip


def prevalence_trend(result: DeepDive, *, ax: Axes | None = None) -> Axes | None:
    """Each week's share with its own interval, the trend of each era with its band, and marks.

    Dashed lines are changes of the instrument, at which the trend is split. Triangles are clear
    moves of the series, over the interval of their time: filled where no change of the
    instrument falls into it, hollow where it is not attributable. None without a series.
    """
    rows = prevalence_trend_rows(result)
    weeks = rows[rows["kind"] == "week"]
    if weeks.empty or weeks["share"].isna().all():
        return None
    moves, changes = rows[rows["kind"] == "move"], rows[rows["kind"] == "change"]
    by, word = share_unit(result)
    with house.style():
        from matplotlib.dates import date2num

        right = house.text_width("trend") + 12 if weeks["trend"].notna().any() else 26.0
        width = 72 * house.WIDTH if ax is None else house.size(ax)[0]
        at = [float(date2num(x)) for x in changes["at"]]
        ends = [float(date2num(x)) for x in (weeks["at"].iloc[0], weeks["until"].iloc[-1])]
        names = change_names(changes, result.spec.timezone)
        room = width - 48 - right
        beside_lines = fits(names, [(x - ends[0]) / (ends[1] - ends[0]) * room for x in at], room)
        top = _top(weeks)
        foot = _foot(result, moves, [] if beside_lines else names, width - 6)
        cut = weeks[["high", "trend_high"]].max().max() > top
        foot += ["lines and bands that reach the upper end go on beyond it"] if cut else []
        rows_of_marks = [len(moves) > 0, len(changes) > 0]
        more = 20 * sum(rows_of_marks) + LINE * len(foot)
        ax = house.axes(ax, height=(230 + more) / 72)
        _window(ax, result, ends)
        _weeks(ax, weeks, by)
        local_axis(ax, weeks["at"].iloc[0], weeks["until"].iloc[-1], result.spec.timezone)
        ax.set_ylim(0, by * top)
        left = max(34.0, house.y_labels(ax))
        house.margins(ax, left=left, right=right, top=26, bottom=26 + LINE * len(foot))
        if any(rows_of_marks):
            house.headroom(ax, 4 + ROW * sum(rows_of_marks))
        mark_changes(ax, at, names if beside_lines else None, row=int(rows_of_marks[0]))
        mark_moves(ax, moves, row=0)
        house.unit(ax, f"violating items, {word}")
        if result.spec.window.start < weeks["until"].iloc[-1]:
            above(ax, "shaded: the window", right=True)
        if weeks["trend"].notna().any():
            last = by * float(weeks["trend"].dropna().iloc[-1])
            least = 8 * ax.get_ylim()[1] / (house.size(ax)[1] * ax.get_position().height)
            beside(ax, max(last, least), "trend", color=PALETTE["expected"], weight="normal")
        below(ax, foot, first=24)
    return ax


def prevalence_trend_rows(result: DeepDive) -> pd.DataFrame:
    """Weeks, then changes of the instrument, then moves; `kind` tells which.

    Columns: kind ("week", "change", "move"), number (of a change, from 1, as the figure's key
    has it), at, until (of a week or a move's interval its end), share, low, high (of a week by
    itself), trend and smoothed (freed of sampling error) with their bands, labels, era, ratio
    with its interval (of a move; of the level across a change), what, attributable.
    """
    ledger = result.ledger
    if ledger is None or ledger.trend.points.empty:
        return pd.DataFrame(columns=_COLUMNS)
    weeks = ledger.trend.points.rename(columns=_NAMES)
    step = _step(weeks)
    weeks = weeks.assign(kind="week", until=weeks["at"] + step)
    start, end = weeks["at"].iloc[0], weeks["until"].iloc[-1]
    found = ledger.changes
    found = found[(found["at"] > start) & (found["at"] < end)]
    changes = found.rename(columns={"low": "ratio_low", "high": "ratio_high"}).assign(
        kind="change", number=range(1, len(found) + 1), until=found["at"]
    )
    moves = ledger.moves.assign(
        kind="move", at=ledger.moves["low_at"], until=ledger.moves["high_at"] + step,
        what=ledger.moves["instrument"],
    )  # fmt: skip
    parts = [
        part.reindex(columns=_COLUMNS).astype(dict.fromkeys((*_SHARES, "ratio"), float))
        for part in (weeks, changes, moves)
        if len(part)
    ]
    frame = pd.concat(parts, ignore_index=True)
    few = frame["labels"] < SMALLEST_CELL
    hidden = ["labels", "share", "low", "high"]
    return frame.assign(**{name: frame[name].where(~few) for name in hidden})


def _step(weeks: pd.DataFrame) -> pd.Timedelta:
    if len(weeks) < 2:
        return pd.Timedelta(days=7)
    return pd.Timedelta(weeks["at"].diff().min())


def _top(weeks: pd.DataFrame) -> float:
    """Where the axis ends: with all intervals and bands, unless they reach far beyond the rest."""
    high = weeks["high"].dropna()
    most = min(float(high.max()), _FAR * float(high.median())) if len(high) else 0.0
    most = max([most, *weeks[["share", "trend"]].max().dropna()])
    whole = max([most, *weeks[["high", "trend_high"]].max().dropna()])
    return 1.06 * (whole if whole <= _BEYOND * most else most) or 1.0


def _weeks(ax: Axes, weeks: pd.DataFrame, by: float) -> None:
    from matplotlib.dates import date2num

    at = date2num(weeks["at"] + (weeks["until"] - weeks["at"]) / 2)
    numbers = {name: by * weeks[name].to_numpy(dtype=float) for name in _SHARES}
    for _, part in weeks.assign(place=np.arange(len(weeks))).groupby("era"):
        here = part["place"].to_numpy(dtype=int)
        band = numbers["trend_low"][here], numbers["trend_high"][here]
        ax.fill_between(at[here], *band, color=PALETTE["expected"], alpha=0.2, linewidth=0)
        ax.plot(
            at[here], numbers["trend"][here], color=PALETTE["expected"], linewidth=1.8,
            linestyle=(0, (4, 2)), marker="_" if len(here) == 1 else "",
        )  # fmt: skip
    if len(weeks) > MOST_BARS:
        ax.fill_between(
            at, numbers["low"], numbers["high"], color=PALETTE["actual"], alpha=0.2, linewidth=0
        )
        ax.plot(at, numbers["share"], color=PALETTE["actual"], linewidth=1.4)
        return
    ax.vlines(at, numbers["low"], numbers["high"], color=PALETTE["actual"], linewidth=1.6)
    ax.plot(
        at, numbers["share"], color=PALETTE["actual"], linestyle="", marker="o", markersize=5,
    )  # fmt: skip


def _window(ax: Axes, result: DeepDive, ends: list[float]) -> None:
    from matplotlib.dates import date2num

    window = result.spec.window
    first = max(float(date2num(window.start)), ends[0])
    last = min(float(date2num(window.end)), ends[1])
    if first < last:
        ax.axvspan(first, last, color=PALETTE["actual"], alpha=0.09, linewidth=0)


def _foot(result: DeepDive, moves: pd.DataFrame, names: list[str], width: float) -> list[str]:
    """What the dashed lines are, where they only have numbers; what triangles mean; what lacks."""
    lines = key(names, width) if names else []
    if not moves.empty:
        parts = ["▲ a clear rise, ▼ a clear fall"]
        if not moves["attributable"].astype(bool).all():
            parts.append("hollow: the instrument may explain it")
        lines += wrapped(parts, width)
    note = result.ledger.trend.note if result.ledger is not None else ""
    if note:
        lines += wrapped(f"trend {clean(note)}".split(), width, between=" ")
    return lines
