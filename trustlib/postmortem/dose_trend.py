"""A share's trend over ranked doses, with weights and clusters.

Cases of weight w = 1 / inclusion, y = 1 where wrong, x the weighted midrank of
the dose in (0, 1), so that one enormous dose cannot decide. Slope and error:

    b = Σ w (x − x̄)(y − ȳ) / S,   S = Σ w (x − x̄)²,   V = G / (G − 1) Σ_g (Σ_{i in g} u_i)² / S²

with u = w (x − x̄)(y − ȳ) under no trend and its residual otherwise, added up within accounts g (an
unknown account is one of its own). This is the Cochran–Armitage test with weights and clusters.
The test uses ȳ, its value under no trend; the interval uses residuals. Student's t with

    degrees = (Σ_g h_g)² / Σ_g h_g² − 1,   h_g = (1 − ρ) Σ_{i in g} a_i² + ρ (Σ_{i in g} a_i)²

with a = w (x − x̄) and ρ the correlation of y within accounts (after Imbens and Kolesár 2016, Review
of Economics and Statistics 98), so that a few accounts, or a few weights, that carry the slope do
not look like many. The slope is
told as the difference of the wrong share between the highest and the lowest dose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustlib.stats.multiplicity import holm
from trustlib.stats.window_error import t_quantile, t_two_sided

FloatArray = npt.NDArray[np.float64]

_MOST_BANDS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Trend:
    """The trend over n cases.

    Attributes
    ----------
    rise, low, high
        Wrong share at the highest dose less that at the lowest, along the line.
    p_value
        Two-sided, against no trend.
    degrees
        Of the t distribution.
    """

    rise: float
    low: float
    high: float
    p_value: float
    degrees: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Bands:
    """Wrong shares by up to four bands of dose, lowest first; each array (n_bands,).

    Attributes
    ----------
    smallest
        The fewest labelled cases, wrong or right, that a band holds.
    clear_drop
        A band lies below the one before it by more than chance, for all pairs together.
    """

    share: FloatArray
    smallest: int
    rising: bool
    clear_drop: bool


def ranks(dose: FloatArray, weight: FloatArray) -> FloatArray:
    """(n,) weighted midranks of `dose` in (0, 1)."""
    _, at = np.unique(dose, return_inverse=True)
    mass = np.bincount(at, weight)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    return np.asarray(middle[at], dtype=np.float64)


def trend(
    x: FloatArray,
    y: FloatArray,
    *,
    weight: FloatArray,
    cluster: npt.NDArray[np.int64],
    level: float,
) -> Trend | None:
    """The weighted line through `y` over `x`, all (n,).

    None where the slope rests on two clusters or fewer, in effect.
    """
    middle = float(np.average(x, weights=weight))
    pull = weight * (x - middle)
    size = float(np.sum(pull * (x - middle)))
    slope = float(np.sum(pull * y)) / size
    mean = float(np.average(y, weights=weight))
    degrees = _degrees(pull, y - mean, cluster)
    if degrees < 2:
        return None
    g = int((np.bincount(cluster) > 0).sum())
    scale = np.sqrt(g / (g - 1)) / size
    null, own = (
        scale * float(np.sqrt(np.sum(np.bincount(cluster, pull * residual) ** 2)))
        for residual in (y - mean, y - mean - slope * (x - middle))
    )
    reach = float(x.max() - x.min())
    margin = t_quantile(0.5 + level / 2, degrees) * own
    return Trend(
        rise=slope * reach,
        low=(slope - margin) * reach,
        high=(slope + margin) * reach,
        p_value=t_two_sided(slope / null, degrees) if null > 0 else 1.0,
        degrees=degrees,
    )


def _degrees(pull: FloatArray, residual: FloatArray, cluster: npt.NDArray[np.int64]) -> float:
    """See the module; ρ is the mean product of two residuals of a cluster over their variance."""
    pairs = float(np.sum(np.bincount(cluster).astype(float) ** 2)) - len(residual)
    squares = float(np.sum(residual**2))
    together = float(np.sum(np.bincount(cluster, residual) ** 2)) - squares
    alike = together / pairs / (squares / len(residual)) if pairs and squares else 0.0
    rho = min(1.0, max(0.0, alike))
    h = (1 - rho) * np.bincount(cluster, pull**2) + rho * np.bincount(cluster, pull) ** 2
    return float(h.sum() ** 2 / np.sum(h**2)) - 1


def banded(
    dose: FloatArray,
    wrong: FloatArray,
    *,
    weight: FloatArray,
    cluster: npt.NDArray[np.int64],
    level: float,
) -> Bands:
    """Wrong shares by bands of about as many labelled cases each; equal doses stay together."""
    _, at, sizes = np.unique(dose, return_inverse=True, return_counts=True)
    middle = (np.cumsum(sizes) - sizes / 2) / len(dose)
    band = np.unique((middle * _MOST_BANDS).astype(int), return_inverse=True)[1][at]
    n = int(band.max()) + 1
    total = np.bincount(band, weight)
    share = np.bincount(band, weight * wrong) / total
    # By cluster and band, so that an account in two bands is counted in both.
    error = np.zeros((int(cluster.max()) + 1, n))
    np.add.at(error, (cluster, band), weight * (wrong - share[band]) / total[band])
    drop = share[:-1] - share[1:]
    spread = np.sqrt(np.sum((error[:, :-1] - error[:, 1:]) ** 2, axis=0))
    counts = [np.bincount(band, kind, minlength=n).min() for kind in (wrong, 1 - wrong)]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(drop > 0, drop / spread, 0.0)
    p = np.array([t_two_sided(value, max(len(dose) - n, 1)) / 2 if value else 1.0 for value in z])
    return Bands(
        share=np.asarray(share, dtype=np.float64),
        smallest=int(min(counts)),
        rising=bool((drop <= 1e-12).all()),
        clear_drop=bool(len(p) and holm(p).min() <= 1 - level),
    )
