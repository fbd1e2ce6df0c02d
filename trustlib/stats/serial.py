"""Do values in time order stay near their neighbours."""

from __future__ import annotations

import math

import numpy as np


def von_neumann(values: np.ndarray) -> float:
    """One-sided p-value of von Neumann's ratio against positive serial correlation.

    Parameters
    ----------
    values
        Shape (n,), in time order, n ≥ 5.

    Notes
    -----
    Normal approximation of Bartels and Goodhart: the ratio of the mean squared successive
    difference to the variance has mean 2 and variance 4 (n − 2) / (n² − 1) when the
    values are independent.
    """
    n = len(values)
    if n < 5:
        raise ValueError(f"von_neumann: {n} values, five at least are needed")
    total = float(np.sum((values - values.mean()) ** 2))
    if total == 0:
        return 1.0
    ratio = float(np.sum(np.diff(values) ** 2)) / total
    z = (1 - ratio / 2) * math.sqrt((n * n - 1) / (n - 2))
    return 0.5 * math.erfc(z / math.sqrt(2))


def mad(values: np.ndarray) -> float:
    """Median absolute deviation, scaled to the standard deviation of a normal."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
