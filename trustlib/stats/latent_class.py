"""How often raters err, from items that several of them rated, without knowing the truth.

An item of stratum s is violating with probability π_s. Its m votes are independent given the
truth: each is positive with probability Se where it is violating, and f = 1 − Sp where not. The
counts of items by stratum, votes and positive votes tell π, Se and f apart as soon as strata
differ in π (Hui and Walter 1980, Biometrics 36) or items have three votes or more. Posterior
draws come from a Gibbs sampler under Jeffreys' priors (Joseph, Gyorkos and Coupal 1995, Am. J.
Epidemiology 141), which stays proper where a count is zero; Se > f names the classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_CHAINS, _BURN, _KEPT = 100, 300, 500


@dataclass(frozen=True, kw_only=True, eq=False)
class LatentClass:
    """Posterior draws; rows belong together.

    Attributes
    ----------
    sensitivity, false_positive
        (draws,) Se and f of one vote.
    prevalence
        (draws, S) of the rated items of each stratum.
    """

    sensitivity: FloatArray
    false_positive: FloatArray
    prevalence: FloatArray


def latent_class(
    positive: IntArray, *, votes: IntArray, stratum: IntArray, strata: int, seed: int
) -> LatentClass:
    """Draws for items with `positive` of `votes` votes, all (n,), in strata 0 … S − 1."""
    cells, items = np.unique(np.stack([stratum, votes, positive]), axis=1, return_counts=True)
    of, m, k = cells
    member = np.eye(strata)[of]
    random = np.random.default_rng(seed)
    se = random.beta(4, 2, _CHAINS)
    f = random.beta(1, 8, _CHAINS)
    pi = random.beta(1, 4, (_CHAINS, strata))
    kept = []
    for step in range(_BURN + _KEPT):
        hit = pi[:, of] * se[:, None] ** k * (1 - se[:, None]) ** (m - k)
        miss = (1 - pi[:, of]) * f[:, None] ** k * (1 - f[:, None]) ** (m - k)
        violating = random.binomial(items, hit / (hit + miss))
        clean = items - violating
        se = _inside(random.beta(0.5 + violating @ k, 0.5 + violating @ (m - k)))
        f = _inside(random.beta(0.5 + clean @ k, 0.5 + clean @ (m - k)))
        pi = _inside(random.beta(0.5 + violating @ member, 0.5 + clean @ member))
        # The same model with the classes' names exchanged.
        swap = se < f
        se, f = np.where(swap, f, se), np.where(swap, se, f)
        pi = np.where(swap[:, None], 1 - pi, pi)
        if step >= _BURN:
            kept.append((se, f, pi))
    return LatentClass(
        sensitivity=np.concatenate([draw[0] for draw in kept]),
        false_positive=np.concatenate([draw[1] for draw in kept]),
        prevalence=np.concatenate([draw[2] for draw in kept]),
    )


def _inside(share: FloatArray) -> FloatArray:
    return np.clip(share, 1e-12, 1 - 1e-12)
