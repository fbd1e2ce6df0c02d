"""Simultaneous bands from a joint covariance: the sup-t critical value.

Montiel Olea and Plagborg-Møller (2019): the quantile of the largest |t| over a family, from
draws of its joint distribution.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from trustlib.stats.clustered import FloatArray
from trustlib.stats.fixed_order import times

DRAWS = 20_000


def sup_t(covariance: FloatArray, *, degrees: float, level: float, seed: int = 0) -> float:
    """Half-width of the simultaneous band in standard errors.

    Entries without an error (0 or NaN) are left out; with one entry it is Student's
    quantile. NaN where no entry has an error.
    """
    there = np.diag(covariance) > 0
    if not there.any():
        return float("nan")
    if there.sum() == 1:
        return float(stdtrit(degrees, 0.5 + level / 2))
    own = covariance[np.ix_(there, there)]
    scale = 1 / np.sqrt(np.diag(own))
    values, vectors = np.linalg.eigh(own * np.outer(scale, scale))
    root = vectors * np.sqrt(np.maximum(values, 0))
    rng = np.random.default_rng(seed)
    largest = np.abs(times(rng.standard_normal((DRAWS, len(root))), root.T)).max(axis=1)
    if np.isfinite(degrees):
        largest = largest / np.sqrt(rng.chisquare(degrees, DRAWS) / degrees)
    return float(np.quantile(largest, level))
