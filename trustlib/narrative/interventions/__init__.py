"""The sentences of a difference-in-differences, all made from a `DidResult`, none typed by hand."""

from trustlib.narrative.interventions.actions import what_to_do
from trustlib.narrative.interventions.ask import ask
from trustlib.narrative.interventions.captions import (
    about_bacon_scatter,
    about_cohorts,
    about_estimators,
    about_event_study,
    about_group_time_map,
    about_leave_one_out,
    about_observed_and_counterfactual,
    about_placebo_in_time,
    about_randomization,
    about_rollout_map,
    about_sensitivity,
    about_totals,
)
from trustlib.narrative.interventions.findings import (
    did_it_start_before,
    does_it_hang_on_a_choice,
    how_much_in_total,
    how_much_would_overturn_it,
    is_it_chance,
    what_happened,
    what_it_rests_on,
    where,
    who_and_when,
    why_two_way_differs,
)
from trustlib.narrative.interventions.headline import answer, headline, headline_sentence
from trustlib.narrative.interventions.points import points
from trustlib.narrative.interventions.words import period
from trustlib.narrative.run import can_we_believe_it, what_was_read

__all__ = [
    "about_bacon_scatter",
    "about_cohorts",
    "about_estimators",
    "about_event_study",
    "about_group_time_map",
    "about_leave_one_out",
    "about_observed_and_counterfactual",
    "about_placebo_in_time",
    "about_randomization",
    "about_rollout_map",
    "about_sensitivity",
    "about_totals",
    "answer",
    "ask",
    "can_we_believe_it",
    "did_it_start_before",
    "does_it_hang_on_a_choice",
    "headline",
    "headline_sentence",
    "how_much_in_total",
    "how_much_would_overturn_it",
    "is_it_chance",
    "period",
    "points",
    "what_happened",
    "what_it_rests_on",
    "what_to_do",
    "what_was_read",
    "where",
    "who_and_when",
    "why_two_way_differs",
]
