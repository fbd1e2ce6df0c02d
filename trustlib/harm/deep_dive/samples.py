"""The labelled samples of a deep-dive, each beside the totals of what it was drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.sample import FloatArray, IntArray, LabelledSample, Population


@dataclass(frozen=True, kw_only=True, eq=False)
class WeekSample:
    """The labels of the items made in one week, and that week's totals.

    Attributes
    ----------
    at
        The week's Monday, aware.
    sample
        None without labels.
    """

    at: pd.Timestamp
    sample: LabelledSample | None
    population: Population


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """What was labelled, and what it stands for.

    Attributes
    ----------
    items, items_population
        Labelled items made in the window; None without labels. The population counts items made,
        and views seen, in the window.
    rows_of_items
        The rows of `AbuseRows.sample` that stand in `items`, in the same order.
    views, views_population
        Labelled views seen in the window, each with views = 1; None without labels. Both totals
        of the population count views, so that a share of its "items" is a share of views.
    seen, seen_population
        Labelled items, whenever made, that were seen in the window: for a share of views where no
        view was labelled. None without labels or views.
    weeks
        From history_start on, in order of time.
    outside
        Labels of items, and of views, in strata that have no count: they are left out.
    """

    items: LabelledSample | None
    items_population: Population
    rows_of_items: pd.DataFrame
    views: LabelledSample | None
    views_population: Population
    seen: LabelledSample | None
    seen_population: Population
    weeks: tuple[WeekSample, ...]
    outside: tuple[int, int]


def samples(rows: AbuseRows, spec: DeepDiveSpec) -> Samples:
    """The samples of the window and of each week of the history.

    Strata that the tables count have these totals. Where labels of views stand in other strata,
    their own weights share out the views.
    """
    values = _values(rows, spec.segments)
    whole = _population(rows.population, rows.by_segment, values)
    inside = rows.sample[rows.sample["in_window"].to_numpy(bool)]
    kept = inside[_counted(inside, whole)].reset_index(drop=True)
    seen_rows = rows.sample[rows.sample["views"].to_numpy(float) > 0]
    made = rows.weeks.groupby("stratum", sort=True)["items"].sum().reset_index()
    ever = _population(
        rows.population.drop(columns="items").merge(made, on="stratum", how="left"), None, values
    )
    seen_rows = seen_rows[_counted(seen_rows, ever)]
    view_rows = rows.view_sample[rows.view_sample["in_window"].to_numpy(bool)]
    of_views, views_inside = _of_views(view_rows, whole)
    return Samples(
        items=_items(kept, whole, values, rows.votes),
        items_population=whole,
        rows_of_items=kept,
        views=_views(view_rows[views_inside], of_views, values),
        views_population=of_views,
        seen=_items(seen_rows, ever, values, rows.votes),
        seen_population=ever,
        weeks=_weeks(rows, values),
        outside=(len(inside) - len(kept), int((~views_inside).sum())),
    )


# What gathers items without a value: those of removed accounts above all, so that it is no segment
# to look into, and stands out because it was acted on.
UNKNOWN = "unknown"

Values = Mapping[str, tuple[str, ...]]
BoolArray = npt.NDArray[np.bool_]


def _values(rows: AbuseRows, segments: tuple[str, ...]) -> Values:
    """Segment -> its values, those with most items first."""
    found = {}
    for name in segments:
        of_segment = rows.by_segment[rows.by_segment["segment"] == name]
        items = of_segment.groupby("value")["items"].sum()
        if len(items):
            found[name] = tuple(sorted(items.index, key=lambda value: (-items[value], value)))
    return found


def _population(totals: pd.DataFrame, by: pd.DataFrame | None, values: Values) -> Population:
    totals = totals.fillna({"items": 0.0, "views": 0.0}).sort_values("stratum")
    strata = tuple(totals["stratum"])
    if not strata:
        return Population(items=np.zeros(1), views=np.zeros(1), strata=("all",))
    return Population(
        items=totals["items"].to_numpy(float),
        views=totals["views"].to_numpy(float),
        strata=strata,
        by_segment={n: _table(by, n, v, strata, "items") for n, v in values.items()}
        if by is not None
        else {},
        views_by_segment={n: _table(by, n, v, strata, "views") for n, v in values.items()}
        if by is not None
        else {},
    )


def _table(
    by: pd.DataFrame, name: str, values: tuple[str, ...], strata: tuple[str, ...], of: str
) -> FloatArray:
    """(n_values, S) totals."""
    mine = by[by["segment"] == name]
    table = np.zeros((len(values), len(strata)))
    row, column = _codes(mine["value"], values), _codes(mine["stratum"], strata)
    known = (row >= 0) & (column >= 0)
    np.add.at(table, (row[known], column[known]), mine[of].to_numpy(float)[known])
    return table


def _counted(rows: pd.DataFrame, population: Population) -> BoolArray:
    """Rows whose stratum has items in the population."""
    code = _strata(rows, population)
    return np.asarray((code >= 0) & (population.items[np.maximum(code, 0)] > 0), dtype=bool)


def _strata(rows: pd.DataFrame, population: Population) -> IntArray:
    return _codes(rows["stratum"], population.strata)


def _codes(values: pd.Series, names: tuple[str, ...]) -> IntArray:
    """(n,) places in `names`, −1 where a value is none of them."""
    return np.asarray(pd.Index(names).get_indexer(pd.Index(values.astype(str))), dtype=np.int64)


def _items(
    rows: pd.DataFrame, population: Population, values: Values, votes: pd.DataFrame
) -> LabelledSample | None:
    if not len(rows):
        return None
    return LabelledSample(
        stratum=_strata(rows, population),
        inclusion=rows["inclusion"].to_numpy(float),
        label=rows["label"].to_numpy(float),
        views=rows["views"].to_numpy(float),
        actor=rows["actor"].to_numpy(np.int64),
        **_segments(rows, values),
        score=rows["score"].to_numpy(float),
        votes=_votes(rows, votes),
    )


def _votes(rows: pd.DataFrame, votes: pd.DataFrame) -> FloatArray:
    """(n, n_raters), NaN where a rater did not vote."""
    row = pd.Index(rows["item"]).get_indexer(pd.Index(votes["item"]))
    mine = votes[row >= 0]
    raters, column = np.unique(mine["rater"].to_numpy(), return_inverse=True)
    table = np.full((len(rows), len(raters)), np.nan)
    table[row[row >= 0], column] = mine["label"].to_numpy(float)
    return table


def _segments(rows: pd.DataFrame, values: Values) -> dict[str, dict]:
    codes = {name: _codes(rows[name], known) for name, known in values.items()}
    return {"segments": codes, "segment_names": dict(values)}


def _of_views(rows: pd.DataFrame, whole: Population) -> tuple[Population, BoolArray]:
    """The window's views by stratum, and which labels stand in a stratum that has any."""
    counted = Population(
        items=whole.views,
        views=whole.views,
        strata=whole.strata,
        by_segment=whole.views_by_segment,
        views_by_segment=whole.views_by_segment,
    )
    inside = _counted(rows, counted)
    if inside.any() or not len(rows) or not whole.views.sum() > 0:
        return counted, inside
    # None of their strata is counted: the labels' weights share out the views.
    weight = (1 / rows["inclusion"]).groupby(rows["stratum"].astype(str), sort=True).sum()
    shared = (weight / weight.sum() * whole.views.sum()).to_numpy(float)
    drawn = Population(items=shared, views=shared, strata=tuple(weight.index))
    return drawn, np.ones(len(rows), dtype=bool)


def _views(rows: pd.DataFrame, population: Population, values: Values) -> LabelledSample | None:
    if not len(rows):
        return None
    n = len(rows)
    return LabelledSample(
        stratum=_strata(rows, population),
        inclusion=rows["inclusion"].to_numpy(float),
        label=rows["label"].to_numpy(float),
        views=np.ones(n),
        actor=rows["actor"].to_numpy(np.int64),
        **_segments(rows, values if population.by_segment else {}),
        score=np.full(n, np.nan),
        votes=np.empty((n, 0)),
    )


def _weeks(rows: AbuseRows, values: Values) -> tuple[WeekSample, ...]:
    starts = pd.DatetimeIndex(sorted(rows.weeks["week"].unique()))
    if not len(starts):
        return ()
    if starts.tz is None:
        starts = starts.tz_localize("UTC")
    made_at = pd.DatetimeIndex(rows.sample["created_at"])
    place = np.searchsorted(starts, made_at, side="right") - 1
    of_row = np.searchsorted(starts, pd.DatetimeIndex(rows.weeks["week"]).tz_convert("UTC"))
    found = []
    for at, start in enumerate(starts):
        population = _population(rows.weeks[of_row == at], None, values)
        labels = rows.sample[place == at]
        labels = labels[_counted(labels, population)]
        sample = _items(labels, population, {}, rows.votes.iloc[:0])
        found.append(WeekSample(at=start, sample=sample, population=population))
    return tuple(found)
