"""Three points under the headline: how much, since when, and the weakest point."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from trustlib.core import VERDICTS, Check, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.incidents import SizingResult
from trustlib.narrative import house
from trustlib.narrative.incidents import words
from trustlib.narrative.incidents.words import (
    NOT_SHOWN,
)


def points(result: SizingResult, checks: Sequence[Check]) -> View:
    """Three bullets: how much, when, and the weakest point."""
    return house.bullets([_how_much(result), _when(result), _weakest(result, checks)])


def _how_much(result: SizingResult) -> tuple[str, str]:
    if (cost := result.estimates.get("cost_usd")) is not None:
        number, interval = words.amount(cost)
        each = show.usd(result.spec.unit_cost_usd)
        if not words.has_interval(cost):
            return "Cost", f"{number} at {each} each, without an interval."
        return "Cost", f"{number} at {each} each ({words.level(result)} interval {interval})."
    other, own = result.estimates["same_hours_excess"], words.excess(result)
    if words.has_interval(other) and words.has_interval(own):
        number, interval = words.amount(other)
        return "Second method", f"The same hours of earlier weeks give {number} ({interval})."
    if other.point is not None and not words.has_interval(other):
        number, why = words.amount(other)[0], words.reason(other.note or "").partition(": ")[2]
        return "Second method", f"The same hours of earlier weeks give {number}; {why}."
    smallest = result.estimates["smallest_detectable_excess"].point
    if smallest is not None:
        return "Reach", f"An excess below {show.count(smallest)} would probably go unseen."
    return "How sure", house.upper_first(f"{words.why_none(result)}.")


def _when(result: SizingResult) -> tuple[str, str]:
    row = words.onset(result)
    if not words.has_onset(result):
        return "Since when", f"The start is {words.reason(row['note'])}."
    began = words.brief(result, row["estimated_at"])
    if words.has_interval(result.estimates["onset_hours"]):
        ends = words.span(result, row["low_at"], row["high_at"], row["estimated_at"])
        began += f" ({ends})"
    apart = row["estimated_at"] - row["stated_at"]
    side = "before" if apart < pd.Timedelta(0) else "after"
    stated = f"{words.apart(result, abs(apart))} {side} the stated start" if apart else "as stated"
    over = words.recovered(result)
    ended = (
        f"back to normal by {over}"
        if over
        else f"not yet back by {words.last_count(result)}, the last count read"
    )
    return "Since when", f"The deviation starts at {began}, {stated}; {ended}."


def _weakest(result: SizingResult, checks: Sequence[Check]) -> tuple[str, str]:
    """The worst check, but for what the other sentences say: the onset, and no incident."""
    said = {"onset_agrees", *(["placebo_windows"] if result.verdict == NOT_SHOWN else [])}
    ranked = [check for verdict in VERDICTS for check in checks if check.verdict == verdict]
    others = [check for check in ranked if check.name not in said] or ranked
    if not others:
        return "Weakest point", "No assumption was tested."
    first = others[0]
    if first.verdict == "pass":
        return "Weakest point", f"None of {len(ranked)} checks found one."
    lead = {"fail": "Failed check", "warn": "Weakest point", "not_run": "Not tested"}
    return lead[first.verdict], f"{house.upper_first(clean(first.label))}: {clean(first.text)}"
