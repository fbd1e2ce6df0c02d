"""Errors of a regression whose residuals move together within clusters: the house's convention.

The one place where it is fixed. With s_c the influence of cluster c on the coefficients
(the sum of its rows' (X'WX)^-1 x w e), the covariance is

    V = G/(G − 1) × (N − 1)/(N − K) × Σ_c s_c s_c'

G counts clusters, N rows (a unit or period with a single row fits itself and is left out of
the sample beforehand), K coefficients: the regressors and the fixed effects that are not
nested in the clusters, that is the periods; unit effects are nested in the clusters and not
counted. Intervals use Student's t with G − 1 degrees of freedom. This is the convention of
R's fixest and of pyfixest, with which the numbers agree; linearmodels counts the unit effects
and its errors are wider by about √(T/(T − 1)) (12 % with 5 periods, 2.6 % with 20), so that
only its points and its unscaled covariance are used. The group-time and imputation estimators
rest on influence functions alone: no factor, normal quantiles.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trustlib.stats.fixed_order import cross
from trustlib.stats.multiplier_bootstrap import cluster_sums

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def clustered_covariance(
    influence: FloatArray, *, cluster: IntArray, factor: float = 1.0
) -> FloatArray:
    """(m, m) covariance from each unit's influence (n, m), summed within clusters."""
    sums = cluster_sums(influence, cluster)
    return factor * cross(sums, sums)


def small_sample_factor(*, clusters: int, rows: int, coefficients: int) -> float:
    """G/(G − 1) × (N − 1)/(N − K); NaN where the errors are not estimable."""
    if clusters < 2 or rows <= coefficients:
        return float("nan")
    return clusters / (clusters - 1) * (rows - 1) / (rows - coefficients)
