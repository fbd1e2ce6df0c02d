"""All that one difference-in-differences estimate found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.interventions.design import Design
from trustlib.interventions.spec import DidSpec


@dataclass(frozen=True, kw_only=True)
class DidResult:
    """Did it work, how much, and why to believe it. Effects are actual − counterfactual.

    Frames hold `point`, `standard_error`, `low`, `high` (of `spec.level`, pointwise) where a
    row is an effect; NaN where not estimable. Periods are the readers' labels (str).

    Attributes
    ----------
    spec, design
        As asked, and as recognised in the panel.
    estimates
        att, the aggregations that were computed (simple, group, dynamic, calendar),
        total_effect, relative_effect, randomization_p_value, smallest_detectable_effect,
        breakdown_relative_magnitudes, breakdown_smoothness, total_value_usd with a unit value.
    checks
        One per assumption.
    verdict
        "effect shown", "no effect shown", "not conclusive" or "not estimable".
    event_study
        One row per event time: event_time, point, standard_error, low, high, band_low,
        band_high (simultaneous), units, reference. As the base period of the spec has it.
    event_study_universal
        The same with the last period before treatment as everyone's reference (point 0).
    group_time
        group, time (labels), event_time, point, standard_error, low, high, band_low, band_high
        (all cells at once; NaN with more than 500 of them), units, after (bool: treated then).
    group_effects, calendar_effects
        group or time, then as an effect; units.
    counterfactual
        Per period over the treated units, weighted: time, group ("all" or a cohort), observed,
        counterfactual, low, high (of the counterfactual), treated_units (treated by then).
    comparison
        estimator, description, point, standard_error, low, high, headline (bool).
    bacon
        kind ("treated vs untreated", "earlier vs later treated", "later vs earlier treated
        (forbidden)", ...), group, control, weight, estimate. Empty where it does not apply.
    sensitivity
        HonestDiD: kind ("relative_magnitudes" or "smoothness"), bound (Mbar or M), low, high,
        contains_zero; the first row of each kind is the original interval (bound 0 or NaN).
    placebo_in_time
        shift (periods earlier), point, standard_error, low, high, p_value.
    leave_one_out
        left_out (cohort or cluster label), kind ("cohort" or "cluster"), point,
        standard_error, low, high.
    randomization
        statistic of each re-assignment: draw, statistic. Empty where it was not run.
    rollout
        unit, group (label or "never"), first_treated (label or ""), periods_treated, weight.
    totals
        Per unit or cohort: name, units, group, periods_treated, effect (total), low, high,
        value_usd; the last row is everything.
    """

    spec: DidSpec
    design: Design
    estimates: Mapping[str, Estimate]
    checks: tuple[Check, ...]
    verdict: str
    event_study: pd.DataFrame
    event_study_universal: pd.DataFrame
    group_time: pd.DataFrame
    group_effects: pd.DataFrame
    calendar_effects: pd.DataFrame
    counterfactual: pd.DataFrame
    comparison: pd.DataFrame
    bacon: pd.DataFrame
    sensitivity: pd.DataFrame
    placebo_in_time: pd.DataFrame
    leave_one_out: pd.DataFrame
    randomization: pd.DataFrame
    rollout: pd.DataFrame
    totals: pd.DataFrame

    def series(self) -> dict[str, list[dict[str, object]]]:
        """Rows of plain values for results.json, by name; rollout and totals by cohort only
        where unit names must stay in the room."""
        frames = {
            "event_study": self.event_study,
            "event_study_universal": self.event_study_universal,
            "group_time": self.group_time,
            "group_effects": self.group_effects,
            "calendar_effects": self.calendar_effects,
            "counterfactual": self.counterfactual,
            "comparison": self.comparison,
            "bacon": self.bacon,
            "sensitivity": self.sensitivity,
            "placebo_in_time": self.placebo_in_time,
            "leave_one_out": self.leave_one_out,
            "totals": self.totals,
            "rollout": self.rollout,
        }
        return {name: plain_rows(frame) for name, frame in frames.items()}


def plain_rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Rows of plain Python values; None where a value is missing."""
    columns = {
        str(name): [None if value is None or value != value else value for value in column.tolist()]
        for name, column in frame.items()
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
