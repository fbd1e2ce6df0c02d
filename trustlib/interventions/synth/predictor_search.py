"""The search for the weights of predictors, downhill from many starts.

As the predictors' weights V move, the donor weights w(V) are smooth as long as the same donors
have weight, with a kink where one comes in or leaves. Between kinks the gradient is exact;
across them it is sampled from the neighbourhood, and the search goes against the shortest of its
mixtures (Burke, Lewis and Overton 2005, "A robust gradient sampling algorithm for nonsmooth,
nonconvex optimization", SIAM Journal on Optimization 15(3)).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.interventions.synth.predictor_program import WIDEST, Program
from trustlib.stats.simplex import simplex_least_squares

_SCREENED = 200  # random starts that are looked at
_FOLLOWED = 12  # the best starts, followed as if there were no kinks
_FINISHED = 3  # the best of these, followed across kinks
_SAME = 1e-4  # relative: objectives that differ by less are the same optimum
_SWAPS = 12  # donors taken up or dropped from the last support before starting anew
_FLAT = 1e-7  # slope, relative to the value, of a flat neighbourhood
_NARROWEST = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Attributes
    ----------
    theta
        (k,) logarithm of V, unscaled.
    values
        Ends of the searches that were carried through, ascending: mean squared gaps.
    starts
        Looked at.
    """

    theta: FloatArray
    values: FloatArray
    starts: int

    @property
    def reached(self) -> int:
        """Searches that ended at the best value."""
        return int((self.values <= self.values[0] * (1 + _SAME)).sum())


def searched(program: Program, informed: FloatArray, *, seed: int) -> Found:
    """The best V from the starts `informed` (m, k), as logarithms, and random ones."""
    k = informed.shape[1]
    rng = np.random.default_rng(seed)
    drawn = rng.uniform(-WIDEST, 0.0, (_SCREENED, k)) if k > 1 else np.empty((0, k))
    starts = np.clip(np.vstack([informed, drawn]), -WIDEST, 0.0)
    slope = Slope(program=program)
    seen = np.array([slope(theta)[0] for theta in starts])
    order = np.argsort(seen, kind="stable")[:_FOLLOWED]
    near = sorted((smooth_descent(slope, starts[i]) for i in order), key=lambda end: end[0])
    ends = sorted(
        (sampled_descent(slope, theta, rng=rng) for _, theta in near[:_FINISHED]),
        key=lambda end: end[0],
    )
    return Found(
        theta=ends[0][1], values=np.array([value for value, _ in ends]), starts=len(starts)
    )


def refined(program: Program, starts: list[FloatArray], *, seed: int) -> tuple[FloatArray, float]:
    """The best of `starts`, followed a few steps downhill: logarithm of V, and its value."""
    slope = Slope(program=program)
    start = min(starts, key=lambda theta: slope(theta)[0])
    _, theta = smooth_descent(slope, start)
    value, theta = sampled_descent(slope, theta, rng=np.random.default_rng(seed), steps=20)
    return theta, value


@dataclass(kw_only=True, eq=False)
class Slope:
    """Value and gradient in theta = log V; the last support is where the next call starts."""

    program: Program
    support: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        v = np.exp(theta - theta.max())
        weights, system = self._solved(v)
        rows = self.program.predictors[self.support]
        right = np.zeros((len(self.support) + 1, len(theta)))
        right[:-1] = -rows * ((weights @ rows) * v)
        moved = _solution(system, right)[:-1]
        outcomes = self.program.outcomes[self.support]
        gap = weights @ outcomes
        return float(gap @ gap) / len(gap), 2 / len(gap) * (outcomes @ gap) @ moved

    def _solved(self, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(n_support,) the optimal weights, after bringing the support up to date."""
        away = self.program.predictors
        scaled = away * v
        support = self.support
        for _ in range(_SWAPS if len(support) else 0):
            system = _system(scaled[support] @ away[support].T)
            right = np.zeros(len(support) + 1)
            right[-1] = 1.0
            weights = _solution(system, right)[:-1]
            if not (weights > 0).all():
                support = np.delete(support, int(np.argmin(weights)))
                if len(support) == 0:
                    break
                continue
            gradient = scaled @ (weights @ away[support])
            level = float(weights @ gradient[support])
            slack = gradient - level
            slack[support] = 0.0
            worst = int(np.argmin(slack))
            if slack[worst] >= -1e-10 * level:
                self.support = support
                return weights, system
            support = np.append(support, worst)
        found = simplex_least_squares((away * np.sqrt(v)).T, np.zeros(len(v))).weights
        self.support = np.flatnonzero(found > 0)
        return found[self.support], _system(scaled[self.support] @ away[self.support].T)


def _system(gram: FloatArray) -> FloatArray:
    k = len(gram)
    system = np.ones((k + 1, k + 1))
    system[:k, :k] = gram
    system[k, k] = 0.0
    return system


def _solution(system: FloatArray, right: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(system, right))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(system, right, rcond=None)[0])


def smooth_descent(slope: Slope, theta: FloatArray, *, steps: int = 60) -> tuple[float, FloatArray]:
    """Downhill as if there were no kinks: a quick first approach.

    Quasi-Newton (BFGS) with steps cut off at the bounds. Written out, as a general optimiser takes
    several times as long on so few unknowns.
    """
    value, gradient = slope(theta)
    inverse = np.eye(len(theta)) / max(float(np.linalg.norm(gradient)), np.finfo(float).tiny)
    for _ in range(steps):
        free = ~(((theta <= -WIDEST) & (gradient > 0)) | ((theta >= 0) & (gradient < 0)))
        if np.abs(gradient[free]).max(initial=0.0) <= _FLAT * value:
            break
        way = np.where(free, -inverse @ np.where(free, gradient, 0.0), 0.0)
        step = 1.0
        for _ in range(15):
            trial = np.clip(theta + step * way, -WIDEST, 0.0)
            there, new = slope(trial)
            if there < value + 1e-4 * float(gradient @ (trial - theta)):
                break
            step /= 3
        else:
            break
        inverse = _updated(inverse, trial - theta, new - gradient)
        enough = value - there <= 1e-9 * value
        theta, value, gradient = trial, there, new
        if enough:
            break
    return value, theta


def _updated(inverse: FloatArray, moved: FloatArray, changed: FloatArray) -> FloatArray:
    """The inverse Hessian after a step; as it was where the step says nothing of curvature."""
    curved = float(moved @ changed)
    if curved <= 1e-12 * float(np.linalg.norm(moved) * np.linalg.norm(changed)):
        return inverse
    left = np.eye(len(moved)) - np.outer(moved, changed) / curved
    out: FloatArray = left @ inverse @ left.T + np.outer(moved, moved) / curved
    return out


def sampled_descent(
    slope: Slope, theta: FloatArray, *, rng: np.random.Generator, steps: int = 60
) -> tuple[float, FloatArray]:
    """Downhill across kinks, to where no mixture of the gradients nearby has a length."""
    k = len(theta)
    value, own = slope(theta)
    wide = 0.1
    for _ in range(steps):
        if wide < _NARROWEST or value <= 0:
            break
        near = np.clip(theta + wide * rng.uniform(-1, 1, (k + 2, k)), -WIDEST, 0.0)
        gradients = np.array([own, *(slope(point)[1] for point in near)])
        # Against a bound nothing moves.
        low, high = theta <= -WIDEST, theta >= 0
        gradients[:, low] = np.minimum(gradients[:, low], 0.0)
        gradients[:, high] = np.maximum(gradients[:, high], 0.0)
        mixture = simplex_least_squares(gradients.T, np.zeros(k)).weights @ gradients
        length = float(np.linalg.norm(mixture))
        if length < _FLAT * value:
            wide /= 4
            continue
        step = 4 * max(wide, 0.05) / length
        for _ in range(12):
            trial = np.clip(theta - step * mixture, -WIDEST, 0.0)
            there, gradient = slope(trial)
            if there < value - 1e-5 * step * length**2:
                theta, value, own = trial, there, gradient
                break
            step /= 3
        else:
            wide /= 4
    return value, theta
