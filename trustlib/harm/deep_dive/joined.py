"""What the join with the accounts table leaves out, and how far that could move a share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from trustlib.core import Estimate
from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.accounts_join import COUNTS, AccountsJoin, JoinedShares
from trustlib.harm.deep_dive.samples import UNKNOWN, Samples
from trustlib.harm.deep_dive.spec import DeepDiveSpec
from trustlib.harm.prevalence import prevalence
from trustlib.harm.sample import Population
from trustlib.harm.survivorship import Survivorship, survivorship


def gone(
    rows: AbuseRows,
    samples: Samples,
    segments: Mapping[str, pd.DataFrame],
    spec: DeepDiveSpec,
) -> Survivorship | None:
    """Missing accounts, with bounds of shares by the first segment that only accounts know.

    `segments` are the tables of `trustlib.harm.deep_dive.where`. None without accounts.
    """
    table = rows.accounts_join
    if table.empty or not table["accounts"].iloc[0] > 0:
        return None
    whole, parts = table.iloc[:1], table.iloc[1:]
    # Segments that items know themselves have rows of their own; the others come from accounts.
    of_accounts = [name for name in segments if name not in set(parts["segment"])]
    shares = None
    for name in of_accounts:
        shares = _shares(samples, name, segments[name], spec)
        if shares is not None:
            break
    return survivorship(
        _join(whole, ("all",)),
        by_segment=_join(parts, tuple(parts["segment"] + " " + parts["value"].astype(str)))
        if len(parts)
        else None,
        shares=shares,
        level=spec.level,
    )


def _join(table: pd.DataFrame, names: tuple[str, ...]) -> AccountsJoin:
    return AccountsJoin(
        segments=names, **{column: table[column].to_numpy(float) for column in COUNTS}
    )


def _shares(
    samples: Samples, name: str, table: pd.DataFrame, spec: DeepDiveSpec
) -> JoinedShares | None:
    """What a report by `name` would say: shares of items whose value is known."""
    sample, population = samples.items, samples.items_population
    if sample is None:
        return None
    values = sample.segment_names[name]
    known = np.array([value != UNKNOWN for value in values])
    inside = known[sample.segments[name]] & (sample.segments[name] >= 0)
    items = population.by_segment[name][known].sum(axis=0)
    inside &= items[sample.stratum] > 0
    if not inside.any():
        return None
    joined = Population(items=items, views=items, strata=population.strata)
    estimates = {str(row.value): _estimate(row, spec.level) for row in table.itertuples()}
    return JoinedShares(
        prevalence=prevalence(sample.take(inside), joined, level=spec.level).estimate,
        by_segment={value: one for value, one in estimates.items() if value != UNKNOWN},
        items=dict(zip(table["value"], table["population"], strict=True)),
        of_missing=estimates.get(UNKNOWN),
    )


def _estimate(row: object, level: float) -> Estimate:
    share, low, high = (
        float(getattr(row, column))
        for column in ("share_labelled", "low_labelled", "high_labelled")
    )
    n, method = int(row.labelled), str(row.method)  # type: ignore[attr-defined]
    if np.isnan(share):
        return Estimate(point=None, low=None, high=None, level=level, unit="share of items",
                        method=method, n=n, note="not estimable: no labels here")  # fmt: skip
    return Estimate(point=share, low=low, high=high, level=level, unit="share of items",
                    method=method, n=n)  # fmt: skip
