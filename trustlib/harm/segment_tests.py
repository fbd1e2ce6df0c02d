"""Is a segment's rate, or its growth, higher than that of the others: one test, on weighted counts.

Weighted counts are turned into effective ones: a harm Y with variance V is as good as Y²/V single
accounts, each standing for V/Y (Fay and Feuer 1997, Statistics in Medicine 16). Given how many
effective accounts two parts have together, those in the first are binomial, which gives an exact
test and interval of the ratio of rates (Przyborowski and Wilenski 1940, Biometrika 31).
Growth, a ratio of ratios, is compared on the log scale with half a count added to each cell
(Haldane 1956; Anscombe 1956).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv, ndtr, ndtri

from trustlib.harm.sample import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """Sums of many segments, or of what is outside them; each (G,) or (2, G) with two periods.

    `size` and `harm` weighted, `variance` of the harm.
    """

    size: FloatArray
    harm: FloatArray
    variance: FloatArray

    def take(self, at: np.ndarray) -> Side:
        """The segments at these positions."""
        return Side(
            size=self.size[..., at], harm=self.harm[..., at], variance=self.variance[..., at]
        )

    def beside(self, other: Side) -> Side:
        """What of the whole `other` is not in this.

        An account's harm inside and outside is taken as independent, and its spread outside as
        what is left of the whole's: both are cautious where accounts stand in both.
        """
        return Side(
            size=np.maximum(other.size - self.size, 0),
            harm=np.maximum(other.harm - self.harm, 0),
            variance=np.maximum(other.variance - self.variance, 0),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """(G,) rate (or growth) inside and outside, their ratio with its interval, one-sided p.

    NaN where a side has no items; `high` infinite where the outside has no harm.
    """

    rate: FloatArray
    other: FloatArray
    ratio: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray


def raised(inside: Side, outside: Side, *, level: float) -> Compared:
    """The inside against the outside: rates with one period, growth with two."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if inside.size.ndim == 2:
            return _growth(inside, outside, level=level)
        return _rate(inside, outside, level=level)


def _weight(side: Side, other: Side) -> FloatArray:
    """What one effective account stands for; that of both sides where this one has no harm."""
    both = (side.variance + other.variance) / (side.harm + other.harm)
    return np.where(side.harm > 0, side.variance / side.harm, both)


def _rate(inside: Side, outside: Side, *, level: float) -> Compared:
    own, others = _weight(inside, outside), _weight(outside, inside)
    k, rest = inside.harm / own, outside.harm / others
    exposure = (inside.size / own) / (outside.size / others)
    chance, tail = exposure / (1 + exposure), (1 - level) / 2
    known = (inside.size > 0) & (outside.size > 0) & (inside.harm + outside.harm > 0)
    tested = known & (inside.harm > 0)
    p = np.where(tested, betainc(np.where(tested, k, 1.0), rest + 1, chance), 1.0)
    low = np.where(inside.harm > 0, betaincinv(np.where(k > 0, k, 1.0), rest + 1, tail), 0.0)
    high = np.where(rest > 0, betaincinv(k + 1, np.where(rest > 0, rest, 1.0), 1 - tail), 1.0)
    rate, other = inside.harm / inside.size, outside.harm / outside.size
    blank = np.where(known, 0.0, np.nan)
    return Compared(
        rate=rate,
        other=other,
        ratio=rate / other + blank,
        low=low / (1 - low) / exposure + blank,
        high=np.where(high < 1, high / (1 - high) / exposure, np.inf) + blank,
        p=np.where(known, p, 1.0),
    )


def _growth(inside: Side, outside: Side, *, level: float) -> Compared:
    logs, variances, rates = [], [], []
    for side, other in ((inside, outside), (outside, inside)):
        pooled = Side(size=side.size.sum(0), harm=side.harm.sum(0), variance=side.variance.sum(0))
        beside = Side(
            size=other.size.sum(0), harm=other.harm.sum(0), variance=other.variance.sum(0)
        )
        k = side.harm / _weight(pooled, beside) + 0.5
        logs.append(np.log(k[1] / side.size[1]) - np.log(k[0] / side.size[0]))
        variances.append((1 / k).sum(0))
        rates.append((side.harm[1] / side.size[1]) / (side.harm[0] / side.size[0]))
    known = np.isfinite(logs[0]) & np.isfinite(logs[1])
    moved = np.where(known, logs[0] - logs[1], np.nan)
    error = np.sqrt(variances[0] + variances[1])
    half = float(ndtri(0.5 + level / 2)) * error
    return Compared(
        rate=rates[0],
        other=rates[1],
        ratio=np.exp(moved),
        low=np.exp(moved - half),
        high=np.exp(moved + half),
        p=np.where(known, ndtr(-moved / error), 1.0),
    )


def false_discovery(p: FloatArray, *, dependent: bool = False) -> FloatArray:
    """Adjusted p-values, shape and order of `p`, of Benjamini and Hochberg (1995, JRSS B 57).

    Reporting those at most alpha keeps the expected share of false ones among the reported at
    alpha where tests are independent or move together; with `dependent` (Benjamini and Yekutieli
    2001, Annals of Statistics 29) however they hang together, at the price of a factor Σ 1/i.
    """
    p = np.asarray(p, dtype=float)
    n = len(p)
    order = np.argsort(p, kind="stable")[::-1]
    factor = float(np.sum(1 / np.arange(1, n + 1))) if dependent else 1.0
    adjusted = np.empty(n)
    scaled = p[order] * n / np.arange(n, 0, -1) * factor
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return adjusted
