"""Figures of incident sizing: what happened, how it added up, placebos, segments, sensitivity.

Every function draws what a `SizingResult` holds and computes no statistic.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.figures import house
from trustlib.figures.clock import local_axis
from trustlib.figures.forest import Row, forest
from trustlib.figures.house import PALETTE
from trustlib.figures.labels import End, beside, ends_apart
from trustlib.figures.placebos import placebo_windows
from trustlib.incidents import SizingResult
from trustlib.incidents.disclosure import published_segments

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "accumulated",
    "counterfactual",
    "cumulative_excess",
    "placebo_windows",
    "segment_rows",
    "segments",
    "sensitivity",
    "shown",
]

_PER = {"30min": "per half-hour", "1h": "per hour", "1d": "per day"}
_STEP = {
    "30min": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
_LEFT = 36.0  # points left of the axes: half of the longest date
_RIGHT = 66.0  # points right of the axes, for the lines' own labels


def shown(result: SizingResult) -> pd.DataFrame:
    """The rows of the counterfactual that the figure draws.

    From two window lengths before the window (at least three days, at least 14 buckets) to the end.
    """
    frame = result.counterfactual
    window = result.spec.incident
    before = max(2 * window.duration, timedelta(days=3), 14 * _STEP[result.spec.bucket])
    return frame[frame["bucket_start_at"] >= pd.Timestamp(window.start - before)]


def counterfactual(result: SizingResult, *, ax: Axes | None = None) -> Axes:
    """Actual against expected per bucket, with the interval of a single bucket as a band."""
    from matplotlib.dates import date2num

    with house.style():
        ax = house.axes(ax, height=3.3)
        frame, window = shown(result), result.spec.incident
        by, word = house.scale(_largest(frame, "actual", "expected", "high"))
        at = frame["bucket_start_at"] + _STEP[result.spec.bucket] / 2
        ax.axvspan(
            date2num(window.start),
            date2num(window.end),
            color=PALETTE["harm"],
            alpha=0.07,
            linewidth=0,
        )
        ax.fill_between(
            at, frame["low"] / by, frame["high"] / by,
            color=PALETTE["expected"], alpha=0.2, linewidth=0,
        )  # fmt: skip
        ax.plot(
            at, frame["expected"] / by, color=PALETTE["expected"], linewidth=1.5,
            linestyle=(0, (4, 2)),
        )  # fmt: skip
        # A few counts are marked each; many make a line.
        ax.plot(
            at, frame["actual"] / by, color=PALETTE["actual"],
            linewidth=2.2 if len(frame) <= 300 else 1.3,
            marker="o" if len(frame) <= 40 else "", markersize=3,
        )  # fmt: skip
        _mark_missing(ax, at[frame["actual"].isna()])
        first, last = _span(frame, result)
        local_axis(ax, first, last, result.spec.timezone)
        ax.set_ylim(0, 1.16 * _largest(frame, "actual", "expected", "high") / by)
        house.margins(ax, left=max(_LEFT, house.y_labels(ax)), right=_RIGHT, top=24, bottom=24)
        house.unit(ax, f"{word}{short(result.spec.unit_label, 34)} {_PER[result.spec.bucket]}")
        _window_label(ax, result, first, last)
        _end_labels(ax, frame, by)
    return ax


def cumulative_excess(result: SizingResult, *, ax: Axes | None = None) -> Axes:
    """The running excess inside the window, with the interval of whole windows."""
    with house.style():
        ax = house.axes(ax, height=2.7)
        frame, window = accumulated(result), result.spec.incident
        columns = ["cumulative_excess", "cumulative_low", "cumulative_high"]
        by, word = house.scale(_largest(frame, *columns))
        at = frame["until_at"]
        low, high = frame["cumulative_low"] / by, frame["cumulative_high"] / by
        ax.fill_between(at, low, high, color=PALETTE["actual"], alpha=0.18, linewidth=0)
        ax.axhline(0, color=PALETTE["ink"], linewidth=1)
        ax.plot(
            at, frame["cumulative_excess"] / by, color=PALETTE["actual"], linewidth=2.2,
            marker="o" if len(frame) <= 16 else "", markersize=3.5, clip_on=False,
        )  # fmt: skip
        local_axis(ax, window.start, window.end, result.spec.timezone, most=5)
        ax.margins(y=0.08)
        total, low_end, high_end = (_number(frame[name].iloc[-1]) for name in columns)
        label, _ = show.triple(total, low_end, high_end, sign=True)
        right = max(_RIGHT, house.text_width(label, bold=True) + 10)
        house.margins(ax, left=max(_LEFT, house.y_labels(ax)), right=right, top=24, bottom=24)
        house.unit(ax, f"running excess, {word}{short(result.spec.unit_label, 34)}")
        beside(ax, (total or 0.0) / by, label, color=PALETTE["actual"], weight="bold")
    return ax


def accumulated(result: SizingResult) -> pd.DataFrame:
    """Running excess by the end of each bucket of the window; the first row is zero."""
    inside = result.counterfactual[result.counterfactual["in_window"]]
    columns = ["cumulative_excess", "cumulative_low", "cumulative_high"]
    end = pd.Timestamp(result.spec.incident.end)
    until = inside["bucket_start_at"].shift(-1).fillna(end)
    zero = inside[columns].iloc[:1] * 0
    start = zero.assign(until_at=inside["bucket_start_at"].iloc[:1])
    rows = pd.concat([start, inside[columns].assign(until_at=until)], ignore_index=True)
    return rows[["until_at", *columns]]


def segments(result: SizingResult, *, ax: Axes | None = None) -> Axes:
    """Excess by segment with its interval: which parts moved.

    Raises
    ------
    ValueError
        If the result has no segments.
    """
    rows = segment_rows(result)
    moved = rows["moved"].isin(["up", "down"])
    unit = f"excess, {{scale}}{short(result.spec.unit_label, 34)}"
    return forest(_rows(rows, "segment", moved), unit=unit, ax=ax)


def segment_rows(result: SizingResult) -> pd.DataFrame:
    """The rows that the figure of segments draws: small ones merged, at most 12.

    Raises
    ------
    ValueError
        If the result has no segments.
    """
    if result.segments is None:
        raise ValueError("segments: the result has none; set segment_column")
    return published_segments(result.segments, most=12)


def sensitivity(result: SizingResult, *, ax: Axes | None = None) -> Axes:
    """The excess under other choices of history, engine and exclusions; the headline's first."""
    rows = result.sensitivity.assign(choice=result.sensitivity["choice"].str.replace("_", " "))
    first = pd.Series(range(len(rows)), index=rows.index) == 0
    unit = f"excess, {{scale}}{short(result.spec.unit_label, 34)}"
    return forest(_rows(rows, "choice", first), unit=unit, ax=ax)


def _rows(frame: pd.DataFrame, label: str, strong: pd.Series) -> list[Row]:
    return [
        Row(label=str(name), point=float(point), low=float(low), high=float(high), strong=bool(own))
        for name, point, low, high, own in zip(
            frame[label], frame["excess"], frame["low"], frame["high"], strong, strict=True
        )
    ]


def _number(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _largest(frame: pd.DataFrame, *columns: str) -> float:
    largest = float(frame[list(columns)].abs().max().max())
    return largest if largest > 0 else 1.0


def _span(frame: pd.DataFrame, result: SizingResult) -> tuple[pd.Timestamp, pd.Timestamp]:
    last = frame["bucket_start_at"].iloc[-1] + _STEP[result.spec.bucket]
    return frame["bucket_start_at"].iloc[0], max(last, pd.Timestamp(result.spec.incident.end))


def _window_label(ax: Axes, result: SizingResult, first: pd.Timestamp, last: pd.Timestamp) -> None:
    window = result.spec.incident
    late = (pd.Timestamp(window.start) - first) / (last - first) > 0.7
    ax.annotate(
        "incident window", (window.end if late else window.start, 1),
        xycoords=("data", "axes fraction"), xytext=(-3 if late else 3, -3),
        textcoords="offset points", color=PALETTE["harm"],
        va="top", ha="right" if late else "left",
    )  # fmt: skip


def _mark_missing(ax: Axes, at: pd.Series) -> None:
    """Ticks on the axis where a bucket has no count: a gap in a line is easily overlooked."""
    if len(at):
        import seaborn
        from matplotlib.dates import date2num

        seaborn.rugplot(x=date2num(at), height=0.04, color=PALETTE["bad"], linewidth=1.5, ax=ax)


def _end_labels(ax: Axes, frame: pd.DataFrame, by: float) -> None:
    """The lines' names at their ends, kept apart where the lines meet."""
    ends = {name: frame[name].dropna().iloc[-1] / by for name in _NAMED}
    ends_apart(ax, [End(ends[name], name, **_NAMED[name]) for name in _NAMED])


_NAMED = {
    "actual": {"color": PALETTE["actual"], "weight": "bold"},
    "expected": {"color": PALETTE["expected"], "weight": "normal"},
}
