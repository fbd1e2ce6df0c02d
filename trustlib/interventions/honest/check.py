"""Does the conclusion survive trends that differ as much as they did before treatment?"""

from __future__ import annotations

import math

from trustlib.core import Check, Verdict, format
from trustlib.interventions.honest.breakdown import MOST
from trustlib.interventions.honest.sensitivity import Sensitivity

# As large as the worst seen before is what Rambachan & Roth name as the natural benchmark.
# The violation may recur in every period after treatment and adds up, so that an average over
# many periods breaks down early even when trends are parallel and only estimated with noise:
# below half the benchmark is a failure only if the changes before treatment are more than noise.
SOLID, WEAK = 1.0, 0.5
NAME = "sensitivity_to_trends"


def sensitivity_check(sensitivity: Sensitivity) -> Check:
    """pass from a breakdown Mbar of 1 on; fail below 0.5 where the changes before treatment are
    beyond sampling error at the level of the intervals; warn otherwise.

    not_run where nothing could be run, and where the interval contains zero even with parallel
    trends: then there is no conclusion that a violation could overturn.
    """
    if sensitivity.original is None:
        return Check(
            name=NAME,
            verdict="not_run",
            label="sensitivity to trends not computed",
            text=f"Sensitivity to trends that differ: not run, {sensitivity.reason}.",
        )
    level = format.level(sensitivity.level)
    if sensitivity.original.contains_zero:
        return Check(
            name=NAME,
            verdict="not_run",
            label="no effect to overturn",
            text=f"The {level} interval contains zero even if trends are parallel, so there is "
            "no conclusion that a violation could overturn. " + _range_at_worst(sensitivity),
        )
    survives = sensitivity.breakdown_relative_magnitudes or 0.0
    seen = sensitivity.worst_change_p_value < 1 - sensitivity.level
    verdict: Verdict = "pass" if survives >= SOLID else "warn"
    if survives < WEAK and seen:
        verdict = "fail"
    label = {
        "pass": "survives trends that differ",
        "warn": "sensitive to trends that differ",
        "fail": "overturned by less than was seen before",
    }[verdict]
    return Check(
        name=NAME,
        verdict=verdict,
        label=label,
        text=" ".join(
            [
                survival(sensitivity),
                *([] if verdict == "pass" else [_benchmark(seen)]),
                _smoothness(sensitivity),
            ]
        ),
    )


def survival(sensitivity: Sensitivity) -> str:
    """The breakdown Mbar as a sentence, rounded down; empty where there is no conclusion."""
    if sensitivity.original is None or sensitivity.original.contains_zero:
        return ""
    survives = sensitivity.breakdown_relative_magnitudes or 0.0
    if math.isinf(survives):
        return (
            f"The conclusion survives violations of parallel trends more than {MOST:.0f} times "
            "the worst pre-period one."
        )
    times = _two(survives)
    if survives < WEAK:
        return (
            f"The conclusion is lost once parallel trends is violated by more than {times} times "
            "the worst pre-period violation."
        )
    return f"The conclusion survives violations up to {times} times the worst pre-period one."


def _benchmark(seen: bool) -> str:
    if seen:
        return "Changes before treatment are larger than sampling error explains."
    return (
        "No change before treatment is beyond sampling error, so that this limit reflects how "
        "precisely trends are measured rather than a violation that was seen."
    )


def _smoothness(sensitivity: Sensitivity) -> str:
    most = sensitivity.breakdown_smoothness
    if most is None:
        return (
            "If a straight-line difference in trends is allowed for instead, the interval "
            "contains zero."
        )
    return (
        "If the difference in trends is a line that may bend instead, the conclusion survives "
        f"bends of up to {_two(most)} from one period to the next, "
        f"{_two(most / sensitivity.bend)} times {sensitivity.bend_name}."
    )


def _range_at_worst(sensitivity: Sensitivity) -> str:
    worst = next(x for x in sensitivity.relative_magnitudes if x.bound == 1)
    low, high = format.alike([worst.low, worst.high])
    return (
        "If trends differed after treatment as much as in the worst period before, the effect "
        f"would lie between {low} and {high}."
    )


def _two(value: float) -> str:
    """Two digits, rounded down: what is said to survive does. ``1.6``, ``0.42``, ``1.0``."""
    if value <= 0:
        return "0"
    place = math.floor(math.log10(value)) - 1
    down = math.floor(value / 10.0**place * (1 + 1e-9)) * 10.0**place
    return f"{down:,.{max(0, -place)}f}"
