"""Figures of a deep-dive.

Every function draws what a `DeepDive` holds and computes no statistic; it returns None where
there is nothing to draw, and `house.view` then shows the reason in a box. Beside each stands the
frame of the numbers behind it (`…_rows`), in which small counts are withheld as in the figure.
"""

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
from trustlib.figures.harm.shown import shown
from trustlib.figures.harm.size import size_range, size_range_rows
from trustlib.figures.harm.tokens import newly_frequent_tokens, newly_frequent_tokens_rows
from trustlib.figures.harm.trend import prevalence_trend, prevalence_trend_rows

__all__ = [
    "clusters",
    "clusters_rows",
    "concentration_curve",
    "concentration_curve_rows",
    "control_overlap",
    "control_overlap_rows",
    "control_recall",
    "control_recall_rows",
    "labels_arrived_bars",
    "labels_arrived_bars_rows",
    "lifecycle_curves",
    "lifecycle_curves_rows",
    "newly_frequent_tokens",
    "newly_frequent_tokens_rows",
    "options",
    "options_rows",
    "prevalence_trend",
    "prevalence_trend_rows",
    "rate_and_mix_bars",
    "rate_and_mix_bars_rows",
    "segment_forest",
    "segment_forest_rows",
    "shown",
    "size_range",
    "size_range_rows",
]
