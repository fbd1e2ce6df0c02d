"""Forests: other methods, a donor left out, a start pretended earlier."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from trustlib.core import format as show
from trustlib.core.calendar import period
from trustlib.core.text import told_apart
from trustlib.figures import house
from trustlib.figures.forest import Row, forest
from trustlib.figures.house import PALETTE
from trustlib.figures.interventions.words import outcome
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 24
MOST_LEFT_OUT = 12
_FOOT = 20.0  # points of a line of words under a forest
ESTIMATORS = {
    "synthetic_did": "synthetic DiD",
    "synthetic_control": "synthetic control",
    "synthetic_control_predictors": "synthetic control + predictors",
    "augmented": "synthetic control, augmented",
    "did": "all donors alike (DiD)",
    "interrupted_time_series": "its own trend",
}


def estimators(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """The same effect by every method, the headline's filled. None where there is one at most."""
    frame = result.comparison.dropna(subset=["point"])
    if len(frame) < 2:
        return None
    rows = [
        _row(_estimator(str(row["estimator"])), row, strong=bool(row["headline"]))
        for row in frame.to_dict("records")
    ]
    return forest(rows[:MOST_ROWS], unit=_unit(result), width=30, ax=ax)


def leave_one_out(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """The headline, then the same without each donor that has weight, the heaviest first.

    Of more than twelve donors those without which it changes most, and that is said. None where
    no donor was left out.
    """
    frame = result.leave_one_out.dropna(subset=["point"])
    whole = result.estimates["att"].point
    if frame.empty or whole is None:
        return None
    away = (frame["point"] - whole).abs().sort_values(ascending=False, kind="stable")
    shown = frame.loc[sorted(away.index[:MOST_LEFT_OUT])]
    rows = [_headline(result, "all donors")]
    for name, row in zip(told_apart(shown["left_out"], 20), shown.to_dict("records"), strict=True):
        rows.append(_row(f"without {name} ({show.percent(float(row['weight']))})", row))
    own = ax is None
    ax = forest(rows, unit=_unit(result), width=40, ax=ax)
    if own and len(shown) < len(frame):
        _footnote(ax, f"of {len(frame)} donors left out by turns the {len(shown)} that matter most")
    return ax


def in_time(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """The real start, then starts pretended earlier, where there was nothing to have an effect.

    None where no earlier start could be pretended.
    """
    frame = result.in_time.dropna(subset=["point"])
    if frame.empty or result.estimates["att"].point is None:
        return None
    start = period(result.design.starts[0], width=16)
    several = len(result.design.starts) > 1
    rows = [_headline(result, f"real start, {'from ' if several else ''}{start}")]
    rows += [
        _row(f"pretended, {period(row['start'], width=16)}", row)
        for row in frame.to_dict("records")
    ]
    return forest(rows[:MOST_ROWS], unit=_unit(result), width=34, ax=ax)


def _footnote(ax: Axes, text: str) -> None:
    """A line of words under a forest, in room of its own."""
    width, height = house.size(ax)
    place = ax.get_position()
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.set_size_inches(width / 72, (height + _FOOT) / 72)
    house.margins(
        ax, left=place.x0 * width, right=(1 - place.x1) * width,
        top=(1 - place.y1) * height, bottom=place.y0 * height + _FOOT,
    )  # fmt: skip
    ax.annotate(
        text, (0, 0), xycoords=("figure fraction", "axes fraction"), xytext=(2, -26),
        textcoords="offset points", color=PALETTE["muted"], va="top",
    )  # fmt: skip


def _headline(result: SynthResult, label: str) -> Row:
    whole = result.estimates["att"]
    nan = float("nan")
    return Row(
        label=label,
        point=nan if whole.point is None else whole.point,
        low=nan if whole.low is None else whole.low,
        high=nan if whole.high is None else whole.high,
        strong=True,
    )


def _row(label: str, row: dict[Hashable, Any], *, strong: bool = False) -> Row:
    point, low, high = (float(row[name]) for name in ("point", "low", "high"))
    return Row(label=label, point=point, low=low, high=high, strong=strong)


def _estimator(name: str) -> str:
    return ESTIMATORS.get(name, name.replace("_", " "))


def _unit(result: SynthResult) -> str:
    return outcome(result, "effect, {scale}")
