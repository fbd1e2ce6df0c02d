"""What contributed, as far as the data can say: one test per suspected factor, with a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from trustlib.core import Check, format
from trustlib.data.incident_records import AffectedRows, Side
from trustlib.incidents import SizingResult
from trustlib.postmortem.affected_only import affected_only
from trustlib.postmortem.against_unaffected import against_unaffected
from trustlib.postmortem.change_before import change_before
from trustlib.postmortem.dose_response import dose_response
from trustlib.postmortem.factor import Factor
from trustlib.postmortem.spec import PostmortemSpec

_COLUMNS = ["factor", "test", "verdict", "text"]
_SIDES: tuple[Side, ...] = ("over", "under")


@dataclass(frozen=True, kw_only=True, eq=False)
class Factors:
    """Every factor that was asked about.

    Attributes
    ----------
    frame
        factor, test, verdict, text: as `Postmortem.factors`.
    tested
        The same with their numbers, in the order of `frame`.
    checks
        contributing_factors (what was tested, and against what incident) and side_by_side.
    """

    frame: pd.DataFrame
    tested: tuple[Factor, ...]
    checks: tuple[Check, ...]


def factors(
    sizing: SizingResult,
    segments: pd.DataFrame | None,
    rows: AffectedRows,
    *,
    spec: PostmortemSpec,
) -> Factors:
    """Hold each suspected factor against the data.

    Parameters
    ----------
    segments
        As `sizing` was given them: bucket_start_at, segment, count. None without. Not changed.

    Notes
    -----
    Each test says "supported" of a factor that had nothing to do with it in at most 1 − level of
    cases (tests/studies/postmortem_factors.md); they are not corrected for their number, and the
    check says so. A dose–response is looked for on each side that has cases.
    """
    apart, side_by_side = against_unaffected(sizing, segments, spec=spec)
    held = set(rows.cases["side"])
    sides = [side for side in _SIDES if side in held] or list(_SIDES)
    found = (
        change_before(sizing, rows, spec=spec),
        affected_only(sizing, spec=spec),
        apart,
        *(dose_response(rows, side, spec=spec) for side in sides),
    )
    frame = pd.DataFrame([factor.row() for factor in found], columns=_COLUMNS)
    return Factors(frame=frame, tested=found, checks=(_check(found, sizing), side_by_side))


def _check(found: tuple[Factor, ...], sizing: SizingResult) -> Check:
    verdicts = [factor.verdict for factor in found]
    tested = sum(verdict != "not tested" for verdict in verdicts)
    supported = verdicts.count("supported")
    name = "contributing_factors"
    if not tested:
        return Check(
            name=name,
            verdict="not_run",
            label="contributing factors",
            text=f"None of {format.plural(len(found), 'suspected factor')} could be tested.",
        )
    chance = 1 - sizing.spec.level**tested
    text = (
        f"{supported} of {format.plural(tested, 'tested factor')} supported. If none of them had "
        f"anything to do with it, one at least would be supported in up to "
        f"{format.percent(chance)} of incidents. A factor that is supported fits the data; that "
        "it was the cause is for the people who know the system to show."
    )
    if sizing.verdict in ("no incident shown", "not estimable"):
        return Check(
            name=name,
            verdict="warn",
            label="factors of no incident",
            text=f"The sizing says “{sizing.verdict}”: there may be nothing to explain. {text}",
        )
    return Check(name=name, verdict="pass", label="contributing factors tested", text=text)
