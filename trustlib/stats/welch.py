"""How far to trust a clustered error that rests on few clusters of each kind.

An effect that compares means of strata (cohorts of clusters) has the variance Σ_g V_g with
V_g = Σ_{c in g} s_c², s_c the cluster's influence around its own stratum's mean. Each V_g is
too small by (n_g − 1)/n_g and has n_g − 1 degrees of freedom; together they have, after
Welch (1947) and Satterthwaite (1946),

    V = Σ_g V_g n_g / (n_g − 1),     degrees = V² / Σ_g [V_g n_g / (n_g − 1)]² / (n_g − 1).

With many clusters in every stratum this is the plain error and the normal distribution.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def welch(sums: FloatArray, stratum: IntArray) -> tuple[FloatArray, FloatArray]:
    """Factor of the standard error, and degrees of freedom, of each column.

    Parameters
    ----------
    sums
        (n_clusters, k) the influence of each cluster on k estimates.
    stratum
        (n_clusters,) its cohort: any integers.

    Returns
    -------
    (k,) and (k,). A stratum of one cluster says nothing of its own spread: it counts as if it
    spread like the others, and gives no degrees of freedom. NaN where no stratum has two.
    """
    codes, at = np.unique(stratum, return_inverse=True)
    size = np.bincount(at).astype(float)
    parts = np.zeros((len(codes), sums.shape[1]))
    np.add.at(parts, at, sums**2)
    free = size - 1
    several = free > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        mended = parts[several] * (size / np.where(several, free, 1.0))[several, None]
        variance = mended.sum(axis=0)
        degrees = variance**2 / (mended**2 / free[several, None]).sum(axis=0)
        factor = np.sqrt((variance + parts[~several].sum(axis=0)) / parts.sum(axis=0))
    return factor, degrees
