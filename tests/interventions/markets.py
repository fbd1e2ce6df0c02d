"""Small panels of markets for tests: one treated, its donors, and what is planted in them."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from trustlib.interventions.synth.case import Case
from trustlib.interventions.synth.panel import SynthPanel


def paths(
    *,
    seed: int = 0,
    donors: int = 24,
    periods: int = 60,
    start: int = 40,
    effect: float = -6.0,
    mix: tuple[float, ...] = (0.4, 0.3, 0.3),
) -> np.ndarray:
    """(1 + donors, periods): the first is treated, a mix of the first donors with noise."""
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(0, 1, (donors, 2))
    factors = np.cumsum(rng.standard_normal((2, periods)), axis=1)
    noise = lfilter([1.0], [1.0, -0.3], rng.standard_normal((donors + 1, periods)), axis=1)
    pool = 50 + 10 * rng.standard_normal((donors, 1)) + loadings @ factors + noise[1:]
    weights = np.zeros(donors)
    weights[: len(mix)] = mix[:donors]
    treated = weights / weights.sum() @ (pool - noise[1:]) + noise[0]
    treated[start:] += effect
    return np.vstack([treated, pool])


def panel(outcome: np.ndarray, *, start: int | tuple[int, ...] = 40, **options) -> SynthPanel:
    """Rows are units, the first ones treated at `start`."""
    n_units, n_periods = outcome.shape
    starts = (start,) if isinstance(start, int) else start
    first = np.full(n_units, n_periods)
    first[: len(starts)] = starts
    made = {
        "predictors": np.empty((n_units, 0)),
        "fit_from": 0,
        "fit_to": min(starts),
        "unit_names": tuple(f"m{i:02}" for i in range(n_units)),
        "period_names": tuple(str(2000 + t) for t in range(n_periods)),
    }
    return SynthPanel(
        outcome=outcome, first_treated=first, weight=np.ones_like(outcome), **(made | options)
    )


def case(outcome: np.ndarray, *, start: int = 40) -> Case:
    """The first row against the others."""
    return Case(target=outcome[0], donors=outcome[1:], n_pre=start)
