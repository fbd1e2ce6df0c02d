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
from trustlib.figures.house import PALETTE, SMALL
from trustlib.incidents import SizingResult
from trustlib.incidents.disclosure import published_segments

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PER = {"30min": "per half-hour", "1h": "per hour", "1d": "per day"}
_STEP = {
    "30min": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
_RIGHT = 60.0  # points right of the axes, for the lines' own labels


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
    with house.style():
        ax = house.axes(ax, height=3.1)
        frame, window = shown(result), result.spec.incident
        by, word = house.scale(_largest(frame, "actual", "expected", "high"))
        at = frame["bucket_start_at"] + _STEP[result.spec.bucket] / 2
        ax.axvspan(window.start, window.end, color=PALETTE["harm"], alpha=0.07, linewidth=0)
        ax.fill_between(
            at, frame["low"] / by, frame["high"] / by,
            color=PALETTE["expected"], alpha=0.2, linewidth=0,
        )  # fmt: skip
        dashed = {"color": PALETTE["expected"], "linewidth": 1.5, "linestyle": (0, (4, 2))}
        ax.plot(at, frame["expected"] / by, **dashed)
        marker = {"marker": "o", "markersize": 3} if len(frame) <= 40 else {}
        ax.plot(at, frame["actual"] / by, color=PALETTE["actual"], linewidth=2.2, **marker)
        _mark_missing(ax, at[frame["actual"].isna()])
        first, last = _span(frame, result)
        local_axis(ax, first, last, result.spec.timezone)
        ax.set_ylim(0, 1.16 * _largest(frame, "actual", "expected", "high") / by)
        house.margins(ax, left=house.y_labels(ax), right=_RIGHT, top=22, bottom=22)
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
        ax.plot(at, frame["cumulative_excess"] / by, color=PALETTE["actual"], linewidth=2.2)
        local_axis(ax, window.start, window.end, result.spec.timezone, most=5)
        ax.margins(y=0.08)
        total = frame["cumulative_excess"].iloc[-1]
        label = show.count(total, sign=True)
        right = max(_RIGHT, house.text_width(label, bold=True) + 10)
        house.margins(ax, left=house.y_labels(ax), right=right, top=22, bottom=22)
        house.unit(ax, f"running excess, {word}{short(result.spec.unit_label, 34)}")
        _beside(ax, total / by, label, color=PALETTE["actual"], weight="bold")
    return ax


def accumulated(result: SizingResult) -> pd.DataFrame:
    """Running excess by the end of each bucket of the window; its first row is zero at the start."""
    inside = result.counterfactual[result.counterfactual["in_window"]]
    columns = ["cumulative_excess", "cumulative_low", "cumulative_high"]
    end = pd.Timestamp(result.spec.incident.end)
    until = inside["bucket_start_at"].shift(-1).fillna(end)
    zero = inside[columns].iloc[:1] * 0
    start = zero.assign(until_at=inside["bucket_start_at"].iloc[:1])
    rows = pd.concat([start, inside[columns].assign(until_at=until)], ignore_index=True)
    return rows[["until_at", *columns]]


def placebo_windows(result: SizingResult, *, ax: Axes | None = None) -> Axes:
    """The incident's excess among the same measure of earlier windows without an incident."""
    import seaborn

    with house.style():
        ax = house.axes(ax, height=2.3)
        groups = _placebo_groups(result)
        rows = pd.DataFrame(
            [(100 * x, i) for i, (_, values) in enumerate(groups) for x in values],
            columns=["share", "row"],
        )
        ax.axvline(0, color=PALETTE["ink"], linewidth=1)
        if len(rows):
            seaborn.stripplot(
                data=rows, x="share", y="row", orient="h", jitter=False, native_scale=True,
                color=PALETTE["expected"], size=6.5, alpha=0.6, linewidth=0, ax=ax, legend=False,
            )  # fmt: skip
        incident = result.estimates["relative_excess"]
        bottom = len(groups)
        if incident.point is not None:
            _whisker(ax, bottom, incident.point, incident.low, incident.high)
        for i, label in enumerate([*(name for name, _ in groups), "this incident"]):
            own = i == bottom
            colour = PALETTE["actual"] if own else PALETTE["muted"]
            ax.annotate(
                label, (0, i), xycoords=("axes fraction", "data"), xytext=(0, 9),
                textcoords="offset points", color=colour, fontsize=SMALL, va="bottom",
                weight="bold" if own else "normal",
                bbox={"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 1},
            )  # fmt: skip
        ax.set_ylim(bottom + 0.5, -0.85)
        ax.set_yticks([])
        ax.set(xlabel="", ylabel="")
        ax.margins(x=0.06)
        ax.grid(True, axis="x")
        house.margins(ax, left=8, right=14, top=22, bottom=22)
        house.signed_ticks(ax)
        house.unit(ax, "excess, per cent of what was expected in the window")
    return ax


def segments(result: SizingResult, *, ax: Axes | None = None) -> Axes:
    """Excess by segment with its interval: which parts moved.

    Raises
    ------
    ValueError
        If the result has no segments.
    """
    rows = [
        Row(
            label=row.segment, point=row.excess, low=row.low, high=row.high,
            strong=row.moved in ("up", "down"),
        )
        for row in segment_rows(result).itertuples()
    ]  # fmt: skip
    return forest(rows, unit=f"excess, {{scale}}{short(result.spec.unit_label, 34)}", ax=ax)


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
    rows = [
        Row(label=row.choice, point=row.excess, low=row.low, high=row.high, strong=row.Index == 0)
        for row in result.sensitivity.reset_index(drop=True).itertuples()
    ]
    return forest(rows, unit=f"excess, {{scale}}{short(result.spec.unit_label, 34)}", ax=ax)


def _placebo_groups(result: SizingResult) -> list[tuple[str, list[float]]]:
    placebos = result.placebos.dropna(subset=["relative_excess"])
    same = placebos["same_phase"].astype(bool)
    split = {
        "same hours of the week, earlier": placebos[same],
        "other earlier windows": placebos[~same],
    }
    return [
        (f"{name} ({len(part)})", part["relative_excess"].tolist())
        for name, part in split.items()
        if len(part)
    ]


def _whisker(ax: Axes, y: float, point: float, low: float | None, high: float | None) -> None:
    if low is not None and high is not None:
        ax.plot([100 * low, 100 * high], [y, y], color=PALETTE["actual"], linewidth=2.2)
    ax.plot([100 * point], [y], marker="D", markersize=7.5, color=PALETTE["actual"])


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
        textcoords="offset points", color=PALETTE["harm"], fontsize=SMALL,
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
    ends = {name: frame[name].dropna().iloc[-1] / by for name in ("expected", "actual")}
    upper = "actual" if ends["actual"] > ends["expected"] else "expected"
    lower = "expected" if upper == "actual" else "actual"
    height = 72 * ax.figure.get_size_inches()[1] * ax.get_position().height
    need = 14 * (ax.get_ylim()[1] - ax.get_ylim()[0]) / height
    push = max(0.0, (need - (ends[upper] - ends[lower])) / 2)
    floor = max(0.0, need / 2 - (ends[lower] - push))  # not into the tick labels
    _beside(ax, ends[upper] + push + floor, upper, **_NAMED[upper])
    _beside(ax, ends[lower] - push + floor, lower, **_NAMED[lower])


_NAMED = {
    "actual": {"color": PALETTE["actual"], "weight": "bold"},
    "expected": {"color": PALETTE["expected"], "weight": "normal"},
}


def _beside(ax: Axes, y: float, text: str, *, color: str, weight: str) -> None:
    ax.annotate(
        text, (1, y), xycoords=("axes fraction", "data"), xytext=(5, 0),
        textcoords="offset points", va="center", color=color, weight=weight,
    )  # fmt: skip
