"""Numbers of two digits for users: intervals rounded outwards, counts below 11 unnamed."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from trustlib.core import format as show
from trustlib.harm.deep_dive.published import FEWER, is_small


def rounded(point: float, low: float, high: float, currency: str = "") -> tuple[str, str]:
    """Two digits each; a count below 11 reads "fewer than 11".

    The low end goes down and the high end up, so that the range told holds the range found and
    the point told.
    """
    small = is_small if not currency else (lambda _: False)
    if small(high):
        return FEWER, ""
    figure = FEWER if small(point) else f"{currency}{two(point)}"
    if low == high:
        return figure, "exact count, rounded"
    first, last = f"{currency}{two_down(low)}", f"{currency}{two_up(high)}"
    if small(low):
        return figure, f"up to {last}" if small(point) else f"from {FEWER} to {last}"
    return figure, f"{first} to {last}"


def two(value: float) -> str:
    """``250`` from 253, ``14,000`` from 14,120.5, ``1.2 million``."""
    return _digits(value, ROUND_HALF_EVEN)


def two_down(value: float) -> str:
    """``230`` from 239: for a low end that is not negative."""
    return _digits(value, ROUND_FLOOR)


def two_up(value: float) -> str:
    """``270`` from 266: for a high end that is not negative."""
    return _digits(value, ROUND_CEILING)


def _digits(value: float, rounding: str) -> str:
    exact = Decimal(repr(float(abs(value))))  # as it reads: 0.29 is not a hair less
    if not exact:
        return "0"
    place = Decimal(1).scaleb(exact.adjusted() - 1)
    return show.count(float(exact.quantize(place, rounding=rounding)))
