"""The record as it may leave the notebook: no known count below 11, nothing to work one out from.

Cells of a table add up to a total that is known, so crossing out a small one is not enough: small
segments are merged into "the rest" until it holds two segments and 11 cases, and small doses into
their neighbours. Two revisions of one record can be subtracted: what the earlier one merged stays
merged, and a count that moved by fewer than 11 is shown as it was (`steady`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.core import Estimate
from trustlib.data.earlier import Earlier
from trustlib.harm.deep_dive.published import safe_checks
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.postmortem.result import Postmortem
from trustlib.postmortem.steady import steady_count, steady_groups

FEWER = f"fewer than {SMALLEST_CELL}"
_PEOPLE = (
    "affected_items", "affected_accounts", "affected_customers", "affected_viewers",
    "false_positives", "false_negatives",
)  # fmt: skip
_ENDS = ["point", "low", "high"]


def published(record: Postmortem, *, earlier: Earlier | None = None) -> Postmortem:
    """`record` without small counts.

    Parameters
    ----------
    earlier
        The revision that is out already; None for the first.
    """
    estimates = {name: _estimate(name, one, earlier) for name, one in record.estimates.items()}
    return replace(
        record,
        estimates=estimates,
        checks=safe_checks(record.checks),
        affected=_affected(record.affected, earlier),
        doses=_doses(record.doses),
        top_share=record.top_share.assign(
            share=record.top_share["share"].where(record.top_share["top_people"] >= SMALLEST_CELL)
        ),
        overlaps=record.overlaps.assign(people=_large(record.overlaps["people"])),
        by_segment=merged_segments(record.by_segment, earlier=earlier),
        maturity=_maturity(record.maturity),
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


def _estimate(name: str, estimate: Estimate, earlier: Earlier | None) -> Estimate:
    if name not in _PEOPLE and not name.startswith("final_"):
        return estimate
    if estimate.point is None:
        return estimate
    most = estimate.point if estimate.high is None else estimate.high
    if 0 < most < SMALLEST_CELL:
        return replace(
            estimate, point=None, low=None, high=None, standard_error=None, n=0,
            note=f"withheld: {FEWER}",
        )  # fmt: skip
    if estimate.low is not None and 0 < estimate.low < SMALLEST_CELL:
        estimate = replace(estimate, low=0.0)
    before = None if earlier is None else earlier.estimates.get(name)
    if before is None or before.point is None or not _is_exact(estimate) or not _is_exact(before):
        return estimate  # an estimate from a sample counts nobody
    same = steady_count(estimate.point, before.point)
    return replace(estimate, point=same, low=same, high=same)


def _is_exact(estimate: Estimate) -> bool:
    return estimate.low is not None and estimate.low == estimate.high


def _affected(frame: pd.DataFrame, earlier: Earlier | None) -> pd.DataFrame:
    before = _candidates(earlier)
    now = [
        steady_count(n, before.get((kind, side), n))
        for kind, side, n in zip(frame["kind"], frame["side"], frame["candidates"], strict=True)
    ]
    candidates = _large(pd.Series(now, index=frame.index, dtype=float))
    return _ends(frame.assign(candidates=candidates))


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


def _candidates(earlier: Earlier | None) -> Mapping[tuple[str, str], float]:
    rows = [] if earlier is None else earlier.series.get("affected", [])
    return {
        (str(row["kind"]), str(row["side"])): float(row["candidates"])
        for row in rows
        if row.get("candidates") is not None
    }


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
