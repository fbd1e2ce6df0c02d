"""Among the placebos: how far each strays after the start, for how well it was matched before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trustlib.core import format as show
from trustlib.figures import house
from trustlib.figures.house import PALETTE
from trustlib.figures.intervention_synth.timeline import treated_name
from trustlib.interventions.synth.result import SynthResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_DOTS = 200  # beyond it, bars
_DOT = 7.0  # points across
_BINS = 40


def placebo_ratios(result: SynthResult, *, ax: Axes | None = None) -> Axes | None:
    """Every placebo's ratio of its gap after the start to its misfit before; the treated's named.

    A dot for each, piled where they meet, and bars beyond 200. None without placebos, or where
    the treated's ratio is not known.
    """
    frame = result.placebos
    own = frame[frame["treated"].astype(bool)]
    others = frame.loc[~frame["treated"].astype(bool), "ratio"].to_numpy(dtype=float)
    others = others[~np.isnan(others)]
    if not len(others) or own.empty or not np.isfinite(own["ratio"].iloc[0]):
        return None
    ratio, rank = float(own["ratio"].iloc[0]), int(own["rank"].iloc[0])
    endless = int(np.isinf(others).sum())
    finite = others[np.isfinite(others)]
    many = len(others) > _MOST_DOTS
    with house.style():
        piles, x = _piled(finite, ratio)
        tall = 2.6 if many else 1.35 + (max(piles, default=0) + 1) * (_DOT + 1) / 72
        ax = house.axes(ax, height=max(1.9, tall))
        ax.set_xlim(*x)
        house.margins(ax, left=34 if many else 14, right=20, top=46, bottom=house.UNDER)
        if many:
            _bars(ax, finite, x)
        else:
            _dots(ax, finite, piles, ratio)
        _treated(ax, ratio)
        _words(ax, result, (ratio, rank, len(others) + 1), many=many, endless=endless)
    return ax


def _range(finite: np.ndarray, ratio: float) -> tuple[float, float]:
    top = max([ratio, *finite.tolist()]) or 1.0
    return 0.0, 1.04 * top


def _piled(finite: np.ndarray, ratio: float) -> tuple[list[int], tuple[float, float]]:
    """The lowest free place of each dot, from the left; the treated keeps the ground to itself."""
    x = _range(finite, ratio)
    if len(finite) > _MOST_DOTS:
        return [], x
    need = _DOT * (x[1] - x[0]) / (72 * house.WIDTH - 34)
    placed: list[tuple[float, int]] = [(ratio, 0)]
    piles = [0] * len(finite)
    for i in np.argsort(finite, kind="stable"):
        taken = {level for at, level in placed if abs(at - finite[i]) < need}
        piles[i] = next(level for level in range(len(placed) + 1) if level not in taken)
        placed.append((float(finite[i]), piles[i]))
    return piles, x


def _dots(ax: Axes, finite: np.ndarray, piles: list[int], ratio: float) -> None:
    ax.plot(
        finite, piles, linestyle="", marker="o", markersize=_DOT - 1, color=PALETTE["expected"],
        alpha=0.75, markeredgewidth=0,
    )  # fmt: skip
    height = house.size(ax)[1] * ax.get_position().height
    ax.set_ylim(-0.7, -0.7 + height / (_DOT + 1))
    ax.set_yticks([])
    ax.grid(False)


def _bars(ax: Axes, finite: np.ndarray, x: tuple[float, float]) -> None:
    ax.hist(
        finite, bins=_BINS, range=x, histtype="stepfilled", color=PALETTE["expected"], alpha=0.55,
        linewidth=0,
    )  # fmt: skip
    house.y_labels(ax)


def _treated(ax: Axes, ratio: float) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.axvline(ratio, color=PALETTE["actual"], linewidth=1.4)
    low, _ = ax.get_ylim()
    ax.plot(
        [ratio], [0 if low < 0 else low], marker="D", markersize=_DOT + 1,
        color=PALETTE["actual"], clip_on=False, zorder=5,
    )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(FuncFormatter(house.number))


def _words(
    ax: Axes, result: SynthResult, own: tuple[float, int, int], *, many: bool, endless: int
) -> None:
    """The treated by name, value and rank; the unit above, the axis below."""
    ratio, rank, of = own
    low, high = ax.get_xlim()
    late = (ratio - low) / (high - low) > 0.5
    place = "the largest" if rank == 1 else f"number {rank:,}"
    ax.annotate(
        f"{treated_name(result, 150)}: {show.alike([ratio])[0]}, {place} of {of:,}", (ratio, 1),
        xycoords=("data", "axes fraction"), xytext=(4 if late else -4, 4),
        textcoords="offset points", color=PALETTE["actual"], va="bottom",
        ha="right" if late else "left", weight="bold",
    )  # fmt: skip
    kind = "placebos" if many else "one dot per placebo"
    more = f"; {endless:,} more matched exactly: no end to their ratio" if endless else ""
    ax.annotate(
        kind + more, (0, 1), xycoords=("figure fraction", "axes fraction"), xytext=(2, 26),
        textcoords="offset points", color=PALETTE["muted"], va="bottom",
    )  # fmt: skip
    house.under(ax, "gap after the start, in times the misfit before it")
