"""Enforced accounts vanish from joins: how many are missing, and what that could move.

A table of accounts that is read today lacks those that were closed since. Whatever is cut by what
only that table knows (market, sign-up, device) then leaves out the accounts that mattered most.
Nothing tells where the missing ones belong, so their effect is bounded, not estimated: with m of
all items behind missing accounts, a share p over the joined items is, over all items, between
p (1 − m) and p (1 − m) + m; a segment's share is lowest where all missing items are its own and
harmless, and highest where all are its own and violating (Manski 1989, J. Human Resources 24).
Where labels tell how many of the missing accounts' items are violating, 0 and 1 give way to the
ends of that share's interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from trustlib.core import Check, Estimate
from trustlib.core.format import exact, percent
from trustlib.harm.accounts_join import COUNTS, AccountsJoin, JoinedShares
from trustlib.harm.small_cells import SMALLEST_CELL
from trustlib.stats.wilson import wilson

__all__ = ["AccountsJoin", "JoinedShares", "Survivorship", "bounds", "survivorship"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Survivorship:
    """What the join with accounts leaves out.

    Attributes
    ----------
    missing_share, enforced_missing_share, other_missing_share
        Share of accounts without a row: of all, of the enforced, of the others.
    by_segment
        segment, accounts, missing, missing_share, low, high, enforced, enforced_missing,
        enforced_missing_share, items_missing_share; one row per segment of the items.
    prevalence_low, prevalence_high
        Bounds of the share over all items; None where no share was given.
    segment_bounds
        segment, share, low, high: bounds of each share of the accounts' segment.
    check
        survivorship.
    """

    missing_share: Estimate
    enforced_missing_share: Estimate
    other_missing_share: Estimate
    by_segment: pd.DataFrame
    prevalence_low: float | None
    prevalence_high: float | None
    segment_bounds: pd.DataFrame
    check: Check


def survivorship(
    whole: AccountsJoin,
    *,
    by_segment: AccountsJoin | None = None,
    shares: JoinedShares | None = None,
    level: float = 0.95,
) -> Survivorship:
    """Count the missing accounts and bound what they could move.

    Parameters
    ----------
    whole
        Of everything: one segment, each account and item once.
    by_segment
        The same by a segment of the items.
    shares
        What was computed after the join.

    The verdict is "fail" where the missing items could move the share by more than its own
    interval, "warn" where fewer are missing or where enforced accounts are missing more often
    than others, "pass" where none is missing, "not_run" where there is no account at all.

    Raises
    ------
    ValueError
        If `whole` has more than one segment.
    """
    if len(whole.segments) != 1:
        raise ValueError("survivorship: the whole is one segment")
    total = {name: float(getattr(whole, name)[0]) for name in COUNTS}
    other = total["accounts"] - total["enforced"]
    other_missing = total["missing"] - total["enforced_missing"]
    behind = total["items_missing"] / total["items"] if total["items"] else 0.0
    enforced = _share(total["enforced_missing"], total["enforced"], "enforced accounts", level)
    others = _share(other_missing, other, "accounts that were not enforced", level)
    low = high = None
    if shares is not None and shares.prevalence.point is not None:
        low, high = bounds(shares.prevalence.point, missing=behind, between=shares.extremes())
    return Survivorship(
        missing_share=_share(total["missing"], total["accounts"], "accounts", level),
        enforced_missing_share=enforced,
        other_missing_share=others,
        by_segment=_table(by_segment or whole, level),
        prevalence_low=low,
        prevalence_high=high,
        segment_bounds=_segment_bounds(shares, total["items_missing"]),
        check=_check(total, enforced, others, behind, shares),
    )


def bounds(
    share: float, *, missing: float, between: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Least and most of a share over all, if `missing` of all was left out of `share`.

    `between` are the least and the most of the share among what was left out.
    """
    seen = share * (1 - missing)
    return seen + missing * between[0], seen + missing * between[1]


def _segment_bounds(shares: JoinedShares | None, missing: float) -> pd.DataFrame:
    rows: list[tuple[str, float | None, float | None, float | None]] = []
    if shares is not None:
        for name, one in sorted(shares.by_segment.items()):
            if one.point is None:
                rows.append((name, None, None, None))
                continue
            rows.append((name, one.point, *_of_segment(one.point, shares, name, missing)))
    frame = pd.DataFrame(rows, columns=["segment", "share", "low", "high"])
    return frame.astype({"share": float, "low": float, "high": float})


def _of_segment(
    share: float, shares: JoinedShares, name: str, missing: float
) -> tuple[float, float]:
    """All missing items are this segment's, or none: then its share stands as it is."""
    joined = float(shares.items[name])
    left_out = missing / (joined + missing) if missing else 0.0
    low, high = bounds(share, missing=left_out, between=shares.extremes())
    return min(low, share), max(high, share)


def _share(part: float, whole: float, noun: str, level: float) -> Estimate:
    unit = f"share of {noun}"
    if not whole:
        return Estimate(point=None, low=None, high=None, level=level, unit=unit, method="Wilson",
                        n=0, note=f"not estimable: there are no {noun}")  # fmt: skip
    low, high = wilson(part / whole, n=whole, level=level)
    return Estimate(point=part / whole, low=low, high=high, level=level, unit=unit,
                    method="Wilson", n=int(whole))  # fmt: skip


def _table(join: AccountsJoin, level: float) -> pd.DataFrame:
    rows = []
    for at, name in enumerate(join.segments):
        one = {column: float(getattr(join, column)[at]) for column in COUNTS}
        share = _share(one["missing"], one["accounts"], "accounts", level)
        enforced = _share(one["enforced_missing"], one["enforced"], "enforced accounts", level)
        behind = one["items_missing"] / one["items"] if one["items"] else None
        rows.append((name, one["accounts"], one["missing"], share.point, share.low, share.high,
                     one["enforced"], one["enforced_missing"], enforced.point,
                     behind))  # fmt: skip
    columns = [
        "segment", "accounts", "missing", "missing_share", "low", "high", "enforced",
        "enforced_missing", "enforced_missing_share", "items_missing_share",
    ]  # fmt: skip
    counts = dict.fromkeys(("accounts", "missing", "enforced", "enforced_missing"), "int64")
    numbers = dict.fromkeys((name for name in columns[1:] if name not in counts), "float64")
    return pd.DataFrame(rows, columns=columns).astype(counts | numbers)


def _check(
    total: dict[str, float],
    enforced: Estimate,
    others: Estimate,
    behind: float,
    shares: JoinedShares | None,
) -> Check:
    name = "survivorship"
    if not total["accounts"]:
        return Check(name=name, verdict="not_run", label="no accounts to look for",
                     text="No account stands behind the items or the actions.")  # fmt: skip
    few = total["missing"] < SMALLEST_CELL
    missing = f"Fewer than {SMALLEST_CELL}" if few else exact(total["missing"])
    counted = (
        f"{missing} of {exact(total['accounts'])} accounts behind items or actions have no row in "
        "the accounts table"
    )
    if not total["missing"]:
        return Check(name=name, verdict="pass", label="no account is missing",
                     text="Every account behind items or actions has its row in the accounts "
                     "table: tables by segment of the accounts leave out "
                     "nobody.")  # fmt: skip
    text = counted
    # Shares of few accounts would tell how many they are.
    parts = (total["enforced_missing"], total["missing"] - total["enforced_missing"])
    large = min(parts) >= SMALLEST_CELL
    if large and enforced.point is not None and others.point is not None:
        text += (
            f", among them {percent(enforced.point)} of the enforced and {percent(others.point)} "
            "of the others"
        )
    text += f"; they posted {percent(behind)} of the items."
    moved, too_far = _moved(behind, shares)
    selected = enforced.low is not None and others.high is not None and enforced.low > others.high
    label = "enforced accounts vanish" if selected else "accounts are missing"
    return Check(
        name=name,
        verdict="fail" if too_far else "warn",
        label=label,
        text=text + moved,
    )


def _moved(behind: float, shares: JoinedShares | None) -> tuple[str, bool]:
    """How far a share after the join could be from the whole one, and whether that is too far."""
    if shares is None or shares.prevalence.point is None:
        return " Shares that need no accounts table are not touched.", False
    share = shares.prevalence
    assert share.point is not None
    low, high = bounds(share.point, missing=behind, between=shares.extremes())
    known = "whatever they are" if shares.extremes() == (0, 1) else "as far as labels tell"
    text = (
        f" A share of {percent(share.point)} after the join is between "
        f"{percent(low, digits=3)} and {percent(high, digits=3)} over all items, {known}."
    )
    if share.low is None or share.high is None:
        return text, False
    return text, low < share.low or high > share.high
