"""What the demo world's reply limits changed: kept apart for tests, as of the rollout."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trustlib.demo.world import FOLDER

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, kw_only=True)
class LimitsTruth:
    """What limits on replies changed in the one market that got them first.

    Attributes
    ----------
    intervention, market
        ``reply_limits`` and ``mint``.
    start
        First week with the limits, as an ISO date.
    att
        Reports per 1,000 active accounts and week that the limits added in `market` (negative:
        prevented): the mean over its weeks from `start` on.
    gap_final
        The same in the last week.
    total
        Reports that they added there in all (negative: prevented).
    treated_later
        Market that got the limits later: not a donor, and `rollouts` says so.
    moved_to, moved
        Market to which harassers moved, and the reports that they added there in all. No table
        that notebooks read says so.
    """

    intervention: str
    market: str
    start: str
    att: float
    gap_final: float
    total: int
    treated_later: str
    moved_to: str
    moved: int


def limits_truth(folder: Path = FOLDER) -> LimitsTruth:
    """What the reply limits changed in the world of `folder`. For tests, as `truth`."""
    import duckdb

    with contextlib.closing(duckdb.connect()) as engine:
        for name in ("world", "truth"):
            path = str(folder / f"{name}.duckdb").replace("'", "''")
            engine.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        engine.execute("USE world")
        return read_limits_truth(engine)


def read_limits_truth(engine: DuckDBPyConnection) -> LimitsTruth:
    """`limits_truth` over an open connection with the truth attached as ``truth``.

    Sums are of whole numbers in the engine; the divisions are here.
    """
    (market, start), (later, _) = engine.execute(
        "SELECT market, started_at::DATE FROM rollouts WHERE intervention = 'reply_limits' "
        "ORDER BY started_at"
    ).fetchall()
    weeks = engine.execute(
        "SELECT prevented, active_accounts FROM truth.reply_limits "
        "JOIN harassment_reports USING (market, week_starting) "
        "WHERE market = ? AND week_starting >= ? ORDER BY week_starting",
        [market, start],
    ).fetchall()
    ((moved_to, moved),) = engine.execute(
        "SELECT market, sum(moved_here)::BIGINT FROM truth.reply_limits WHERE moved_here > 0 "
        "GROUP BY market"
    ).fetchall()
    effects = [-1000 * prevented / accounts for prevented, accounts in weeks]
    return LimitsTruth(
        intervention="reply_limits",
        market=market,
        start=start.isoformat(),
        att=sum(effects) / len(effects),
        gap_final=effects[-1],
        total=-sum(prevented for prevented, _ in weeks),
        treated_later=later,
        moved_to=moved_to,
        moved=moved,
    )
