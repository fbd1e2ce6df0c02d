"""One treated market: synthetic controls over unit and time weights."""

from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.panel_from_frame import synth_panel
from trustlib.interventions.synth.result import SynthDesign, SynthResult
from trustlib.interventions.synth.spec import Predictor, SynthSpec
from trustlib.interventions.synth.synth import synth

__all__ = [
    "Predictor",
    "SynthDesign",
    "SynthPanel",
    "SynthResult",
    "SynthSpec",
    "synth",
    "synth_panel",
]
