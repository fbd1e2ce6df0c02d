"""Figures of a difference-in-differences result.

Every function draws what a `DidResult` holds and computes no statistic; it returns None where
there is nothing to draw, and `house.view` then shows the reason in a box.
"""

from trustlib.figures.interventions.bacon_scatter import bacon_rows, bacon_scatter
from trustlib.figures.interventions.event_study import event_study
from trustlib.figures.interventions.group_time_map import group_time_map, group_time_rows
from trustlib.figures.interventions.observed import observed_and_counterfactual, shown
from trustlib.figures.interventions.randomization import randomization
from trustlib.figures.interventions.rollout_map import rollout_map, rollout_rows
from trustlib.figures.interventions.rows import (
    cohorts,
    estimators,
    leave_one_out,
    leave_one_out_rows,
    placebo_in_time,
    total_rows,
    totals,
)
from trustlib.figures.interventions.sensitivity import sensitivity, sensitivity_rows

__all__ = [
    "bacon_rows",
    "bacon_scatter",
    "cohorts",
    "estimators",
    "event_study",
    "group_time_map",
    "group_time_rows",
    "leave_one_out",
    "leave_one_out_rows",
    "observed_and_counterfactual",
    "placebo_in_time",
    "randomization",
    "rollout_map",
    "rollout_rows",
    "sensitivity",
    "sensitivity_rows",
    "shown",
    "total_rows",
    "totals",
]
