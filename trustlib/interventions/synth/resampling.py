"""Standard errors from units left out or drawn again, where several units were treated.

Source: Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), "Synthetic
difference-in-differences", American Economic Review 111(12), algorithms 3 (jackknife) and 2
(bootstrap); several dates as in Clarke, Pailañir, Athey and Imbens (2023), "Synthetic
difference-in-differences estimation". Both take units for independent draws, and say little with
few treated; neither is valid for synthetic controls without a penalty, whose weights are not
smooth in the data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.interventions.synth.cohorts import cases, shares, together
from trustlib.interventions.synth.fit import Fit, Preset, fit
from trustlib.interventions.synth.panel import SynthPanel

SMOOTH: frozenset[Preset] = frozenset({"synthetic_did", "did"})
_TRIES = 20  # draws taken per draw wanted, before it is given up


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampled:
    """Estimates without some units, and what they say about the headline's error.

    Attributes
    ----------
    kind
        "jackknife", "bootstrap", or "none" where it cannot be had (`reason`).
    level
        Of every interval.
    att
        (n,) one per unit left out, or per draw.
    paths
        (n, n_periods) mean gaps over the units treated by then; a sum over periods of the
        headline's gap strays as the same sum over each of these does.
    n_treated
        Units: the interval's Student's t has one degree of freedom less.
    reason
        Why there is none; else None.
    """

    kind: Literal["jackknife", "bootstrap", "none"]
    level: float
    att: FloatArray
    paths: FloatArray
    n_treated: int
    reason: str | None = None

    @property
    def n(self) -> int:
        return len(self.att)

    @property
    def standard_error(self) -> float:
        """Of the average effect; NaN where there is none."""
        return self._error(self.att)

    def error(self, weights: FloatArray) -> float:
        """Of the gaps weighted by (n_periods,) `weights`."""
        return self._error(self.paths @ weights)

    def half(self, weights: FloatArray) -> float:
        """Half the interval's width; NaN where there is none."""
        if self.kind == "none":
            return math.nan
        quantile = float(stdtrit(self.n_treated - 1, 0.5 + self.level / 2))
        return quantile * self.error(weights)

    def _error(self, values: FloatArray) -> float:
        if self.kind == "none":
            return math.nan
        # Left out one by one, n estimates stray √(n − 1) times less than the estimate does.
        factor = np.sqrt(len(values) - 1) if self.kind == "jackknife" else 1.0
        return float(values.std() * factor)


def jackknife(panel: SynthPanel, fits: Sequence[Fit], *, level: float = 0.95) -> Resampled:
    """Every unit left out once, the others' weights held and made to sum to one again.

    Parameters
    ----------
    fits
        The headline's, one per start.
    """
    why = _refused(panel, fits[0].preset)
    if why is None and any(found.unit_weights.max() > 1 - 1e-9 for found in fits):
        why = "a start rests on a single donor, and without it there is nothing to compare with"
    if why is not None:
        return _none(panel, level, why)
    starts, sizes = panel.starts, _sizes(panel)
    gaps = np.stack([found.gap for found in fits])
    paths, att = np.empty(panel.outcome.shape), np.empty(panel.n_units)
    for unit in range(panel.n_units):
        left = sizes - (panel.first_treated[unit] == starts)
        without = gaps.copy()
        for at, found in enumerate(fits):
            changed = _without(panel, unit, start=int(starts[at]), found=found)
            without[at] = gaps[at] if changed is None else changed
        paths[unit], att[unit] = together(without, units=left, starts=starts)
    return Resampled(
        kind="jackknife", level=level, att=att, paths=paths, n_treated=int(sizes.sum())
    )


def bootstrap(
    panel: SynthPanel, preset: Preset, *, level: float = 0.95, draws: int = 999, seed: int = 0
) -> Resampled:
    """Units drawn with replacement, weights fitted anew in every draw.

    A draw without a donor, or with no unit of one of the starts, is drawn again.
    """
    why = _refused(panel, preset)
    if why is not None:
        return _none(panel, level, why)
    paths, att = [], []
    for rows in _drawn(panel, draws=draws, seed=seed):
        parts = cases(_taken(panel, rows))
        gaps = np.stack([fit(case, preset).gap for _, case in parts])
        units = np.array([case.n_treated for _, case in parts])
        path, effect = together(gaps, units=units, starts=panel.starts)
        paths.append(path)
        att.append(effect)
    if len(att) < draws:
        why = f"of {_TRIES * draws} draws only {len(att)} had donors and units of every start"
        return _none(panel, level, why)
    return Resampled(
        kind="bootstrap",
        level=level,
        att=np.array(att),
        paths=np.array(paths),
        n_treated=int(panel.treated.sum()),
    )


def _without(panel: SynthPanel, unit: int, *, start: int, found: Fit) -> FloatArray | None:
    """(n_periods,) gap of the cohort of `start` without `unit`; None where it is as before."""
    members = np.flatnonzero(panel.first_treated == start)
    donors = panel.donors
    own, weights = shares(panel, members), found.unit_weights
    if unit in members:
        own = np.where(members == unit, 0.0, own)
    elif unit in donors:
        weights = np.where(donors == unit, 0.0, weights)
    else:
        return None
    raw = own / own.sum() @ panel.outcome[members]
    raw = raw - weights / weights.sum() @ panel.outcome[donors]
    return np.asarray(raw - found.time_weights @ raw[:start])


def _sizes(panel: SynthPanel) -> IntArray:
    return np.array([(panel.first_treated == start).sum() for start in panel.starts])


def _refused(panel: SynthPanel, preset: Preset) -> str | None:
    if preset not in SMOOTH:
        return "its weights are not smooth in the data"
    if int(_sizes(panel).min()) < 2:
        return "a start has a single treated unit, and without it no effect"
    if len(panel.donors) < 2:
        return "there is a single donor, and without it nothing to compare with"
    return None


def _drawn(panel: SynthPanel, *, draws: int, seed: int) -> Iterator[IntArray]:
    """Rows of each draw that has donors and units of every start; at most `draws` of them."""
    rng = np.random.default_rng(seed)
    wanted = len(panel.starts) + 1
    given = 0
    for _ in range(_TRIES * draws):
        rows = np.sort(rng.integers(panel.n_units, size=panel.n_units))
        if len(np.unique(panel.first_treated[rows])) < wanted:
            continue
        yield rows
        given += 1
        if given == draws:
            return


def _taken(panel: SynthPanel, rows: IntArray) -> SynthPanel:
    return replace(
        panel,
        outcome=panel.outcome[rows],
        first_treated=panel.first_treated[rows],
        weight=panel.weight[rows],
        predictors=panel.predictors[rows],
        unit_names=tuple(panel.unit_names[row] for row in rows),
    )


def _none(panel: SynthPanel, level: float, why: str) -> Resampled:
    return Resampled(
        kind="none",
        level=level,
        att=np.empty(0),
        paths=np.empty((0, panel.n_periods)),
        n_treated=int(panel.treated.sum()),
        reason=f"not estimable: {why}",
    )
