"""The sentences of incident sizing, all made from a `SizingResult`, none typed by hand."""

from trustlib.narrative.incidents.ask import ask
from trustlib.narrative.incidents.captions import (
    about_counterfactual,
    about_cumulative_excess,
    about_placebo_windows,
    about_segments,
    about_sensitivity,
)
from trustlib.narrative.incidents.findings import (
    does_it_hang_on_a_choice,
    how_it_added_up,
    was_it_an_incident,
    what_happened,
    what_it_rests_on,
    what_to_do,
    where,
)
from trustlib.narrative.incidents.headline import (
    answer,
    headline,
    headline_sentence,
)
from trustlib.narrative.incidents.points import points
from trustlib.narrative.incidents.words import period
from trustlib.narrative.run import can_we_believe_it, what_was_read

__all__ = [
    "about_counterfactual",
    "about_cumulative_excess",
    "about_placebo_windows",
    "about_segments",
    "about_sensitivity",
    "answer",
    "ask",
    "can_we_believe_it",
    "does_it_hang_on_a_choice",
    "headline",
    "headline_sentence",
    "how_it_added_up",
    "period",
    "points",
    "was_it_an_incident",
    "what_happened",
    "what_it_rests_on",
    "what_to_do",
    "what_was_read",
    "where",
]
