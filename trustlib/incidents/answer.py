"""The answer before its tables: what the coverage study measures and `sizing` reports."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from trustlib.core import Check
from trustlib.incidents.checks import two_methods
from trustlib.incidents.choice import Choice, choose
from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized
from trustlib.incidents.onset import Onset, no_onset, onset
from trustlib.incidents.placebos import placebo_p_value, placebo_windows, too_few_to_tell
from trustlib.incidents.same_hours import SameHours, same_hours
from trustlib.incidents.spec import SizingSpec


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The headline's choice and result, its cross-checks and the verdict."""

    choice: Choice
    cross: SameHours
    agreement: Check
    placebos: pd.DataFrame
    p_value: float | None
    onset: Onset
    verdict: str


def answer(on: Grid, spec: SizingSpec) -> Answer:
    """Size the incident on `on` and judge it."""
    choice = choose(on, level=spec.level)
    result = choice.result
    cross = same_hours(choice.grid, result.made, level=spec.level)
    placebos = placebo_windows(choice.grid, result)
    p_value = placebo_p_value(result, placebos, direction=spec.direction)
    agreement = two_methods(result, cross, spec)
    said = verdict(
        result,
        spec,
        p_value=p_value,
        unrivalled=too_few_to_tell(p_value, n=len(placebos), level=spec.level),
        agree=agreement.verdict != "fail",
        control_moved=choice.control.moved,
    )
    if said == "no incident shown":
        found = no_onset("not estimable: no incident is shown, so it has no beginning")
    else:
        found = onset(choice.grid, result, level=spec.level, seed=spec.seed)
    return Answer(
        choice=choice,
        cross=cross,
        agreement=agreement,
        placebos=placebos,
        p_value=p_value,
        onset=found,
        verdict=said,
    )


def verdict(
    result: Sized,
    spec: SizingSpec,
    *,
    p_value: float | None,
    unrivalled: bool,
    agree: bool,
    control_moved: bool,
) -> str:
    """In words that a reader acts on.

    Confirmed needs both: an interval that excludes zero in the direction asked, and
    placebo windows that do not look like it. One without the other, or a second method
    that says otherwise, is not conclusive; nor is a window that no placebo comes near where
    there are too few of them for a small p (`unrivalled`), or a quiet excess beside a control
    that moved itself and may hide it.
    """
    if result.error is None:
        return "not estimable"
    wrong_way = (spec.direction == "increase" and result.excess <= 0) or (
        spec.direction == "decrease" and result.excess >= 0
    )
    hidden = control_moved and not result.significant
    if wrong_way and not hidden:
        return "no incident shown"
    rare = p_value is not None and p_value <= 1 - spec.level
    if result.significant:
        return "incident confirmed" if rare and agree else "not conclusive"
    return "not conclusive" if rare or unrivalled or hidden else "no incident shown"
