"""Least squares over the simplex, solved exactly.

    min |A w + w0 − b|² + ridge |w|²   over w ≥ 0, Σ w = 1 (and w0 free, if asked)

An active set: the support grows by the weight whose optimality condition is violated most, and
shrinks along the line towards the support's own optimum (Lawson and Hanson 1974, chapter 23;
Wolfe 1976, "Finding the nearest point in a polytope"). Every step lowers the objective and there
are finitely many supports, so it ends at the optimum and not near it. Where a penalty is zero or
too small to be seen in these steps, and more than one w is optimal, the one of least norm is
taken: it is the limit of ever smaller penalties, and depends on no order of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustlib.stats.least_norm import least_norm

FloatArray = npt.NDArray[np.float64]
_TOLERANCE = 1e-13  # of the optimality conditions, relative to the Gram matrix's diagonal
_UNSEEN = 1e-9  # a penalty below, relative to the same, is one that goes to zero
_ROUNDING = 8 * float(np.finfo(float).eps)
_PLAIN = 1e-6  # a penalty above, relative to the same: the Gram matrix is well conditioned
_EXCHANGES = 30
_SLACK = 1e-6  # columns further from optimal have no part in any optimum


@dataclass(frozen=True, kw_only=True, eq=False)
class SimplexFit:
    """The optimum and its certificate.

    Attributes
    ----------
    weights
        (n,) not negative, sum to 1.
    intercept
        0 unless it was asked for.
    objective
        |A w + w0 − b|² + ridge |w|².
    kkt
        Largest violation of the optimality conditions, relative to the worst single column's
        objective (at the optimum the gradient itself may be zero).
    iterations
        Supports visited.
    support
        Weights above zero.
    """

    weights: FloatArray
    intercept: float
    objective: float
    kkt: float
    iterations: int
    support: int


def simplex_least_squares(
    design: FloatArray,
    target: FloatArray,
    *,
    ridge: float = 0.0,
    intercept: bool = False,
    start: FloatArray | None = None,
) -> SimplexFit:
    """Solve the program above.

    Parameters
    ----------
    design, target
        (m, n) and (m,), finite; n of 1 or more.
    ridge
        Penalty on |w|², 0 or more.
    start
        (n,) weights to start from, for example those of a neighbouring program. They change the
        way and not the end; a program with a penalty of weight finds a start of its own.
    """
    rows = np.asarray(design, dtype=float)
    aim = np.asarray(target, dtype=float)
    # On the simplex A w − b is D w, with b taken from every column.
    away = rows - aim[:, None]
    if intercept:
        away = away - away.mean(axis=0)
    size = float(np.abs(away).max())
    if size <= _ROUNDING * max(float(np.abs(rows).max()), float(np.abs(aim).max())):
        away, size = np.zeros_like(away), 1.0  # nothing differs but the last digit
    away = away / size
    gram = away.T @ away
    penalty = ridge / size**2
    gram.flat[:: len(gram) + 1] += penalty
    penalised = penalty / (float(gram.diagonal().max()) or 1.0)
    if penalised > _PLAIN:
        weights, steps = _least_norm(gram, _exchanged(gram))
    else:
        if start is not None and int((start > 0).sum()) > len(rows):
            start = None  # of so many, most are there to be even, and the others depend on them
        weights, steps = _least_norm(gram, start)
        weights = _polished(away, penalty, weights)
    if penalised <= _UNSEEN:
        weights = _evened(away, gram, weights)
    gradient = gram @ weights
    slack = gradient - gradient @ weights
    violated = max(0.0, -float(slack.min()), float(np.abs(slack[weights > 0]).max()))
    residual = rows @ weights - aim
    level = -float(residual.mean()) if intercept else 0.0
    return SimplexFit(
        weights=weights,
        intercept=level,
        objective=float(((residual + level) ** 2).sum() + ridge * (weights @ weights)),
        kkt=violated / max(float(np.diag(gram).max()), np.finfo(float).tiny),
        iterations=steps,
        support=int((weights > 0).sum()),
    )


def _least_norm(gram: FloatArray, start: FloatArray | None) -> tuple[FloatArray, int]:
    """The w on the simplex with the least w' gram w."""
    n = len(gram)
    if start is None:
        support = [int(np.argmin(np.diag(gram)))]
        weights = np.zeros(n)
        weights[support] = 1.0
    else:
        support = np.flatnonzero(start > 0).tolist()
        weights = np.where(start > 0, start, 0.0) / start[start > 0].sum()
    enough = _TOLERANCE * max(float(np.diag(gram).max()), np.finfo(float).tiny)
    for step in range(1, 50 * n + 100):
        support, weights = _within(gram, support, weights)
        gradient = gram @ weights
        slack = gradient - gradient @ weights
        slack[support] = np.inf
        worst = int(np.argmin(slack))
        if not slack[worst] < -enough:
            return weights, step
        support = [*support, worst]
    return weights, step


def _exchanged(gram: FloatArray) -> FloatArray | None:
    """Weights on a support near the optimum's, from all columns downwards, many at a time.

    Columns below zero leave together, and those whose condition is violated come in together
    (Portugal, Júdice and Vicente 1994, "A comparison of block pivoting and interior-point
    algorithms for linear least squares problems with nonnegative variables"): few steps where
    supports are large, as with a penalty, but nothing says that they end. So it is a start only.
    """
    from scipy.linalg.lapack import dposv

    n = len(gram)
    enough = _TOLERANCE * float(gram.diagonal().max())
    inside, found = np.ones(n, dtype=bool), None
    for _ in range(_EXCHANGES):
        support = np.flatnonzero(inside)
        _, aim, failed = dposv(gram[support[:, None], support], np.ones(len(support)))
        if failed:
            return found
        if (aim <= 0).any():
            inside[support[aim <= 0]] = False
            continue
        found = np.zeros(n)
        found[support] = aim / aim.sum()
        gradient = gram @ found
        violated = ~inside & (gradient - gradient @ found < -enough)
        if not violated.any():
            return found
        inside |= violated
    return found


def _within(
    gram: FloatArray, support: list[int], weights: FloatArray
) -> tuple[list[int], FloatArray]:
    """The optimum over the support, leaving out what would become negative on the way."""
    current = weights[support]
    while True:
        aim = _affine(gram[np.ix_(support, support)])
        if (aim > 0).all():
            break
        falling = np.flatnonzero(aim <= 0)
        drop = current[falling] - aim[falling]
        share = np.where(drop > 0, current[falling] / np.where(drop > 0, drop, 1.0), 0.0)
        first = int(falling[np.argmin(share)])
        current = current + float(share.min()) * (aim - current)
        keep = current > 0
        keep[first] = False
        support = [s for s, kept in zip(support, keep, strict=True) if kept]
        current = current[keep] / current[keep].sum()
    out = np.zeros(len(weights))
    out[support] = aim / aim.sum()
    return support, out


def _affine(gram: FloatArray) -> FloatArray:
    """The w with the least w' gram w among those that sum to 1, signs free."""
    k = len(gram)
    if k == 1:
        return np.ones(1)
    system = np.empty((k + 1, k + 1))
    system[:k, :k] = gram
    system[k, :k] = system[:k, k] = 1.0
    system[k, k] = 0.0
    right = np.zeros(k + 1)
    right[k] = 1.0
    try:
        found = np.linalg.solve(system, right)[:k]
    except np.linalg.LinAlgError:
        found = np.linalg.lstsq(system, right, rcond=None)[0][:k]
    return np.asarray(found)


def _evened(away: FloatArray, gram: FloatArray, weights: FloatArray) -> FloatArray:
    """Of all optima the one of least norm."""
    gradient = gram @ weights
    slack = gradient - gradient @ weights
    near = (weights > 0) | (slack <= _SLACK * float(np.diag(gram).max()))
    out = np.zeros(len(weights))
    out[near] = least_norm(away[:, near], weights[near])
    return out


def _polished(away: FloatArray, ridge: float, weights: FloatArray) -> FloatArray:
    """The same support's optimum from the columns themselves, whose condition is not squared."""
    support = np.flatnonzero(weights > 0)
    if len(support) < 2:
        return weights
    columns = away[:, support]
    if ridge:
        columns = np.vstack([columns, np.sqrt(ridge) * np.eye(len(support))])
    base, rest = columns[:, -1], columns[:, :-1] - columns[:, -1:]
    free = np.linalg.lstsq(rest, -base, rcond=None)[0]
    found = np.append(free, 1 - free.sum())
    if not (found > 0).all():
        return weights
    out = np.zeros(len(weights))
    out[support] = found
    return out
