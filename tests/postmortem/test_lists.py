"""Precision and recall of the lists, with and without a list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.postmortem.worlds import described, drawn, rows_of
from tests.studies import postmortem_coverage as study
from trustlib.data.incident_records import RestrictedList
from trustlib.postmortem.lists import list_quality


def found(rows, lists=()):
    return list_quality(rows, lists, level=0.95)


def written(rows: int, name="clean-up") -> RestrictedList:
    return RestrictedList(name=name, path="lists/x.csv", rows=rows, sha256="0" * 64,
                          labelled_wrong=0, unlabelled=0)  # fmt: skip


def many(n: int, **case) -> list[dict]:
    return [case for _ in range(n)]


CASES = [
    *many(16, inclusion=0.4),
    *many(4, inclusion=0.4, wrong=False),
    *many(30, labelled=False),
    *many(10, inclusion=0.4, resolved=True),
    *many(2, suspect=False, inclusion=0.4),
    *many(18, suspect=False, inclusion=0.4, wrong=False),
    *many(30, suspect=False, labelled=False),
]


def test_precision_and_recall_by_hand():
    estimates, checks = found(rows_of(described(CASES)))
    # Open suspects: 50, of them 16/20 wrong: 40. On the list are all but the four judged right.
    assert estimates["clean_up_precision"].point == pytest.approx(40 / 46)
    # Others: 50, of them 2/20 wrong: 5.
    assert estimates["clean_up_recall"].point == pytest.approx(40 / 45)
    for told in estimates.values():
        if told.point is not None:
            assert 0 < told.low < told.point < told.high <= 1
            assert "no list was written" in told.note
    assert estimates["back_fill_recall"].note.startswith(
        "not estimable: no case of this side in the affected table"
    )
    assert [check.verdict for check in checks] == ["not_run", "pass"]


def test_a_list_is_compared_with_the_tables():
    rows = rows_of(described(CASES))
    estimates, checks = found(rows, (written(46),))
    assert checks[0].verdict == "pass"
    assert estimates["clean_up_precision"].note is None
    assert "no list was written" in estimates["back_fill_precision"].note
    _, checks = found(rows, (written(45),))
    assert checks[0].verdict == "fail"
    assert "45 rows, 46 by the tables" in checks[0].text


@pytest.mark.parametrize(("side", "name"), [("over", "clean_up"), ("under", "back_fill")])
def test_with_every_case_labelled_lists_are_known(side, name):
    sizes = {"over": 90, "under": 0} if side == "over" else {"over": 0, "under": 90}
    world = drawn(3, **sizes, labels=10_000, precision=(0.8, 0.2), resolved=0.3)
    estimates, _ = found(rows_of(world))
    still = world.wrong(side)[~world.wrong(side)["resolved"]]
    assert {estimates[f"{name}_precision"].low, estimates[f"{name}_precision"].high} == {1.0}
    recall = estimates[f"{name}_recall"]
    assert (recall.low, recall.high) == (recall.point,) * 2
    assert recall.point == pytest.approx(still["suspect"].mean())


def test_what_cannot_be_told_is_said():
    rows = rows_of(described([case for case in CASES if case.get("suspect", True)]))
    estimates, checks = found(rows)
    assert (estimates["clean_up_recall"].low, estimates["clean_up_recall"].high) == (1, 1)
    assert "every case of the table is a suspect" in estimates["clean_up_recall"].note
    assert checks[1].label == "recall within the table only"

    blind = [case | {"labelled": case.get("suspect", True) and case.get("labelled", True)}
             for case in CASES]  # fmt: skip
    estimates, checks = found(rows_of(described(blind)))
    assert estimates["clean_up_precision"].point == pytest.approx(40 / 46)
    assert "leaves out" in estimates["clean_up_recall"].note
    assert checks[1].verdict == "warn"

    done = rows_of(described([case | {"resolved": True} for case in CASES]))
    assert "no case would stand on it" in found(done)[0]["clean_up_precision"].note
    right = rows_of(described([case | {"wrong": False} for case in CASES]))
    assert "no wrong case was seen" in found(right)[0]["clean_up_recall"].note
    assert found(right)[0]["clean_up_precision"].point == 0

    unknown = rows_of(described(CASES), has_resolved=False)
    assert "nothing tells which cases are put right" in found(unknown)[0]["clean_up_recall"].note
    none = rows_of(drawn(1, over=40, labels=0), missing={"labels": "not given"})
    estimates, checks = found(none)
    assert estimates["clean_up_precision"].note.startswith("not estimable: not given")
    assert [check.verdict for check in checks] == ["not_run", "not_run"]


def test_order_and_codes_change_nothing():
    rows = rows_of(drawn(4, over=300, under=200, labels=150, unequal=0.5, resolved=0.2))
    order = np.random.default_rng(0).permutation(len(rows.labelled))
    turned = replace(rows, labelled=rows.labelled.iloc[order], cases=rows.cases.iloc[::-1])
    for name, told in found(rows)[0].items():
        again = found(turned)[0][name]
        assert (again.low, again.high) == pytest.approx((told.low, told.high), rel=1e-9)


def test_lists_are_covered_and_precision_among_labels_is_not_that_of_the_list():
    """The list has lost the rows that labels found in order: it is better than its labels."""
    held, plain = [], []
    for seed in range(25):
        world = drawn(seed, over=400, labels=200, precision=(0.6, 0.1), resolved=0.2)
        true = study.truth(world)
        estimates, _ = found(rows_of(world))
        for name in ("clean_up_precision", "clean_up_recall"):
            held.append(estimates[name].low <= true[name] <= estimates[name].high)
        open_ = world.cases[world.cases["suspect"] & ~world.cases["resolved"]]
        share = open_.loc[open_["labelled"], "wrong"].mean()
        plain.append(estimates["clean_up_precision"].low <= share)
    assert np.mean(held) > 0.9  # at a true .95, 45 of 50 or fewer happens once in 10
    assert np.mean(plain) < 0.5
