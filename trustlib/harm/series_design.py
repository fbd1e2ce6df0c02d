"""The columns of a prevalence series' regression, and its response on the logit scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from trustlib.harm.sample import FloatArray, IntArray
from trustlib.harm.series import PrevalenceSeries
from trustlib.harm.series_noise import Noise, noise

_ROUNDS = 4  # of the working response
_FEWEST_OF_ERA = 4  # points that a line needs


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """Columns for the periods that have labels.

    Attributes
    ----------
    columns
        (T, k): level of each era, slope per week of each era that has enough points, season,
        steps.
    era
        (T,) codes from 0.
    level, slope
        Column of each era's level, and of its slope (−1 where it has none).
    season
        Columns of the season; empty where there is too little history for one.
    season_kind
        "day of the week", "time of the year" or "".
    position, weeks
        (T,) on the grid, and in weeks from the first.
    """

    columns: FloatArray
    era: IntArray
    level: tuple[int, ...]
    slope: tuple[int, ...]
    season: tuple[int, ...]
    season_kind: str
    position: IntArray
    weeks: FloatArray


def series_design(
    series: PrevalenceSeries,
    *,
    breaks: Sequence[pd.Timestamp] = (),
    steps: Sequence[int] = (),
) -> Design:
    """Columns for `series`; a new era from each of `breaks`, a step from each of `steps`.

    `steps` are positions among the periods that have labels. Eras without labels do not count.
    """
    known = series.known
    at, position = series.at[known], series.position[known]
    weeks = position * series.step_days / 7
    begun = np.zeros(len(known), dtype=np.int64)
    for each in breaks:
        begun += np.asarray(at >= each, dtype=np.int64)
    era = np.unique(begun, return_inverse=True)[1]
    columns: list[FloatArray] = []
    level, slope = [], []
    for code in range(int(era.max(initial=-1)) + 1):
        inside = era == code
        level.append(len(columns))
        columns.append(inside.astype(np.float64))
        enough = inside.sum() >= _FEWEST_OF_ERA
        slope.append(len(columns) if enough else -1)
        if enough:
            columns.append(np.where(inside, weeks - weeks[inside].mean(), 0.0))
    season, kind = _season(series, at, weeks)
    first = len(columns)
    columns += season
    columns += [np.where(np.arange(len(known)) >= step, 1.0, 0.0) for step in steps]
    return Design(
        columns=np.column_stack(columns),
        era=np.asarray(era, dtype=np.int64),
        level=tuple(level),
        slope=tuple(slope),
        season=tuple(range(first, first + len(season))),
        season_kind=kind,
        position=position,
        weeks=weeks,
    )


def _season(
    series: PrevalenceSeries, at: pd.DatetimeIndex, weeks: FloatArray
) -> tuple[list[FloatArray], str]:
    """Days of the week with four weeks of each; one wave a year with two years."""
    days = np.asarray(at.day_of_week)
    if series.step_days == 1 and (np.bincount(days, minlength=7) >= 4).all():
        return [np.where(days == d, 1.0, np.where(days == 6, -1.0, 0.0)) for d in range(6)], (
            "day of the week"
        )
    if series.step_days >= 7 and weeks[-1] >= 104:
        turn = 2 * np.pi * weeks * 7 / 365.25
        return [np.cos(turn), np.sin(turn)], "time of the year"
    return [], ""


def working_response(series: PrevalenceSeries, design: Design) -> tuple[FloatArray, Noise]:
    """(T,) response on the logit scale, and its noise worked out, at the fitted shares."""
    known = series.known
    share, looks = series.estimate[known], series.effective_labels[known]
    centre = float(logit(np.clip(np.average(share, weights=looks), 1e-9, 1 - 1e-9)))
    fitted = np.full(len(known), centre)
    for _ in range(_ROUNDS):
        mean = expit(fitted)
        spread = mean * (1 - mean)
        y, error = fitted + (share - mean) / spread, 1 / (looks * spread)
        left = y - design.columns @ np.linalg.lstsq(design.columns, y, rcond=None)[0]
        free = max(len(y) - design.columns.shape[1], 1)
        scale = max(float(left @ left) / free, 1e-8)
        made = noise(design.columns, error=error, position=design.position, scale=scale)
        coefficients = made.weights(y) @ (made.slope @ y)
        fitted = np.clip(design.columns @ coefficients, centre - 6, centre + 6)
    return y, made
