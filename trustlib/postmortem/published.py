"""The record as it may leave the notebook: no known count below 11, nothing to work one out from.

Cells of a table add up to a total that is known, so crossing out a small one is not enough: small
segments are merged into "the rest" until it holds two segments and 11 cases, and small doses into
their neighbours. Where one side has few cases, no sum over both sides is shown, and no amount that
is of those few. Two revisions of one record can be subtracted: what the earlier one merged stays
merged. Counts themselves are shown as they are: a step of a few cases between two revisions can be
told from the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.data.earlier import Earlier
from trustlib.harm.deep_dive.published import safe_checks
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.postmortem.result import Postmortem
from trustlib.postmortem.steady import steady_groups

FEWER = f"fewer than {SMALLEST_CELL}"
_PEOPLE = (
    "affected_items", "affected_accounts", "affected_customers", "affected_viewers",
    "false_positives", "false_negatives",
)  # fmt: skip
_MONEY = ("gross_loss_usd", "recovered_usd", "net_loss_usd")
_LISTS = ("_precision", "_recall")
# Checks that count the cases, or the labels, of both sides.
_SUMS = ("case_labels", "affected_cases", "affected_labels")
_ENDS = ["point", "low", "high"]


def published(record: Postmortem, *, earlier: Earlier | None = None) -> Postmortem:
    """`record` without small counts.

    Parameters
    ----------
    earlier
        The revision that is out already; None for the first.
    """
    estimates = {name: _estimate(name, one) for name, one in record.estimates.items()}
    few = _few_sides(record, estimates)
    if few:
        estimates = _without_sums(estimates)
    return replace(
        record,
        estimates=estimates,
        checks=_checks(record.checks, few),
        affected=_ends(record.affected.assign(candidates=_large(record.affected["candidates"]))),
        doses=_doses(record.doses),
        top_share=record.top_share.assign(
            share=record.top_share["share"].where(record.top_share["top_people"] >= SMALLEST_CELL)
        ),
        overlaps=record.overlaps.assign(people=_large(record.overlaps["people"])),
        by_segment=merged_segments(record.by_segment, earlier=earlier),
        money=_money(record.money, few),
        maturity=_maturity(record.maturity),
        severity=_severity(record.severity, estimates),
        then_now=_then_now(record.then_now, estimates),
    )


def is_withheld(estimate: Estimate) -> bool:
    """Whether the number is known, and too small to be shown."""
    return estimate.point is None and (estimate.note or "").startswith("withheld")


def merged_segments(frame: pd.DataFrame, *, earlier: Earlier | None = None) -> pd.DataFrame:
    """`Postmortem.by_segment` with its small cells merged into "the rest".

    What an earlier revision merged is merged again. Where wrong cases (or right ones) of a segment
    are known exactly and are fewer than 11, no segment of its kind has a number of them: the
    others, taken off the total, would give it away.
    """
    if not len(frame):
        return frame
    exact = frame["low"] == frame["high"]
    part = np.minimum(frame["point"], frame["items"] - frame["point"])
    few = exact & (part > 0) & (part < SMALLEST_CELL)
    hidden = few.groupby([frame["segment"], frame["side"]]).transform("any")
    shown = _ends(frame.assign(**frame[_ENDS].astype(float).where(~hidden)))
    before = [] if earlier is None else earlier.series.get("by_segment", [])
    return steady_groups(before, shown)


def _estimate(name: str, estimate: Estimate) -> Estimate:
    of_cases = name in _PEOPLE or name in _MONEY or name.endswith(_LISTS)
    if not of_cases and not name.startswith("final_"):
        return estimate
    if 0 < estimate.n < SMALLEST_CELL:
        estimate = replace(estimate, n=0)
    if estimate.point is None or (name not in _PEOPLE and not name.startswith("final_")):
        return estimate
    most = estimate.point if estimate.high is None else estimate.high
    if 0 < most < SMALLEST_CELL:
        return _withheld(estimate, FEWER)
    if estimate.low is not None and 0 < estimate.low < SMALLEST_CELL:
        return replace(estimate, low=0.0)
    return estimate


def _withheld(estimate: Estimate, why: str) -> Estimate:
    return replace(
        estimate, point=None, low=None, high=None, standard_error=None, n=0,
        note=f"withheld: {why}",
    )  # fmt: skip


def _few_sides(record: Postmortem, estimates: Mapping[str, Estimate]) -> set[str]:
    """Sides with fewer than 11 cases, or fewer than 11 that are wrong for sure."""
    items = record.affected[record.affected["kind"] == "items"]
    few = set(items.loc[(items["candidates"] > 0) & (items["candidates"] < SMALLEST_CELL), "side"])
    for side, name in (("over", "false_positives"), ("under", "false_negatives")):
        if name in estimates and is_withheld(estimates[name]):
            few.add(side)
    return few


def _without_sums(estimates: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Without what adds up both sides, or is money: less the other side, it is that of a few."""
    return {
        name: _withheld(one, "it would give away a number of few cases")
        if name in ("affected_items", *_MONEY) and one.point is not None
        else one
        for name, one in estimates.items()
    }


def _checks(checks: tuple[Check, ...], few: set[str]) -> tuple[Check, ...]:
    """Sentences without small counts; of both sides together none where one is small."""
    told = f"Numbers are withheld, since a side has {FEWER} cases."
    return tuple(
        replace(one, text=told) if few and one.name in _SUMS else one for one in safe_checks(checks)
    )


def _money(frame: pd.DataFrame, few: set[str]) -> pd.DataFrame:
    """Without the amounts of a side with few cases, and of both together."""
    if not few:
        return frame
    shown = ~frame["side"].isin([*few, "both"])
    return frame.assign(**frame[_ENDS].astype(float).where(shown))


def _severity(frame: pd.DataFrame, estimates: Mapping[str, Estimate]) -> pd.DataFrame:
    """A rule that looks at what is withheld says whether it is met, and not at what number."""
    hidden = [
        name in estimates and is_withheld(estimates[name]) for name in frame["measure"].astype(str)
    ]
    return frame.assign(value=frame["value"].astype(float).mask(np.array(hidden, dtype=bool)))


def _ends(frame: pd.DataFrame) -> pd.DataFrame:
    """Point, low and high of rows that count people or cases: what is surely few is withheld.

    A lower end below 11 is often the number of labels that were judged wrong, which is known; 0
    takes its place.
    """
    few = (frame["high"] > 0) & (frame["high"] < SMALLEST_CELL)
    ends = frame[_ENDS].astype(float).where(~few)
    return frame.assign(**ends.assign(low=_low(ends["low"])))


def _low(low: pd.Series) -> pd.Series:
    return low.mask((low > 0) & (low < SMALLEST_CELL), 0.0)


def _doses(frame: pd.DataFrame) -> pd.DataFrame:
    """Bands with fewer than 11 people joined to the next lower one, from the top down."""
    parts = []
    for _, cells in frame.groupby(["kind", "side"], sort=True):
        kept = cells.to_dict("records")
        while len(kept) > 1 and any(0 < row["people"] < SMALLEST_CELL for row in kept):
            at = max(i for i, row in enumerate(kept) if 0 < row["people"] < SMALLEST_CELL)
            low, high = (at - 1, at) if at else (0, 1)
            one, other = kept[low], kept[high]
            joined = one | {
                "dose": _joined(str(one["dose"]), str(other["dose"])),
                "people": one["people"] + other["people"],
                "cases": one["cases"] + other["cases"],
            }
            kept[low : high + 1] = [joined]
        if kept[0]["people"] >= SMALLEST_CELL:
            parts.append(pd.DataFrame(kept))
    return pd.concat(parts, ignore_index=True) if parts else frame.iloc[:0]


def _joined(low: str, high: str) -> str:
    """``1–5`` from ``1`` and ``2–5``; ``6 or more`` from ``6–10`` and ``11 or more``."""
    first = low.split("–")[0].split(" ")[0]
    return f"{first} or more" if high.endswith("or more") else f"{first}–{high.split('–')[-1]}"


def _large(counts: pd.Series) -> pd.Series:
    """Counts from 11 on, and zeros; NaN for the others."""
    numbers = counts.astype(float)
    return numbers.where((numbers == 0) | (numbers >= SMALLEST_CELL))


def _maturity(frame: pd.DataFrame) -> pd.DataFrame:
    few = (frame["seen"] > 0) & (frame["seen"] < SMALLEST_CELL)
    hidden = frame.assign(seen=frame["seen"].astype(float))
    # The factor and the complete part, with the final number, would give what is seen.
    hidden.loc[few, ["seen", "factor", "complete"]] = np.nan
    none = few & (hidden["high"] < SMALLEST_CELL)
    hidden.loc[none, ["final", "low", "high"]] = np.nan
    return hidden.assign(low=_low(hidden["low"]))


def _then_now(frame: pd.DataFrame, estimates: Mapping[str, Estimate]) -> pd.DataFrame:
    """What is shown elsewhere is what stands under "now"."""
    now = [estimates.get(name) for name in frame["name"]]
    ends = {
        column: [None if one is None else getattr(one, attribute) for one in now]
        for column, attribute in (("now", "point"), ("low", "low"), ("high", "high"))
        if column in frame
    }
    return frame.assign(
        **{name: pd.Series(v, index=frame.index, dtype=float) for name, v in ends.items()}
    )
