"""How much abuse there is, where, who is behind it and what today's controls miss."""

from trustlib.harm.corrected import CorrectedPrevalence, corrected_prevalence
from trustlib.harm.prediction_powered import PredictionPowered, prediction_powered
from trustlib.harm.prevalence import Prevalence, prevalence
from trustlib.harm.prevalence_by import corrected_prevalence_by, prevalence_by
from trustlib.harm.rater_error import (
    RaterError,
    rater_error_by_group,
    rater_error_from_gold,
    rater_error_from_votes,
)
from trustlib.harm.sample import LabelledSample, Population, segment

__all__ = [
    "CorrectedPrevalence",
    "LabelledSample",
    "Population",
    "PredictionPowered",
    "Prevalence",
    "RaterError",
    "corrected_prevalence",
    "corrected_prevalence_by",
    "prediction_powered",
    "prevalence",
    "prevalence_by",
    "rater_error_by_group",
    "rater_error_from_gold",
    "rater_error_from_votes",
    "segment",
]
