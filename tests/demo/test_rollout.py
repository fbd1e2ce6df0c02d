"""The rollout: whole tables, a truth that adds up, and the example that reads them."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.studies.rollout_truth import ESTIMATORS, SOURCE, SPEC, shares, study
from trustlib import demo
from trustlib.demo import world as making
from trustlib.demo.rollout import read_rollout_truth

ROOT = Path(__file__).resolve().parents[2]
WEEK = timedelta(days=7)
FIRST = datetime(2025, 11, 10)
WEEKS = 22

# Every market-week with its start and its truth.
ALL = """
    SELECT t.*, c.complaints, c.active_accounts, r.started_at
    FROM truth.rollout AS t
    JOIN complaints AS c USING (market, week_starting)
    LEFT JOIN rollouts AS r USING (intervention, market)
    ORDER BY market, week_starting
"""


@pytest.fixture(scope="module")
def cells(engine: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    found = engine.execute(ALL).df()
    weeks = (found["week_starting"] - found["started_at"]).dt.days // 7
    return found.assign(run=weeks.fillna(-1).astype(int) + 1)  # 1 in the first treated week


def one(engine: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = engine.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def test_every_market_has_every_week_once(engine: duckdb.DuckDBPyConnection) -> None:
    rows = engine.execute(
        "SELECT market, count(*), count(DISTINCT week_starting), min(week_starting), "
        "max(week_starting), min(active_accounts) > 5000 AND max(active_accounts) < 50000 "
        "FROM complaints GROUP BY market"
    ).fetchall()
    assert len(rows) == 84
    last = FIRST + (WEEKS - 1) * WEEK
    assert {row[1:] for row in rows} == {(WEEKS, WEEKS, FIRST.date(), last.date(), True)}
    # The last week ends with the world, and the markets are none of its six.
    assert last + WEEK == making.START.replace(tzinfo=None) + timedelta(hours=making.HOURS)
    assert one(engine, "SELECT count(*) FROM accounts WHERE market IN "
                       "(SELECT market FROM complaints)") == 0  # fmt: skip


def test_four_waves_and_a_third_without(engine: duckdb.DuckDBPyConnection) -> None:
    rows = engine.execute(
        "SELECT started_at, count(*), count(DISTINCT market) FROM rollouts "
        "WHERE intervention = 'link_warning' AND market IN (SELECT market FROM complaints) "
        "GROUP BY started_at ORDER BY started_at"
    ).fetchall()
    weeks = [(start - FIRST) / WEEK for start, *_ in rows]
    assert weeks == [8, 10, 15, 18]  # whole weeks, the first six and more from the beginning
    assert [row[1:] for row in rows] == [(14, 14)] * 4
    assert one(engine, "SELECT count(*) FROM rollouts WHERE market IN "
                       "(SELECT market FROM complaints)") == 56  # fmt: skip


def test_what_was_prevented_is_what_is_missing(cells: pd.DataFrame) -> None:
    assert len(cells) == 84 * WEEKS
    assert (cells["complaints"] + cells["prevented"] == cells["complaints_without"]).all()
    assert (cells["complaints"] > 0).all()
    assert (cells["prevented"] >= 0).all()
    untouched = cells["run"] < 1
    assert untouched.sum() == 28 * WEEKS + 14 * (8 + 10 + 15 + 18)
    assert (cells.loc[untouched, ["prevented", "taken_off_ppm"]] == 0).all(axis=None)


def test_the_effect_grows_and_is_larger_in_earlier_waves(cells: pd.DataFrame) -> None:
    treated = cells[cells["run"] > 0]
    steps = treated.groupby("market")["taken_off_ppm"].diff().dropna()
    assert (steps > 0).all()
    mean = treated.groupby(["run", "started_at"])["taken_off_ppm"].mean().unstack()
    assert (mean.loc[1:4].diff(axis=1).iloc[:, 1:] < 0).all(axis=None)
    # Visible, and no market is left without complaints.
    share = treated["taken_off_ppm"] / treated["rate_without_ppm"]
    assert 0.3 < share.max() <= 0.75


def test_the_highest_levels_tend_to_come_first(cells: pd.DataFrame) -> None:
    # Levels differ between waves; who compares them without a before is wrong.
    level = cells[cells["week_starting"] < FIRST + 8 * WEEK].groupby("market")["rate_without_ppm"]
    start = cells.groupby("market")["started_at"].first()
    waves = level.mean().groupby(start, dropna=False).mean()
    assert waves.iloc[0] > 1.15 * waves.iloc[-1]


def test_counts_scatter_around_their_rates(cells: pd.DataFrame) -> None:
    expected = cells["active_accounts"] * cells["rate_without_ppm"] / 1e6
    scatter = (cells["complaints_without"] - expected) / expected**0.5
    assert abs(scatter.mean()) < 4 * 1.3 / len(cells) ** 0.5
    assert scatter.std() == pytest.approx(1.3, rel=0.06)
    treated = cells["taken_off_ppm"] > 0
    chance = cells["taken_off_ppm"] / cells["rate_without_ppm"]
    n = cells["complaints_without"]
    thinned = ((cells["prevented"] - n * chance) / (n * chance * (1 - chance)) ** 0.5)[treated]
    assert abs(thinned.mean()) < 4 / treated.sum() ** 0.5
    assert thinned.std() == pytest.approx(1, rel=0.12)


def test_trends_are_parallel_but_for_noise() -> None:
    """Waves drift apart by what 14 markets' own shocks allow, in no direction over the seeds."""
    gaps = []
    for seed in range(24):
        with made(seed) as engine:
            found = engine.execute(ALL).df()
        rate = found.pivot(index="market", columns="week_starting", values="rate_without_ppm")
        early = (found.groupby("market")["started_at"].first() < FIRST + 12 * WEEK).reindex(
            rate.index
        )
        change = rate.iloc[:, -11:].mean(axis=1) - rate.iloc[:, :11].mean(axis=1)
        gaps.append(change[early].mean() - change[~early].mean())
    error = np.std(gaps, ddof=1)
    assert error > 20  # there is something to be seen
    assert abs(np.mean(gaps)) < 3 * error / len(gaps) ** 0.5


def made(seed: int) -> duckdb.DuckDBPyConnection:
    """The rollout alone, in memory."""
    engine = duckdb.connect()
    engine.execute("SET threads = 1")
    engine.execute("ATTACH ':memory:' AS truth")
    making.generate_rollouts(engine, seed=seed)
    return engine


def test_alone_it_is_the_same_as_in_a_world(engine: duckdb.DuckDBPyConnection) -> None:
    tables = ("rollouts", "complaints")
    with made(0) as alone, made(1) as other:
        assert making.content(alone, tables) == making.content(engine, tables)
        assert making.content(other, tables) != making.content(engine, tables)
        waves = "SELECT market, started_at FROM rollouts ORDER BY 1"
        assert alone.execute(waves).fetchall() != other.execute(waves).fetchall()
        assert alone.execute(ALL).fetchall() == engine.execute(ALL).fetchall()


def test_the_truth_by_hand(world: demo.DemoWorld, cells: pd.DataFrame) -> None:
    truth = demo.rollout_truth(world.path.parent)
    weight = cells.groupby("market")["active_accounts"].transform("mean")
    effect = -1000 * cells["prevented"] / cells["active_accounts"]
    after = cells["run"] > 0
    assert truth.att == pytest.approx(np.average(effect[after], weights=weight[after]), rel=1e-12)
    assert truth.total == -cells["prevented"].sum()
    assert dict(truth.total_of_markets) == {
        market: -part["prevented"].sum() for market, part in cells[after].groupby("market")
    }
    cohorts = {
        f"{start:%Y-%m-%d}": np.average(effect[part.index], weights=weight[part.index])
        for start, part in cells[after].groupby("started_at")
    }
    assert dict(truth.att_of_cohorts) == pytest.approx(cohorts, rel=1e-12)
    # About what it was planned to be, and of a size that a report is worth.
    planned = -np.average(cells["taken_off_ppm"][after], weights=weight[after]) / 1000
    assert truth.att == pytest.approx(planned, rel=0.03)
    assert -2.5 < truth.att < -1.5


def test_the_truth_without_a_file(engine: duckdb.DuckDBPyConnection) -> None:
    with made(3) as alone:
        found = read_rollout_truth(alone)
    assert found.intervention == "link_warning"
    assert found.total == sum(found.total_of_markets.values()) < 0
    assert [*found.att_of_cohorts] == ["2026-01-05", "2026-01-19", "2026-02-23", "2026-03-16"]


@pytest.mark.parametrize("notebook", ["intervention_did", "intervention_power"])
def test_the_examples_sql_gives_a_panel(engine: duckdb.DuckDBPyConnection, notebook: str) -> None:
    found = engine.execute((ROOT / f"params/{notebook}/complaint_rates.sql").read_text()).df()
    markets = 84 if notebook == "intervention_did" else 28
    assert len(found) == markets * WEEKS
    assert not found.duplicated(["market", "week_starting"]).any()
    truth = engine.execute(ALL).df().merge(found, on=["market", "week_starting"])
    assert len(truth) == len(found)
    assert np.allclose(
        truth["complaints_per_1000"] * truth["active_accounts_x"] / 1000, truth["complaints"]
    )
    if notebook == "intervention_did":
        assert truth["warning_since"].equals(truth["started_at"].astype("datetime64[us]"))
        assert found.groupby("market")["warning_since"].first().isna().sum() == 28
    else:
        assert truth["started_at"].isna().all()


def test_the_example_is_read_as_a_panel(
    world: demo.DemoWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trustlib import params
    from trustlib.data import read_panel

    (tmp_path / ".trustlib").mkdir()
    shutil.copytree(world.path.parent, tmp_path / demo.FOLDER)
    shutil.copytree(ROOT / "params", tmp_path / "params")
    monkeypatch.chdir(tmp_path)
    for notebook, markets in (("intervention_did", 84), ("intervention_power", 28)):
        asked = params.load(Path(f"params/{notebook}/example.yaml"))
        rows = read_panel(asked.panel_query())
        frame = rows.frame
        assert len(frame) == markets * WEEKS
        assert frame["outcome"].notna().all()
        assert frame["unit"].nunique() == markets
        assert not [check for check in rows.checks if check.verdict in ("warn", "fail")]
        spec = asked.spec()
        assert spec.outcome_name == "complaints per 1,000 active accounts"
        assert spec.unit_label == "complaints"
        if notebook == "intervention_did":
            starts = frame.groupby("unit")["treatment_start"].first()
            assert starts.value_counts().tolist() == [14] * 4
            assert (spec.outcome_scale, spec.rate_per) == ("rate", 1000)


def test_group_time_effects_find_the_truth_and_the_two_way_regression_does_not() -> None:
    """Few seeds of the study in tests/studies/rollout_truth.md; deterministic: not a gamble."""
    runs = study(range(1000, 1012))
    for estimator in ("callaway_santanna", "imputation"):
        inside = [run.inside for run in runs if run.estimator == ESTIMATORS[estimator]]
        assert len(inside) == 2 * 12  # average and total
        assert sum(inside) >= 20, estimator
    naive = [run for run in runs if run.estimator == ESTIMATORS["two_way"]]
    assert not any(run.inside for run in naive)
    mean, _, most = shares(runs)
    assert mean < 0.6
    assert most < 0.75


def test_nothing_is_found_where_nothing_was_prevented() -> None:
    runs = study(range(1000, 1008), warning=False)
    assert {run.truth for run in runs} == {0.0}
    assert sum(run.inside for run in runs) >= 0.85 * len(runs)


def test_the_study_is_of_the_example() -> None:
    from trustlib import params

    asked = params.load(ROOT / "params/intervention_did/example.yaml")
    assert (ROOT / asked.source).samefile(SOURCE)
    spec = asked.spec()
    for name in ("control_group", "anticipation", "estimator", "outcome_scale", "rate_per"):
        assert getattr(SPEC, name) == getattr(spec, name), name
    assert (SPEC.unit, SPEC.time, SPEC.outcome, SPEC.treatment_start, SPEC.weight) == (
        asked.unit_column, asked.time_column, asked.outcome_column, asked.treatment_start_column,
        asked.weight_column,
    )  # fmt: skip
