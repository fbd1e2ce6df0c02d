"""What a join with the accounts table kept and lost, counted by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from trustlib.core import Estimate

FloatArray = npt.NDArray[np.float64]

COUNTS = ("accounts", "missing", "enforced", "enforced_missing", "items", "items_missing")


@dataclass(frozen=True, kw_only=True, eq=False)
class AccountsJoin:
    """Accounts behind items or actions, and how many of them the accounts table has.

    Attributes
    ----------
    segments
        (G,) values of a segment that the items themselves know (kind, week, market of the view),
        or ("all",).
    accounts, missing
        (G,) distinct accounts in items or actions, and those of them without a row in accounts.
    enforced, enforced_missing
        (G,) those with an action, and those of these that are missing.
    items, items_missing
        (G,) items of all accounts, and of the missing.

    An account or item with several values counts in each, so totals are not sums over segments.

    Raises
    ------
    ValueError
        If shapes differ, a count is below 0, or a part is larger than its whole.
    """

    segments: tuple[str, ...]
    accounts: FloatArray
    missing: FloatArray
    enforced: FloatArray
    enforced_missing: FloatArray
    items: FloatArray
    items_missing: FloatArray

    def __post_init__(self) -> None:
        for name in COUNTS:
            counts = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, counts)
            if counts.shape != (len(self.segments),) or not self.segments:
                raise ValueError(
                    f"AccountsJoin: {name} has shape {counts.shape}, one count for each of "
                    f"{len(self.segments)} segments is needed"
                )
            if not (np.isfinite(counts) & (counts >= 0)).all():
                raise ValueError(f"AccountsJoin: {name} needs counts of 0 or more")
        for part, whole in (
            ("missing", "accounts"),
            ("enforced", "accounts"),
            ("enforced_missing", "enforced"),
            ("enforced_missing", "missing"),
            ("items_missing", "items"),
        ):
            if (getattr(self, part) > getattr(self, whole)).any():
                raise ValueError(f"AccountsJoin: more {part} than {whole}")


@dataclass(frozen=True, kw_only=True, eq=False)
class JoinedShares:
    """Shares of violating items that were computed after the join with accounts.

    Attributes
    ----------
    prevalence
        Over all joined items.
    by_segment
        value of the accounts' segment -> its share among the joined items.
    items
        value -> joined items that it has.
    of_missing
        The share among items of missing accounts, where labels tell it; its interval's ends
        narrow the bounds.
    """

    prevalence: Estimate
    by_segment: Mapping[str, Estimate] = field(default_factory=dict)
    items: Mapping[str, float] = field(default_factory=dict)
    of_missing: Estimate | None = None

    def extremes(self) -> tuple[float, float]:
        """Least and most of the share among items of missing accounts."""
        one = self.of_missing
        if one is None or one.low is None or one.high is None:
            return 0.0, 1.0
        return one.low, one.high
