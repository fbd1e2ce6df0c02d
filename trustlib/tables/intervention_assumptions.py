"""Assumptions of a difference-in-differences: quality of the evidence × effect on the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from trustlib.core import Check, View
from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.interventions import DidResult
from trustlib.tables.run import evidence, rests_on


def assumptions(result: DidResult, checks: Sequence[Check]) -> View:
    """What the number rests on, how well each is supported, and what follows if it is wrong."""
    name = short(result.spec.outcome_name or result.spec.outcome, 40)
    anticipation = result.spec.anticipation
    rows = [
        (
            f"Without the rollout, {name} of the treated would have moved like the comparison",
            evidence(checks, "pre_trend", "placebo_in_time", "sensitivity_to_trends"),
            _survives(result),
        ),
        (
            "A drift between the groups would have been seen before the start",
            evidence(checks, "pre_trend_power"),
            "a drift too small to be seen can be part of the effect",
        ),
        (
            "Nobody reacted before the start"
            if not anticipation
            else f"Nobody reacted more than {show.plural(anticipation, 'period')} before the start",
            evidence(checks, "pre_trend"),
            "the effect is measured from a level that had moved already",
        ),
        (
            "What the treated did left the comparison units alone",
            evidence(checks, "displacement"),
            "harm that moved to them makes the effect look larger than it is",
        ),
        (
            "No cohort or cluster alone carries the answer",
            evidence(checks, "leave_one_out"),
            "the effect is that one's story, not the rollout's",
        ),
        (
            "Errors are as large as they are said to be",
            evidence(checks, "few_clusters", "small_cohorts"),
            "the interval is too narrow",
        ),
        (
            "Who is missing is missing by chance",
            evidence(checks, "balance", "left_out", "coverage_of_the_total"),
            "units that vanish because of the rollout bend the answer",
        ),
    ]
    if result.spec.unit_value_usd is not None:
        each = show.usd(result.spec.unit_value_usd)
        rows.append((f"Each is worth {each}", "not_run", "the value moves in proportion"))
    return rests_on(rows)


def _survives(result: DidResult) -> str:
    estimate = result.estimates.get("breakdown_relative_magnitudes")
    wrong = "the difference in trends is counted as effect"
    if estimate is None or estimate.point is None or estimate.point <= 0:
        return wrong
    times = f"{math.floor(estimate.point * 100) / 100:.2g}"
    return f"{wrong}; the conclusion holds up to {times} times the worst difference before"
