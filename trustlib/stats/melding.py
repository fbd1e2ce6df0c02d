"""A prevalence corrected for the labels' own errors, with melded intervals.

With p the share of positive labels, Se the sensitivity and Sp the specificity of a label, the
true share is (Rogan and Gladen 1978, Am. J. Epidemiology 107)

    g(p, 1 − Sp, Se) = (p − (1 − Sp)) / (Se − (1 − Sp)),     cut at 0 and 1.

Melding (Bayer, Fay and Graubard 2023, arXiv 2205.13494) draws p, 1 − Sp and Se from their
confidence distributions, each from the side that moves g outwards: the interval's low end is a
quantile of g over the lower distribution of p and the upper ones of 1 − Sp and Se, its high end
one over the others. For x positives in n looks theirs are Clopper and Pearson's,
Beta(x, n − x + 1) below and Beta(x + 1, n − x) above, which cover too often. The default here is
the one between them, Beta(x + ½, n − x + ½), the usual approximation of mid-p: nominal coverage
in tests/studies/prevalence_coverage.md. Under weights n is the effective number (Korn and
Graubard 1998). Where a draw has no informative label, Se ≤ 1 − Sp, it bounds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

DRAWS = 50_000


@dataclass(frozen=True, kw_only=True, eq=False)
class ConfidenceDraws:
    """Draws (m,) from the lower and the upper confidence distribution of a share."""

    low: FloatArray
    high: FloatArray


def binomial_draws(
    positives: float, n: float, *, draws: int, random: np.random.Generator, exact: bool = False
) -> ConfidenceDraws:
    """Of the share that `positives` in `n` looks tell of; counts need not be whole.

    With `exact` from Clopper and Pearson's two distributions, else from the one between them.
    """
    negatives = n - positives
    if not exact:
        between = random.beta(positives + 0.5, negatives + 0.5, draws)
        return ConfidenceDraws(low=between, high=between)
    low = random.beta(positives, negatives + 1, draws) if positives > 0 else np.zeros(draws)
    high = random.beta(positives + 1, negatives, draws) if negatives > 0 else np.ones(draws)
    return ConfidenceDraws(low=low, high=high)


def rogan_gladen(share: float, *, false_positive: float, sensitivity: float) -> float:
    """The true share, not cut; NaN where labels are uninformative (Se ≤ 1 − Sp)."""
    if sensitivity <= false_positive:
        return float("nan")
    return (share - false_positive) / (sensitivity - false_positive)


def melded_interval(
    share: ConfidenceDraws,
    *,
    false_positive: ConfidenceDraws,
    sensitivity: ConfidenceDraws,
    level: float,
) -> tuple[float, float]:
    """Ends of the true share's interval, cut at 0 and 1."""
    tail = (1 - level) / 2
    lows = _cut(share.low, false_positive.high, sensitivity.high, uninformative=0.0)
    highs = _cut(share.high, false_positive.low, sensitivity.low, uninformative=1.0)
    return float(np.quantile(lows, tail)), float(np.quantile(highs, 1 - tail))


def _cut(
    share: FloatArray, false_positive: FloatArray, sensitivity: FloatArray, *, uninformative: float
) -> FloatArray:
    gap = sensitivity - false_positive
    informative = gap > 0
    true = (share - false_positive) / np.where(informative, gap, 1.0)
    return np.where(informative, np.clip(true, 0.0, 1.0), uninformative)
