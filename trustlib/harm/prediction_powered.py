"""Prevalence from few labels and a score of every item (prediction-powered inference).

With f the score, its mean F_h in the whole stratum known, and λ how far it is trusted,

    θ = Σ_h W_h (λ F_h + mean_h(y − λ f)),

unbiased for any λ however bad the score is (Angelopoulos et al. 2023, Science 382). λ is tuned to
the least variance, λ = Σ W² cov_h(y, f)/n / Σ W² var_h(f)/n (PPI++, Angelopoulos, Duchi and Zrnic
2023, arXiv 2311.01453; every item is scored, so F_h has no error of its own). Its normal interval
needs positives: .79, .895 and .94 coverage at 500, 2,000 and 8,000 simple random labels at .33 %.
It is run only from 25 expected positives on, counted as if they weighed alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trustlib.core import Check, Estimate
from trustlib.core.format import count, percent
from trustlib.harm.sample import FloatArray, LabelledSample, Population, matching
from trustlib.harm.share import Of, estimated, fraction, mass
from trustlib.stats.horvitz_thompson import linearised_variance
from trustlib.stats.wilson import wald

GATE = 25.0  # expected positives

METHOD = "prediction-powered (PPI++, tuned), normal interval"
NAME = "prediction_powered"


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictionPowered:
    """The share with the help of scores, or why it was not run.

    Attributes
    ----------
    estimate
        Without a point where it was not run.
    trust
        λ: 0 ignores the score, 1 takes it as it is. NaN where it was not run.
    gain
        The variance without scores over the variance with them.
    expected_positives
        (Σ w y)² / Σ (w y)²: the labels' positives as if they weighed alike.
    check
        prediction_powered.
    """

    estimate: Estimate
    trust: float
    gain: float
    expected_positives: float
    check: Check


def prediction_powered(
    sample: LabelledSample,
    population: Population,
    *,
    mean_score: FloatArray,
    level: float = 0.95,
    of: Of = "items",
    cluster: bool = True,
    gate: float = GATE,
) -> PredictionPowered:
    """The share of violating items, or of their views, with the score's help.

    Parameters
    ----------
    mean_score
        (S,) mean of the same score over all items of each stratum, or over all their views;
        NaN where not every item is scored.
    gate
        Expected positives below which it is not run.

    Raises
    ------
    ValueError
        If `mean_score` does not fit, or the sample's strata are not the population's.
    """
    matching(sample, population)
    mean_score = np.asarray(mean_score, dtype=float)
    if mean_score.shape != (len(population.strata),):
        raise ValueError(
            f"prediction_powered: mean_score has shape {mean_score.shape}, one mean for each of "
            f"{len(population.strata)} strata is needed"
        )
    sample = sample.in_order()
    plain = estimated(sample, population, label=sample.label, of=of, cluster=cluster)
    expected = expected_positives(sample, population, of=of)
    why = _why_not(sample, mean_score, plain.weight, plain.n, expected, gate, of)
    if why:
        return _not_run(why, level, of, sample.n, expected)
    weights = mass(sample, of)
    sums = np.bincount(sample.stratum, weights, minlength=len(mean_score))
    share = plain.weight[sample.stratum] * weights / sums[sample.stratum]
    score_mean = np.bincount(sample.stratum, weights * sample.score, minlength=len(mean_score))
    score_mean = np.divide(score_mean, sums, out=np.zeros(len(sums)), where=sums > 0)
    of_score = share * (sample.score - score_mean[sample.stratum])
    parts = (sample, population, plain.n, cluster)
    variance_score = _variance(of_score, *parts)
    with_both = _variance(plain.influence + of_score, *parts)
    covariance = (with_both - plain.variance - variance_score) / 2
    trust = covariance / variance_score if variance_score > 0 else 0.0
    known = plain.weight > 0
    shift = float(np.sum(plain.weight[known] * (mean_score[known] - score_mean[known])))
    raw = plain.share + trust * shift
    variance = _variance(plain.influence - trust * of_score, *parts)
    return _found(raw, variance, trust, plain.variance, level, of, sample.n, expected)


def expected_positives(sample: LabelledSample, population: Population, *, of: Of) -> float:
    """Positives of the sample as if they weighed alike, Kish's number; 0 where there are none."""
    weights = mass(sample, of)
    sums = np.bincount(sample.stratum, weights, minlength=len(population.strata))
    scale = np.divide(population.totals(of), sums, out=np.zeros(len(sums)), where=sums > 0)
    positive = weights * scale[sample.stratum] * sample.label
    square = float(np.sum(positive**2))
    return float(np.sum(positive)) ** 2 / square if square > 0 else 0.0


def _variance(
    influence: FloatArray,
    sample: LabelledSample,
    population: Population,
    n: np.ndarray,
    cluster: bool,
) -> float:
    return linearised_variance(
        influence,
        stratum=sample.stratum,
        fraction=fraction(sample, population),
        cluster=sample.cluster if cluster else None,
        n=n,
    )


def _why_not(
    sample: LabelledSample,
    mean_score: FloatArray,
    weight: FloatArray,
    n: np.ndarray,
    expected: float,
    gate: float,
    of: Of,
) -> str:
    if not sample.n:
        return "there are no labels"
    if np.isnan(sample.score).all():
        return "labelled items have no score"
    missing = int(np.isnan(sample.score).sum())
    if missing:
        return f"{missing:,} of {sample.n:,} labelled items have no score"
    if np.isnan(mean_score[weight > 0]).any():
        return f"the mean score of all {of} is not known in every stratum"
    if (n[weight > 0] < 2).any():
        return "a stratum has a single label"
    if expected < gate:
        return (
            f"the labels hold as much as {count(expected, digits=2)} equally weighted positives, "
            f"{gate:.0f} are needed for its interval to hold what it promises"
        )
    return ""


def _not_run(why: str, level: float, of: Of, n: int, expected: float) -> PredictionPowered:
    return PredictionPowered(
        estimate=Estimate(point=None, low=None, high=None, level=level, unit=f"share of {of}",
                          method=METHOD, n=n, note=f"not run: {why}"),
        trust=math.nan,
        gain=math.nan,
        expected_positives=expected,
        check=Check(name=NAME, verdict="not_run", label="scores not used",
                    text=f"Scores were not used to sharpen the share: {why}."),
    )  # fmt: skip


def _found(
    raw: float,
    variance: float,
    trust: float,
    plain: float,
    level: float,
    of: Of,
    n: int,
    expected: float,
) -> PredictionPowered:
    point = min(1.0, max(0.0, raw))
    low, high = wald(raw, variance=variance, level=level)
    gain = plain / variance if variance > 0 else math.inf
    cut = "" if raw == point else " It was cut to lie between 0 and 1."
    text = f"With the score of every item the share is {percent(point)}"
    if 1.05 < gain < math.inf:
        text += f", as precise as {count(gain, digits=2)} times the labels"
    elif gain <= 1.05:
        text += ", hardly more precise than by the labels alone"
    text += "." + cut
    return PredictionPowered(
        estimate=Estimate(
            point=point,
            low=min(low, point),
            high=max(high, point),
            level=level,
            unit=f"share of {of}",
            method=METHOD,
            n=n,
            standard_error=math.sqrt(variance),
        ),
        trust=trust,
        gain=gain,
        expected_positives=expected,
        check=Check(name=NAME, verdict="warn" if cut else "pass", label="scores used", text=text),
    )
