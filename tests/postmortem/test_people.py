"""People who were hit: bounds from doses, exact where every case is labelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.postmortem.worlds import described, drawn, rows_of
from tests.studies import postmortem_coverage as study
from trustlib.postmortem.cases import cases
from trustlib.postmortem.doses import dose_table, fewest, most, top_shares
from trustlib.postmortem.people import People, people


def found(rows, *, seed: int = 0) -> People:
    return people(rows, level=0.95, seed=seed)


def check_of(made: People, name: str):
    return next(one for one in made.checks if one.name == name)


def test_with_every_case_labelled_owners_are_known():
    world = drawn(2, over=120, under=60, labels=10_000, precision=(0.6, 0.2), dose=3, viewers=1)
    made = found(rows_of(world))
    for kind in ("accounts", "customers"):
        told = made.estimates[f"affected_{kind}"]
        assert (told.point, told.low, told.high) == (world.hit(kind),) * 3
    seen = made.estimates["affected_viewers"]  # nobody knows who saw which: bounds remain
    assert seen.low <= world.hit("viewers") <= seen.high
    assert seen.low < seen.high


def test_viewers_are_known_where_all_or_none_of_the_missed_items_violates():
    for precision in ((1.0, 1.0), (0.0, 0.0)):
        world = drawn(2, over=0, under=60, labels=10_000, precision=precision, viewers=2)
        told = found(rows_of(world)).estimates["affected_viewers"]
        assert (told.low, told.high) == (world.hit("viewers"),) * 2


def test_viewers_in_a_sample_of_the_views_are_a_lower_bound():
    rows = rows_of(drawn(3, over=80, under=90, labels=90, precision=(0.8, 0.6), viewers=2))
    whole = found(rows)
    name = "affected_viewers"
    told = whole.estimates[name]
    assert (told.unit, told.note) == ("viewers", None)
    assert "viewers_are_some" not in {check.name for check in whole.checks}
    some = people(rows, level=0.95, seed=0, views_share=0.05)
    assert some.estimates[name] == replace(
        told,
        unit="viewers, at least",
        note="of the views that were read, 5\u00a0% of all: there are more viewers",
    )
    others = {"affected_accounts", "affected_customers"}
    assert all(some.estimates[each] == whole.estimates[each] for each in others)
    pd.testing.assert_frame_equal(some.affected, whole.affected)
    check = check_of(some, "viewers_are_some")
    assert check.verdict == "warn"
    assert "are 5\u00a0% of all" in check.text
    assert some.checks[:-1] == whole.checks
    full = people(rows, level=0.95, seed=0, views_share=1.0)
    assert (full.estimates, full.checks) == (whole.estimates, whole.checks)


def test_viewers_in_a_sample_have_no_upper_bound_and_nobody_to_see_is_no_sample():
    bare = rows_of(drawn(1, over=60, under=60, labels=0, viewers=2), missing={"labels": "no file"})
    some = people(bare, level=0.95, seed=0, views_share=0.5)
    assert "it lies between" in found(bare).estimates["affected_viewers"].note
    assert some.estimates["affected_viewers"].note == "not estimable: no file"
    assert "it lies between" in some.estimates["affected_accounts"].note
    assert check_of(some, "viewers_are_some").verdict == "warn"
    none = replace(bare, people=bare.people[bare.people["kind"] != "viewers"])
    left = people(none, level=0.95, seed=0, views_share=0.5)
    assert "viewers_are_some" not in {check.name for check in left.checks}


def test_the_extremes_by_hand():
    dose, count = np.array([5, 2, 1]), np.array([2, 3, 10])  # 26 cases of 15 people
    wrong = np.array([0.0, 5.0, 10.0, 12.0, 16.0, 20.0, 26.0])
    assert fewest(wrong, dose, count).tolist() == [0, 1, 2, 3, 5, 9, 15]
    assert most(wrong, count).tolist() == [0, 5, 10, 12, 15, 15, 15]


def test_a_dose_of_one_is_the_share_and_a_higher_dose_is_bounded():
    alone = [{"account": i, "inclusion": 0.5, "labelled": i < 40, "wrong": i % 4 < 2}
             for i in range(80)]  # fmt: skip
    told = found(rows_of(described(alone)))
    accounts = told.estimates["affected_accounts"]
    assert accounts.point == pytest.approx(20 + 40 * 0.5)
    assert check_of(told, "people_identified").verdict == "pass"
    # Two cases each: half of 80 cases are 20 people or 40; 1 − .5² of 40 people lies between.
    pairs = [case | {"account": case["account"] // 2} for case in alone]
    for case in pairs:  # one case of each account is labelled
        case["labelled"] = False
    for at, case in enumerate(pairs[::2]):
        case["labelled"], case["wrong"] = True, at % 2 == 0
    told = found(rows_of(described(pairs)))
    two = told.estimates["affected_accounts"]
    # Half of the 40 have a wrong label; the others a second chance at one half.
    assert two.point == pytest.approx(20 + 20 * 0.5)
    assert two.low == 20
    assert two.high == 40
    assert check_of(told, "people_identified").verdict == "warn"
    assert "accounts: 20 to 40" in check_of(told, "people_identified").text


def test_people_with_a_wrong_label_are_hit_and_those_labelled_in_full_are_settled():
    made_up = [{"account": i, "inclusion": 0.9, "wrong": i < 30} for i in range(50)]
    made_up += [{"account": 50 + i, "labelled": False} for i in range(5)]
    told = found(rows_of(described(made_up))).estimates["affected_accounts"]
    assert told.low >= 30
    assert told.high <= 35


def test_owners_of_missed_items_are_candidates_and_nobody_calls_them_hit():
    made = found(rows_of(drawn(1, over=90, under=80, labels=60, viewers=2)))
    row = made.affected.set_index(["kind", "side"]).loc[("accounts", "under")]
    assert row["candidates"] == 80
    assert row[["point", "low", "high"]].isna().all()
    hit = made.affected.set_index(["kind", "side"]).loc[("accounts", "over")]
    assert hit["point"] == made.estimates["affected_accounts"].point


def test_what_is_missing_is_said():
    no_owner = [{"inclusion": 0.5, "labelled": i % 2 == 0} for i in range(40)]
    made = found(rows_of(described(no_owner), missing={"views": "views_source is not given"}))
    told = {name: one.note for name, one in made.estimates.items()}
    assert told["affected_accounts"] == (
        "not estimable: the affected table does not tell the account of its cases"
    )
    assert told["affected_viewers"].endswith("no case of this side in the affected table")
    rows = rows_of(drawn(1, over=60, under=60, labels=0), missing={"labels": "not given"})
    made = found(replace(rows, missing=rows.missing | {"views": "views_source is not given"}))
    told = {name: one.note for name, one in made.estimates.items()}
    assert told["affected_accounts"] == "not estimable: not given; it lies between 0 and 60"
    assert told["affected_viewers"] == "not estimable: views_source is not given"
    assert made.affected["candidates"].tolist() == [60, 60, 44, 44]
    assert {check.verdict for check in made.checks} == {"not_run", "pass"}


def test_a_band_without_labels_may_be_hit_or_not():
    made_up = [{"account": i, "inclusion": 0.5, "labelled": i % 2 == 0} for i in range(60)]
    heavy = [{"account": 100 + i // 4, "labelled": False} for i in range(80)]
    made = found(rows_of(described(made_up + heavy)))
    told = made.estimates["affected_accounts"]
    assert told.point == pytest.approx(80)  # as wrong as the others: all of them
    assert told.low <= 60
    assert told.high == 80
    assert "No labels for accounts with 3–5 cases" in check_of(made, "people_labels").text


def test_cases_without_an_account_are_said():
    made_up = [{"account": i if i % 4 else -1, "inclusion": 0.5} for i in range(80)]
    made = found(rows_of(described(made_up)))
    assert "25\u00a0% of the cases have no account" in check_of(made, "people_known").text
    assert made.estimates["affected_accounts"].high == 60


def test_bands_and_the_top_one_per_cent():
    people_ = pd.DataFrame(
        [
            ("accounts", "over", dose, n)
            for dose, n in ((1, 150), (2, 30), (3, 6), (5, 4), (6, 3), (10, 2), (11, 1), (50, 4))
        ],
        columns=["kind", "side", "dose", "people"],
    )
    table = dose_table(people_)
    assert table["dose"].tolist() == ["1", "2", "3–5", "6–10", "11 or more"]
    assert table["people"].tolist() == [150, 30, 10, 5, 5]
    assert table["cases"].tolist() == [150, 60, 38, 38, 211]
    top = top_shares(people_).iloc[0]
    assert (top["top_people"], top["share"]) == (2, pytest.approx(100 / 497))
    one = top_shares(people_[people_["dose"] == 5]).iloc[0]
    assert (one["top_people"], one["share"]) == (1, pytest.approx(0.25))


def test_order_and_codes_change_nothing_and_the_seed_hardly_anything():
    rows = rows_of(drawn(4, over=300, under=200, labels=150, dose=3, viewers=2))
    random = np.random.default_rng(0)
    labelled = rows.labelled.iloc[random.permutation(len(rows.labelled))]
    labelled = labelled.assign(account=labelled["account"].max() - labelled["account"])
    turned = replace(rows, labelled=labelled, people=rows.people.iloc[::-1])
    one, two, other = found(rows), found(turned), found(rows, seed=9)
    for name, told in one.estimates.items():
        again = two.estimates[name]
        assert (again.low, again.high) == (told.low, told.high)
        assert again.point == pytest.approx(told.point)
        assert abs(other.estimates[name].low - told.low) <= 0.02 * told.point
    pd.testing.assert_frame_equal(one.doses, two.doses)
    pd.testing.assert_frame_equal(one.top_share, two.top_share)


def test_cases_of_one_account_that_are_alike_are_no_independent_labels():
    """Forty accounts of ten cases, ten of them labelled in full: ten looks, not a hundred."""

    def width(account):
        made_up = [
            {"account": account(i), "inclusion": 0.25, "labelled": i % 40 < 10,
             "wrong": i // 40 % 2 == 0}
            for i in range(400)
        ]  # fmt: skip
        told = found(rows_of(described(made_up))).estimates["affected_accounts"]
        return told.high - told.low, told

    clustered, told = width(lambda i: i // 10)
    assert told.low <= 10
    assert clustered > 20
    alone, _ = width(lambda i: i)
    assert alone / 400 < 0.5 * clustered / 40


def test_people_whose_labels_are_all_wrong_are_as_many_looks_as_people():
    made_up = [{"account": i // 4, "inclusion": 1 / 6, "labelled": i < 40} for i in range(240)]
    told = found(rows_of(described(made_up))).estimates["affected_accounts"]
    # Of 60 people, by Beta's 2.5 % point at ten to twelve looks; at forty it would be 56.
    assert told.high == 60
    assert 40 < told.low < 52


def test_labels_that_are_late_in_one_cell_do_not_shift_the_share():
    suspects = [{"account": i, "inclusion": 0.5, "labelled": i < 10} for i in range(40)]
    others = [
        {"account": 40 + i, "inclusion": 0.5, "labelled": i < 20, "suspect": False, "wrong": False}
        for i in range(40)
    ]
    told = found(rows_of(described(suspects + others))).estimates["affected_accounts"]
    assert told.point == pytest.approx(10 + 50 * 0.5)


def test_clustered_cases_are_covered_and_independence_is_not():
    held, narrow = [], []
    for seed in range(6000, 6020):
        world = drawn(seed, over=400, labels=150, precision=(0.5, 0.05), dose=3, alike=1.0)
        rows = rows_of(world)
        told = found(rows).estimates["affected_accounts"]
        held.append(told.low <= world.hit("accounts") <= told.high)
        wrong = cases(rows, level=0.95, usd_rate=None).estimates["false_positives"]
        narrow.append(study.independent(rows, wrong, world.hit("accounts")))
    assert np.mean(held) > 0.9
    assert np.mean(narrow) < 0.2
