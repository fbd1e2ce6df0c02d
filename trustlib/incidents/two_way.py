"""Two-way fixed effects, imputed: hours of the week by weeks, on the log scale.

    log count = hour of the week + week + error

fitted by linearmodels' PanelOLS on cells outside the incident; the incident's cells are
imputed (Borusyak, Jaravel and Spiess 2024), its week's effect coming from the hours of
that week outside the incident.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.incidents.grid import Grid
from trustlib.stats.window_error import window_error

# Counts below which a logarithm is mostly noise, and the share of cells allowed below it.
_FEWEST, _SHARE_BELOW = 5.0, 0.05
_FEWEST_OWN = 0.25


@dataclass(frozen=True, kw_only=True)
class Imputed:
    """The window's expected total and the half width of its interval.

    Attributes
    ----------
    margin
        None where fewer than three past weeks could be imputed likewise.
    why_not
        Why it was not run; then `expected` is None.
    """

    expected: float | None
    margin: float | None
    why_not: str | None = None


def two_way(grid: Grid, *, level: float) -> Imputed:
    """Impute the incident's cells.

    Weeks here end with the incident, so that the incident's own week has hours before it.
    The retransformation is by ratio: fitted cells add up to their counts.
    """
    cells = _cells(grid)
    why = _why_not(grid, cells)
    if why is not None:
        return Imputed(expected=None, margin=None, why_not=why)
    # An hour that the clock repeats makes two cells of one: the first stands for both.
    once = cells[cells["fitted"]].drop_duplicates(["hour", "week"])
    hour, week = _effects(once)
    cells = cells[cells["hour"].isin(hour.index) & cells["week"].isin(week.index)]
    raw = np.exp(hour.loc[cells["hour"]].to_numpy() + week.loc[cells["week"]].to_numpy())
    fitted, window = cells["fitted"].to_numpy(), cells["window"].to_numpy()
    ratio = cells["count"].to_numpy()[fitted].sum() / raw[fitted].sum()
    if window.sum() < grid.present.sum():
        return Imputed(
            expected=None, margin=None, why_not="hours of the incident never occur in the history"
        )
    expected = float(ratio * raw[window].sum())
    return Imputed(expected=expected, margin=_margin(cells, hour, ratio, expected, level=level))


def _cells(grid: Grid) -> pd.DataFrame:
    """hour, week, count, fitted, window: one row per cell; week 0 ends with the incident."""
    last = np.flatnonzero(grid.in_window)[-1]
    length = np.timedelta64(7 * 86400, "s") // grid.per_week
    back = (grid.local[last] + length - grid.local - length) // length
    keep = (grid.fitted | grid.present) & (back >= 0)
    return pd.DataFrame(
        {
            "hour": (grid.per_week - 1 - back % grid.per_week)[keep],
            "week": (back // grid.per_week)[keep],
            "count": grid.count[keep],
            "fitted": grid.fitted[keep],
            "window": grid.present[keep],
        }
    )


def _why_not(grid: Grid, cells: pd.DataFrame) -> str | None:
    fitted = cells[cells["fitted"]]
    below = float((fitted["count"] < _FEWEST).mean())
    if below > _SHARE_BELOW:
        return f"{below:.0%} of the history's buckets count fewer than {_FEWEST:.0f}"
    own = fitted["week"].eq(0).sum()
    if own < _FEWEST_OWN * grid.per_week:
        return f"only {own} buckets of the incident's own week lie before it"
    if fitted["week"].nunique() < 3:
        return "fewer than three weeks"
    return None


def _effects(fitted: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Hour and week effects on the log scale, from PanelOLS' combined effects."""
    from linearmodels.panel.model import PanelOLS

    panel = fitted.set_index(["hour", "week"])
    logged = np.log(np.maximum(panel["count"], 0.5))
    constant = pd.DataFrame({"constant": 1.0}, index=panel.index)
    result = PanelOLS(logged, constant, entity_effects=True, time_effects=True).fit(
        cov_type="unadjusted"
    )
    both = result.estimated_effects["estimated_effects"] + float(result.params["constant"])
    # Cells hold hour + week: differences within an hour give the weeks, up to a constant
    # that the hours take up.
    table = both.unstack("week")
    week = pd.Series(0.0, index=table.columns)
    reference = table.notna().sum().idxmax()
    for name in table.columns:
        week[name] = float((table[name] - table[reference]).mean())
    hour = table.sub(week, axis=1).mean(axis=1)
    known = week.notna()
    return hour.dropna(), week[known]


def _margin(
    cells: pd.DataFrame, hour: pd.Series, ratio: float, expected: float, *, level: float
) -> float | None:
    """From past weeks, each imputed at the incident's hours from its other hours."""
    hours = cells.loc[cells["window"], "hour"].unique()
    past = cells[cells["fitted"] & (cells["week"] > 0)]
    residual = np.log(np.maximum(past["count"], 0.5)) - hour.loc[past["hour"]].to_numpy()
    inside = past["hour"].isin(hours).to_numpy()
    weeks = past["week"].to_numpy()
    own = residual[~inside].groupby(weeks[~inside]).mean()
    treated = past[inside & np.isin(weeks, own.index)]
    raw = np.exp(hour.loc[treated["hour"]].to_numpy() + own.loc[treated["week"]].to_numpy())
    frame = treated.assign(expected=ratio * raw).groupby("week")
    enough = frame.size() >= 0.8 * len(hours)
    total = frame[["count", "expected"]].sum()[enough]
    n = len(total)
    if n < 3:
        return None
    # The hour effects have seen these weeks, which shortens the errors by this much.
    errors = (total["count"] - total["expected"]).to_numpy() * n / (n - 1)
    return window_error(errors, expected=total["expected"].to_numpy()).margin(expected, level=level)
