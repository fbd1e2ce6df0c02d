"""Figures of power before launch: the power curve, other plans, the quiet history's draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.forest import Row, forest
from trustlib.figures.house import PALETTE
from trustlib.interventions.power import PowerResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 30


def power_curve(result: PowerResult, *, ax: Axes | None = None) -> Axes | None:
    """The chance to find an effect by its size; a line marks the target and what reaches it.

    None without a curve.
    """
    frame = result.power_curve.dropna(subset=["power"])
    if frame.empty:
        return None
    with house.style():
        ax = house.axes(ax, height=3.3)
        by, word = house.scale(float(frame["effect"].abs().max()))
        ax.fill_between(
            frame["effect"] / by, 100 * frame["low"], 100 * frame["high"],
            color=PALETTE["actual"], alpha=0.18, linewidth=0,
        )  # fmt: skip
        ax.plot(frame["effect"] / by, 100 * frame["power"], color=PALETTE["actual"], linewidth=2.2)
        asked = frame[frame["asked"].astype(bool)]
        ax.plot(
            asked["effect"] / by, 100 * asked["power"], linestyle="", marker="o", markersize=7,
            color=PALETTE["actual"], markerfacecolor=PALETTE["paper"], markeredgewidth=1.8,
        )  # fmt: skip
        target = 100 * result.spec.target_power
        ax.axhline(target, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 2)))
        ax.set_xlim(0, float(frame["effect"].max()) / by)
        ax.set_ylim(0, 106)
        ax.set_yticks([0, 25, 50, 75, 100])
        house.margins(ax, left=house.text_width("100") + 9, right=22, top=24, bottom=house.UNDER)
        house.unit(ax, "chance to find the effect, per cent")
        house.under(ax, _outcome_line(result, "true effect, ", word))
        _x_numbers(ax)
        _mark_smallest(ax, result, by)
    return ax


def alternatives(result: PowerResult, *, ax: Axes | None = None) -> Axes | None:
    """The smallest detectable effect of other plans beside this one's, which is filled."""
    rows = alternative_rows(result)
    if len(rows) < 2:
        return None
    nan = float("nan")
    lines = [
        Row(
            label=str(row["change"]), point=float(row["smallest_detectable_effect"]),
            low=float(row.get("low", nan)), high=float(row.get("high", nan)), strong=at == 0,
        )
        for at, (_, row) in enumerate(rows.iterrows())
    ]  # fmt: skip
    unit = _outcome_line(result, "smallest detectable effect, {scale}", "")
    drawn = forest(lines, unit=unit, width=30, ax=ax)
    _x_numbers(drawn)  # sizes, not differences: no signs
    return drawn


def alternative_rows(result: PowerResult) -> pd.DataFrame:
    """This plan, then the others that have a smallest detectable effect."""
    own = result.estimates["smallest_detectable_effect"]
    if own.point is None:
        return result.alternatives.iloc[:0]
    first = pd.DataFrame(
        [{"change": "this plan", "treated_clusters": sum(result.plan.clusters),
          "periods_after": result.plan.after, "smallest_detectable_effect": own.point,
          "ratio": 1.0, "low": own.low, "high": own.high}]
    ).astype({"low": float, "high": float})  # fmt: skip
    others = result.alternatives.dropna(subset=["smallest_detectable_effect"])
    nan = float("nan")
    return pd.concat([first, others.assign(low=nan, high=nan)], ignore_index=True)


def placebo_rollouts(result: PowerResult, *, ax: Axes | None = None) -> Axes | None:
    """What the plan would have estimated on a history in which nothing happened."""
    points = result.draws["point"].dropna().to_numpy(dtype=float)
    if len(points) == 0:
        return None
    with house.style():
        ax = house.axes(ax, height=2.7)
        by, word = house.scale(float(abs(points).max()))
        ax.hist(
            points / by, bins=min(_BINS, max(6, len(points) // 6)), histtype="stepfilled",
            color=PALETTE["expected"], alpha=0.55, linewidth=0,
        )  # fmt: skip
        ax.axvline(0, color=PALETTE["ink"], linewidth=1)
        smallest = result.estimates["smallest_detectable_effect"].point
        for edge in () if smallest is None else (-smallest / by, smallest / by):
            ax.axvline(edge, color=PALETTE["actual"], linewidth=1.5, linestyle=(0, (4, 2)))
        house.margins(ax, left=house.y_labels(ax), right=20, top=24, bottom=house.UNDER)
        house.headroom(ax, 18)
        house.signed_ticks(ax)
        house.unit(ax, f"placebo roll-outs, of {len(points):,}")
        house.under(ax, _outcome_line(result, "estimate, ", word))
        if smallest is not None:
            ax.annotate(
                "detectable", (smallest / by, 1), xycoords=("data", "axes fraction"),
                xytext=(-5, -1), textcoords="offset points", color=PALETTE["actual"], va="top",
                ha="right",
            )  # fmt: skip
    return ax


def _outcome_line(result: PowerResult, before: str, word: str) -> str:
    tail = f", {word.rstrip()}" if word else ""
    room = 72 * house.WIDTH - 12 - house.text_width(before) - house.text_width(tail)
    return f"{before}{house.fitted(result.spec.outcome_name, room)}{tail}"


def _x_numbers(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(FuncFormatter(house.number))


def _mark_smallest(ax: Axes, result: PowerResult, by: float) -> None:
    """The smallest detectable effect: a line down from the curve at the target, with its value."""
    smallest = result.estimates["smallest_detectable_effect"].point
    target = 100 * result.spec.target_power
    name = f"{result.spec.target_power:.0%}".replace("%", f"{show.NBSP}%")
    if smallest is None or not 0 < smallest / by <= ax.get_xlim()[1]:
        ax.annotate(
            f"target {name}", (0, target), xycoords=("axes fraction", "data"), xytext=(4, 3),
            textcoords="offset points", color=PALETTE["muted"], va="bottom",
        )  # fmt: skip
        return
    ax.plot([smallest / by] * 2, [0, target], color=PALETTE["harm"], linewidth=1.5)
    late = smallest / by > 0.6 * ax.get_xlim()[1]
    ax.annotate(
        f"{name} from {smallest:,.3g} on", (smallest / by, 6),
        xytext=(-5 if late else 5, 0), textcoords="offset points", color=PALETTE["harm"],
        ha="right" if late else "left", va="bottom",
    )  # fmt: skip
