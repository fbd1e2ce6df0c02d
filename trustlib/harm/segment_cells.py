"""What the segment search works on: weighted counts by actor (or cell), attributes and half."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trustlib.harm.sample import FloatArray, IntArray, LabelledSample
from trustlib.harm.share import Of, mass

MOST_ACTORS = 2**32  # codes stay below: a group and an actor are sorted as one number
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentCells:
    """Rows that add up: one per combination of attributes, or per actor and combination.

    Attributes
    ----------
    codes
        (N, K) of each row into `names`; −1 unknown.
    names
        attribute -> its values' names, K of them.
    half
        (N,) 0 searched, 1 held out; all rows of an actor in the same one (see `half_of`).
    size
        (N,) items or views that the row stands for, weighted.
    harm
        (N,) of these, violating ones, weighted.
    actor
        (N,) codes, ≥ 0, where rows are per actor; an actor's rows are counted together. None
        where rows are whole cells, and then `actors` and `variance` are needed.
    actors
        (N,) accounts in the cell. They are added up: right where attributes are the accounts'.
    variance
        (N,) of `harm`: Σ over the cell's accounts of (their weighted harm)².
    period
        (N,) 0 before, 1 after: only where growth is searched for.

    Raises
    ------
    ValueError
        If shapes differ, an actor stands in both halves, or a number is outside its range.
    """

    codes: IntArray
    names: Mapping[str, tuple[str, ...]]
    half: IntArray
    size: FloatArray
    harm: FloatArray
    actor: IntArray | None = None
    actors: IntArray | None = None
    variance: FloatArray | None = None
    period: IntArray | None = None

    def __post_init__(self) -> None:
        n = len(self.half)
        if self.codes.shape != (n, len(self.names)):
            raise ValueError("SegmentCells: codes need a row per half and a column per attribute")
        if (self.actor is None) == (self.actors is None or self.variance is None):
            raise ValueError("SegmentCells: either actor, or both actors and variance, are needed")
        for name in ("size", "harm", "actor", "actors", "variance"):
            values = getattr(self, name)
            if values is not None and values.shape != (n,):
                raise ValueError(f"SegmentCells: {name} needs {n:,} values")
            if values is not None and not (np.isfinite(values) & (values >= 0)).all():
                raise ValueError(f"SegmentCells: {name} needs numbers of 0 or more")
        for column, known in zip(self.codes.T, self.names.values(), strict=True):
            if ((column < -1) | (column >= len(known))).any():
                raise ValueError("SegmentCells: a code has no name")
        for name in ("half", "period"):
            values = getattr(self, name)
            if values is not None and not (values.shape == (n,) and np.isin(values, (0, 1)).all()):
                raise ValueError(f"SegmentCells: {name} needs 0 or 1 for each row")
        if self.actor is not None:
            if (self.actor >= MOST_ACTORS).any():
                raise ValueError("SegmentCells: actors need codes below 2 to the 32")
            pairs = np.unique(self.actor * 2 + self.half)
            if len(np.unique(pairs // 2)) < len(pairs):
                raise ValueError("SegmentCells: an actor stands in both halves")


def half_of(actor: IntArray, *, seed: int = 0) -> IntArray:
    """(n,) 0 or 1 for each actor's code: the same actor falls into the same half, in any order.

    SplitMix64 (Steele, Lea and Flood 2014) of code and seed.
    """
    with np.errstate(over="ignore"):
        x = np.asarray(actor).astype(np.uint64) + np.uint64(seed + 1) * _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(63)).astype(np.int64)


def cells_of_sample(
    sample: LabelledSample,
    attributes: Sequence[str] | None = None,
    *,
    of: Of = "items",
    period: IntArray | None = None,
    seed: int = 0,
) -> SegmentCells:
    """Rows by actor and combination of the sample's segments; an unknown actor's item is alone.

    Parameters
    ----------
    attributes
        Names of the sample's segments; all where not given.
    period
        (n,) 0 or 1 for each label.

    Raises
    ------
    ValueError
        If there is no such segment.
    """
    names = tuple(sample.segments) if attributes is None else tuple(attributes)
    missing = [name for name in names if name not in sample.segments]
    if missing or not names:
        raise ValueError(f"there is no segment {', '.join(missing) or 'to search'}")
    if period is not None:
        # Ordered together with the rows: what an item that stands alone is called hangs on it.
        held = dict(sample.segments) | {"": np.asarray(period, dtype=np.int64)}
        known = dict(sample.segment_names) | {"": ("before", "after")}
        sample = replace(sample, segments=held, segment_names=known)
    sample = sample.in_order()
    weight, actor = mass(sample, of), sample.cluster
    # Halves by the account's own code, so that the rest of the sample does not move it.
    alone = sample.actor.max(initial=-1) + 1 + np.arange(sample.n)
    own = np.where(sample.actor < 0, alone, sample.actor)
    keys = [actor, half_of(own, seed=seed), *(sample.segments[name] for name in names)]
    keys.append(sample.segments[""] if period is not None else np.zeros_like(actor))
    rows, place = np.unique(np.column_stack(keys), axis=0, return_inverse=True)
    place = place.reshape(-1)
    return SegmentCells(
        codes=rows[:, 2:-1],
        names={name: sample.segment_names[name] for name in names},
        half=rows[:, 1],
        size=np.bincount(place, weight, minlength=len(rows)).astype(np.float64),
        harm=np.bincount(place, weight * sample.label, minlength=len(rows)).astype(np.float64),
        actor=rows[:, 0],
        period=None if period is None else rows[:, -1],
    )
