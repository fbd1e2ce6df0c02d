"""How the numbers of a deep-dive read, where small counts of people and items are not named."""

from __future__ import annotations

from trustlib.core import Estimate
from trustlib.core import format as show
from trustlib.harm.deep_dive.published import FEWER, is_small
from trustlib.harm.small_cells import SMALLEST_CELL

MISSING = "not estimable"
WITHHELD = "withheld"


def percent(share: float | None, digits: int = 2) -> str:
    """``0.43 %``."""
    missing = share is None or share != share
    return MISSING if missing else show.percent(share, digits=digits)


def between(low: float | None, high: float | None, digits: int = 2) -> str:
    """Both ends of a share, ``0.31 to 0.58 %``; from nothing at all on, ``at most 0.58 %``."""
    if low is None or high is None or low != low or high != high:
        return MISSING
    if low <= 0:
        return f"at most {percent(high, digits)}"
    first = percent(low, digits).removesuffix(f"{show.NBSP}%")
    return f"{first} to {percent(high, digits)}"


def counted(n: float | None) -> str:
    """A count of people or items, every digit: ``1,204``, ``fewer than 11``."""
    return FEWER if is_small(n) else show.exact(n)


def cell(n: float | None) -> str:
    """A count in a table that was made safe: ``1,204``, ``withheld``."""
    return WITHHELD if n is None or n != n else show.exact(float(n))


def is_share(estimate: Estimate) -> bool:
    return estimate.unit.startswith("share")


def amount(estimate: Estimate | None) -> tuple[str, str]:
    """An estimate and its interval by its unit; what could name fewer than 11 does not."""
    if estimate is None or estimate.point is None:
        return MISSING, MISSING
    point, low, high = estimate.point, estimate.low, estimate.high
    if is_share(estimate):
        return percent(point), between(low, high)
    if estimate.unit == "USD":
        return show.triple(point, low, high, currency="$")
    if not is_countable(estimate.unit):
        return show.triple(point, low, high)
    return _things(point, low, high)


def _things(point: float, low: float | None, high: float | None) -> tuple[str, str]:
    """Whole ones, rounded alike, none of them below 11."""
    if low is None or high is None:
        return counted(round(point)), MISSING
    if is_small(high):
        return FEWER, FEWER
    whole = [float(round(value)) for value in (point, low, high)]
    if not is_small(low):
        return show.triple(*whole)
    texts = show.alike([whole[0], whole[2]])
    return FEWER if is_small(point) else texts[0], f"up to {texts[1]}"


def things(point: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    """A number of people or items and its interval: ``("102", "61 to 165")``."""
    return (MISSING, MISSING) if point is None else _things(point, low, high)


def is_countable(unit: str) -> bool:
    """Whether a unit is people, items or what they do, each of which could be counted."""
    words = ("items", "views", "accounts", "viewers", "actors", "labels")
    return unit in words or unit.endswith(tuple(f" {word}" for word in words))


def per_mistake(harm: Estimate | None, wrong: Estimate | None, ratio: Estimate) -> tuple[str, str]:
    """Harm for each item hit by mistake; a bound where the ratio would give a small count away."""
    if ratio.point is None or harm is None or wrong is None or harm.point is None:
        return MISSING, MISSING
    if is_countable(harm.unit) and is_small(harm.point):
        return WITHHELD, WITHHELD
    if is_small(wrong.point):
        return f"more than {show.alike([harm.point / SMALLEST_CELL])[0]}", WITHHELD
    return show.triple(ratio.point, ratio.low, ratio.high)
