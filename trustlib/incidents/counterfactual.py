"""What would have been counted: a seasonal Poisson mean, and its refits without each week.

    log E[count] = constant + hour-of-day Fourier × (weekday | weekend) + day of week
                   [+ log control] [+ weeks] + log(length of the bucket)

on the local clock. The main fit is statsmodels' GLM; the refits share one design and use
`trustlib.stats.poisson`, which a test holds against statsmodels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trustlib.incidents.grid import Grid
from trustlib.stats.glm import glm_fit
from trustlib.stats.poisson import leave_out_fits, poisson_fit
from trustlib.stats.window_error import WindowError, window_error

_HARMONICS = {"30min": 8, "1h": 8, "1d": 0}
# Counts per coefficient below which the season's shape is noise.
_COUNTS_PER_COEFFICIENT = 20
# Share of the incident's buckets that a past window needs to stand beside it.
USABLE_SHARE = 0.8


@dataclass(frozen=True, kw_only=True)
class Season:
    """The form of the mean.

    Attributes
    ----------
    harmonics
        Of the hour of the day; 0 for none.
    day_of_week
        One level per weekday.
    weekend
        The hour's shape differs at the weekend.
    saturated
        One free level per bucket of the week instead of harmonics.
    control
        log(control) as a regressor.
    trend
        A straight line in weeks on the log scale.
    dispersion
        Weighs buckets as a negative binomial of this alpha does; 0 for Poisson.
    """

    harmonics: int
    day_of_week: bool = True
    weekend: bool = True
    saturated: bool = False
    control: bool = False
    trend: bool = False
    dispersion: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Expected counts, each array of shape (n_buckets,).

    Attributes
    ----------
    expected
        From the fit to all usable history.
    left_out
        In the history, from the fit without the bucket's own block of weeks; NaN elsewhere.
    fitted
        Buckets that the fit used.
    """

    season: Season
    expected: np.ndarray
    left_out: np.ndarray
    fitted: np.ndarray


@dataclass(frozen=True, kw_only=True)
class PastWindows:
    """The incident's hours in each earlier block of weeks that has them.

    Attributes
    ----------
    actual, expected
        Shape (n_blocks, n_offsets); NaN where a bucket is not usable. Expected is from
        the fit without the block.
    block
        Shape (n_blocks,).
    offsets
        Shape (n_offsets,): phases of the incident's counted buckets, ascending.
    """

    actual: np.ndarray
    expected: np.ndarray
    block: np.ndarray
    offsets: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Whole-window errors, shape (n_blocks,)."""
        return np.nansum(self.actual - self.expected, axis=1)

    @property
    def totals(self) -> np.ndarray:
        """Expected whole-window totals, shape (n_blocks,)."""
        return np.nansum(self.expected, axis=1)


def default_season(grid: Grid, *, control: bool) -> Season:
    """As rich as the bucket and the number of counts allow."""
    total = float(grid.count[grid.fitted].sum())
    affordable = int(total / _COUNTS_PER_COEFFICIENT)
    harmonics = min(_HARMONICS[grid.bucket], max(0, (affordable - 7) // 4))
    if grid.bucket != "1d" and harmonics == 0:
        harmonics = min(1, affordable // 3)
        return Season(
            harmonics=harmonics, day_of_week=affordable >= 10, weekend=False, control=control
        )
    return Season(harmonics=harmonics, day_of_week=affordable >= 7, control=control)


def forecast(grid: Grid, season: Season, *, counts: np.ndarray | None = None) -> Forecast:
    """Fit `season` to the usable history and forecast every bucket.

    Parameters
    ----------
    counts
        Shape (n_buckets,): instead of the grid's own, for one segment.
    """
    y = grid.count if counts is None else counts
    extra = _extra_columns(grid, season)
    fitted = grid.fitted & np.isfinite(y) & np.isfinite(extra).all(axis=1)
    design, rows = _design(grid, season, extra)
    sums, exposure = _added(rows, y, grid.exposure, fitted, n=len(design))
    if not sums.any():
        nothing = np.where(grid.history, 0.0, np.nan)
        return Forecast(season=season, expected=np.zeros(len(y)), left_out=nothing, fitted=fitted)
    # Fifty segments are fitted by our own iteration: statsmodels would take seconds.
    main_fit = glm_fit if counts is None else poisson_fit
    start = main_fit(design, counts=sums, exposure=exposure, dispersion=season.dispersion)
    blocks = np.unique(grid.block[fitted])
    left_out = np.full(len(y), np.nan)
    if len(blocks) > 1:
        own = [
            _added(rows, y, grid.exposure, fitted & (grid.block == block), n=len(design))
            for block in blocks
        ]
        remaining = np.stack([exposure - part for _, part in own])
        coefficients = leave_out_fits(
            design,
            counts=np.maximum(np.stack([sums - part for part, _ in own]), 0.0),
            exposure=np.where(remaining > 1e-9, remaining, 0.0),
            start=start.coefficients,
            dispersion=season.dispersion,
        )
        for block, beta in zip(blocks, coefficients, strict=True):
            at = grid.history & (grid.block == block)
            refit = replace(start, coefficients=beta)
            left_out[at] = refit.mean(design[rows[at]], exposure=grid.exposure[at])
    expected = start.mean(design[rows], exposure=grid.exposure)
    return Forecast(season=season, expected=expected, left_out=left_out, fitted=fitted)


def _design(grid: Grid, season: Season, extra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of regressors, and the row of each bucket.

    Buckets of the same local hour of the week share a row unless something tells the weeks
    apart: their counts are added, which leaves the Poisson maximum where it is.
    """
    if extra.shape[1] or season.dispersion:
        rows = np.arange(len(grid.count))
        return np.hstack([_season_columns(grid, season, index=rows), extra]), rows
    rows = _phase(grid)
    first = np.zeros(rows.max() + 1, dtype=int)
    first[rows[::-1]] = np.arange(len(rows))[::-1]
    return _season_columns(grid, season, index=first), rows


def _added(
    rows: np.ndarray, y: np.ndarray, exposure: np.ndarray, at: np.ndarray, *, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """Counts and exposure of the buckets `at`, added up by design row; each of shape (n,)."""
    return (
        np.bincount(rows[at], weights=y[at], minlength=n),
        np.bincount(rows[at], weights=exposure[at], minlength=n),
    )


def past_windows(
    grid: Grid, *, counts: np.ndarray, expected: np.ndarray, fitted: np.ndarray
) -> PastWindows:
    """The incident's hours in each past block, where at least 80 % of them are usable."""
    offsets = np.unique(grid.offset[grid.present])
    column = np.full(offsets.max() + 1, -1)
    column[offsets] = np.arange(len(offsets))
    # Before the second of two equal hours stands an hour that no block holds.
    inside = grid.history & (grid.block >= 0) & (grid.offset >= 0) & (grid.offset <= offsets.max())
    inside &= column[np.where(inside, grid.offset, 0)] >= 0
    usable = inside & fitted & np.isfinite(expected)
    n_blocks = int(grid.block.max()) + 1
    actual = np.full((n_blocks, len(offsets)), np.nan)
    mean = np.full((n_blocks, len(offsets)), np.nan)
    at = (grid.block[usable], column[grid.offset[usable]])
    actual[at] = counts[usable]
    mean[at] = expected[usable]
    enough = np.isfinite(actual).mean(axis=1) >= USABLE_SHARE
    return PastWindows(
        actual=actual[enough],
        expected=mean[enough],
        block=np.flatnonzero(enough),
        offsets=offsets,
    )


def whole_window_error(past: PastWindows) -> WindowError | None:
    """From the past windows; None with fewer than three."""
    if len(past.block) < 3:
        return None
    return window_error(past.errors, expected=past.totals)


def _phase(grid: Grid) -> np.ndarray:
    """Bucket of the local week, 0-based."""
    minutes = {"30min": 30, "1h": 60, "1d": 1440}[grid.bucket]
    return (grid.weekday * 1440 + grid.slot) // minutes


def _season_columns(grid: Grid, season: Season, *, index: np.ndarray) -> np.ndarray:
    """Regressors of the buckets at `index`, shape (len(index), n_columns)."""
    weekday, slot = grid.weekday[index], grid.slot[index]
    columns = [np.ones(len(index))]
    if season.saturated:
        phase = _phase(grid)[index]
        columns += [(phase == level).astype(float) for level in np.unique(phase)[1:]]
        return np.column_stack(columns)
    if season.day_of_week:
        columns += [(weekday == day).astype(float) for day in range(1, 7)]
    weekend = (weekday >= 5).astype(float)
    angle = 2 * np.pi * slot / 1440.0
    for k in range(1, season.harmonics + 1):
        for wave in (np.cos(k * angle), np.sin(k * angle)):
            columns.append(wave)
            if season.weekend:
                columns.append(wave * weekend)
    return np.column_stack(columns)


def _extra_columns(grid: Grid, season: Season) -> np.ndarray:
    """Regressors that do not repeat from week to week, shape (n_buckets, 0 to 2)."""
    columns = []
    if season.control:
        assert grid.control is not None
        columns.append(log_control(grid))
    if season.trend:
        at = (grid.local - grid.local[0]) / np.timedelta64(7, "D")
        columns.append(at - at[grid.fitted].mean())
    return np.column_stack(columns) if columns else np.empty((len(grid.count), 0))


def log_control(grid: Grid) -> np.ndarray:
    """log(control), centred; half the smallest positive value is added where zeros occur."""
    control = np.asarray(grid.control, dtype=float)
    positive = control[control > 0]
    small = positive.min() / 2 if (control == 0).any() and len(positive) else 0.0
    with np.errstate(divide="ignore"):
        logged = np.log(control + small)
    return logged - logged[grid.fitted & np.isfinite(logged)].mean()
