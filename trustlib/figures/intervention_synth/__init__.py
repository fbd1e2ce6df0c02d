"""Figures of a synthetic-control result.

Every function draws what a `SynthResult` holds and computes no statistic; it returns None where
there is nothing to draw, and `house.view` then shows the reason in a box.
"""

from trustlib.figures.intervention_synth.actual import actual_and_synthetic
from trustlib.figures.intervention_synth.cumulative import cumulative, cumulative_rows
from trustlib.figures.intervention_synth.gaps import gap_rows, gaps
from trustlib.figures.intervention_synth.placebo_ratios import placebo_ratios
from trustlib.figures.intervention_synth.pool_map import pool_map
from trustlib.figures.intervention_synth.predictors import predictors
from trustlib.figures.intervention_synth.rows import estimators, in_time, leave_one_out
from trustlib.figures.intervention_synth.weights import weights

__all__ = [
    "actual_and_synthetic",
    "cumulative",
    "cumulative_rows",
    "estimators",
    "gap_rows",
    "gaps",
    "in_time",
    "leave_one_out",
    "placebo_ratios",
    "pool_map",
    "predictors",
    "weights",
]
