"""How far to trust a clustered error that rests on few clusters of each kind.

An effect that compares means of strata (cohorts of clusters) has the variance Σ_g V_g with
V_g = Σ_{c in g} s_c², s_c the cluster's influence around its own stratum's mean. Each V_g is
too small by (n_g − 1)/n_g and has n_g − 1 degrees of freedom; together they have, after
Welch (1947) and Satterthwaite (1946),

    V = Σ_g V_g n_g / (n_g − 1),     degrees = V² / Σ_g [V_g n_g / (n_g − 1)]² / (n_g − 1).

With many clusters in every stratum this is the plain error and the normal distribution. For
several effects at once, with A_g = V^(−1/2) V_g n_g / (n_g − 1) V^(−1/2) (Krishnamoorthy and Yu
2004, after Nel and van der Merwe),

    degrees = (q + q²) / Σ_g [tr(A_g²) + (tr A_g)²] / (n_g − 1).
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


def joint_welch(sums: FloatArray, stratum: IntArray) -> tuple[FloatArray, float]:
    """(k, k) mended covariance, and its joint degrees of freedom.

    Strata of one cluster enter as they are and give no degrees of freedom; 0 where no stratum
    has two, or the covariance is singular.
    """
    codes, at = np.unique(stratum, return_inverse=True)
    parts = []
    for code in range(len(codes)):
        own = sums[at == code]
        parts.append((own.T @ own * (len(own) / max(len(own) - 1, 1)), len(own) - 1))
    whole = np.sum([part for part, _ in parts], axis=0)
    values, vectors = np.linalg.eigh(whole)
    if not values[0] > 1e-12 * max(values[-1], 1e-300):
        return whole, 0.0
    root = vectors / np.sqrt(values)
    spent = 0.0
    for part, free in parts:
        if free > 0:
            white = root.T @ part @ root
            spent += float(np.sum(white**2) + np.trace(white) ** 2) / free
    q = sums.shape[1]
    return whole, (q + q**2) / spent if spent > 0 else 0.0
