"""The phrases that sentences of a deep-dive share; every number through the formatter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pandas as pd
from markupsafe import Markup

from trustlib.core import Check, Estimate, View, stack
from trustlib.core import format as show
from trustlib.core.text import clean, short
from trustlib.harm.deep_dive.published import FEWER, is_small
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.deep_dive.told import amount
from trustlib.narrative import house

NOTHING = "There is nothing of it in the tables that were given."


def area(result: DeepDive) -> str:
    """What the abuse is called, as given."""
    return short(result.spec.area, 40)


def level(result: DeepDive) -> str:
    return show.level(result.spec.level)


def period(result: DeepDive) -> str:
    """The window in words, for the page's head: its days, where it begins and ends at midnight."""
    window, zone = result.spec.window, result.spec.timezone
    whole = show.window(window.start, window.end, zone)
    if whole.count("00:00") < 2 or window.duration < timedelta(days=2):
        return whole
    last = window.end - timedelta(hours=12)
    one_year = show.day(window.start, zone)[-4:] == show.day(last, zone)[-4:]
    first = show.day(window.start, zone, year=not one_year)
    return f"{first} {show.EN_DASH} {show.day(last, zone)}"


def why(result: DeepDive, field: str) -> str:
    """Why a section is None or empty, as a sentence."""
    text = clean(result.why.get(field) or NOTHING)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def missing(result: DeepDive, heading: str, field: str) -> View:
    """A heading that says what is not known, and the box with the reason."""
    return stack([house.finding(heading), house.note(why(result, field))])


def said(heading: str, *sentences: str) -> View:
    """A heading that is a finding, and a sentence or two."""
    text = [clean(sentence) for sentence in sentences if sentence]
    found = house.finding(heading)
    return stack([found, paragraph(" ".join(text))]) if text else found


def paragraph(text: str) -> View:
    """Plain sentences under a heading."""
    return View(html=Markup("<p>{}</p>").format(text), text=text)


def headline(result: DeepDive) -> tuple[Estimate, str]:
    """What is said first, and what it is a share of: of views where these are known."""
    views, items = result.estimates["prevalence_views"], result.estimates["prevalence"]
    return (views, "views") if has_interval(views) or items.point is None else (items, "items")


def has_interval(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.low is not None


def brief(estimate: Estimate) -> str:
    """``0.43 % (0.31 to 0.58 %)``: the level is said nearby."""
    number, interval = amount(estimate)
    return f"{number} ({interval})" if has_interval(estimate) else number


def share(estimate: Estimate) -> str:
    """``0.43 % (95 % interval 0.31 to 0.58 %)``."""
    number, interval = amount(estimate)
    if not has_interval(estimate):
        return number
    return f"{number} ({show.level(estimate.level)} interval {interval})"


def number(estimate: Estimate, noun: str = "") -> str:
    """``41,200 accounts (95 % interval 35,800 to 47,900)``."""
    text, interval = amount(estimate)
    told = f"{text} {noun}".strip()
    if not has_interval(estimate) or interval == text:
        return told
    return f"{told} ({show.level(estimate.level)} interval {interval})"


def reason(estimate: Estimate) -> str:
    """Why there is no number or interval, as part of a sentence."""
    text = clean(estimate.note or "too little in the tables").rstrip(".")
    for lead in ("not estimable: ", "not run: ", "no interval: "):
        text = text.removeprefix(lead)
    return text.replace("There is", "there is", 1) if text.startswith("There is") else text


def things(n: float, noun: str, many: str | None = None) -> str:
    """``1,204 accounts``, ``fewer than 11 accounts``."""
    plural = many or f"{noun}s"
    return f"{FEWER} {plural}" if is_small(n) else show.plural(round(n), noun, plural)


def times(ratio: float) -> str:
    """``4.3 times``, ``23 times``."""
    return f"{ratio:,.2g} times" if ratio < 10 else f"{ratio:,.0f} times"


def check(checks: Iterable[Check], *names: str) -> Check | None:
    """The first of `checks` with one of `names`."""
    return next((made for made in checks if made.name in names), None)


def day(result: DeepDive, at: pd.Timestamp, *, year: bool = False) -> str:
    return show.day(at, result.spec.timezone, year=year)


def segment(name: object) -> str:
    return short(name, 60)


def duration(hours: float) -> str:
    """``6 minutes``, ``30 hours``, ``12 days``."""
    if hours < 1:
        return show.plural(max(1, round(60 * hours)), "minute")
    if hours < 72:
        return show.plural(round(hours), "hour")
    return show.plural(round(hours / 24), "day")


def rough(estimate: Estimate) -> bool:
    """The ends of the interval are so far apart that the point alone misleads."""
    if estimate.low is None or estimate.high is None or estimate.point is None:
        return True
    if estimate.unit.startswith("share") and estimate.point > 0.1:
        return estimate.high - estimate.low > 0.4
    return estimate.high > 10 * max(estimate.low, 1e-12)


def told(text: str) -> str:
    """A sentence for programs: ordinary spaces."""
    return clean(text).replace(show.NBSP, " ")


def ends_with_stop(text: str) -> str:
    whole = clean(text)
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def way(move: pd.Series) -> str:
    return "rise" if move["ratio"] > 1 else "fall"


def moved(result: DeepDive, move: pd.Series) -> str:
    """``rose in the week of 16 Mar``."""
    verb = "rose" if move["ratio"] > 1 else "fell"
    return f"{verb} in the week of {day(result, move['at'])}"


def instrument(move: pd.Series) -> str:
    """What changed at the time of a move, the first of them."""
    return str(move["instrument"]).split(", ")[0]
