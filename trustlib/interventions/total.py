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
    if design.outcome_scale == "log":
        # exp() of a log outcome can be astronomically large only if the outcome is no log.
        level = np.where(size > 0, np.exp(np.where(size > 0, panel.outcome, 0.0)), 0.0)
    else:
        level = size
    by_cell = headline.own_cells
    effects, slopes = _cell_effects(headline, cells, log=design.outcome_scale == "log")
    names, members = _rows(panel, design)
    counted, lost, weights = [], 0, np.zeros((len(cells.point), len(members)))
    points = np.zeros(len(members))
    observed = np.where(size > 0, panel.outcome * size, 0.0)
    if design.outcome_scale == "log":
        observed = level
    known_cells = 0
    known_observed = 0.0
    for column, chosen in enumerate(members):
        known = 0
        for position, (group, period) in enumerate(zip(cells.group, cells.time, strict=True)):
            if period < group:
                continue
            at = chosen & (panel.first_treated == group)
            amount, n = float(level[at, period].sum()), int((size[at, period] > 0).sum())
            # An average stands for every treated cell that something can be compared with.
            alone = not panel.never.any() and period >= panel.groups.max()
            if np.isnan(effects[position]) if by_cell else alone:
                lost += n if column == len(members) - 1 else 0
                continue
            known += n
            points[column] += amount * effects[position]
            weights[position, column] = amount * slopes[position]
            if column == len(members) - 1:
                known_observed += float(observed[at, period].sum())
        counted.append(known)
        known_cells = known
    low, high, error = _interval(headline, cells, margin, points, weights, by_cell=by_cell)
    table = pd.DataFrame(
        {
            "name": names,
            "units": [int(chosen.sum()) for chosen in members],
            "group": [_group(panel, chosen) for chosen in members],
            "periods_treated": counted,
            "effect": points,
            "low": low,
            "high": high,
        }
    )
    if spec.unit_value_usd is not None:
        table["value_usd"] = table["effect"] * spec.unit_value_usd
    whole = table.iloc[-1]
    none = bool(np.isnan(whole["low"]))
    return Total(
        point=float(whole["effect"]),
        low=None if none else float(whole["low"]),
        high=None if none else float(whole["high"]),
        standard_error=None if np.isnan(error[-1]) else float(error[-1]),
        observed=known_observed if _from_zero(panel, design) else np.nan,
        cells=known_cells,
        left_out=lost,
        table=table,
    )


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
    *,
    by_cell: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ends and standard errors of each row, with the cells' sizes taken as fixed."""
    if by_cell and not headline.by_assignment:
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
