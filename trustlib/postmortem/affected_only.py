"""Did the segments that the suspected cause reached move, and the others not.

With r the relative excess of the affected segments together, the factor is supported where

- every affected segment that has an interval moved, in one direction (Holm over all segments, as
  in the sizing), and
- every unaffected segment that can tell lies within ± |r| / 2 with its whole interval. A segment
  can tell where its interval is narrower than |r|: no wider one could lie within, wherever it is.
  Those that can tell have to hold half of the unaffected segments' expected events at least.

"No clear move" alone would not do: a segment with a wide interval never moves clearly. All of
several conditions have to hold, so no correction for their number is needed (Berger 1982,
Technometrics 24).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Estimate, format
from trustlib.incidents import SizingResult
from trustlib.postmortem.affected_sets import Sets, sets
from trustlib.postmortem.factor import Factor, FactorVerdict, not_tested
from trustlib.postmortem.spec import PostmortemSpec

FACTOR = "only the segments that the suspected cause reached"
TEST = "segments that moved, and segments shown not to"
METHOD = "affected segments' excess over expected, half widths added"
_FEWEST_SHARE = 0.5
_WEAK = (
    "Segments that a change reached often differ from the others in more than that, and this is "
    "one incident."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Unaffected:
    """Unaffected segments with an interval: relative ends, and what they can tell."""

    segment: pd.Series
    low: np.ndarray
    high: np.ndarray
    tells: np.ndarray
    within: np.ndarray
    as_much: np.ndarray


def affected_only(sizing: SizingResult, *, spec: PostmortemSpec) -> Factor:
    """Whether the excess sits where the suspected cause was, and nowhere else."""
    if sizing.segments is None:
        return not_tested(FACTOR, TEST, "the counts have no segments")
    if not spec.affected_segments:
        return not_tested(FACTOR, TEST, "affected_segments does not say which a cause reached")
    parts = sets(sizing.segments, spec.affected_segments)
    known = parts.affected[parts.affected["low"].notna()]
    others = parts.unaffected[parts.unaffected["low"].notna()]
    if known.empty:
        return not_tested(FACTOR, TEST, "no affected segment has enough events for an interval")
    if others.empty:
        return not_tested(FACTOR, TEST, "no unaffected segment has enough events for an interval")
    effect = _relative(known, level=sizing.spec.level)
    assert effect.point is not None
    unaffected = _unaffected(others, relative=effect.point)
    share = _share_that_tells(parts.unaffected, unaffected)
    verdict, told = _judged(known, unaffected, parts, share=share)
    if parts.tellable and verdict != "not tested":
        told = f"{told} {_numbers(effect, unaffected, parts)}"
    if parts.unknown:
        n = format.plural(parts.unknown, "segment")
        told += f" {n} of affected_segments has no row of its own in the sizing."
    text = f"{told} {_WEAK}"
    return Factor(factor=FACTOR, test=TEST, verdict=verdict, text=text, effect=effect)


def _relative(known: pd.DataFrame, *, level: float) -> Estimate:
    """Half widths add up where errors move together, which is the widest they can be."""
    expected = max(float(known["expected"].sum()), 0.5)
    ends = (float(known[name].sum()) / expected for name in ("low", "high"))
    point = float(known["excess"].sum()) / expected
    low, high = ends
    return Estimate(
        point=point, low=low, high=high, level=level, unit="share", method=METHOD, n=len(known)
    )


def _unaffected(others: pd.DataFrame, *, relative: float) -> _Unaffected:
    expected = np.maximum(others["expected"].to_numpy(dtype=float), 0.5)
    low, high = (others[name].to_numpy(dtype=float) / expected for name in ("low", "high"))
    half = abs(relative) / 2
    sign = 1.0 if relative > 0 else -1.0
    moved = others["moved"].isin(["up", "down"]).to_numpy()
    reach = np.maximum(sign * low, sign * high)
    return _Unaffected(
        segment=others["segment"],
        low=low,
        high=high,
        tells=(high - low) < 2 * half,
        within=(low > -half) & (high < half),
        as_much=moved & (reach >= half),
    )


def _share_that_tells(unaffected: pd.DataFrame, found: _Unaffected) -> float:
    whole = float(unaffected["expected"].sum())
    telling = unaffected["segment"].isin(found.segment[found.tells])
    return float(unaffected["expected"][telling].sum()) / whole if whole > 0 else 0.0


def _judged(
    known: pd.DataFrame, found: _Unaffected, parts: Sets, *, share: float
) -> tuple[FactorVerdict, str]:
    ways = set(known["moved"])
    n_known = format.plural(len(known), "affected segment")
    moved = int(known["moved"].isin(["up", "down"]).sum())
    if moved < len(known) or len(ways) > 1:
        return "not supported", (
            f"{moved} of {n_known} moved clearly"
            + (", in different directions." if moved == len(known) else ".")
        )
    way = ways.pop()
    head = f"{moved} of {n_known} moved {way}."
    n, tells = len(parts.unaffected), int(found.tells.sum())
    if found.as_much.any():
        return "not supported", (
            f"{head} So did {int(found.as_much.sum())} of {n} unaffected, by half as much or more."
        )
    if share < _FEWEST_SHARE:
        return "not supported", (
            f"{head} Of {format.plural(n, 'unaffected segment')} only {tells} can tell: the "
            "others have intervals too wide to rule out that they moved half as much."
        )
    outside = found.tells & ~found.within
    if outside.any():
        return "not supported", (
            f"{head} {int(outside.sum())} of {n} unaffected may have moved half as much, or the "
            "other way: their intervals do not rule it out."
        )
    rest = f"; {n - tells} are too small to tell" if n > tells else ""
    return "supported", (
        f"{head} {tells} of {format.plural(n, 'unaffected segment')} moved by less than half of "
        f"that, with their whole intervals{rest}."
    )


def _numbers(effect: Estimate, found: _Unaffected, parts: Sets) -> str:
    """Per cents; `Sets.tellable` has to hold."""
    text = (
        f"The affected are {_signed(effect.point)} off what was expected (at least "
        f"{format.level(effect.level)} interval {_signed(effect.low)} to {_signed(effect.high)})"
    )
    told = found.tells & found.segment.isin(parts.alone).to_numpy()
    if told.any():
        low, high = float(found.low[told].min()), float(found.high[told].max())
        text += (
            f"; {int(told.sum())} unaffected with enough events to be shown lie within "
            f"{_signed(low)} to {_signed(high)}"
        )
    return f"{text}."


def _signed(share: float | None) -> str:
    return format.percent(share, sign=True)
