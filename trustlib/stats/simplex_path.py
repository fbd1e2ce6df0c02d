"""How residuals of a fit on the simplex move as one value of the target does.

As the target's last value falls by θ, the weights of `trustlib.stats.simplex` are piecewise
linear in θ: on a stretch the support stays, and a linear system says how the weights move, which
of them reaches zero first, and which one outside the support would be taken up first (as for the
lasso: Osborne, Presnell and Turlach 2000).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustlib.stats.simplex import simplex_least_squares

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_NUDGE = 1e-9  # of the way: where a new stretch is looked at, past the end of the last one
_LEAST = 1e-7  # of the way: no stretch is shorter


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """Residuals u(θ) = residuals + slope · (θ − first), for θ from `first` to `last`.

    Attributes
    ----------
    first, last
        `last` may lie below `first`: in the direction in which θ was moved.
    residuals, slope
        (m,).
    """

    first: float
    last: float
    residuals: FloatArray
    slope: FloatArray


def simplex_path(
    design: FloatArray,
    target: FloatArray,
    *,
    first: float,
    last: float,
    ridge: float = 0.0,
    intercept: bool = False,
) -> Iterator[Stretch]:
    """Residuals target − θ e − design w(θ) (− w0), with e the last unit vector, w(θ) the optimum.

    Parameters
    ----------
    design, target, ridge, intercept
        As of `simplex_least_squares`: (m, n) and (m,).
    first, last
        θ is moved from one to the other, in either direction.
    """
    way = last - first
    if way == 0:
        return
    program = _program(design, target, ridge=ridge, intercept=intercept)
    at, state, least = first, None, _LEAST * abs(way)
    while (last - at) * way > 0:
        if state is None:
            # Past the end of the last stretch, where its support no longer holds.
            weights = program.solved(at + _NUDGE * way)
            state = (weights, np.flatnonzero(weights > 0))
        weights, support = state
        moved, stay, changed = program.direction(weights, support, at, sign=np.sign(way))
        begun = program.residuals(weights, at)
        if stay < least:
            # More than one weight changes here: a step over it, from one optimum to the next, and
            # a longer one each time that it was not enough.
            end = at + np.sign(way) * min(least, abs(last - at))
            slope = (program.residuals(program.solved(end), end) - begun) / (end - at)
            state, least = None, 2 * least
        else:
            end = at + np.sign(way) * min(stay, abs(last - at))
            slope = -program.unit - program.columns @ moved
            state, least = changed, _LEAST * abs(way)
        yield Stretch(first=at, last=float(end), residuals=begun, slope=slope)
        at = float(end)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Program:
    """The program of `simplex_path`, centred where it has an intercept; `unit` is what θ takes."""

    design: FloatArray
    target: FloatArray
    ridge: float
    intercept: bool
    columns: FloatArray
    aim: FloatArray
    unit: FloatArray
    gram: FloatArray
    pull: FloatArray
    against: FloatArray

    def solved(self, theta: float) -> FloatArray:
        """(n,) the optimum at `theta`."""
        target = self.target.copy()
        target[-1] -= theta
        return simplex_least_squares(
            self.design, target, ridge=self.ridge, intercept=self.intercept
        ).weights

    def residuals(self, weights: FloatArray, theta: float) -> FloatArray:
        """(m,) at `theta`."""
        return np.asarray(self.aim - theta * self.unit - self.columns @ weights)

    def direction(
        self, weights: FloatArray, support: IntArray, theta: float, *, sign: float
    ) -> tuple[FloatArray, float, tuple[FloatArray, IntArray] | None]:
        """(n,) change of the weights per θ, how far θ may go, and weights and support there."""
        moved, price = self._moved(support)
        gradient = self.gram @ weights - self.against + theta * self.pull
        slack = np.maximum(gradient - float(gradient[support].mean()), 0.0)
        change = self.gram @ moved + self.pull + price
        outside = np.ones(len(weights), dtype=bool)
        outside[support] = False
        value = np.where(outside, slack, weights)
        pace = sign * np.where(outside, change, moved)
        size = np.where(outside, np.abs(change).max(), np.abs(moved).max())
        with np.errstate(divide="ignore", invalid="ignore"):
            until = np.where(pace < -1e-13 * size, value / -pace, np.inf)
        first = int(np.argmin(until))
        stay = float(until[first])
        if not np.isfinite(stay):
            return moved, stay, None
        there = np.maximum(weights + sign * stay * moved, 0.0)
        there[outside] = 0.0
        there[first] = 0.0
        if outside[first]:
            return moved, stay, (there / there.sum(), np.append(support, first))
        return moved, stay, (there / there.sum(), support[support != first])

    def _moved(self, support: IntArray) -> tuple[FloatArray, float]:
        k = len(support)
        system = np.ones((k + 1, k + 1))
        inner = self.gram[np.ix_(support, support)]
        scale = max(float(np.abs(inner).max()), np.finfo(float).tiny)
        system[:k, :k] = inner / scale
        system[k, k] = 0.0
        right = np.append(-self.pull[support] / scale, 0.0)
        if self.ridge or k < len(self.target):
            try:
                found = np.linalg.solve(system, right)
            except np.linalg.LinAlgError:
                found = np.linalg.lstsq(system, right, rcond=None)[0]
        else:
            # More weights than periods: a match that is exact, by more than one mix.
            found = np.linalg.lstsq(system, right, rcond=None)[0]
        moved = np.zeros(len(self.gram))
        moved[support] = found[:k]
        return moved, float(found[k] * scale)


def _program(design: FloatArray, target: FloatArray, *, ridge: float, intercept: bool) -> _Program:
    unit = np.zeros(len(target))
    unit[-1] = 1.0
    columns, aim = design, target
    if intercept:
        columns, aim, unit = design - design.mean(axis=0), aim - aim.mean(), unit - unit.mean()
    gram = columns.T @ columns
    gram[np.diag_indices_from(gram)] += ridge
    return _Program(
        design=design, target=target, ridge=ridge, intercept=intercept, columns=columns, aim=aim,
        unit=unit, gram=gram, pull=columns.T @ unit, against=columns.T @ aim,
    )  # fmt: skip
