"""The same incident under other defensible choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from trustlib.incidents.counterfactual import Season
from trustlib.incidents.grid import Grid
from trustlib.incidents.headline import Sized, sized
from trustlib.incidents.same_hours import SameHours

Row = tuple[str, str, float, float | None, float | None, float]


def sensitivity_table(
    grid: Grid, season: Season, headline: Sized, *, cross_check: SameHours, level: float
) -> pd.DataFrame:
    """One row per choice: choice, description, excess, low, high, relative_excess."""
    rows = [_row("headline", "The season fitted to all the usable history.", headline)]
    rows += [_row(*choice) for choice in _choices(grid, season, headline, level=level)]
    rows.append(_same_hours_row(headline, cross_check))
    frame = pd.DataFrame(
        rows, columns=["choice", "description", "excess", "low", "high", "relative_excess"]
    )
    return frame.astype({"excess": float, "low": float, "high": float, "relative_excess": float})


def _choices(
    grid: Grid, season: Season, headline: Sized, *, level: float
) -> Iterator[tuple[str, str, Sized]]:
    weeks = int(grid.week[grid.history].max())
    half = grid.history & (grid.week <= weeks / 2)
    if (grid.fitted & half).sum() >= 2 * grid.per_week:
        yield (
            "recent_half",
            "Only the more recent half of the history.",
            sized(_only(grid, half), season, level=level),
        )
    if weeks >= 4:
        yield (
            "linear_trend",
            "A straight line in time added on the log scale and carried forward.",
            sized(grid, replace(season, trend=True), level=level),
        )
    if grid.excluded[grid.history].any():
        fitted = grid.history & np.isfinite(grid.count) & ~grid.ambiguous
        yield (
            "no_exclusions",
            "Nothing excluded from the history.",
            sized(replace(grid, fitted=fitted), season, level=level),
        )
    if grid.bucket == "1d":
        other, text = replace(season, day_of_week=not season.day_of_week), "No day of the week."
    elif season.harmonics > 2:
        other = replace(season, harmonics=2)
        text = "A smoother day: two harmonics instead of " + f"{season.harmonics}."
    else:
        other = replace(season, harmonics=season.harmonics + 2)
        text = "A more detailed day: two harmonics more."
    yield "other_season", text, sized(grid, other, level=level)
    yield (
        "negative_binomial",
        "Negative binomial weights: busy hours count for less.",
        sized(grid, replace(season, dispersion=_alpha(grid, headline)), level=level),
    )


def _alpha(grid: Grid, headline: Sized) -> float:
    """Moment estimate of the negative binomial's alpha, a share of the mean's square."""
    at = headline.made.fitted
    y, mu = grid.count[at], headline.made.expected[at]
    size = float(np.sum(mu**2))
    return max(1e-6, float(np.sum((y - mu) ** 2 - mu)) / size) if size > 0 else 1e-6


def _only(grid: Grid, history: np.ndarray) -> Grid:
    return replace(
        grid,
        history=history,
        fitted=grid.fitted & history,
        block=np.where(history, grid.block, -1),
    )


def _row(choice: str, description: str, result: Sized) -> Row:
    relative = result.excess / result.expected if result.expected > 0 else float("nan")
    return choice, description, result.excess, result.low, result.high, relative


def _same_hours_row(headline: Sized, cross: SameHours) -> Row:
    low = None if cross.high is None else headline.actual - cross.high
    high = None if cross.low is None else headline.actual - cross.low
    excess = headline.actual - cross.expected
    relative = excess / cross.expected if cross.expected > 0 else float("nan")
    text = "No model: the same hours of previous weeks."
    return "same_hours", text, excess, low, high, relative
