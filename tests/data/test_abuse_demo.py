"""The tables of the demo world against what is true of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pytest

from trustlib import demo
from trustlib.core import Window
from trustlib.data import AbuseQuery, AbuseRows, read_abuse

ITEMS = """
SELECT items.item_id, items.account_id, items.created_at, items.kind, items.url_domain,
    items.text_hash,
    CASE WHEN scores.score < 0.25 THEN 'score-00-25' WHEN scores.score < 0.35 THEN 'score-25-35'
        WHEN scores.score < 0.45 THEN 'score-35-45' WHEN scores.score < 0.65 THEN 'score-45-65'
        ELSE 'score-65-100' END AS stratum
FROM items LEFT JOIN scores USING (item_id)
"""
LINKS = """
SELECT account_id, 'device' AS kind, device_hash AS token FROM accounts
UNION ALL SELECT account_id, 'ip', ip_block FROM accounts
UNION ALL SELECT account_id, 'payment', payment_hash FROM accounts WHERE payment_hash IS NOT NULL
"""
TABLES = {
    "accounts": "accounts", "views": "views", "scores": "scores", "labels": "labels",
    "view_labels": "view_labels", "gold": "gold_labels", "actions": "actions",
    "appeals": "appeals", "reports": "reports", "ledger": "instrument_changes",
}  # fmt: skip
CONTROLS = ("scam_rule", "scam_model", "scam_review")
WINDOW = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))
QUERY = AbuseQuery(
    sources={"items": "items.sql", "links": "links.sql", **TABLES},  # type: ignore[dict-item]
    window=WINDOW,
    history_start=datetime(2026, 2, 2, tzinfo=UTC),
    compare_from=datetime(2026, 3, 16, tzinfo=UTC),
    policy="scam",
    segments=("market", "kind"),
    control_sources=CONTROLS,
    confirming_sources=("scam_review",),
    report_reasons=("scam",),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> demo.DemoWorld:
    return demo.build(folder=tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def truth(world: demo.DemoWorld) -> demo.AbuseTruth:
    return demo.abuse_truth(world.path.parent, window=WINDOW)


@pytest.fixture(scope="module")
def rows(world: demo.DemoWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AbuseRows]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "items.sql").write_text(ITEMS)
    (folder / "links.sql").write_text(LINKS)
    patch = pytest.MonkeyPatch()
    patch.setenv("WORLD", f"duckdb:///{world.path}")
    patch.chdir(folder)
    yield read_abuse(replace(QUERY, connection="WORLD"))
    patch.undo()


def test_the_totals_are_those_of_the_world(rows: AbuseRows, truth: demo.AbuseTruth) -> None:
    assert rows.strata_counted
    assert rows.population["items"].sum() == truth.total.items
    assert rows.population["views"].sum() == truth.total.views
    assert rows.items_before + rows.items_now == truth.total.items
    by_week = rows.weeks.groupby("week")[["items", "views"]].sum()
    for monday, harm in truth.by_week.items():
        week = by_week.loc[pd.Timestamp(monday, tz="UTC")]
        assert (week["items"], week["views"]) == (harm.items, harm.views)


def test_segments_add_up_and_are_those_of_the_world(
    rows: AbuseRows, truth: demo.AbuseTruth
) -> None:
    sums = rows.by_segment.groupby(["segment", "value"])["items"].sum()
    for kind in ("post", "photo", "video", "comment"):
        items = sum(harm.items for (_, k), harm in truth.by_segment.items() if k == kind)
        assert sums["kind", kind] == items
    for segment in ("market", "kind"):
        assert sums[segment].sum() == truth.total.items
    # Only accounts know a market, and some are gone: the rest has no more than the truth.
    for market, harm in truth.by_market.items():
        assert 0.98 * harm.items < sums["market", market] <= harm.items
    assert rows.cells[["before", "now"]].to_numpy().sum() == truth.total.items


def test_hits_of_controls_are_those_of_the_world(rows: AbuseRows, truth: demo.AbuseTruth) -> None:
    hits = rows.controls.set_index("source")["items"]
    assert list(hits.index) == [*CONTROLS, "reported"]
    for name in CONTROLS:
        assert hits[name] == truth.controls[name].hits
    assert hits["reported"] == truth.controls["user_reports"].hits


def test_the_floor_lies_below_the_truth(rows: AbuseRows, truth: demo.AbuseTruth) -> None:
    found = rows.confirmed
    assert found is not None
    assert found.views is not None
    assert 20 < found.items < truth.total.violating_items
    assert found.views < truth.total.violating_views
    assert found.accounts < truth.abusive_accounts
    amounts = rows.actor_harm["amount"] * rows.actor_harm["actors"]
    assert amounts.sum() == found.items


def test_vanished_accounts_are_missing_and_mostly_enforced(
    rows: AbuseRows, truth: demo.AbuseTruth, world: demo.DemoWorld
) -> None:
    whole = rows.accounts_join.iloc[0]
    with duckdb.connect(str(world.path), read_only=True) as con:
        (gone,) = con.execute(
            "SELECT count(DISTINCT account_id) FROM items WHERE created_at >= '2026-03-02' "
            "AND created_at < '2026-03-30' AND list_contains($1, account_id)",
            [list(truth.vanished)],
        ).fetchall()[0]
    assert (whole["segment"], whole["value"]) == ("all", "all")
    assert whole["missing"] == gone > 0
    assert whole["enforced_missing"] > 0.1 * whole["enforced"]
    assert set(rows.accounts_join["segment"]) == {"all", "kind"}


def test_the_checks_find_nothing_amiss(rows: AbuseRows) -> None:
    assert rows.missing == {}
    assert {check.verdict for check in rows.checks} == {"pass"}
    assert [check.name for check in rows.checks] == [
        "window_covered", "rows_readable", "rows_once", "keys_match", "labels_read",
        "labels_arrived", "strata_counted", "segments_known", "gold_read", "appeals_read",
    ]  # fmt: skip


def test_every_frame_has_its_types(rows: AbuseRows) -> None:
    assert {str(rows.sample[name].dtype) for name in ("stratum", "policy", "market", "kind")} == {
        "str"
    }
    for at in (rows.sample["created_at"], rows.view_sample["seen_at"], rows.weeks["week"]):
        assert str(at.dtype) == "datetime64[s, UTC]"
    assert rows.ledger is not None
    assert list(rows.ledger["instrument"]) == ["model", "labelling", "sampling"]
    assert rows.token_weeks["window"].max() == 5
    for frame in rows.durations.values():
        assert list(frame) == ["duration", "observed", "weight", "entry"]
        assert (frame["duration"] >= 0).all()
        assert len(frame) > 20
