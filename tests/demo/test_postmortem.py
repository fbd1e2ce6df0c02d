"""Both incidents of the demo world case by case: as planted, and nothing else is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from trustlib import demo
from trustlib.core import Refusal
from trustlib.demo import world as making
from trustlib.demo.incident_truth import read_incident_truth

NEW = ("action_log", "customers", "incident_cases", "incident_audit", "chargebacks", "change_log")
# Of all tables that were there before these, by seed: not a row of them may change.
EARLIER = {
    0: "cc0d3fed29e2c7420b623584e8d9a721b21c8be9d97afd3d200bad4b8562c3c8",
    1: "552881e8bc04ef510d2fe1701363be46c51361c01845db7950ec2c16190b5acc",
}
WORLD_END = datetime(2026, 4, 13)
OVER = (datetime(2026, 3, 17, 14), datetime(2026, 3, 18, 16))
UNDER = (datetime(2026, 4, 4, 18), datetime(2026, 4, 6))
BAD = "(SELECT item_id FROM truth.violating_items UNION ALL SELECT item_id FROM truth.wave_items) "


@pytest.fixture(scope="module")
def other() -> Iterator[duckdb.DuckDBPyConnection]:
    """The world of another seed."""
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS truth")
        making.generate(connection, seed=1)
        yield connection


@pytest.fixture(params=[0, 1])
def any_seed(request: pytest.FixtureRequest) -> duckdb.DuckDBPyConnection:
    connection: duckdb.DuckDBPyConnection = request.getfixturevalue(
        "engine" if request.param == 0 else "other"
    )
    return connection


def one(engine: duckdb.DuckDBPyConnection, sql: str) -> float:
    row = engine.execute(sql).fetchone()
    assert row is not None
    return float(row[0])


def frame(engine: duckdb.DuckDBPyConnection, sql: str) -> pd.DataFrame:
    return engine.execute(sql).df()


def cases(engine: duckdb.DuckDBPyConnection, incident: str) -> pd.DataFrame:
    """The cases of `incident` with what is true of them, their links and their authors."""
    return frame(
        engine,
        "SELECT c.*, t.side, t.violating, t.wrong, t.planted, "
        "items.url_domain IS NOT NULL AS linked, accounts.segment, accounts.market AS home, "
        "items.account_id AS author, items.item_id % 8 AS m "
        "FROM incident_cases AS c JOIN truth.incident_cases AS t USING (incident_id, item_id) "
        "JOIN items USING (item_id) JOIN accounts ON accounts.account_id = items.account_id "
        f"WHERE incident_id = '{incident}-blocking'",
    )


def ids(engine: duckdb.DuckDBPyConnection, sql: str) -> set[int]:
    return {row[0] for row in engine.execute(sql).fetchall()}


@pytest.mark.parametrize("seed", EARLIER)
def test_no_row_of_an_earlier_table_changed(
    engine: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, seed: int
) -> None:
    earlier = [table for table in making.TABLES if table not in NEW]
    assert len(earlier) == len(making.TABLES) - len(NEW) == 15
    assert making.content(other if seed else engine, earlier) == EARLIER[seed]


def test_the_log_holds_every_rule_action_and_some_twice(
    any_seed: duckdb.DuckDBPyConnection,
) -> None:
    log = frame(any_seed, "FROM action_log")
    once = log.drop_duplicates()
    assert once["event_id"].is_unique
    assert (once["event_id"] == once["action_id"]).all()
    acted = frame(
        any_seed,
        "SELECT action_id AS event_id, action_id, item_id, a.account_id, market, acted_at "
        "FROM actions AS a JOIN accounts USING (account_id) WHERE source = 'rule'",
    )
    pd.testing.assert_frame_equal(
        once.sort_values("event_id", ignore_index=True),
        acted.sort_values("event_id", ignore_index=True),
    )
    copies = log.groupby("event_id").size()
    assert set(copies) == {1, 2, 3}
    inside = once.set_index("event_id")["acted_at"].between(*OVER, inclusive="left")
    again = copies > 1
    assert 0.01 < again[inside].mean() < 0.06
    assert 0.001 < again[~inside].mean() < 0.004


def test_sellers_have_one_to_five_accounts(any_seed: duckdb.DuckDBPyConnection) -> None:
    sellers = "SELECT account_id FROM accounts WHERE segment IN ('business', 'creator')"
    assert ids(any_seed, "SELECT account_id FROM customers") == ids(any_seed, sellers)
    owned = frame(any_seed, "SELECT customer_id, count(*) AS n FROM customers GROUP BY ALL")["n"]
    assert set(owned) == {1, 2, 3, 4, 5}
    assert 0.4 < (owned == 1).mean() < 0.6


def test_over_blocking_cases_are_the_rule_actions_of_the_window(
    any_seed: duckdb.DuckDBPyConnection,
) -> None:
    found = cases(any_seed, "over")
    acted = frame(
        any_seed,
        "SELECT item_id, acted_at FROM actions WHERE source = 'rule' "
        f"AND acted_at >= '{OVER[0]}' AND acted_at < '{OVER[1]}'",
    )
    assert dict(zip(found["item_id"], found["case_at"], strict=True)) == dict(
        zip(acted["item_id"], acted["acted_at"], strict=True)
    )
    assert found["actioned"].all()
    assert found["market"].nunique() == 6
    assert (found["suspect"] == found["linked"] & found["market"].isin(["birch", "elm"])).all()
    bad = ids(any_seed, f"SELECT item_id FROM {BAD}")
    assert (found["wrong"] == ~found["item_id"].isin(bad)).all()
    planted = set(found[found["planted"]]["item_id"])
    assert planted == ids(any_seed, "SELECT item_id FROM truth.wrongly_actioned")
    # Ordinary mistakes are wrong as well, and ordinary hits are among the suspects.
    assert 1 <= (found["wrong"] & ~found["planted"]).sum() < 0.1 * len(planted)
    assert 0.02 < 1 - found[found["suspect"]]["wrong"].mean() < 0.35


def test_under_blocking_cases_are_what_no_rule_took(any_seed: duckdb.DuckDBPyConnection) -> None:
    found = cases(any_seed, "under")
    assert not found["actioned"].any()
    assert set(found["market"]) == {"alder", "cedar"}
    acted = ids(any_seed, "SELECT item_id FROM actions WHERE source = 'rule'")
    assert not found["item_id"].isin(acted).any()
    planted = set(found[found["planted"]]["item_id"])
    assert planted == ids(
        any_seed,
        "SELECT item_id FROM truth.not_actioned UNION ALL SELECT item_id FROM truth.wave_items",
    )
    bad = ids(any_seed, f"SELECT item_id FROM {BAD}")
    assert (found["wrong"] == found["item_id"].isin(bad)).all()
    # The replay sees nearly all, and some that do no harm; the rest brings up what it does not.
    assert 0.9 < found[found["planted"]]["suspect"].mean() < 0.99
    assert not (found["suspect"] & found["wrong"] & ~found["planted"]).any()
    assert 0.05 < 1 - found[found["suspect"]]["wrong"].mean() < 0.25
    assert (~found["suspect"] & ~found["planted"]).sum() == 300


def test_cases_lie_in_the_window_and_know_their_author(
    any_seed: duckdb.DuckDBPyConnection,
) -> None:
    owner = frame(any_seed, "FROM customers").set_index("account_id")["customer_id"]
    for incident, (start, end) in (("over", OVER), ("under", UNDER)):
        found = cases(any_seed, incident)
        assert found["case_at"].between(start, end, inclusive="left").all()
        assert (found["account_id"] == found["author"]).all()
        assert (found["market"] == found["home"]).all()
        known = found["customer_id"].notna()
        assert (known == found["segment"].isin(["business", "creator"])).all()
        assert 0.05 < known.mean() < 0.2
        mine = found[known]
        assert (mine["customer_id"] == mine["account_id"].map(owner)).all()


@pytest.mark.parametrize("incident", ["over", "under"])
def test_wrong_cases_are_more_among_strong_triggers(
    any_seed: duckdb.DuckDBPyConnection, incident: str
) -> None:
    found = cases(any_seed, incident)
    assert ((found["dose"] > 0) == found["linked"]).all()
    shares = found.groupby("dose")["wrong"].mean()
    assert list(shares.index) == [0, 1, 2, 3, 4]
    assert shares[0] < shares[1] < shares[2] < shares[4]
    assert shares[4] > 1.5 * shares[1]


def test_what_was_put_right(any_seed: duckdb.DuckDBPyConnection) -> None:
    won = frame(
        any_seed,
        "SELECT item_id, decided_at FROM appeals JOIN actions USING (action_id) "
        "WHERE source = 'rule' AND outcome = 'overturned'",
    ).set_index("item_id")["decided_at"]
    over = cases(any_seed, "over")
    appealed = over["item_id"].map(won)
    bulk = over[over["resolved_at"].notna() & (over["resolved_at"] != appealed)]
    assert (bulk["wrong"] & bulk["suspect"]).all()
    assert bulk["resolved_at"].between("2026-03-19 08:00", "2026-03-20 16:00").all()
    wrong = over[over["wrong"] & over["suspect"]]
    assert 0.55 < wrong["resolved_at"].notna().mean() < 0.8
    # Whoever won an appeal is not waiting for more.
    assert (over["resolved_at"] <= appealed)[appealed.notna()].all()
    assert appealed.notna().sum() > 10

    under = cases(any_seed, "under")
    cleaned = frame(
        any_seed, "SELECT item_id, acted_at FROM actions WHERE source = 'review'"
    ).set_index("item_id")["acted_at"]
    recorded = under[under["resolved_at"].notna()]
    assert (recorded["resolved_at"] == recorded["item_id"].map(cleaned)).all()
    assert recorded["planted"].all()
    assert recorded["resolved_at"].between(UNDER[1], UNDER[1] + timedelta(hours=12)).all()
    assert 0.55 < under[under["planted"]]["resolved_at"].notna().mean() < 0.75


def test_amounts_are_skewed_and_partly_recovered(any_seed: duckdb.DuckDBPyConnection) -> None:
    over, under = cases(any_seed, "over"), cases(any_seed, "under")
    for found in (over, under):
        assert (found["gross_usd"] * 100 % 1).round(6).isin([0, 1]).all()
        assert (found["recovered_usd"] >= 0).all()
        assert (found["recovered_usd"] <= found["gross_usd"]).all()
        some = found[found["gross_usd"] > 0]["gross_usd"]
        assert some.mean() > 1.2 * some.median()
        assert 0.8 < some.std() / some.mean() < 2.5
    assert (over["gross_usd"] > 0).all()
    assert (over[over["resolved_at"].isna()]["recovered_usd"] == 0).all()
    seller = over["segment"].isin(["business", "creator"])
    assert over[seller]["gross_usd"].mean() > 2 * over[~seller]["gross_usd"].mean()
    back = over["recovered_usd"].sum() / over[over["resolved_at"].notna()]["gross_usd"].sum()
    assert 0.3 < back < 0.7
    assert 0.3 < (under["gross_usd"] == 0).mean() < 0.5


def test_experts_are_right_about_a_random_part(any_seed: duckdb.DuckDBPyConnection) -> None:
    audit = frame(any_seed, "FROM incident_audit")
    late = frame(any_seed, "FROM truth.late_labels")
    drawn = {*audit["item_id"], *late["item_id"]}
    assert len(drawn) == len(audit) + len(late)
    assert (late["arrived_at"] >= WORLD_END).all()
    assert 5 < len(late) < 0.2 * len(drawn)
    labels = audit.set_index("item_id")
    for incident in ("over", "under"):
        found = cases(any_seed, incident)
        seen = found[found["item_id"].isin(audit["item_id"])]
        given = labels.loc[seen["item_id"]]
        assert (given["incident_id"] == f"{incident}-blocking").all()
        assert (given["label"].to_numpy() == seen["violating"].to_numpy()).all()
        waited = given["labelled_at"].to_numpy() - seen["case_at"].to_numpy()
        assert pd.Timedelta(days=1) <= waited.min() < pd.Timedelta(days=1.5)
        assert pd.Timedelta(days=6) < waited.max() < pd.Timedelta(days=13)
        assert len(seen) > 200
        for suspect, group in found.groupby("suspect"):
            chance = 0.5 if suspect == (incident == "over") else 0.6
            in_group = given[seen["suspect"].to_numpy() == suspect]
            assert set(in_group["inclusion_probability"]) == {chance}
            spread = (chance * (1 - chance) / len(group)) ** 0.5
            assert abs(group["item_id"].isin(drawn).mean() - chance) < 3.5 * spread


def test_chargebacks_come_late_and_by_the_day(any_seed: duckdb.DuckDBPyConnection) -> None:
    there = frame(any_seed, "FROM chargebacks")
    late = frame(any_seed, "FROM truth.late_chargebacks").rename(columns={"arrived_at": "filed_at"})
    assert (late["filed_at"] >= WORLD_END).all()
    assert 200 < len(late) < 500
    everything = pd.concat([there, late])
    waited = everything["filed_at"] - everything["event_at"]
    assert waited.min() >= pd.Timedelta(hours=12)
    assert pd.Timedelta(days=14) < waited.max() <= pd.Timedelta(days=21)
    assert everything["chargeback_id"].is_unique
    assert (everything["chargeback_id"] // 4 == everything["item_id"]).all()
    ordinary = everything[everything["chargeback_id"] % 4 == 0]
    days = ordinary.groupby(ordinary["event_at"].dt.floor("D")).size()[3:95]
    assert 35 < days.mean() < 45
    assert 1.3 < days.var() / days.mean() < 6
    own = everything[everything["chargeback_id"] % 4 > 0]
    under = cases(any_seed, "under")
    missed = under[under["wrong"] & (under["gross_usd"] > 0)]
    assert set(own["item_id"]) == set(missed["item_id"])
    assert (own["event_at"] >= UNDER[0]).all()


def test_the_causes_stand_in_the_change_log(any_seed: duckdb.DuckDBPyConnection) -> None:
    changes = frame(any_seed, "FROM change_log")
    over = changes[changes["changed_at"] == OVER[0] - timedelta(minutes=40)]
    assert list(over["change"]) == ["Rule 17: one link is enough, in two markets"]
    under = changes[changes["change"].str.startswith("Release 105 of the rules engine")]
    assert timedelta(hours=1) < UNDER[0] - under["changed_at"].item() < timedelta(hours=6)
    ordinary = changes.drop([*over.index, *under.index])
    assert 30 <= len(ordinary) <= 40
    assert ordinary["link"].isna().sum() > 5
    assert ordinary["link"].notna().sum() > 10
    assert changes["link"].dropna().is_unique
    assert not ordinary["change"].str.contains("Rule 17:").any()
    assert ordinary["changed_at"].diff().max() < timedelta(days=5)


@pytest.mark.parametrize("incident", ["over", "under"])
def test_the_record_is_what_the_tables_say(
    any_seed: duckdb.DuckDBPyConnection, incident: str
) -> None:
    truth = read_incident_truth(any_seed, f"{incident}-blocking")
    found = cases(any_seed, incident)
    wrong = found[found["wrong"]]
    start, end = OVER if incident == "over" else UNDER
    assert truth.side == incident
    assert (truth.window.start, truth.window.end) == (
        start.replace(tzinfo=UTC),
        end.replace(tzinfo=UTC),
    )
    assert truth.cause_at < truth.window.start
    assert [case.item_id for case in truth.cases] == sorted(found["item_id"])
    assert {case.item_id for case in truth.wrong} == set(wrong["item_id"])
    assert truth.accounts == wrong["account_id"].nunique()
    assert truth.customers == wrong["customer_id"].nunique()
    assert truth.gross_usd == pytest.approx(wrong["gross_usd"].sum())
    assert truth.recovered_usd == pytest.approx(wrong["recovered_usd"].sum())
    assert truth.net_usd == pytest.approx(truth.gross_usd - truth.recovered_usd)
    at = end + timedelta(hours=30)
    waiting = wrong[~(wrong["resolved_at"] <= at)]
    assert {case.item_id for case in truth.left(at.replace(tzinfo=UTC))} == set(waiting["item_id"])
    assert 0 < len(waiting) < len(wrong)

    views = frame(any_seed, "SELECT item_id, viewer_id, viewed_at FROM views")
    seen = views[views["item_id"].isin(wrong["item_id"]) & (views["viewed_at"] >= start)]
    assert truth.viewers == (seen["viewer_id"].nunique() if incident == "under" else 0)
    assert incident == "over" or truth.viewers > 500
    log = frame(any_seed, "FROM action_log")
    log = log[log["acted_at"].between(start, end, inclusive="left")]
    assert truth.repeated == log.duplicated().sum()
    in_window = f"WHERE event_at >= '{start}' AND event_at < '{end}'"
    for name, count, table in (
        ("chargebacks", truth.final_chargebacks, "chargebacks"),
        ("appeals", truth.final_appeals,
         "(SELECT acted_at AS event_at FROM appeals JOIN actions USING (action_id))"),
    ):  # fmt: skip
        late = one(any_seed, f"SELECT count(*) FROM truth.late_{name} {in_window}")
        assert count == one(any_seed, f"SELECT count(*) FROM {table} {in_window}") + late
        assert count > 10
        assert late == 0 or incident == "under"
    labels = one(
        any_seed, f"SELECT count(*) FROM incident_audit WHERE incident_id = '{incident}-blocking'"
    )
    assert truth.final_labels >= labels > 200


def test_from_the_files_and_no_such_incident(world: demo.DemoWorld) -> None:
    folder: Path = world.path.parent
    assert len(demo.incident_truth(folder, "over-blocking").cases) == 456
    with pytest.raises(Refusal) as caught:
        demo.incident_truth(folder, "over-bloking")
    assert caught.value.nearest == "over-blocking"


def test_without_the_incidents_only_the_ordinary_is_left(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    for table in ("incident_cases", "incident_audit"):
        assert one(engine, f"SELECT count(*) FROM calm.{table}") == 0
    for table, kept in (
        ("customers", "true"),
        ("chargebacks", "chargeback_id % 4 = 0"),
        ("change_log", "changed_at NOT IN (SELECT changed_at FROM truth.incident_causes)"),
    ):
        ordinary = f"SELECT * FROM {table} WHERE {kept}"
        calm = f"SELECT * FROM calm.{table}"
        assert one(engine, f"SELECT count(*) FROM ({ordinary} EXCEPT {calm})") == 0, table
        assert one(engine, f"SELECT count(*) FROM ({calm} EXCEPT {ordinary})") == 0, table
    # One in 500, and not more in those hours than in others.
    inside = f"WHERE acted_at >= '{OVER[0]}' AND acted_at < '{OVER[1]}'"
    again = "SELECT count(*) - count(DISTINCT event_id) FROM calm.action_log "
    assert one(engine, again + inside) <= 4 < one(engine, again) < 80


def test_all_of_it_scales(
    engine: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = {name: count // 4 for name, count in making.SIZES["small"].items()}
    monkeypatch.setitem(making.SIZES, "small", events)
    with duckdb.connect() as quarter:
        quarter.execute("ATTACH ':memory:' AS truth")
        making.generate(quarter, seed=2)
        for query in (
            "action_log", "customers", "incident_audit", "chargebacks",
            "incident_cases WHERE actioned", "incident_cases WHERE NOT actioned",
            "incident_cases WHERE NOT actioned AND NOT suspect", "truth.late_chargebacks",
        ):  # fmt: skip
            counts = [one(each, f"SELECT count(*) FROM {query}") for each in (engine, quarter)]
            assert 3 < counts[0] / counts[1] < 5.3, query
        assert one(quarter, "SELECT count(*) FROM change_log") == 38
