"""Normal laws cut off or folded, exact far into the tails."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from trustlib.interventions.panel import FloatArray


def truncated_tail(value: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """P(Z > value | low <= Z <= high) of a standard normal Z; 1 where nothing is left of it.

    Arrays of one shape, low <= value <= high. In logarithms, so that 40 standard errors out
    the ratio is still right.
    """
    beyond_value, beyond_low, beyond_high = (log_ndtr(-x) for x in (value, low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        above = -np.expm1(beyond_high - beyond_value)
        whole = -np.expm1(beyond_high - beyond_low)
        tail = np.exp(beyond_value - beyond_low) * above / whole
    return np.where(whole > 0, tail, 1.0)


def folded_quantile(shift: FloatArray, level: float) -> FloatArray:
    """The `level` quantile of |N(shift, 1)|, shape of `shift` (0 or more); level 0.5 or more.

    Newton's method from below: beyond `shift` the distribution function is concave, so that
    each step stays below the root.
    """
    found = shift + ndtri(level)
    for _ in range(60):
        gap = level - (ndtr(found - shift) - ndtr(-found - shift))
        density = np.exp(-((found - shift) ** 2) / 2) + np.exp(-((found + shift) ** 2) / 2)
        step = gap * np.sqrt(2 * np.pi) / density
        found = found + step
        if np.all(np.abs(step) <= 1e-12 * found):
            break
    return found
