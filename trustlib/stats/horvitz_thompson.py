"""Shares of a population from a stratified sample with known inclusion probabilities.

With π the inclusion probability, x what a unit weighs in the population (1 for a share of
units, its views for a share of views) and y its label, the share of stratum h is

    Hájek                θ_h = Σ (x/π) y / Σ (x/π)                      over the stratum's sample

and the strata are put together by their known totals X_h (post-stratification), θ = Σ X_h θ_h / X.
Horvitz and Thompson's total, Σ (x/π) y, uses no known total; under simple random sampling within
strata of units that weigh the same the two agree.

The variance is that of the linearised estimate: with e = (X_h/X) (x/π) (y − θ_h) / Σ (x/π),

    V = Σ_h n_h/(n_h − 1) Σ (1 − f) (e − ē_h)²

where f is the part of the population that a label stands for, n_h/N_h under simple random
sampling. It is then unbiased. Labels of one cluster are summed before they are squared, across
strata too (Binder 1983, Int. Stat. Review 51; Särndal, Swensson and Wretman 1992, ch. 5 and 7).
A stratum with one label has no spread of its own: its label is taken against the overall share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class StratifiedShare:
    """A share over the strata that have labels.

    Attributes
    ----------
    share, variance
        Of the labelled strata together; NaN where there is no label at all.
    covered
        Their part of the population's total.
    of_stratum, weight
        (S,) the strata's own shares, NaN without labels; their part of the covered total.
    n
        (S,) labels that weigh something.
    looks
        (S,) labels as if they weighed alike, Kish's (Σ a)² / Σ a², over 1 − f: infinite where
        everything is labelled.
    influence
        (n,) linearised residuals e of the share.
    """

    share: float
    variance: float
    covered: float
    of_stratum: FloatArray
    weight: FloatArray
    n: IntArray
    looks: FloatArray
    influence: FloatArray


def horvitz_thompson(value: FloatArray, *, inclusion: FloatArray) -> float:
    """Σ value/π: the total of `value` (n,) in the population, unbiased under any design."""
    return float(np.sum(value / inclusion))


def sampled_fraction(*, stratum: IntArray, inclusion: FloatArray, units: FloatArray) -> FloatArray:
    """(n,) f: the inclusion probabilities, scaled within strata so that Σ 1/f is `units` (S,)."""
    stands_for = np.bincount(stratum, 1 / inclusion, minlength=len(units))
    scale = np.divide(stands_for, units, out=np.zeros(len(units)), where=units > 0)
    return np.minimum(1.0, inclusion * scale[stratum])


def stratified_share(
    label: FloatArray,
    *,
    stratum: IntArray,
    mass: FloatArray,
    fraction: FloatArray,
    totals: FloatArray,
    cluster: IntArray | None = None,
) -> StratifiedShare:
    """The post-stratified Hájek share of n labels in S strata.

    Parameters
    ----------
    label
        (n,) between 0 and 1.
    stratum
        (n,) codes 0 … S − 1.
    mass
        (n,) x/π.
    fraction
        (n,) f, see `sampled_fraction`.
    totals
        (S,) X_h.
    cluster
        (n,) codes from 0; None: every label for itself.
    """
    strata = len(totals)
    n = np.bincount(stratum[mass > 0], minlength=strata)
    mass_of = np.bincount(stratum, mass, minlength=strata)
    labelled = (mass_of > 0) & (totals > 0)
    covered = float(totals[labelled].sum())
    if not covered > 0:
        empty = np.full(strata, np.nan)
        return StratifiedShare(share=np.nan, variance=np.nan, covered=0.0, of_stratum=empty,
                               weight=np.zeros(strata), n=n, looks=np.zeros(strata),
                               influence=np.zeros(len(label)))  # fmt: skip
    weight = np.where(labelled, totals, 0.0) / covered
    divisor = np.where(labelled, mass_of, 1.0)
    of_stratum = np.where(
        labelled, np.bincount(stratum, mass * label, minlength=strata) / divisor, np.nan
    )
    share = float(np.sum(weight[labelled] * of_stratum[labelled]))
    centre = np.where(n == 1, share, np.nan_to_num(of_stratum))
    influence = weight[stratum] * mass / divisor[stratum] * (label - centre[stratum])
    return StratifiedShare(
        share=min(1.0, max(0.0, share)),
        variance=linearised_variance(
            influence, stratum=stratum, fraction=fraction, cluster=cluster, n=n
        ),
        covered=covered / float(totals.sum()),
        of_stratum=of_stratum,
        weight=weight,
        n=n,
        looks=_looks(mass, stratum=stratum, fraction=fraction, strata=strata),
        influence=influence,
    )


def linearised_variance(
    influence: FloatArray,
    *,
    stratum: IntArray,
    fraction: FloatArray,
    cluster: IntArray | None,
    n: IntArray,
) -> float:
    """V of the module's head from (n,) residuals e; `n` (S,) counts the labels of each stratum.

    Residuals of a stratum with one label are taken as they are. With clusters the sum has the
    factor G/(G − 1) over n/(n − 1), which is 1 where every label is its own cluster.
    """
    sums = np.bincount(stratum, influence, minlength=len(n))
    mean = np.where(n > 1, sums / np.maximum(n, 1), 0.0)
    apart = np.where(n > 1, n / np.maximum(n - 1, 1), 1.0)
    scaled = (influence - mean[stratum]) * np.sqrt(apart[stratum] * (1 - fraction))
    if cluster is None:
        return float(np.sum(scaled**2))
    groups, labels = len(np.unique(cluster)), len(cluster)
    if groups < 2:
        return float(np.sum(scaled**2))
    factor = (groups / (groups - 1)) / (labels / (labels - 1))
    return factor * float(np.sum(np.bincount(cluster, scaled) ** 2))


def _looks(mass: FloatArray, *, stratum: IntArray, fraction: FloatArray, strata: int) -> FloatArray:
    """(S,) Kish's number of labels, over the part of the stratum that is not labelled."""
    square = np.bincount(stratum, mass**2, minlength=strata)
    total = np.bincount(stratum, mass, minlength=strata)
    unseen = np.bincount(stratum, mass * (1 - fraction), minlength=strata)
    with np.errstate(divide="ignore", invalid="ignore"):
        looks = total**2 / square * (total / unseen)
    return np.where(total > 0, looks, 0.0)
