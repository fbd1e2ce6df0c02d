"""How big was the incident: actual against a counterfactual with whole-window variance."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from trustlib.core import Check
from trustlib.incidents import checks as check
from trustlib.incidents.answer import Answer, answer
from trustlib.incidents.control import control_check
from trustlib.incidents.counterfactual_table import counterfactual_table
from trustlib.incidents.estimates import estimates
from trustlib.incidents.grid import grid
from trustlib.incidents.onset import onset_frame
from trustlib.incidents.recovery import settled_at
from trustlib.incidents.result import SizingResult
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
    found = answer(on, spec)
    used, result = found.choice.grid, found.choice.result
    table = counterfactual_table(used, result, level=spec.level)
    back = settled_at(table, step_end=found.onset.recovered, daily=spec.bucket == "1d")
    dated = replace(found.onset, recovered=back)
    onset_table = onset_frame(used, dated, stated_at=pd.Timestamp(spec.incident.start))
    other = sensitivity_table(found.choice, cross_check=found.cross, level=spec.level)
    by_segment = None if parts is None else segment_table(used, parts, result, level=spec.level)
    checks = _checks(found, spec, onset_table=onset_table, other=other)
    if parts is not None and by_segment is not None:
        checks += (segment_check(parts, by_segment, spec),)
    return SizingResult(
        spec=spec,
        estimates=estimates(found, spec, onset_table=onset_table),
        checks=checks,
        verdict=found.verdict,
        counterfactual=table,
        placebos=found.placebos,
        sensitivity=other,
        segments=by_segment,
        onset=onset_table,
    )


def _checks(
    found: Answer, spec: SizingSpec, *, onset_table: pd.DataFrame, other: pd.DataFrame
) -> tuple[Check, ...]:
    on, result = found.choice.grid, found.choice.result
    return (
        check.history_length(on, result),
        check.placebo_check(found.choice, found.placebos, found.p_value, spec),
        found.agreement,
        sensitivity_check(other, spec),
        check.model_fit(on, result),
        check.level_drift(found.choice),
        check.contaminated_history(found.choice),
        check.masks(on, spec),
        control_check(found.choice.control, level=spec.level),
        check.onset_check(found.onset, onset_table, spec),
        check.missing_in_window(on),
    )
