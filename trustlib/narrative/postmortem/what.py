"""What happened when, and how large it was."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from trustlib.core import Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.harm.deep_dive.published import safe_checks
from trustlib.narrative import house, incidents
from trustlib.narrative.incidents import words as sizes
from trustlib.narrative.postmortem import numbers, was_it, words
from trustlib.narrative.postmortem.words import Point
from trustlib.postmortem.result import Postmortem

_STAMPED = {
    "time_to_acknowledge_hours": ("Declared", "after the first signal"),
    "time_to_recover_hours": ("Stated as put right", "after the start of impact"),
}


def timeline(result: Postmortem) -> View:
    """How long it took to notice and to stop it."""
    if result.reason("timeline") is not None:
        return words.absent(
            result, "timeline", "Nobody stated when it was noticed, declared or stopped"
        )
    if (none := words.no_impact(result)) is not None:
        return words.section(none, _entries(result))
    points = [*_went_on(result), _start(result), *_others(result), *_entries(result)]
    return words.section(_noticed(result), points)


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
        parts.append(f"stated as stopped after {told}")
    if not parts:
        return "How long it took to notice and to stop it is not known"
    return " and ".join(parts)


def _went_on(result: Postmortem) -> list[Point]:
    """Where the counts stayed off after the instant at which harm is stated as stopped."""
    return [
        (house.upper_first(clean(one.label)), words.stop(one.text))
        for one in safe_checks(result.checks)
        if one.name == "excess_after_mitigation" and one.verdict == "warn"
    ]


def noticed(result: Postmortem) -> str:
    """``noticed after 3.5 hours (95 % interval 2.5 to 4.5)``."""
    detect = result.estimates["time_to_detect_hours"]
    assert detect.point is not None
    if detect.point < 0 or (detect.low is not None and detect.low < 0):
        return _before(detect)
    return f"noticed after {numbers.told(detect)}"


def _before(detect: Estimate) -> str:
    """A signal that may have come before the impact: both ends by their side of it."""
    assert detect.point is not None

    def told(hours: float) -> str:
        length = show.duration(timedelta(hours=abs(hours)))
        return f"{length} {'before' if hours < 0 else 'after'}" if hours else "at"

    text = f"noticed {told(detect.point)} the estimated start"
    if detect.low is None or detect.high is None or detect.low == detect.high:
        return text
    span = f"{told(detect.low)} to {told(detect.high)} it"
    return f"{text} ({show.level(detect.level)} interval {span})"


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
    if (apart := was_it.methods_disagree(result)) is not None:
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
