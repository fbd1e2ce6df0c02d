"""Prevalence against closed forms, statsmodels and brute-force enumeration."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from tests.harm.samples import drawn, population, sample
from trustlib.harm import prevalence
from trustlib.harm.share import NONE_SEEN
from trustlib.stats.horvitz_thompson import (
    horvitz_thompson,
    linearised_variance,
    sampled_fraction,
    stratified_share,
)
from trustlib.stats.wilson import clopper_pearson, none_seen, wald, wilson


@pytest.mark.parametrize(("positives", "n"), [(7, 2000), (1, 30), (450, 1000), (29, 30)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_a_simple_random_sample_gets_the_textbook_intervals(positives, n, level):
    label = np.repeat([1.0, 0.0], [positives, n - positives])
    found = prevalence(
        sample(np.zeros(n), label, inclusion=1e-12), population([n * 1e12]), level=level
    )
    low, high = proportion_confint(positives, n, alpha=1 - level, method="wilson")
    assert found.estimate.point == pytest.approx(positives / n)
    assert (found.estimate.low, found.estimate.high) == pytest.approx((low, high), rel=1e-9)
    assert found.effective_n == pytest.approx(n)
    assert found.design_effect == pytest.approx(1)
    rows = found.methods.set_index("method")
    simple = rows.loc["simple random Wald"]
    low, high = proportion_confint(positives, n, alpha=1 - level, method="normal")
    assert (simple["low"], simple["high"]) == pytest.approx((low, high))
    assert rows.loc["simple random Wilson", "note"].startswith("wrong")


@pytest.mark.parametrize(("share", "n"), [(0.1, 50), (0.5, 10), (0.0, 20), (1.0, 20)])
def test_exact_intervals_are_those_of_statsmodels(share, n):
    ours = clopper_pearson(share, n=n, level=0.9)
    assert ours == pytest.approx(proportion_confint(round(share * n), n, alpha=0.1, method="beta"))


def test_a_stratified_share_by_hand():
    stratum, label = np.repeat([0, 1], [4, 5]), [1, 0, 0, 0, 1, 1, 0, 0, 0]
    made = sample(stratum, label, inclusion=np.array([4 / 80, 5 / 20])[stratum])
    found = prevalence(made, population([80, 20]), cluster=False)
    share = 0.8 * 0.25 + 0.2 * 0.4
    variance = 0.8**2 * (0.25 * 0.75 / 3) * (1 - 4 / 80) + 0.2**2 * (0.4 * 0.6 / 4) * (1 - 5 / 20)
    assert found.estimate.point == pytest.approx(share)
    assert found.estimate.standard_error == pytest.approx(variance**0.5)
    assert found.effective_n == pytest.approx(share * (1 - share) / variance * 9 / 8)
    ends = wilson(share, n=found.effective_n, level=0.95)
    assert (found.estimate.low, found.estimate.high) == pytest.approx(ends)
    assert found.total.point == pytest.approx(100 * share)
    assert found.total.high == pytest.approx(100 * found.estimate.high)
    assert list(found.by_stratum["weight"]) == [0.8, 0.2]
    assert list(found.by_stratum["positive"]) == [1, 2]
    wald_row = found.methods.set_index("method").loc["stratified Wald"]
    assert (wald_row["low"], wald_row["high"]) == pytest.approx(
        wald(share, variance=variance, level=0.95)
    )


def every_sample(sizes, n):
    """All stratified samples: indices of the units drawn, and their strata."""
    starts = np.concatenate([[0], np.cumsum(sizes)])
    parts = [
        itertools.combinations(range(starts[h], starts[h + 1]), n[h]) for h in range(len(sizes))
    ]
    for chosen in itertools.product(*parts):
        at = np.array([unit for part in chosen for unit in part])
        yield at, np.repeat(np.arange(len(sizes)), n)


def test_share_and_variance_are_exactly_unbiased_over_every_sample():
    sizes, n = (4, 5), (2, 3)
    label = np.array([1, 0, 0, 1, 1, 0, 1, 0, 0.0])
    totals = np.array(sizes, dtype=float)
    points, variances, sums = [], [], []
    for at, stratum in every_sample(sizes, n):
        inclusion = (np.array(n) / totals)[stratum]
        fraction = sampled_fraction(stratum=stratum, inclusion=inclusion, units=totals)
        np.testing.assert_allclose(fraction, inclusion)
        found = stratified_share(
            label[at], stratum=stratum, mass=1 / inclusion, fraction=fraction, totals=totals
        )
        points.append(found.share)
        variances.append(found.variance)
        sums.append(horvitz_thompson(label[at], inclusion=inclusion))
    assert len(points) == 60
    assert np.mean(points) == pytest.approx(label.mean(), abs=1e-12)
    assert np.mean(variances) == pytest.approx(np.var(points), abs=1e-12)
    np.testing.assert_allclose(sums, np.array(points) * 9)


def test_horvitz_thompson_is_unbiased_under_any_design():
    """Sampford-like: every pair of five units with its own chance, none the same."""
    label, chances = np.array([1, 0, 1, 1, 0.0]), np.arange(1.0, 11.0)
    pairs = list(itertools.combinations(range(5), 2))
    chance = chances / chances.sum()
    inclusion = np.array([chance[[unit in pair for pair in pairs]].sum() for unit in range(5)])
    totals = [horvitz_thompson(label[list(p)], inclusion=inclusion[list(p)]) for p in pairs]
    assert chance @ totals == pytest.approx(label.sum(), abs=1e-12)
    assert np.mean(totals) != pytest.approx(label.sum(), abs=0.01)


def test_labels_drawn_by_views_are_a_plain_mean_of_views():
    views = np.array([1, 5, 20, 100, 3, 8.0])
    label = [0, 1, 0, 1, 1, 0]
    made = sample(np.zeros(6), label, inclusion=views / 1e6, views=views)
    found = prevalence(made, population([1e5], views=np.array([1e6])), of="views")
    assert found.estimate.point == pytest.approx(0.5)
    assert found.estimate.unit == "share of views"
    assert found.total.point == pytest.approx(5e5)
    items = prevalence(made, population([1e5], views=np.array([1e6])))
    assert items.estimate.point == pytest.approx((1 / 5 + 1 / 100 + 1 / 3) / np.sum(1 / views))


def test_views_of_alike_items_are_a_ratio():
    views = np.array([1, 5, 20, 100, 3, 0.0])
    made = sample(np.zeros(6), [0, 1, 0, 1, 1, 1], views=views)
    found = prevalence(made, population([6000], views=np.array([1e6])), of="views")
    assert found.estimate.point == pytest.approx(108 / 129)
    assert found.labels == 5
    assert found.positives == 3


def test_one_actor_many_items_counts_once():
    stratum, label = np.zeros(40, dtype=int), np.tile([1, 0, 0, 0, 0, 0, 0, 0, 0, 1], 4)
    once = prevalence(sample(stratum, label, actor=np.arange(40)), population([1e9]))
    alone = prevalence(sample(stratum, label), population([1e9]))
    assert once.effective_n == pytest.approx(alone.effective_n) == pytest.approx(40)
    three = np.repeat(label, 3)
    repeated = sample(np.zeros(120, dtype=int), three, actor=np.repeat(np.arange(40), 3))
    found = prevalence(repeated, population([1e9]))
    # Σ over 40 actors of (3 e)², G/(G−1): the variance of 40 labels.
    assert found.estimate.standard_error == pytest.approx(once.estimate.standard_error, rel=1e-6)
    assert found.effective_n == pytest.approx(40, rel=0.03)
    plain = prevalence(repeated, population([1e9]), cluster=False)
    assert plain.effective_n == pytest.approx(120)
    row = found.methods.set_index("method").loc["stratified Wilson, every label for itself"]
    assert row["high"] == pytest.approx(plain.estimate.high)


def test_no_positive_gives_an_upper_bound_only():
    found = prevalence(sample(np.zeros(300), np.zeros(300), inclusion=1e-9), population([3e11]))
    assert found.estimate.point == 0 == found.estimate.low
    assert found.estimate.high == pytest.approx(1 - 0.05 ** (1 / 300), rel=1e-6)
    assert found.estimate.high == pytest.approx(3 / 300, rel=0.01)
    exact = proportion_confint(0, 300, alpha=0.1, method="beta")[1]
    assert found.estimate.high == pytest.approx(exact, rel=1e-6)
    assert found.estimate.method == NONE_SEEN
    assert found.estimate.standard_error is None
    assert found.checks[0].label == "no positive label"
    assert math.isnan(found.effective_n)
    ones = prevalence(sample(np.zeros(300), np.ones(300), inclusion=1e-9), population([3e11]))
    assert ones.estimate.low == pytest.approx(1 - found.estimate.high)


def test_the_bound_of_several_strata_is_the_largest_that_fits():
    n, weight = np.array([50.0, 20.0, 400.0]), np.array([0.3, 0.2, 0.5])
    bound = none_seen(n=n, weight=weight, level=0.95)
    axis = np.linspace(0, 0.2, 401)
    grid = np.stack(np.meshgrid(axis, axis, axis[axis < 0.01]), axis=-1).reshape(-1, 3)
    fits = np.exp(np.log1p(-grid) @ n) >= 0.05
    best = (grid[fits] @ weight).max()
    assert best <= bound <= best + 0.001
    assert bound >= max(weight * (1 - 0.05 ** (1 / n))) - 1e-12
    assert none_seen(n=[100], weight=[1], level=0.95) == pytest.approx(1 - 0.05**0.01)
    assert none_seen(n=[math.inf, 100], weight=[0.5, 0.5], level=0.95) == pytest.approx(
        0.5 * (1 - 0.05**0.01)
    )
    # Strata drawn alike are one stratum.
    assert none_seen(n=[50, 30, 20], weight=[0.5, 0.3, 0.2], level=0.95) == pytest.approx(
        1 - 0.05**0.01, rel=1e-12
    )
    assert none_seen(n=[], weight=[], level=0.95) == 0
    # So many looks that nothing is left to bound: 3/n is below what a float tells from nothing.
    assert none_seen(n=[1e17], weight=[1], level=0.95) < 1e-12
    assert none_seen(n=[1e17, 2e17], weight=[0.5, 0.5], level=0.95) < 1e-12


def test_strata_without_a_positive_are_named_and_bounded():
    stratum = np.repeat([0, 1], [60, 100])
    label = np.zeros(160)
    label[60:80] = 1
    found = prevalence(sample(stratum, label, inclusion=1e-6), population([9e7, 1e7]))
    assert found.zero_strata == ("stratum 0",)
    assert found.zero_strata_bound == pytest.approx(0.9 * (1 - 0.05 ** (1 / 60)), rel=1e-3)
    (check,) = [c for c in found.checks if c.name == "strata_without_positives"]
    # One positive would add .9/60 = 1.5 % to the 2 %, whose own interval ends below 3 %.
    assert check.verdict == "warn"
    assert wilson(0.02, n=found.effective_n, level=0.95)[1] < 0.03
    assert found.estimate.high == pytest.approx(0.035)
    assert found.estimate.method.endswith("one more positive")
    assert check.label == "one label could change it"
    assert "to 3.5" in check.text
    many = np.repeat([0, 1], [10_000, 100])
    label = np.concatenate([np.zeros(10_000), label[60:]])
    more = prevalence(sample(many, label, inclusion=1e-6), population([9e7, 1e7]))
    assert more.checks[1].label == "strata without a positive"
    ends = wilson(more.estimate.point, n=more.effective_n, level=0.95)
    assert more.estimate.high == pytest.approx(ends[1])
    assert not more.estimate.method.endswith("one more positive")


def test_strata_without_labels_are_said_and_left_out():
    stratum = np.repeat([0, 2], [60, 40])
    label = np.concatenate([np.repeat([1.0, 0.0], [6, 54]), np.repeat([1.0, 0.0], [20, 20])])
    found = prevalence(sample(stratum, label), population([600, 300, 100]))
    assert found.unlabelled_strata == ("stratum 1",)
    assert found.covered == pytest.approx(0.7)
    assert found.estimate.point == pytest.approx((6 * 0.1 + 1 * 0.5) / 7)
    assert found.estimate.note == "only of the strata that have labels"
    assert found.total.point == pytest.approx(60 + 50)
    assert math.isnan(found.by_stratum.loc[1, "share"])
    check = {c.name: c for c in found.checks}["strata_without_labels"]
    assert check.verdict == "fail"
    assert "30" in check.text
    few = prevalence(sample(stratum, label), population([600, 3, 100]))
    assert {c.name: c.verdict for c in few.checks}["strata_without_labels"] == "warn"


def test_no_labels_at_all_is_not_zero():
    found = prevalence(sample([], []), population([10]))
    assert found.estimate.point is None
    assert "no labels" in found.estimate.note
    assert found.total.point is None
    assert found.methods.empty
    assert {c.verdict for c in found.checks} <= {"not_run", "fail"}


def test_everything_labelled_has_no_error():
    found = prevalence(
        sample(np.zeros(50), np.repeat([1.0, 0], [5, 45]), inclusion=1.0), population([50])
    )
    assert (found.estimate.low, found.estimate.high) == (0.1, 0.1)
    assert math.isinf(found.effective_n)
    assert found.design_effect == 0
    none = prevalence(sample(np.zeros(50), np.zeros(50), inclusion=1.0), population([50]))
    assert none.estimate.high == 0


def test_a_stratum_labelled_in_full_hides_nothing():
    stratum = np.repeat([0, 1], [30, 100])
    label = np.concatenate([np.zeros(30), np.repeat([1.0, 0.0], [10, 90])])
    inclusion = np.array([1.0, 0.01])[stratum]
    found = prevalence(sample(stratum, label, inclusion=inclusion), population([30, 10_000]))
    assert found.zero_strata == ()
    assert found.zero_strata_bound == 0
    assert found.checks[1].verdict == "pass"


def test_items_of_unknown_actors_stand_alone():
    made, whole = drawn(6)
    unknown = np.flatnonzero(made.actor < 0)
    assert len(unknown) > 1
    named = made.actor.copy()
    named[unknown] = 1000 + np.arange(len(unknown))
    one, other = prevalence(made, whole), prevalence(replace(made, actor=named), whole)
    assert one.effective_n == pytest.approx(other.effective_n)
    together = made.actor.copy()
    together[: made.n // 2] = -1
    alone = together.copy()
    alone[: made.n // 2] = 1000 + np.arange(made.n // 2)
    one = prevalence(replace(made, actor=together), whole)
    assert one.effective_n == pytest.approx(
        prevalence(replace(made, actor=alone), whole).effective_n
    )


def test_wrongly_recorded_weights_do_not_make_a_census():
    """All inclusion probabilities 1, though a hundredth was labelled: the totals know better."""
    label = np.repeat([1.0, 0], [50, 450])
    wrong = prevalence(sample(np.zeros(500), label, inclusion=1.0), population([50_000]))
    right = prevalence(sample(np.zeros(500), label, inclusion=0.01), population([50_000]))
    assert wrong.estimate.low == pytest.approx(right.estimate.low)
    assert {c.name: c.verdict for c in wrong.checks}["inclusion_probabilities"] == "warn"
    assert {c.name: c.verdict for c in right.checks}["inclusion_probabilities"] == "pass"


def test_a_stratum_with_one_label_is_taken_against_the_whole():
    stratum = np.repeat([0, 1], [100, 1])
    label = np.concatenate([np.repeat([1.0, 0], [10, 90]), [0.0]])
    found = prevalence(
        sample(stratum, label, inclusion=1e-6), population([8e7, 2e7]), cluster=False
    )
    share = 0.8 * 0.1
    variance = 0.8**2 * 0.1 * 0.9 / 99 + (0.2 * share) ** 2
    assert found.estimate.standard_error == pytest.approx(variance**0.5, rel=1e-4)


def test_strata_all_of_one_kind_do_not_make_a_sure_thing():
    stratum = np.repeat([0, 1], [100, 50])
    label = np.repeat([0.0, 1.0], [100, 50])
    found = prevalence(sample(stratum, label, inclusion=1e-6), population([9e7, 1e7]))
    assert found.estimate.point == pytest.approx(0.1)
    assert found.estimate.low < 0.099
    assert found.estimate.high > 0.105


def test_the_order_of_rows_changes_not_a_digit():
    made, whole = drawn(3)
    before = made.label.copy(), made.actor.copy()
    order = np.random.default_rng(0).permutation(made.n)
    for of in ("items", "views"):
        one = prevalence(made, whole, of=of)
        other = prevalence(made.take(order), whole, of=of)
        assert one.estimate == other.estimate
        pd.testing.assert_frame_equal(one.by_stratum, other.by_stratum, check_exact=True)
        pd.testing.assert_frame_equal(one.methods, other.methods, check_exact=True)
    np.testing.assert_array_equal(made.label, before[0])
    np.testing.assert_array_equal(made.actor, before[1])


def test_weights_on_any_scale_and_strata_in_any_order_give_the_same():
    made, whole = drawn(4)
    found = prevalence(made, whole)
    scaled = prevalence(replace(made, inclusion=made.inclusion / 7), whole)
    assert scaled.estimate.point == pytest.approx(found.estimate.point, rel=1e-12)
    assert scaled.estimate.high == pytest.approx(found.estimate.high, rel=1e-12)
    turned = prevalence(
        replace(made, stratum=1 - made.stratum), population(whole.items[::-1], views=whole.views)
    )
    assert turned.estimate.high == pytest.approx(found.estimate.high, rel=1e-12)


def test_few_accounts_behind_the_positives_are_said():
    label = np.repeat([1.0, 0], [40, 400])
    actor = np.concatenate([np.repeat([0, 1], [30, 10]), np.arange(2, 402)])
    found = prevalence(sample(np.zeros(440), label, actor=actor), population([440_000]))
    check = {c.name: c for c in found.checks}["actors_behind_positives"]
    assert check.verdict == "warn"
    assert "75" in check.text
    assert found.actors == 2
    unknown = prevalence(sample(np.zeros(440), label), population([440_000]))
    assert {c.name: c.verdict for c in unknown.checks}["actors_behind_positives"] == "not_run"


def test_the_linearised_variance_of_clusters_by_hand():
    e = np.array([1.0, -1.0, 2.0, -2.0])
    found = linearised_variance(
        e,
        stratum=np.zeros(4, dtype=int),
        fraction=np.zeros(4),
        cluster=np.array([0, 1, 0, 1]),
        n=np.array([4]),
    )
    assert found == pytest.approx(2 / 1 * (3**2 + 3**2))
    # Residuals are taken from their stratum's mean: a domain's do not add up to zero there.
    e = np.array([1.0, 2.0, 6.0])
    one = np.zeros(3, dtype=int)
    found = linearised_variance(
        e, stratum=one, fraction=np.full(3, 0.2), cluster=None, n=np.array([3])
    )
    assert found == pytest.approx(3 / 2 * (4 + 1 + 9) * 0.8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": [0, 2]}, "label: 1 values are wrong, the first in row 2"),
        ({"label": [0, np.nan]}, "label"),
        ({"inclusion": [0, 0.5]}, "inclusion"),
        ({"inclusion": [0.5, 1.5]}, "row 2"),
        ({"views": [-1, 3]}, "views"),
        ({"views": [np.nan, 3]}, "views"),
        ({"stratum": [-1, 0]}, "stratum"),
        ({"stratum": [0.5, 0]}, "whole numbers"),
        ({"actor": [-2, 0]}, "actor"),
        ({"score": [np.inf, 0]}, "score"),
        ({"votes": [[0.5], [1]]}, "votes"),
        ({"votes": [[1.0]]}, "one row for each"),
        ({"score": [1.0]}, "one value for each of 2 labels"),
        ({"segments": {"market": [0, 1]}}, "differ in their names"),
        (
            {"segments": {"market": [0, 2]}, "segment_names": {"market": ("a", "b")}},
            "segment market",
        ),
        ({"segments": {"market": [0]}, "segment_names": {"market": ("a",)}}, "one code for each"),
    ],
)
def test_a_bad_sample_is_refused_in_plain_words(change, words):
    with pytest.raises(ValueError, match=words):
        sample(**{"stratum": [0, 0], "label": [0, 1]} | change)


def test_a_bad_population_is_refused_in_plain_words():
    with pytest.raises(ValueError, match="one total for each of 2 strata"):
        population([1, 2], views=np.array([1.0]))
    with pytest.raises(ValueError, match="items"):
        population([1, -2])
    with pytest.raises(ValueError, match="by_segment of market"):
        population([1, 2], by_segment={"market": np.ones((3, 3))})
    with pytest.raises(ValueError, match="code into the population's 1 strata"):
        prevalence(sample([0, 1], [0, 1]), population([5]))
    with pytest.raises(ValueError, match="has items in the population"):
        prevalence(sample([0, 1], [0, 1]), population([5, 0]))
    with pytest.raises(ValueError, match="no views"):
        prevalence(sample([0, 0], [0, 1]), population([5], views=np.array([0.0])), of="views")
