"""What the demo world's rollout changed: kept apart, for tests to read and notebooks not to."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trustlib.demo.world import FOLDER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, kw_only=True)
class RolloutTruth:
    """What a rollout changed in truth.

    Trends of the rate are parallel and nothing happens before a start, by construction.

    Attributes
    ----------
    intervention
        For example ``link_warning``.
    att
        Complaints per 1,000 active accounts that it added (negative: prevented): the mean over
        treated market-weeks, a market weighing its mean number of accounts. This is what the
        simple average of group-time effects estimates where those accounts are the weights.
    att_of_cohorts
        The same within each start, ascending, as an ISO date.
    total
        Complaints that it added in all (negative: prevented).
    total_of_markets
        The same by market.
    """

    intervention: str
    att: float
    att_of_cohorts: Mapping[str, float]
    total: int
    total_of_markets: Mapping[str, int]


def rollout_truth(folder: Path = FOLDER) -> RolloutTruth:
    """What the link warning changed in the world of `folder`. For tests, as `truth`."""
    import duckdb

    with contextlib.closing(duckdb.connect()) as engine:
        for name in ("world", "truth"):
            path = str(folder / f"{name}.duckdb").replace("'", "''")
            engine.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        engine.execute("USE world")
        return read_rollout_truth(engine)


def read_rollout_truth(engine: DuckDBPyConnection) -> RolloutTruth:
    """`rollout_truth` over an open connection with the truth attached as ``truth``.

    Sums are of whole numbers in the engine; the divisions are here.
    """
    rows = engine.execute(
        "SELECT market, started_at::DATE, prevented, active_accounts, week_starting >= started_at, "
        "sum(active_accounts) OVER (PARTITION BY market) "
        "FROM truth.rollout JOIN complaints USING (market, week_starting) "
        "JOIN rollouts USING (intervention, market) ORDER BY started_at, market, week_starting"
    ).fetchall()
    effects: dict[str, list[float]] = {}
    weights: dict[str, list[float]] = {}
    totals: dict[str, int] = {}
    for market, start, prevented, accounts, after, weight in rows:
        if after:
            cohort = start.isoformat()
            effects.setdefault(cohort, []).append(-1000 * prevented / accounts * weight)
            weights.setdefault(cohort, []).append(weight)
            totals[market] = totals.get(market, 0) - prevented
    return RolloutTruth(
        intervention="link_warning",
        att=sum(map(sum, effects.values())) / sum(map(sum, weights.values())),
        att_of_cohorts={cohort: sum(effects[cohort]) / sum(weights[cohort]) for cohort in effects},
        total=sum(totals.values()),
        total_of_markets=totals,
    )
