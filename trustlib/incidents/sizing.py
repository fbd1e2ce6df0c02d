"""How big was the incident: actual against a counterfactual with whole-window variance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.incidents import checks as check
from trustlib.incidents.counterfactual import default_season
from trustlib.incidents.grid import Grid, grid
from trustlib.incidents.headline import Sized, cumulative, sized
from trustlib.incidents.onset import Onset, onset, onset_frame
from trustlib.incidents.placebos import placebo_windows, rank_p_value
from trustlib.incidents.result import SizingResult
from trustlib.incidents.same_hours import SameHours, same_hours
from trustlib.incidents.segments import segment_counts, segment_table
from trustlib.incidents.sensitivity import sensitivity_table
from trustlib.incidents.spec import SizingSpec
from trustlib.stats.window_error import t_quantile

_METHOD = "seasonal Poisson GLM, whole-window variance from leave-one-week-out refits"


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
    season = default_season(on, control=False)
    result = sized(on, season, level=spec.level)
    cross = same_hours(result.past, profile=_profile(on, result), level=spec.level)
    tau = 0.0 if result.error is None else result.error.tau
    placebos = placebo_windows(on, result.made, tau=tau)
    p_value = _placebo_p(result, placebos, spec)
    found = onset(on, result, level=spec.level)
    onset_table = onset_frame(on, found, stated_at=pd.Timestamp(spec.incident.start))
    all_checks = (
        check.history_length(on, result),
        check.placebo_check(placebos, p_value, spec),
        check.two_methods(result, cross, spec),
        check.dispersion(on, result),
        check.masks(on, spec),
        check.onset_check(found, onset_table, spec),
        check.missing_in_window(on),
    )
    return SizingResult(
        spec=spec,
        estimates=_estimates(on, result, cross, placebos, p_value, found, onset_table, spec),
        checks=all_checks,
        verdict=_verdict(result, p_value, all_checks, spec),
        counterfactual=_counterfactual(on, result, spec),
        placebos=placebos,
        sensitivity=sensitivity_table(on, season, result, cross_check=cross, level=spec.level),
        segments=None if parts is None else segment_table(on, parts, result, level=spec.level),
        onset=onset_table,
    )


def _profile(on: Grid, result: Sized) -> np.ndarray:
    """Expected counts of the incident's phases, shape (n_offsets,)."""
    at = np.searchsorted(result.past.offsets, on.offset[on.present])
    return np.bincount(
        at, weights=result.made.expected[on.present], minlength=len(result.past.offsets)
    )


def _placebo_p(result: Sized, placebos: pd.DataFrame, spec: SizingSpec) -> float | None:
    if placebos.empty:
        return None
    tau = 0.0 if result.error is None else result.error.tau
    spread = np.sqrt(result.expected + (tau * result.expected) ** 2)
    statistic = result.excess / spread if spread > 0 else 0.0
    return rank_p_value(statistic, placebos["statistic"].to_numpy(), direction=spec.direction)


def _verdict(
    result: Sized, p_value: float | None, checks: tuple[Check, ...], spec: SizingSpec
) -> str:
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


def _estimates(
    on: Grid,
    result: Sized,
    cross: SameHours,
    placebos: pd.DataFrame,
    p_value: float | None,
    found: Onset,
    onset_table: pd.DataFrame,
    spec: SizingSpec,
) -> dict[str, Estimate]:
    n = len(result.past.block)
    why = None
    if result.error is None:
        why = f"not estimable: {n} earlier windows with the same hours, 3 are needed"

    def made(point, low, high, *, unit, method=_METHOD, note=why, n=n, standard_error=None):
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
            result.excess * cost, *ends, unit="USD", method=f"{_METHOD}; times a fixed unit cost",
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


def _counterfactual(on: Grid, result: Sized, spec: SizingSpec) -> pd.DataFrame:
    low, high = _bucket_interval(on, result, level=spec.level)
    running = cumulative(on, result, level=spec.level)
    return pd.DataFrame(
        {
            "bucket_start_at": on.start_at,
            "actual": on.count,
            "expected": result.made.expected,
            "low": low,
            "high": high,
            "in_window": on.in_window,
            "excluded": on.excluded,
            "fitted": result.made.fitted,
            "cumulative_excess": running[:, 0],
            "cumulative_low": running[:, 1],
            "cumulative_high": running[:, 2],
        }
    )


def _bucket_interval(on: Grid, result: Sized, *, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Where a single quiet bucket's count falls: gamma-mixed Poisson quantiles."""
    from scipy.stats import nbinom

    usable = result.made.fitted & np.isfinite(result.made.left_out)
    if not usable.any():
        empty = np.full(len(on.count), np.nan)
        return empty, empty
    y, m = on.count[usable], result.made.left_out[usable]
    alpha = max(1e-9, float(np.sum((y - m) ** 2 - m) / max(np.sum(m**2), 1e-12)))
    mean, back = np.unique(np.maximum(result.made.expected, 1e-9), return_inverse=True)
    n = 1 / alpha
    tail = (1 - level) / 2
    low, high = (nbinom.ppf(q, n, n / (n + mean))[back] for q in (tail, 1 - tail))
    return low, high
