"""Where the harm sits: combinations of attributes with a raised rate, found on one half of the
accounts and confirmed on the other.

All combinations of up to three attributes' values are searched on a random half of the accounts,
each against everybody else. What stands out there is only a candidate: the largest of thousands of
differences is always large. Each candidate is tested again on the half that was not looked at, and
the share of false ones among those confirmed is held by Benjamini and Hochberg's procedure over the
candidates (Yekutieli's on request). All figures that are reported come from the held-out half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import count, percent, plural
from trustlib.harm.sample import IntArray
from trustlib.harm.segment_cells import SegmentCells
from trustlib.harm.segment_sums import Combinations, attribute_combinations, side
from trustlib.harm.segment_tests import Compared, Side, false_discovery, raised

SUPPORT = 11  # accounts in a segment, both halves together
FEW = 25.0  # effective accounts with harm in a half
SEARCHED = 0.1  # p-value on the searched half that makes a candidate
OWN = 0.05  # p-value of what is raised on its own, beside a wider or sharper segment


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentSearch:
    """What stands out, and what of it holds.

    Attributes
    ----------
    segments
        One row per candidate, confirmed ones first: segment (text), attributes (name -> value),
        accounts (both halves), rate, comparison_rate (everybody else), ratio, low, high, p, q,
        share_of_harm, confirmed, explained_by (the segment that a confirmed one has its raised
        rate from; empty where it stands for itself). With growth, rates are after over before.
        Figures are the held-out half's.
    searched, candidates, confirmed
        Combinations looked at, tested again, and held.
    of
        "rate" or "growth".
    checks
        segments_confirmed, enough_harm.
    """

    segments: pd.DataFrame
    searched: int
    candidates: int
    confirmed: int
    of: str
    checks: tuple[Check, ...]


def segment_search(
    cells: SegmentCells,
    *,
    level: float = 0.95,
    false_discoveries: float = 0.05,
    dependent: bool = False,
    attributes: int = 3,
    support: int = SUPPORT,
    most: int = 50,
) -> SegmentSearch:
    """Search on half 0, confirm on half 1.

    Parameters
    ----------
    cells
        With `period`, growth (after over before) is searched, otherwise the rate.
    false_discoveries
        Expected share of false ones among the confirmed.
    dependent
        Yekutieli's bound: holds however the tests hang together.
    attributes
        Values that a segment is made of, at most.
    support
        Accounts that a segment has, at least, in both halves together.
    most
        Candidates that are tested again, at most; those that stand out most.

    Raises
    ------
    ValueError
        If an option is out of range.
    """
    if not 1 <= attributes <= 3 or support < 1 or most < 1 or not 0 < false_discoveries < 1:
        raise ValueError("segment_search: 1 to 3 attributes, support and most from 1, a share")
    found = attribute_combinations(cells, attributes, support)
    chosen = _candidates(found, level)
    candidates = found.take(chosen[:most])
    held = candidates.compared(1, level)
    q = false_discovery(held.p, dependent=dependent)
    confirmed = np.asarray(q <= false_discoveries, dtype=bool)
    harm = candidates.whole[1].harm
    frame = pd.DataFrame(
        {
            "segment": [_text(cells, row) for row in candidates.codes],
            "attributes": [_attributes(cells, row) for row in candidates.codes],
            "accounts": candidates.accounts,
            "rate": held.rate,
            "comparison_rate": held.other,
            "ratio": held.ratio,
            "low": held.low,
            "high": held.high,
            "p": held.p,
            "q": q,
            "share_of_harm": np.atleast_2d(candidates.inside[1].harm / harm)[-1],
            "confirmed": confirmed,
            "explained_by": _explained(cells, candidates, held, confirmed),
        }
    )
    order = np.lexsort([-held.low, held.p, ~confirmed])
    return SegmentSearch(
        segments=frame.iloc[order].reset_index(drop=True),
        searched=len(found.codes),
        candidates=len(q),
        confirmed=int(confirmed.sum()),
        of="rate" if cells.period is None else "growth",
        checks=(
            _segments_confirmed(len(found.codes), len(q), int(confirmed.sum()), false_discoveries),
            _enough_harm(found.whole),
        ),
    )


def _candidates(found: Combinations, level: float) -> IntArray:
    """Positions that stand out on the searched half, most first; no finer than they need be.

    A combination must also be raised against the rest of every coarser one that it is part of:
    otherwise the coarser one says it already.
    """
    if not len(found.codes):
        return np.zeros(0, dtype=np.int64)
    searched = found.compared(0, level)
    where = {tuple(row): at for at, row in enumerate(found.codes)}
    out = np.flatnonzero(searched.p <= SEARCHED)
    kept: list[int] = []
    for at in out:
        row = found.codes[at]
        wider = [where[key] for key in _wider(row) if key in where]
        if wider:
            own = found.inside[0].take(np.full(len(wider), at))
            rest = own.beside(found.inside[0].take(np.array(wider)))
            if (raised(own, rest, level=level).p > OWN).any():
                continue
        kept.append(int(at))
    order = sorted(kept, key=lambda at: (searched.p[at], tuple(found.codes[at])))
    return np.array(order, dtype=np.int64)


def _wider(row: IntArray) -> list[tuple[int, ...]]:
    """The combination with one of its values left open, each in turn."""
    at = np.flatnonzero(row >= 0)
    if len(at) < 2:
        return []
    return [tuple(np.where(np.arange(len(row)) == open_, -1, row)) for open_ in at]


def _explained(
    cells: SegmentCells, found: Combinations, held: Compared, confirmed: np.ndarray
) -> list[str]:
    """For each confirmed one that is no longer raised without the sharper ones: which it is."""
    text = [""] * len(confirmed)
    roots: list[int] = []
    taken = np.zeros(len(cells.half), dtype=bool)
    for at in sorted(np.flatnonzero(confirmed), key=lambda i: (-held.low[i], held.p[i], i)):
        row = found.codes[at]
        inside = (cells.codes == row)[:, row >= 0].all(axis=1)
        if roots:
            place = np.where(taken, -1, np.where(inside, 1, 0))
            left = side(cells, place, 2, half=1)
            again = raised(left.take(np.array([1])), left.take(np.array([0])), level=0.95)
            if again.p[0] > OWN:
                shared = [_overlap(cells, inside, found.codes[root]) for root in roots]
                text[at] = _text(cells, found.codes[roots[int(np.argmax(shared))]])
                continue
        roots.append(int(at))
        taken |= inside
    return text


def _overlap(cells: SegmentCells, inside: np.ndarray, row: IntArray) -> float:
    both = inside & (cells.codes == row)[:, row >= 0].all(axis=1)
    return float(cells.harm[both].sum())


def _attributes(cells: SegmentCells, row: IntArray) -> dict[str, str]:
    names = list(cells.names)
    return {names[k]: cells.names[names[k]][row[k]] for k in np.flatnonzero(row >= 0)}


def _text(cells: SegmentCells, row: IntArray) -> str:
    return " and ".join(f"{name} {value}" for name, value in _attributes(cells, row).items())


def _segments_confirmed(searched: int, candidates: int, held: int, share: float) -> Check:
    name, looked = "segments_confirmed", plural(searched, "combination")
    if not searched:
        return Check(name=name, verdict="not_run", label="no segment large enough",
                     text=f"No combination has {SUPPORT} accounts or more.")  # fmt: skip
    if not held:
        return Check(
            name=name,
            verdict="warn" if candidates else "pass",
            label="no segment stands out",
            text=f"{looked} looked at on one half of the accounts, {count(candidates)} of them "
            "stood out; none held on the other half. That does not show that all are alike.",
        )
    return Check(
        name=name,
        verdict="pass",
        label="segments hold on the other half",
        text=f"{looked} looked at on one half of the accounts, {count(candidates)} of them stood "
        f"out; {count(held)} held on the half that was not looked at. Of those, at most "
        f"{percent(share)} are expected to be false.",
    )


def _enough_harm(whole: tuple[Side, Side]) -> Check:
    effective = []
    for sums in whole:
        harm, spread = float(sums.harm.sum()), float(sums.variance.sum())
        effective.append(harm**2 / spread if spread > 0 else 0.0)
    least = min(effective)
    name = "enough_harm"
    if least < FEW:
        return Check(name=name, verdict="warn", label="little harm to search in",
                     text=f"A half has harm from about {count(round(least))} accounts' worth. Only "
                     "very large differences can be found.")  # fmt: skip
    return Check(name=name, verdict="pass", label="enough harm to search in",
                 text=f"Each half has harm from {count(round(least))} accounts' worth or "
                 "more.")  # fmt: skip
