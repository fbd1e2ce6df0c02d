"""The sentences of a deep-dive, all made from a `DeepDive`, none typed by hand."""

from trustlib.narrative.harm.actions import (
    can_we_believe_it,
    what_it_rests_on,
    what_to_do,
    what_was_read,
)
from trustlib.narrative.harm.captions import (
    about_clusters,
    about_concentration_curve,
    about_control_overlap,
    about_control_recall,
    about_labels_arrived_bars,
    about_lifecycle_curves,
    about_newly_frequent_tokens,
    about_options,
    about_prevalence_trend,
    about_rate_and_mix_bars,
    about_segment_forest,
    about_size_range,
)
from trustlib.narrative.harm.headline import answer, headline_sentence
from trustlib.narrative.harm.how import what_is_new
from trustlib.narrative.harm.sections import (
    are_labels_right,
    how_it_works,
    how_much,
    since_when,
    what_controls_see,
    what_is_left_out,
    what_to_do_first,
    who_acts_together,
)
from trustlib.narrative.harm.today import what_nobody_sees
from trustlib.narrative.harm.where import rate_or_mix, where, who_is_behind
from trustlib.narrative.harm.words import period

__all__ = [
    "about_clusters",
    "about_concentration_curve",
    "about_control_overlap",
    "about_control_recall",
    "about_labels_arrived_bars",
    "about_lifecycle_curves",
    "about_newly_frequent_tokens",
    "about_options",
    "about_prevalence_trend",
    "about_rate_and_mix_bars",
    "about_segment_forest",
    "about_size_range",
    "answer",
    "are_labels_right",
    "can_we_believe_it",
    "headline_sentence",
    "how_it_works",
    "how_much",
    "period",
    "rate_or_mix",
    "since_when",
    "what_controls_see",
    "what_is_left_out",
    "what_is_new",
    "what_it_rests_on",
    "what_nobody_sees",
    "what_to_do",
    "what_to_do_first",
    "what_was_read",
    "where",
    "who_acts_together",
    "who_is_behind",
]
