"""The numbers of one incident sizing, each with its interval, unit and method."""

from __future__ import annotations

import pandas as pd

from trustlib.core import Estimate
from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized
from trustlib.incidents.onset import Onset
from trustlib.incidents.same_hours import SameHours
from trustlib.incidents.spec import SizingSpec
from trustlib.stats.window_error import t_quantile

METHOD = "seasonal Poisson GLM, whole-window variance from leave-one-week-out refits"


def estimates(
    on: Grid,
    result: Sized,
    spec: SizingSpec,
    *,
    cross: SameHours,
    placebos: pd.DataFrame,
    p_value: float | None,
    found: Onset,
    onset_table: pd.DataFrame,
) -> dict[str, Estimate]:
    n = len(result.past.block)
    why = None
    if result.error is None:
        why = f"not estimable: {n} earlier windows with the same hours, 3 are needed"

    def made(point, low, high, *, unit, method=METHOD, note=why, n=n, standard_error=None):
        return Estimate(
            point=point, low=low, high=high, level=spec.level, unit=unit, method=method,
            n=n, note=note, standard_error=standard_error,
        )  # fmt: skip

    unit = spec.unit_label
    error = None if result.error is None else result.error.standard_error(result.expected)
    low, high = result.low, result.high
    out = {
        "actual": made(
            result.actual, result.actual, result.actual, unit=unit, method="counted",
            n=int(on.present.sum()), note=None,
        ),
        "expected": made(
            result.expected,
            None if high is None else max(0.0, result.actual - high),
            None if low is None else result.actual - low,
            unit=unit,
            standard_error=error,
        ),
        "excess": made(result.excess, low, high, unit=unit, standard_error=error),
        "relative_excess": _relative(made, result),
        "smallest_detectable_excess": _detectable(made, result, spec),
        "placebo_p_value": made(
            p_value, None, None, unit="probability", method="rank among placebo windows",
            n=len(placebos),
            note="a p-value has no interval" if p_value is not None
            else "not estimable: no placebo window fits into the usable history",
        ),
        "same_hours_excess": _same_hours_estimate(made, result, cross, spec),
        "onset_hours": _onset_hours(made, found, onset_table),
    }  # fmt: skip
    if spec.unit_cost_usd is not None:
        cost = spec.unit_cost_usd
        ends = [None, None] if low is None or high is None else sorted([low * cost, high * cost])
        out["cost_usd"] = made(
            result.excess * cost, *ends, unit="USD", method=f"{METHOD}; times a fixed unit cost",
            standard_error=None if error is None else error * abs(cost),
        )  # fmt: skip
    return out


def _relative(made, result: Sized) -> Estimate:
    if result.expected <= 0:
        return made(None, None, None, unit="share", note="not estimable: nothing was expected")
    ends = [None if e is None else e / result.expected for e in (result.low, result.high)]
    error = None
    if result.error is not None:
        error = result.error.standard_error(result.expected) / result.expected
    return made(result.excess / result.expected, *ends, unit="share", standard_error=error)


def _detectable(made, result: Sized, spec: SizingSpec) -> Estimate:
    method = "smallest excess found with 80 % power, either direction"
    if result.error is None:
        return made(None, None, None, unit=spec.unit_label, method=method)
    reach = t_quantile(0.5 + spec.level / 2, result.error.degrees) + t_quantile(
        0.8, result.error.degrees
    )
    return made(
        reach * result.error.standard_error(result.expected), None, None, unit=spec.unit_label,
        method=method, note="a property of the design: it has no interval",
    )  # fmt: skip


def _same_hours_estimate(made, result: Sized, cross: SameHours, spec: SizingSpec) -> Estimate:
    method = "same hours of previous weeks, log-t"
    if not len(cross.totals):
        note = "not estimable: no earlier week has these hours"
        return made(None, None, None, unit=spec.unit_label, method=method, note=note)
    point = result.actual - cross.expected
    if cross.low is None or cross.high is None:
        ends = sorted(result.actual - cross.totals)
        note = (
            f"not estimable: {len(cross.totals)} earlier weeks; against each of them the excess "
            f"ranges from {ends[0]:.0f} to {ends[-1]:.0f}"
        )
        return made(point, None, None, unit=spec.unit_label, method=method, note=note)
    low, high = result.actual - cross.high, result.actual - cross.low
    return made(point, low, high, unit=spec.unit_label, method=method, n=len(cross.totals))


def _onset_hours(made, found: Onset, table: pd.DataFrame) -> Estimate:
    method = "step in the ratio of actual to expected, interval from replays on quiet history"
    if found.start is None:
        return made(None, None, None, unit="hours", method=method, note=found.note)
    row = table.iloc[0]
    hours = [
        None if pd.isna(row[name]) else (row[name] - row["stated_at"]).total_seconds() / 3600
        for name in ("estimated_at", "low_at", "high_at")
    ]
    return made(*hours, unit="hours", method=method, n=found.replays, note=found.note)
