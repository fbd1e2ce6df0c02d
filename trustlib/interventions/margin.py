"""How wide the intervals of a design are: one convention, in one place.

Errors come from influence functions, summed within clusters, without a degrees-of-freedom
factor, and intervals from the normal distribution, as in Callaway and Sant'Anna (2021) and
R's ``did``. Where clusters are few that is too narrow: there the quantile is Student's t
with one degree less than the smaller of the treated and untreated clusters, and the
headline's own interval comes from re-assignment (see `trustlib.interventions.randomization`).
With a single treated or untreated cluster there is no error to be had at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from trustlib.interventions.design import Design
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.stats.multiplier_bootstrap import cluster_sums, covariance


@dataclass(frozen=True, kw_only=True, eq=False)
class Margin:
    """Errors and quantile for one panel.

    Attributes
    ----------
    critical
        Half an interval's width in standard errors; NaN where no error is estimable.
    widening
        `critical` relative to the normal quantile: for simultaneous bands.
    cluster
        (n_units,) codes.
    """

    critical: float
    widening: float
    cluster: IntArray

    def errors(self, influence: FloatArray) -> FloatArray:
        """(k,) standard errors of influences (n_units, k)."""
        sums = cluster_sums(influence, self.cluster)
        return np.sqrt(np.diag(covariance(sums, n=len(influence))))


def margin(panel: Panel, design: Design, *, level: float) -> Margin:
    """The convention for `panel`."""
    normal = float(ndtri(0.5 + level / 2))
    critical = normal
    if design.few_clusters:
        untreated = design.clusters - design.treated_clusters
        fewest = min(design.treated_clusters, untreated or design.treated_clusters)
        critical = float(stdtrit(fewest - 1, 0.5 + level / 2)) if fewest > 1 else np.nan
    return Margin(critical=critical, widening=critical / normal, cluster=panel.cluster)
