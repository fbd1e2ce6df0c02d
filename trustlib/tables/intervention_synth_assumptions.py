"""Assumptions of a synthetic control: quality of the evidence × effect on the answer."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import Check, View
from trustlib.core import format as show
from trustlib.core.calendar import period
from trustlib.core.text import short
from trustlib.interventions.synth.result import SynthResult
from trustlib.tables.run import evidence, rests_on

Row = tuple[str, str, str]


def assumptions(result: SynthResult, checks: Sequence[Check]) -> View:
    """What the number rests on, how well each is supported, and what follows if it is wrong."""
    alone = result.design.preset == "interrupted_time_series"
    rows = _alone(result, checks) if alone else _compared(result, checks)
    if result.spec.unit_value_usd is not None:
        each = show.usd(result.spec.unit_value_usd)
        rows.append((f"Each is worth {each}", "not_run", "the value moves in proportion"))
    return rests_on(rows)


def _compared(result: SynthResult, checks: Sequence[Check]) -> list[Row]:
    name = short(result.spec.outcome_name or result.spec.outcome, 40)
    return [
        (
            f"Without the intervention, {name} of the treated would have gone on like its "
            "weighted donors",
            evidence(checks, "pre_fit", "convex_hull", "pre_periods"),
            f"the difference is counted as effect{_misfit(result)}",
        ),
        (
            "Nobody reacted before the start",
            evidence(checks, "in_time_placebo", "structural_break"),
            f"donors are matched to a time that had moved already{_earlier(result)}",
        ),
        (
            "The intervention did not reach the donors",
            evidence(checks, "donors_affected", "donors_treated"),
            "a change in donors is taken off the effect, or added to it",
        ),
        (
            f"Nothing else began with it {_when(result)}",
            "not_run",
            "the effect holds that as well: no data in this source can tell the two apart",
        ),
        (
            "No donor alone carries the answer",
            evidence(checks, "leave_one_donor_out", "one_donor"),
            f"what happened to that one looks like an effect{_without(result)}",
        ),
        _exchangeable(result, checks),
        (
            "The choice of method does not decide",
            evidence(checks, "estimators_agree", "predictor_weights"),
            f"the answer is the method's{_methods(result)}",
        ),
        (
            "The outcome is measured alike everywhere, before and after",
            evidence(checks, "missing_cells", "coverage", "balance"),
            "a change of counting looks like an effect",
        ),
    ]


def _alone(result: SynthResult, checks: Sequence[Check]) -> list[Row]:
    name = short(result.spec.outcome_name or result.spec.outcome, 40)
    return [
        (
            f"Nothing else began with it {_when(result)}",
            "not_run",
            "the change is that other thing's: with no other unit, the two cannot be told apart",
        ),
        (
            f"Without the intervention, {name} would have gone on along its own line",
            evidence(checks, "straight_before", "placebo_breaks", "pre_periods"),
            "the line's own bend is counted as a change",
        ),
        (
            "Nobody reacted before the start",
            "not_run",
            "the line before it is bent already, and the change is wrong by that",
        ),
        (
            "Errors are as large as they are said to be",
            evidence(checks, "autocorrelation"),
            "the interval is too narrow",
        ),
        (
            "The outcome is measured alike before and after",
            evidence(checks, "missing_cells", "coverage", "balance"),
            "a change of counting looks like an effect",
        ),
    ]


def _exchangeable(result: SynthResult, checks: Sequence[Check]) -> Row:
    wrong = "the interval and the p-value are wrong"
    found = evidence(checks, "enough_donors", "exact_fit")
    if result.design.inference == "placebo":
        return "Chance moves the treated as widely as it moves the donors", found, wrong
    return "Units are independent draws, and many are treated", found, wrong


def _when(result: SynthResult) -> str:
    starts = result.design.starts
    if len(starts) == 1:
        return f"({period(starts[0])})"
    return f"(between {period(starts[0])} and {period(starts[-1])})"


def _misfit(result: SynthResult) -> str:
    fit = result.estimates.get("pre_period_rmspe")
    if fit is None or fit.point is None:
        return ""
    size = show.alike([fit.point])[0]
    if result.design.outcome_scale == "log":
        size += " log points"
    return f"; before the start the two were {size} apart"


def _earlier(result: SynthResult) -> str:
    points = result.in_time["point"].dropna()
    if points.empty:
        return ""
    return f"; pretended earlier starts give {_spread(result, points.min(), points.max())}"


def _without(result: SynthResult) -> str:
    points = result.leave_one_out["point"].dropna()
    if points.empty:
        return ""
    return f"; without one at a time the effect is {_spread(result, points.min(), points.max())}"


def _methods(result: SynthResult) -> str:
    points = result.comparison["point"].dropna()
    if len(points) < 2:
        return ""
    return f"; {len(points)} methods give {_spread(result, points.min(), points.max())}"


def _spread(result: SynthResult, low: float, high: float) -> str:
    ends = show.triple(float(low), float(low), float(high), sign=True)
    log = " log points" if result.design.outcome_scale == "log" else ""
    return f"{ends[0] if low == high else ends[1]}{log}"
