"""The sentences of a synthetic control, all made from a `SynthResult`, none typed by hand."""

from trustlib.narrative.intervention_synth.actions import what_to_do
from trustlib.narrative.intervention_synth.ask import ask
from trustlib.narrative.intervention_synth.captions import (
    about_actual_and_synthetic,
    about_cumulative,
    about_estimators,
    about_gaps,
    about_in_time,
    about_leave_one_out,
    about_placebo_ratios,
    about_pool_map,
    about_predictors,
    about_weights,
)
from trustlib.narrative.intervention_synth.chance import is_it_chance
from trustlib.narrative.intervention_synth.donors import who_is_the_synthetic
from trustlib.narrative.intervention_synth.findings import (
    does_it_hang_on_a_choice,
    how_much_in_total,
    what_happened,
    what_it_rests_on,
    would_another_say_the_same,
)
from trustlib.narrative.intervention_synth.headline import answer, headline, headline_sentence
from trustlib.narrative.intervention_synth.points import points
from trustlib.narrative.intervention_synth.words import period
from trustlib.narrative.run import can_we_believe_it, what_was_read

__all__ = [
    "about_actual_and_synthetic",
    "about_cumulative",
    "about_estimators",
    "about_gaps",
    "about_in_time",
    "about_leave_one_out",
    "about_placebo_ratios",
    "about_pool_map",
    "about_predictors",
    "about_weights",
    "answer",
    "ask",
    "can_we_believe_it",
    "does_it_hang_on_a_choice",
    "headline",
    "headline_sentence",
    "how_much_in_total",
    "is_it_chance",
    "period",
    "points",
    "what_happened",
    "what_it_rests_on",
    "what_to_do",
    "what_was_read",
    "who_is_the_synthetic",
    "would_another_say_the_same",
]
