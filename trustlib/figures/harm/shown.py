"""A figure of a deep-dive as its page shows it, with its words and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trustlib.core import View
from trustlib.figures.harm.arrived import labels_arrived_bars, labels_arrived_bars_rows
from trustlib.figures.harm.clusters import clusters, clusters_rows
from trustlib.figures.harm.control_rows import (
    control_overlap,
    control_overlap_rows,
    control_recall,
    control_recall_rows,
)
from trustlib.figures.harm.lifecycles import lifecycle_curves, lifecycle_curves_rows
from trustlib.figures.harm.lorenz import concentration_curve, concentration_curve_rows
from trustlib.figures.harm.mix import rate_and_mix_bars, rate_and_mix_bars_rows
from trustlib.figures.harm.options import options, options_rows
from trustlib.figures.harm.segments import segment_forest, segment_forest_rows
from trustlib.figures.harm.size import size_range, size_range_rows
from trustlib.figures.harm.tokens import newly_frequent_tokens, newly_frequent_tokens_rows
from trustlib.figures.harm.trend import prevalence_trend, prevalence_trend_rows
from trustlib.figures.house import view
from trustlib.harm.deep_dive.result import DeepDive

# Name -> the figure, and the frame behind it.
FIGURES: Mapping[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "labels_arrived_bars": (labels_arrived_bars, labels_arrived_bars_rows),
    "clusters": (clusters, clusters_rows),
    "control_overlap": (control_overlap, control_overlap_rows),
    "control_recall": (control_recall, control_recall_rows),
    "lifecycle_curves": (lifecycle_curves, lifecycle_curves_rows),
    "concentration_curve": (concentration_curve, concentration_curve_rows),
    "rate_and_mix_bars": (rate_and_mix_bars, rate_and_mix_bars_rows),
    "options": (options, options_rows),
    "segment_forest": (segment_forest, segment_forest_rows),
    "size_range": (size_range, size_range_rows),
    "newly_frequent_tokens": (newly_frequent_tokens, newly_frequent_tokens_rows),
    "prevalence_trend": (prevalence_trend, prevalence_trend_rows),
}


def shown(name: str, result: DeepDive, *, alt: str, caption: str) -> View:
    """The figure `name` of `FIGURES`, or the box that says why it is not there.

    Raises
    ------
    KeyError
        If there is no such figure.
    """
    draw, rows = FIGURES[name]
    return view(
        draw(result),
        alt=alt,
        caption=caption,
        data=rows(result),
        filename=f"{name.replace('_', '-')}.csv",
    )
