"""The phrases that sentences of a postmortem share; every number through the formatter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from markupsafe import Markup

from trustlib.core import Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.incidents import SizingResult
from trustlib.narrative import house
from trustlib.narrative.incidents import words as sizes
from trustlib.postmortem.result import Postmortem

Point = str | tuple[str, str]  # a bullet, perhaps with its lead
_MEASURES = {
    "actual": "the counted total",
    "expected": "the expected total",
    "excess": "the size of the excess",
    "excess_80": "the size of the excess",
    "relative_excess": "the excess as a share of the expected",
    "same_hours_excess": "the excess by the second method",
    "cost_usd": "the cost of the excess",
    "smallest_detectable_excess": "the smallest excess that would be seen",
    "placebo_p_value": "the chance in quiet times",
    "onset_hours": "the delay of the start",
    "affected_items": "items hit",
    "affected_accounts": "accounts hit",
    "affected_customers": "customers hit",
    "affected_viewers": "viewers hit",
    "false_positives": "items acted on wrongly",
    "false_negatives": "harmful items missed",
    "gross_loss_usd": "the gross loss",
    "recovered_usd": "the amount recovered",
    "net_loss_usd": "the net loss",
    "clean_up_precision": "the clean-up list's precision",
    "clean_up_recall": "the clean-up list's recall",
    "back_fill_precision": "the back-fill list's precision",
    "back_fill_recall": "the back-fill list's recall",
    "time_to_detect_hours": "the time to the first signal",
    "time_to_acknowledge_hours": "the time from first signal to declaration",
    "time_to_mitigate_hours": "the time until harm is stated as stopped",
    "time_to_recover_hours": "the time until all is stated as put right",
}


def unit(result: Postmortem) -> str:
    """What is counted, as given."""
    return short(result.spec.sizing.unit_label, 40)


def level(result: Postmortem) -> str:
    return show.level(result.spec.sizing.level)


def period(result: Postmortem) -> str:
    """The window in words, local time first: for the page's head."""
    return sizes.period(result.sizing)


def is_open(result: Postmortem) -> bool:
    """Whether the record is still open, which is a statement and not an estimate."""
    return result.spec.status == "open"


def name(text: object, width: int = 48) -> str:
    """A name from params or data, cut to what a sentence bears."""
    return short(text, width)


def no_impact(result: Postmortem) -> str | None:
    """What stands in the place of durations where no incident is shown."""
    if result.sizing.verdict != sizes.NOT_SHOWN:
        return None
    return "no incident is shown, so the record dates no impact"


def measure(estimate: str) -> str:
    """``accounts hit`` from ``affected_accounts``."""
    known = _MEASURES.get(estimate)
    return known or short(estimate.replace("_", " "), 48)


def excess_told(sized: SizingResult) -> str:
    """``270 more rule actions than expected (95 % interval 218 to 322)``, in plain words."""
    excess = sizes.excess(sized)
    what = short(sized.spec.unit_label, 40)
    if excess.point is None:
        return f"a difference of {what} that is not estimable"
    way = "fewer" if excess.point < 0 else "more"
    if excess.low is None or excess.high is None:
        figure = show.alike([abs(excess.point)])[0]
        return f"{figure} {way} {what} than expected (no interval)"
    if not sizes.excludes_zero(excess):
        number_, interval = sizes.amount(excess)
        return f"{number_} {what} against expectation ({sizes.level(sized)} interval {interval})"
    ends = sorted([abs(excess.low), abs(excess.high)])
    figure, interval = show.triple(abs(excess.point), *ends)
    return f"{figure} {way} {what} than expected ({sizes.level(sized)} interval {interval})"


def reason(estimate: Estimate | None) -> str:
    """Why there is no number or interval, as part of a sentence."""
    if estimate is None:
        return "it was not asked for"
    text = clean(estimate.note or "too little in the tables").rstrip(".")
    for lead in ("not estimable: ", "not run: ", "no interval: ", "withheld: "):
        text = text.removeprefix(lead)
    return text


def stop(text: object) -> str:
    """A sentence with a full stop."""
    whole = clean(text)
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def absent(result: Postmortem, block: str, heading: str) -> View:
    """A heading that says what is not known, and the box with the reason."""
    return stack([house.finding(heading), house.note(stop(result.reason(block) or "Not given."))])


def section(heading: str, points: Sequence[str | tuple[str, str]]) -> View:
    """The finding, and a short list under it."""
    found = house.finding(house.upper_first(clean(heading)))
    return stack([found, house.bullets(points)]) if points else found


def paragraphs(*texts: str) -> View:
    """Plain paragraphs."""
    kept = [clean(text) for text in texts if text]
    html = Markup("\n").join(Markup("<p>{}</p>").format(text) for text in kept)
    return View(html=html, text="\n\n".join(kept))


def when(result: Postmortem, at: datetime, *, year: bool = False) -> str:
    """An instant on the local clock."""
    return show.instant(at, result.spec.sizing.timezone, year=year)


def clock(result: Postmortem) -> str:
    """``UTC``, ``New York time``."""
    zone = show.zone_name(result.spec.sizing.timezone)
    return "UTC" if zone == "UTC" else f"{zone} time"


def day(result: Postmortem, at: pd.Timestamp) -> str:
    return show.day(at, result.spec.sizing.timezone)


def plain(text: str) -> str:
    """For readers that are programs: ordinary spaces."""
    return clean(text).replace(show.NBSP, " ")


def counted_in_words(n: int, noun: str, many: str | None = None) -> str:
    """``three actions``, ``one action``, ``no actions``."""
    return f"{house.number_word(n)} {noun if n == 1 else many or f'{noun}s'}"
