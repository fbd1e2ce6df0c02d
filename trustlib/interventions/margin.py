"""How wide the intervals of a design are: one convention, in one place.

Regressions (two-way, interaction-weighted) have fixest's (`trustlib.stats.clustered`). All else:

Errors come from influence functions, summed within clusters, without a degrees-of-freedom
factor, and intervals from the normal distribution, as in Callaway and Sant'Anna (2021) and
R's ``did``. Where a cohort, or the untreated, count fewer than twenty clusters, or all
together fewer than sixty, that is too narrow: then each cohort's part of the variance is
scaled and the quantile is Student's t (`trustlib.stats.welch`). Standard errors stay those of
R's ``did`` throughout. With few clusters altogether the headline's own interval comes from
re-assignment (see `trustlib.interventions.randomization`), and with a single treated or
untreated cluster there is no error to be had at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from trustlib.interventions.design import Design
from trustlib.interventions.effects import Effects
from trustlib.interventions.panel import FloatArray, IntArray, Panel
from trustlib.interventions.randomization import cluster_starts
from trustlib.stats.multiplier_bootstrap import cluster_sums, covariance
from trustlib.stats.welch import welch

MANY = 20  # clusters of each cohort, ...
IN_ALL = 60  # ... and of all: from here on the normal quantile is close enough


@dataclass(frozen=True, kw_only=True, eq=False)
class Margin:
    """Errors and quantiles for one panel.

    Attributes
    ----------
    share
        Below which the quantile lies: .975 for a 95 % interval.
    estimable
        False with a single treated or untreated cluster.
    cluster
        (n_units,) codes.
    stratum
        (n_clusters,) the cohort of each.
    many
        Every cohort has many clusters, and so have the untreated.
    """

    share: float
    estimable: bool
    cluster: IntArray
    stratum: IntArray
    many: bool

    @property
    def normal(self) -> float:
        """The normal quantile."""
        return float(ndtri(self.share))

    def errors(self, influence: FloatArray) -> FloatArray:
        """(k,) standard errors of influences (n_units, k)."""
        sums = cluster_sums(influence, self.cluster)
        return np.sqrt(np.diag(covariance(sums, n=len(influence))))

    def critical(self, influence: FloatArray) -> FloatArray:
        """(k,) half an interval's width in standard errors, for influences (n_units, k)."""
        if self.many or not self.estimable:
            return np.full(influence.shape[1], self.normal if self.estimable else np.nan)
        return self.of_sums(cluster_sums(influence, self.cluster))

    def of_sums(self, sums: FloatArray) -> FloatArray:
        """The same for influences summed within clusters (n_clusters, k)."""
        if self.many or not self.estimable:
            return np.full(sums.shape[1], self.normal if self.estimable else np.nan)
        factor, degrees = welch(sums, self.stratum)
        return factor * stdtrit(degrees, self.share)

    def of_family(self, effects: Effects) -> FloatArray:
        """(k,) the same for a family of effects; of regressions the wider of it and Student's t."""
        student = np.full(len(effects.point), self.student(effects.degrees))
        if effects.influence is None:
            return student
        # References have no influence, and so no degrees of freedom.
        own = self.critical(effects.influence)
        return own if np.isinf(effects.degrees) else np.fmax(own, student)

    def of_overall(self, effects: Effects) -> float:
        """The same for a family's one number."""
        student = self.student(effects.degrees)
        if effects.overall_influence is None:
            return student
        own = float(self.critical(effects.overall_influence[:, None])[0])
        return own if np.isinf(effects.degrees) else max(own, student)

    def band(self, effects: Effects) -> FloatArray:
        """(k,) half a simultaneous band in standard errors.

        A band reaches further into the tails than an interval does, where few clusters tell
        more: the bootstrap's critical value is carried over to Student's t of each effect at
        the same tail probability, however many clusters there are.
        """
        if effects.influence is None or not np.isinf(effects.degrees) or not self.estimable:
            return effects.critical * self.of_family(effects) / self.student(effects.degrees)
        sums = cluster_sums(effects.influence, self.cluster)
        factor, degrees = welch(sums, self.stratum)
        return factor * stdtrit(degrees, ndtr(effects.critical))

    def student(self, degrees: float) -> float:
        """Quantile of Student's t; NaN where no error is estimable."""
        if not self.estimable:
            return float("nan")
        return self.normal if np.isinf(degrees) else float(stdtrit(degrees, self.share))


def margin(panel: Panel, design: Design, *, level: float) -> Margin:
    """The convention for `panel`."""
    untreated = design.clusters - design.treated_clusters
    fewest = min(design.treated_clusters, untreated or design.treated_clusters)
    stratum = _strata(panel)
    return Margin(
        share=0.5 + level / 2,
        estimable=fewest > 1,
        cluster=panel.cluster,
        stratum=stratum,
        many=panel.n_clusters >= IN_ALL and _smallest(stratum) >= MANY,
    )


def _smallest(stratum: IntArray) -> int:
    return int(np.unique(stratum, return_counts=True)[1].min())


def _strata(panel: Panel) -> IntArray:
    start = cluster_starts(panel)
    # Where cohorts share clusters, these are of one kind.
    return np.zeros(panel.n_clusters, dtype=np.int64) if start is None else start
