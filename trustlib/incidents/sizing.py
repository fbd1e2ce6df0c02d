"""How big was the incident: actual against a counterfactual with whole-window variance."""

from __future__ import annotations

import pandas as pd

from trustlib.core import Check
from trustlib.incidents import checks as check
from trustlib.incidents.choice import Choice, choose
from trustlib.incidents.control import control_check
from trustlib.incidents.counterfactual_table import counterfactual_table
from trustlib.incidents.estimates import estimates
from trustlib.incidents.grid import grid
from trustlib.incidents.headline import Sized
from trustlib.incidents.onset import Onset, onset, onset_frame
from trustlib.incidents.placebos import placebo_p_value, placebo_windows
from trustlib.incidents.result import SizingResult
from trustlib.incidents.same_hours import SameHours, same_hours
from trustlib.incidents.segments import segment_check, segment_counts, segment_table
from trustlib.incidents.sensitivity import sensitivity_check, sensitivity_table
from trustlib.incidents.spec import SizingSpec


def sizing(
    counts: pd.DataFrame, spec: SizingSpec, *, segments: pd.DataFrame | None = None
) -> SizingResult:
    """Size one incident.

    Parameters
    ----------
    counts
        One row per bucket of a regular grid: bucket_start_at (aware), count (NaN =
        missing), and optionally control and ambiguous. Not changed.
    segments
        bucket_start_at, segment, count; segments must not overlap.

    Raises
    ------
    Refusal, NoData
        See `trustlib.incidents.grid.grid` and `segment_counts`.
    """
    on = grid(counts, spec)
    parts = None if segments is None else segment_counts(on, segments)
    choice = choose(on, level=spec.level)
    result = choice.result
    cross = same_hours(choice.grid, result.made, level=spec.level)
    placebos = placebo_windows(choice.grid, result)
    p_value = placebo_p_value(result, placebos, direction=spec.direction)
    found = onset(choice.grid, result, level=spec.level)
    found_table = onset_frame(choice.grid, found, stated_at=pd.Timestamp(spec.incident.start))
    other = sensitivity_table(choice, cross_check=cross, level=spec.level)
    by_segment = None if parts is None else segment_table(choice.grid, parts, result, spec.level)
    all_checks = _checks(choice, spec, cross, placebos, p_value, found, found_table, other)
    if parts is not None and by_segment is not None:
        all_checks += (segment_check(parts, by_segment, spec),)
    return SizingResult(
        spec=spec,
        estimates=estimates(
            choice.grid,
            result,
            spec,
            cross=cross,
            placebos=placebos,
            p_value=p_value,
            found=found,
            onset_table=found_table,
        ),
        checks=all_checks,
        verdict=verdict(result, p_value, all_checks, spec),
        counterfactual=counterfactual_table(choice.grid, result, level=spec.level),
        placebos=placebos,
        sensitivity=other,
        segments=by_segment,
        onset=found_table,
    )


def _checks(
    choice: Choice,
    spec: SizingSpec,
    cross: SameHours,
    placebos: pd.DataFrame,
    p_value: float | None,
    found: Onset,
    found_table: pd.DataFrame,
    other: pd.DataFrame,
) -> tuple[Check, ...]:
    on, result = choice.grid, choice.result
    return (
        check.history_length(on, result),
        check.placebo_check(choice, placebos, p_value, spec),
        check.two_methods(result, cross, spec),
        sensitivity_check(other, spec),
        check.model_fit(on, result),
        check.level_drift(choice),
        check.contaminated_history(choice),
        check.masks(on, spec),
        control_check(choice.control, level=spec.level),
        check.onset_check(found, found_table, spec),
        check.missing_in_window(on),
    )


def verdict(
    result: Sized, p_value: float | None, checks: tuple[Check, ...], spec: SizingSpec
) -> str:
    """In words that a reader acts on.

    Confirmed needs both: an interval that excludes zero in the direction asked, and
    placebo windows that do not look like it. One without the other, or a second method
    that says otherwise, is not conclusive.
    """
    if result.error is None:
        return "not estimable"
    wrong_way = (spec.direction == "increase" and result.excess <= 0) or (
        spec.direction == "decrease" and result.excess >= 0
    )
    if wrong_way:
        return "no incident shown"
    rare = p_value is not None and p_value <= 1 - spec.level
    disagree = any(c.name == "two_methods_agree" and c.verdict == "fail" for c in checks)
    if result.significant:
        return "incident confirmed" if rare and not disagree else "not conclusive"
    return "not conclusive" if rare else "no incident shown"
