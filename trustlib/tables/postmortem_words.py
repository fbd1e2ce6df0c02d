"""Words, numbers and cells that the tables of a postmortem share."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from trustlib.core import Estimate, View
from trustlib.core import format as show
from trustlib.core.text import clean
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.postmortem.result import Postmortem
from trustlib.tables import house
from trustlib.tables.house import Link

FEWER = f"fewer than {SMALLEST_CELL}"
NOT_SHOWN = "not shown"
WHY_NOT_SHOWN = f"not shown: {FEWER}, or too few labels to tell"
NAMES = {
    "actual": "Counted in the window",
    "expected": "Expected without the incident",
    "excess": "Excess: counted minus expected",
    "excess_80": "Excess, the narrower interval",
    "relative_excess": "Excess as a share of expected",
    "smallest_detectable_excess": "Smallest excess likely to be seen",
    "placebo_p_value": "Placebo p-value",
    "same_hours_excess": "Excess by the second method",
    "onset_hours": "Estimated minus stated start, hours",
    "cost_usd": "Cost of the excess",
    "affected_items": "Items wrongly actioned or missed",
    "affected_accounts": "Accounts hit",
    "affected_customers": "Customers hit",
    "affected_viewers": "Viewers of what was missed",
    "false_positives": "Items wrongly actioned",
    "false_negatives": "Items missed",
    "gross_loss_usd": "Money lost, gross",
    "recovered_usd": "Money recovered",
    "net_loss_usd": "Money lost, net",
    "clean_up_precision": "Clean-up list: part that is wrong",
    "clean_up_recall": "Clean-up list: part of all wrong cases on it",
    "back_fill_precision": "Back-fill list: part that is wrong",
    "back_fill_recall": "Back-fill list: part of all missed cases on it",
    "time_to_detect_hours": "Time to detect, hours",
    "time_to_acknowledge_hours": "Time to acknowledge, hours",
    "time_to_mitigate_hours": "Time to mitigate, hours",
    "time_to_recover_hours": "Time to recover, hours",
    "recommended_alert_value": "Setting of the recommended alert",
}
_DECIDED = {"over": "actioned", "under": "not actioned"}
_SIDES = {"over": "wrongly actioned", "under": "missed", "both": "together"}
_ALERTS = {"threshold": "count", "rate_of_change": "ratio to earlier weeks", "cusum": "CUSUM"}
_SIGNED = ("excess", "relative_excess", "excess_80", "same_hours_excess", "onset_hours", "cost_usd")
_COUNTS = (
    "affected_items", "affected_accounts", "affected_customers", "affected_viewers",
    "false_positives", "false_negatives",
)  # fmt: skip
# As the page's gate lets links through (`trustlib.report.allowed`).
_LINK = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)


def empty() -> View:
    """What stands in the place of a block that is not there."""
    return View(html=Markup(""), text="")


def absent(result: Postmortem, block: str) -> bool:
    """Whether a block is not there; its reason stands in the text."""
    return result.reason(block) is not None


def name(measure: object) -> str:
    """An estimate as a reader knows it."""
    known = str(measure)
    if known.startswith("final_") and known not in NAMES:
        return f"Expected in the end: {clean(known[6:].replace('_', ' '))}"
    return NAMES.get(known, spaced(known))


def spaced(text: object) -> str:
    """Blanks for underscores, and a capital letter in front."""
    return house.capital(str(text).replace("_", " ")) or "(empty)"


def side(text: object) -> str:
    """ "over" and "under" as a reader knows them."""
    return _SIDES.get(str(text), clean(text))


def decided(text: object) -> str:
    """What was decided about a case, rightly or wrongly."""
    return _DECIDED.get(str(text), clean(text))


def alert(kind: object) -> str:
    """What a kind of alert looks at."""
    return _ALERTS.get(str(kind), spaced(kind).lower())


def level(result: Postmortem) -> str:
    """``95 % interval``."""
    return f"{show.level(result.spec.sizing.level)} interval"


def number(value: Any) -> float | None:
    """`value` as a finite number, None where it is missing."""
    if value is None or pd.isna(value) or not math.isfinite(float(value)):
        return None
    return float(value)


def cell(value: Any) -> str:
    """A count of people or cases; "fewer than 11" where it is small or withheld."""
    count = number(value)
    if count is None or 0 < count < SMALLEST_CELL:
        return FEWER
    return show.exact(count)


def wrong(row: pd.Series) -> tuple[str, str]:
    """Point and interval of a count of people or cases; not where all of it is below 11."""
    point, low, high = (number(row[end]) for end in ("point", "low", "high"))
    most = high if high is not None else point
    if point is None or (most is not None and 0 < most < SMALLEST_CELL):
        return NOT_SHOWN, NOT_SHOWN
    if low is None or high is None:
        return show.alike([point])[0], "not estimable"
    return _with_interval(point, low, high)


def amount(measure: str, estimate: Estimate) -> tuple[str, str]:
    """An estimate and its interval by its unit; "fewer than 11" where it may not be shown."""
    most = estimate.point if estimate.high is None else estimate.high
    few = (measure in _COUNTS or measure.startswith("final_")) and most is not None
    if (estimate.note or "").startswith("withheld") or (few and 0 < (most or 0) < SMALLEST_CELL):
        return FEWER, FEWER
    point, low, high = estimate.point, estimate.low, estimate.high
    sign = measure in _SIGNED
    if point is None:
        return "not estimable", "not estimable"
    if low is None or high is None:
        lacks = (estimate.note or "").startswith("not estimable")
        own = told_by(estimate.unit, point, sign=sign)
        return own, "not estimable" if lacks else "none"
    if low == high:
        return told_by(estimate.unit, point, sign=sign), "exact"
    if estimate.unit.startswith("share"):
        return _share(point, sign), show.interval(low, high, lambda x: _share(x, sign))
    return _with_interval(point, low, high, sign=sign, unit=estimate.unit)


def told_by(unit: str, value: float | None, *, sign: bool = False) -> str:
    """One number in the unit of an estimate: a share as per cent, dollars, a count."""
    if value is None:
        return "not estimable"
    if unit.startswith("share"):
        return _share(value, sign)
    if unit == "probability":
        return show.probability(value)
    if unit == "USD":
        return show.usd(value)
    return show.alike([value], sign=sign)[0]


def dollars(row: pd.Series) -> tuple[str, str]:
    """Point and interval in dollars."""
    return show.triple(*(number(row[end]) for end in ("point", "low", "high")), currency="$")


def link(url: object) -> str:
    """A link where the page's gate lets one through, the plain text where not, "–" for none."""
    text = clean(url)
    if not _LINK.fullmatch(text):
        return text[:80] or "–"
    shown = re.sub(r"^https?://(www\.)?", "", text, flags=re.IGNORECASE)
    return Link(shown if len(shown) <= 40 else shown[:39] + "…", text)


def noted(caption: str, rows: Sequence[Sequence[str]]) -> str:
    """`caption`, with the reason where a cell of `rows` is not shown."""
    hidden = any(text == NOT_SHOWN for row in rows for text in row)
    return f"{caption} ({WHY_NOT_SHOWN})" if hidden else caption


def _share(value: float | None, sign: bool) -> str:
    digits = 3 if value is not None and abs(value) >= 1 else 2
    return show.percent(value, sign=sign, digits=digits)


def _with_interval(
    point: float, low: float, high: float, *, sign: bool = False, unit: str = ""
) -> tuple[str, str]:
    told, ends = show.triple(
        point, low, high, sign=sign and unit != "USD", currency="$" if unit == "USD" else ""
    )
    return told, "exact" if low == high else ends
