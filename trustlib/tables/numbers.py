"""Numbers as they stand in a table's column: one place for all, "not estimable" where missing."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from trustlib.core import Estimate
from trustlib.core import format as show


def amount(estimate: Estimate) -> tuple[str, str]:
    """An estimate and its interval by its unit: a share as per cent, dollars, a signed number."""
    if estimate.unit == "share":
        return percent(estimate.point), show.interval(estimate.low, estimate.high, percent)
    if estimate.unit == "probability":
        return show.probability(estimate.point), "none"
    by_design = estimate.low is None and not (estimate.note or "").startswith("not estimable")
    if estimate.point is not None and by_design:
        return show.alike([estimate.point])[0], "none"
    dollars = estimate.unit == "USD"
    return show.triple(
        estimate.point, estimate.low, estimate.high,
        sign=not dollars, currency="$" if dollars else "",
    )  # fmt: skip


def triple(
    row: pd.Series, name: str, beside: float, *, ends: tuple[str, str] = ("low", "high")
) -> tuple[str, str]:
    """A point and its interval with the decimals of their column, whose largest is `beside`."""
    point, low, high = (number(row[key]) for key in (name, *ends))
    if beside >= 100 or beside == 0:
        return show.triple(point, low, high, sign=True, beside=beside or None)
    decimals = min(8, 2 - math.floor(math.log10(beside)))
    if point is None:
        return "not estimable", "not estimable"
    if low is None or high is None:
        return fixed(point, decimals), "not estimable"
    return fixed(point, decimals), f"{fixed(low, decimals)} to {fixed(high, decimals)}"


def fixed(value: float, decimals: int) -> str:
    """`value` with its sign and so many decimals."""
    body = f"{abs(value):.{decimals}f}"
    if not float(body):
        return body
    return f"{show.MINUS if value < 0 else '+'}{body}"


def percent(share: float | None) -> str:
    """A signed share as per cent, three digits from 100 % on."""
    return show.percent(share, sign=True, digits=3 if share is not None and abs(share) >= 1 else 2)


def largest(rows: pd.DataFrame, *columns: str) -> float:
    """The largest size in `columns`; 0 where nothing is there."""
    found = float(rows[list(columns)].abs().max().max())
    return found if found == found else 0.0


def number(value: Any) -> float | None:
    """`value` as a number, None where it is missing."""
    return None if value is None or pd.isna(value) else float(value)
