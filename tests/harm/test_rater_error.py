"""Rater error: from a gold standard, from repeated votes, and the share corrected for it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import ndtri
from scipy.stats import beta
from statsmodels.stats.proportion import proportion_confint

from tests.harm.samples import drawn, population, sample
from trustlib.harm import (
    corrected_prevalence,
    prevalence,
    rater_error_from_gold,
    rater_error_from_votes,
)
from trustlib.stats.latent_class import latent_class
from trustlib.stats.melding import (
    ConfidenceDraws,
    binomial_draws,
    melded_interval,
    rogan_gladen,
)


def gold(caught, violating, wrong, clean):
    truth = np.repeat([1, 0], [violating, clean])
    said = np.concatenate([np.arange(violating) < caught, np.arange(clean) < wrong]).astype(float)
    return rater_error_from_gold(said, truth)


def test_gold_gives_exact_intervals():
    found = gold(43, 50, 3, 400)
    assert found.sensitivity.point == 43 / 50
    assert found.specificity.point == 397 / 400
    ends = proportion_confint(43, 50, method="beta")
    assert (found.sensitivity.low, found.sensitivity.high) == pytest.approx(ends)
    ends = proportion_confint(397, 400, method="beta")
    assert (found.specificity.low, found.specificity.high) == pytest.approx(ends)
    assert found.informative
    assert found.check.verdict == "pass"
    assert "99.25" in found.check.text
    assert gold(20, 25, 0, 400).check.label == "few items behind rater error"


def test_labels_worse_than_chance_say_nothing():
    found = gold(20, 50, 300, 400)
    assert not found.informative
    assert found.check.verdict == "fail"
    made, whole = drawn(0)
    corrected = corrected_prevalence(made, whole, found)
    assert corrected.estimate.point is None
    assert "no better than chance" in corrected.estimate.note
    assert corrected.check.verdict == "not_run"


def test_gold_of_one_kind_only_is_not_enough():
    found = gold(0, 0, 2, 100)
    assert found.sensitivity.point is None
    assert "no violating items" in found.sensitivity.note
    assert found.check.verdict == "not_run"
    made, whole = drawn(0)
    assert "not known" in corrected_prevalence(made, whole, found).estimate.note


def test_gold_is_checked():
    with pytest.raises(ValueError, match="1 or 0"):
        rater_error_from_gold([1, 0.5], [1, 0])
    with pytest.raises(ValueError, match="the same items"):
        rater_error_from_gold([1, 0], [1])


def test_perfect_labels_change_nothing():
    made, whole = drawn(1, n=(2000, 2000))
    found = corrected_prevalence(made, whole, gold(10**6, 10**6, 0, 10**7))
    plain = prevalence(made, whole)
    assert found.estimate.point == pytest.approx(plain.estimate.point)
    assert found.apparent == plain.estimate
    # Jeffreys' and Wilson's intervals of the same effective number are close.
    assert found.estimate.low == pytest.approx(plain.estimate.low, rel=0.03)
    assert found.estimate.high == pytest.approx(plain.estimate.high, rel=0.03)


def test_rogan_gladen_by_hand():
    assert rogan_gladen(0.1, false_positive=0.02, sensitivity=0.82) == pytest.approx(0.1)
    assert rogan_gladen(0.01, false_positive=0.02, sensitivity=0.82) == pytest.approx(-0.0125)
    assert math.isnan(rogan_gladen(0.1, false_positive=0.5, sensitivity=0.5))
    # Undoes the error of any share.
    for true in (0.001, 0.3, 0.9):
        seen = true * 0.7 + (1 - true) * 0.05
        assert rogan_gladen(seen, false_positive=0.05, sensitivity=0.7) == pytest.approx(true)


@pytest.mark.parametrize("exact", [True, False])
def test_many_labels_give_the_delta_method(exact):
    """Large counts: the melded interval is the normal one of the linearised correction."""
    random = np.random.default_rng(0)
    n, m = 50_000, 20_000
    p, f, se = 0.12, 0.03, 0.85
    kinds = [
        binomial_draws(share * size, size, draws=200_000, random=random, exact=exact)
        for share, size in ((p, n), (f, m), (se, m))
    ]
    low, high = melded_interval(kinds[0], false_positive=kinds[1], sensitivity=kinds[2], level=0.95)
    true, gap = (p - f) / (se - f), se - f
    variance = (
        p * (1 - p) / n + (1 - true) ** 2 * f * (1 - f) / m + true**2 * se * (1 - se) / m
    ) / gap**2
    half = float(ndtri(0.975)) * variance**0.5
    assert (low, high) == pytest.approx((true - half, true + half), abs=0.03 * half)


def test_known_errors_leave_clopper_pearson():
    random = np.random.default_rng(1)
    fixed = [ConfidenceDraws(low=np.full(200_000, v), high=np.full(200_000, v)) for v in (0, 1)]
    share = binomial_draws(4, 50, draws=200_000, random=random, exact=True)
    ends = melded_interval(share, false_positive=fixed[0], sensitivity=fixed[1], level=0.95)
    assert ends == pytest.approx(proportion_confint(4, 50, method="beta"), rel=0.01)
    none = binomial_draws(0, 50, draws=200_000, random=random, exact=True)
    low, high = melded_interval(none, false_positive=fixed[0], sensitivity=fixed[1], level=0.95)
    assert low == 0
    assert high == pytest.approx(beta.ppf(0.975, 1, 50), rel=0.01)
    all_ = binomial_draws(50, 50, draws=10, random=random, exact=True)
    assert (all_.high == 1).all()


def test_the_default_lies_between_clopper_and_pearsons_two():
    random = np.random.default_rng(2)
    for positives in (0, 2):
        between = binomial_draws(positives, 40, draws=200_000, random=random)
        assert between.low is between.high
        for tail in (0.1, 0.5, 0.9):
            expected = beta.ppf(tail, positives + 0.5, 40.5 - positives)
            assert np.quantile(between.low, tail) == pytest.approx(expected, rel=0.02)


def test_draws_without_information_bound_nothing():
    draws = ConfidenceDraws(low=np.full(100, 0.3), high=np.full(100, 0.3))
    assert melded_interval(draws, false_positive=draws, sensitivity=draws, level=0.95) == (0, 1)


def test_fewer_positives_than_errors_is_cut_and_said():
    made, whole = drawn(2, rate=(0.01, 0.01))
    found = corrected_prevalence(made, whole, gold(90, 100, 60, 1000))
    assert found.estimate.point == 0 == found.estimate.low
    assert found.estimate.high > 0
    assert found.check.label == "cut at zero"
    made, whole = drawn(2, rate=(0.98, 0.98))
    found = corrected_prevalence(made, whole, gold(90, 100, 60, 1000))
    assert found.estimate.point == 1 == found.estimate.high
    assert found.check.label == "cut at one"
    made, whole = drawn(2, rate=(0.03, 0.03))
    assert (
        corrected_prevalence(made, whole, gold(90, 100, 20, 1000)).check.label
        == "could be rater error alone"
    )


def test_no_positive_label_still_has_an_upper_end():
    made, whole = drawn(2, rate=(0.0, 0.0))
    found = corrected_prevalence(made, whole, gold(80, 100, 0, 10_000))
    plain = prevalence(made, whole)
    assert found.estimate.point == 0
    # At least the uncorrected bound: a fifth of what is there is missed.
    assert found.estimate.high > plain.estimate.high
    assert found.estimate.high < 3 * plain.estimate.high


def test_false_positives_give_spread_to_strata_without_a_positive():
    stratum = np.repeat([0, 1], [100, 1000])
    label = np.concatenate([np.zeros(100), np.repeat([1.0, 0.0], [100, 900])])
    made = sample(stratum, label, inclusion=1e-6)
    whole = population([9e7, 1e8])
    wide = corrected_prevalence(made, whole, gold(90, 100, 20, 1000))
    narrow = corrected_prevalence(made, whole, gold(90, 100, 0, 1000))
    assert wide.estimate.high - wide.estimate.low > narrow.estimate.high - narrow.estimate.low


def test_the_same_seed_gives_the_same_interval_in_any_order():
    made, whole = drawn(3)
    error = gold(43, 50, 3, 400)
    one = corrected_prevalence(made, whole, error, seed=4)
    order = np.random.default_rng(0).permutation(made.n)
    assert one.estimate == corrected_prevalence(made.take(order), whole, error, seed=4).estimate
    assert one.estimate != corrected_prevalence(made, whole, error, seed=5).estimate


def voted(seed, *, n, rates, se, f, raters):
    random = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(len(n)), n)
    violating = random.random(len(stratum)) < np.asarray(rates)[stratum]
    chance = np.where(violating, se, f)[:, None]
    return (random.random((len(stratum), raters)) < chance).astype(float), stratum


def test_two_votes_and_two_strata_tell_the_errors():
    votes, stratum = voted(0, n=(4000, 4000), rates=(0.05, 0.5), se=0.85, f=0.03, raters=2)
    found = rater_error_from_votes(votes, stratum=stratum)
    assert found.of == "vote"
    assert found.sensitivity.low < 0.85 < found.sensitivity.high
    assert found.specificity.low < 0.97 < found.specificity.high
    assert found.sensitivity.high - found.sensitivity.low < 0.06
    assert found.check.verdict == "pass"


def test_the_latent_classes_agree_with_maximum_likelihood():
    votes, stratum = voted(1, n=(3000, 3000), rates=(0.1, 0.4), se=0.8, f=0.05, raters=3)
    k = votes.sum(axis=1).astype(int)
    counts = np.array([[np.sum((stratum == s) & (k == j)) for j in range(4)] for s in range(2)])

    def loss(logits):
        se, f, first, second = 1 / (1 + np.exp(-logits))
        j = np.arange(4)
        total = 0.0
        for s, pi in enumerate((first, second)):
            cell = pi * se**j * (1 - se) ** (3 - j) + (1 - pi) * f**j * (1 - f) ** (3 - j)
            total -= float(counts[s] @ np.log(cell))
        return total

    best = minimize(loss, [1.5, -3, -2, -0.5], method="Nelder-Mead", options={"maxiter": 4000})
    se, f, *pi = 1 / (1 + np.exp(-best.x))
    found = latent_class(k, votes=np.full(6000, 3), stratum=stratum, strata=2, seed=0)
    assert np.median(found.sensitivity) == pytest.approx(se, abs=0.004)
    assert np.median(found.false_positive) == pytest.approx(f, abs=0.002)
    assert np.median(found.prevalence, axis=0) == pytest.approx(pi, abs=0.006)


def test_without_a_single_false_positive_its_rate_is_that_of_jeffreys_prior():
    k, m, stratum = np.zeros(200, int), np.full(200, 2), np.zeros(200, int)
    found = latent_class(k, votes=m, stratum=stratum, strata=1, seed=0)
    expected = beta.ppf(0.5, 0.5, 400.5)
    assert np.median(found.false_positive) == pytest.approx(expected, rel=0.4)


def test_what_votes_cannot_tell_is_said():
    votes, stratum = voted(0, n=(300,), rates=(0.2,), se=0.9, f=0.02, raters=2)
    found = rater_error_from_votes(votes, stratum=stratum)
    assert found.sensitivity.point is None
    assert "two strata" in found.check.text
    three, stratum = voted(0, n=(300,), rates=(0.2,), se=0.9, f=0.02, raters=3)
    assert rater_error_from_votes(three, stratum=stratum).informative
    single = np.where(np.arange(3) > 0, np.nan, three)
    assert "no item has two votes" in rater_error_from_votes(single, stratum=stratum).check.text
    never, stratum = voted(0, n=(50, 50), rates=(0, 0), se=0.9, f=0.0, raters=2)
    assert "ever agreed" in rater_error_from_votes(never, stratum=stratum).check.text
    with pytest.raises(ValueError, match="one row"):
        rater_error_from_votes(never, stratum=stratum[:3])


def test_votes_in_any_order_with_any_rater_missing():
    votes, stratum = voted(2, n=(400, 400), rates=(0.05, 0.5), se=0.85, f=0.03, raters=2)
    padded = np.column_stack([np.full(800, np.nan), votes])
    order = np.random.default_rng(0).permutation(800)
    one = rater_error_from_votes(votes, stratum=stratum, seed=1)
    other = rater_error_from_votes(padded[order], stratum=stratum[order] + 5, seed=1)
    assert one.sensitivity == other.sensitivity
    assert one.specificity == other.specificity


def test_errors_of_a_vote_correct_the_mean_vote():
    votes, stratum = voted(3, n=(2000, 2000), rates=(0.02, 0.3), se=0.85, f=0.02, raters=2)
    votes[500:2000, 1] = np.nan
    votes[:10] = np.nan
    made = sample(stratum, np.zeros(4000), votes=votes)
    whole = population([9e5, 1e5])
    error = rater_error_from_votes(votes, stratum=stratum)
    found = corrected_prevalence(made, whole, error)
    mean = np.nanmean(votes[10:], axis=1)
    share = 0.9 * mean[:1990].mean() + 0.1 * mean[1990:].mean()
    assert found.apparent.point == pytest.approx(share)
    truth = 0.9 * 0.02 + 0.1 * 0.3
    assert found.estimate.low < truth < found.estimate.high
    assert found.apparent.n == 3990


def test_no_votes_is_not_zero():
    made, whole = drawn(0)
    error = replace(gold(43, 50, 3, 400), of="vote")
    found = corrected_prevalence(made, whole, error)
    assert found.estimate.point is None
    assert "no labels" in found.estimate.note
