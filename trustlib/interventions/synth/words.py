"""What presets and intervals are called, and what each interval assumes."""

from __future__ import annotations

from trustlib.interventions.synth.choice import Led
from trustlib.interventions.synth.fit import Preset

PRESET_NAMES: dict[Preset, str] = {
    "synthetic_did": "synthetic difference-in-differences",
    "synthetic_control": "synthetic control on past outcomes",
    "synthetic_control_predictors": "synthetic control with predictors",
    "augmented": "ridge-augmented synthetic control",
    "did": "difference-in-differences, all donors alike",
}
LED_NAMES: dict[Led, str] = {
    **dict(PRESET_NAMES.items()),
    "interrupted_time_series": "interrupted time series, no comparison",
}
DESCRIPTIONS: dict[Preset, str] = {
    "synthetic_did": "donors and periods weighted, levels may differ",
    "synthetic_control": "donors weighted to match every period before the start",
    "synthetic_control_predictors": "donors weighted to match the predictors",
    "augmented": "synthetic control, what is left of its misfit taken off by ridge regression",
    "did": "all donors and all periods before the start count alike",
}


def interval_name(kind: str, n_placebos: int) -> str:
    """The interval's method, for the line under a number."""
    return {
        "rank": f"ranks of {n_placebos} placebos in space, each relative to its fit",
        "placebo": f"standard deviation of {n_placebos} placebos in space, Student's t",
        "jackknife": "jackknife over units, weights held fixed",
        "bootstrap": "bootstrap over units",
        "regression": "Student's t, errors that allow for autocorrelation",
        "none": "no interval",
    }[kind]


def assumption(kind: str) -> str:
    """What the headline's interval assumes, without a final stop."""
    return {
        "rank": "without the intervention, and relative to how well each was matched before the "
        "start, any donor could as well have been the treated one; and the effect is one number",
        "placebo": "without the intervention, the treated would have strayed from its synthetic "
        "as widely as the donors stray from theirs, in the shape of a bell",
        "jackknife": "units are independent draws, and many are treated",
        "bootstrap": "units are independent draws, and many are treated",
        "regression": "without the intervention, the series would have gone on along its line",
        "none": "nothing: there is no interval",
    }[kind]
