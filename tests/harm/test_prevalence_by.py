"""Prevalence by segment: post-stratified where it can be, combined where labels are missing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.harm.samples import drawn, population, sample
from trustlib.harm import (
    corrected_prevalence_by,
    prevalence,
    prevalence_by,
    rater_error_by_group,
    segment,
)
from trustlib.harm.prevalence_by import COMBINED, POST_STRATIFIED


def test_each_value_is_a_population_of_its_own():
    made, whole = drawn(1)
    for of in ("items", "views"):
        table = prevalence_by(made, whole, "market", of=of)
        assert list(table["value"]) == ["north", "south", "west"]
        for code, row in enumerate(table.itertuples()):
            own = prevalence(
                segment(made, "market", row.value), whole.within("market", code), of=of
            )
            assert row.method == POST_STRATIFIED
            assert row.share == pytest.approx(own.estimate.point)
            assert (row.low, row.high) == pytest.approx((own.estimate.low, own.estimate.high))
            assert row.labelled == own.labels
            assert row.positive == own.positives
            assert row.total_high == pytest.approx(own.total.high)


def test_parts_of_a_census_add_up_to_the_whole():
    label = np.array([1, 0, 0, 1, 0, 0, 0, 1.0])
    market = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    made = sample(np.zeros(8), label, inclusion=1.0,
                  segments={"market": market}, segment_names={"market": ("a", "b")})  # fmt: skip
    counts = {"market": np.array([[3.0], [5.0]])}
    whole = population([8], by_segment=counts, views_by_segment=counts)
    table = prevalence_by(made, whole, "market")
    assert list(table["total"]) == pytest.approx([1, 2])
    assert table["total"].sum() == pytest.approx(prevalence(made, whole).total.point)
    assert (table["low"] == table["high"]).all()


def sparse():
    """Two strata; market "b" has items in both but labels in one, "c" none, "d" no items."""
    stratum = np.repeat([0, 1], [6, 4])
    label = np.array([0, 1, 0, 0, 0, 0, 1, 1, 0, 1.0])
    market = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
    made = sample(stratum, label, inclusion=np.array([0.001, 0.01])[stratum],
                  segments={"market": market},
                  segment_names={"market": ("a", "b", "c", "d")})  # fmt: skip
    counts = {"market": np.array([[4000, 100], [1000, 300], [1000, 0], [0, 0.0]])}
    return made, population([6000, 400], by_segment=counts, views_by_segment=counts)


def test_labels_missing_in_a_stratum_are_taken_together():
    made, whole = sparse()
    table = prevalence_by(made, whole, "market").set_index("value")
    assert table.loc["a", "method"] == POST_STRATIFIED
    assert table.loc["a", "share"] == pytest.approx((4000 / 6 + 100) / 4100)
    assert table.loc["b", "method"] == COMBINED
    assert table.loc["b", "share"] == pytest.approx(2 / 3)
    assert table.loc["b", "low"] < 2 / 3 < table.loc["b", "high"]
    assert table.loc["c", "note"] == "not estimable: no labels here"
    assert math.isnan(table.loc["c", "share"])
    assert math.isnan(table.loc["c", "total"])
    assert table.loc["d", "note"] == "no items in the window"
    assert "read the interval only" in table.loc["b", "note"]


def test_the_combined_ratio_has_the_variance_of_its_linearisation():
    made, whole = sparse()
    (share,) = prevalence_by(made, whole, "market", cluster=False)["share"][1:2]
    (n,) = prevalence_by(made, whole, "market", cluster=False)["effective_n"][1:2]
    # One stratum of 4 labels, 3 of them of market b with weight 1/3 each; f = 4/400.
    e = np.array([0, 1 - share, -share, 1 - share]) / 3
    variance = 4 / 3 * np.sum((e - e.mean()) ** 2) * (1 - 4 / 400)
    assert n == pytest.approx(3 * share * (1 - share) / 2 / variance)


def test_weights_of_the_combined_ratio_are_scaled_to_the_known_totals():
    stratum = np.repeat([0, 1, 2], [4, 4, 4])
    label = np.array([1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0.0])
    market = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    counts = {"market": np.array([[4000, 300, 10], [0, 100, 390.0]])}
    whole = population([4000, 400, 400], by_segment=counts, views_by_segment=counts)
    # Stratum 0 recorded with ten times its inclusion probability.
    made = sample(stratum, label, inclusion=np.array([0.01, 0.01, 0.01])[stratum],
                  segments={"market": market}, segment_names={"market": ("a", "b")})  # fmt: skip
    row = prevalence_by(made, whole, "market").iloc[0]
    assert row["method"] == COMBINED
    # Four labels standing for 1,000 items each, two for 100 each.
    assert row["share"] == pytest.approx((1000 + 200) / 4200)


def test_order_of_rows_and_unknown_values():
    made, whole = drawn(2)
    table = prevalence_by(made, whole, "market")
    order = np.random.default_rng(1).permutation(made.n)
    pd.testing.assert_frame_equal(
        table, prevalence_by(made.take(order), whole, "market"), check_exact=True
    )
    codes = made.segments["market"].copy()
    codes[codes == 2] = -1
    unknown = prevalence_by(replace(made, segments={"market": codes}), whole, "market")
    assert unknown.loc[2, "labelled"] == 0
    pd.testing.assert_frame_equal(table[:2], unknown[:2])


def test_few_labels_are_said():
    made, whole = drawn(3, n=(12, 12), rate=(0.0, 0.0))
    assert prevalence_by(made, whole, "market")["note"].str.startswith("no positive among").all()


def test_segments_that_do_not_match_are_refused():
    made, whole = drawn(1)
    with pytest.raises(ValueError, match="no segment surface"):
        prevalence_by(made, whole, "surface")
    with pytest.raises(ValueError, match="no totals by segment market"):
        prevalence_by(made, population(whole.items), "market")
    small = {"market": whole.by_segment["market"][:2]}
    with pytest.raises(ValueError, match="3 values in the sample and 2"):
        prevalence_by(made, replace(whole, by_segment=small), "market")
    with pytest.raises(ValueError, match="there is no segment"):
        segment(made, "surface", "north")
    with pytest.raises(ValueError, match="none of the 3"):
        segment(made, "market", "secret name")


def test_each_value_is_corrected_with_its_own_error():
    made, whole = drawn(5, n=(3000, 3000))
    truth = np.tile(np.repeat([1.0, 0.0], [200, 800]), 2)
    said = truth.copy()
    said[:40] = 0  # north misses a fifth
    said[1000:1100] = 0  # south misses half
    group = np.repeat([0, 1], 1000)
    errors = rater_error_by_group(said, truth, group=group, names=("north", "south"))
    table = corrected_prevalence_by(made, whole, "market", errors).set_index("value")
    plain = prevalence_by(made, whole, "market").set_index("value")
    for value, se in (("north", 0.8), ("south", 0.5)):
        row = table.loc[value]
        assert row["sensitivity"] == se
        assert row["specificity"] == 1
        assert row["share"] == pytest.approx(plain.loc[value, "share"] / se)
        assert row["low"] < row["share"] < row["high"]
    assert math.isnan(table.loc["west", "share"])
    assert "not known" in table.loc["west", "note"]


def test_errors_of_votes_do_not_correct_labels():
    made, whole = drawn(5)
    error = rater_error_by_group([1, 0], [1, 0], group=np.array([0, 0]), names=("north",))
    votes = {"north": replace(error["north"], of="vote")}
    with pytest.raises(ValueError, match="errors of labels are needed"):
        corrected_prevalence_by(made, whole, "market", votes)
