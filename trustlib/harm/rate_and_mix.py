"""Why a rate moved: within segments (rate), or because segments grew and shrank (mix).

Kitagawa's decomposition (1955, JASA 50) with the interaction folded in halves. With shares w and
rates r of the segments, before (0) and after (1),

    R1 − R0 = Σ (w0 + w1)/2 · (r1 − r0)  +  Σ (r0 + r1)/2 · (w1 − w0)

Several dimensions are nested: the rate within each market is taken apart again by surface, and so
on, so that there is one mix part per dimension and one rate part, and they add up exactly. The
order of the dimensions matters for how the mix is split, not for the sum of the mix parts and the
rate part of one dimension.

A segment that is there in one period only has no rate in the other. It is given its own rate for
both: all that it brings is then mix.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import ndtri

from trustlib.core import Check, Estimate
from trustlib.core.format import percent
from trustlib.harm.rate_cells import RateCells
from trustlib.harm.sample import FloatArray, IntArray

METHOD = "Kitagawa decomposition, delta method"
UNCOVERED = 0.05  # share of a period without labels that is too much


@dataclass(frozen=True, kw_only=True, eq=False)
class RateAndMix:
    """A rate's move, taken apart.

    Attributes
    ----------
    before, after, change
        The rate in both periods and its move, of the cells that could be compared.
    rate
        The part of the move that happened within the cells.
    mix
        dimension -> the part that its values' growing and shrinking made.
    by_segment
        One row per value of the first dimension: segment, share_before, share_after,
        rate_before, rate_after, rate_part, inner_mix_part (mix of the further dimensions within
        it), mix_part, total, low, high, note. A segment's own mix part is taken against the
        average rate: one with a higher rate than the average raises the whole when it grows.
    covered
        (2,) part of each period's items that the decomposition is about.
    checks
        decomposition_covered, rates_known.
    """

    before: Estimate
    after: Estimate
    change: Estimate
    rate: Estimate
    mix: Mapping[str, Estimate]
    by_segment: pd.DataFrame
    covered: FloatArray
    checks: tuple[Check, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """Every part as weights on the cells' rates: part = Σ weight · rate, over both periods.

    `whole` (2, 2, C): the rate before and after. `rate` (2, C): the rate part. `mix` (D, 2, C).
    `segment` (V, 3, 2, C): rate part, inner mix part and own mix part of each value.
    """

    whole: FloatArray
    rate: FloatArray
    mix: FloatArray
    segment: FloatArray


def rate_and_mix(cells: RateCells, *, level: float = 0.95, unit: str = "share") -> RateAndMix:
    """Take the move of a rate between two periods apart.

    Sizes are known; given them, every part is linear in the rates, so its variance follows
    exactly from theirs, or from the actors' influences on them. Where one actor has items in many
    cells, or in both periods, the cells are not independent: make them with `cells_of_actors`.

    Cells with items but no rate in a period are left out of both periods.

    Raises
    ------
    ValueError
        If no cell with a rate is left in one of the periods.
    """
    cells, covered = _comparable(cells)
    parts = decomposition(cells.codes, cells.size)
    z = float(ndtri(0.5 + level / 2))

    def estimate(weights: FloatArray) -> Estimate:
        point, error = _sum(weights, cells.rate), _error(cells, weights)
        return Estimate(
            point=point, low=point - z * error, high=point + z * error, level=level, unit=unit,
            method=METHOD, n=cells.labels, standard_error=error,
        )  # fmt: skip

    return RateAndMix(
        before=estimate(parts.whole[0]),
        after=estimate(parts.whole[1]),
        change=estimate(parts.whole[1] - parts.whole[0]),
        rate=estimate(parts.rate),
        mix={name: estimate(parts.mix[d]) for d, name in enumerate(cells.names)},
        by_segment=_by_segment(cells, parts, z),
        covered=covered,
        checks=(_covered(covered), _rates_known(cells)),
    )


def decomposition(codes: IntArray, size: FloatArray) -> Parts:
    """The parts' weights, from the cells' codes (C, D) and their sizes (2, C)."""
    cells, depth = codes.shape
    share = size / size.sum(axis=1, keepdims=True)
    # w_t(c | its group), the group's own share in its parent's, and Π of mean shares above it.
    above, parent = np.ones(cells), np.zeros(cells, dtype=np.int64)
    parent_share = np.ones((2, cells))
    mix = np.zeros((depth, 2, cells))
    values = int(codes[:, 0].max()) + 1
    segment = np.zeros((values, 3, 2, cells))
    own = codes[:, 0] == np.arange(values)[:, None]
    for d in range(depth):
        group = np.unique(np.column_stack([parent, codes[:, d]]), axis=0, return_inverse=True)[1]
        group = group.reshape(-1)
        group_share = np.stack([np.bincount(group, row)[group] for row in share]).astype(float)
        conditional = _conditional(group_share, parent_share)
        inside = _conditional(share, group_share)
        moved = above * (conditional[1] - conditional[0])
        # Σ over a group's cells of `inside` · rate is the group's rate; half of each period's,
        # or all of the one period in which the group is there.
        there = group_share > 0
        half = np.where(there, np.where(there.all(axis=0), 0.5, 1.0), 0.0)
        mix[d] = moved * half * inside
        above = above * conditional.mean(axis=0)
        parent, parent_share = group, group_share
    alive = (size > 0).all(axis=0)
    rate = np.where(alive, above, 0.0) * np.array([[-1.0], [1.0]])
    segment[:, 0] = rate * own[:, None, :]
    segment[:, 1] = mix[1:].sum(axis=0) * own[:, None, :]
    # Own mix against the average rate: Σ of the moves is 0, so the sum stays what it is.
    change = (share * own[:, None, :]).sum(axis=2) @ np.array([-1.0, 1.0])
    segment[:, 2] = mix[0] * own[:, None, :] - change[:, None, None] * share / 2
    whole = np.zeros((2, 2, cells))
    whole[0, 0], whole[1, 1] = share
    return Parts(whole=whole, rate=rate, mix=mix, segment=segment)


def _conditional(part: FloatArray, whole: FloatArray) -> FloatArray:
    """part / whole; in a period where the whole is absent, as in the other one."""
    out = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    for at in (0, 1):
        out[at] = np.where(whole[at] > 0, out[at], out[1 - at])
    return out


def _comparable(cells: RateCells) -> tuple[RateCells, FloatArray]:
    """Cells whose rate is known wherever they have items; and the part of items they hold."""
    blind = ((cells.size > 0) & ~np.isfinite(cells.rate)).any(axis=0)
    kept = ~blind & (cells.size > 0).any(axis=0)
    size = cells.size[:, kept]
    if not (size.sum(axis=1) > 0).all():
        raise ValueError("rate_and_mix: a period has no cell that has both items and a rate")
    influence = cells.influence
    if influence is not None:
        influence = csr_array(influence.tocsc()[:, np.flatnonzero(np.tile(kept, 2))])
    # Where a cell is absent no part has weight on its rate.
    rate, variance = (
        np.where(size > 0, values[:, kept], 0.0) for values in (cells.rate, cells.variance)
    )
    left = replace(
        cells, codes=cells.codes[kept], size=size, rate=rate, variance=variance,
        influence=influence,
    )  # fmt: skip
    return left, size.sum(axis=1) / cells.size.sum(axis=1)


def _sum(weights: FloatArray, values: FloatArray) -> float:
    return math.fsum((weights * values).ravel())


def _error(cells: RateCells, weights: FloatArray) -> float:
    """Standard error of Σ weights · rate."""
    if cells.influence is None:
        return math.sqrt(_sum(weights**2, cells.variance))
    moved = cells.influence @ weights.ravel()
    actors = len(moved)
    return math.sqrt(math.fsum(moved**2) * actors / max(actors - 1, 1))


def _by_segment(cells: RateCells, parts: Parts, z: float) -> pd.DataFrame:
    rows = []
    names = next(iter(cells.names.values()))
    for value in np.unique(cells.codes[:, 0]):
        at = cells.codes[:, 0] == value
        own = cells.size[:, at].sum(axis=1)
        share = own / cells.size.sum(axis=1)
        rates = [
            _sum(cells.size[t, at] / own[t], cells.rate[t, at]) if own[t] > 0 else math.nan
            for t in (0, 1)
        ]
        within, inner, mixed = (_sum(weights, cells.rate) for weights in parts.segment[value])
        weights = parts.segment[value].sum(axis=0)
        total, half = _sum(weights, cells.rate), z * _error(cells, weights)
        rows.append(
            {
                "segment": names[value],
                "share_before": share[0],
                "share_after": share[1],
                "rate_before": rates[0],
                "rate_after": rates[1],
                "rate_part": within,
                "inner_mix_part": inner,
                "mix_part": mixed,
                "total": total,
                "low": total - half,
                "high": total + half,
                "note": _note(own),
            }
        )
    return pd.DataFrame(rows)


def _note(own: FloatArray) -> str:
    if own[0] == 0:
        return "new: all that it brings is mix"
    if own[1] == 0:
        return "gone: all that it takes away is mix"
    return ""


def _covered(covered: FloatArray) -> Check:
    name, least = "decomposition_covered", float(covered.min())
    if least == 1:
        return Check(name=name, verdict="pass", label="labels throughout",
                     text="Every part that has items has labels in both periods.")  # fmt: skip
    much = least < 1 - UNCOVERED
    return Check(
        name=name,
        verdict="warn" if much else "pass",
        label="parts left out of the comparison" if much else "labels nearly throughout",
        text="Some parts have items but no labels in one of the periods, or cannot be named. The "
        f"comparison is about the others, {percent(least)} of the items or more.",
    )


def _rates_known(cells: RateCells) -> Check:
    blank = (cells.size > 0) & (cells.variance == 0) & np.isin(cells.rate, (0.0, 1.0))
    share = cells.size / cells.size.sum(axis=1, keepdims=True)
    weight, name = float((share * blank).sum(axis=1).max()), "rates_known"
    if weight > UNCOVERED:
        return Check(
            name=name,
            verdict="warn",
            label="parts with one kind of label",
            text=f"Parts with up to {percent(weight)} of the items have labels of one kind only. "
            "They add nothing to the intervals, which are too narrow by what they hide.",
        )
    return Check(name=name, verdict="pass", label="both kinds of label",
                 text="Nearly all items stand in parts where both kinds of label were "
                 "seen.")  # fmt: skip
