"""What is known: the labels of a sample, and the totals of the population it was drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledSample:
    """One row per labelled item of the window.

    Attributes
    ----------
    stratum
        (n,) codes 0 … S − 1.
    inclusion
        (n,) probability in (0, 1] with which the item came into the sample.
    label
        (n,) 1 violating, 0 not: the majority of the raters, or the final decision.
    views
        (n,) views of the item in the window, ≥ 0.
    actor
        (n,) codes of the account behind the item; −1 unknown.
    segments, segment_names
        name -> (n,) codes into segment_names[name]; −1 unknown.
    score
        (n,) of the model that ranks items, NaN where there is none.
    votes
        (n, n_raters) 1, 0, NaN not rated; may have no columns.

    Raises
    ------
    ValueError
        If lengths differ or a value is outside its range.
    """

    stratum: IntArray
    inclusion: FloatArray
    label: FloatArray
    views: FloatArray
    actor: IntArray
    segments: Mapping[str, IntArray] = field(default_factory=dict)
    segment_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    score: FloatArray
    votes: FloatArray

    def __post_init__(self) -> None:
        for name in ("inclusion", "label", "views", "score", "votes"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        for name in ("stratum", "actor"):
            object.__setattr__(self, name, _codes(getattr(self, name), name))
        codes = {name: _codes(values, f"segments {name}") for name, values in self.segments.items()}
        object.__setattr__(self, "segments", codes)
        self._check_lengths()
        self._check_ranges()

    def _check_lengths(self) -> None:
        n = len(self.stratum)
        for name in ("stratum", "inclusion", "label", "views", "actor", "score"):
            if getattr(self, name).shape != (n,):
                raise ValueError(
                    f"LabelledSample: {name} has shape {getattr(self, name).shape}, "
                    f"one value for each of {n:,} labels is needed"
                )
        if self.votes.ndim != 2 or len(self.votes) != n:
            raise ValueError(
                f"LabelledSample: votes has shape {self.votes.shape}, one row for each of {n:,} "
                "labels and one column for each rater is needed"
            )
        if set(self.segments) != set(self.segment_names):
            raise ValueError("LabelledSample: segments and segment_names differ in their names")
        for name, values in self.segments.items():
            if values.shape != (n,):
                raise ValueError(
                    f"LabelledSample: segment {name} has shape {values.shape}, one code for each "
                    f"of {n:,} labels is needed"
                )

    def _check_ranges(self) -> None:
        pi, views, votes = self.inclusion, self.views, self.votes
        _refuse(~((pi > 0) & (pi <= 1)), "inclusion", "above 0 and at most 1")
        _refuse(~np.isin(self.label, (0.0, 1.0)), "label", "1 (violating) or 0 (not)")
        _refuse(~(np.isfinite(views) & (views >= 0)), "views", "a number of 0 or more")
        _refuse(self.stratum < 0, "stratum", "a code from 0")
        _refuse(self.actor < -1, "actor", "a code from 0, or −1 for unknown")
        _refuse(np.isinf(self.score), "score", "finite, or missing")
        odd = ~(np.isnan(votes) | np.isin(votes, (0.0, 1.0)))
        _refuse(odd.any(axis=1), "votes", "1, 0 or missing")
        for name, values in self.segments.items():
            outside = (values < -1) | (values >= len(self.segment_names[name]))
            _refuse(outside, f"segment {name}", "a code into its names, or −1 for unknown")

    @property
    def n(self) -> int:
        """Labelled items."""
        return len(self.label)

    @property
    def cluster(self) -> IntArray:
        """(n,) codes from 0 of the actors; an item of an unknown actor is alone."""
        alone = self.actor.max(initial=-1) + 1 + np.arange(self.n)
        return np.unique(np.where(self.actor < 0, alone, self.actor), return_inverse=True)[1]

    def take(self, rows: npt.NDArray[Any]) -> LabelledSample:
        """The rows given by a mask (n,) or by positions, in that order."""
        return replace(
            self,
            **{
                name: getattr(self, name)[rows]
                for name in ("stratum", "inclusion", "label", "views", "actor", "score", "votes")
            },
            segments={name: values[rows] for name, values in self.segments.items()},
        )

    def in_order(self) -> LabelledSample:
        """The same rows in an order of their own, so that sums do not depend on the file's."""
        keys = (self.score, self.views, self.inclusion, self.label, self.actor, self.stratum)
        return self.take(np.lexsort(keys))


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """Known totals of the window, counted by the engine.

    Attributes
    ----------
    items, views
        (S,) of each stratum.
    strata
        Their S names.
    by_segment, views_by_segment
        name -> (n_values, S) items and views; rows in the order of the sample's segment_names.

    Raises
    ------
    ValueError
        If shapes differ or a total is not a number of 0 or more.
    """

    items: FloatArray
    views: FloatArray
    strata: tuple[str, ...]
    by_segment: Mapping[str, FloatArray] = field(default_factory=dict)
    views_by_segment: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("items", "views"):
            totals = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, totals)
            if totals.shape != (len(self.strata),):
                raise ValueError(
                    f"Population: {name} has shape {totals.shape}, one total for each of "
                    f"{len(self.strata)} strata is needed"
                )
            _refuse(~(np.isfinite(totals) & (totals >= 0)), name, "a number of 0 or more")
        if not self.strata or len(set(self.strata)) < len(self.strata):
            raise ValueError("Population: strata need names, each of its own")
        for name in ("by_segment", "views_by_segment"):
            tables = {k: np.asarray(v, dtype=np.float64) for k, v in getattr(self, name).items()}
            object.__setattr__(self, name, tables)
            for segment_name, table in tables.items():
                self._check_table(name, segment_name, table)

    def _check_table(self, name: str, segment_name: str, table: FloatArray) -> None:
        if table.ndim != 2 or table.shape[1] != len(self.strata):
            raise ValueError(
                f"Population: {name} of {segment_name} has shape {table.shape}, one row for each "
                f"value and one column for each of {len(self.strata)} strata is needed"
            )
        wrong = ~(np.isfinite(table) & (table >= 0)).all(axis=1)
        _refuse(wrong, f"{name} of {segment_name}", "a number of 0 or more")

    def totals(self, of: str) -> FloatArray:
        """(S,) items or views."""
        if of not in ("items", "views"):
            raise ValueError("a share is of items or of views")
        return self.items if of == "items" else self.views

    def within(self, name: str, code: int) -> Population:
        """The totals of one value of a segment.

        Raises
        ------
        ValueError
            If that segment has no totals.
        """
        if name not in self.by_segment or name not in self.views_by_segment:
            raise ValueError(f"Population: no totals by {name}")
        return replace(
            self,
            items=self.by_segment[name][code],
            views=self.views_by_segment[name][code],
            by_segment={},
            views_by_segment={},
        )


def segment(sample: LabelledSample, name: str, value: str) -> LabelledSample:
    """The rows of `sample` whose segment `name` is `value`.

    Raises
    ------
    ValueError
        If there is no such segment or value.
    """
    if name not in sample.segments:
        raise ValueError(f"there is no segment {name}; there are {', '.join(sample.segments)}")
    if value not in sample.segment_names[name]:
        raise ValueError(
            f"the value is none of the {len(sample.segment_names[name])} of segment {name}"
        )
    return sample.take(sample.segments[name] == sample.segment_names[name].index(value))


def matching(sample: LabelledSample, population: Population) -> None:
    """Refuse a sample whose strata are not those of the population.

    Raises
    ------
    ValueError
        If a stratum code has no total, or labels stand in a stratum that is empty.
    """
    strata = len(population.strata)
    _refuse(sample.stratum >= strata, "stratum", f"a code into the population's {strata} strata")
    empty = population.items[sample.stratum] <= 0
    _refuse(empty, "stratum", "one that has items in the population")


def _codes(values: object, name: str) -> IntArray:
    array = np.asarray(values)
    if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.floor(array))).all():
        raise ValueError(f"LabelledSample: {name} needs whole numbers")
    if array.dtype.kind not in "iuf" and array.size:
        raise ValueError(f"LabelledSample: {name} needs whole numbers")
    return array.astype(np.int64)


def _refuse(wrong: Any, name: str, needed: str) -> None:
    """Raise where a row is `wrong`; rows by number, never by what is in them."""
    if wrong.any():
        raise ValueError(
            f"{name}: {int(wrong.sum()):,} values are wrong, the first in row "
            f"{int(np.argmax(wrong)) + 1:,}; each must be {needed}"
        )
