"""Errors from influence functions, and simultaneous bands by a multiplier bootstrap.

The convention of this project, that of R's `did`: with psi (n, k) the influence of each unit,
so that an estimate's error is its mean over units, the covariance is

    V = Σ_c s_c s_cᵀ / n²,      s_c = Σ_{i in cluster c} psi_i

without a degrees-of-freedom factor, and intervals use normal quantiles. The bootstrap draws
one Rademacher sign per cluster (−1 or +1, a fair coin each), as `BMisc` does for `did`; the
simultaneous critical value is the quantile of max_k |Σ_c v_c s_ck| / (n · se_k) over draws.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from trustlib.stats.fixed_order import cross

FloatArray = npt.NDArray[np.float64]
_DRAWS_AT_ONCE = 32
_CLUSTERS_AT_ONCE = 65_536


def cluster_sums(influence: FloatArray, cluster: npt.NDArray[np.int64]) -> FloatArray:
    """Sums of (n, k) `influence` within clusters: (n_clusters, k).

    `cluster` holds codes from 0, each of which occurs.
    """
    n = int(cluster.max()) + 1
    if n == len(cluster):
        if (cluster[1:] > cluster[:-1]).all():
            return influence
        return influence[np.argsort(cluster)]
    columns = [np.bincount(cluster, column, minlength=n) for column in influence.T]
    return np.stack(columns, axis=1) if columns else np.empty((n, 0))


def covariance(sums: FloatArray, *, n: int) -> FloatArray:
    """(k, k) from cluster sums (n_clusters, k) of the influence of `n` units."""
    return cross(sums, sums) / float(n) ** 2


def simultaneous_critical(sums: FloatArray, *, level: float, draws: int, seed: int) -> float:
    """How many standard errors a band is wide that holds all k at once.

    Parameters
    ----------
    sums
        (n_clusters, k) cluster sums of the influence.
    level
        Joint coverage.
    draws, seed
        Of the bootstrap: the same seed gives the same value on any number of threads.

    Returns
    -------
    The critical value, never below the pointwise one; NaN where no column has an error.
    """
    size = np.sqrt((sums**2).sum(axis=0))
    # An error of rounding alone is no error: a family's reference has exactly none.
    real = size > 1e-12 * size.max(initial=0.0)
    if not real.any():
        return float("nan")
    scaled = sums[:, real] / size[real]
    largest = np.zeros(draws)
    rng = np.random.default_rng(seed)
    for first in range(0, draws, _DRAWS_AT_ONCE):
        block = slice(first, min(first + _DRAWS_AT_ONCE, draws))
        total = np.zeros((_DRAWS_AT_ONCE, scaled.shape[1]))
        for low in range(0, len(scaled), _CLUSTERS_AT_ONCE):
            part = scaled[low : low + _CLUSTERS_AT_ONCE]
            total += cross(_signs(rng, len(part)), part)
        largest[block] = np.abs(total).max(axis=1)[: block.stop - block.start]
    pointwise = float(ndtri(0.5 + level / 2))
    return max(pointwise, float(np.quantile(largest, level, method="inverted_cdf")))


def _signs(rng: np.random.Generator, n: int) -> FloatArray:
    """(n, 32) of −1 and +1, each a fair coin: the bits of one 32-bit number per row."""
    bytes_ = rng.integers(0, 256, size=(n, _DRAWS_AT_ONCE // 8), dtype=np.uint8)
    bits = np.unpackbits(bytes_, axis=1)
    return bits.astype(np.float64) * 2 - 1
