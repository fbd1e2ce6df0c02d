"""Every frame of an incident's tables, counted by hand and against plain loops."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.data.incident_tables import QUERY, WINDOW, made, same, save, world
from trustlib.data import AffectedRows, read_affected


def read(tables, folder, kind="csv", **changes) -> AffectedRows:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return read_affected(replace(QUERY, sources=save(tables, folder, kind), **changes))


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> AffectedRows:
    return read(made(), tmp_path_factory.mktemp("made"))


def listed(frame: pd.DataFrame) -> list[tuple]:
    return list(frame.itertuples(index=False, name=None))


def test_cases(rows):
    assert list(rows.cases) == [
        "side", "suspect", "stratum", "items", "resolved", "gross_cents", "recovered_cents",
    ]  # fmt: skip
    assert listed(rows.cases) == [
        ("over", False, "all", 2, 0, 0, 0),
        ("over", True, "all", 3, 1, 3060, 125),
        ("under", True, "all", 2, 0, 1277, 501),
    ]
    assert (rows.has_money, rows.has_resolved, rows.has_dose) == (True, True, True)
    assert rows.missing == {}
    assert rows.observed_until == datetime(2026, 3, 25, 21, tzinfo=UTC)


def test_labelled_cases(rows):
    frame = rows.labelled
    assert frame["labelled_at"].dtype == "datetime64[s, UTC]"
    assert frame["labelled_at"].dt.strftime("%d %H").tolist() == [
        "20 12",
        "20 11",
        "22 10",
        "21 09",
    ]
    plain = frame.drop(columns="labelled_at")
    assert list(plain) == [
        "item", "side", "suspect", "inclusion", "label", "n_votes", "ties", "account",
        "account_dose", "customer", "customer_dose", "viewers", "dose", "gross_cents",
        "recovered_cents", "resolved", "market",
    ]  # fmt: skip
    assert listed(plain) == [
        (0, "over", True, 0.5, 0, 2, True, 0, 2, 0, 2, 0, 2.0, 1010, 125, True, "birch"),
        (1, "over", True, 0.5, 1, 3, False, 0, 2, 0, 2, 0, 1.0, 2000, 0, False, "birch"),
        (2, "under", True, 1.0, 1, 1, False, 1, 1, -1, 0, 2, 3.0, 500, 500, False, "elm"),
        (3, "over", True, 0.5, 0, 1, False, -1, 0, 1, 1, 0, 1.0, 50, 0, False, "birch"),
    ]


def test_people_and_their_overlaps(rows):
    assert listed(rows.people) == [
        ("accounts", "over", 1, 2), ("accounts", "over", 2, 1), ("accounts", "under", 1, 2),
        ("customers", "over", 1, 2), ("customers", "over", 2, 1), ("customers", "under", 1, 1),
        ("viewers", "under", 1, 1), ("viewers", "under", 2, 1),
    ]  # fmt: skip
    assert listed(rows.overlaps) == [
        ("accounts over", "accounts under", 1),
        ("accounts over", "viewers under", 1),
        ("accounts under", "viewers under", 1),
    ]


def test_segments(rows):
    assert listed(rows.by_segment) == [
        ("market", "birch", "over", False, 1, 1, 0),
        ("market", "birch", "over", True, 3, 1, 1),
        ("market", "elm", "over", False, 1, 1, 0),
        ("market", "elm", "under", True, 1, 1, 0),
        ("market", "unknown", "under", True, 1, 1, 0),
    ]


def test_arrivals_by_age_and_delay(rows):
    """Ages run to 25 March 21:00; a step is six hours, and a part of one is not counted."""
    assert listed(rows.arrivals) == [
        ("appeals", True, 33, 33, 1),
        ("chargebacks", False, 145, 4, 1),
        ("chargebacks", True, 33, 4, 2),
    ]


def test_changes_are_masked_and_sorted(rows):
    assert rows.change_log["changed_at"].dtype == "datetime64[s, UTC]"
    assert listed(rows.change_log[["change", "link"]]) == [
        ("model 3 live", "TS-123"),
        ("flag on", ""),
        ("rule 7 live, by [identifier]", "https://x.example/c/17"),
    ]


def test_what_was_counted_on_the_way(rows):
    n = rows.health.set_index("item")["n"]
    assert {name: n[name] for name in n.index[n > 0] if not name.startswith("rows of")} == {
        "cases that were actioned": 5, "cases that were not actioned": 2,
        "cases whose suspect is empty": 1, "cases without a gross amount": 1,
        "labelled items that are no case": 2, "labelled cases that were actioned": 3,
        "labelled cases that were not actioned": 1, "labelled cases whose votes are tied": 1,
        "views of cases that were not actioned": 4,
        "views by a viewer who saw the item before": 1,
        "views before the window, or without a time": 1,
        "views of items that are no such case": 2,
        "arrivals before their event": 1, "arrivals used": 4,
        "links of the change log that may not be shown": 1,
    }  # fmt: skip
    assert n["rows of affected"] == 9
    assert n["rows of affected outside the window"] == 2
    verdicts = {check.name: check.verdict for check in rows.checks}
    assert len(verdicts) == len(rows.checks)
    assert verdicts == {
        "affected_cases": "pass", "affected_readable": "pass", "affected_once": "pass",
        "affected_money": "warn", "affected_segments": "warn", "affected_labels": "pass",
        "affected_labelled_sides": "warn", "affected_label_weights": "not_run",
        "affected_arrivals": "warn",
    }  # fmt: skip
    assert list(rows.snapshots) == ["affected", "labels", "views", "arrivals", "change_log"]
    assert rows.snapshots["affected"].window_end_at == datetime(2026, 3, 18, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def random(tmp_path_factory) -> AffectedRows:
    return read(world(1), tmp_path_factory.mktemp("random"), "parquet")


def test_random_tables_against_loops(random):
    tables, rows = world(1), random
    cases = tables["affected"].to_dict("records")
    side = {c["item_id"]: "over" if c["actioned"] else "under" for c in cases}
    items: Counter = Counter()
    cents: Counter = Counter()
    for c in cases:
        cell = (side[c["item_id"]], bool(c["suspect"]))
        items[cell] += 1
        cents[cell] += round(c["gross"] * 100)
    found = rows.cases.set_index(["side", "suspect"])
    assert found["items"].to_dict() == dict(items)
    assert found["gross_cents"].to_dict() == dict(cents)
    done = Counter(side[c["item_id"]] for c in cases if not pd.isna(c["resolved_at"]))
    assert rows.cases.groupby("side")["resolved"].sum().to_dict() == dict(done)

    start = pd.Timestamp(WINDOW.start).tz_localize(None)
    saw = defaultdict(set)
    for v in tables["views"].to_dict("records"):
        if side[v["item_id"]] == "under" and v["viewed_at"] >= start:
            saw[v["viewer_id"]].add(v["item_id"])
    doses = Counter(("viewers", "under", len(seen)) for seen in saw.values())
    own: Counter = Counter()
    for kind in ("account", "customer"):
        per = Counter((side[c["item_id"]], c[f"{kind}_id"]) for c in cases)
        doses.update((f"{kind}s", s, n) for (s, _), n in per.items())
        own.update({(kind, *key): n for key, n in per.items()})
    assert rows.people.set_index(["kind", "side", "dose"])["people"].to_dict() == dict(doses)
    sets = [
        {c["account_id"] for c in cases if side[c["item_id"]] == "over"},
        {c["account_id"] for c in cases if side[c["item_id"]] == "under"},
        set(saw),
    ]
    assert rows.overlaps["people"].tolist() == [
        len(sets[0] & sets[1]), len(sets[0] & sets[2]), len(sets[1] & sets[2]),
    ]  # fmt: skip

    votes = tables["labels"].groupby("item_id")["label"].agg(["sum", "size"]).sort_index()
    assert (
        rows.labelled["label"].tolist() == (2 * votes["sum"] > votes["size"]).astype(int).tolist()
    )
    assert rows.labelled["ties"].tolist() == (2 * votes["sum"] == votes["size"]).tolist()
    by_item = {c["item_id"]: c for c in cases}
    for item, row in zip(votes.index, rows.labelled.itertuples(), strict=True):
        case = by_item[item]
        assert row.side == side[item]
        assert row.account_dose == own["account", side[item], case["account_id"]]
        assert row.customer_dose == own["customer", side[item], case["customer_id"]]
        assert row.viewers == sum(item in seen for seen in saw.values())
        assert row.dose == case["dose"]

    until = pd.Timestamp(rows.observed_until).tz_localize(None)
    ages: Counter = Counter()
    for a in tables["arrivals"].to_dict("records"):
        inside = start <= a["event_at"] < pd.Timestamp(WINDOW.end).tz_localize(None)
        age, delay = (
            int((t - a["event_at"]).total_seconds() // 21600) for t in (until, a["arrived_at"])
        )
        ages[a["kind"], inside, age, delay] += 1
    keys = ["kind", "in_window", "age", "delay"]
    assert rows.arrivals.set_index(keys)["n"].to_dict() == dict(ages)
    # Labels go on for days after the last arrival: its table was written before.
    assert until == tables["arrivals"]["arrived_at"].max()


@pytest.mark.parametrize("share", [0.01, 0.1, 1.0])
def test_rows_that_are_there_twice_and_their_order_change_no_number(random, tmp_path, share):
    tables = world(1)
    rng = np.random.default_rng(5)
    more = {}
    for role, table in tables.items():
        again = table.sample(max(1, round(share * len(table))), random_state=1)
        whole = pd.concat([table, again])
        more[role] = whole.iloc[rng.permutation(len(whole))]
    rows = read(more, tmp_path, "parquet")
    same(random, rows)
    n = rows.health.set_index("item")["n"]
    for role in ("affected", "labels", "arrivals", "change log"):
        extra = max(1, round(share * len(tables[role.replace(" ", "_")])))
        assert n[f"rows of {role} that are there twice"] == extra, role
    assert {c.name: c.verdict for c in rows.checks}["affected_once"] == "warn"


def test_equal_arrivals_without_a_number_count_and_are_said(tmp_path):
    tables = {"arrivals": made()["arrivals"].drop(columns="arrival_id")}
    rows = read(tables, tmp_path, segments=())
    assert rows.arrivals["n"].sum() == 4
    check = next(c for c in rows.checks if c.name == "affected_once")
    assert check.verdict == "warn"
    assert "1\xa0arrival equals another" in check.text


def test_the_tables_as_they_were_at_an_earlier_instant(tmp_path):
    as_of = datetime(2026, 3, 17, 18, 30, tzinfo=UTC)
    early = read(made(), tmp_path, as_of=as_of)
    assert early.cases["items"].tolist() == [1, 2, 1]  # i3; i1 and i2; i4
    assert early.cases["resolved"].tolist() == [0, 0, 0]
    assert early.observed_until == as_of
    assert early.missing["labels"] == "no label was given yet by as_of"
    assert early.missing["views"] == "none of its views is of a case that was not actioned"
    assert listed(early.arrivals) == [
        ("chargebacks", False, 112, 4, 1),
    ]
    later = read(made(), tmp_path, as_of=datetime(2026, 3, 20, 10, 30, tzinfo=UTC))
    assert later.cases["resolved"].sum() == 1
    assert later.labelled["n_votes"].tolist() == [1, 2, 1]
    assert later.labelled["label"].tolist() == [0, 1, 1]  # i6: the vote that was replaced later
    n = later.health.set_index("item")["n"]
    assert n["rows of labels after as_of"] == 4
    assert n["rows of views after as_of"] == 1
    check = next(c for c in later.checks if c.name == "affected_as_of")
    assert "4 of labels" in check.text


def test_a_case_resolved_on_the_dot_is_resolved(tmp_path):
    tables = {"affected": made()["affected"]}
    at = datetime(2026, 3, 19, tzinfo=UTC)
    assert read(tables, tmp_path, as_of=at).cases["resolved"].sum() == 1
    before = at - timedelta(seconds=1)
    assert read(tables, tmp_path, as_of=before).cases["resolved"].sum() == 0


def test_a_slip_far_in_the_future_is_no_horizon(random, tmp_path):
    tables = world(1)
    slip = tables["arrivals"].iloc[[0]].assign(arrival_id=9999, arrived_at=pd.Timestamp(2062, 1, 1))
    tables["arrivals"] = pd.concat([tables["arrivals"], slip])
    rows = read(tables, tmp_path, "parquet")
    same(random, rows)
    n = rows.health.set_index("item")["n"]
    assert n["times far after all others"] == 1
    assert n["arrivals far after all others"] == 1


def test_a_sql_source_on_duckdb_and_text_ids_give_the_same(random, tmp_path, monkeypatch):
    tables = world(1)
    with duckdb.connect(str(tmp_path / "world.duckdb")) as con:
        for role, table in tables.items():
            con.register("frame", table)
            con.execute(f"CREATE TABLE raw_{role} AS FROM frame")
    sources = {}
    for role in tables:
        text = f"SELECT * FROM raw_{role}"
        if role == "views":
            text = "SELECT item_id::VARCHAR AS item_id, viewer_id, viewed_at FROM raw_views"
        (tmp_path / f"{role}.sql").write_text(text)
        sources[role] = f"{role}.sql"
    monkeypatch.setenv("WORLD", f"duckdb:///{tmp_path}/world.duckdb")
    monkeypatch.chdir(tmp_path)
    same(random, read_affected(replace(QUERY, sources=sources, connection="WORLD")))
