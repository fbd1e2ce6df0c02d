"""Simulated roll-outs that know their truth: what the coverage studies and the tests measure.

With unit i in cluster c(i), period t = 0 … T − 1 and start G_c (T where never treated),

    Y_it  = a_i + l_t + b_ct + u_it + τ_it · 1[t ≥ G_c]
    a_i   ~ N(0, unit_sd²),   l_t = 0.1 t + N(0, period_sd²)
    b_ct  = ρ b_c,t−1 + cluster_sd √(1 − ρ²) ε_ct,     u_it likewise with noise_sd
    τ_it  = size_g · (1 + growth · (t − g)) + N(0, spread²) per unit

ε is standard normal, or Student's t scaled to variance one. Clusters draw their start
independently by `shares`, or the given numbers of clusters are placed at random (`counts`).
The truth is the mean of τ over units of a cohort: size_g · (1 + growth · (t − g)), weighted
by the shares that the starts were drawn with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.interventions.panel import FloatArray, IntArray, Panel


@dataclass(frozen=True, kw_only=True)
class World:
    """The equations' constants.

    Attributes
    ----------
    clusters, units_per_cluster, periods
        Sizes.
    starts, sizes
        First treated periods, ascending, and the effect of each cohort in its first period.
    shares
        Chance of each start; the rest is never treated.
    counts
        Clusters per start instead of `shares`: exactly so many.
    growth, spread
        Of the effect, per period since the start; between units.
    cluster_sd, noise_sd, rho
        Of the shocks that a cluster shares, of a unit's own, and their autocorrelation.
    unit_sd, period_sd
        Of the fixed levels.
    degrees
        Of Student's t shocks; 0 for normal ones.
    """

    name: str
    clusters: int
    periods: int
    starts: tuple[int, ...]
    sizes: tuple[float, ...]
    units_per_cluster: int = 1
    shares: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    growth: float = 0.0
    spread: float = 0.0
    cluster_sd: float = 0.0
    noise_sd: float = 1.0
    rho: float = 0.0
    unit_sd: float = 1.0
    period_sd: float = 0.5
    degrees: int = 0

    def effect(self, start: int, event_time: int) -> float:
        """The true mean effect of the cohort of `start`, `event_time` periods in."""
        if event_time < 0:
            return 0.0
        size = self.sizes[self.starts.index(start)]
        return size * (1 + self.growth * event_time)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One draw of a world.

    Attributes
    ----------
    panel
        What an analyst would hold.
    effect
        (n_units, n_periods) the effect that was added to each cell.
    world
        Whose draw it is.
    """

    panel: Panel
    effect: FloatArray
    world: World

    @property
    def frame(self) -> pd.DataFrame:
        """The panel in long form: unit, time, outcome, treatment_start, cluster."""
        panel = self.panel
        n, periods = panel.outcome.shape
        start = panel.first_treated.astype(float)
        start[panel.never] = np.nan
        names = np.array(panel.unit_names, dtype=object)
        clusters = np.array(panel.cluster_names, dtype=object)[panel.cluster]
        return pd.DataFrame(
            {
                "unit": pd.array(np.repeat(names, periods), dtype="str"),
                "time": np.tile(np.arange(periods), n),
                "outcome": panel.outcome.ravel(),
                "treatment_start": np.repeat(start, periods),
                "cluster": pd.array(np.repeat(clusters, periods), dtype="str"),
            }
        )


# The design of the coverage target: four cohorts, twenty periods, effects that differ and grow.
STAGGERED = World(
    name="staggered",
    clusters=400,
    periods=20,
    starts=(5, 9, 13, 17),
    sizes=(1.0, 0.7, 0.4, 0.2),
    shares=(0.15, 0.15, 0.15, 0.15),
    growth=0.2,
    spread=0.3,
    rho=0.5,
)


def placebo_law(
    clusters: int, *, rho: float = 0.8, treated: int | None = None, degrees: int = 0
) -> World:
    """A placebo law in the manner of Bertrand, Duflo and Mullainathan (2004): no effect.

    Twenty periods, ten units a cluster, AR(1) shocks that a cluster shares; half of the
    clusters (or `treated` of them) pass the law in period 10.
    """
    return World(
        name=f"placebo_law_{clusters}",
        clusters=clusters,
        units_per_cluster=10,
        periods=20,
        starts=(10,),
        sizes=(0.0,),
        counts=(clusters // 2 if treated is None else treated,),
        cluster_sd=1.0,
        rho=rho,
        degrees=degrees,
    )


def placebo_rollout(clusters: int, *, waves: int = 3, rho: float = 0.8) -> World:
    """The same without effect, a sixth of the clusters each in `waves` waves from period 6 on."""
    each = max(1, clusters // (2 * waves))
    return World(
        name=f"placebo_rollout_{clusters}",
        clusters=clusters,
        units_per_cluster=10,
        periods=20,
        starts=tuple(6 + 4 * wave for wave in range(waves)),
        sizes=(0.0,) * waves,
        counts=(each,) * waves,
        cluster_sd=1.0,
        rho=rho,
    )


def draw(world: World, *, seed: int) -> Draw:
    """One seeded draw of `world`."""
    rng = np.random.default_rng([seed, world.clusters, world.periods])
    first = np.repeat(_starts(world, rng), world.units_per_cluster)
    cluster = np.repeat(np.arange(world.clusters), world.units_per_cluster)
    n = len(first)
    level = world.unit_sd * rng.standard_normal((n, 1))
    common = 0.1 * np.arange(world.periods) + world.period_sd * rng.standard_normal(world.periods)
    shared = world.cluster_sd * _shocks(world, world.clusters, rng)
    own = world.noise_sd * _shocks(world, n, rng)
    effect = _effects(world, first, rng)
    names = tuple(f"u{i:0{len(str(n - 1))}d}" for i in range(n))
    panel = Panel(
        outcome=level + common + shared[cluster] + own + effect,
        first_treated=first,
        weight=np.ones((n, world.periods)),
        cluster=cluster,
        covariates=np.empty((n, world.periods, 0)),
        unit_names=names,
        period_names=tuple(str(t) for t in range(world.periods)),
        cluster_names=names
        if world.units_per_cluster == 1
        else tuple(f"c{i:0{len(str(world.clusters - 1))}d}" for i in range(world.clusters)),
    )
    return Draw(panel=panel, effect=effect, world=world)


def _starts(world: World, rng: np.random.Generator) -> IntArray:
    """(n_clusters,) the start of each cluster."""
    options = np.array([*world.starts, world.periods], dtype=np.int64)
    if world.counts:
        rest = world.clusters - sum(world.counts)
        return rng.permutation(np.repeat(options, [*world.counts, rest]))
    chances = [*world.shares, 1 - sum(world.shares)]
    return options[rng.choice(len(options), size=world.clusters, p=chances)]


def _shocks(world: World, n: int, rng: np.random.Generator) -> FloatArray:
    """(n, n_periods) stationary AR(1) of variance one."""
    from scipy.signal import lfilter

    shape = (n, world.periods)
    if world.degrees:
        noise = rng.standard_t(world.degrees, shape) / np.sqrt(world.degrees / (world.degrees - 2))
    else:
        noise = rng.standard_normal(shape)
    noise[:, 1:] *= np.sqrt(1 - world.rho**2)
    return lfilter([1.0], [1.0, -world.rho], noise, axis=1)


def _effects(world: World, first: IntArray, rng: np.random.Generator) -> FloatArray:
    """(n_units, n_periods) the effect in each cell, zero before the start."""
    sizes = np.array([*world.sizes, 0.0])[np.searchsorted(world.starts, first)]
    since = np.arange(world.periods)[None, :] - first[:, None]
    own = world.spread * rng.standard_normal((len(first), 1))
    size = sizes[:, None] * (1 + world.growth * since) + own
    return np.where(since >= 0, size, 0.0)
