"""What each setting of an alert costs: false alarms a week against hours of delay."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.core.text import clean, told_apart
from trustlib.figures import house
from trustlib.figures.harm.words import LINE, below, wrapped
from trustlib.figures.house import PALETTE
from trustlib.figures.postmortem.letters import Marked, in_points, letters, place
from trustlib.figures.postmortem.words import capital, number
from trustlib.postmortem.result import Postmortem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ALERTS = 8
_TOP, _BOTTOM = 42.0, 46.0
_COLUMNS = ["what", "kind", "status", "value", "false_alarms_per_week", "low", "high",
            "delay_hours", "mark"]  # fmt: skip
_LINES = (
    ("actual", "-", "o"), ("harm", (0, (5, 2)), "s"), ("good", (0, (1.5, 1.5)), "^"),
    ("warn", (0, (6, 2, 1, 2)), "v"), ("muted", (0, (3, 1)), "P"),
)  # fmt: skip
_RANK = {"recommended": 0, "existing": 1, "proposed": 2}


def trade_off(result: Postmortem, *, ax: Axes | None = None) -> Axes | None:
    """A line per kind of alert, named at its end; what can be borne as a vertical line.

    Alerts have letters, which the lines below explain, and the interval of their false alarms.
    What never fires in the incident stands at the top. None where nothing is known.
    """
    rows = trade_off_rows(result)
    known = rows[rows["false_alarms_per_week"].notna()]
    if known.empty:
        return None
    alerts = known[known["what"] == "alert"]
    lines = known[known["what"] == "setting"]
    by, word = house.scale(float(known["delay_hours"].max()))
    with house.style():
        foot = _key(alerts)
        ax = house.axes(ax, height=(_TOP + 170 + _BOTTOM + LINE * len(foot)) / 72)
        budget = result.spec.false_alarms_per_week
        left, never = _limits(ax, known, budget, by)
        names = _names(lines)
        right = max((house.text_width(name, bold=True) for name in names.values()), default=0)
        house.margins(
            ax, left=left + 20, right=right + 40 if names else 26, top=_TOP,
            bottom=_BOTTOM + LINE * len(foot),
        )  # fmt: skip
        _ticks(ax)
        _settings(ax, lines, names, never, by)
        _budget(ax, budget)
        letters(ax, [_marked(row, never, by) for _, row in alerts.iterrows()])
        house.under(ax, "false alarms a week")
        _unit(ax, f"{word}hours from the start of impact to the alarm")
        below(ax, foot, first=44.0)
    return ax


def trade_off_rows(result: Postmortem) -> pd.DataFrame:
    """what ("setting", "alert"), kind, status, value, false_alarms_per_week, low, high,
    delay_hours (NaN: never fires), mark (an alert's letter).

    At most 8 alerts: the recommended one, existing ones, proposed ones.
    """
    settings = result.trade_off.assign(
        what="setting", status="", mark="", low=math.nan, high=math.nan
    ).sort_values(["kind", "false_alarms_per_week"], kind="stable")
    found = result.detection[result.detection["false_alarms_per_week"].notna()]
    rank = found["status"].map(_RANK).fillna(3.0)
    alerts = found.assign(rank=rank).sort_values("rank", kind="stable").head(MOST_ALERTS)
    marks = [chr(ord("A") + at) for at in range(len(alerts))]
    alerts = alerts.assign(what="alert", mark=marks, kind=[clean(x) for x in alerts["alert"]])
    rows = pd.concat([settings[_COLUMNS], alerts[_COLUMNS]], ignore_index=True)
    return rows.astype(dict.fromkeys(_COLUMNS[3:8], float))


def _names(lines: pd.DataFrame) -> dict[str, str]:
    """Kind -> its name at the line's end."""
    kinds = list(dict.fromkeys(lines["kind"]))
    return dict(zip(kinds, told_apart((capital(kind) for kind in kinds), 18), strict=True))


def _key(alerts: pd.DataFrame) -> list[str]:
    """What the letters stand for, in lines."""
    parts = [
        f"{mark} {name}, {status}"
        for mark, name, status in zip(
            alerts["mark"], told_apart(alerts["kind"], 36), alerts["status"], strict=True
        )
    ]
    return wrapped(parts, 72 * house.WIDTH - 8)


def _limits(ax: Axes, known: pd.DataFrame, budget: float, by: float) -> tuple[float, float]:
    """Scales of both axes; returns the width of the y labels and where "never" stands."""
    from matplotlib.ticker import MaxNLocator

    ends = known[["false_alarms_per_week", "low", "high"]].to_numpy(dtype=float).ravel()
    rates = [*ends[ends == ends].tolist(), budget]
    positive = [rate for rate in rates if rate > 0] or [1.0]
    # Zero has a place on this axis; from the least rate on it is a log axis.
    width = max(min(positive), max(positive) / 1e4) / 2
    ax.set_xscale("asinh", linear_width=width)
    ax.set_xlim(0, 1.1 * max(positive))
    largest = float(known["delay_hours"].max()) / by
    largest = largest if largest > 0 else 1.0
    never = 1.25 * largest
    marks = [y for y in MaxNLocator(4).tick_values(0, largest) if y <= 1.05 * largest]
    labels = [house.number(y) for y in marks]
    if known["delay_hours"].isna().any():
        marks, labels = [*marks, never], [*labels, "never"]
    ax.set_yticks(marks, labels)
    ax.tick_params(axis="y", pad=11)  # marks at zero stick out
    ax.set_ylim(0, 1.36 * largest if labels[-1] == "never" else 1.12 * largest)
    return max(house.text_width(label) for label in labels), never


def _ticks(ax: Axes) -> None:
    """Zero and round rates whose labels do not meet; call it when margins are set."""
    from matplotlib.ticker import NullLocator

    top = ax.get_xlim()[1]
    decades = [10.0**power for power in range(math.floor(math.log10(top)), -13, -1)]
    kept: list[tuple[float, float, float]] = []
    for mark in (0.0, *decades, *(3 * one for one in decades)):
        x, half = place(ax, mark, 0.0)[0], house.text_width(_rate(mark)) / 2 + 6
        if mark <= top and all(abs(x - other) >= half + more for _, other, more in kept):
            kept.append((mark, x, half))
    at = sorted(mark for mark, _, _ in kept)
    ax.set_xticks(at, [_rate(mark) for mark in at])
    ax.xaxis.set_minor_locator(NullLocator())


def _rate(mark: float) -> str:
    return show.count(mark) if mark >= 1e6 else house.number(mark)


def _settings(
    ax: Axes, lines: pd.DataFrame, names: dict[str, str], never: float, by: float
) -> None:
    """A line per kind, its settings as marks, and its name to the right of the axes."""
    ends = []
    for at, kind in enumerate(names):
        own = lines[lines["kind"] == kind]
        colour, dash, marker = _LINES[at % len(_LINES)]
        fires = own[own["delay_hours"].notna()]
        ax.plot(
            fires["false_alarms_per_week"], fires["delay_hours"] / by, color=PALETTE[colour],
            linestyle=dash, linewidth=1.8, marker=marker, markersize=5, clip_on=False, label=kind,
        )  # fmt: skip
        silent = own[own["delay_hours"].isna()]
        ax.plot(
            silent["false_alarms_per_week"], [never] * len(silent), color=PALETTE[colour],
            linestyle="", marker=marker, markersize=5, clip_on=False, markerfacecolor="none",
        )  # fmt: skip
        ends.append(fires["delay_hours"].iloc[-1] / by if len(fires) else never)
    width, _ = place(ax, ax.get_xlim()[1], 0.0)
    heights = _apart([place(ax, 0.0, end)[1] for end in ends], need=16.0, least=8.0)
    for at, (name, height) in enumerate(zip(names.values(), heights, strict=True)):
        colour, dash, marker = _LINES[at % len(_LINES)]
        ax.plot(
            [width + 8, width + 28], [height, height], color=PALETTE[colour], linestyle=dash,
            linewidth=1.8, marker=marker, markersize=5, markevery=[1], clip_on=False,
            transform=in_points(ax),
        )  # fmt: skip
        ax.annotate(
            name, (width + 34, height), xycoords="axes points", va="center",
            color=PALETTE[colour], weight="bold",
        )  # fmt: skip


def _apart(heights: Sequence[float], *, need: float, least: float) -> list[float]:
    """`heights` pushed up until they are `need` apart, none below `least`."""
    placed: dict[int, float] = {}
    floor = least
    for at in sorted(range(len(heights)), key=lambda one: heights[one]):
        placed[at] = max(heights[at], floor)
        floor = placed[at] + need
    return [placed[at] for at in range(len(heights))]


def _budget(ax: Axes, budget: float) -> None:
    ax.axvline(budget, color=PALETTE["ink"], linewidth=1.2, linestyle=(0, (4, 3)))
    text = f"can be borne: {show.count(budget)} a week"
    x, left = place(ax, budget, 0.0)[0], ax.get_position().x0 * house.size(ax)[0]
    fits = left + x + house.text_width(text) < house.size(ax)[0] - 4
    ax.annotate(
        text, (budget, 1), xycoords=("data", "axes fraction"), xytext=(0, 5),
        textcoords="offset points", va="bottom", ha="left" if fits else "right",
        color=PALETTE["ink"],
    )  # fmt: skip


def _unit(ax: Axes, text: str) -> None:
    ax.annotate(
        text, (0, 1), xycoords=("figure fraction", "axes fraction"), xytext=(2, 22),
        textcoords="offset points", color=PALETTE["muted"], va="bottom",
    )  # fmt: skip


def _marked(row: pd.Series, never: float, by: float) -> Marked:
    delay = number(row["delay_hours"])
    return Marked(
        letter=str(row["mark"]), status=str(row["status"]),
        x=float(row["false_alarms_per_week"]), low=number(row["low"]), high=number(row["high"]),
        y=never if delay != delay else delay / by,
    )  # fmt: skip
