"""How numbers and instants read: called by narrative, tables, checks and the labels of figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NBSP = "\u00a0"
MINUS = "\u2212"
EN_DASH = "\u2013"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def _signed(text: str, value: float, sign: bool) -> str:
    if value < 0:
        return MINUS + text
    return ("+" + text) if sign and value > 0 else text


def _significant(value: float, digits: int) -> float:
    if value == 0:
        return 0.0
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def count(value: float | None, *, sign: bool = False, digits: int = 3) -> str:
    """A count for a sentence, at `digits` significant digits: ``719,000``, ``1.11 million``.

    Exact below 1,000 when whole. None reads "not estimable".
    """
    if value is None:
        return "not estimable"
    size = abs(value)
    if size < 1000 and float(size).is_integer():
        return _signed(f"{size:.0f}", value, sign)
    size = _significant(size, digits)
    for scale, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if size >= scale:
            body = f"{_significant(size / scale, digits):.{digits}g}"
            return _signed(f"{body}{NBSP}{word}", value, sign)
    if size >= 100 or (size > 0 and float(size).is_integer()):
        # Not rounded twice: 414.516 at four digits is 415, though 414.5 would be 414.
        return _signed(f"{abs(value) if size < 1000 else size:,.0f}", value, sign)
    return _signed(f"{size:.{digits}g}", value, sign)


def exact(value: float | None, *, sign: bool = False) -> str:
    """A whole number with thousands separators, every digit: ``391,777``."""
    if value is None:
        return "not estimable"
    return _signed(f"{abs(value):,.0f}", value, sign)


def percent(share: float | None, *, sign: bool = False, digits: int = 2) -> str:
    """A share 0-1 as per cent: ``65 %``. Shares stay 0-1 everywhere else.

    Short of all never reads ``100 %``: it has as many digits as it takes, at most ``99.99 %``.
    """
    if share is None:
        return "not estimable"
    size = _significant(abs(share) * 100, digits)
    if size >= 100 > abs(share) * 100:
        short = math.copysign(min(abs(share), 0.9999), share)
        return percent(short, sign=sign, digits=digits + 1 if digits < 4 else 4)
    if size >= 10 ** (digits - 1):
        body = f"{size:,.0f}" if size >= 10**digits or float(size).is_integer() else f"{size:g}"
    else:
        body = f"{size:.{digits}g}"
    return _signed(f"{body}{NBSP}%", share, sign)


def usd(value: float | None, *, sign: bool = False, digits: int = 3) -> str:
    """Dollars: ``$1.1 million``, ``$2.40``."""
    if value is None:
        return "not estimable"
    value = float(value)
    size = abs(value)
    body = f"{size:.2f}" if size < 100 and not size.is_integer() else count(size, digits=digits)
    return _signed(f"${body}", value, sign)


def probability(value: float | None) -> str:
    """A p-value: ``.08``, ``< .001``."""
    if value is None:
        return "not estimable"
    if value < 0.001:
        return f"<{NBSP}.001"
    if value >= 0.9995:
        return "1"
    body = f"{value:.3f}" if value < 0.01 else f"{value:.2f}"
    return body.lstrip("0") if not body.startswith("1") else "1"


def p_value(value: float | None) -> str:
    """In a sentence: ``p = .08``, ``p < .001``."""
    told = probability(value)
    return f"p {told}" if told.startswith("<") else f"p = {told}"


def interval(low: float | None, high: float | None, show=count) -> str:
    """Both ends through `show`: ``−783,000 to −655,000``."""
    if low is None or high is None:
        return "not estimable"
    return f"{show(low)} to {show(high)}"


def alike(
    values: Sequence[float],
    *,
    sign: bool = False,
    currency: str = "",
    digits: int = 3,
    beside: float | None = None,
) -> list[str]:
    """`values`, a point and perhaps its interval's ends, all rounded to one place.

    The place is the third digit of the largest (from 1 on a tenth at the finest), but finer
    where the first would vanish or the ends would meet. Whole numbers stay whole; dollars have
    cents or none. With `beside`, the largest number of a column, the place is that number's
    third digit, whole numbers below 10,000: the column reads as one.
    """
    leading = list(values) if beside is None else [beside]
    place = _place(leading, digits)
    if beside is not None and beside < 10_000:
        place = min(place, 0)
    if currency and place < 0:
        place = -2
    scale, word = _scale(list(values), place)
    decimals = max(0, round(math.log10(scale)) - place)

    def text(value: float) -> str:
        rounded = round(abs(value), -place) / scale
        body = f"{currency}{rounded:,.{decimals}f}{word}"
        return _signed(body, value, sign) if rounded else body

    return [text(value) for value in values]


def triple(
    point: float | None,
    low: float | None,
    high: float | None,
    *,
    sign: bool = False,
    currency: str = "",
    beside: float | None = None,
) -> tuple[str, str]:
    """A point and its interval, rounded `alike`: ``("1.02 million", "0.99 to 1.05 million")``.

    What is None reads "not estimable".
    """
    missing = "not estimable"
    if point is None:
        return missing, missing
    if low is None or high is None:
        return alike([point], sign=sign, currency=currency, beside=beside)[0], missing
    texts = alike([point, low, high], sign=sign, currency=currency, beside=beside)
    last, word = texts[2].partition(NBSP)[::2]
    return texts[0], f"{texts[1].partition(NBSP)[0]} to {last}" + (f"{NBSP}{word}" if word else "")


def _place(values: list[float], digits: int) -> int:
    """The power of ten that all of `values` are rounded to."""
    largest = max(abs(value) for value in values)
    if largest == 0:
        return 0
    place = math.floor(math.log10(_significant(largest, digits))) - digits + 1
    if largest >= 1:
        place = max(place, -1)  # a tenth of a thing is as fine as a count reads
    if values[0]:
        place = min(place, math.floor(math.log10(abs(values[0]))))
    if (width := max(values) - min(values)) > 0:
        place = min(place, math.floor(math.log10(width)) - 1)
    whole = all(float(value).is_integer() for value in values)
    return max(place, 0) if whole else place


def _scale(values: list[float], place: int) -> tuple[float, str]:
    """What to divide by and its word, where every value keeps a digit or two in that scale."""
    least = min((abs(value) for value in values if value), default=0.0)
    for scale, word in ((12, "trillion"), (9, "billion"), (6, "million")):
        if abs(values[0]) >= 10**scale and least >= 10**scale / 20 and place >= scale - 3:
            return 10.0**scale, f"{NBSP}{word}"
    return 1.0, ""


def level(value: float) -> str:
    """``95 %`` from .95."""
    return f"{value * 100:g}{NBSP}%"


def day(instant: datetime, timezone: str = "UTC", *, year: bool = True) -> str:
    """``26 Jan 2015`` on the calendar of `timezone`."""
    local = instant.astimezone(ZoneInfo(timezone))
    return f"{local.day}{NBSP}{_MONTHS[local.month - 1]}" + (f"{NBSP}{local.year}" if year else "")


def instant(
    at: datetime, timezone: str = "UTC", *, weekday: bool = False, year: bool = True
) -> str:
    """``26 Jan 2015, 12:00`` on the clock of `timezone`."""
    local = at.astimezone(ZoneInfo(timezone))
    head = f"{_DAYS[local.weekday()]} " if weekday else ""
    return f"{head}{day(at, timezone, year=year)}, {local:%H:%M}"


def window(start: datetime, end: datetime, timezone: str = "UTC") -> str:
    """``26 Jan, 12:00 – 28 Jan 2015, 00:00 New York (17:00 – 05:00 UTC)``.

    Local time first, UTC beside it where the two differ.
    """
    zone = ZoneInfo(timezone)
    first, last = start.astimezone(zone), end.astimezone(zone)
    if first.date() == last.date():
        text = f"{day(start, timezone)}, {first:%H:%M} {EN_DASH} {last:%H:%M}"
    else:
        head = day(start, timezone, year=first.year != last.year)
        text = f"{head}, {first:%H:%M} {EN_DASH} {day(end, timezone)}, {last:%H:%M}"
    text += f" {zone_name(timezone)}"
    if not first.utcoffset() and not last.utcoffset():
        return text
    return f"{text} ({start.astimezone(UTC):%H:%M} {EN_DASH} {end.astimezone(UTC):%H:%M}{NBSP}UTC)"


def zone_name(timezone: str) -> str:
    """``New York`` from ``America/New_York``."""
    return timezone.rsplit("/", 1)[-1].replace("_", NBSP)


def duration(length: timedelta) -> str:
    """Elapsed time in the unit a person would use: ``36 hours``, ``90 minutes``, ``12 days``."""
    hours = length.total_seconds() / 3600
    if hours >= 72 and (hours / 24).is_integer():
        return _unit(hours / 24, "day")
    if hours >= 1:
        return _unit(hours, "hour")
    return _unit(hours * 60, "minute")


def _unit(value: float, name: str) -> str:
    body = f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"
    return f"{body}{NBSP}{name}" + ("" if body == "1" else "s")


def plural(n: int, noun: str, plural_form: str | None = None) -> str:
    """``1 week``, ``3 weeks``."""
    return f"{n:,}{NBSP}{noun if n == 1 else plural_form or noun + 's'}"
