"""How many cases were wrong, on either side, and what that cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core.format import percent
from trustlib.data.incident_records import AffectedRows, Side
from trustlib.harm.deep_dive.published import is_small
from trustlib.postmortem.amounts import METHOD, SUM, WrongTotal, mover
from trustlib.postmortem.case_checks import case_checks
from trustlib.postmortem.sides import NO_CASE, SIDES, SideCases, side_cases, why_not, with_totals

FEWEST = 5  # labels from which on a segment's value has an interval
MONEY = ("gross", "recovered", "net")
_ENDS = ["point", "low", "high"]
_OTHER: dict[Side, Side] = {"over": "under", "under": "over"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Cases:
    """What labels say of the cases.

    Attributes
    ----------
    estimates
        affected_items, false_positives, false_negatives (items); gross_loss_usd, recovered_usd,
        net_loss_usd (USD).
    money
        item ("gross", "recovered", "net"), side ("over", "under", "both"), point, low, high
        (USD; NaN not estimable). Without rows where nothing of it is estimable.
    by_segment
        segment, value, side, items, point, low, high (wrong cases; NaN with fewer than `FEWEST`
        labels, unless these are all cases).
    affected
        kind ("items"), side, candidates, point, low, high (NaN not estimable).
    checks
        case_labels, cases_without_wrong, cases_unlabelled, case_weights, labels_as_truth,
        large_amounts.
    """

    estimates: dict[str, Estimate]
    money: pd.DataFrame
    by_segment: pd.DataFrame
    affected: pd.DataFrame
    checks: tuple[Check, ...]


def cases(rows: AffectedRows, *, level: float, usd_rate: float | None) -> Cases:
    """False positives, false negatives, both together, and the money of wrong cases.

    Parameters
    ----------
    usd_rate
        Dollars for one unit of the query's currency; None: 1 if that is USD, else no money.

    Notes
    -----
    Cells without labels have no point: they enter the upper end as if all their cases were wrong.
    """
    sides = {side: side_cases(rows, side) for side in SIDES}
    why = {side: why_not(rows, own) for side, own in sides.items()}
    found = {
        side: None if why[side] else own.wrong_items(level=level) for side, own in sides.items()
    }
    names: dict[Side, str] = {"over": "false_positives", "under": "false_negatives"}
    estimates = {"affected_items": _both(found, sides, why, level=level, unit="items")}
    for side in SIDES:
        estimates[names[side]] = _one(
            found[side], why[side], sides[side], level=level, unit="items"
        )
    losses, money = _money(rows, sides, why, level=level, usd_rate=usd_rate)
    affected = [
        ("items", side, own.items, *_ends(found[side]))
        for side, own in sides.items()
        if own.items
    ]  # fmt: skip
    return Cases(
        estimates=estimates | losses,
        money=money,
        by_segment=_by_segment(rows, level=level),
        affected=pd.DataFrame(affected, columns=["kind", "side", "candidates", *_ENDS]),
        checks=case_checks(sides, level=level, money=rows.has_money),
    )


def _ends(found: WrongTotal | None) -> tuple[float, float, float]:
    if found is None:
        return math.nan, math.nan, math.nan
    return found.point, found.low, found.highest


def _one(
    found: WrongTotal | None, why: str | None, own: SideCases, *, level: float, unit: str
) -> Estimate:
    """One side's number."""
    if found is None:
        bounds = ""
        if own.items and unit == "items" and not is_small(own.items):
            bounds = f"; it lies between 0 and {own.items:,}, all cases of this side"
        return _absent(f"{why}{bounds}", level=level, unit=unit, n=own.n)
    return Estimate(point=found.point, low=found.low, high=found.highest, level=level, unit=unit,
                    method=METHOD, n=found.n, note=_unseen(found))  # fmt: skip


def _both(
    found: dict[Side, WrongTotal | None],
    sides: dict[Side, SideCases],
    why: dict[Side, str | None],
    *,
    level: float,
    unit: str,
) -> Estimate:
    """Both sides together; one alone where the other has no case."""
    over, under = found["over"], found["under"]
    if over is not None and under is not None:
        total = mover(over, under)
        return Estimate(point=total.point, low=total.low, high=total.highest, level=level,
                        unit=unit, method=f"{METHOD}; {SUM}", n=total.n,
                        note=_unseen(total))  # fmt: skip
    for side, other in _OTHER.items():
        if found[side] is not None and not sides[other].items:
            alone = f"of the cases {_SAID[side]} alone: {NO_CASE.replace('this', 'the other')}"
            told = _one(found[side], None, sides[side], level=level, unit=unit)
            return _noted(told, alone)
    n = sum(own.n for own in sides.values())
    items = sum(own.items for own in sides.values())
    reasons = {why[side] for side in SIDES if sides[side].items or not items}
    reason = "; ".join(sorted(filter(None, reasons)))
    if items and unit == "items" and not is_small(items):
        reason += f"; it lies between 0 and {items:,}, all cases"
    return _absent(reason, level=level, unit=unit, n=n)


_SAID: dict[Side, str] = {"over": "that were actioned", "under": "that were not actioned"}


def _noted(estimate: Estimate, note: str) -> Estimate:
    return replace(estimate, note="; ".join(filter(None, (note, estimate.note))))


def _unseen(found: WrongTotal) -> str | None:
    if not found.unseen:
        return None
    share = found.unseen / (found.unseen + max(found.high, 1e-300))
    return (
        "a part of the cases has no labels: not in the point, and in the upper end as if all of "
        f"it were wrong ({percent(share)} of that end)"
    )


def _absent(why: str, *, level: float, unit: str, n: int = 0) -> Estimate:
    return Estimate(point=None, low=None, high=None, level=level, unit=unit, method=METHOD, n=n,
                    note=f"not estimable: {why}")  # fmt: skip


def _rate(rows: AffectedRows, usd_rate: float | None) -> tuple[float, str | None]:
    """Dollars for a cent of the table, or why there are none."""
    currency = rows.query.currency
    if "affected" in rows.missing:
        return math.nan, rows.missing["affected"]
    if not rows.has_money:
        return math.nan, "the affected table has no amounts"
    if usd_rate is None and currency is None:
        return math.nan, "the currency of the amounts is not stated"
    if usd_rate is None and currency != "USD":
        return math.nan, "what one unit of the currency is in dollars is not stated (usd_rate)"
    return (1.0 if usd_rate is None else usd_rate) / 100, None


def _money(
    rows: AffectedRows,
    sides: dict[Side, SideCases],
    why: dict[Side, str | None],
    *,
    level: float,
    usd_rate: float | None,
) -> tuple[dict[str, Estimate], pd.DataFrame]:
    """Estimates of both sides, and the frame by side."""
    names = {"gross": "gross_loss_usd", "recovered": "recovered_usd", "net": "net_loss_usd"}
    columns = ["item", "side", *_ENDS]
    rate, reason = _rate(rows, usd_rate)
    if reason:
        absent = {name: _absent(reason, level=level, unit="USD") for name in names.values()}
        return absent, pd.DataFrame(columns=columns)
    estimates: dict[str, Estimate] = {}
    table: list[tuple[object, ...]] = []
    for item in MONEY:
        found = {
            side: None if why[side] else _loss(own, item, level=level).times(rate)
            for side, own in sides.items()
        }
        total = _both(found, sides, why, level=level, unit="USD")
        estimates[names[item]] = total
        for side in SIDES:
            if sides[side].items:
                table.append((item, side, *_ends(found[side])))
        ends = [math.nan if x is None else x for x in (total.point, total.low, total.high)]
        table.append((item, "both", *ends))
    frame = pd.DataFrame(table, columns=columns)
    if frame["point"].isna().all():
        frame = frame.iloc[:0]
    return estimates, frame


def _loss(own: SideCases, item: str, *, level: float) -> WrongTotal:
    """Cents of wrong cases. What came back and what did not are two kinds of amount, each the
    wrong part of its own known total, so that net is gross less recovered to the cent."""
    amounts, known = _kinds(own.labelled), _kinds(own.totals)
    taken = ["recovered", "net"] if item == "gross" else [item]
    amount, totals = amounts[taken].to_numpy(float), known[taken]
    return own.total(amount, totals, level=level)


def _kinds(frame: pd.DataFrame) -> pd.DataFrame:
    gross, recovered = frame["gross_cents"], frame["recovered_cents"]
    return pd.DataFrame({"gross": gross, "recovered": recovered, "net": gross - recovered})


def _by_segment(rows: AffectedRows, *, level: float) -> pd.DataFrame:
    """Wrong cases of each value of each segment, by side."""
    out = []
    for (segment, side), part in rows.by_segment.groupby(["segment", "side"], sort=True):
        known = set(part["value"])
        labelled = rows.labelled[rows.labelled["side"] == side]
        has = segment in labelled
        of = labelled[segment].astype(str) if has else pd.Series("", index=labelled.index)
        of = of.where(of.isin(known), "other")
        for value, cells in part.groupby("value", sort=True):
            own = with_totals(cells, labelled[(of == value) & has], _side(side))
            enough = own.n >= min(FEWEST, own.items) and own.n > 0
            ends = _ends(own.wrong_items(level=level) if enough else None)
            out.append((segment, value, side, own.items, *ends))
    frame = pd.DataFrame(out, columns=["segment", "value", "side", "items", *_ENDS])
    return frame.sort_values(
        ["segment", "side", "items", "value"], ascending=[True, True, False, True],
        ignore_index=True,
    )  # fmt: skip


def _side(side: object) -> Side:
    return "over" if side == "over" else "under"
