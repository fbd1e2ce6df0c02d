"""Which preset leads, and why: said in the report, not assumed."""

from __future__ import annotations

from typing import Literal

from trustlib.core import Refusal
from trustlib.interventions.synth.fit import PRESETS, Preset
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.spec import SynthSpec

Led = Preset | Literal["interrupted_time_series"]
MANY_TREATED = 10  # from here on the treated are a sample that can be resampled


def chosen(panel: SynthPanel, spec: SynthSpec) -> tuple[Led, str]:
    """The preset of the headline, and the clause that says why.

    Raises
    ------
    Refusal
        A method that needs donors where there are none.
    """
    if not len(panel.donors):
        if spec.method not in ("auto", "interrupted_time_series"):
            raise Refusal(
                f"{spec.method} needs units to compare with, and the pool is empty",
                where=f"method: {spec.method}",
                next_step="add donors, or set method: interrupted_time_series, which compares the "
                "market with its own past and says less",
            )
        return "interrupted_time_series", "there is no other unit to compare with"
    if spec.method == "interrupted_time_series":
        return "interrupted_time_series", "it was asked for, although there are donors"
    predictors = bool(panel.predictor_names)
    if spec.method == "auto":
        if predictors:
            return (
                "synthetic_control_predictors",
                "predictors were given, and the donors are to match them",
            )
        return (
            "synthetic_did",
            "it allows the treated a level of its own, and rests on the periods before the start "
            "that are most like those after it",
        )
    if spec.method == "synthetic_control" and predictors:
        return "synthetic_control_predictors", "it was asked for, with predictors"
    preset: Preset = spec.method
    return preset, "it was asked for"


def others(panel: SynthPanel, led: Led) -> tuple[Preset, ...]:
    """The presets that stand beside the headline's."""
    return tuple(
        preset
        for preset in PRESETS
        if preset != led
        and (preset != "synthetic_control_predictors" or bool(panel.predictor_names))
    )


def inference(
    panel: SynthPanel, spec: SynthSpec, led: Preset
) -> Literal["placebo", "jackknife", "bootstrap"]:
    """How the headline's interval is made.

    Raises
    ------
    Refusal
        Resampling that was asked for where it cannot be had.
    """
    sizes = [int((panel.first_treated == start).sum()) for start in panel.starts]
    resampled = led in ("synthetic_did", "did")
    if spec.inference == "auto":
        many = sum(sizes) >= MANY_TREATED and min(sizes) > 1 and resampled
        return "jackknife" if many else "placebo"
    if spec.inference == "placebo":
        return "placebo"
    if not resampled:
        raise Refusal(
            f"{spec.inference} is not valid for {led.replace('_', ' ')}: its weights are not "
            "smooth in the data",
            where=f"inference: {spec.inference}",
            next_step="set inference: placebo, or method: synthetic_did",
        )
    if min(sizes) < 2:
        raise Refusal(
            f"{spec.inference} leaves treated units out by turns, and one start has a single one",
            where=f"inference: {spec.inference}",
            next_step="set inference: placebo",
        )
    return spec.inference
