"""Where and who: shares by segment, what moved, what stands out, and how few are behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.concentration import Concentration, Histogram, concentration
from trustlib.harm.deep_dive.joined import gone
from trustlib.harm.deep_dive.result import Where
from trustlib.harm.deep_dive.samples import UNKNOWN, Samples
from trustlib.harm.deep_dive.searched import searched
from trustlib.harm.deep_dive.size import NO_LABELS, lacking, of_items
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.prevalence_by import corrected_prevalence_by, prevalence_by
from trustlib.harm.rate_and_mix import RateAndMix, rate_and_mix
from trustlib.harm.rate_cells import RateCells, cells_of_actors
from trustlib.harm.rater_error import RaterError
from trustlib.harm.sample import IntArray, LabelledSample, Population
from trustlib.harm.segment_search import SegmentSearch, segment_search
from trustlib.harm.weighted_ratio import expansion

TAKEN_OUT = "rater error of all labels taken out"
AS_LABELLED = "as labelled"


def where(
    rows: AbuseRows, samples: Samples, error: RaterError | None, spec: DeepDiveSpec
) -> tuple[Where, dict[str, str]]:
    """Segments, growth, concentration and survivorship; `error` is of the items' labels."""
    segments = _segments(samples, error, spec)
    period = _period(samples, spec)
    found = Where(
        segments=segments,
        mix=_mix(rows, samples, period, spec),
        search=_search(rows, samples, None, spec),
        growing=_search(rows, samples, period, spec),
        concentration=_concentration(rows, spec),
        survivorship=gone(rows, samples, segments, spec),
    )
    return found, _why(rows, samples, period, found)


def _segments(
    samples: Samples, error: RaterError | None, spec: DeepDiveSpec
) -> Mapping[str, pd.DataFrame]:
    """By segment, highest share first; errors of the raters are taken to be alike everywhere."""
    drawn = of_items(samples)
    if drawn is None:
        return {}
    return {name: _by_share(_segment(*drawn, name, error, spec)) for name in drawn[0].segment_names}


def _segment(
    sample: LabelledSample,
    population: Population,
    name: str,
    error: RaterError | None,
    spec: DeepDiveSpec,
) -> pd.DataFrame:
    """`prevalence_by`, with share_labelled, low_labelled and high_labelled beside what is right."""
    table = prevalence_by(sample, population, name, level=spec.level)
    for column in ("share", "low", "high"):
        table[f"{column}_labelled"] = table[column]
    if error is None or not error.informative:
        return table.assign(method=table["method"] + f", {AS_LABELLED}")
    everywhere = dict.fromkeys(sample.segment_names[name], error)
    right = corrected_prevalence_by(
        sample, population, name, everywhere, level=spec.level, seed=spec.seed
    )
    known = table["share"].notna()
    for column in ("share", "low", "high"):
        table[column] = right[column].where(known, table[column])
    for column, share in (("total", "share"), ("total_low", "low"), ("total_high", "high")):
        table[column] = table[share] * table["population"]
    return table.assign(method=table["method"] + f", {TAKEN_OUT}")


def _by_share(table: pd.DataFrame) -> pd.DataFrame:
    order = ["share", "population", "value"]
    return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def _period(samples: Samples, spec: DeepDiveSpec) -> IntArray:
    """(n,) 0 before, 1 from compare_from on."""
    made_at = pd.DatetimeIndex(samples.rows_of_items["created_at"])
    return np.asarray(made_at >= pd.Timestamp(spec.compare_from), dtype=np.int64)


def _mix(
    rows: AbuseRows, samples: Samples, period: IntArray, spec: DeepDiveSpec
) -> RateAndMix | None:
    """By all segments; a combination without labels counts as one without a violating label.

    Combinations with an unknown value are left out, and counted as not covered: they grow where
    more accounts were removed since, which is no change of what people post.
    """
    drawn = of_items(samples)
    if drawn is None or not drawn[0].segment_names or len(np.unique(period)) < 2:
        return None
    names = [name for name in drawn[0].segment_names if name in rows.cells]
    cells = _cells(rows.cells, drawn[0], names, period, expansion(*drawn, "items"))
    if cells is None:
        return None
    return rate_and_mix(cells, level=spec.level, unit="share of items, as labelled")


def _cells(
    known: pd.DataFrame,
    sample: LabelledSample,
    names: list[str],
    period: IntArray,
    weight: np.ndarray,
) -> RateCells | None:
    """Rates of the combinations of `names`; None without any, or a period's items or labels."""
    if not names:
        return None
    totals = known.groupby(names, sort=True)[["before", "now"]].sum().reset_index()
    codes = np.column_stack(
        [pd.Index(sample.segment_names[name]).get_indexer(pd.Index(totals[name].astype(str)))
         for name in names]
    )  # fmt: skip
    named = (codes >= 0).all(axis=1)
    codes, size = codes[named], totals[["before", "now"]].to_numpy(float)[named].T
    own = np.column_stack([sample.segments[name] for name in names])
    counted = {
        (at, *row) for at in (0, 1) for row, items in zip(codes.tolist(), size[at], strict=True)
        if items > 0
    }  # fmt: skip
    inside = np.array([(at, *row) in counted for at, row in zip(period, own.tolist(), strict=True)])
    if not (size.sum(axis=1) > 0).all() or len(np.unique(period[inside])) < 2:
        return None
    order = np.lexsort((weight, sample.label, sample.actor))
    order = order[inside[order]]
    cells = cells_of_actors(
        period[order],
        own[order],
        weight=weight[order],
        label=sample.label[order],
        actor=sample.actor[order],
        names={name: sample.segment_names[name] for name in names},
        totals=(codes, size),
        over="items",
    )
    unknown = np.column_stack(
        [np.array(sample.segment_names[name])[codes[:, at]] == UNKNOWN
         for at, name in enumerate(names)]
    ).any(axis=1)  # fmt: skip
    if not (size[:, ~unknown].sum(axis=1) > 0).all():
        return None
    return replace(cells, rate=np.where(unknown, np.nan, cells.rate))


def _search(
    rows: AbuseRows, samples: Samples, period: IntArray | None, spec: DeepDiveSpec
) -> SegmentSearch | None:
    """Of the rate, or of growth where there are periods."""
    sample = samples.items
    if sample is None or not sample.segment_names or not sample.label.any():
        return None
    if period is not None and len(np.unique(period)) < 2:
        return None
    cells = searched(sample, rows.cells, period=period, seed=spec.seed)
    return segment_search(cells, level=spec.level)


def _concentration(rows: AbuseRows, spec: DeepDiveSpec) -> Concentration | None:
    # Among those with any: that most accounts have none is the size's to say.
    counted = rows.actor_harm[rows.actor_harm["amount"] > 0]
    if not counted["actors"].sum() > 0:
        return None
    return concentration(
        Histogram(value=counted["amount"].to_numpy(float), count=counted["actors"].to_numpy()),
        level=spec.level,
        top_shares=(0.1,),
        seed=spec.seed,
    )


def _why(rows: AbuseRows, samples: Samples, period: IntArray, found: Where) -> dict[str, str]:
    labels = lacking(rows, "labels", NO_LABELS)
    segments = "No segment was named, or none has items in the window."
    if samples.items is None:
        searched = compared = shown = labels
    elif not samples.items.segment_names:
        searched = compared = shown = segments
    else:
        shown = segments
        searched = "No label of the window is violating: there is nothing to search."
        one = "Only one of the periods before and from the comparison's start has labels."
        compared = one if len(np.unique(period)) < 2 else searched
    told = {
        "mix": "No cell has items and labels in both periods."
        if compared == searched
        else compared,
        "search": searched,
        "growing": compared,
        "concentration": "No item of the window is confirmed to violate."
        if rows.confirmed is not None
        else labels,
        "survivorship": lacking(rows, "accounts", "No account stands behind the items."),
    }
    why = {f"where.{name}": text for name, text in told.items() if getattr(found, name) is None}
    if not found.segments:
        why["where.segments"] = shown
    return why
