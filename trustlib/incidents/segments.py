"""Which segments moved: a counterfactual each, reconciled so that they add up to the total."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from trustlib.core import Check, Refusal, format
from trustlib.incidents.counterfactual import (
    Season,
    default_season,
    forecast,
    past_windows,
    whole_window_error,
)
from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized, on_quantum
from trustlib.incidents.spec import SizingSpec
from trustlib.stats.multiplicity import holm
from trustlib.stats.window_error import t_two_sided

MOST_SEGMENTS = 20
REST = "all others"
UNASSIGNED = "counts without a segment"
# Expected counts in the window below which a segment says nothing about itself.
_FEWEST_EXPECTED = 5.0
# Unless so many were counted: a segment that appears with the incident is the news.
_PLENTY = 20.0


@dataclass(frozen=True, kw_only=True)
class SegmentCounts:
    """One row of counts per segment on the grid.

    Attributes
    ----------
    names
        In the order of the table: most counts first.
    counts
        Shape (n_segments, n_buckets); each column adds up to the total.
    grouped
        How many segments were put together in the last but one rows.
    unassigned
        Counts of the total that belong to no segment.
    """

    names: tuple[str, ...]
    counts: np.ndarray
    grouped: int
    unassigned: float


def segment_counts(grid: Grid, segments: pd.DataFrame) -> SegmentCounts:
    """Place segments on the grid; beyond 20 the smallest are put together.

    Raises
    ------
    Refusal
        For missing columns, negative or infinite counts, or segments that add up to more
        than the total.
    """
    table = _pivot(grid, segments)
    total = np.where(np.isfinite(grid.count), grid.count, 0.0)
    counts = np.where(np.isfinite(grid.count), table.to_numpy().T, 0.0)
    rest = total - counts.sum(axis=0)
    tolerance = 1e-9 * np.maximum(total, 1.0)
    if (rest < -tolerance).any():
        raise Refusal(
            f"the segments add up to more than the total in {int((rest < -tolerance).sum())} "
            f"of {len(total)} buckets",
            next_step="give segments that do not overlap, from the rows that were counted",
        )
    rest = np.where(rest > tolerance, rest, 0.0)
    names = [str(name) for name in table.columns]
    order = sorted(range(len(names)), key=lambda i: (-counts[i].sum(), names[i]))
    kept, dropped = order[:MOST_SEGMENTS], order[MOST_SEGMENTS:]
    if len(dropped) == 1:
        kept, dropped = order, []
    rows = [counts[i] for i in kept]
    shown = [names[i] for i in kept]
    if dropped:
        rows.append(counts[dropped].sum(axis=0))
        shown.append(_free(REST, names))
    if rest.sum() > 0:
        rows.append(rest)
        shown.append(_free(UNASSIGNED, names))
    return SegmentCounts(
        names=tuple(shown),
        counts=np.stack(rows),
        grouped=len(dropped),
        unassigned=float(rest.sum()),
    )


def segment_table(grid: Grid, found: SegmentCounts, headline: Sized, level: float) -> pd.DataFrame:
    """Size each segment with the headline's method.

    Each segment has its own season; in every bucket the segments are then scaled by one
    factor, so that they add up to the total's counterfactual. The interval is measured on
    past windows of the scaled forecasts. `moved` holds at `level` for all segments
    together (Holm).
    """
    made = [forecast(grid, _own_season(grid, y), counts=y) for y in found.counts]
    expected = _reconciled([one.expected for one in made], headline.made.expected)
    left_out = _reconciled([one.left_out for one in made], headline.made.left_out)
    rows, p_values = [], []
    for i, name in enumerate(found.names):
        row, p = _row(grid, found.counts[i], expected[i], left_out[i], headline, level=level)
        rows.append({"segment": name, **row})
        p_values.append(p)
    frame = pd.DataFrame(rows)
    size = max(headline.actual, headline.expected)
    frame["expected"] = _adding_up(frame["expected"].to_numpy(), headline.expected, size=size)
    frame["actual"] = _adding_up(frame["actual"].to_numpy(), headline.actual, size=size)
    frame["excess"] = frame["actual"] - frame["expected"]
    frame["low"] = frame["excess"] - frame["margin"]
    frame["high"] = np.minimum(frame["excess"] + frame["margin"], frame["actual"])
    frame["share_of_excess"] = frame["excess"] / headline.excess if headline.excess != 0 else np.nan
    frame["moved"] = _moved(frame["excess"].to_numpy(), np.array(p_values), level=level)
    return frame[
        ["segment", "actual", "expected", "excess", "low", "high", "share_of_excess", "moved"]
    ]


def segment_check(found: SegmentCounts, table: pd.DataFrame, spec: SizingSpec) -> Check:
    """What was tested, how the table adds up, what was put together."""
    known = int((table["moved"] != "not estimable").sum())
    moved = int(table["moved"].isin(["up", "down"]).sum())
    text = (
        f"{moved} of {known} segments moved, with the chance of naming any wrongly held at "
        f"{format.percent(1 - spec.level)} over all of them (Holm). Their excess adds up to the "
        "total exactly; each interval stands for its own segment alone."
    )
    if found.grouped:
        text += f" The {found.grouped} smallest segments are shown together."
    if len(table) - known:
        text += f" {len(table) - known} are too small for an interval."
    if found.unassigned:
        share = found.unassigned / max(float(found.counts.sum()), 1.0)
        return Check(
            name="segments",
            verdict="warn",
            label="some counts have no segment",
            text=f"{format.percent(share)} of all counts belong to no segment and are shown "
            f"apart. {text}",
        )
    return Check(name="segments", verdict="pass", label="segments add up", text=text)


def _row(
    grid: Grid,
    counts: np.ndarray,
    expected: np.ndarray,
    left_out: np.ndarray,
    headline: Sized,
    *,
    level: float,
) -> tuple[dict[str, float], float]:
    """One segment's totals, half width and p-value (NaN where not estimable)."""
    actual = float(counts[grid.present].sum())
    mean = float(expected[grid.present].sum())
    past = past_windows(grid, counts=counts, expected=left_out, fitted=headline.made.fitted)
    enough = mean >= _FEWEST_EXPECTED or actual >= _PLENTY
    error = whole_window_error(past) if enough else None
    if error is None or headline.error is None:
        return {"actual": actual, "expected": mean, "margin": np.nan}, np.nan
    margin = error.margin(mean, level=level)
    p = t_two_sided((actual - mean) / error.standard_error(mean), error.degrees)
    return {"actual": actual, "expected": mean, "margin": margin}, p


def _moved(excess: np.ndarray, p_values: np.ndarray, *, level: float) -> list[str]:
    known = np.isfinite(p_values)
    moved = np.array(["not estimable"] * len(excess), dtype=object)
    moved[known] = "no clear move"
    sure = np.zeros(len(excess), dtype=bool)
    sure[known] = holm(p_values[known]) <= 1 - level
    moved[sure & (excess > 0)] = "up"
    moved[sure & (excess < 0)] = "down"
    return list(moved)


def _own_season(grid: Grid, counts: np.ndarray) -> Season:
    own = replace(grid, count=np.where(np.isfinite(grid.count), counts, np.nan))
    return default_season(own, control=False)


def _reconciled(parts: list[np.ndarray], total: np.ndarray) -> np.ndarray:
    """Parts scaled per bucket to add up to `total`; shape (n_parts, n_buckets)."""
    stacked = np.stack(parts)
    summed = stacked.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(summed > 0, total / summed, np.nan)
    even = np.broadcast_to(total / len(parts), stacked.shape)
    return np.where(np.isfinite(factor) | ~np.isfinite(total), stacked * factor, even)


def _adding_up(values: np.ndarray, total: float, *, size: float) -> np.ndarray:
    """`values`, rounded so that they add up to `total` to the last bit."""
    out = on_quantum(values, size=size)
    out[int(np.argmax(np.abs(out)))] += total - out.sum()
    return out


def _pivot(grid: Grid, segments: pd.DataFrame) -> pd.DataFrame:
    missing = [c for c in ("bucket_start_at", "segment", "count") if c not in segments]
    if missing:
        raise Refusal(f"the segments have no column {', '.join(missing)}")
    values = segments["count"].to_numpy(dtype=float)
    for fault, wrong in (("negative", values < 0), ("infinite", np.isinf(values))):
        if wrong.any():
            raise Refusal(f"segment counts are {fault} in {int(wrong.sum())} rows")
    keyed = segments.assign(segment=segments["segment"].astype(str))
    if keyed.duplicated(["bucket_start_at", "segment"]).any():
        n = int(keyed.duplicated(["bucket_start_at", "segment"]).sum())
        raise Refusal(f"a segment repeats within a bucket in {n} rows")
    table = keyed.pivot(index="bucket_start_at", columns="segment", values="count")
    table.index = pd.DatetimeIndex(table.index).tz_convert("UTC").as_unit("us")
    return table.reindex(grid.start_at).fillna(0.0)


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name = f"{name} (grouped)"
    return name
