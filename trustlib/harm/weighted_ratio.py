"""Part of a whole where both are rare and weighted: recall, precision.

Two disjoint sums of weighted labels, A = Σ w over the part and B = Σ w over the rest of the
whole, give A/(A + B). Each sum has a lower and an upper gamma confidence distribution (Fay and
Feuer 1997, Statistics in Medicine 16): with v = Σ w² and w_M the largest weight that could have
come up,

    lower  Gamma(A²/v, v/A)             upper  Gamma((A + w_M)²/(v + w_M²), (v + w_M²)/(A + w_M)).

The interval melds them (Fay, Proschan and Brittain 2015, Biometrics 71): its low end is the
quantile of A/(A + B) over A's lower and B's upper one, its high end over the other two. A ratio
of gammas is a rescaled beta, so the quantiles are exact. With equal weights this is Clopper and
Pearson's interval. Because w_M enters, a heavy stratum in which no violating label happened to
come up widens the interval, where a linearised variance would not know of it: measured in
tests/studies/controls_coverage.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, gammaincinv

from trustlib.harm.sample import FloatArray, IntArray, LabelledSample, Population
from trustlib.harm.share import Of, fraction, mass

GAMMA = "weighted labels, gamma interval"
MELDED = "ratio of weighted labels, melded gamma interval"


@dataclass(frozen=True, kw_only=True)
class WeightedSum:
    """Σ w, its variance Σ w² over clusters, and the largest weight that one label can add."""

    total: float
    variance: float
    largest: float


def expansion(sample: LabelledSample, population: Population, of: Of) -> FloatArray:
    """(n,) how many items, or views, each label stands for; they add up to the strata's totals."""
    totals, stands_for = population.totals(of), mass(sample, of)
    drawn = np.bincount(sample.stratum, stands_for, minlength=len(totals))
    scale = np.divide(totals, drawn, out=np.zeros(len(totals)), where=drawn > 0)
    return np.asarray(stands_for * scale[sample.stratum], dtype=np.float64)


def weighted_sum(
    part: npt.NDArray[np.bool_],
    *,
    weight: FloatArray,
    unseen: FloatArray,
    cluster: IntArray,
    stratum: IntArray,
    possible: npt.NDArray[np.bool_],
) -> WeightedSum:
    """The labels in `part` (n,), clusters counted together.

    Parameters
    ----------
    weight
        (n,) see `expansion`.
    unseen
        (n,) 1 − f: the part of the population that was not looked at; 0 where all of it was.
    possible
        (n,) labels of the kind that could have been in `part`: the largest weight is theirs. Where
        weights differ within a stratum, as views do, it is the stratum's Σ w² / Σ w.
    """
    sums = np.bincount(cluster, weight * np.sqrt(unseen) * part)
    could = weight * unseen * possible
    first, second = np.bincount(stratum, could), np.bincount(stratum, could**2)
    largest = float((second[first > 0] / first[first > 0]).max(initial=0.0))
    return WeightedSum(
        total=float(np.sum(weight[part])), variance=float(np.sum(sums**2)), largest=largest
    )


def unseen_part(sample: LabelledSample, population: Population) -> FloatArray:
    """(n,) 1 − f, see `weighted_sum`."""
    return np.asarray(1 - fraction(sample, population), dtype=np.float64)


def sum_interval(found: WeightedSum, *, level: float) -> tuple[float, float]:
    """Fay and Feuer's interval of the total."""
    tail = (1 - level) / 2
    low, high = _gamma(found, upper=False), _gamma(found, upper=True)
    return (
        min(found.total, low[1] * float(gammaincinv(low[0], tail)) if low else found.total),
        max(found.total, high[1] * float(gammaincinv(high[0], 1 - tail)) if high else found.total),
    )


def ratio_interval(part: WeightedSum, rest: WeightedSum, *, level: float) -> tuple[float, float]:
    """Ends of part / (part + rest), which has to be positive."""
    tail = (1 - level) / 2
    low = _quantile(part, rest, tail, part_upper=False)
    high = _quantile(part, rest, 1 - tail, part_upper=True)
    point = part.total / (part.total + rest.total)
    return min(low, point), max(high, point)


def _quantile(part: WeightedSum, rest: WeightedSum, p: float, *, part_upper: bool) -> float:
    above, below = _gamma(part, upper=part_upper), _gamma(rest, upper=not part_upper)
    if above is None or below is None:
        # A sum without error is the number that it is.
        a = above[0] * above[1] if above else part.total
        b = below[0] * below[1] if below else rest.total
        if above and b > 0:
            a = above[1] * float(gammaincinv(above[0], p))
        if below and a > 0:
            b = below[1] * float(gammaincinv(below[0], 1 - p))
        return a / (a + b)
    u = float(betaincinv(above[0], below[0], p))
    return above[1] * u / (above[1] * u + below[1] * (1 - u))


def _gamma(found: WeightedSum, *, upper: bool) -> tuple[float, float] | None:
    """Shape and scale; None where the distribution is a single point, the total itself."""
    more = found.largest if upper else 0.0
    total, variance = found.total + more, found.variance + more**2
    return (total**2 / variance, variance / total) if variance > 0 else None
