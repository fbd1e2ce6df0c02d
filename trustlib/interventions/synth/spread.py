"""How far a sum of gaps strays by chance, as the donors' placebos stray.

Two rules, by what the preset assumes (see `Spread.kind`):

- ``placebo``: the standard deviation of the placebos' values, and Student's t with one degree
  of freedom less than there are placebos (Arkhangelsky et al. 2021, algorithm 4, with the exact
  enumeration in the place of draws). Assumes that the treated unit strays as the donors do.
- ``rank``: the placebos' absolute values, each over its own fit before the start, put in order;
  the interval holds what the treated unit's fit allows at that rank (after Abadie, Diamond and
  Hainmueller 2010, inverted as in Firpo and Possebom 2018 for a constant effect). Assumes that,
  relative to its fit, any donor could have been the treated one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from scipy.special import stdtrit

from trustlib.core.format import level as level_text
from trustlib.interventions.panel import FloatArray
from trustlib.interventions.synth.fit import Preset
from trustlib.interventions.synth.placebos_in_space import InSpace

RANKED: frozenset[Preset] = frozenset(
    {"synthetic_control", "synthetic_control_predictors", "augmented"}
)
LEAST_PLACEBOS = 3  # fewer have no spread to speak of
_EXACT = 1e-6  # of the placebos' median misfit: matched exactly, and nothing to be relative to
MATCHED = 1e-3  # of the same: a misfit of the treated that allows no width to its interval


class Reach(Protocol):
    """How far a linear function of the gap path may be off, whatever says so."""

    def error(self, weights: FloatArray) -> float:
        """Standard error of the gaps weighted by (n_periods,) `weights`; NaN without."""

    def half(self, weights: FloatArray) -> float:
        """Half the interval's width; NaN where there is none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """Intervals of linear functions of the gap path.

    Attributes
    ----------
    kind
        "rank", "placebo", or "none" where no interval can be justified (`reason`).
    level
        Of every interval.
    paths, pre_rmspe
        (n_placebos, n_periods) gaps of the placebos, and (n_placebos,) their fits.
    own_rmspe
        The treated unit's fit; (n_placebos,) where it is another beside each placebo.
    reason
        Why there is no interval, or why the rank gave way to the standard error; else None.
    """

    kind: Literal["rank", "placebo", "none"]
    level: float
    paths: FloatArray
    pre_rmspe: FloatArray
    own_rmspe: float | FloatArray
    reason: str | None = None

    @property
    def n(self) -> int:
        return len(self.pre_rmspe)

    def error(self, weights: FloatArray) -> float:
        """Standard deviation over placebos of the gaps weighted by (n_periods,) `weights`."""
        return float((self.paths @ weights).std()) if self.kind != "none" else math.nan

    def half(self, weights: FloatArray) -> float:
        """Half the interval's width; NaN where there is none."""
        if self.kind == "none":
            return math.nan
        if self.kind == "placebo":
            return float(stdtrit(self.n - 1, 0.5 + self.level / 2)) * self.error(weights)
        strays = np.abs(self.paths @ weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(strays > 0, strays / self.pre_rmspe, 0.0)
        place = rank_needed(self.n, self.level)
        with np.errstate(invalid="ignore"):
            half = float(np.sort(relative * self.own_rmspe)[place - 1])
        return half if math.isfinite(half) else math.nan


def rank_needed(n_placebos: int, level: float) -> int:
    """The placebo, in ascending order, at which an interval of `level` ends; more than
    `n_placebos` where they are too few for it."""
    return math.ceil((n_placebos + 1) * level - 1e-9)


def spread_of(
    chance: InSpace,
    preset: Preset,
    *,
    level: float,
    misfit: float | FloatArray | None = None,
) -> Spread:
    """`spread` by the placebos `chance`; `misfit` of the treated, where it is not the study's."""
    return spread(
        preset,
        paths=chance.paths,
        pre_rmspe=chance.pre_rmspe,
        own_rmspe=chance.own_misfit if misfit is None else misfit,
        level=level,
    )


def spread(
    preset: Preset,
    *,
    paths: FloatArray,
    pre_rmspe: FloatArray,
    own_rmspe: float | FloatArray,
    level: float,
) -> Spread:
    """The rule that suits `preset` and the number of placebos."""
    n = len(pre_rmspe)
    kind: Literal["rank", "placebo", "none"] = "placebo"
    reason = None
    if n < LEAST_PLACEBOS:
        kind = "none"
        reason = f"not estimable: {n} placebos, and an interval needs {LEAST_PLACEBOS} at least"
    elif preset in RANKED:
        needed = rank_needed(n, level)
        middle = float(np.median(pre_rmspe))
        matched = int((pre_rmspe <= _EXACT * middle).sum())
        own = float(np.median(own_rmspe)) <= MATCHED * middle
        if needed <= n and not matched and not own:
            kind = "rank"
        elif matched:
            reason = (
                f"{matched} of {n} placebos are matched exactly before the start, so that nothing "
                "can be set in relation to their misfit: the interval rests on the placebos' "
                "standard deviation and a bell shape instead"
            )
        elif needed <= n:
            reason = (
                "the treated are matched exactly before the start, and an interval relative to "
                "that misfit would have no width: it rests on the placebos' standard deviation "
                "and a bell shape instead"
            )
        else:
            reason = (
                f"with {n} placebos no rank reaches {level_text(level)}: the interval rests on "
                "their standard deviation and a bell shape instead"
            )
    return Spread(
        kind=kind,
        level=level,
        paths=paths,
        pre_rmspe=pre_rmspe,
        own_rmspe=own_rmspe,
        reason=reason,
    )
