"""The effect in the reader's units: all that the rollout changed, and where.

    total = Σ over treated cells of size(i, t) × effect(g, t)

with size 1 for levels and counts, the number of people over the rate's denominator for
rates. For logs the effect of a cell is its observed level × (1 − exp(−effect)): what the
level would have been without it, taken from what it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.interventions.design import Design
from trustlib.interventions.group_time import GroupTime
from trustlib.interventions.headline import Headline
from trustlib.interventions.margin import Margin
from trustlib.interventions.panel import FloatArray, Panel
from trustlib.interventions.spec import DidSpec
from trustlib.stats.fixed_order import cross

MOST_LISTED = 40  # units listed by name; beyond it, cohorts


@dataclass(frozen=True, kw_only=True, eq=False)
class Total:
    """The total effect, in the outcome's summed unit.

    Attributes
    ----------
    point, low, high, standard_error
        None where not estimable.
    observed
        What was observed in the same cells, in the same unit; NaN where the outcome has
        negative values, of which no share can be taken.
    cells, left_out
        Treated unit-periods that it covers, and those without an estimable effect.
    table
        `DidResult.totals`.
    """

    point: float
    low: float | None
    high: float | None
    standard_error: float | None
    observed: float
    cells: int
    left_out: int
    table: pd.DataFrame


def sizes(panel: Panel, design: Design, spec: DidSpec) -> FloatArray:
    """(n_units, n_periods) by which an effect of each treated cell counts; 0 elsewhere."""
    after = np.arange(panel.n_periods) >= panel.first_treated[:, None]
    there = after & ~np.isnan(panel.outcome)
    if design.outcome_scale == "rate":
        return np.where(there, panel.weight / spec.rate_per, 0.0)
    return there.astype(float)


def total(
    panel: Panel,
    design: Design,
    spec: DidSpec,
    headline: Headline,
    cells: GroupTime,
    margin: Margin,
) -> Total:
    """All that the rollout changed; `cells` are the group-time effects of the headline."""
    size = sizes(panel, design, spec)
    log = design.outcome_scale == "log"
    there = np.where(size > 0, panel.outcome, 0.0)
    level = np.where(size > 0, np.exp(there), 0.0) if log else size
    effects, slopes = _cell_effects(headline, cells, log=log)
    after = cells.time >= cells.group
    # An average stands for every treated cell that something can be compared with.
    alone = (cells.time >= panel.groups.max()) & (not panel.never.any())
    known = after & ~(np.isnan(effects) if headline.own_cells else alone)
    names, members = _rows(panel, design)
    amount = _sums(level, panel, cells, members)
    counted = _sums((size > 0).astype(float), panel, cells, members)
    observed = level if log else there * size
    points = np.where(known, effects, 0.0) @ amount
    weights = np.where(known, slopes, 0.0)[:, None] * amount
    low, high, error = _interval(headline, cells, margin, points, weights)
    table = pd.DataFrame(
        {
            "name": names,
            "units": [int(chosen.sum()) for chosen in members],
            "group": [_group(panel, chosen) for chosen in members],
            "periods_treated": counted[known].sum(axis=0).astype(int),
            "effect": points,
            "low": low,
            "high": high,
        }
    )
    if spec.unit_value_usd is not None:
        table["value_usd"] = table["effect"] * spec.unit_value_usd
    none = bool(np.isnan(low[-1]))
    seen = float(_sums(observed, panel, cells, members[-1:])[known].sum())
    return Total(
        point=float(points[-1]),
        low=None if none else float(low[-1]),
        high=None if none else float(high[-1]),
        standard_error=None if np.isnan(error[-1]) else float(error[-1]),
        observed=seen if _from_zero(panel, design) else np.nan,
        cells=int(counted[known, -1].sum()),
        left_out=int(counted[after & ~known, -1].sum()),
        table=table,
    )


def _sums(
    values: FloatArray, panel: Panel, cells: GroupTime, members: list[np.ndarray]
) -> FloatArray:
    """(m, n_rows) sums of (n_units, n_periods) `values` over each cell's cohort, by row."""
    inside = np.stack(members).astype(float)
    out = np.zeros((len(cells.point), len(members)))
    for group in panel.groups:
        cohort = np.flatnonzero(panel.first_treated == group)
        at = np.flatnonzero(cells.group == group)
        out[at] = cross(values[np.ix_(cohort, cells.time[at])], inside[:, cohort].T)
    return out


def _from_zero(panel: Panel, design: Design) -> bool:
    return design.outcome_scale == "log" or not bool((panel.outcome < 0).any())


def _cell_effects(
    headline: Headline, cells: GroupTime, *, log: bool
) -> tuple[FloatArray, FloatArray]:
    """Per cell: the effect on one unit of level, and its derivative by the estimate."""
    raw = cells.point if headline.own_cells else np.full(len(cells.point), headline.point)
    if not log:
        return raw, np.ones(len(raw))
    return -np.expm1(-raw), np.exp(-raw)


def _interval(
    headline: Headline,
    cells: GroupTime,
    margin: Margin,
    points: FloatArray,
    weights: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ends and standard errors of each row, with the cells' sizes taken as fixed."""
    if headline.own_cells and not headline.by_assignment:
        weights = np.where(np.isnan(cells.point)[:, None], 0.0, weights)
        influence = cells.influence_of(weights)
        error = margin.errors(influence)
        half = margin.critical(influence) * error
        return points - half, points + half, error
    # One average effect times the exposure: its interval is the headline's, scaled.
    scale = weights.sum(axis=0)
    if headline.low is None or headline.high is None:
        blank = np.full(len(points), np.nan)
        return blank, blank, blank
    below, above = headline.point - headline.low, headline.high - headline.point
    error = np.full(len(points), np.nan)
    if headline.standard_error is not None:
        error = np.abs(scale) * headline.standard_error
    return points - below * scale, points + above * scale, error


def _rows(panel: Panel, design: Design) -> tuple[list[str], list[np.ndarray]]:
    """Names and members of the rows: units or cohorts, then everything."""
    treated = ~panel.never
    names: list[str] = []
    members: list[np.ndarray] = []
    if design.names_shown and int(treated.sum()) <= MOST_LISTED:
        order = np.flatnonzero(treated)
        for unit in order[np.argsort(panel.first_treated[order], kind="stable")]:
            names.append(panel.unit_names[unit])
            members.append(np.arange(panel.n_units) == unit)
    else:
        for group in panel.groups:
            names.append(f"from {panel.period_names[group]}")
            members.append(panel.first_treated == group)
    return [*names, "all"], [*members, treated]


def _group(panel: Panel, chosen: np.ndarray) -> str:
    groups = np.unique(panel.first_treated[chosen])
    return panel.period_names[int(groups[0])] if len(groups) == 1 else "all"
