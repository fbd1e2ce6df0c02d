"""Where a prevalence series moves away from its own line: change points with intervals.

A step is looked for at every period, on top of a line, a season and a drift between periods
(`trustlib.harm.trend`); so a steady rise is no step. The likelihood of a step is averaged over how
much neighbouring periods hang together. Whether the best step is more than chance, and how far off
its place may be, comes from replaying series with that dependence: the threshold of the interval is
`trustlib.stats.change_point.step_interval`'s. Steps are added one by one until none is left.

Measured on 40 weeks of 2,000 labels around 1 to 2 % (100 series each): a false move in .01, .01 and
.11 of series without one where drift has φ = 0, .5, .8 and standard deviation 0, .2, .3 (nominal
.05: a strong slow drift is not told from a step well enough). A doubling (odds ×2.0) in week 25 is
found in .79 (φ .3, drift .1) and .55 (φ .5, drift .15), odds ×2.7 in .93, odds ×1.5 in .25; of
those found the 95 % interval held the true week in .96, .98, 1.00 and .80 (a step that is found
against the odds is misplaced more often).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trustlib.harm.sample import FloatArray
from trustlib.harm.series import PrevalenceSeries
from trustlib.harm.series_design import Design, series_design, working_response
from trustlib.harm.series_noise import Noise, averaged
from trustlib.stats.change_point import step_interval
from trustlib.stats.window_error import t_quantile

FEWEST = 12  # periods with labels
MOST = 5
SHORTEST = 2  # periods on either side of a step


def moves(
    series: PrevalenceSeries, *, level: float = 0.95, replays: int = 199, seed: int = 0
) -> pd.DataFrame:
    """Steps of a series, in order of time.

    Returns
    -------
    DataFrame
        at (start of the step's first period), low_at, high_at (first periods that the data do not
        rule out), ratio (odds after over before), ratio_low, ratio_high, p (that the best step of
        a series without one would be as strong). Steps with p ≤ 1 − level; none where fewer than
        12 periods have labels. The ratio is that of a place picked because it stands out: it is
        somewhat too far from 1.
    """
    found: list[int] = []
    p_values: dict[int, float] = {}
    shares = series.estimate[series.known]
    if len(series.known) >= FEWEST and np.ptp(shares) > 0:
        while len(found) < MOST:
            search = _search(series, found)
            place, p = _best(search, replays=replays, seed=seed + len(found))
            if not p <= 1 - level:
                break
            found.append(place)
            p_values[place] = p
    rows = [
        _row(series, found, place, p_values[place], level=level, replays=replays, seed=seed + 100)
        for place in sorted(found)
    ]
    columns: dict[str, Any] = dict.fromkeys(("at", "low_at", "high_at"), series.at.dtype)
    columns |= dict.fromkeys(("ratio", "ratio_low", "ratio_high", "p"), "float64")
    # Typed even where there is no step: instants are compared with these.
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Search:
    """One step on top of a design: `columns` (T, T) of every step, `allowed` (T,)."""

    design: Design
    y: FloatArray
    made: Noise
    columns: FloatArray
    allowed: np.ndarray
    lean: FloatArray
    size: FloatArray

    def strength(self, y: FloatArray) -> FloatArray:
        """(B, T) log of the averaged likelihood with a step over that without, y (T, B)."""
        log = self.made.log_likelihood(y)
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = (self.lean @ y) ** 2 / self.size[:, :, None] / 2
        top = log.max(axis=0)
        without = np.exp(log - top).sum(axis=0)
        whole = log[:, None, :] - top + np.where(self.allowed[None, :, None], gain, 0.0)
        peak = whole.max(axis=0)
        out = peak + np.log(np.exp(whole - peak).sum(axis=0)) - np.log(without)
        return np.where(self.allowed[:, None], out, -np.inf).T

    def weights_with(self, place: int) -> FloatArray:
        """(G,) of the grid where there is a step at `place`."""
        gain = (self.lean[:, place] @ self.y) ** 2 / self.size[:, place] / 2
        log = self.made.log_likelihood(self.y) + gain
        found = np.exp(log - log.max())
        return np.asarray(found / found.sum(), dtype=np.float64)

    def chance(self, weights: FloatArray, n: int, seed: int) -> FloatArray:
        """(T, n) series of nothing but drift and sampling error."""
        random = np.random.default_rng(seed)
        which = random.choice(len(weights), n, p=weights)
        normal = random.standard_normal((len(self.y), n))
        out = np.empty_like(normal)
        for g in np.unique(which):
            root = np.linalg.cholesky(self.made.drift[g] + np.diag(self.made.error))
            out[:, which == g] = root @ normal[:, which == g]
        return out


def _search(series: PrevalenceSeries, others: list[int]) -> _Search:
    design = series_design(series, steps=others)
    y, made = working_response(series, design)
    n = len(y)
    columns = np.asarray(np.tri(n), dtype=np.float64)  # column k is 1 from period k on
    allowed = np.ones(n, dtype=bool)
    for edge in [0, n, *others]:
        allowed[max(0, edge - SHORTEST + 1) : edge + SHORTEST] = False
    lean = columns.T @ made.residual
    size = np.einsum("gst,ts->gs", lean, columns)
    allowed &= (size > 1e-9 * size.max()).all(axis=0)
    return _Search(design=design, y=y, made=made, columns=columns, allowed=allowed, lean=lean,
                   size=np.where(allowed, size, 1.0))  # fmt: skip


def _best(search: _Search, *, replays: int, seed: int) -> tuple[int, float]:
    """The strongest step, and how often chance alone makes one as strong."""
    if not search.allowed.any():
        return 0, 1.0
    strength = search.strength(search.y[:, None])[0]
    place = int(np.argmax(strength))
    drawn = search.chance(search.made.weights(search.y), replays, seed)
    by_chance = search.strength(drawn).max(axis=1)
    return place, float(1 + np.sum(by_chance >= strength[place])) / (replays + 1)


def _row(
    series: PrevalenceSeries,
    found: list[int],
    place: int,
    p: float,
    *,
    level: float,
    replays: int,
    seed: int,
) -> dict[str, object]:
    """A step's interval and size, the other steps being there."""
    search = _search(series, [other for other in found if other != place])
    strength = search.strength(search.y[:, None])[0]
    full = series_design(series, steps=[*(o for o in found if o != place), place])
    y, made = working_response(series, full)
    fitted = averaged(made, full.columns, y)
    size = float(fitted.coefficients[-1])
    error = float(np.sqrt(fitted.covariance[-1, -1]))
    half = t_quantile(0.5 + level / 2, len(y) - full.columns.shape[1]) * error
    drawn = search.chance(search.weights_with(place), replays, seed)
    # A step picked because it stands out is smaller than it looks.
    less = np.sign(size) * max(abs(size) - error, error)
    replayed = search.strength(drawn + less * search.columns[:, [place]])
    low, high = step_interval(strength, replayed=replayed, at=place, level=level)
    # Where replays almost always find the place, its neighbour may still fit nearly as well here.
    near = np.flatnonzero(
        strength >= strength[place] - t_quantile(0.5 + level / 2, np.inf) ** 2 / 2
    )
    low, high = min(low, place, int(near[0])), max(high, place, int(near[-1]))
    at = series.at[series.known]
    return {
        "at": at[place],
        "low_at": at[low],
        "high_at": at[high],
        "ratio": float(np.exp(size)),
        "ratio_low": float(np.exp(size - half)),
        "ratio_high": float(np.exp(size + half)),
        "p": p,
    }
