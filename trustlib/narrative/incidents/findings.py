"""The sentence that each section found, which becomes its heading."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from trustlib.core import Check, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.incidents import SizingResult
from trustlib.incidents.disclosure import published_segments
from trustlib.narrative import house
from trustlib.narrative.incidents import words
from trustlib.narrative.incidents.words import (
    CONFIRMED,
    NOT_CONCLUSIVE,
    NOT_ESTIMABLE,
)


def what_happened(result: SizingResult) -> View:
    """How far the counts left their season, and whether they came back."""
    unit = house.upper_first(words.unit(result))
    against = words.relative(result)
    if against is None:
        return house.finding(f"{unit} were counted in hours where none were expected")
    if result.verdict == NOT_ESTIMABLE:
        return house.finding(f"{unit} came in {against}, by a season that rests on little history")
    if result.verdict == NOT_CONCLUSIVE:
        return house.finding(f"{unit} came in {against}, which does not settle the question")
    if result.verdict != CONFIRMED:
        if words.clearly_other_way(result):
            return house.finding(f"{unit} came in {against}: not the way that was asked about")
        return house.finding(f"{unit} came in {against}, within what quiet weeks show")
    over = words.recovered(result)
    ending = f" and were back to normal by {over}" if over else ""
    if words.is_open(result):
        ending = f" and were not back by {words.last_count(result)}, the last count read"
    share = result.estimates["relative_excess"].point or 0.0
    verb = "fell" if share < 0 else "rose"
    if share < 4:
        against = f"{against.removesuffix(' expected')} what was expected"
    else:
        verb, against = "rose to", f"{against} number"
    return house.finding(f"{unit} {verb} {against}{ending}")


def how_it_added_up(result: SizingResult) -> View:
    """Where the running excess ended, and when half of it was there."""
    amount, _ = words.size(result)
    if not words.has_interval(words.excess(result)):
        return house.finding(f"The running difference ends at {amount}, with no interval")
    if not words.excludes_zero(words.excess(result)):
        return house.finding(f"The running excess ends at {amount}, and its interval holds zero")
    half = _half_at(result)
    first = f"; half of it was there by {words.brief(result, half)}" if half is not None else ""
    return house.finding(f"The running excess ends at {amount}{first}")


def was_it_an_incident(result: SizingResult) -> View:
    """The incident among earlier windows in which nothing is known to have happened."""
    p = result.estimates["placebo_p_value"].point
    more, n = words.beyond(result)
    if n == 0:
        return house.finding("No earlier window could stand beside the incident")
    if p is None:
        return house.finding("Too few earlier weeks to tell an incident from a bad week")
    how = {"increase": "this high", "decrease": "this low"}.get(
        result.spec.direction, "this far off"
    )
    windows = f"{n:,} earlier {'window' if n == 1 else 'windows'}"
    if more == 0:
        return house.finding(f"None of {windows} came out {how} (p {_p(p)})")
    return house.finding(f"{more:,} of {windows} came out {how} (p {_p(p)})")


def where(result: SizingResult) -> View:
    """Which segments moved; a box with the reason where there are none."""
    if result.segments is None:
        return stack(
            [
                house.finding("Where it happened was not asked"),
                house.note(
                    "No segment_column was given, so the excess is not split. Name a column of "
                    "the source (market, surface, rule) in the params file and run again."
                ),
            ]
        )
    shown = published_segments(result.segments)
    clear = shown[shown["moved"].isin(["up", "down"])]
    if clear.empty:
        return house.finding("No single segment clearly moved on its own")
    first = clear.iloc[clear["excess"].abs().argmax()]
    share, name = float(first["share_of_excess"]), short(first["segment"], 40)
    part = f"{show.percent(share)} of the excess in {name}"
    if not (0 < share <= 1 and words.excludes_zero(words.excess(result))):
        part = f"{name} most"
    return house.finding(f"{_how_many(len(clear), len(result.segments))} {_ways(clear)}, {part}")


def _how_many(some: int, total: int) -> str:
    if some == total:
        return "The only segment" if total == 1 else f"All {house.number_word(total)} segments"
    return f"{house.upper_first(house.number_word(some))} of {house.number_word(total)} segments"


def _ways(clear: pd.DataFrame) -> str:
    up, down = (int((clear["moved"] == way).sum()) for way in ("up", "down"))
    if up and down:
        return f"clearly moved ({house.number_word(up)} up and {house.number_word(down)} down)"
    return "clearly rose" if up else "clearly fell"


def what_it_rests_on(result: SizingResult) -> View:
    """The assumption that no data can test, said first."""
    unit = words.unit(result)
    if result.verdict == NOT_ESTIMABLE:
        return house.finding("The number has no interval: it rests on too little history")
    return house.finding(f"The answer stands if nothing else moved {unit} in those hours")


def what_to_do(result: SizingResult, checks: Sequence[Check]) -> View:
    """Next steps that follow from the verdict and the checks."""
    steps = [step for step in _steps(result, checks) if step]
    lead = {
        CONFIRMED: "Use the number with its interval, and settle what is open",
        NOT_CONCLUSIVE: "Find a second signal before anyone decides on this one",
        NOT_ESTIMABLE: "Bring more history before quoting a size",
    }.get(
        result.verdict,
        "Ask about the other direction before closing this"
        if words.clearly_other_way(result)
        else "Nothing to repair on this evidence",
    )
    return stack([house.finding(lead), house.bullets(steps)])


def _steps(result: SizingResult, checks: Sequence[Check]) -> list[str]:
    amount, interval = words.size(result)
    row, spec = words.onset(result), result.spec
    steps = []
    if result.verdict == CONFIRMED:
        steps.append(
            f"Quote {amount} with its {words.level(result)} interval, {interval}; never "
            "the number alone."
        )
    if words.clearly_other_way(result):
        steps.append("Set direction to either and run again: the counts moved the other way.")
    if words.is_open(result):
        steps.append("Run this again when the deviation is over, with incident_end moved to it.")
    if _differs(checks, "onset_agrees") and words.has_onset(result):
        at = words.local(result, row["estimated_at"])
        steps.append(
            f"Compare the stated start with the log: the deviation starts at {at} "
            f"({clean(show.zone_name(spec.timezone))}). If that is right, move incident_start."
        )
    if result.verdict == NOT_ESTIMABLE:
        steps.append("Move history_start back, or name a source that goes back further.")
    if result.segments is None:
        steps.append("Set segment_column to see which part moved.")
    elif (first := _top_segment(result)) is not None:
        steps.append(f"Start with {first}, where the most of it is.")
    for check in checks:
        if check.verdict == "fail":
            steps.append(f"Settle the failed check: {clean(check.label)}.")
    if not spec.exclude_windows:
        steps.append("List holidays and earlier incidents in exclude_windows and run again.")
    return steps or ["Keep the series under watch."]


def _top_segment(result: SizingResult) -> str | None:
    assert result.segments is not None
    shown = published_segments(result.segments)
    clear = shown[shown["moved"].isin(["up", "down"])]
    if clear.empty:
        return None
    return short(clear.iloc[clear["excess"].abs().argmax()]["segment"], 60)


def _differs(checks: Sequence[Check], name: str) -> bool:
    return any(check.name == name and check.verdict in ("warn", "fail") for check in checks)


def _half_at(result: SizingResult) -> pd.Timestamp | None:
    """The end of the bucket in which the running excess first reached half of its total."""
    inside = result.counterfactual[result.counterfactual["in_window"]]
    running = inside["cumulative_excess"].to_numpy()
    if len(running) < 4 or not running[-1]:
        return None
    reached = running / running[-1] >= 0.5
    ends = inside["bucket_start_at"].shift(-1).fillna(pd.Timestamp(result.spec.incident.end))
    return ends.iloc[int(reached.argmax())]


def _p(value: float) -> str:
    text = show.probability(value)
    return text if text.startswith("<") else f"= {text}"


def does_it_hang_on_a_choice(result: SizingResult) -> View:
    """Whether other choices of history and method would have led elsewhere."""
    rows = result.sensitivity.dropna(subset=["excess"])
    if len(rows) < 2:
        return house.finding("No other choice could be fitted to set beside the headline")
    low, high = float(rows["excess"].min()), float(rows["excess"].max())
    n = house.number_word(len(rows))
    _, spread = show.triple(low, low, high, sign=True)
    if words.excludes_zero(words.excess(result)) and low <= 0 <= high:
        return house.finding(f"{house.upper_first(n)} choices disagree on the sign: from {spread}")
    if not words.excludes_zero(words.excess(result)):
        return house.finding(f"{house.upper_first(n)} choices put the excess at {spread}")
    return house.finding(f"All {n} choices point the same way, from {spread}")
