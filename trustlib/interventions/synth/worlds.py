"""Simulated markets that know their truth: what the coverage studies and the tests measure.

With unit i, period t = 0 … T − 1, and the last `post` periods treated for the units of D,

    Y_it = α_i + β_t + Σ_r γ_ir υ_tr + τ_t · 1[i ∈ D, t ≥ T − post] + ε_it
    α_i  ~ N(0, unit_sd²),   β_t = a straight line and N(0, period_sd²), `trend` from end to end
    γ_ir ~ N(0, 1); υ_t1 a straight line from − to +, of variance drift · factor_sd²; the other
           υ_tr AR(1) with memory factor_rho, which share the rest of factor_sd²
    ε_it an AR(2) of variance noise_sd² with coefficients `ar`
    τ_t  = size · (1 + growth · (t − (T − post)))

Who is treated depends on levels and on the loadings of the line: P(i ∈ D) = logit⁻¹(shift +
selection · (α_i / unit_sd, γ_i1)), so that averages of the others are no guide: the treated stand
high and drift upward. Of more than `most_treated`, so many are kept at random; of none, one is
taken at random.

The design is that of the simulations in Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021),
"Synthetic difference-in-differences", American Economic Review 111(12), section III: the additive
part, the rank-4 factors and the nearly white AR(2) noise have the root mean squares .99 : .10 :
.098 of their baseline. Their factors come from wages by state and stay the same; loadings and
factors are drawn anew here with each seed. The split of the factors, the levels' spread and the
selection were set so that the errors of the three estimators come out as in their table 2
(`tests/studies/synth_coverage.md` has both); the coverage was not looked at for that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.panel import SynthPanel

_BURN_IN = 200


@dataclass(frozen=True, kw_only=True)
class World:
    """The equations' constants.

    Attributes
    ----------
    units, periods, post
        Sizes; treated periods are the last `post`.
    most_treated
        Treated units at most.
    size, growth
        Of the effect in its first period; per period since, relative to it.
    unit_sd, period_sd, trend
        Of levels; of the periods' shocks; rise of the straight line from end to end.
    rank, factor_sd, drift, factor_rho
        Factors, the root mean square of their sum, the share of its square that is the straight
        line, and how much of one period the other factors keep in the next.
    noise_sd, ar
        Of what is a cell's own, and its two coefficients.
    shift, selection
        Of the treatment's log odds: for an average unit; per standard deviation of the level,
        and of the line's loading.
    """

    name: str
    units: int = 50
    periods: int = 40
    post: int = 10
    most_treated: int = 10
    size: float = 0.0
    growth: float = 0.0
    unit_sd: float = 0.2
    period_sd: float = 0.05
    trend: float = 3.36
    rank: int = 4
    factor_sd: float = 0.1
    drift: float = 0.4
    factor_rho: float = 0.7
    noise_sd: float = 0.098
    ar: tuple[float, float] = (0.01, -0.06)
    shift: float = -1.0
    selection: tuple[float, float] = (1.5, 0.35)

    @property
    def effect(self) -> FloatArray:
        """(n_periods,) τ, zero before the start."""
        since = np.arange(self.periods) - (self.periods - self.post)
        return np.where(since >= 0, self.size * (1 + self.growth * since), 0.0)

    @property
    def att(self) -> float:
        """Mean effect per treated unit and period: the truth."""
        return float(self.effect[self.periods - self.post :].mean())


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """One draw of a world.

    Attributes
    ----------
    outcome
        (n_units, n_periods), effect included.
    treated
        (n_units,) bool.
    world
        Whose draw it is.
    """

    outcome: FloatArray
    treated: np.ndarray
    world: World

    @property
    def panel(self) -> SynthPanel:
        """What an analyst would hold."""
        n, periods = self.outcome.shape
        start = periods - self.world.post
        return SynthPanel(
            outcome=self.outcome,
            first_treated=np.where(self.treated, start, periods),
            weight=np.ones((n, periods)),
            predictors=np.empty((n, 0)),
            fit_from=0,
            fit_to=start,
            unit_names=_names(n),
            period_names=tuple(str(t) for t in range(periods)),
        )

    @property
    def frame(self) -> pd.DataFrame:
        """The panel in long form: unit, time, outcome, treatment_start (empty: never)."""
        n, periods = self.outcome.shape
        start = np.where(self.treated, float(periods - self.world.post), np.nan)
        return pd.DataFrame(
            {
                "unit": pd.array(np.repeat(np.array(_names(n), dtype=object), periods), "str"),
                "time": np.tile(np.arange(periods), n),
                "outcome": self.outcome.ravel(),
                "treatment_start": np.repeat(start, periods),
            }
        )


# The design of the coverage targets, and the same with a single treated unit.
BASELINE = World(name="baseline")
ONE_TREATED = World(name="one_treated", most_treated=1)


def exchangeable(*, units: int = 12, pre: int = 19) -> World:
    """One treated unit and one treated period, nothing that differs between periods but chance:
    conformal intervals are exact here, whatever the weights."""
    return World(
        name=f"exchangeable_{pre}",
        units=units,
        periods=pre + 1,
        post=1,
        most_treated=1,
        trend=0.0,
        drift=0.0,
        factor_rho=0.0,
        ar=(0.0, 0.0),
    )


def draw(world: World, *, seed: int) -> Draw:
    """One seeded draw of `world`."""
    rng = np.random.default_rng([seed, world.units, world.periods])
    level = rng.standard_normal(world.units)
    line = world.trend * np.linspace(-0.5, 0.5, world.periods)
    common = line + world.period_sd * rng.standard_normal(world.periods)
    loads = rng.standard_normal((world.units, world.rank))
    factors = _factors(world, rng)
    noise = _noise(world, rng)
    treated = _treated(world, np.stack([level, loads[:, 0]]), rng)
    outcome = world.unit_sd * level[:, None] + common + loads @ factors + noise
    outcome = outcome + treated[:, None] * world.effect
    return Draw(outcome=outcome, treated=treated, world=world)


def _names(n: int) -> tuple[str, ...]:
    return tuple(f"u{i:0{len(str(n - 1))}d}" for i in range(n))


def _factors(world: World, rng: np.random.Generator) -> FloatArray:
    """(rank, n_periods): a straight line about zero, and stationary AR(1)s."""
    from scipy.signal import lfilter

    line = np.linspace(-1.0, 1.0, world.periods)
    line = line / np.sqrt(np.mean(line**2))
    shocks = rng.standard_normal((world.rank - 1, world.periods))
    shocks[:, 1:] *= np.sqrt(1 - world.factor_rho**2)
    paths = lfilter([1.0], [1.0, -world.factor_rho], shocks, axis=1)
    rest = np.sqrt((1 - world.drift) / (world.rank - 1))
    return np.asarray(world.factor_sd * np.vstack([np.sqrt(world.drift) * line, rest * paths]))


def _noise(world: World, rng: np.random.Generator) -> FloatArray:
    """(n_units, n_periods) AR(2) past its beginning, with the stated variance."""
    from scipy.signal import lfilter

    first, second = world.ar
    shocks = rng.standard_normal((world.units, _BURN_IN + world.periods))
    paths = lfilter([1.0], [1.0, -first, -second], shocks, axis=1)[:, _BURN_IN:]
    # Stationary variance of an AR(2) with shocks of variance one.
    variance = (1 - second) / ((1 + second) * ((1 - second) ** 2 - first**2))
    return np.asarray(world.noise_sd / np.sqrt(variance) * paths)


def _treated(world: World, marks: FloatArray, rng: np.random.Generator) -> np.ndarray:
    """(n_units,) bool: by chance, with odds that rise with the (2, n_units) `marks`."""
    odds = world.shift + np.array(world.selection) @ marks
    drawn = np.flatnonzero(rng.random(world.units) < 1 / (1 + np.exp(-odds)))
    if not len(drawn):
        drawn = rng.integers(world.units, size=1)
    treated = np.zeros(world.units, dtype=bool)
    treated[rng.permutation(drawn)[: world.most_treated]] = True
    return treated
