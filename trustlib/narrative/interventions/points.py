"""Points under the headline: how sure, what the usual regression says, how much, the weakest."""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.core import VERDICTS, Check, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.interventions import DidResult
from trustlib.narrative import house
from trustlib.narrative.interventions import words
from trustlib.narrative.interventions.words import NOT_SHOWN, SHOWN


def points(result: DidResult, checks: Sequence[Check]) -> View:
    """Three or four bullets; what has no number is left to the sections below."""
    found = [_how_sure(result), _two_way(result), _value(result), _weakest(result, checks)]
    return house.bullets([point for point in found if point is not None])


def _how_sure(result: DidResult) -> tuple[str, str] | None:
    parts = []
    survives = words.survives(result)
    if survives is not None and result.verdict == SHOWN:
        parts.append(f"{survives}.")
    trend = words.check(result.checks, "pre_trend")
    if trend is not None:
        parts.append(
            {
                "pass": "Before the start the groups moved alike as far as the data can tell.",
                "warn": "Before the start the groups may already have moved apart.",
                "fail": "Before the start the groups were already moving apart.",
                "not_run": "Whether they moved alike before the start could not be tested.",
            }[trend.verdict]
        )
    p = result.estimates.get("randomization_p_value")
    if p is not None and p.point is not None:
        text = show.probability(p.point)
        said = text if text.startswith("<") else f"= {text}"
        parts.append(f"Re-assigning the start dates gives p {said}.")
    if result.verdict == NOT_SHOWN and not parts:
        return None
    return ("How sure", " ".join(parts)) if parts else None


def _two_way(result: DidResult) -> tuple[str, str] | None:
    row, share = words.two_way(result), words.forbidden_share(result)
    if row is None or not result.design.staggered:
        return None
    number, interval = words.numbers(result, row["point"], row["low"], row["high"])
    why = (
        "it takes units that are already treated for untreated ones"
        if not share
        else f"{words.percent(share)} of its weight compares with units already treated"
    )
    spread = "" if interval == "not estimable" else f" ({interval})"
    return "Not the usual regression", (
        f"Two-way fixed effects would have said {number}{spread}; do not use it: {why}."
    )


def _value(result: DidResult) -> tuple[str, str] | None:
    value = result.estimates.get("total_value_usd")
    if value is not None and value.point is not None:
        number, interval = words.less(value.point, value.low, value.high)
        each = show.usd(result.spec.unit_value_usd)
        known = (
            f"{words.level(result)} interval {interval}"
            if words.has_interval(value)
            else "no interval"
        )
        return "In money", f"{number}, at {each} for each of the {words.unit(result)} ({known})."
    rows = result.group_effects.dropna(subset=["point"])
    if len(rows) < 2:
        return None
    first, last = rows.iloc[0], rows.iloc[-1]
    return "Where", (
        f"From {words.numbers(result, first['point'])[0]} in the first cohort to "
        f"{words.numbers(result, last['point'])[0]} in the last of {len(rows)}."
    )


def _weakest(result: DidResult, checks: Sequence[Check]) -> tuple[str, str]:
    """The worst check, but for what the other points say."""
    ranked = [check for verdict in VERDICTS for check in checks if check.verdict == verdict]
    said = {"pre_trend", "forbidden_comparisons"}
    if result.verdict == SHOWN and words.survives(result) is not None:
        said.add("sensitivity_to_trends")
    others = [c for c in ranked if c.name not in said] or ranked
    if not others:
        return "Weakest point", "No assumption was tested."
    first = others[0]
    if first.verdict == "pass":
        return "Weakest point", f"None of {len(ranked)} checks found one."
    lead = {"fail": "Failed check", "warn": "Weakest point", "not_run": "Not tested"}
    text = clean(first.text).removeprefix("Not run: ")
    return lead[first.verdict], f"{house.upper_first(clean(first.label))}: {text}"
