"""Prediction-powered inference: its formula, its gate, and what a bad score does."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.harm.samples import drawn, population, sample
from trustlib.harm import prediction_powered, prevalence
from trustlib.harm.prediction_powered import expected_positives


def simple(seed=0, n=1000):
    random = np.random.default_rng(seed)
    score = random.beta(1, 8, n)
    label = (random.random(n) < score).astype(float)
    return sample(np.zeros(n), label, inclusion=1e-9, score=score), population([n * 1e9])


def test_the_published_formula_on_a_simple_random_sample():
    made, whole = simple()
    y, f, known = made.label, made.score, 1 / 9
    trust = np.cov(y, f)[0, 1] / np.var(f, ddof=1)
    point = y.mean() + trust * (known - f.mean())
    error = (np.var(y - trust * f, ddof=1) / len(y)) ** 0.5
    found = prediction_powered(made, whole, mean_score=[known], level=0.9)
    assert found.trust == pytest.approx(trust)
    assert found.estimate.point == pytest.approx(point)
    assert found.estimate.standard_error == pytest.approx(error, rel=1e-6)
    assert found.estimate.high == pytest.approx(point + 1.6448536269514722 * error)
    assert found.gain == pytest.approx(np.var(y, ddof=1) / len(y) / error**2, rel=1e-6)
    assert found.expected_positives == pytest.approx(y.sum())
    assert found.check.verdict == "pass"


def test_strata_and_views_by_hand():
    made, whole = drawn(1, n=(800, 800))
    known = np.array([0.5, 0.45])
    for of in ("items", "views"):
        found = prediction_powered(made, whole, mean_score=known, of=of, cluster=False)
        mass = made.views if of == "views" else np.ones(made.n)
        weight = np.array([8 / 9, 1 / 9])
        mean_y, mean_f, res_y, res_f = [], [], np.zeros(made.n), np.zeros(made.n)
        for code in range(2):
            at = made.stratum == code
            part = mass[at] / mass[at].sum()
            mean_y.append(part @ made.label[at])
            mean_f.append(part @ made.score[at])
            res_y[at] = weight[code] * part * (made.label[at] - mean_y[-1])
            res_f[at] = weight[code] * part * (made.score[at] - mean_f[-1])
        scale = (made.n / 2 - 1) ** -1 * made.n / 2 * (1 - 800 / whole.items[made.stratum])
        counted = mass > 0
        if of == "views":
            n = np.bincount(made.stratum[counted])[made.stratum]
            scale = n / (n - 1) * (1 - 800 / whole.items[made.stratum])
        trust = np.sum(scale * res_y * res_f) / np.sum(scale * res_f**2)
        point = weight @ (np.array(mean_y) + trust * (known - mean_f))
        variance = np.sum(scale * (res_y - trust * res_f) ** 2)
        assert found.trust == pytest.approx(trust)
        assert found.estimate.point == pytest.approx(point)
        assert found.estimate.standard_error == pytest.approx(variance**0.5)


def test_a_score_that_knows_the_truth_leaves_no_error():
    made, whole = simple()
    sure = replace(made, score=made.label)
    found = prediction_powered(sure, whole, mean_score=[0.123])
    assert found.trust == pytest.approx(1)
    assert found.estimate.point == pytest.approx(0.123)
    assert found.estimate.standard_error == pytest.approx(0, abs=1e-9)


def test_a_useless_or_constant_score_changes_little():
    made, whole = simple()
    plain = prevalence(made, whole)
    noise = replace(made, score=np.random.default_rng(5).random(made.n))
    found = prediction_powered(noise, whole, mean_score=[0.5])
    assert abs(found.trust) < 0.1
    assert found.estimate.point == pytest.approx(plain.estimate.point, rel=0.05)
    assert 1 <= found.gain < 1.02
    flat = prediction_powered(replace(made, score=np.full(made.n, 0.3)), whole, mean_score=[0.3])
    assert flat.trust == 0
    assert flat.estimate.point == pytest.approx(plain.estimate.point)


def test_the_scale_of_the_score_does_not_matter():
    made, whole = simple()
    one = prediction_powered(made, whole, mean_score=[1 / 9])
    other = prediction_powered(
        replace(made, score=5 - 100 * made.score), whole, mean_score=[5 - 100 / 9]
    )
    assert other.estimate.point == pytest.approx(one.estimate.point)
    assert other.estimate.low == pytest.approx(one.estimate.low)


def test_the_gate_counts_positives_as_if_they_weighed_alike():
    stratum, label = np.repeat([0, 1], [100, 100]), np.zeros(200)
    label[:3] = 1
    label[100:160] = 1
    made = sample(stratum, label, score=np.linspace(0, 1, 200))
    whole = population([90_000, 10_000])
    weights = np.array([900.0] * 3 + [100.0] * 60)
    expected = weights.sum() ** 2 / np.sum(weights**2)
    assert expected_positives(made, whole, of="items") == pytest.approx(expected)
    assert expected < 25 < 63
    found = prediction_powered(made, whole, mean_score=[0.25, 0.75])
    assert found.estimate.point is None
    assert found.check.verdict == "not_run"
    assert "25 are needed" in found.check.text
    assert math.isnan(found.trust)
    lower = prediction_powered(made, whole, mean_score=[0.25, 0.75], gate=expected - 0.1)
    assert lower.estimate.point is not None


@pytest.mark.parametrize(
    ("change", "mean_score", "words"),
    [
        ({"score": np.full(1000, np.nan)}, [0.1], "have no score"),
        ({"score": np.where(np.arange(1000) < 7, np.nan, 0.1)}, [0.1], "7 of 1,000"),
        ({}, [np.nan], "not known in every stratum"),
    ],
)
def test_why_it_was_not_run(change, mean_score, words):
    made, whole = simple()
    found = prediction_powered(replace(made, **change), whole, mean_score=mean_score)
    assert found.check.verdict == "not_run"
    assert words in found.check.text
    assert words in found.estimate.note


def test_no_labels_and_a_wrong_shape():
    made, whole = simple()
    none = prediction_powered(made.take(np.array([], dtype=int)), whole, mean_score=[0.1])
    assert "no labels" in none.check.text
    with pytest.raises(ValueError, match="one mean for each of 1 strata"):
        prediction_powered(made, whole, mean_score=[0.1, 0.2])


def test_a_share_below_zero_is_cut_and_said():
    made, whole = simple()
    found = prediction_powered(made, whole, mean_score=[-5.0])
    assert found.estimate.point == 0 == found.estimate.low
    assert found.check.verdict == "warn"
    assert "cut" in found.check.text
