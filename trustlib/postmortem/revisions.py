"""From the earlier report's excess to this one: what changed, in steps that add up exactly.

With W the earlier window and excess = actual − expected,

    rows that came or went      actual now over W − actual then
    expected relearnt           −(expected now over W − expected then)
    window moved                excess now over today's window − excess now over W

add up to excess now − excess then. "Now over W" is today's data and method, asked about the earlier
window; what of today's incident lies before it is excluded there. The rules that keep two reports
from being subtracted are in `trustlib.postmortem.steady`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import pandas as pd

from trustlib.core import Check, Estimate, NoData, Refusal, Window, format
from trustlib.incidents import SizingResult
from trustlib.incidents.choice import choose
from trustlib.incidents.grid import grid
from trustlib.incidents.spec import SizingSpec
from trustlib.postmortem.moved import moved, outside
from trustlib.postmortem.spec import PostmortemSpec

ROWS = "rows that came or went in the earlier window"
RELEARNT = "expected relearnt"
MOVED = "window moved"
ROWS_AND_MOVED = "rows that came or went, and the window moved"
RELEARNT_AND_MOVED = "expected relearnt, and the window moved"
_CHECK = "revision"
_LABEL = "earlier report"
_DIFFERS = "earlier report differs"


class EarlierReport(Protocol):
    """What is read back of an earlier report (`trustlib.data.earlier.Earlier`)."""

    @property
    def estimates(self) -> Mapping[str, Estimate]: ...

    @property
    def series(self) -> Mapping[str, Sequence[Mapping[str, object]]]: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Revision:
    """What changed since the earlier report.

    Attributes
    ----------
    revision
        step, amount: as `Postmortem.revision`; empty without an earlier report.
    then_now
        name, then, then_low, then_high, now, low, high: estimates of the sizing in both; NaN not
        estimable. Of more estimates, see `then_and_now`.
    checks
        One, named "revision": whether the bridge could be made, and whether the excess, whom it
        hit or the loss moved out of its earlier interval.
    """

    revision: pd.DataFrame
    then_now: pd.DataFrame
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True)
class _Base:
    """The row "revision_base" of an earlier report; `window` None where it is not known."""

    window: Window | None
    as_of: datetime | None
    actual: float
    expected: float


def revision_base(sizing: SizingResult, as_of: datetime | None) -> list[dict[str, object]]:
    """What a later report needs of this one: a series of one row, for results.json.

    Keys: incident_start, incident_end, as_of, history_start (ISO, UTC; None), bucket, direction,
    unit_label, level, actual, expected, excess.
    """
    spec, told = sizing.spec, sizing.estimates
    return [
        {
            "incident_start": spec.incident.start.isoformat(),
            "incident_end": spec.incident.end.isoformat(),
            "as_of": None if as_of is None else as_of.isoformat(),
            "history_start": None if spec.history_start is None else spec.history_start.isoformat(),
            "bucket": spec.bucket,
            "direction": spec.direction,
            "unit_label": spec.unit_label,
            "level": spec.level,
            "actual": told["actual"].point,
            "expected": told["expected"].point,
            "excess": told["excess"].point,
        }
    ]


def bridge(
    counts: pd.DataFrame,
    sizing: SizingResult,
    *,
    earlier: EarlierReport | None,
    spec: PostmortemSpec,
    estimates: Mapping[str, Estimate] | None = None,
) -> Revision:
    """The bridge from the earlier excess to this one; `counts` are those that were sized.

    Where the earlier window is not known, or cannot be sized on today's grid, the move of the
    window is part of the other two steps, and the check says so.

    Parameters
    ----------
    estimates
        All of this report's, before any is withheld; None: those of the sizing alone.
    """
    if earlier is None:
        return _nothing("there is no earlier report", then_and_now(None, {}))
    now = sizing.estimates if estimates is None else estimates
    both = then_and_now(earlier, sizing.estimates)
    left, stayed = moved(earlier.estimates, now)
    base = _base(earlier)
    if base is None:
        return _nothing("the earlier report has no excess to start from", both, left)
    actual, expected = _totals(sizing)
    over = _over(counts, sizing, base.window, spec.sizing)
    if over is None:
        steps = {
            ROWS_AND_MOVED: actual - base.actual,
            RELEARNT_AND_MOVED: base.expected - expected,
        }
    else:
        steps = {ROWS: over[0] - base.actual, RELEARNT: base.expected - over[1]}
        if base.window != sizing.spec.incident:
            steps[MOVED] = (actual - expected) - (over[0] - over[1])
    return Revision(
        revision=pd.DataFrame({"step": list(steps), "amount": list(steps.values())}),
        then_now=both,
        checks=(_check(base, sizing, earlier, left, stayed, merged=over is None),),
    )


def then_and_now(earlier: EarlierReport | None, estimates: Mapping[str, Estimate]) -> pd.DataFrame:
    """Estimates in both reports, in the order of `estimates`; columns as `Revision.then_now`."""
    columns = ["name", "then", "then_low", "then_high", "now", "low", "high"]
    before = {} if earlier is None else earlier.estimates
    rows = []
    for name, now in estimates.items():
        then = before.get(name)
        if then is not None and (then.point is not None or now.point is not None):
            values = (then.point, then.low, then.high, now.point, now.low, now.high)
            rows.append([name, *(math.nan if v is None else v for v in values)])
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype(dict.fromkeys(columns[1:], float))


def _nothing(why: str, both: pd.DataFrame, left: Sequence[str] = ()) -> Revision:
    empty = pd.DataFrame({"step": pd.Series(dtype=str), "amount": pd.Series(dtype=float)})
    check = Check(name=_CHECK, verdict="not_run", label=_LABEL, text=f"Not run: {why}.")
    if left:
        text = f"There is no bridge: {why}. {outside(left)}"
        check = Check(name=_CHECK, verdict="warn", label=_DIFFERS, text=text)
    return Revision(revision=empty, then_now=both, checks=(check,))


def _totals(sizing: SizingResult) -> tuple[float, float]:
    actual, expected = sizing.estimates["actual"].point, sizing.estimates["expected"].point
    assert actual is not None
    assert expected is not None
    return actual, expected


def _base(earlier: EarlierReport) -> _Base | None:
    """From its series, or without a window from its estimates; a file may hold anything."""
    rows = earlier.series.get("revision_base", ())
    row = dict(rows[0]) if len(rows) == 1 else {}
    actual, expected = _number(row.get("actual")), _number(row.get("expected"))
    if actual is not None and expected is not None:
        start, end = _instant(row.get("incident_start")), _instant(row.get("incident_end"))
        known = start is not None and end is not None and start < end
        return _Base(
            window=Window(start, end) if known and start and end else None,
            as_of=_instant(row.get("as_of")),
            actual=actual,
            expected=expected,
        )
    told = [earlier.estimates.get(name) for name in ("actual", "expected")]
    points = [None if one is None else one.point for one in told]
    if points[0] is None or points[1] is None:
        return None
    return _Base(window=None, as_of=None, actual=points[0], expected=points[1])


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _instant(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _over(
    counts: pd.DataFrame, sizing: SizingResult, window: Window | None, spec: SizingSpec
) -> tuple[float, float] | None:
    """Actual and expected now over `window`; None where today's grid cannot hold it."""
    if window is None:
        return None
    if window == sizing.spec.incident:
        return _totals(sizing)
    try:
        asked = replace(spec, incident=window, exclude_windows=_not_history(spec, window))
        found = choose(grid(counts, asked), level=asked.level).result
    except (Refusal, NoData):
        return None
    return found.actual, found.expected


def _not_history(spec: SizingSpec, window: Window) -> tuple[Window, ...]:
    """What is excluded, and the part of today's incident that lies before `window`."""
    today = spec.incident
    if today.start >= window.start:
        return spec.exclude_windows
    return (*spec.exclude_windows, Window(today.start, min(today.end, window.start)))


def _check(
    base: _Base, sizing: SizingResult, earlier: EarlierReport, left: Sequence[str],
    stayed: Sequence[str], *, merged: bool,
) -> Check:  # fmt: skip
    actual, expected = _totals(sizing)
    now = actual - expected
    numbers = format.alike([base.actual - base.expected, now], sign=True)
    text = f"The excess was {numbers[0]} and is {numbers[1]} {sizing.spec.unit_label}."
    said: list[str] = []
    then = earlier.estimates.get("excess")
    if then is not None and then.low is not None and then.high is not None:
        if then.low <= now <= then.high:
            text += " It lies within the earlier interval."
        else:
            said.append(f"It lies outside the earlier {format.level(then.level)} interval.")
    if stayed:
        text += f" Within the earlier interval: {', '.join(stayed)}."
    if left:
        said.append(outside(left))
    if merged:
        said.append(
            "The earlier window is not known or not on today's grid, so that the move of the "
            "window is part of the other two steps."
        )
    if not said:
        return Check(name=_CHECK, verdict="pass", label=_LABEL, text=text)
    text = " ".join([text, *said])
    return Check(name=_CHECK, verdict="warn", label=_DIFFERS, text=text)
