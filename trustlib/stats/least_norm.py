"""Of all weights on the simplex that give the same mix, the most even ones.

    min |w|²   over w ≥ 0, Σ w = 1, A w = A w₀

Where a match is exact by more than one mix, or columns are alike, least squares leaves the
weights open; this choice depends on nothing but the data, not on the order of the columns, and
is the limit of a penalty that goes to zero.

Source: the program is one of least distance, solved by non-negative least squares (Lawson and
Hanson 1974, "Solving Least Squares Problems", chapter 23, section 4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
_RANK = 1e-10  # singular values below are zero, relative to the largest
_NOTHING = 1e-12  # weights below are zero


def least_norm(columns: FloatArray, weights: FloatArray) -> FloatArray:
    """(n,) the program's optimum.

    Parameters
    ----------
    columns
        (m, n), of order one.
    weights
        (n,) w₀, on the simplex.
    """
    from scipy.optimize import nnls

    system = np.vstack([columns, np.ones(len(weights))])
    _, values, turned = np.linalg.svd(system)
    free = turned[int((values > _RANK * values[0]).sum()) :].T
    if not free.shape[1]:
        return weights
    # w = fixed + free y, with both parts orthogonal: the least |y| that keeps w from below zero.
    fixed = weights - free @ (free.T @ weights)
    even = fixed
    if not (fixed >= 0).all():
        left = np.vstack([free.T, -fixed])
        right = np.append(np.zeros(free.shape[1]), 1.0)
        dual, _ = nnls(left, right, maxiter=50 * len(weights))
        residual = left @ dual - right
        if not residual[-1] < 0:
            return weights  # nothing but w₀ itself, as far as the digits go
        even = fixed - free @ (residual[:-1] / residual[-1])
    return _again(system, weights, even > _NOTHING)


def _again(system: FloatArray, weights: FloatArray, support: npt.NDArray[np.bool_]) -> FloatArray:
    """The optimum on its support, to the last digits; `weights` where it is not one."""
    found = np.linalg.lstsq(system[:, support], system @ weights, rcond=_RANK)[0]
    out = np.zeros(len(weights))
    out[support] = np.maximum(found, 0.0)
    out /= out.sum()
    apart = np.abs(system @ (out - weights)).max()
    return out if apart <= 1e-9 * np.abs(system).max() else weights
