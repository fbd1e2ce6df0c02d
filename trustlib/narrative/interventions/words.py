"""The phrases that sentences about a rollout share; every number through the formatter."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core import format as show
from trustlib.core.calendar import period as named
from trustlib.core.text import clean, short
from trustlib.interventions import DidResult
from trustlib.narrative import house

SHOWN = "effect shown"
NOT_SHOWN = "no effect shown"
NOT_CONCLUSIVE = "not conclusive"
NOT_ESTIMABLE = "not estimable"
WEAK = 0.5  # a breakdown below it is said as a loss
_NO_BOUND = "no bound that was tried"


def outcome(result: DidResult) -> str:
    """The outcome's name for a reader, as given."""
    return short(result.spec.outcome_name or result.spec.outcome, 60)


def thing(result: DidResult) -> str:
    """What moved: the outcome; of a logarithm, what it is the logarithm of."""
    name = outcome(result)
    if not is_log(result):
        return name
    bare = re.sub(r"^(?:log|ln)[_ ](?:of )?|_(?:log|ln)$", "", name, flags=re.IGNORECASE)
    return bare if bare and bare != name else f"the level behind {name}"


def first(name: str) -> str:
    """`name` at a sentence's start; a column's name keeps its letters."""
    return name if "_" in name.split(" ")[0] else house.upper_first(name)


def unit(result: DidResult) -> str:
    """What the total counts, as given."""
    return short(result.spec.unit_label, 60)


def level(result: DidResult) -> str:
    return show.level(result.spec.level)


def is_log(result: DidResult) -> bool:
    return result.design.outcome_scale == "log"


def att(result: DidResult) -> Estimate:
    """The effect of the headline: per treated unit and period."""
    return result.estimates["att"]


def has_interval(estimate: Estimate | None) -> bool:
    return estimate is not None and estimate.low is not None


def excludes_zero(estimate: Estimate) -> bool:
    """The interval lies on one side of zero."""
    return estimate.low is not None and not estimate.low <= 0 <= (estimate.high or 0.0)


def numbers(result: DidResult, point, low=None, high=None) -> tuple[str, str]:
    """An effect in the outcome's unit and its interval; of a logarithm, as per cent change."""
    values = [_finite(x) for x in (point, low, high)]
    if is_log(result):
        return percents([None if x is None else math.expm1(x) for x in values])
    return show.triple(values[0], values[1], values[2], sign=True)


def size(result: DidResult) -> tuple[str, str]:
    """The headline effect and its interval: ``("−1.13", "−1.21 to −1.05")``."""
    estimate = att(result)
    return numbers(result, estimate.point, estimate.low, estimate.high)


def log_points(estimate: Estimate) -> tuple[str, str]:
    """An effect on a logarithm in its own unit."""
    return show.triple(estimate.point, estimate.low, estimate.high, sign=True)


def percents(values: list[float | None]) -> tuple[str, str]:
    """Shares 0-1 as per cents, point and interval rounded to one place."""
    known = [100 * x for x in values if x is not None]
    if values[0] is None:
        return "not estimable", "not estimable"
    texts = [f"{text}{show.NBSP}%" for text in show.alike(known, sign=True, digits=2)]
    if len(texts) < 3:
        return texts[0], "not estimable"
    return texts[0], f"{texts[1]} to {texts[2]}"


def amount(estimate: Estimate) -> tuple[str, str]:
    """Any estimate by its unit: dollars, a share as per cent, a plain signed number."""
    if estimate.unit == "share":
        return percents([estimate.point, estimate.low, estimate.high])
    dollars = estimate.unit == "USD"
    return show.triple(
        estimate.point, estimate.low, estimate.high,
        sign=not dollars, currency="$" if dollars else "",
    )  # fmt: skip


def fewer(result: DidResult, value: float, *, beside: Iterable[float] = ()) -> str:
    """``34,000 fewer complaints``, ``210 more reports``."""
    text = show.alike([abs(value), *map(abs, beside)])[0]
    return f"{text} {'fewer' if value < 0 else 'more'} {unit(result)}"


def bare(number: str) -> str:
    """A signed number without its sign."""
    return number.lstrip(f"+{show.MINUS}")


def away(result: DidResult) -> str:
    """``0.92 below where it would have been``."""
    side = "below" if (att(result).point or 0.0) < 0 else "above"
    return f"{bare(size(result)[0])} {side} where it would have been"


def moved(point: float) -> str:
    return "fell" if point < 0 else "rose"


def relative(result: DidResult) -> str | None:
    """``13 % below what it would have been``; None where that share is not estimable."""
    estimate = result.estimates.get("relative_effect")
    if estimate is None or estimate.point is None or is_log(result):
        return None
    if abs(estimate.point) < 0.0005:
        return "as it would have been"
    side = "below" if estimate.point < 0 else "above"
    return f"{percent(abs(estimate.point))} {side} what it would have been"


def percent(share: float) -> str:
    """Two digits, three from 100 % on."""
    return show.percent(share, digits=3 if abs(share) >= 1 else 2)


def over(result: DidResult) -> str:
    """``52 treated units and up to 10 periods``."""
    design = result.design
    periods = show.plural(design.periods_after, "period")
    up_to = "up to " if design.staggered else ""
    return f"{show.plural(design.treated_units, 'treated unit')} and {up_to}{periods}"


def period(result: DidResult) -> str:
    """The panel's span, for the page's head."""
    first, last = result.design.period_names
    return f"{named(first)} {show.EN_DASH} {named(last)}"


def check(checks: Iterable[Check], *names: str) -> Check | None:
    """The first of `checks` with one of `names`."""
    return next((made for made in checks if made.name in names), None)


def why_none(result: DidResult) -> str:
    """Why the headline has no interval, or no number."""
    return reason(att(result).note or "too little in the panel to estimate it")


def reason(note: str) -> str:
    """A note as part of a sentence."""
    text = clean(note).rstrip(".")
    for lead in ("not estimable: ", "not run: ", "no interval: "):
        text = text.removeprefix(lead)
    return text or "not estimable"


def two_way(result: DidResult) -> pd.Series | None:
    """The row of the two-way regression, where it has a number and is not the headline."""
    frame = result.comparison
    rows = frame[(frame["estimator"] == "two_way") & ~frame["headline"].astype(bool)]
    rows = rows.dropna(subset=["point"])
    return rows.iloc[0] if len(rows) else None


def forbidden_share(result: DidResult) -> float | None:
    """The weight of comparisons with units already treated; None without a decomposition."""
    frame = result.bacon.dropna(subset=["weight"])
    if frame.empty:
        return None
    bad = frame["kind"].astype(str).str.contains("forbidden")
    return float(frame.loc[bad, "weight"].sum() / frame["weight"].sum())


def survives(result: DidResult) -> str | None:
    """What the conclusion survives, as a sentence without its full stop; None where unknown."""
    estimate = result.estimates.get("breakdown_relative_magnitudes")
    if estimate is None:
        return None
    if estimate.point is None:
        if _NO_BOUND in (estimate.note or ""):
            return "The conclusion survives every departure from parallel trends that was tried"
        return None
    times = rounded_down(estimate.point)
    if estimate.point < WEAK:
        return (
            "The conclusion is lost once trends differ by more than "
            f"{times} times the worst difference seen before the start"
        )
    return (
        "The conclusion survives departures from parallel trends of up to "
        f"{times} times the worst one before the start"
    )


def rounded_down(value: float) -> str:
    """Two digits, rounded down: what is said to survive does."""
    if value <= 0:
        return "0"
    place = math.floor(math.log10(value)) - 1
    down = math.floor(value / 10.0**place * (1 + 1e-9)) * 10.0**place
    return f"{down:,.{max(0, -place)}f}"


def less(value: float, low: float | None, high: float | None) -> tuple[str, str]:
    """Dollars without a sign: ``("$78,000 less", "$65,100 to $91,000 less")``.

    Signed where the interval holds zero.
    """
    if low is None or high is None or low <= 0 <= high:
        return show.triple(value, low, high, currency="$")
    side = "less" if value < 0 else "more"
    near, far = sorted((abs(low), abs(high)))
    number, interval = show.triple(abs(value), near, far, currency="$")
    return f"{number} {side}", f"{interval} {side}"


def _finite(value) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
