"""Which segments may be shown: small cells are merged, so that nothing can be worked back.

A segment with fewer than 11 events is not shown on its own, nor is anything that would reveal it.
Crossing out one cell is not enough: rows add up to the published total. So the small segments are
merged into one row, "the rest", together with the next smallest ones until that row holds at
least two segments and at least 11 events. Zero counts as small. Whatever a view, a CSV file or
results.json shows of segments is made from these rows.
"""

from __future__ import annotations

import pandas as pd

SMALLEST_CELL = 11
_ADD = ["actual", "expected", "excess", "share_of_excess"]


def published_segments(segments: pd.DataFrame, *, most: int | None = None) -> pd.DataFrame:
    """`SizingResult.segments` as it may leave the notebook, largest absolute excess first.

    Parameters
    ----------
    segments
        Columns segment, actual, expected, excess, low, high, share_of_excess, moved.
    most
        At most so many rows; the others join "the rest", which then comes last.

    Returns
    -------
    The same columns. Sums over rows are those of `segments`. The merged row has no interval
    (intervals do not add up) and `moved` is "not estimable".
    """
    ranked = segments.sort_values("excess", key=lambda x: -x.abs(), kind="stable")
    merged = _merged(ranked, most)
    if not merged.any():
        return ranked.reset_index(drop=True)
    others = ranked[merged]
    word = "all" if merged.all() else "the rest"
    noun = "segment" if len(others) == 1 else "segments"
    row = {"segment": f"{word} ({len(others)} {noun})", "low": float("nan"), "high": float("nan")}
    row |= {name: others[name].sum(min_count=1) for name in _ADD} | {"moved": "not estimable"}
    tail = pd.DataFrame([row])[list(ranked.columns)].astype(ranked.dtypes.to_dict())
    return pd.concat([ranked[~merged], tail], ignore_index=True)


def _merged(ranked: pd.DataFrame, most: int | None) -> pd.Series:
    """Which rows join "the rest"."""
    merged = ~(ranked["actual"] >= SMALLEST_CELL)  # a missing count is no large one
    if most is not None and len(ranked) > most:
        merged |= pd.Series(range(len(ranked)), index=ranked.index) >= most - 1
    if not merged.any():
        return merged
    for label in ranked["actual"].sort_values(kind="stable").index:
        if merged.sum() >= 2 and ranked.loc[merged, "actual"].sum() >= SMALLEST_CELL:
            break
        merged[label] = True
    return merged
