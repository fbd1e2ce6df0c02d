"""How the numbers of a deep-dive read, where small counts of people and items are not named."""

from __future__ import annotations

from trustlib.core import Estimate
from trustlib.core import format as show
from trustlib.harm.deep_dive.published import FEWER, is_small
from trustlib.harm.small_cells import SMALLEST_CELL

MISSING = "not estimable"
WITHHELD = "withheld"
WIDE = 20.0  # times its lower end that an upper end is, where the two are not rounded alike


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
        return rounded(point, low, high)
    return _things(point, low, high)


def _things(point: float, low: float | None, high: float | None) -> tuple[str, str]:
    """Whole ones, rounded alike, none of them below 11."""
    if low is None or high is None:
        return counted(round(point)), MISSING
    if is_small(high):
        return FEWER, FEWER
    whole = [float(round(value)) for value in (point, low, high)]
    if not is_small(low):
        return rounded(*whole)
    return FEWER if is_small(point) else show.count(whole[0]), f"up to {show.count(whole[2])}"


def rounded(point: float, low: float | None, high: float | None) -> tuple[str, str]:
    """Rounded alike; each for itself where the ends are so far apart that one would vanish."""
    if low is None or high is None or high <= WIDE * low:
        return show.triple(point, low, high)
    low_told, high_told = (show.count(end, digits=3) for end in (low, high))
    return show.count(point), f"{low_told} to {high_told}"


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
    low, high = (
        None if end is None else show.count(end, digits=2) for end in (ratio.low, ratio.high)
    )
    ends = MISSING if low is None or high is None else f"{low} to {high}"
    return show.count(ratio.point, digits=2), ends


def chance(value: float | None) -> str:
    """A probability as per cent, small ones not finer than they are known."""
    if value is None or value != value:
        return MISSING
    return f"<{show.NBSP}1{show.NBSP}%" if value < 0.01 else show.percent(value)
