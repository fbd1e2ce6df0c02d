"""How long arrivals take, learnt from what has arrived: right truncation.

An arrival is only seen when its delay is at most the age of its event, so that short delays are
seen too often. With the hazard in reverse time

    g(d) = #(delay = d, age > d) / #(delay ≤ d, age > d),        F(d) = Π_{j > d} (1 − g(j)),

F is the maximum likelihood estimate of P(delay ≤ d), given that a delay is at most the longest
that history can show (Kalbfleisch and Lawless 1991, Statistica Sinica 1; Lawless 1994, Canadian
Journal of Statistics 22). It is the chain ladder's, whose factors are 1 / (1 − g) (Mack 1993,
ASTIN Bulletin 23). Ages and delays are whole steps; the step with delay = age is seen in part
only, and is left out of g: events with age > d have seen all of step d, whenever they began.

What lies beyond the longest delay cannot be learnt without an assumption: the tail is continued
as it falls over the later part of the delays seen (geometrically), and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.data.incident_records import STEP_HOURS

FloatArray = npt.NDArray[np.float64]

STEPS_A_DAY = 24 // STEP_HOURS
# Delays are learnt as far as so many arrivals, and this share of the most, could have shown them.
_FEWEST_AT_RISK, _LEAST_SHARE = 10, 0.25
# From a local fall of the tail on this many arrivals; below, from the whole range of delays.
_FEWEST_IN_TAIL = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Cohorts:
    """Arrivals by the day of their event, C days, and by delay, A steps.

    Attributes
    ----------
    came
        (C, A) arrivals with that delay, fully observed: age > delay.
    at_risk
        (C, A) arrivals with delay ≤ d and age > d.
    """

    came: FloatArray
    at_risk: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Delays:
    """The distribution of delays, in B versions (bootstrap draws; 1 for the estimate).

    Attributes
    ----------
    share
        (B, D) P(delay ≤ d) for d = 0 … D − 1; its last column is 1 − beyond.
    beyond
        (B,) the share of arrivals that takes D steps or longer.
    fall
        (B,) by how much the tail falls over D / 3 steps; at 1 it does not end.
    far
        (B,) arrivals that could have shown a delay longer than the longest seen, or D.
    """

    share: FloatArray
    beyond: FloatArray
    fall: FloatArray
    far: FloatArray

    @property
    def reach(self) -> int:
        """D: delays of fewer steps are learnt from data."""
        return self.share.shape[1]

    def before(self, age: npt.ArrayLike) -> FloatArray:
        """(B, n) P(delay < age): what an event of that age has seen in whole steps."""
        at = np.asarray(age, dtype=int)
        padded = np.hstack([np.zeros((len(self.share), 1)), self.share])
        inside = padded[:, np.clip(at, 0, self.reach)]
        if not (at > self.reach).any():
            return inside
        steps = np.maximum(at - self.reach, 0) / (self.reach / 3)
        return np.asarray(1 - (1 - inside) * self.fall[:, None] ** steps)

    def quantile(self, share: float) -> float:
        """Steps after which `share` of all has arrived (the first version's); NaN: never."""
        reached = np.flatnonzero(self.share[0] >= share - 1e-12)
        if len(reached):
            return float(reached[0] + 1)
        fall, beyond = float(self.fall[0]), float(self.beyond[0])
        if not 0 < fall < 1:
            return float("nan")
        return float(self.reach * (1 + np.log((1 - share) / beyond) / np.log(fall) / 3))


def cohorts(arrivals: pd.DataFrame, *, steps: int) -> Cohorts:
    """Arrivals of one kind (age, delay, n) by day of the event; `steps` is A."""
    age, delay = (arrivals[name].to_numpy(dtype=int) for name in ("age", "delay"))
    n = arrivals["n"].to_numpy(dtype=float)
    _, day = np.unique(age // STEPS_A_DAY, return_inverse=True)
    shape = (int(day.max()) + 1 if len(day) else 0, steps + 1)
    came, at_risk = np.zeros(shape), np.zeros(shape)
    whole = age > delay
    np.add.at(came, (day[whole], delay[whole]), n[whole])
    np.add.at(at_risk, (day, delay), n)
    np.add.at(at_risk, (day, age), -n)
    return Cohorts(came=came[:, :steps], at_risk=np.cumsum(at_risk, axis=1)[:, :steps])


def reach(at_risk: FloatArray) -> int:
    """D: how many steps of delay enough arrivals could have shown; `at_risk` (A,) of all."""
    if not len(at_risk) or at_risk.max() <= 0:
        return 0
    enough = np.flatnonzero(at_risk >= max(_FEWEST_AT_RISK, _LEAST_SHARE * at_risk.max()))
    return int(enough[-1]) + 1 if len(enough) else 0


def delays(came: FloatArray, at_risk: FloatArray) -> Delays:
    """From counts by delay, each (B, D): see the module's head."""
    hazard = np.divide(came, at_risk, out=np.zeros_like(came), where=at_risk > 0)
    stay = np.cumprod((1 - np.clip(hazard, 0.0, 1.0))[:, ::-1], axis=1)[:, ::-1]
    share = np.hstack([stay[:, 1:], np.ones((len(came), 1))])
    longest = share.shape[1] - 1 - np.argmax((came > 0)[:, ::-1], axis=1)
    beside = np.minimum(longest + 1, share.shape[1] - 1)
    far = at_risk[np.arange(len(came)), beside]
    beyond, fall = _tail(share, at_risk[:, -1])
    return Delays(
        share=share * (1 - beyond)[:, None], beyond=beyond, fall=fall, far=np.maximum(far, 1.0)
    )


def _tail(share: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share beyond the reach and its fall, each (B,), from the masses m0, m1, m2 of thirds.

    Geometric: m1 = fall · m0, m2 = fall · m1, and fall · m2 + fall² · m2 + … lies beyond.
    """
    third = max(1, share.shape[1] // 3)
    to1, to2 = share[:, -1 - 2 * third], share[:, -1 - third]
    if share.shape[1] < 3:
        return np.zeros(len(share)), np.zeros(len(share))
    middle, last = to2 - to1, 1 - to2
    whole = (middle + last) / np.maximum(to2, 1e-12)
    local = np.divide(last, middle, out=np.ones_like(last), where=middle > 0)
    fall = np.where(middle * n >= _FEWEST_IN_TAIL, local, whole)
    fall = np.clip(np.where(last > 0, fall, 0.0), 0.0, 0.98)
    odds = last * fall / (1 - fall)
    return odds / (1 + odds), fall
