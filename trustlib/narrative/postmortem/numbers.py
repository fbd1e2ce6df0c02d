"""How the numbers of a postmortem read: with interval, by unit, small counts withheld."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from trustlib.core import Estimate
from trustlib.core import format as show
from trustlib.harm.deep_dive import told as counted
from trustlib.harm.deep_dive.published import FEWER, is_small

MISSING = "not estimable"
WITHHELD = "withheld"
PLAIN = "plain"  # the unit of what counts neither people nor cases: small numbers may be shown
_DISTINCT = 1e-4  # a share nearer to 0 or 1 than this is not told from it by its digits
_FINEST = 4  # digits of a share
_LEAST_RATE = 0.01


def number(value: object) -> float | None:
    """A cell of a frame; None where it is missing or infinite."""
    if value is None or value is pd.NaT:
        return None
    plain = float(value)  # type: ignore[arg-type]
    return plain if math.isfinite(plain) else None


def percent(share: float | None) -> str:
    """``8.3 %``; more than nothing never reads ``0 %``, and short of all never ``100 %``."""
    return MISSING if share is None else _percents([share], least=3 if abs(share) > 1 else 2)[0]


def percents(low: float, high: float) -> str:
    """Both ends, ``55 to 69 %``; one where they do not differ."""
    first, last = _percents([low, high], least=3 if max(abs(low), abs(high)) > 1 else 2)
    if first == last:
        first, last = _percents([low, high], least=_FINEST)
    if first == last:
        return first
    return f"{first.removesuffix(f'{show.NBSP}%')} to {last}"


def _percents(shares: Sequence[float], *, least: int) -> list[str]:
    return [_percent(share, least) for share in shares]


def _percent(share: float, least: int) -> str:
    if 0 < abs(share) < _DISTINCT:
        word = "less than" if share > 0 else "above"
        return f"{word} {show.percent(math.copysign(_DISTINCT, share))}"
    if 1 - _DISTINCT < abs(share) < 1:
        word = "more than" if share > 0 else "beyond"
        return f"{word} {show.percent(share)}"
    return show.percent(share, digits=least)


def hours(*values: float) -> tuple[list[str], str]:
    """Lengths in the unit that a person would use, rounded alike, and that unit's noun."""
    largest = max(abs(value) for value in values)
    by, noun = (60.0, "minute") if largest < 1 else (1.0, "hour")
    if largest >= 96:
        by, noun = 1 / 24, "day"
    return show.alike([round(by * value, 6) for value in values]), noun


def length(value: float) -> str:
    """``3.5 hours``, ``1 hour``, ``12 days``."""
    texts, noun = hours(value)
    return f"{texts[0]}{show.NBSP}{noun}" + ("" if texts[0] == "1" else "s")


def triple(point: float, low: float | None, high: float | None, unit: str) -> tuple[str, str]:
    """A number and its interval, by its unit: ``("253", "239 to 266")``; "exact"; "" for none."""
    ends = None if low is None or high is None else (low, high)
    if unit.startswith("share"):
        told = percent(point)
        span = "" if ends is None else percents(*ends)
    elif unit == "USD":
        told, span = show.triple(point, low, high, currency="$")
    elif unit == "hours":
        told, span = length(point), "" if ends is None else _lengths(point, *ends)
    elif unit == PLAIN:
        told, span = _plain(point, low, high)
    elif ends == (0.0, 0.0):
        told, span = "0", ""
    else:
        told, span = counted.things(point, low, high)
    if ends is None:
        return told, ""
    if ends[0] == ends[1]:
        return told, "" if told == FEWER else "exact"
    if " to " in span and len(set(span.split(" to "))) == 1:
        return told, f"{span.split(' to ')[0]} when rounded"
    return told, "" if span == told else span


def _lengths(point: float, low: float, high: float) -> str:
    texts, _ = hours(point, low, high)
    own = hours(point)[1]
    if hours(point, low, high)[1] != own:  # 80 minutes with an interval in hours
        return f"{length(low)} to {length(high)}"
    return f"{texts[1]} to {texts[2]}"


def _plain(point: float, low: float | None, high: float | None) -> tuple[str, str]:
    """Two digits of small numbers, ``("0", "0 to 0.46")``; three of others."""
    values = [point] if low is None or high is None else [point, low, high]
    if min(values) >= _LEAST_RATE and max(values) >= 10:
        return counted.rounded(point, low, high)
    told = [
        f"less than {_LEAST_RATE:g}" if 0 < value < _LEAST_RATE
        else show.count(value, digits=2 if abs(value) < 10 else 3)
        for value in values
    ]  # fmt: skip
    ends = list(dict.fromkeys(told[1:]))
    return told[0], " to ".join(ends)


def amount(estimate: Estimate | None) -> tuple[str, str]:
    """An estimate's number and interval, each perhaps a word: "fewer than 11", "not estimable"."""
    if estimate is None or estimate.point is None:
        return (FEWER if is_withheld(estimate) else MISSING), ""
    return triple(estimate.point, estimate.low, estimate.high, estimate.unit)


def told(estimate: Estimate | None, noun: str = "") -> str:
    """``253 items (95 % interval 239 to 266)``, ``243 accounts (exact)``, ``fewer than 11``."""
    figure, span = amount(estimate)
    if span == "" and estimate is not None and estimate.point is not None and figure != FEWER:
        span = "no interval" if estimate.low is None else ""
    lead = "" if span in ("", "exact", "no interval") or estimate is None else (
        f"{show.level(estimate.level)} interval "
    )  # fmt: skip
    if estimate is not None and estimate.unit.endswith("at least") and span not in ("", FEWER):
        figure, span = f"at least {figure}", "" if span == "exact" else span
        lead = lead if span else ""
    return f"{figure} {noun}".strip() + (f" ({lead}{span})" if span else "")


def brief(estimate: Estimate | None, noun: str = "") -> str:
    """The same where the level is said nearby: ``243 accounts (214 to 255)``."""
    text = told(estimate, noun)
    lead = "" if estimate is None else f"{show.level(estimate.level)} interval "
    return text.replace(f"({lead}", "(", 1) if lead else text


def known(estimate: Estimate | None) -> bool:
    """Whether there is something to say: a number, or that it is too small to be shown."""
    return estimate is not None and (estimate.point is not None or is_withheld(estimate))


def is_withheld(estimate: Estimate | None) -> bool:
    return estimate is not None and (estimate.note or "").startswith(WITHHELD)


def is_wide(estimate: Estimate | None) -> bool:
    """The ends are so far apart that the point alone misleads."""
    if estimate is None or estimate.point is None or estimate.low is None or estimate.high is None:
        return False
    return estimate.high - estimate.low > abs(estimate.point)


def row_told(row: pd.Series, noun: str, *, level: float, unit: str = "items") -> str | None:
    """point, low and high of a frame's row as `told`; None where the point is missing."""
    point, low, high = (number(row[end]) for end in ("point", "low", "high"))
    if point is None:
        return None
    ends = (None, None) if low is None or high is None else (min(low, point), max(high, point))
    return told(
        Estimate(point=point, low=ends[0], high=ends[1], level=level, unit=unit, method="row",
                 n=0, note="none"), noun,
    )  # fmt: skip


def things(n: object, noun: str) -> str:
    """``1,204 accounts``, ``fewer than 11 accounts``, also where the number is withheld."""
    value = number(n)
    if value == 0:
        return f"no {noun}"
    return f"{FEWER if is_small(value) else show.exact(value)} {noun}"


def exactly(n: object, what: str) -> str:
    """``431 accounts have a case (exact)``; a small or withheld number stands without."""
    return things(n, what) + ("" if is_small(number(n)) else " (exact)")


def rows_of(n: int, noun: str = "row") -> str:
    """``382 rows``, ``fewer than 11 rows``, ``no rows``."""
    return things(n, f"{noun}s")
