"""What keeps two reports of one incident from being subtracted.

Each report withholds small cells on its own, by merging them into "the rest". Two of them together
say more: a segment merged then and shown now is taken off the earlier rest, and what stays behind
is what was withheld. So of two reports about the same cases

- what was merged stays merged;
- what is merged on top (because it has become small, or is gone, which is a count of 0) is never
  one segment alone, and counts 11 at least: the two rests' difference is no small cell;

The attack that is withstood (tests/postmortem/test_revisions.py): both reports at hand, and the
knowledge that every segment that was merged has not changed in between. What no merging can hide is
how much a total itself moved. It looks at one earlier report, so a chain of reports has to hand on
what was shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import pandas as pd

from trustlib.harm.small_cells import SMALLEST_CELL

REST = "the rest"
ALL = "all"
# Where values beyond the largest thirty were put together: who is in it changes as well.
_OTHER = "other"
_MERGED = re.compile(r"(the rest|all)( \(.*\))?")
_GROUP = ["segment", "side"]


def steady_count(now: float | None, then: float | None) -> float | None:
    """`now`, or `then` where the two differ by 1 to 10: a step that would count a few people."""
    if now is None or then is None or math.isnan(now) or math.isnan(then):
        return now
    return then if 0 < abs(now - then) < SMALLEST_CELL else now


def steady_groups(earlier: Sequence[Mapping[str, object]], current: pd.DataFrame) -> pd.DataFrame:
    """Segments with small ones merged, so that this report and the earlier one give none away.

    Parameters
    ----------
    earlier
        Rows "by_segment" as the earlier report published them: segment, value, side at least.
        Empty: nothing but the small ones is merged.
    current
        segment, value, side, items, point, low, high, best before any merging; items are whole
        numbers. Not changed.

    Returns
    -------
    The same columns; shown rows as given, then per segment and side at most one row "the rest"
    ("all" where nothing is left beside it): items and point are sums (NaN where a part is, or
    where all together are fewer than 11), low and high NaN, since intervals do not add up.
    """
    shown: dict[tuple[str, str], set[str]] = {}
    for row in earlier:
        key = (str(row.get("segment")), str(row.get("side")))
        shown.setdefault(key, set()).add(str(row.get("value")))
    parts = [
        _merged(own, shown.get((str(segment), str(side))))
        for (segment, side), own in current.groupby(_GROUP, sort=False)
    ]
    if not parts:
        return current.copy()
    return pd.concat(parts, ignore_index=True)


def _merged(own: pd.DataFrame, then: set[str] | None) -> pd.DataFrame:
    """One segment and side; `then` are the values that the earlier report had a row for."""
    hidden = _hidden(own, then)
    if not hidden.any() and not _gone(own, then):
        return own
    order = own.sort_values(["items", "value"], kind="stable").index
    for label in order:
        if _enough(own, hidden, then):
            break
        hidden[label] = True
    if not hidden.any():
        return own
    others = own[hidden]
    row = {name: others[name].iloc[0] for name in _GROUP}
    row |= {"value": ALL if hidden.all() else REST, "low": math.nan, "high": math.nan}
    row |= {name: others[name].sum(skipna=False) for name in ("items", "point")}
    if not row["items"] >= SMALLEST_CELL:  # there is no more to merge it with
        row |= {"items": math.nan, "point": math.nan}
    numbers = dict.fromkeys(["point", "low", "high"], float)
    tail = pd.DataFrame([row])[list(own.columns)].astype(numbers)
    return pd.concat([own[~hidden].astype(numbers), tail], ignore_index=True)


def _hidden(own: pd.DataFrame, then: set[str] | None) -> pd.Series:
    """What is merged whatever else is: small ones, and what was not shown beside a rest."""
    value = own["value"].astype(str)
    hidden = ~(own["items"] >= SMALLEST_CELL) | _is_merged(value)
    if then is not None and _had_rest(then):
        hidden |= ~value.isin(then) | value.eq(_OTHER)
    return hidden


def _enough(own: pd.DataFrame, hidden: pd.Series, then: set[str] | None) -> bool:
    """Whether neither the rest nor what is new in it is a small cell."""
    value = own["value"].astype(str)
    gone = _gone(own, then)
    n_hidden = int(hidden.sum()) + gone
    # A row that is merged already stands for two at least.
    n_hidden += int((hidden & _is_merged(value)).sum())
    if n_hidden and (n_hidden < 2 or own.loc[hidden, "items"].sum() < SMALLEST_CELL):
        return False
    if then is None:
        return True
    fresh = hidden & ~_is_merged(value)
    if _had_rest(then):
        fresh &= value.isin(then) & value.ne(_OTHER)
    n_fresh = int(fresh.sum()) + gone
    return n_fresh == 0 or (n_fresh >= 2 and own.loc[fresh, "items"].sum() >= SMALLEST_CELL)


def _gone(own: pd.DataFrame, then: set[str] | None) -> int:
    """How many values were shown then and have no row now: a count of 0 each."""
    if then is None:
        return 0
    left = {v for v in then if not _MERGED.fullmatch(v) and v != _OTHER}
    return len(left - set(own["value"].astype(str)))


def _is_merged(value: pd.Series) -> pd.Series:
    return value.str.fullmatch(_MERGED.pattern)


def _had_rest(then: set[str]) -> bool:
    return any(_MERGED.fullmatch(value) for value in then) or _OTHER in then
