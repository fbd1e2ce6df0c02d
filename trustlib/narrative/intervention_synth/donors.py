"""Who stands in for the treated: how many donors carry the weight, and who was left out."""

from __future__ import annotations

import pandas as pd

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.interventions.synth.result import SynthResult
from trustlib.narrative import house
from trustlib.narrative.intervention_synth import words

LEAST_WEIGHT = 0.001  # less than this is a rounding, not a donor


def who_is_the_synthetic(result: SynthResult) -> View:
    """The donors that carry the weight, the largest, and how many they count like."""
    weights = donor_weights(result)
    left_out = _left_out(result)
    if weights.empty:
        lead = "Nobody stands in for it: it is compared with its own past"
        return stack([house.finding(lead), *([house.bullets([left_out])] if left_out else [])])
    said = [_effective(weights), *_below_zero(weights), *_affected(result)]
    if left_out:
        said.append(left_out)
    return stack([house.finding(_lead(result, weights)), house.bullets(said)])


def donor_weights(result: SynthResult) -> pd.Series:
    """Weight by donor, mean over cohorts, heaviest first; empty without donors."""
    donors = result.pool[result.pool["role"] == "donor"].dropna(subset=["weight"])
    series = donors.set_index("unit")["weight"].astype(float)
    if not len(series) or not (series != 0).any():
        return series.iloc[:0]
    return series.sort_values(ascending=False, kind="stable", key=abs)


def effective_number(weights: pd.Series) -> float:
    """1/Σw² of the weights' sizes: how many donors of equal weight they count like."""
    share = weights.abs() / weights.abs().sum()
    return float(1 / (share**2).sum())


def _lead(result: SynthResult, weights: pd.Series) -> str:
    carry = int((weights.abs() > LEAST_WEIGHT).sum())
    n = len(weights)
    place = words.whom(result)
    if carry == n and float(weights.max() - weights.min()) < LEAST_WEIGHT:
        alike = "The one donor stands" if n == 1 else f"All {n:,} donors stand"
        return f"{alike} in for {place}" + ("" if n == 1 else ", each with the same weight")
    verb = "stands" if carry == 1 else "stand"
    of = f"{house.upper_first(house.number_word(carry))} of {show.plural(n, 'donor')}"
    if carry == n:
        of = "Both donors" if n == 2 else f"All {house.number_word(n)} donors"
    heaviest = words.percent(float(abs(weights.iloc[0])))
    if result.design.names_shown:
        return f"{of} {verb} in for {place}, {short(weights.index[0], 40)} most ({heaviest})"
    return f"{of} {verb} in for {place}; the heaviest has {heaviest}"


def _effective(weights: pd.Series) -> tuple[str, str]:
    number = effective_number(weights)
    text = "1 donor" if round(number, 1) == 1 else f"{number:.1f} donors of equal weight"
    return "How many that is", (
        f"The weights count like {text}. The fewer, the more the answer hangs on what happened "
        "to one of them."
    )


def _below_zero(weights: pd.Series) -> list[tuple[str, str]]:
    below = weights[weights < -1e-9]
    if below.empty:
        return []
    return [
        (
            "Below zero",
            f"{show.plural(len(below), 'donor')} with a negative weight, "
            f"{show.alike([float(below.sum())])[0]} together: the answer goes beyond what donors "
            "have been.",
        )
    ]


def _affected(result: SynthResult) -> list[tuple[str, str]]:
    made = words.moved_donor(result)
    if made is None:
        return []
    return [(house.upper_first(clean(made.label)), clean(made.text))]


def _left_out(result: SynthResult) -> tuple[str, str] | None:
    reasons = result.pool.loc[result.pool["role"] == "left out", "reason"].map(str).tolist()
    if not reasons:
        return None
    units = show.plural(len(reasons), "unit")
    was = "was not used as a donor" if len(reasons) == 1 else "were not used as donors"
    return "Left out", f"{units} {was}: {words.counted(reasons)}."
