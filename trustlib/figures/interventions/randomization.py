"""Randomization inference: the effect among those of re-assigned start dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.interventions.words import outcome
from trustlib.interventions import DidResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 30


def randomization(result: DidResult, *, ax: Axes | None = None) -> Axes | None:
    """How often re-assigned start dates give which effect; a line marks the real one."""
    statistics = result.randomization["statistic"].dropna().to_numpy(dtype=float)
    whole = result.estimates["att"].point
    if len(statistics) == 0 or whole is None:
        return None
    with house.style():
        ax = house.axes(ax, height=2.8)
        by, word = house.scale(max(float(np.abs(statistics).max()), abs(whole)))
        bins = min(_BINS, max(6, len(statistics) // 6))
        ax.hist(
            statistics / by, bins=bins, histtype="stepfilled", color=PALETTE["expected"],
            alpha=0.55, linewidth=0,
        )  # fmt: skip
        ax.axvline(0, color=PALETTE["ink"], linewidth=1)
        ax.axvline(whole / by, color=PALETTE["actual"], linewidth=2.4)
        low, high = ax.get_xlim()
        pad = 0.04 * (max(high, whole / by) - min(low, whole / by))
        ax.set_xlim(min(low, whole / by - pad), max(high, whole / by + pad))
        house.margins(ax, left=house.y_labels(ax), right=20, top=24, bottom=house.UNDER)
        house.headroom(ax, 18)
        house.signed_ticks(ax)
        house.unit(ax, f"re-assignments, of {len(statistics):,}")
        house.under(ax, outcome(result, "effect on ", word))
        _mark(ax, whole / by, show.alike([whole], sign=True)[0])
    return ax


def _mark(ax: Axes, at: float, text: str) -> None:
    low, high = ax.get_xlim()
    late = (at - low) / (high - low) > 0.5
    ax.annotate(
        f"the real start, {text}", (at, 1), xycoords=("data", "axes fraction"),
        xytext=(-5 if late else 5, -1), textcoords="offset points", color=PALETTE["actual"],
        va="top", ha="right" if late else "left", weight="bold",
    )  # fmt: skip
