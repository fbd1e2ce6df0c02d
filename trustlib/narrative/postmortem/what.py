"""Was it an incident, what happened when, and how large it was."""

from __future__ import annotations

import pandas as pd

from trustlib.core import View, stack
from trustlib.core import format as show
from trustlib.narrative import house, incidents
from trustlib.narrative.incidents import words as sizes
from trustlib.narrative.incidents.words import CONFIRMED, NOT_CONCLUSIVE
from trustlib.narrative.postmortem import numbers, words
from trustlib.postmortem.result import Postmortem

Point = str | tuple[str, str]
_STAMPED = {
    "time_to_acknowledge_hours": ("Declared", "after the first signal"),
    "time_to_recover_hours": ("Put right", "after the start of impact"),
}


def verdict(result: Postmortem) -> View:
    """Whether it was an incident, by quiet windows of the same length."""
    if result.reason("verdict") is not None:
        return words.absent(result, "verdict", "Whether this was an incident cannot be said")
    return words.section(_was_it(result), [_chance(result), *_doubts(result), *_reach(result)])


def compared(result: Postmortem) -> str:
    """``none of 597 quiet windows came out this high``."""
    more, n = sizes.beyond(result.sizing)
    if n == 0:
        return "no earlier window could stand beside it"
    way = {"increase": "as high", "decrease": "as low"}.get(
        result.spec.sizing.direction, "as far off"
    )
    some = "none" if more == 0 else f"{more:,}"
    return f"{some} of {n:,} quiet {'window' if n == 1 else 'windows'} came out {way}"


def doubt(result: Postmortem) -> str:
    """Why the verdict is not settled, as a sentence."""
    sized = result.sizing
    if not sizes.excludes_zero(sizes.excess(sized)):
        return "The interval of the excess holds zero, so chance alone could explain it."
    if sizes.too_few_windows(sized):
        return "So few quiet windows cannot set these hours apart."
    p = sized.estimates["placebo_p_value"].point
    if p is None or p > 1 - sized.spec.level:
        return "Quiet windows do not set these hours apart."
    return "A second method does not agree."


def _was_it(result: Postmortem) -> str:
    found = compared(result)
    if result.sizing.verdict == CONFIRMED:
        return f"This was an incident: {found}"
    if result.sizing.verdict == NOT_CONCLUSIVE:
        return f"Whether this was an incident is not settled: {found}"
    if sizes.clearly_other_way(result.sizing):
        return "No incident of the kind asked about: the counts moved the other way"
    return f"No incident is shown: {found}"


def _chance(result: Postmortem) -> Point:
    p = result.sizing.estimates["placebo_p_value"].point
    if p is None:
        return "Chance", "Too few earlier windows to say how often quiet times look like this."
    return (
        "Chance",
        f"In quiet times a window this far off comes up with probability {show.probability(p)} "
        "(its share among all windows, this one included).",
    )


def _doubts(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    if result.sizing.verdict == NOT_CONCLUSIVE:
        points.append(("Not conclusive", doubt(result)))
    if (apart := methods_disagree(result)) is not None:
        points.append(("Methods disagree", apart))
    return points


def methods_disagree(result: Postmortem) -> str | None:
    """A sentence where the intervals of the two methods do not meet."""
    own, other = sizes.excess(result.sizing), result.sizing.estimates["same_hours_excess"]
    if own.low is None or own.high is None or other.low is None or other.high is None:
        return None
    if own.low <= other.high and other.low <= own.high:
        return None
    number, interval = sizes.amount(other)
    return f"The same hours of earlier weeks give {number} ({interval}), outside the first range."


def _reach(result: Postmortem) -> list[Point]:
    smallest = result.sizing.estimates["smallest_detectable_excess"].point
    if smallest is None:
        return []
    text = f"A deviation below {show.count(smallest)} {words.unit(result)} would probably go unseen"
    return [("Reach", f"{text} (a property of the method, without an interval).")]


def timeline(result: Postmortem) -> View:
    """How long it took to notice and to stop it."""
    if result.reason("timeline") is not None:
        return words.absent(
            result, "timeline", "Nobody stated when it was noticed, declared or stopped"
        )
    return words.section(_noticed(result), [_start(result), *_others(result), *_entries(result)])


def _noticed(result: Postmortem) -> str:
    """The two durations that matter most."""
    detect, stop = (
        result.estimates.get(f"time_to_{what}_hours") for what in ("detect", "mitigate")
    )
    parts = []
    if detect is not None and detect.point is not None:
        parts.append(noticed(result))
    if stop is not None and stop.point is not None:
        told = numbers.brief(stop) if parts else numbers.told(stop)
        parts.append(f"harm stopped after {told}")
    if not parts:
        return "How long it took to notice and to stop it is not known"
    return " and ".join(parts)


def noticed(result: Postmortem) -> str:
    """``noticed after 3.5 hours (95 % interval 2.5 to 4.5)``."""
    detect = result.estimates["time_to_detect_hours"]
    assert detect.point is not None
    if detect.point < 0 or (detect.low is not None and detect.low < 0):
        return f"noticed {numbers.told(detect)} after the start, which may mean before it"
    return f"noticed after {numbers.told(detect)}"


def _start(result: Postmortem) -> Point:
    """The start that the data show, beside the stated one."""
    row = sizes.onset(result.sizing)
    if not sizes.has_onset(result.sizing):
        return "Start of impact", f"It is {sizes.reason(row['note'])}; the stated start is used."
    at, low, high = row["estimated_at"], row["low_at"], row["high_at"]
    text = f"The data put it at {sizes.brief(result.sizing, at)}"
    if pd.isna(low) or pd.isna(high):
        text += " (no interval)"
    elif low == high:
        text += " (no other start fits)"
    else:
        text += f" ({words.level(result)} interval {sizes.span(result.sizing, low, high, at)})"
    apart = at - row["stated_at"]
    if not apart:
        return "Start of impact", f"{text}, as stated."
    side = "before" if apart < pd.Timedelta(0) else "after"
    return (
        "Start of impact",
        f"{text}, {sizes.apart(result.sizing, abs(apart))} {side} the stated start.",
    )


def _others(result: Postmortem) -> list[Point]:
    points: list[Point] = []
    for name, (lead, since) in _STAMPED.items():
        estimate = result.estimates.get(name)
        if estimate is not None and estimate.point is not None:
            points.append((lead, f"{house.upper_first(numbers.told(estimate))} {since}."))
    lacking = [
        words.measure(name) for name in result.durations["name"]
        if not numbers.known(result.estimates.get(str(name)))
    ]  # fmt: skip
    if lacking:
        points.append(("Not known", house.upper_first(f"{house.listed(lacking)}.")))
    return points


def _entries(result: Postmortem) -> list[Point]:
    frame = result.timeline
    n = len(frame)
    without = int((frame["link"].astype(str).str.strip() == "").sum())
    text = f"{house.upper_first(words.counted_in_words(n, 'entry', 'entries'))} are listed"
    text = text.replace("entry are", "entry is")
    if without:
        text += f"; {house.number_word(without)} cannot be looked up, for want of a link"
    points: list[Point] = [("Record", f"{text}.")]
    if (frame["kind"] == "change log").any():
        points.append(("Changes", "A change that came before the start is not thereby its cause."))
    return points


def excess(result: Postmortem) -> View:
    """How far the counts left their season, by both intervals and other choices."""
    sized = result.sizing
    return stack(
        [
            incidents.what_happened(sized),
            house.bullets(
                [
                    _size(result),
                    *_relative(result),
                    *_second(result),
                    _choices(result),
                    *_left_out(result),
                ]
            ),
        ]
    )


def _size(result: Postmortem) -> Point:
    estimate = sizes.excess(result.sizing)
    number, interval = sizes.size(result.sizing)
    if not sizes.has_interval(estimate):
        return "Excess", f"{number}, without an interval: {sizes.why_none(result.sizing)}."
    text = f"{number} ({words.level(result)} interval {interval}"
    narrow = result.estimates.get("excess_80")
    if narrow is not None and narrow.low is not None:
        text += f"; {show.level(narrow.level)} interval {sizes.amount(narrow)[1]}"
    return "Excess", f"{text})."


def _relative(result: Postmortem) -> list[Point]:
    share = result.sizing.estimates["relative_excess"]
    points: list[Point] = []
    if share.point is not None and share.low is not None:
        points.append(("As a share", f"{numbers.told(share)} against what was expected."))
    if numbers.is_wide(sizes.excess(result.sizing)):
        points.append(("Wide", "The interval is wider than the number itself: do not quote one "
                       "without the other."))  # fmt: skip
    return points


def _second(result: Postmortem) -> list[Point]:
    if (apart := methods_disagree(result)) is not None:
        return [("Methods disagree", apart)]
    other = result.sizing.estimates["same_hours_excess"]
    if other.low is None:
        return []
    number, interval = sizes.amount(other)
    return [("Second method", f"The same hours of earlier weeks give {number} ({interval}).")]


def _choices(result: Postmortem) -> Point:
    return "Other choices", f"{incidents.does_it_hang_on_a_choice(result.sizing).text}."


def _left_out(result: Postmortem) -> list[Point]:
    n = len(result.spec.sizing.exclude_windows)
    missing = int(result.sizing.counterfactual.query("in_window")["actual"].isna().sum())
    points: list[Point] = []
    if n:
        told = house.upper_first(words.counted_in_words(n, "holiday or earlier incident",
                                           "holidays and earlier incidents"))  # fmt: skip
        points.append(("Left out", f"{told} of the history."))
    else:
        points.append(
            ("Left out", "Nothing: a holiday or earlier incident in the history would move this.")
        )
    if missing:
        noun = {"30min": "half-hour", "1h": "hour", "1d": "day"}[result.spec.sizing.bucket]
        points.append(
            (
                "Not counted",
                f"{house.upper_first(words.counted_in_words(missing, noun))} of the window.",
            )
        )
    return points
