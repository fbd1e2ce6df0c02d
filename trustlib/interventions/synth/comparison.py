"""The same effect by every preset that can be had for the panel, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.choice import Led
from trustlib.interventions.synth.cohorts import combined
from trustlib.interventions.synth.estimates import Found
from trustlib.interventions.synth.fit import Preset, fit
from trustlib.interventions.synth.placebos_in_space import in_space
from trustlib.interventions.synth.spec import SynthSpec
from trustlib.interventions.synth.spread import spread_of
from trustlib.interventions.synth.words import LED_NAMES, interval_name

# Of random assignments where several units were treated: what stands beside the headline need
# not be as sharp, and a fit with predictors takes a quarter of a second.
DRAWS_BESIDE = 199


def headline_row(led: Led, found: Found, interval: str) -> dict[str, object]:
    """The headline's row of `SynthResult.comparison`."""
    return _row(led, found, interval, headline=True)


def other_row(
    parts: Sequence[tuple[int, Case]], att_weights: FloatArray, preset: Preset, spec: SynthSpec
) -> dict[str, object]:
    """The row of a preset that is not the headline's, with its own placebos."""
    fits = [fit(case, preset) for _, case in parts]
    chance = in_space(parts, fits, draws=min(spec.draws, DRAWS_BESIDE), seed=spec.seed)
    by = spread_of(chance, preset, level=spec.level)
    found = Found(
        point=combined(parts, fits), half=by.half(att_weights), error=by.error(att_weights)
    )
    return _row(preset, found, interval_name(by.kind, by.n), headline=False)


def comparison_frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """`SynthResult.comparison`, the headline first."""
    numbers = ["point", "standard_error", "low", "high"]
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, float))


def _row(led: Led, found: Found, interval: str, *, headline: bool) -> dict[str, object]:
    return {
        "estimator": led,
        "description": LED_NAMES[led],
        "point": found.point,
        "standard_error": found.error,
        "low": found.point - found.half,
        "high": found.point + found.half,
        "headline": headline,
        "interval": interval,
    }
