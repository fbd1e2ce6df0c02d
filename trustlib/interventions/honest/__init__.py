"""Honest intervals: what remains of an effect when trends are not quite parallel.

Rambachan & Roth (2023): relative magnitudes by the conditional least-favourable hybrid test,
smoothness by fixed-length intervals, and the breakdown value of each.
"""

from trustlib.interventions.honest.breakdown import breakdown
from trustlib.interventions.honest.check import sensitivity_check, survival
from trustlib.interventions.honest.coefficients import HonestInterval, original, reason_not_run
from trustlib.interventions.honest.conditional import relative_magnitudes
from trustlib.interventions.honest.fixed_length import smoothness
from trustlib.interventions.honest.sensitivity import Sensitivity, sensitivity, sensitivity_of

__all__ = [
    "HonestInterval",
    "Sensitivity",
    "breakdown",
    "original",
    "reason_not_run",
    "relative_magnitudes",
    "sensitivity",
    "sensitivity_check",
    "sensitivity_of",
    "smoothness",
    "survival",
]
