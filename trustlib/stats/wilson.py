"""Intervals of a share, from a (perhaps effective) number of looks.

Wilson (1927, JASA 22) inverts the score test and stays inside 0 to 1; Clopper and Pearson
(1934, Biometrika 26) invert the binomial's own tails. Both take a number of looks that need not
be whole: under a complex design it is the effective one, θ(1 − θ) over the design's variance
(Korn and Graubard 1998, Survey Methodology 24; Franco et al. 2019, JSSAM 7).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri

FloatArray = npt.NDArray[np.float64]


def wilson(share: float, *, n: float, level: float) -> tuple[float, float]:
    """Wilson's interval of a share seen in `n` looks; (share, share) where `n` is infinite."""
    if math.isinf(n):
        return share, share
    z = float(ndtri(0.5 + level / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


def wald(share: float, *, variance: float, level: float) -> tuple[float, float]:
    """share ± z · error, cut at 0 and 1."""
    half = float(ndtri(0.5 + level / 2)) * math.sqrt(variance)
    return max(0.0, share - half), min(1.0, share + half)


def clopper_pearson(share: float, *, n: float, level: float) -> tuple[float, float]:
    """The exact binomial interval of `share` · `n` positives in `n` looks."""
    positives, tail = share * n, (1 - level) / 2
    low = float(betaincinv(positives, n - positives + 1, tail)) if share > 0 else 0.0
    high = float(betaincinv(positives + 1, n - positives, 1 - tail)) if share < 1 else 1.0
    return min(low, share), max(high, share)


def none_seen(*, n: npt.ArrayLike, weight: npt.ArrayLike, level: float) -> float:
    """The largest Σ weight·p that still leaves every stratum without a positive.

    The supremum of Σ W_h p_h over all p with Π (1 − p_h)^{n_h} ≥ 1 − level: an exact one-sided
    bound, whatever the strata's rates. With one stratum it is W (1 − (1 − level)^{1/n}), which
    at 95 % is the rule of three, 3/n. The maximum is where W_h (1 − p_h)/n_h is equal in all
    strata with p_h > 0.

    Parameters
    ----------
    n
        (K,) looks in each stratum, at least one positive number; infinite where all was seen.
    weight
        (K,) what a rate of 1 in the stratum adds, ≥ 0.
    """
    looks, worth = np.asarray(n, dtype=float), np.asarray(weight, dtype=float)
    counted = (worth > 0) & np.isfinite(looks)
    looks, worth = looks[counted], worth[counted]
    if not len(looks):
        return 0.0
    order = np.argsort(-worth / looks, kind="stable")
    looks, worth = looks[order], worth[order]
    spent = np.cumsum(looks)
    ceiling = (np.cumsum(looks * np.log(worth / looks)) + math.log(1 - level)) / spent
    # `ceiling` is the log of the common W(1 − p)/n with the first k strata active.
    active = int(np.flatnonzero(np.log(worth / looks) >= ceiling)[-1]) + 1
    kept = np.minimum(1.0, np.exp(ceiling[active - 1]) * looks[:active] / worth[:active])
    return float(np.sum(worth[:active] * (1 - kept)))
