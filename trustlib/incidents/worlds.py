"""Simulated worlds that know their truth: what the coverage study and the tests measure against.

With t in hours since a Monday 00:00 UTC,

    season_t = 0.7 cos(2π(h_t − 15)/24) + 0.2 cos(4π(h_t − 20)/24) − 0.3·weekend_t
    latent_t = ρ latent_{t−1} + σ √(1 − ρ²) ε_t,            ε_t ~ N(0, 1)
    level_t  = growth · t/168 + Σ d η_s                         η_t ~ N(0, 1)
    mean_t   = base · exp(season_t + latent_t − σ²/2 + level_t)
    quiet_t ~ Poisson(mean_t) or NegBin with variance mean_t + α mean_t²
    count_t  = quiet_t + Poisson(effect · mean_t) for t in the incident     (effect > 0)
    count_t  = Binomial(quiet_t, 1 + effect)                               (effect < 0)

The truth of one draw is the number of events added or taken away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from trustlib.core import Window

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)  # a Monday


@dataclass(frozen=True, kw_only=True)
class World:
    """The equations' constants; hourly buckets.

    Attributes
    ----------
    base
        Events an hour, on average.
    latent_share, latent_rho
        σ and ρ of the latent log-AR(1); 0 for none.
    alpha
        Of independent negative binomial hours; 0 for Poisson.
    drift
        d: standard deviation of the level's hourly step, log scale.
    growth
        Of the level a week, log scale.
    earlier
        Unannounced earlier incidents in the history: relative effects, 30 hours each.
    """

    name: str
    base: float
    latent_share: float = 0.0
    latent_rho: float = 0.0
    alpha: float = 0.0
    drift: float = 0.0
    growth: float = 0.0
    earlier: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One draw of a world.

    Attributes
    ----------
    counts
        bucket_start_at, count, control (shares 80 % of the latent variance).
    incident
        Where the effect is.
    excess
        The truth: events added (or taken away, below zero) in the incident.
    """

    counts: pd.DataFrame
    incident: Window
    excess: float


WORLDS: tuple[World, ...] = (
    World(name="poisson", base=30),
    World(name="negative_binomial", base=30, alpha=0.3),
    World(name="ar_90", base=60, latent_share=0.3, latent_rho=0.9),
    World(name="ar_95", base=60, latent_share=0.3, latent_rho=0.95),
    World(name="sparse", base=0.4, latent_share=0.3, latent_rho=0.9),
    World(name="level_drift", base=3000, latent_share=0.1, latent_rho=0.9, drift=0.0015),
    World(
        name="contaminated", base=60, latent_share=0.15, latent_rho=0.9, earlier=(1.5, 2.5, -0.7)
    ),
)
AUTOCORRELATED = ("ar_90", "ar_95", "sparse", "level_drift", "contaminated")


def draw(
    world: World,
    *,
    seed: int,
    weeks: int = 8,
    effect: float = 0.0,
    hours: int = 36,
    after_hours: int = 72,
    late_hours: int = 0,
) -> Draw:
    """One seeded draw: `weeks` of history, an incident of `hours`, some hours after it.

    The incident starts on a weekday and hour that depend on the seed; the effect sets in
    `late_hours` after its stated start.
    """
    rng = np.random.default_rng([seed, weeks, hours])
    start = int(rng.integers(0, 168))
    n = start + weeks * 168 + hours + after_hours
    first = start + weeks * 168
    latent = _latent(world, n, rng)
    hour, weekend = np.arange(n) % 24, (np.arange(n) // 24) % 7 >= 5
    season = 0.7 * np.cos(2 * np.pi * (hour - 15) / 24)
    season += 0.2 * np.cos(4 * np.pi * (hour - 20) / 24) - 0.3 * weekend
    level = np.cumsum(rng.standard_normal(n)) * world.drift + world.growth * np.arange(n) / 168
    mean = world.base * np.exp(season + latent - world.latent_share**2 / 2 + level)
    quiet = _counted(mean, world.alpha, rng)
    for size in world.earlier:
        at = int(rng.integers(start, first - 48))
        quiet[at : at + 30] += _effect(quiet[at : at + 30], mean[at : at + 30], size, rng)
    begin, end = first + late_hours, first + hours
    added = _effect(quiet[begin:end], mean[begin:end], effect, rng)
    counts = quiet.copy()
    counts[begin:end] += added
    own = np.sqrt(0.2) * _latent(world, n, rng) + np.sqrt(0.8) * latent
    control = rng.poisson(20 * world.base * np.exp(season + own))
    starts = pd.date_range(_EPOCH, periods=n, freq="h").as_unit("us")
    frame = pd.DataFrame(
        {
            "bucket_start_at": starts[start:],
            "count": counts[start:].astype(float),
            "control": control[start:].astype(float),
        }
    )
    stated = _EPOCH + timedelta(hours=first)
    return Draw(
        counts=frame,
        incident=Window(stated, stated + timedelta(hours=hours)),
        excess=float(added.sum()),
    )


def _latent(world: World, n: int, rng: np.random.Generator) -> np.ndarray:
    from scipy.signal import lfilter

    noise = rng.standard_normal(n)
    if world.latent_share == 0:
        return np.zeros(n)
    rho = world.latent_rho
    noise[1:] *= np.sqrt(1 - rho**2)
    return world.latent_share * lfilter([1.0], [1.0, -rho], noise)


def _counted(mean: np.ndarray, alpha: float, rng: np.random.Generator) -> np.ndarray:
    if alpha:
        mean = mean * rng.gamma(1 / alpha, alpha, size=len(mean))
    return rng.poisson(mean)


def _effect(
    quiet: np.ndarray, mean: np.ndarray, size: float, rng: np.random.Generator
) -> np.ndarray:
    """Events added by an effect of `size`, relative to the mean; taken away below zero."""
    if size >= 0:
        return rng.poisson(size * mean)
    return -rng.binomial(quiet, -size)
