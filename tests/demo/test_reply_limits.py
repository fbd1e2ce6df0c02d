"""The reply limits: one market that got them, one that got them later, one that got what moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.studies.synth_truth import (
    NAMES,
    POOLS,
    SOURCE,
    SPEC,
    Run,
    Search,
    caught,
    false_finds,
    study,
)
from trustlib import demo
from trustlib.demo import world as making
from trustlib.demo.reply_limits import read_limits_truth
from trustlib.interventions.synth.synth import synth

ROOT = Path(__file__).resolve().parents[2]
FIRST = date(2024, 10, 14)
WEEKS, BEFORE = 78, 64
WEEK = timedelta(days=7)

ALL = """
    SELECT t.*, h.reports, h.active_accounts
    FROM truth.reply_limits AS t
    JOIN harassment_reports AS h USING (market, week_starting)
    ORDER BY market, week_starting
"""


@pytest.fixture(scope="module")
def cells(engine: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    found = engine.execute(ALL).df()
    week = (pd.to_datetime(found["week_starting"]) - pd.Timestamp(FIRST)).dt.days // 7
    return found.assign(week=week)


def made(seed: int) -> duckdb.DuckDBPyConnection:
    """Both interventions alone, in memory."""
    engine = duckdb.connect()
    engine.execute("SET threads = 1")
    engine.execute("ATTACH ':memory:' AS truth")
    making.generate_rollouts(engine, seed=seed)
    return engine


def test_every_market_has_every_week_once(engine: duckdb.DuckDBPyConnection) -> None:
    rows = engine.execute(
        "SELECT count(*), count(DISTINCT week_starting), min(week_starting), max(week_starting), "
        "min(active_accounts) > 50000 AND max(active_accounts) < 1000000 "
        "FROM harassment_reports GROUP BY market"
    ).fetchall()
    assert len(rows) == 27
    last = FIRST + (WEEKS - 1) * WEEK
    assert set(rows) == {(WEEKS, WEEKS, FIRST, last, True)}
    # The last week ends with the world; the first with the limits is the world's first.
    assert last + WEEK == (making.START + timedelta(hours=making.HOURS)).date()
    assert making.START.date() == FIRST + BEFORE * WEEK
    others = engine.execute(
        "SELECT count(*) FROM harassment_reports WHERE market IN (SELECT market FROM accounts "
        "UNION SELECT market FROM complaints)"
    ).fetchone()
    assert others == (0,)


def test_who_got_the_limits(engine: duckdb.DuckDBPyConnection) -> None:
    rows = engine.execute(
        "SELECT market, started_at::DATE FROM rollouts WHERE intervention = 'reply_limits' "
        "ORDER BY market"
    ).fetchall()
    assert rows == [("lovage", FIRST + 70 * WEEK), ("mint", FIRST + BEFORE * WEEK)]


def test_what_is_missing_was_prevented_and_what_is_more_moved(cells: pd.DataFrame) -> None:
    assert len(cells) == 27 * WEEKS
    assert (cells["reports"] > 0).all()
    made_up = cells["reports_without"] - cells["prevented"] + cells["moved_here"]
    assert (cells["reports"] == made_up).all()
    start = cells["market"].map({"mint": BEFORE, "lovage": 70})
    limited = cells["week"] >= start  # never where there is no start
    assert limited.sum() == 14 + 8
    assert (cells.loc[limited, ["prevented", "taken_off_ppm"]] > 0).all(axis=None)
    assert (cells.loc[~limited, ["prevented", "taken_off_ppm"]] == 0).all(axis=None)
    # Half of what mint is spared is made next door in the same week, and nowhere else.
    spared = cells[cells["market"] == "mint"].set_index("week")["prevented"]
    assert spared.loc[BEFORE:].min() > 0
    next_door = cells[cells["market"] == "borage"].set_index("week")["moved_here"]
    assert (next_door == spared // 2).all()
    assert (cells.loc[cells["market"] != "borage", "moved_here"] == 0).all()


def test_the_effect_grows_and_stays(cells: pd.DataFrame) -> None:
    off = cells[(cells["market"] == "mint") & (cells["week"] >= BEFORE)]["taken_off_ppm"]
    steps = off.diff().dropna().to_numpy()
    assert (steps[:9] > 0).all()
    assert (steps[9:] == 0).all()
    share = off / cells.loc[off.index, "rate_without_ppm"]
    assert 0.1 < share.max() < 0.5


def test_counts_scatter_around_their_rates(cells: pd.DataFrame) -> None:
    expected = cells["active_accounts"] * cells["rate_without_ppm"] / 1e6
    scatter = (cells["reports_without"] - expected) / expected**0.5
    assert abs(scatter.mean()) < 4 * 1.3 / len(cells) ** 0.5
    assert scatter.std() == pytest.approx(1.3, rel=0.06)


def test_a_season_a_trend_and_a_neighbour_that_is_much_alike() -> None:
    halves, places = [], []
    for seed in range(12):
        with made(seed) as alone:
            found = alone.execute(ALL).df()
        rate = found.pivot(index="market", columns="week_starting", values="rate_without_ppm")
        mean = rate.mean().to_numpy()
        halves.append([mean[:26].mean(), mean[26:52].mean(), mean[52:].mean()])
        # Trends are not parallel.
        slopes = [np.polyfit(range(WEEKS), row, 1)[0] for row in rate.to_numpy()]
        assert max(slopes) > 1.5 * min(slopes) > 0
        away = rate.sub(rate.mean(axis=1), axis=0)
        far = ((away - away.loc["mint"]) ** 2).mean(axis=1).drop("mint")
        places.append(far.rank()["borage"])
    up, down, up_again = np.mean(halves, axis=0)
    assert up_again - up > 800  # the same half of the year: the trend
    assert up - (down - (up_again - up) / 2) > 600  # the season
    assert np.mean(places) < 6  # of 26


def test_alone_it_is_the_same_as_in_a_world(engine: duckdb.DuckDBPyConnection) -> None:
    tables = ("rollouts", "complaints", "harassment_reports")
    with made(0) as alone, made(1) as other:
        assert making.content(alone, tables) == making.content(engine, tables)
        assert making.content(other, tables) != making.content(engine, tables)
        assert alone.execute(ALL).fetchall() == engine.execute(ALL).fetchall()


def test_the_truth_by_hand(world: demo.DemoWorld, cells: pd.DataFrame) -> None:
    truth = demo.limits_truth(world.path.parent)
    mint = cells[(cells["market"] == "mint") & (cells["week"] >= BEFORE)]
    effect = -1000 * mint["prevented"] / mint["active_accounts"]
    assert truth.att == pytest.approx(effect.mean(), rel=1e-12)
    assert truth.gap_final == pytest.approx(effect.iloc[-1], rel=1e-12)
    assert truth.total == -mint["prevented"].sum() < 0
    assert truth.moved == cells["moved_here"].sum() > 0
    names = (truth.intervention, truth.market, truth.start, truth.treated_later, truth.moved_to)
    assert names == ("reply_limits", "mint", "2026-01-05", "lovage", "borage")
    # About what it was planned to be: 180 a week more, up to ten times that.
    assert truth.att == pytest.approx(-(0.18 * 55 + 4 * 1.8) / 14, rel=0.3)


def test_the_truth_without_a_file() -> None:
    with made(3) as alone:
        found = read_limits_truth(alone)
    assert found.market == "mint"
    assert found.total < 0 < found.moved


def test_the_examples_sql_gives_a_panel(engine: duckdb.DuckDBPyConnection) -> None:
    found = engine.execute(SOURCE.read_text(encoding="utf-8")).df()
    assert len(found) == 27 * WEEKS
    assert not found.duplicated(["market", "week_starting"]).any()
    both = engine.execute(ALL).df().merge(found, on=["market", "week_starting"])
    assert len(both) == len(found)
    counted = both["reports_per_1000"] * both["active_accounts_x"] / 1000
    assert np.allclose(counted, both["reports"])
    since = found.groupby("market")["limits_since"].first().dropna()
    assert dict(since) == {
        "mint": pd.Timestamp(making.START.date()),
        "lovage": pd.Timestamp(FIRST + 70 * WEEK),
    }


@pytest.fixture(scope="module")
def studied() -> tuple[list[Run], list[Search]]:
    """Few seeds of the study in tests/studies/synth_truth.py; deterministic: not a gamble."""
    return study(range(1000, 1010))


def test_the_truth_is_found_and_so_is_who_else_was_reached(
    studied: tuple[list[Run], list[Search]],
) -> None:
    runs, searches = studied
    led = [run for run in runs if run.preset == NAMES["synthetic_did"]]
    assert len(led) == 4 * 10  # average and total, with and without borage
    # Of ten at a true .95, six or fewer happens once in 1,000; average and total go together.
    assert sum(run.inside for run in led if run.pool == "example") > 2 * 6
    assert caught(searches) >= 0.8
    assert false_finds(searches) <= 0.3
    # The interval is worth having: it leaves out 0.
    assert sum(abs(run.point) > run.half for run in led if run.pool == "example") >= 2 * 9


def test_the_neighbour_as_a_donor_makes_the_effect_larger(
    studied: tuple[list[Run], list[Search]],
) -> None:
    runs, _ = studied
    effect = {
        pool: np.mean(
            [run.point for run in runs if run.pool == pool and run.quantity == "average effect"]
        )
        for pool in POOLS
    }
    assert effect["neighbour kept"] < effect["example"] < 0


def test_the_study_measures_what_the_report_says(
    studied: tuple[list[Run], list[Search]],
) -> None:
    with made(1000) as alone:
        frame = alone.execute(SOURCE.read_text(encoding="utf-8")).df()
    for pool, affected in POOLS.items():
        found = synth(frame, replace(SPEC, affected_units=affected))
        assert found.design.preset == "synthetic_did"
        for quantity, name in (("average effect", "att"), ("total effect", "total_effect")):
            (run,) = (
                run
                for run in studied[0]
                if (run.seed, run.pool, run.quantity) == (1000, pool, quantity)
                and run.preset == NAMES["synthetic_did"]
            )
            estimate = found.estimates[name]
            assert estimate.point == pytest.approx(run.point, rel=1e-9)
            assert estimate.high == pytest.approx(run.point + run.half, rel=1e-9)
        (search,) = (one for one in studied[1] if (one.seed, one.pool) == (1000, pool))
        (check,) = (one for one in found.checks if one.name == "donors_affected")
        assert check.verdict == search.verdict
        assert ("borage" in check.text) == search.caught


def test_the_record_is_that_of_the_study() -> None:
    record = (ROOT / "tests/studies/synth_truth.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in record.splitlines() if line.startswith("| ")]
    header = rows[0]
    led = [
        dict(zip(header, row, strict=True))
        for row in rows[1:]
        if NAMES["synthetic_did"] in row and "left out" in row
    ]
    assert len(led) == 2
    for row in led:
        assert 0.928 <= float(row["inside the 95 % interval"]) <= 0.985
    found = float(record.split("found it in ")[1].split("%")[0])
    assert found >= 80
