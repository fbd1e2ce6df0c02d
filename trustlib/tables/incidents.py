"""Tables of incident sizing: checks, estimates, segments, sensitivity, assumptions, data health."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from trustlib.core import Estimate, View
from trustlib.core import format as show
from trustlib.core.text import told_apart
from trustlib.incidents import SizingResult
from trustlib.incidents.disclosure import published_segments
from trustlib.tables import house
from trustlib.tables.run import checks, health, not_found, sources, statement

__all__ = [
    "checks",
    "definitions",
    "estimates",
    "health",
    "not_found",
    "segments",
    "sensitivity",
    "sources",
    "statement",
]

MOST_SEGMENTS = 25

_QUANTITIES = {
    "actual": "Counted in the window",
    "expected": "Expected without the incident",
    "excess": "Excess: counted minus expected",
    "relative_excess": "Excess as a share of expected",
    "cost_usd": "Cost of the excess",
    "same_hours_excess": "Excess by the second method",
    "smallest_detectable_excess": "Smallest excess likely to be seen",
    "placebo_p_value": "Placebo p-value",
    "onset_hours": "Estimated minus stated start, hours",
}


def estimates(result: SizingResult) -> View:
    """Every estimate with its interval, what it was made from, and how."""
    rows = []
    for name, estimate in result.estimates.items():
        number, interval = _amount(estimate)
        how = estimate.method if estimate.low is not None else estimate.note or estimate.method
        rows.append(
            (_QUANTITIES.get(name, name), number, interval, house.capital(how), f"{estimate.n:,}")
        )
    return house.table(
        rows,
        columns=("Quantity", "Estimate", f"{show.level(result.spec.level)} interval", "How", "n"),
        caption="Estimates",
        numeric=("Estimate", f"{show.level(result.spec.level)} interval", "n"),
    )


def segments(result: SizingResult) -> View:
    """Excess by segment, adding up to the total.

    Raises
    ------
    ValueError
        If the result has no segments.
    """
    if result.segments is None:
        raise ValueError("segments: the result has none; set segment_column")
    rows, segments_ = [], len(result.segments)
    shown = published_segments(result.segments, most=MOST_SEGMENTS)
    beside = _largest(shown, "actual", "expected", "excess")
    names = told_apart(shown["segment"], 64)
    for name, (_, row) in zip(names, shown.iterrows(), strict=True):
        excess, interval = _signed_triple(row, beside)
        expected, _ = show.triple(_number(row["expected"]), None, None, beside=beside)
        rows.append(
            (
                name,
                show.exact(_number(row["actual"])),
                expected,
                excess,
                interval,
                _whole_percent(_number(row["share_of_excess"])),
                str(row["moved"]),
            )
        )
    level = show.level(result.spec.level)
    columns = (
        "Segment", "Counted", "Expected", "Excess", f"{level} interval", "Share of excess", "Moved",
    )  # fmt: skip
    return house.table(
        rows,
        columns=columns,
        caption="Excess by segment" + ("; small ones merged" if len(shown) < segments_ else ""),
        numeric=columns[1:-1],
    )


def sensitivity(result: SizingResult) -> View:
    """The excess under other choices of history and method."""
    rows = []
    beside = _largest(result.sensitivity, "excess")
    for _, row in result.sensitivity.iterrows():
        excess, interval = _signed_triple(row, beside)
        share = _percent(_number(row["relative_excess"]))
        rows.append((_spaced(row["choice"]), excess, interval, share, str(row["description"])))
    level = show.level(result.spec.level)
    columns = ("Choice", "Excess", f"{level} interval", "Of expected", "What differs")
    return house.table(
        rows, columns=columns, caption="The same incident under other choices", numeric=columns[1:4]
    )


def definitions(result: SizingResult) -> View:
    """What the words of this report mean."""
    level = show.level(result.spec.level)
    terms = {
        "Expected": "What the season of the history (hour of the day, day of the week, weekend) "
        "would have brought without the incident.",
        "Excess": "Counted minus expected over the window; negative for a shortfall.",
        f"{level} interval": "From errors of whole windows: every earlier window is forecast with "
        "its own week left out, so hours that stray together count as what they are.",
        "Placebo window": "A window of the same length in the history, sized as if it were the "
        "incident. Their spread says what quiet weeks look like.",
        "Placebo p": "The share of such windows at least as extreme, the incident counted in.",
        "Smallest excess likely to be seen": "What this design would find four times out of five.",
        "Back to normal": "The end of the stretch in which the counts stay away from what was "
        "expected, estimated from the data.",
    }
    items = Markup("").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(term, text) for term, text in terms.items()
    )
    return View(
        html=Markup("<dl>{}</dl>").format(items),
        text="\n".join(f"{term}: {text}" for term, text in terms.items()),
    )


def _amount(estimate: Estimate) -> tuple[str, str]:
    if estimate.point is not None and estimate.low == estimate.high == estimate.point:
        return show.exact(estimate.point), "exact"
    if estimate.unit == "share":
        return _percent(estimate.point), show.interval(estimate.low, estimate.high, _percent)
    if estimate.unit == "probability":
        return show.probability(estimate.point), "none"
    by_design = estimate.low is None and not (estimate.note or "").startswith("not estimable")
    if estimate.point is not None and by_design:
        return show.count(estimate.point), "none"
    return show.triple(
        estimate.point,
        estimate.low,
        estimate.high,
        currency="$" if estimate.unit == "USD" else "",
    )


def _signed_triple(row: pd.Series, beside: float) -> tuple[str, str]:
    ends = [_number(row[name]) for name in ("excess", "low", "high")]
    return show.triple(*ends, sign=True, beside=beside)


def _percent(share: float | None) -> str:
    """Signed, two digits, three from 100 % on."""
    return show.percent(share, sign=True, digits=3 if share is not None and abs(share) >= 1 else 2)


def _whole_percent(share: float | None) -> str:
    return show.percent(None if share is None else round(share, 2) + 0.0, digits=3)


def _largest(rows: pd.DataFrame, *columns: str) -> float:
    return float(rows[list(columns)].abs().max().max())


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _spaced(name: object) -> str:
    return house.capital(str(name).replace("_", " "))
