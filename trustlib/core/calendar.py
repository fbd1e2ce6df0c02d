"""Period labels as a person writes them: ``5 Jan`` for ``2026-01-05``, other labels as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from trustlib.core.format import NBSP
from trustlib.core.text import short

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?)?")


def period(label: object, *, year: bool = True, width: int = 24) -> str:
    """One period's label for a reader; what is no calendar day is cleaned and cut to `width`."""
    day = _day(str(label))
    if day is None:
        return short(label, width)
    text = f"{day.day}{NBSP}{_MONTHS[day.month - 1]}"
    return f"{text}{NBSP}{day.year}" if year else text


def periods(labels: Iterable[object], *, width: int = 24) -> list[str]:
    """Labels that stand beside each other: the year only where they do not share one."""
    labels = list(labels)
    years = {day.year for label in labels if (day := _day(str(label))) is not None}
    return [period(label, year=len(years) > 1, width=width) for label in labels]


def _day(label: str) -> date | None:
    match = _DAY.fullmatch(label.strip())
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
