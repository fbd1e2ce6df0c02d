"""Sizes find the truth, take out what raters do wrong, and say what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.harm.deep_dive.worlds import SPEC, without, world
from trustlib.harm import prevalence
from trustlib.harm.deep_dive.label_error import label_error
from trustlib.harm.deep_dive.samples import samples
from trustlib.harm.deep_dive.size import SEEN_ITEMS, size, size_checks

ROWS, TRUTH = world(3)


def sized(rows):
    drawn = samples(rows, SPEC)
    found, why = size(rows, drawn, SPEC)
    return found, why, {check.name: check for check in size_checks(found, drawn, SPEC)}


def gold(votes, *, violating=60, other=200, wrong=0, missed=0):
    """`missed` votes of each violating item are 0; the first vote of `wrong` others is 1."""
    rows = []
    for item in range(violating + other):
        bad = item < violating
        for vote in range(votes):
            said = vote >= missed if bad else (item - violating < wrong and vote == 0)
            rows.append((item, vote, int(said), int(bad)))
    return pd.DataFrame(rows, columns=["item", "rater", "label", "truth"])


def test_shares_are_the_truth_within_their_intervals():
    found, why, _ = sized(ROWS)
    for one in (found.items, found.items_corrected):
        assert one.estimate.low <= TRUTH.prevalence <= one.estimate.high
    for one in (found.views, found.views_corrected):
        assert one.estimate.low <= TRUTH.prevalence_views <= one.estimate.high
    assert why == {}
    assert found.confirmed == ROWS.confirmed


def test_raters_that_miss_half_are_set_right():
    inside, plain, right, truths = 0, 0.0, 0.0, 0.0
    for seed in range(8):
        rows, truth = world(seed, items=30_000, accounts=3_000, sensitivity=0.5, gold=800)
        found, _, _ = sized(rows)
        best = found.items_corrected.estimate
        inside += best.low <= truth.prevalence <= best.high
        plain += found.items.estimate.point
        right += best.point
        truths += truth.prevalence
    assert inside >= 7
    assert plain < 0.7 * truths
    assert right == pytest.approx(truths, rel=0.2)


def test_one_vote_errs_as_a_vote_not_as_the_majority_of_twelve():
    known = gold(12, missed=3)
    assert label_error(known, [1]).sensitivity.point == pytest.approx(0.75)
    # Of three votes at .75, at least two: hypergeometric with 9 of 12.
    three = (9 * 8 * 7 + 3 * 9 * 8 * 3) / (12 * 11 * 10)
    assert label_error(known, [3, 3]).sensitivity.point == pytest.approx(three)
    mixed = label_error(known, [1, 1, 1, 3]).sensitivity.point
    assert mixed == pytest.approx((3 * 0.75 + three) / 4)
    assert label_error(known, [99]).sensitivity.point == pytest.approx(1.0, abs=1e-6)


def test_a_tie_of_two_votes_is_not_violating():
    assert label_error(gold(2, missed=1), [2]).sensitivity.point == 0.0


def test_items_that_are_all_missed_together_count_once_each():
    apart, together = gold(6), gold(6)
    hard = together["item"] < 15
    together.loc[hard, "label"] = 0
    apart.loc[(apart["truth"] == 1) & (apart["rater"] == 0), "label"] = 0
    alike = label_error(apart, [1]).sensitivity
    clumped = label_error(together, [1]).sensitivity
    assert alike.point == pytest.approx(5 / 6)
    assert clumped.point == pytest.approx(0.75)
    assert clumped.high - clumped.low > 1.5 * (alike.high - alike.low)


@pytest.mark.parametrize(("missed", "looks"), [(0, 60), (3, 720)])
def test_without_a_wrong_vote_the_other_kind_tells_how_votes_hang_together(missed, looks):
    """Nobody erred at all: each item counts once. Votes that err apart: each vote counts."""
    found = label_error(gold(12, violating=60, other=60, missed=missed), [1])
    assert found.specificity.point == 1.0
    assert found.specificity.low == pytest.approx(0.025 ** (1 / looks), abs=1e-6)


def test_votes_that_hang_together_count_less_where_no_vote_was_wrong():
    known = gold(12, other=60)
    known.loc[known["item"] < 15, "label"] = 0  # a quarter of the violating: all twelve miss them
    found = label_error(known, [1])
    assert found.specificity.point == 1.0
    # 15 of 60 items in whole blocks of votes: as many looks as items, less one for the spread.
    assert found.specificity.low == pytest.approx(0.025 ** (1 / 59), abs=1e-3)


def test_no_answers_of_one_kind_is_said():
    only = gold(3).query("truth == 1")
    found = label_error(only, [1])
    assert found.specificity.point is None
    assert found.check.verdict == "not_run"
    assert not found.informative
    assert label_error(gold(1, violating=10), [1]).check.verdict == "warn"
    assert label_error(gold(4, missed=4, wrong=200), [1]).check.verdict == "fail"


def test_shares_of_views_fall_back_on_seen_items():
    found, why, _ = sized(without(ROWS, "view_labels"))
    assert SEEN_ITEMS in found.views.estimate.method
    assert SEEN_ITEMS in found.views_corrected.estimate.method
    assert found.views.estimate.low <= TRUTH.prevalence_views <= found.views.estimate.high
    assert why == {}
    assert SEEN_ITEMS not in sized(ROWS)[0].views.estimate.method


def test_scores_of_all_items_sharpen_the_share():
    found, _, _ = sized(ROWS)
    assert found.prediction_powered.check.verdict == "not_run"
    rows, truth = world(3, labels=9_000)
    mean = rows.sample.groupby("stratum")["score"].mean().rename("mean_score")
    scored = replace(rows, population=rows.population.merge(mean, on="stratum"))
    again = sized(scored)[0].prediction_powered
    assert again.estimate.low <= truth.prevalence <= again.estimate.high


@pytest.mark.parametrize(
    ("role", "fields"),
    [
        ("labels", {"items", "items_corrected", "prediction_powered", "agreement",
                    "labels_arrived"}),
        ("gold", {"rater_error", "items_corrected", "views_corrected"}),
        ("views", {"views", "views_corrected"}),
        ("scores", {"prediction_powered"}),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(role, fields):
    found, why, _ = sized(without(ROWS, role))
    assert set(why) == {f"size.{name}" for name in fields}
    for name, text in why.items():
        assert text == f"There is nothing of {role}: no source was given."
        value = getattr(found, name.removeprefix("size."))
        assert value is None or value.empty


def test_without_any_label_both_reasons_are_told():
    found, why, checks = sized(replace(without(ROWS, "labels", "view_labels"), confirmed=None))
    assert found.items is None
    assert found.views is None
    assert "view labels" in why["size.views"]
    assert "size.confirmed" in why
    assert checks["labels_arrived"].verdict == "not_run"
    assert "floor_below_estimate" not in checks


def test_agreement_stands_for_the_items_not_for_the_sample():
    """Where raters differ in the rare stratum only, few of all items are differed about."""
    rare = ROWS.sample.loc[ROWS.sample["stratum"] == "score-75-100", "item"]
    split = ROWS.votes["item"].isin(rare) & (ROWS.votes["rater"] == 1)
    votes = ROWS.votes.assign(label=ROWS.votes["label"].where(~split, 1 - ROWS.votes["label"]))
    found = sized(replace(ROWS, votes=votes))[0].agreement.percent_agreement.point
    mine = ROWS.sample[ROWS.sample["in_window"] & (ROWS.sample["n_votes"] > 1)]
    part = mine["item"].isin(rare)
    weight = 1 / mine["inclusion"]
    assert found > 1 - 1.1 * weight[part].sum() / weight.sum()
    assert part.mean() > 5 * weight[part].sum() / weight.sum()


def test_labels_still_arriving_are_said_with_their_week():
    last = ROWS.sample["created_at"] >= pd.Timestamp("2026-03-23", tz="UTC")
    late = last & (ROWS.sample["item"] % 3 > 0)
    _, _, checks = sized(replace(ROWS, sample=ROWS.sample[~late]))
    assert checks["labels_arrived"].verdict == "warn"
    assert "23\u00a0Mar" in checks["labels_arrived"].text
    assert "16\u00a0Mar" not in checks["labels_arrived"].text
    assert sized(ROWS)[2]["labels_arrived"].verdict == "pass"


def test_fewer_labels_by_design_are_not_late():
    last = ROWS.sample["created_at"] >= pd.Timestamp("2026-03-23", tz="UTC")
    kept = ~last | (ROWS.sample["item"] % 3 == 0)
    chance = ROWS.sample["inclusion"].where(~last, ROWS.sample["inclusion"] / 3)
    rows = replace(ROWS, sample=ROWS.sample.assign(inclusion=chance)[kept])
    assert sized(rows)[2]["labels_arrived"].verdict == "pass"


def test_a_floor_above_the_estimate_fails():
    checks = sized(replace(ROWS, confirmed=replace(ROWS.confirmed, items=5_000)))[2]
    assert checks["floor_below_estimate"].verdict == "fail"
    assert sized(ROWS)[2]["floor_below_estimate"].verdict == "pass"


def test_labels_outside_the_strata_are_warned_of():
    odd = ROWS.sample.assign(
        stratum=np.where(ROWS.sample["market"] == "west", "elsewhere", ROWS.sample["stratum"])
    )
    assert sized(replace(ROWS, sample=odd))[2]["labels_outside_strata"].verdict == "warn"
    assert "labels_outside_strata" not in sized(ROWS)[2]


def test_rows_in_another_order_give_the_same_size():
    def mixed(frame):
        return frame.sample(frac=1, random_state=2)

    other = replace(ROWS, sample=mixed(ROWS.sample), view_sample=mixed(ROWS.view_sample),
                    votes=mixed(ROWS.votes), gold=mixed(ROWS.gold),
                    population=mixed(ROWS.population), weeks=mixed(ROWS.weeks),
                    by_segment=mixed(ROWS.by_segment))  # fmt: skip
    one, two = sized(ROWS)[0], sized(other)[0]
    assert one.items_corrected.estimate == two.items_corrected.estimate
    assert one.views_corrected.estimate == two.views_corrected.estimate
    assert one.agreement.fleiss_kappa == two.agreement.fleiss_kappa
    pd.testing.assert_frame_equal(one.labels_arrived, two.labels_arrived)


def test_the_share_is_prevalence_of_the_sample():
    drawn = samples(ROWS, SPEC)
    plain = prevalence(drawn.items, drawn.items_population).estimate
    assert sized(ROWS)[0].items.estimate == plain
