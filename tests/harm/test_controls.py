"""Recall, precision and overlap of controls: closed forms, enumeration, coverage, invariances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from tests.harm.samples import drawn, population, sample
from trustlib.harm.controls import controls, precision_of, recall_of, specificity_of
from trustlib.harm.weighted_ratio import (
    WeightedSum,
    ratio_interval,
    sum_interval,
    weighted_sum,
)

NAMES = ("rule", "model")


def flagged(made, seed=3):
    random = np.random.default_rng(seed)
    return random.random((made.n, 2)) < np.where(made.label > 0, 0.6, 0.05)[:, None]


def test_points_by_hand_in_items_and_views():
    made = sample(
        [0, 0, 0, 0, 1, 1, 1, 1],
        [1, 1, 0, 0, 1, 1, 1, 0],
        inclusion=[0.01] * 4 + [0.1] * 4,
        views=[10.0, 0, 5, 5, 1, 2, 3, 4],
    )
    whole = population([400, 40], views=[2000, 100])
    flags = [[1, 0], [0, 0], [1, 0], [0, 0], [1, 1], [0, 1], [0, 0], [0, 1]]
    found = controls(made, whole, flags, names=NAMES)
    assert [one.point for one in found.recall] == pytest.approx([110 / 230, 20 / 230])
    assert [one.point for one in found.precision] == pytest.approx([110 / 210, 20 / 30])
    assert found.recall_of_controls.point == pytest.approx(120 / 230)
    assert found.precision_of_controls.point == pytest.approx(120 / 230)
    assert found.missed.point == pytest.approx(110)
    assert [one.point for one in found.alone] == pytest.approx([100 / 230, 10 / 230])
    row = found.overlap.iloc[0]
    assert row["both"] == pytest.approx(10 / 230)
    assert row["expected"] == pytest.approx(110 * 20 / 230**2)
    seen = controls(made, whole, flags, names=NAMES, of="views")
    assert seen.recall_of_controls.point == pytest.approx((1000 + 30) / (1000 + 60))
    assert seen.recall[0].point == pytest.approx(1010 / 1060)
    assert seen.recall[0].n == 4
    assert seen.missed.point == pytest.approx(30)


def test_with_equal_weights_the_interval_is_clopper_and_pearsons():
    label = np.array([1.0] * 30 + [0.0] * 970)
    flag = np.zeros(1000, dtype=bool)
    flag[:21] = True
    flag[500:540] = True
    made, whole = sample(np.zeros(1000), label, inclusion=1e-9), population([1e12])
    found = recall_of(made, whole, flag, cluster=False)
    assert found.point == pytest.approx(0.7)
    assert found.low == pytest.approx(beta.ppf(0.025, 21, 10), rel=1e-6)
    assert found.high == pytest.approx(beta.ppf(0.975, 22, 9), rel=1e-6)
    found = precision_of(made, whole, flag, cluster=False, level=0.9)
    assert found.low == pytest.approx(beta.ppf(0.05, 21, 41), rel=1e-6)
    assert found.high == pytest.approx(beta.ppf(0.95, 22, 40), rel=1e-6)
    found = specificity_of(made, whole, flag, cluster=False)
    assert found.high == pytest.approx(beta.ppf(0.975, 931, 40), rel=1e-6)


def test_sum_interval_is_garwoods_for_equal_weights_and_bounds_zero():
    from scipy.stats import chi2

    low, high = sum_interval(WeightedSum(total=70, variance=700, largest=10), level=0.95)
    assert low == pytest.approx(10 * chi2.ppf(0.025, 14) / 2)
    assert high == pytest.approx(10 * chi2.ppf(0.975, 16) / 2)
    none = sum_interval(WeightedSum(total=0, variance=0, largest=10), level=0.95)
    assert none == (0, pytest.approx(-10 * np.log(0.025)))


def test_the_largest_weight_is_that_of_a_typical_view():
    found = weighted_sum(
        np.array([True, False, False, False]),
        weight=np.array([1.0, 3.0, 2.0, 50.0]),
        unseen=np.array([1.0, 1.0, 1.0, 1.0]),
        cluster=np.arange(4),
        stratum=np.array([0, 0, 1, 1]),
        possible=np.array([True, True, True, False]),
    )
    assert (found.total, found.variance, found.largest) == (1, 1, 2.5)


def test_sums_without_error_are_numbers():
    sure = WeightedSum(total=30, variance=0, largest=0)
    assert ratio_interval(sure, WeightedSum(total=10, variance=0, largest=0), level=0.9) == (
        0.75,
        0.75,
    )
    low, high = ratio_interval(sure, WeightedSum(total=10, variance=10, largest=1), level=0.9)
    few = sum_interval(WeightedSum(total=10, variance=10, largest=1), level=0.9)
    assert (low, high) == pytest.approx((30 / (30 + few[1]), 30 / (30 + few[0])))
    low, high = ratio_interval(WeightedSum(total=10, variance=10, largest=1), sure, level=0.9)
    assert (low, high) == pytest.approx((few[0] / (30 + few[0]), few[1] / (30 + few[1])))


@pytest.mark.parametrize(("flags", "point"), [(1.0, 1.0), (0.0, 0.0)])
def test_all_alike_has_an_exact_bound(flags, point):
    label = np.array([1.0] * 20 + [0.0] * 80)
    made, whole = sample(np.zeros(100), label, inclusion=1e-6), population([1e8])
    found = recall_of(made, whole, np.full(100, bool(flags)), cluster=False)
    bound = 0.025 ** (1 / 20)
    assert found.point == point
    expected = (bound, 1) if point else (0, 1 - bound)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-5)


def test_everything_labelled_leaves_no_error():
    label = np.array([1.0] * 20 + [0.0] * 80)
    flag = np.arange(100) % 2 == 0
    found = recall_of(sample(np.zeros(100), label, inclusion=1.0), population([100]), flag)
    assert (found.low, found.point, found.high) == (0.5, 0.5, 0.5)


def test_actors_are_clusters():
    label = np.array([1.0] * 60 + [0.0] * 200)
    actor = np.r_[np.arange(60) // 10, 100 + np.arange(200)]
    flag = np.r_[actor[:60] % 3 > 0, np.zeros(200, dtype=bool)]
    made = sample(np.zeros(260), label, inclusion=1e-6, actor=actor)
    alone = recall_of(made, population([2.6e8]), flag, cluster=False)
    found = recall_of(made, population([2.6e8]), flag)
    assert found.point == alone.point == pytest.approx(2 / 3)
    assert found.high - found.low > 2 * (alone.high - alone.low)
    # Six actors of ten items: as if six items, with one item more on either side.
    assert found.low == pytest.approx(beta.ppf(0.025, 4, (20 + 1) ** 2 / (200 + 1)), abs=0.12)


def test_an_unlabelled_or_empty_stratum_is_said():
    made, whole = drawn(5)
    found = controls(made.take(made.stratum == 0), whole, flagged(made)[made.stratum == 0],
                     names=NAMES)  # fmt: skip
    assert found.recall_of_controls.note == "only of the strata that have labels"
    assert found.missed.note == "only of the strata that have labels"
    label = np.r_[np.zeros(100), np.ones(30), np.zeros(70)]
    made = sample(np.repeat([0, 1], 100), label, inclusion=[1e-4] * 100 + [1e-2] * 100)
    flags = np.zeros((200, 2), dtype=bool)
    flags[100:125] = True
    found = controls(made, population([1e6, 1e4]), flags, names=NAMES)
    check = {one.name: one for one in found.checks}["recall_empty_strata"]
    assert "1\u00a0stratum without a violating label" in check.text
    assert found.recall_of_controls.point == pytest.approx(25 / 30)
    # One label of the heavy stratum stands for more than all the violating ones that were seen.
    assert found.recall_of_controls.low < 0.1
    assert check.verdict == "pass"  # the interval already knows


@pytest.mark.parametrize(("violating", "verdict"), [(24, "warn"), (25, "pass")])
def test_few_violating_labels_are_said(violating, verdict):
    label = np.r_[np.ones(violating), np.zeros(60)]
    made = sample(np.zeros(len(label)), label)
    found = controls(made, population([1e5]), np.zeros((len(label), 2)), names=NAMES)
    check = {one.name: one for one in found.checks}["recall_labels"]
    assert check.verdict == verdict
    assert f"{violating}\u00a0violating labels" in check.text


def test_no_violating_label_is_not_zero_recall():
    made, whole = sample(np.zeros(50), np.zeros(50)), population([50_000])
    found = controls(made, whole, np.zeros((50, 2)), names=NAMES)
    assert found.recall_of_controls.point is None
    assert found.precision[0].point is None
    assert found.missed.point == 0
    assert found.missed.high == pytest.approx(-1000 * 0.999 * np.log(0.025), rel=1e-3)
    assert [check.verdict for check in found.checks] == ["not_run"]
    assert found.table()["recall"].isna().all()
    none = controls(made.take(np.array([], dtype=int)), whole, np.zeros((0, 2)), names=NAMES)
    assert none.missed.point is None


def test_invariances():
    made, whole = drawn(7)
    flags = flagged(made)
    found = controls(made, whole, flags, names=NAMES, of="views")
    order = np.random.default_rng(0).permutation(made.n)
    again = controls(made.take(order), whole, flags[order], names=NAMES, of="views")
    assert again.recall == found.recall
    assert again.missed == found.missed
    swapped = controls(made, whole, flags[:, ::-1], names=NAMES[::-1], of="views")
    assert swapped.recall_of_controls == found.recall_of_controls
    assert swapped.recall[0].point == pytest.approx(found.recall[1].point)
    scaled = controls(replace(made, views=made.views * 8),
                      replace(whole, views=whole.views * 8), flags, names=NAMES,
                      of="views")  # fmt: skip
    assert scaled.recall[0].low == pytest.approx(found.recall[0].low)
    assert scaled.missed.high == pytest.approx(8 * found.missed.high)
    table = found.table()
    assert list(table["name"]) == ["rule", "model", "all together"]
    assert table["recall"].iloc[-1] == found.recall_of_controls.point
    assert np.isnan(table["alone"].iloc[-1])


@pytest.mark.parametrize(
    ("flags", "names", "words"),
    [
        (np.zeros((5, 2)), NAMES, "one row for each of 500 labels"),
        (np.zeros((500, 2)), ("a", "a"), "name of its own"),
        (np.full((500, 2), 0.5), NAMES, "true or false"),
    ],
)
def test_refusals(flags, names, words):
    made, whole = drawn(7)
    with pytest.raises(ValueError, match=words):
        controls(made, whole, flags, names=names)


def covered(rate, size, items, recall, wrong, *, draws):
    """How often the intervals of recall and precision hold the truth."""
    rate, size, items, recall, wrong = map(np.asarray, (rate, size, items, recall, wrong))
    bad = items * rate
    truth = (bad @ recall / bad.sum(), bad @ recall / (bad @ recall + items * (1 - rate) @ wrong))
    stratum, whole = np.repeat(np.arange(len(rate)), size), population(items)
    hits = np.zeros(2)
    for seed in range(draws):
        random = np.random.default_rng(seed)
        label = (random.random(len(stratum)) < rate[stratum]).astype(float)
        flag = random.random(len(stratum)) < np.where(label > 0, recall[stratum], wrong[stratum])
        made = sample(stratum, label, inclusion=(size / items)[stratum])
        for at, of in enumerate((recall_of, precision_of)):
            found = of(made, whole, flag, cluster=False)
            hits[at] += found.low <= truth[at] <= found.high
    return hits / draws


def test_coverage_also_where_the_heavy_stratum_hides_violations():
    usual = covered([0.02, 0.2], [1000, 1000], [9e4, 1e4], [0.4, 0.8], [0.01, 0.1], draws=300)
    assert (usual >= 0.94).all()
    rare = covered(
        [0.0004, 0.004, 0.02, 0.08, 0.25], [600, 400, 400, 300, 300],
        [9e5, 6e4, 2.5e4, 1e4, 5e3], [0.1, 0.3, 0.5, 0.8, 0.95], [0.0005, 0.01, 0.05, 0.1, 0.2],
        draws=300,
    )  # fmt: skip
    assert (rare >= 0.93).all()
