"""The samples stand for what was counted, and say what they leave out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.harm.deep_dive.worlds import SPEC, without, world
from trustlib.harm import prevalence
from trustlib.harm.deep_dive.samples import samples

ROWS, TRUTH = world(3)
FOUND = samples(ROWS, SPEC)


def test_weights_add_up_to_the_counts():
    for sample, population in (
        (FOUND.items, FOUND.items_population),
        (FOUND.views, FOUND.views_population),
    ):
        stands = np.bincount(sample.stratum, 1 / sample.inclusion)
        np.testing.assert_allclose(stands, population.items, rtol=0.35)
    assert FOUND.items_population.items.sum() == ROWS.population["items"].sum()
    assert FOUND.views_population.items.sum() == ROWS.population["views"].sum()


def test_rows_of_items_are_the_sample():
    rows = FOUND.rows_of_items
    assert rows["in_window"].all()
    np.testing.assert_array_equal(rows["label"], FOUND.items.label)
    names = np.array(FOUND.items_population.strata)
    assert list(names[FOUND.items.stratum]) == list(rows["stratum"])
    markets = np.array(FOUND.items.segment_names["market"])
    assert list(markets[FOUND.items.segments["market"]]) == list(rows["market"])


def test_segments_add_up_to_the_strata():
    whole = FOUND.items_population
    for name in SPEC.segments:
        np.testing.assert_array_equal(whole.by_segment[name].sum(axis=0), whole.items)
    assert FOUND.items.segment_names["kind"] == tuple(
        ROWS.by_segment.query("segment == 'kind'").groupby("value")["items"].sum()
        .sort_values(ascending=False).index
    )  # fmt: skip


def test_votes_stand_with_their_items():
    votes = FOUND.items.votes
    positive = 2 * np.nansum(votes, axis=1) > (~np.isnan(votes)).sum(axis=1)
    np.testing.assert_array_equal(positive, FOUND.items.label > 0)
    assert ((~np.isnan(votes)).sum(axis=1) == FOUND.rows_of_items["n_votes"]).all()


def test_weeks_hold_all_labels_and_items():
    assert [week.at.weekday() for week in FOUND.weeks] == [0] * 8
    assert sum(week.sample.n for week in FOUND.weeks) == len(ROWS.sample)
    assert sum(week.population.items.sum() for week in FOUND.weeks) == ROWS.weeks["items"].sum()


def test_an_item_of_midnight_on_monday_is_of_the_week_that_begins():
    midnight = ROWS.sample["created_at"].where(ROWS.sample.index > 0, FOUND.weeks[3].at)
    found = samples(replace(ROWS, sample=ROWS.sample.assign(created_at=midnight)), SPEC)
    place = int((ROWS.sample["created_at"].iloc[0] - FOUND.weeks[0].at).days // 7)
    assert place != 3
    assert found.weeks[3].sample.n == FOUND.weeks[3].sample.n + 1
    assert found.weeks[place].sample.n == FOUND.weeks[place].sample.n - 1


def test_items_seen_in_the_window_give_a_share_of_views():
    found = prevalence(FOUND.seen, FOUND.seen_population, of="views").estimate
    assert found.low <= TRUTH.prevalence_views <= found.high
    assert (FOUND.seen.views > 0).all()


def test_rows_in_another_order_are_the_same_sample():
    shuffled = ROWS.sample.sample(frac=1, random_state=1)
    other = samples(replace(ROWS, sample=shuffled), SPEC)
    one = prevalence(FOUND.items, FOUND.items_population).estimate
    two = prevalence(other.items, other.items_population).estimate
    assert one == two


def test_labels_in_a_stratum_that_nobody_counted_are_left_out():
    odd = ROWS.sample.assign(
        stratum=np.where(ROWS.sample["market"] == "west", "elsewhere", ROWS.sample["stratum"])
    )
    found = samples(replace(ROWS, sample=odd), SPEC)
    left = int((odd["in_window"] & (odd["market"] == "west")).sum())
    assert found.outside == (left, 0)
    assert found.items.n == FOUND.items.n - left


def test_views_in_strata_of_their_own_are_shared_out_by_weight():
    own = ROWS.view_sample.assign(stratum="view " + ROWS.view_sample["stratum"].astype(str))
    found = samples(replace(ROWS, view_sample=own), SPEC)
    assert found.views.n == len(own)
    assert found.views_population.strata == tuple(sorted(own["stratum"].unique()))
    assert found.views_population.items.sum() == pytest.approx(ROWS.population["views"].sum())


@pytest.mark.parametrize("role", ["labels", "view_labels", "views"])
def test_a_missing_role_leaves_its_sample_out(role):
    found = samples(without(ROWS, role), SPEC)
    assert (found.items is None) == (role == "labels")
    assert (found.views is None) == (role in ("view_labels", "views"))
    assert (found.seen is None) == (role in ("labels", "views"))


def test_without_strata_or_segments_there_is_one_population():
    bare = replace(
        without(ROWS, "labels"), population=ROWS.population.iloc[:0],
        by_segment=ROWS.by_segment.iloc[:0], weeks=ROWS.weeks.iloc[:0],
    )  # fmt: skip
    found = samples(bare, SPEC)
    assert found.items is None
    assert found.items_population.items.sum() == 0
    assert found.weeks == ()


def test_frames_stay_as_they_are():
    before = ROWS.sample.copy()
    samples(ROWS, SPEC)
    pd.testing.assert_frame_equal(ROWS.sample, before)
