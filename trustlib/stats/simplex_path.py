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
    point = np.zeros(len(target))
    point[-1] = 1.0
    columns = design - design.mean(axis=0) if intercept else design
    unit = point - point.mean() if intercept else point
    gram = columns.T @ columns + ridge * np.eye(design.shape[1])
    at, weights = first, None
    while (last - at) * way > 0:
        inside = at + _NUDGE * way
        found = simplex_least_squares(
            design, target - inside * point, ridge=ridge, intercept=intercept, start=weights
        )
        weights = found.weights
        aim = target - inside * point
        aim = aim - aim.mean() if intercept else aim
        moved, stay = _direction(gram, columns, aim, unit, weights, sign=np.sign(way))
        stay = max(stay, _LEAST * abs(way))
        end = at + np.sign(way) * min(stay, abs(last - at))
        residuals = aim - columns @ weights
        slope = -unit - columns @ moved
        # The stretch is told from its beginning; the nudge lies within it.
        yield Stretch(
            first=at, last=float(end), residuals=residuals - slope * (inside - at), slope=slope
        )
        at = float(end)


def _direction(
    gram: FloatArray,
    columns: FloatArray,
    aim: FloatArray,
    unit: FloatArray,
    weights: FloatArray,
    *,
    sign: float,
) -> tuple[FloatArray, float]:
    """(n,) change of the weights per θ, and how far θ may go until the support changes."""
    support = np.flatnonzero(weights > 0)
    k = len(support)
    system = np.ones((k + 1, k + 1))
    system[:k, :k] = gram[np.ix_(support, support)]
    system[k, k] = 0.0
    pull = -columns.T @ unit
    right = np.append(pull[support], 0.0)
    scale = max(float(np.abs(system[:k, :k]).max()), np.finfo(float).tiny)
    system[:k, :k] /= scale
    right[:k] /= scale
    solved = np.linalg.lstsq(system, right, rcond=None)[0]
    moved = np.zeros(len(weights))
    moved[support] = solved[:k]
    price = solved[k] * scale
    gradient = gram @ weights - columns.T @ aim
    level = -float(gradient[support].mean())
    slack = gradient + level
    change = gram @ moved - pull + price
    outside = weights <= 0
    falling = np.concatenate([_until(weights[support], sign * moved[support]),
                              _until(slack[outside], sign * change[outside])])  # fmt: skip
    return moved, float(falling.min(initial=np.inf))


def _until(value: FloatArray, change: FloatArray) -> FloatArray:
    """How far until each of `value`, 0 or more, is gone."""
    ending = change < -1e-14 * max(float(np.abs(change).max(initial=0.0)), np.finfo(float).tiny)
    return np.maximum(value[ending], 0.0) / -change[ending]
