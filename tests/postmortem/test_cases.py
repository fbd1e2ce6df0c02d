"""Wrong cases and their money: worked by hand, exact where all is labelled, covered elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.postmortem.worlds import described, drawn, rows_of
from tests.studies import postmortem_coverage as study
from trustlib.postmortem.amounts import WrongTotal, mover, wrong_total
from trustlib.postmortem.cases import Cases, cases
from trustlib.stats.wilson import wilson

RECORD = Path(study.__file__).with_suffix(".md")
LOSSES = ("gross_loss_usd", "recovered_usd", "net_loss_usd")


def found(rows, **changes) -> Cases:
    return cases(rows, **({"level": 0.95, "usd_rate": None} | changes))


def ends(estimate) -> tuple[float, float, float]:
    return estimate.point, estimate.low, estimate.high


def many(n: int, **case) -> list[dict]:
    return [case for _ in range(n)]


HALF = rows_of(
    described(
        [
            *many(15, inclusion=0.2),
            *many(5, inclusion=0.2, wrong=False),
            *many(80, labelled=False),
        ]
    )
)


def test_a_sample_of_one_cell_is_the_share_times_the_cases():
    told = found(HALF).estimates["false_positives"]
    assert told.point == pytest.approx(75)
    # The interval is worked out below; whole cases reach out by less than one.
    assert (told.low, told.high) == (52, 90)
    assert (told.n, told.unit) == (20, "items")


def test_the_interval_of_one_cell_by_hand():
    wrong = np.repeat([1.0, 0.0], [15, 5])
    told = wrong_total(
        wrong,
        cell=np.zeros(20, dtype=np.int64),
        weight=np.full(20, 5.0),
        fraction=np.full(20, 0.2),
        amount=np.ones((20, 1)),
        totals=np.array([[100.0]]),
        level=0.95,
    )
    # V = .8 · 20/19 · Σ (1 · (y − .75)/20)² = .8 · 3.75/(19 · 20); half a label of each kind gives
    # .8 · p(1 − p)/20 at p = 15.5/21, which is less. t at 10 degrees of freedom is 2.2281.
    n = 0.75 * 0.25 / (0.8 * 3.75 / 380) / (2.2281389 / 1.9599640) ** 2
    assert told.effective_n == pytest.approx(n, rel=1e-6)
    low, high = wilson(0.75, n=n, level=0.95)
    assert (told.low, told.high) == (pytest.approx(100 * low), pytest.approx(100 * high))


def test_cells_are_weighed_by_their_known_numbers_and_labels_by_their_chances():
    rows = rows_of(
        described(
            [
                *many(10, inclusion=0.5),
                *many(10, inclusion=0.25, wrong=False),
                *many(40, labelled=False),
                {"suspect": False, "inclusion": 0.2},
                *many(9, suspect=False, inclusion=0.2, wrong=False),
                *many(40, suspect=False, labelled=False),
            ]
        )
    )
    # Suspects: 60 · (10 · 2)/(10 · 2 + 10 · 4) = 20. Others: 50 · 1/10 = 5.
    assert found(rows).estimates["false_positives"].point == pytest.approx(25)


def test_with_every_case_labelled_nothing_is_unsure():
    world = drawn(3, over=60, under=40, labels=10_000, precision=(0.7, 0.3))
    made = found(rows_of(world))
    for name, side in (("false_positives", "over"), ("false_negatives", "under")):
        assert ends(made.estimates[name]) == (len(world.wrong(side)),) * 3
    assert ends(made.estimates["affected_items"]) == (int(world.cases["wrong"].sum()),) * 3
    wrong = world.cases[world.cases["wrong"]]
    gross, recovered = wrong["gross_cents"].sum() / 100, wrong["recovered_cents"].sum() / 100
    for name, amount in zip(LOSSES, (gross, recovered, gross - recovered), strict=True):
        assert ends(made.estimates[name]) == pytest.approx((amount,) * 3, rel=1e-12)
    true = world.cases[world.cases["wrong"]].groupby(["market", "side"]).size()
    told = made.by_segment.set_index(["value", "side"])
    assert (told["low"] == told["high"]).all()
    assert told["point"].loc[true.index].tolist() == true.tolist()
    assert {check.verdict for check in made.checks if check.name != "case_labels"} == {"pass"}


def test_labels_that_found_no_wrong_case_bound_them():
    rows = rows_of(described([*many(60, wrong=False, inclusion=0.3), *many(140, labelled=False)]))
    told = found(rows)
    estimate = told.estimates["false_positives"]
    assert (estimate.point, estimate.low) == (0, 0)
    # 1 − .05^(1/n) at n = 60/(1 − .3), of 200 cases, to whole ones.
    assert estimate.high == np.ceil(200 * (1 - 0.05 ** (0.7 / 60)))
    check = next(one for one in told.checks if one.name == "cases_without_wrong")
    assert check.verdict == "warn"
    assert "at most 3.4" in check.text


def test_no_end_contradicts_a_label():
    # Forty cases were sure to be labelled, ten stand for six each: the few decide the spread.
    certain, few = [{"inclusion": 1.0}] * 40, [{"inclusion": 1 / 6}] * 10
    rest = many(50, labelled=False)
    wrong = [case | {"wrong": True} for case in certain] + [case | {"wrong": False} for case in few]
    told = found(rows_of(described([*wrong, *rest]))).estimates["false_positives"]
    assert (told.point, told.low) == (pytest.approx(40), 40)
    right = [case | {"wrong": False} for case in certain] + [case | {"wrong": True} for case in few]
    told = found(rows_of(described([*right, *rest]))).estimates["false_positives"]
    assert (told.point, told.high) == (pytest.approx(60), 60)


def test_without_labels_there_is_no_number_but_its_bounds():
    rows = rows_of(drawn(1, over=50, under=5, labels=0), missing={"labels": "not given"})
    made = found(rows)
    told = made.estimates["false_positives"]
    assert (told.point, told.low, told.high) == (None, None, None)
    assert told.note == (
        "not estimable: not given; it lies between 0 and 50, all cases of this side"
    )
    assert made.estimates["false_negatives"].note == "not estimable: not given"  # five are too few
    assert made.estimates["affected_items"].note.startswith("not estimable: not given; it lies")
    assert made.estimates["net_loss_usd"].point is None
    assert not len(made.money)
    assert made.affected["candidates"].tolist() == [50, 5]
    assert made.affected[["point", "low", "high"]].isna().all(axis=None)
    assert made.by_segment["point"].isna().all()
    assert {check.verdict for check in made.checks} == {"not_run", "fail"}


def test_a_side_without_cases_is_said_and_the_total_is_of_the_other():
    made = found(HALF)
    missed = made.estimates["false_negatives"]
    assert missed.note == "not estimable: no case of this side in the affected table"
    both = made.estimates["affected_items"]
    assert ends(both) == ends(made.estimates["false_positives"])
    assert both.note == (
        "of the cases that were actioned alone: no case of the other side in the affected table"
    )
    assert made.affected["side"].tolist() == ["over"]
    assert made.money["side"].tolist() == ["over", "both"] * 3


def test_no_affected_table_gives_its_reason():
    empty = rows_of(drawn(1, over=20, labels=20))
    rows = replace(
        empty,
        **{name: getattr(empty, name).iloc[:0] for name in ("cases", "labelled", "people",
                                                            "by_segment")},
        missing={"affected": "affected_source is not given"},
        has_money=False,
    )  # fmt: skip
    made = found(rows)
    assert {one.note for one in made.estimates.values()} == {
        "not estimable: affected_source is not given"
    }
    assert not len(made.affected)


def test_a_side_without_labels_has_no_number_and_so_has_the_total():
    cases_ = [*many(20, inclusion=0.5), *many(20, labelled=False),
              *many(30, side="under", labelled=False)]  # fmt: skip
    made = found(rows_of(described(cases_)))
    assert made.estimates["false_positives"].point == 40
    for name in ("false_negatives", "affected_items"):
        assert made.estimates[name].point is None
        assert "no case of this side is labelled" in made.estimates[name].note


def test_a_cell_without_labels_is_in_the_upper_end_only():
    labelled = [*many(30, inclusion=0.5), *many(10, inclusion=0.5, wrong=False),
                *many(40, labelled=False)]  # fmt: skip
    before = found(rows_of(described(labelled)))
    others = many(20, suspect=False, labelled=False, gross_cents=500)
    after = found(rows_of(described([*labelled, *others])))
    one, two = (made.estimates["false_positives"] for made in (before, after))
    assert (two.point, two.low, two.high) == (one.point, one.low, one.high + 20)
    assert "as if all of it were wrong" in two.note
    assert after.estimates["gross_loss_usd"].high == 100.0
    check = next(one for one in after.checks if one.name == "cases_unlabelled")
    assert (check.verdict, "20\u00a0% of all" in check.text) == ("fail", True)


# ---- money -----------------------------------------------------------------------------------


def test_money_is_the_wrong_part_of_what_is_known_and_net_is_gross_less_recovered():
    rows = rows_of(
        described(
            [
                *many(6, inclusion=0.5, gross_cents=1000, recovered_cents=400),
                *many(4, inclusion=0.5, gross_cents=4000, wrong=False),
                *many(10, labelled=False, gross_cents=2000, recovered_cents=100),
            ]
        )
    )
    made = found(rows)
    # Recovered: 34.00 in all, all of the labelled is of wrong cases. Not recovered: 420 − 34 in
    # all, of the labelled 6 · 6 of 6 · 6 + 4 · 40.
    recovered, net = 34.0, (420 - 34) * 36 / 196
    assert made.estimates["recovered_usd"].point == pytest.approx(recovered)
    assert made.estimates["net_loss_usd"].point == pytest.approx(net)
    assert made.estimates["gross_loss_usd"].point == pytest.approx(recovered + net)
    widths = {name: made.estimates[name].high - made.estimates[name].low for name in LOSSES}
    assert widths["net_loss_usd"] < widths["gross_loss_usd"] + widths["recovered_usd"]


def test_without_currency_or_amounts_money_is_not_estimable_for_that_reason():
    world = drawn(1, over=40, labels=20)
    for rows, said in (
        (rows_of(world, has_money=False), "has no amounts"),
        (rows_of(world, currency=None), "currency of the amounts is not stated"),
        (rows_of(world, currency="EUR"), "in dollars is not stated"),
    ):
        made = found(rows)
        for name in LOSSES:
            assert made.estimates[name].point is None
            assert made.estimates[name].note.startswith("not estimable: ")
            assert said in made.estimates[name].note
        assert not len(made.money)


def test_money_scales_with_its_rate_and_its_amounts():
    world = drawn(5, over=300, labels=100)
    one = found(rows_of(world)).money
    rate = found(rows_of(world, currency="EUR"), usd_rate=1.25).money
    amounts = ["gross_cents", "recovered_cents"]
    dearer = replace(world, cases=world.cases.assign(**world.cases[amounts] * 7))
    columns = ["point", "low", "high"]
    np.testing.assert_allclose(rate[columns], 1.25 * one[columns])
    np.testing.assert_allclose(found(rows_of(dearer)).money[columns], 7 * one[columns])


# ---- both sides, segments --------------------------------------------------------------------


def test_two_sides_are_put_together_in_quadrature():
    def side(point: float, low: float, high: float) -> WrongTotal:
        return WrongTotal(point=point, low=low, high=high, floor=0, ceiling=99, unseen=2,
                          effective_n=9, n=5)  # fmt: skip

    both = mover(side(10, 7, 14), side(20, 16, 32))
    assert (both.point, both.low) == (30, 25)
    assert both.high == pytest.approx(30 + (4**2 + 12**2) ** 0.5)
    assert (both.unseen, both.n) == (4, 10)


def test_segments_that_are_not_named_count_as_other_and_few_labels_have_no_number():
    world = drawn(2, over=400, labels=120)
    rows = rows_of(world)
    told = rows.by_segment.assign(value=rows.by_segment["value"].replace("alder", "other"))
    part = found(replace(rows, by_segment=told)).by_segment.set_index("value")
    whole = found(rows).by_segment.set_index("value")
    assert part.loc["other", "point"] == whole.loc["alder", "point"]
    assert whole["items"].tolist() == sorted(whole["items"], reverse=True)
    few = rows.labelled.groupby("market").head(4)
    assert found(replace(rows, labelled=few)).by_segment["point"].isna().all()


# ---- invariances -----------------------------------------------------------------------------


def test_order_codes_and_names_of_strata_change_nothing():
    rows = rows_of(drawn(4, over=300, under=200, labels=120, unequal=0.6))
    random = np.random.default_rng(0)
    labelled = rows.labelled.iloc[random.permutation(len(rows.labelled))]
    labelled = labelled.assign(account=labelled["account"].max() - labelled["account"])
    counted = rows.cases.select_dtypes("number").columns
    first = rows.cases.assign(**rows.cases[counted] // 3, stratum="a")
    second = rows.cases.assign(**rows.cases[counted] - first[counted], stratum="b")
    twice = pd.concat([second, first])
    one, two = found(rows), found(replace(rows, labelled=labelled, cases=twice))
    for name, told in one.estimates.items():
        assert ends(two.estimates[name]) == pytest.approx(ends(told), rel=1e-9), name
    pd.testing.assert_frame_equal(one.by_segment, two.by_segment)
    assert one.checks == two.checks


def test_frames_are_left_as_they_were():
    rows = rows_of(drawn(4, over=30, under=20, labels=20))
    before = {name: getattr(rows, name).copy() for name in ("cases", "labelled", "by_segment")}
    found(rows)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(getattr(rows, name), frame)


# ---- checks ----------------------------------------------------------------------------------


def check_of(rows, name: str):
    return next(one for one in found(rows).checks if one.name == name)


def test_checks_say_what_labels_cannot_carry():
    assert check_of(HALF, "case_labels").verdict == "warn"
    assert check_of(HALF, "case_weights").verdict == "pass"
    half_in = replace(HALF, labelled=HALF.labelled.iloc[::3])
    assert check_of(half_in, "case_weights").verdict == "warn"
    assert check_of(HALF, "labels_as_truth").verdict == "pass"
    single = replace(HALF, labelled=HALF.labelled.assign(n_votes=1))
    tied = replace(HALF, labelled=HALF.labelled.assign(ties=[1] * 5 + [0] * 15))
    assert "one rater only" in check_of(single, "labels_as_truth").text
    assert "25\u00a0% the raters are tied" in check_of(tied, "labels_as_truth").text
    world = drawn(1, over=400, labels=200, spread=0.5)
    assert check_of(rows_of(world), "large_amounts").verdict == "pass"
    top = world.cases["labelled"].idxmax()
    world.cases.loc[top, "gross_cents"] = 10_000_000
    assert check_of(rows_of(world), "large_amounts").verdict == "warn"


# ---- coverage --------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", [0.5, 0.9, 0.99])
def test_counts_and_skewed_money_are_covered_with_a_hundred_labels(precision):
    seen = study.totals(runs=300, labels=100, precision=precision, first_seed=7000)
    # At a true .95, 272 of 300 or fewer happens once in 500.
    assert seen["items"] > 272 / 300
    assert seen["money"] >= 0.92
    assert seen["money, weighted total ± 1.96 errors"] < 0.88
    assert seen["items, weights ignored"] < 0.85


def test_unequal_chances_few_labels_and_large_fractions_are_covered():
    for world in (
        {"labels": 50, "precision": 0.99},
        {"labels": 150, "precision": 0.9, "unequal": 0.7},
        {"labels": 150, "precision": 0.9, "cases_in_all": 300},
    ):
        seen = study.totals(runs=200, first_seed=8000, **world)
        assert seen["items"] > 179 / 200
        assert seen["money"] > 179 / 200
    assert seen["items, width"] < 0.13  # wilson at 100 labelled suspects would give .14 and more


def test_the_record_is_that_of_the_study():
    record = RECORD.read_text(encoding="utf-8")
    assert "postmortem_coverage --runs 1000" in record
    rows = [line.strip("| ").split(" | ") for line in record.splitlines() if line.startswith("| ")]
    header = next(row for row in rows if row[0] == "world")
    for name in study.TOTALS:
        row = dict(zip(header, next(row for row in rows if row[0] == name), strict=True))
        assert float(row["items"]) >= 0.93
        assert float(row["money"]) >= 0.92
        assert float(row["money, weighted total ± 1.96 errors"]) < 0.94
    header = next(row for row in rows if row[0] == "estimate")
    assert header[1:] == list(study.RECORDS)
    for row in rows[rows.index(header) + 1 :]:
        if "width" not in row[0] and row[0] != "accounts as if independent":
            assert all(cell == "–" or float(cell) >= 0.92 for cell in row[1:]), row[0]
