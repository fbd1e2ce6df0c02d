"""Assumptions of incident sizing: quality of the evidence × effect on the answer."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from trustlib.core import Check, View
from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.incidents import SizingResult
from trustlib.tables.run import evidence, rests_on

_SEASON = ("two_methods_agree", "model_fit", "history_length", "sensitivity", "level_drift")
_RECORDS = (
    *("missing_in_window", "data_complete", "empty_buckets", "duplicates"),
    *("rows_readable", "freshness"),
)


def assumptions(result: SizingResult, checks: Sequence[Check]) -> View:
    """What the number rests on, how well each is supported, and what follows if it is wrong."""
    unit = short(result.spec.unit_label, 40)
    rows = [
        (
            f"Without the incident, {unit} would have followed their season",
            evidence(checks, *_SEASON),
            _range(result),
        ),
        (
            "Nothing else moved them in the same hours",
            "not_run",
            "the excess holds that as well: no data in this source can tell the two apart",
        ),
        (
            "The history holds no other incident or holiday",
            evidence(checks, "holidays_or_masks", "contaminated_history"),
            _without_exclusions(result),
        ),
        (
            f"Recorded {unit} are all of them, once each",
            evidence(checks, *_RECORDS),
            "lost or doubled records count as excess",
        ),
        (
            "The stated window is when it happened",
            evidence(checks, "onset_agrees"),
            "what lies outside the window is not counted",
        ),
    ]
    if (control := evidence(checks, "control_usable")) != "not_run":
        moved = "an incident in the control series hides part of the excess"
        rows.append(("The incident did not touch the control series", control, moved))
    if "cost_usd" in result.estimates:
        cost = show.usd(result.spec.unit_cost_usd)
        rows.append((f"Each costs {cost}", "not_run", "the cost moves in proportion"))
    return rests_on(rows)


def _range(result: SizingResult) -> str:
    ends = result.sensitivity["excess"].dropna()
    if len(ends) < 2:
        return "the excess moves with it; no other choice could be fitted"
    _, spread = show.triple(float(ends.min()), float(ends.min()), float(ends.max()), sign=True)
    return f"{len(ends)} choices of season and history put the excess at {spread}"


def _without_exclusions(result: SizingResult) -> str:
    row = result.sensitivity[result.sensitivity["choice"] == "no_exclusions"]
    if row.empty or pd.isna(row["excess"].iloc[0]):
        return "it moves the expected count and widens the interval"
    number, _ = show.triple(float(row["excess"].iloc[0]), None, None, sign=True)
    return f"with nothing excluded the excess is {number}"
