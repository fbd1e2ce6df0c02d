"""What was observed on the treated units, against what would have been without the rollout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trustlib.core.calendar import periods as named
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.interventions.words import outcome, sparse
from trustlib.figures.labels import End, ends_apart
from trustlib.interventions import DidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OBSERVED, _WITHOUT = "observed", "without it"


def observed_and_counterfactual(
    result: DidResult, *, group: str = "all", ax: Axes | None = None
) -> Axes | None:
    """Mean outcome of the treated units per period, and the same without the rollout.

    The band is the interval of the counterfactual. `group` is "all" or a cohort's label. None
    where nothing was estimable.
    """
    frame = shown(result, group=group)
    if frame.empty or frame["counterfactual"].isna().all():
        return None
    with house.style():
        ax = house.axes(ax, height=3.4)
        by, word = house.scale(float(frame[_LINES].abs().max().max()))
        at = list(range(len(frame)))
        _starts(ax, frame)
        ax.fill_between(
            at, frame["low"] / by, frame["high"] / by,
            color=PALETTE["expected"], alpha=0.2, linewidth=0,
        )  # fmt: skip
        ax.plot(
            at, frame["counterfactual"] / by, color=PALETTE["expected"], linewidth=1.5,
            linestyle=(0, (4, 2)),
        )  # fmt: skip
        ax.plot(
            at, frame["observed"] / by, color=PALETTE["actual"], linewidth=2.2,
            marker="o" if len(at) <= 40 else "", markersize=3,
        )  # fmt: skip
        ax.set_xlim(-0.4, len(at) - 0.6)
        _limits(ax)
        right = max(house.text_width(name, bold=True) for name in (_OBSERVED, _WITHOUT)) + 12
        left = max(34.0, house.y_labels(ax))
        house.margins(ax, left=left, right=right, top=24, bottom=24)
        house.headroom(ax, 18)
        _dates(ax, frame, house.size(ax)[0] - left - right)
        tail = f", {word.rstrip()}" if word else ""
        house.unit(ax, outcome(result, "", f"{tail}, mean of the treated", level=True))
        _start_label(ax, frame)
        last = frame.dropna(subset=["observed", "counterfactual"]).iloc[-1]
        ends_apart(
            ax,
            [
                End(last["observed"] / by, _OBSERVED, PALETTE["actual"], "bold"),
                End(last["counterfactual"] / by, _WITHOUT, PALETTE["expected"], "normal"),
            ],
        )
    return ax


_LINES = ["observed", "counterfactual", "low", "high"]


def shown(result: DidResult, *, group: str = "all") -> pd.DataFrame:
    """The rows of the counterfactual that the figure draws."""
    frame = result.counterfactual
    return frame[frame["group"] == group].reset_index(drop=True)


def _limits(ax: Axes) -> None:
    """From zero where that costs little room; else around the lines."""
    low, high = ax.get_ylim()
    if 0 < low <= 0.45 * high:
        ax.set_ylim(0, high)


def _starts(ax: Axes, frame: pd.DataFrame) -> None:
    """Shade from the first start on, and the more so until the last unit has started."""
    treated = frame["treated_units"]
    if not (treated > 0).any():
        return
    first, last = int((treated > 0).to_numpy().argmax()), int(treated.to_numpy().argmax())
    for at in {first, last}:
        ax.axvspan(at - 0.5, len(frame) - 0.4, color=PALETTE["actual"], alpha=0.05, linewidth=0)


def _start_label(ax: Axes, frame: pd.DataFrame) -> None:
    treated = frame["treated_units"]
    if not (treated > 0).any():
        return
    first, last = int((treated > 0).to_numpy().argmax()), int(treated.to_numpy().argmax())
    late = first > 0.6 * len(frame)
    text = "started" if first == last else "first start"
    ax.annotate(
        text, (first - 0.5, 1), xycoords=("data", "axes fraction"),
        xytext=(-4 if late else 4, -1), textcoords="offset points",
        color=PALETTE["muted"], va="top", ha="right" if late else "left",
    )  # fmt: skip
    width = (last - first) / len(frame) * house.size(ax)[0] * ax.get_position().width
    if not late and width > house.text_width(text) + 14:
        ax.annotate(
            "all started", (last - 0.5, 1), xycoords=("data", "axes fraction"), xytext=(4, -1),
            textcoords="offset points", color=PALETTE["muted"], va="top",
        )  # fmt: skip


def _dates(ax: Axes, frame: pd.DataFrame, width: float) -> None:
    labels = named(frame["time"], width=12)
    at = sparse(labels, width)
    ax.set_xticks(at, [labels[i] for i in at])
