"""How severe, by rules that were written before: the first one that holds, from the worst down."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from trustlib.core import Estimate
from trustlib.postmortem.spec import PostmortemSpec

# These count in the direction that was asked about: what went the other way is no incident.
_SIGNED = ("excess", "relative_excess", "excess_80", "same_hours_excess", "cost_usd")
AT_LEAST = "at least"  # ends the unit of a lower bound
_WAY = {"increase": 1.0, "decrease": -1.0}


def severity(
    estimates: Mapping[str, Estimate], spec: PostmortemSpec
) -> tuple[pd.DataFrame, str | None]:
    """Every rule with what it was held against, and the severity.

    While the incident is open, a rule looks at the upper end of the interval (nobody is surprised
    later); once closed, at the point. An excess, or a shortfall, counts by its size in the
    direction that was asked about. Where there is an estimate without an interval, the point is
    all there is.

    Returns
    -------
    `Postmortem.severity`, and the severity of the first rule that is met (None: none is).
    """
    rows = []
    for rule in spec.severity_rules:
        estimate = estimates.get(rule.measure)
        value, basis = _held(rule.measure, estimate, spec)
        met = None if value is None else value >= rule.at_least
        if met is False and estimate is not None and estimate.unit.endswith(AT_LEAST):
            met = None  # a lower bound below the limit rules nothing out
        rows.append(
            {
                "severity": rule.severity,
                "measure": rule.measure,
                "at_least": float(rule.at_least),
                "value": float("nan") if value is None else value,
                "basis": basis,
                "met": met,
            }
        )
    columns = ["severity", "measure", "at_least", "value", "basis", "met"]
    frame = pd.DataFrame(rows, columns=columns).astype({"met": object})
    return frame, next((str(row["severity"]) for row in rows if row["met"]), None)


def _held(
    measure: str, estimate: Estimate | None, spec: PostmortemSpec
) -> tuple[float | None, str]:
    """What a rule is held against, and which part of the estimate that is."""
    direction = spec.sizing.direction

    def size(value: float) -> float:
        if measure not in _SIGNED:
            return value
        return abs(value) if direction == "either" else max(0.0, value * _WAY[direction])

    if estimate is None or estimate.point is None:
        return None, "upper end" if spec.status == "open" else "point"
    if spec.status == "closed" or estimate.low is None or estimate.high is None:
        return size(estimate.point), "point"
    return max(size(estimate.low), size(estimate.high)), "upper end"


def undecided(frame: pd.DataFrame, level: str | None) -> tuple[str, ...]:
    """Severities above the one that is met whose rules could not be held against anything."""
    worse = frame if level is None else frame[: int((frame["severity"] == level).argmax())]
    return tuple(dict.fromkeys(worse.loc[worse["met"].isna(), "severity"]))
