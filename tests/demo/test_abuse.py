"""The scams of the demo world: who posts them, where they grow, and what catches them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import duckdb
import pandas as pd
import pytest

from trustlib import demo
from trustlib.core import Window
from trustlib.demo import world as making
from trustlib.demo.abuse import WORLD, read_abuse_truth

MARKETS = {"alder", "birch", "cedar", "dogwood", "elm", "fir"}


@pytest.fixture(scope="module")
def truth(world: demo.DemoWorld) -> demo.AbuseTruth:
    return demo.abuse_truth(world.path.parent)


def frame(engine: duckdb.DuckDBPyConnection, sql: str) -> pd.DataFrame:
    return engine.execute(sql).df()


def one(engine: duckdb.DuckDBPyConnection, sql: str) -> float:
    row = engine.execute(sql).fetchone()
    assert row is not None
    return float(row[0])


def test_scams_are_rare_everywhere(truth: demo.AbuseTruth) -> None:
    assert 0.002 < truth.total.prevalence < 0.005
    assert 0.002 < truth.total.prevalence_views < 0.005
    assert set(truth.by_market) == MARKETS
    shares = {name: harm.prevalence_views for name, harm in truth.by_market.items()}
    assert all(0.0007 < share < 0.01 for share in shares.values()), shares
    assert max(shares.values()) > 3 * min(shares.values())
    assert len(truth.by_week) == 14


def test_the_groups_add_up_to_the_total(truth: demo.AbuseTruth) -> None:
    for groups in (truth.by_market, truth.by_week, truth.by_segment):
        for count in ("items", "violating_items", "views", "violating_views"):
            assert sum(getattr(harm, count) for harm in groups.values()) == getattr(
                truth.total, count
            )


def test_a_window_without_anything_has_no_prevalence(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    found = read_abuse_truth(engine, window=Window(WORLD.end, WORLD.end + timedelta(days=1)))
    assert (found.total.items, found.total.views, found.unseen, found.by_market) == (0, 0, 0, {})
    assert math.isnan(found.total.prevalence)
    assert math.isnan(found.total.prevalence_views)
    assert math.isnan(found.controls["scam_rule"].recall)
    assert math.isnan(found.controls["scam_rule"].precision)


def test_a_window_by_hand(engine: duckdb.DuckDBPyConnection) -> None:
    window = Window(datetime(2026, 3, 1, 7, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC))
    found = read_abuse_truth(engine, window=window)
    items, views, scams, reports = (
        frame(engine, f"FROM {table}")
        for table in ("items", "views", "truth.scam_items", "reports")
    )
    start, end = pd.Timestamp("2026-03-01 07:00"), pd.Timestamp("2026-03-20")
    made = items[(items["created_at"] >= start) & (items["created_at"] < end)]
    bad = set(scams["item_id"])
    seen = views[(views["viewed_at"] >= start) & (views["viewed_at"] < end)]
    harmful = seen[seen["item_id"].isin(bad)]
    assert found.total == demo.Harm(
        items=len(made),
        violating_items=int(made["item_id"].isin(bad).sum()),
        views=len(seen),
        violating_views=len(harmful),
    )
    assert found.affected_viewers == harmful["viewer_id"].nunique() > 50
    markets = harmful.groupby("market").size()
    assert {name: harm.violating_views for name, harm in found.by_market.items()} == dict(markets)
    assert (
        found.abusive_accounts
        == scams[scams["item_id"].isin(made["item_id"])]["account_id"].nunique()
    )
    control = found.controls["user_reports"]
    reported = set(reports[reports["reason"] == "scam"]["item_id"]) & set(made["item_id"])
    assert (control.hits, control.true_hits) == (len(reported), len(reported & bad))
    assert control.recall == len(reported & bad) / found.total.violating_items
    assert sorted(found.by_week) == ["2026-02-23", "2026-03-02", "2026-03-09", "2026-03-16"]


def test_rings_share_what_others_do_not(
    engine: duckdb.DuckDBPyConnection, truth: demo.AbuseTruth
) -> None:
    assert 6 <= len(truth.rings) <= 10
    assert all(8 <= len(members) <= 60 for members in truth.rings.values())
    accounts = frame(
        engine,
        "SELECT account_id, device_hash, ip_block, payment_hash FROM accounts UNION ALL "
        "SELECT account_id, device_hash, ip_block, payment_hash FROM truth.abusers WHERE vanished",
    )
    ring = accounts["account_id"].map(
        {account: name for name, members in truth.rings.items() for account in members}
    )
    assert ring.notna().sum() == sum(map(len, truth.rings.values()))
    for column, low in (("device_hash", 0.6), ("ip_block", 0.55), ("payment_hash", 0.2)):
        shared = accounts.groupby(column)[column].transform("size") > 1
        members = [shared[ring == name].mean() for name in truth.rings]
        assert sum(members) / len(members) > low, column
        if column != "ip_block":  # many ordinary accounts share a block
            assert shared[ring.isna()].mean() < 0.15, column
    # No device is in two rings.
    devices = accounts[ring.notna()].groupby("device_hash")["account_id"]
    assert (devices.agg(lambda found: ring[found.index].nunique()) == 1).all()


def test_rings_post_together_and_under_new_domains(
    engine: duckdb.DuckDBPyConnection, truth: demo.AbuseTruth
) -> None:
    posts = frame(
        engine,
        "SELECT s.ring, s.account_id, s.created_at, items.url_domain, items.text_hash "
        "FROM truth.scam_items AS s JOIN items USING (item_id) WHERE ring IS NOT NULL "
        "ORDER BY ring, created_at",
    )
    for ring, found in posts.groupby("ring"):
        times = list(found["created_at"])
        near = [
            min(abs(at - other) for other in times[max(i - 1, 0) : i + 2] if other is not at)
            for i, at in enumerate(times)
        ]
        close = sum(gap <= timedelta(minutes=5) for gap in near) / len(near)
        assert close > 0.85, ring
        # Weeks apart: bursts, not a stream.
        assert sum(b - a > timedelta(hours=12) for a, b in pairwise(times)) >= 1
    start = frame(engine, "SELECT ring, started_at FROM truth.rings").set_index("ring")
    used = posts.groupby(["ring", "url_domain"]).size()
    assert 1 <= used.groupby("ring").size().max() <= 3
    everyone = frame(
        engine,
        "SELECT url_domain, min(created_at) AS first, count(*) AS n, "
        "count(*) FILTER (item_id NOT IN (SELECT item_id FROM truth.scam_items)) AS others "
        "FROM items WHERE url_domain IS NOT NULL GROUP BY url_domain",
    ).set_index("url_domain")
    for ring, domain in used.index:
        assert everyone.loc[domain, "first"] >= start.loc[ring, "started_at"]
        assert everyone.loc[domain, "others"] == 0
    # Texts are few and used in one ring alone.
    assert (posts.groupby("text_hash")["ring"].nunique() == 1).all()
    assert posts["text_hash"].nunique() < len(posts) / 4
    # A domain seen late for the first time is nothing special in itself.
    late = everyone["first"] >= pd.Timestamp("2026-03-16")
    assert late.sum() > 5 * late[used.index.get_level_values("url_domain")].sum()


def test_scams_grow_in_one_segment(
    engine: duckdb.DuckDBPyConnection, truth: demo.AbuseTruth
) -> None:
    since = truth.growing_since
    before = read_abuse_truth(engine, window=Window(WORLD.start, since))
    after = read_abuse_truth(engine, window=Window(since, WORLD.end))
    segment = (truth.growing_market, truth.growing_kind)
    assert segment == ("dogwood", "video")
    assert WORLD.end - since == timedelta(weeks=4)
    for share in ("prevalence", "prevalence_views"):
        grown = {
            name: getattr(after.by_segment[name], share) - getattr(harm, share)
            for name, harm in before.by_segment.items()
        }
        assert max(grown, key=lambda name: grown[name]) == segment
        rest = [value for name, value in grown.items() if name != segment]
        assert grown[segment] > 3 * max(rest), share
        assert getattr(after.by_segment[segment], share) > 4 * getattr(
            before.by_segment[segment], share
        )
    weeks = frame(
        engine,
        "SELECT date_trunc('week', created_at) AS week, count(*) AS n FROM truth.scam_items "
        "WHERE growing GROUP BY week ORDER BY week",
    )
    assert weeks["week"].min() >= pd.Timestamp(since.replace(tzinfo=None))
    assert weeks["n"].iloc[-2:].sum() > weeks["n"].iloc[:-2].sum()
    assert truth.growing_rings == (0,)


def test_the_classifier_has_two_versions_and_drifts(
    engine: duckdb.DuckDBPyConnection, truth: demo.AbuseTruth
) -> None:
    every = one(engine, "SELECT count(*) FROM items") - one(engine, "SELECT count(*) FROM scores")
    assert 0 <= every <= 10  # scored after the world's end
    versions = frame(
        engine,
        "SELECT model_version, min(scored_at) AS first, max(scored_at) AS last, min(score) AS low, "
        "max(score) AS high FROM scores GROUP BY model_version ORDER BY model_version",
    )
    assert list(versions["model_version"]) == ["scam-1", "scam-2"]
    changed = frame(engine, "SELECT changed_at FROM instrument_changes WHERE instrument = 'model'")
    assert (
        versions["first"][1]
        >= changed["changed_at"][0]
        > versions["last"][0] - timedelta(minutes=1)
    )
    assert 0 <= versions["low"].min() < 0.2
    assert 0.6 < versions["high"].max() <= 1
    drift = truth.drift_at.replace(tzinfo=None)
    means = frame(
        engine,
        "SELECT CASE WHEN model_version = 'scam-1' THEN 1 "
        f"WHEN scored_at < TIMESTAMP '{drift}' THEN 2 "
        f"WHEN scored_at >= TIMESTAMP '{drift}' + INTERVAL 8 DAY THEN 4 ELSE 3 END AS period, "
        "t.item_id IS NOT NULL AS scam, avg(score) AS mean, avg((score >= .65)::INT) AS high "
        "FROM scores LEFT JOIN truth.scam_items AS t USING (item_id) "
        "WHERE NOT coalesce(growing, false) GROUP BY ALL",
    ).pivot(index="period", columns="scam")
    recall = means["high"][True]
    assert 0.35 < recall[1] < recall[2] - 0.05
    assert recall[4] < recall[2] - 0.15
    harmless = means["mean"][False]
    assert harmless.max() - harmless.min() < 0.002
    assert means["high"][False].max() < 0.003


def test_controls_catch_a_part_and_leave_a_part(truth: demo.AbuseTruth) -> None:
    assert set(truth.controls) == {"scam_rule", "scam_model", "scam_review", "user_reports"}
    low = {"scam_rule": 0.15, "scam_model": 0.3, "scam_review": 0.2, "user_reports": 0.08}
    for name, control in truth.controls.items():
        assert low[name] < control.recall < low[name] + 0.25, name
    precision = {name: control.precision for name, control in truth.controls.items()}
    assert precision["scam_review"] > 0.9
    assert 0.6 < precision["scam_rule"] < 0.95
    assert 0.7 < precision["scam_model"] < 0.95
    assert precision["user_reports"] < 0.3
    assert 0.2 < truth.unseen / truth.total.violating_items < 0.55


def test_controls_overlap_more_than_by_chance(engine: duckdb.DuckDBPyConnection) -> None:
    """What one sees, another tends to see: capture-recapture is a lower bound."""
    both = one(
        engine,
        "SELECT count(*) FILTER (reported AND reviewed) * count(*)::DOUBLE "
        "/ (count(*) FILTER (reported) * count(*) FILTER (reviewed)) FROM (SELECT "
        "item_id IN (SELECT item_id FROM reports WHERE reason = 'scam') AS reported, "
        "item_id IN (SELECT item_id FROM actions WHERE source = 'scam_review') AS reviewed "
        "FROM truth.scam_items)",
    )
    assert both > 1.3


def test_some_disabled_accounts_vanish(
    engine: duckdb.DuckDBPyConnection, truth: demo.AbuseTruth
) -> None:
    assert 0.45 < len(truth.vanished) / len(truth.disabled) < 0.8
    assert set(truth.vanished) < set(truth.disabled)
    left = {row[0] for row in engine.execute("SELECT account_id FROM accounts").fetchall()}
    assert not left & set(truth.vanished)
    assert left > set(truth.disabled) - set(truth.vanished)
    for table in ("items", "actions"):
        missing = engine.execute(
            f"SELECT DISTINCT account_id FROM {table} ANTI JOIN accounts USING (account_id)"
        ).fetchall()
        assert {row[0] for row in missing} == set(truth.vanished), table
    # Who was disabled posts nothing more, and the action says so.
    after = "SELECT count(*) FROM items JOIN truth.abusers AS a USING (account_id) WHERE "
    assert one(engine, after + "items.created_at > a.disabled_at") == 0
    disabling = "SELECT DISTINCT account_id FROM actions WHERE action = 'disable'"
    assert {row[0] for row in engine.execute(disabling).fetchall()} == set(truth.disabled)


def test_users_report_more_in_some_markets(engine: duckdb.DuckDBPyConnection) -> None:
    share = frame(
        engine,
        "SELECT market, avg((item_id IN (SELECT item_id FROM reports))::INT) AS reported "
        "FROM truth.scam_items GROUP BY market",
    ).set_index("market")["reported"]
    assert share["birch"] > 2 * share["alder"]
    assert share["birch"] > 2 * share["elm"]


def test_appellants_are_selected(engine: duckdb.DuckDBPyConnection) -> None:
    found = frame(
        engine,
        "SELECT a.source, a.acted_at, p.*, CASE WHEN a.source LIKE 'scam%' "
        "THEN a.item_id IN (SELECT item_id FROM truth.scam_items) "
        "ELSE a.item_id % 8 = 7 OR a.item_id IN (SELECT item_id FROM truth.violating_items) "
        "END AS deserved FROM actions AS a LEFT JOIN appeals AS p USING (action_id)",
    )
    rate = found.groupby("deserved")["appeal_id"].agg(lambda ids: ids.notna().mean())
    assert rate[False] > 3 * rate[True] > 0.06
    appeals = found.dropna(subset="appeal_id")
    assert len(appeals) == one(engine, "SELECT count(*) FROM appeals")
    assert (appeals["filed_at"] > appeals["acted_at"]).all()
    decided = appeals.dropna(subset="decided_at")
    assert (decided["decided_at"] > decided["filed_at"]).all()
    assert (appeals["outcome"].isna() == appeals["decided_at"].isna()).all()
    assert 0 < appeals["outcome"].isna().mean() < 0.2
    overturned = decided.groupby("deserved")["outcome"].agg(
        lambda made: (made == "overturned").mean()
    )
    assert overturned[False] > 0.75
    assert overturned[True] < 0.12


def test_scams_are_the_same_with_and_without_the_incidents(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    for table, where in (
        ("items", "item_id % 8 = 6"), ("accounts", "account_id % 8 = 6"),
        ("views", "item_id % 8 = 6"), ("reports", "item_id % 8 = 6"),
        ("actions", "item_id % 8 = 6"),
    ):  # fmt: skip
        here = f"SELECT * FROM {table} WHERE {where}"
        there = f"SELECT * FROM calm.{table} WHERE {where}"
        assert one(engine, f"SELECT count(*) FROM (({here}) EXCEPT ({there}))") == 0, table
        assert one(engine, f"SELECT count(*) FROM (({there}) EXCEPT ({here}))") == 0, table


def test_what_changed_is_written_down(
    engine: duckdb.DuckDBPyConnection, truth: demo.AbuseTruth
) -> None:
    changes = frame(engine, "FROM instrument_changes ORDER BY changed_at")
    assert list(changes["instrument"]) == ["model", "labelling", "sampling"]
    assert changes["changed_at"].is_monotonic_increasing
    assert changes["changed_at"][1] == pd.Timestamp(truth.guideline_at.replace(tzinfo=None))
    assert (changes["note"].str.len() > 20).all()


def test_the_large_worlds_products_have_room() -> None:
    """What overflowed on the way to a hundred million views, without making them."""
    with duckdb.connect() as engine:
        engine.execute("ATTACH ':memory:' AS truth")
        events = making.SIZES["large"]
        settings = {**events, "hours": making.HOURS, "label_items": 10_000, "label_views": 10_000,
                    "abuse_scale": 80, "ring_scale": 10, "burst_scale": 8}  # fmt: skip
        for name, value in settings.items():
            making._set(engine, name, value)
        making._mixer(engine, 0)
        engine.execute(making._sql("10_calendar"))
        engine.execute(making._sql("30_accounts").split("CREATE TABLE accounts")[0])
        macros = "CREATE TEMP MACRO violates"
        engine.execute(macros + making._sql("40_items").split(macros)[1])
        for name in ("81_abusers", "82_abuse_items"):
            engine.execute(making._sql(name))
        engine.execute(making._sql("88_labels").split("CREATE TEMP TABLE strata")[0])
        scams = one(engine, "SELECT count(*) FROM abuse_items WHERE bad")
        assert 0.002 * events["items"] < scams < 0.005 * events["items"]
        assert 60 <= one(engine, "SELECT count(*) FROM rings") <= 100
        assert one(engine, "SELECT max(item_id) * 16 + 12 FROM abuse_items") < 2**32
        assert one(engine, "SELECT item_ppm(2, false, 3500000)") == 1000
        assert one(engine, "SELECT view_ppm(5)") == 5555
