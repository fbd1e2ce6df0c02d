"""What of the record may be shown: no known count below 11, alone or beside an earlier revision."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.figures.postmortem_results import estimate, frame, made
from trustlib.core import Check
from trustlib.data.incident_records import RestrictedList
from trustlib.postmortem.published import is_withheld, merged_segments, published
from trustlib.postmortem.series import series

NONE = float("nan")


def earlier(**rows: list[dict[str, object]]) -> SimpleNamespace:
    return SimpleNamespace(estimates={}, series=rows)


@pytest.mark.parametrize(("known", "shown"), [(10, False), (11, True), (1, False), (0, True)])
def test_a_known_count_below_eleven_has_no_number(known: int, shown: bool) -> None:
    record = made(estimates=made().estimates | {"affected_accounts": estimate(known, known, known)})
    found = published(record).estimates["affected_accounts"]
    assert (found.point == known) is shown
    assert is_withheld(found) is not shown
    if not shown:
        assert found.n == 0
        assert found.low is None


def test_what_is_surely_few_is_withheld_and_a_known_lower_end_is_not_given_away() -> None:
    more = {"affected_customers": estimate(5.5, 2.0, 10.4), "affected_items": estimate(40, 7, 90)}
    found = published(made(estimates=made().estimates | more)).estimates
    assert is_withheld(found["affected_customers"])
    assert (found["affected_items"].low, found["affected_items"].point) == (0, 40)
    rows = frame("affected", [("accounts", "over", 7, 3.0, 2.0, 6.0),
                              ("customers", "over", 60, 30.0, 4.0, 55.0)])  # fmt: skip
    hit = published(made(affected=rows)).affected
    assert hit.iloc[0][["candidates", "point", "low", "high"]].isna().all()
    assert hit.iloc[1][["candidates", "point", "low", "high"]].tolist() == [60, 30, 0, 55]


def test_shares_and_money_stand() -> None:
    record = made()
    for name in ("net_loss_usd", "clean_up_precision", "excess"):
        assert published(record).estimates[name] == record.estimates[name]


def test_small_segments_are_merged_and_the_sum_stands() -> None:
    rows = frame(
        "by_segment",
        [("market", "birch", "over", 100, 50.0, 40.0, 60.0),
         ("market", "elm", "over", 30, 20.0, 12.0, 25.0),
         ("market", "fir", "over", 4, 2.0, 1.0, 3.0)],
    )  # fmt: skip
    found = merged_segments(rows)
    assert set(found["value"]) == {"birch", "the rest"}
    assert found["items"].sum() == 134


def test_known_parts_below_eleven_take_their_kind_of_segment_with_them() -> None:
    rows = frame(
        "by_segment",
        [("market", "birch", "over", 100, 50.0, 50.0, 50.0),
         ("market", "elm", "over", 40, 3.0, 3.0, 3.0),  # taken off the total it would be known
         ("kind", "post", "over", 70, 30.0, 25.0, 40.0),
         ("kind", "video", "over", 70, 23.0, 15.0, 30.0)],
    )  # fmt: skip
    found = merged_segments(rows).set_index(["segment", "value"])
    assert found.loc["market", ["point", "low", "high"]].isna().all(axis=None)
    assert found.loc["kind", ["point", "low", "high"]].notna().all(axis=None)
    assert found["items"].sum() == 280


def test_what_an_earlier_revision_merged_stays_merged() -> None:
    rows = frame(
        "by_segment",
        [("market", name, "over", n, n / 2, 0.0, float(n))
         for name, n in (("birch", 100), ("cedar", 40), ("elm", 30), ("fir", 20))],
    )  # fmt: skip
    before = [{"segment": "market", "value": v, "side": "over"} for v in ("birch", "the rest")]
    alone = merged_segments(rows)
    after = merged_segments(rows, earlier=earlier(by_segment=before))
    assert set(alone["value"]) == {"birch", "cedar", "elm", "fir"}
    assert set(after["value"]) == {"birch", "the rest"}


def test_a_side_with_few_cases_takes_sums_and_money_with_it() -> None:
    few = {"false_negatives": estimate(5, 5, 5), "affected_items": estimate(120, 120, 120)}
    amounts = frame("money", [(item, side, 10.0, 10.0, 10.0) for item in ("gross", "net")
                              for side in ("over", "under", "both")])  # fmt: skip
    check = Check(name="case_labels", verdict="pass", label="enough", text="125 cases labelled.")
    record = made(estimates=made().estimates | few, money=amounts, checks=(check,))
    found = published(record)
    for name in ("false_negatives", "affected_items", "gross_loss_usd", "net_loss_usd"):
        assert is_withheld(found.estimates[name]), name
    assert found.estimates["false_positives"].point is not None
    shown = found.money.set_index(["item", "side"])["point"]
    assert shown[[("gross", "over"), ("net", "over")]].tolist() == [10, 10]
    assert shown.drop([("gross", "over"), ("net", "over")]).isna().all()
    assert "125" not in found.checks[0].text


def test_a_rule_about_a_few_says_whether_it_is_met_and_not_at_what() -> None:
    rules = frame("severity", [("SEV1", "false_negatives", 4.0, 5.0, "point", True),
                               ("SEV2", "excess", 4.0, 250.0, "point", True)])  # fmt: skip
    few = {"false_negatives": estimate(5, 5, 5)}
    record = made(estimates=made().estimates | few, severity=rules)
    (first, second) = series(published(record))["severity"]
    assert (first["value"], first["met"]) == (None, True)
    assert second["value"] == 250


def test_what_a_number_rests_on_is_no_small_count() -> None:
    more = {name: replace(estimate(300, 200, 400), n=8)
            for name in ("final_appeals", "clean_up_precision", "net_loss_usd")}  # fmt: skip
    found = published(made(estimates=made().estimates | more)).estimates
    assert {found[name].n for name in more} == {0}


def test_doses_are_joined_until_none_is_small() -> None:
    rows = frame(
        "doses",
        [("accounts", "over", "1", 300, 300), ("accounts", "over", "2", 40, 80),
         ("accounts", "over", "3–5", 9, 33), ("accounts", "over", "6–10", 3, 21),
         ("accounts", "over", "11 or more", 1, 19), ("customers", "over", "1", 8, 8)],
    )  # fmt: skip
    found = published(made(doses=rows)).doses
    assert found[["dose", "people", "cases"]].to_numpy().tolist() == [
        ["1", 300, 300], ["2", 40, 80], ["3 or more", 13, 73]
    ]  # fmt: skip


def test_the_first_dose_takes_the_second_where_it_is_small_itself() -> None:
    rows = frame("doses", [("accounts", "over", "1", 5, 5), ("accounts", "over", "2", 40, 80)])
    assert published(made(doses=rows)).doses["dose"].tolist() == ["1–2"]


def test_few_arrivals_are_not_told() -> None:
    at = pd.Timestamp("2026-04-06", tz="UTC")
    rows = frame("maturity", [("appeals", 6, 1.5, 9.0, 6.0, 14.0, 0.67, at),
                              ("labels", 200, 1.1, 220.0, 205.0, 240.0, 0.91, at)])  # fmt: skip
    found = published(made(maturity=rows)).maturity
    assert found.loc[0, ["seen", "factor", "complete"]].isna().all()
    assert found.loc[0, ["low", "final", "high"]].tolist() == [0, 9, 14]
    assert found.loc[1, "seen"] == 200


def test_nothing_small_stands_in_the_series_or_the_checks() -> None:
    one = RestrictedList(name="clean-up", path="lists/clean-up.csv", rows=7, sha256="ab" * 32,
                         labelled_wrong=3, unlabelled=4, before=9, left=2, left_resolved=1,
                         left_judged=1)  # fmt: skip
    check = Check(name="few", verdict="warn", label="few labels", text="Of it 7 cases have none.")
    record = published(made(lists=(one,), checks=(check,)))
    assert record.checks[0].text == "Of it fewer than 11 cases have none."
    (row,) = series(record)["lists"]
    assert row == {"name": "clean-up", "sha256": one.sha256, "before": None, "rows": None,
                   "labelled_wrong": None, "unlabelled": None, "left": None,
                   "left_resolved": None, "left_judged": None}  # fmt: skip
    assert "lists/" not in json.dumps(series(record), default=str)


@pytest.mark.parametrize(
    ("numbers", "hidden"),
    [({"rows": 120, "labelled_wrong": 9, "unlabelled": 111}, {"labelled_wrong", "unlabelled"}),
     ({"rows": 112, "before": 115, "left": 3, "left_resolved": 3},
      {"before", "left", "left_resolved", "left_judged"}),
     ({"rows": 90, "before": 115, "left": 25, "left_resolved": 21, "left_judged": 4},
      {"left_resolved", "left_judged"})],
)  # fmt: skip
def test_parts_of_a_list_are_told_all_or_none(numbers, hidden) -> None:
    plain = {"rows": 200, "labelled_wrong": 100, "unlabelled": 100, "before": None, "left": 0,
             "left_resolved": 0, "left_judged": 0} | numbers  # fmt: skip
    one = RestrictedList(name="clean-up", path="lists/clean-up.csv", sha256="ab" * 32, **plain)
    (row,) = series(made(lists=(one,)))["lists"]
    assert {name for name in plain if row[name] is None and plain[name] is not None} == hidden


def test_the_record_is_not_changed() -> None:
    record = made()
    copies = {name: getattr(record, name).copy() for name in ("affected", "doses", "by_segment")}
    published(record)
    for name, copy in copies.items():
        pd.testing.assert_frame_equal(getattr(record, name), copy)


def test_series_are_plain_rows_for_every_block() -> None:
    found = series(made())
    assert {"timeline", "detection_gap", "severity", "actions", "revision_base", "blocks"} <= set(
        found
    )
    assert len(found["blocks"]) == 14
    for rows in found.values():
        for row in rows:
            assert all(isinstance(name, str) for name in row)
            assert not any(isinstance(v, float) and np.isnan(v) for v in row.values())
