"""The numbers of one incident sizing, each with its interval, unit and method."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from trustlib.core import Estimate, format
from trustlib.incidents.answer import Answer
from trustlib.incidents.grid import WEEKS_FOR_INTERVAL
from trustlib.incidents.headline import Sized
from trustlib.incidents.onset import Onset
from trustlib.incidents.same_hours import SameHours, earlier
from trustlib.incidents.spec import SizingSpec
from trustlib.stats.window_error import t_quantile

# Below this a share of what was expected says nothing.
_FEWEST_EXPECTED = 0.5
METHOD = "seasonal Poisson GLM, whole-window variance from leave-one-week-out refits"


def estimates(
    answer: Answer, spec: SizingSpec, *, onset_table: pd.DataFrame
) -> dict[str, Estimate]:
    """By name, in the order that a reader meets them."""
    result, cross = answer.choice.result, answer.cross
    made = _maker(result, spec)
    unit, low, high = spec.unit_label, result.low, result.high
    error = None if result.error is None else result.error.standard_error(result.expected)
    n_counted = int(answer.choice.grid.present.sum())
    out = {
        "actual": made(
            result.actual,
            result.actual,
            result.actual,
            unit=unit,
            method="counted",
            n=n_counted,
            note=None,
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
        "placebo_p_value": _placebo(made, answer),
        "same_hours_excess": _same_hours_estimate(made, result, cross, spec),
        "onset_hours": _onset_hours(made, answer.onset, onset_table),
    }
    if spec.unit_cost_usd is not None:
        out["cost_usd"] = _cost(made, result, spec.unit_cost_usd)
    return out


def _maker(result: Sized, spec: SizingSpec) -> Callable[..., Estimate]:
    """`Estimate` with what all of them share filled in."""
    n_past = len(result.past.block)
    why = None
    if result.error is None:
        why = (
            f"not estimable: {n_past} earlier windows with the same hours, "
            f"{WEEKS_FOR_INTERVAL} are needed"
        )

    def made(
        point: float | None,
        low: float | None,
        high: float | None,
        *,
        unit: str,
        method: str = METHOD,
        note: str | None = why,
        n: int = n_past,
        standard_error: float | None = None,
    ) -> Estimate:
        return Estimate(
            point=point,
            low=low,
            high=high,
            level=spec.level,
            unit=unit,
            method=method,
            n=n,
            note=note,
            standard_error=standard_error,
        )

    return made


def _placebo(made: Callable[..., Estimate], answer: Answer) -> Estimate:
    note = "a p-value has no interval"
    if answer.p_value is None:
        note = "not estimable: too few past windows to tell how far a quiet one strays"
    method, n = "rank among placebo windows", len(answer.placebos)
    return made(answer.p_value, None, None, unit="probability", method=method, n=n, note=note)


def _cost(made: Callable[..., Estimate], result: Sized, unit_cost_usd: float) -> Estimate:
    ends: list[float | None] = [None, None]
    error = None
    if result.low is not None and result.high is not None and result.error is not None:
        ends = [*sorted(end * unit_cost_usd + 0.0 for end in (result.low, result.high))]
        error = result.error.standard_error(result.expected) * abs(unit_cost_usd)
    return made(
        result.excess * unit_cost_usd + 0.0,  # no minus before a zero
        *ends,
        unit="USD",
        method=f"{METHOD}; times a fixed unit cost",
        standard_error=error,
    )


def _relative(made: Callable[..., Estimate], result: Sized) -> Estimate:
    if result.expected < _FEWEST_EXPECTED:
        note = f"not estimable: fewer than {_FEWEST_EXPECTED:g} were expected"
        return made(None, None, None, unit="share", note=note)
    ends = [None if e is None else e / result.expected for e in (result.low, result.high)]
    error = None
    if result.error is not None:
        error = result.error.standard_error(result.expected) / result.expected
    return made(result.excess / result.expected, *ends, unit="share", standard_error=error)


def _detectable(made: Callable[..., Estimate], result: Sized, spec: SizingSpec) -> Estimate:
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


def _same_hours_estimate(
    made: Callable[..., Estimate], result: Sized, cross: SameHours, spec: SizingSpec
) -> Estimate:
    method = "same hours of previous weeks, log-t"
    if not len(cross.totals):
        note = "not estimable: no earlier week has these hours"
        return made(None, None, None, unit=spec.unit_label, method=method, note=note)
    point = result.actual - cross.expected
    if cross.low is None or cross.high is None:
        ends = sorted(result.actual - cross.totals)
        note = f"not estimable: only {earlier(len(cross.totals), spec)}"
        if len(ends) > 1:
            least, most = (format.count(end, sign=True) for end in (ends[0], ends[-1]))
            note += f", against which the excess is {least} to {most}"
        return made(point, None, None, unit=spec.unit_label, method=method, note=note)
    low, high = result.actual - cross.high, result.actual - cross.low
    return made(point, low, high, unit=spec.unit_label, method=method, n=len(cross.totals))


def _onset_hours(made: Callable[..., Estimate], found: Onset, table: pd.DataFrame) -> Estimate:
    method = "step in the ratio of actual to expected, interval from replays on quiet history"
    if found.start is None:
        return made(None, None, None, unit="hours", method=method, note=found.note)
    row = table.iloc[0]
    hours = [
        None if pd.isna(row[name]) else (row[name] - row["stated_at"]).total_seconds() / 3600
        for name in ("estimated_at", "low_at", "high_at")
    ]
    return made(*hours, unit="hours", method=method, n=found.replays, note=found.note)
