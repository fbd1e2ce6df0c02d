"""What the demo world's scams are in truth: kept apart for tests, as of the rollout."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from trustlib.core import Window
from trustlib.demo.world import FOLDER, HOURS, START

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

K = TypeVar("K")
WORLD = Window(START, START + timedelta(hours=HOURS))
CONTROLS = ("scam_rule", "scam_model", "scam_review")


@dataclass(frozen=True, kw_only=True)
class Harm:
    """Counts of a group: items made in the window, views seen in it.

    A violating view is a view of a violating item, whenever that was made.
    """

    items: int
    violating_items: int
    views: int
    violating_views: int

    @property
    def prevalence(self) -> float:
        """Violating items per item; NaN without items."""
        return self.violating_items / self.items if self.items else float("nan")

    @property
    def prevalence_views(self) -> float:
        """Violating views per view; NaN without views."""
        return self.violating_views / self.views if self.views else float("nan")


@dataclass(frozen=True, kw_only=True)
class Control:
    """Distinct items, made in the window, that a control hit, and how many of them violate."""

    hits: int
    true_hits: int
    violating: int

    @property
    def recall(self) -> float:
        """Of the window's `violating` items, the share that was hit."""
        return self.true_hits / self.violating if self.violating else float("nan")

    @property
    def precision(self) -> float:
        """Of the hits, the share that violates."""
        return self.true_hits / self.hits if self.hits else float("nan")


@dataclass(frozen=True, kw_only=True)
class Rater:
    """How often a rater is right, since the labelling guideline of `AbuseTruth.guideline_at`."""

    sensitivity: float
    specificity: float


@dataclass(frozen=True, kw_only=True)
class AbuseTruth:
    """The policy area ``scam`` in a window.

    Attributes
    ----------
    window
        Half-open.
    total, by_market, by_week, by_segment
        Harm in all; by market; by week (its Monday as an ISO date; only hours in the window); and
        by market and kind of item.
    controls
        By the ``source`` of actions (whenever taken), and ``user_reports`` with reason ``scam``.
    unseen
        Violating items made in the window that no control and no such report found.
    affected_viewers
        Accounts that saw a violating item in the window.
    abusive_accounts
        Accounts that made a violating item in the window.
    rings
        Ring to its accounts, ascending; of the whole world, whatever the window.
    growing_market, growing_kind, growing_since
        The segment where scams grow, and since when; `growing_rings` are the rings behind it.
    raters
        By rater_id. Before `guideline_at` a rater's sensitivity was `sensitivity_before` of that.
    disabled, vanished
        Accounts that were disabled in the whole world, and those of them that are gone from
        ``accounts``, ascending.
    drift_at
        When the classifier's scores of scams begin to fall, over eight days.
    """

    window: Window
    total: Harm
    by_market: Mapping[str, Harm]
    by_week: Mapping[str, Harm]
    by_segment: Mapping[tuple[str, str], Harm]
    controls: Mapping[str, Control]
    unseen: int
    affected_viewers: int
    abusive_accounts: int
    rings: Mapping[int, tuple[int, ...]]
    growing_market: str
    growing_kind: str
    growing_since: datetime
    growing_rings: tuple[int, ...]
    raters: Mapping[int, Rater]
    guideline_at: datetime
    sensitivity_before: float
    disabled: tuple[int, ...]
    vanished: tuple[int, ...]
    drift_at: datetime


def abuse_truth(folder: Path = FOLDER, *, window: Window = WORLD) -> AbuseTruth:
    """What is true of scams in the world of `folder`. For tests, as `truth`."""
    import duckdb

    with contextlib.closing(duckdb.connect()) as engine:
        for name in ("world", "truth"):
            path = str(folder / f"{name}.duckdb").replace("'", "''")
            engine.execute(f"ATTACH '{path}' AS {name} (READ_ONLY)")
        engine.execute("USE world")
        return read_abuse_truth(engine, window=window)


def read_abuse_truth(engine: DuckDBPyConnection, *, window: Window = WORLD) -> AbuseTruth:
    """`abuse_truth` over an open connection with the truth attached as ``truth``.

    Counts are the engine's; the divisions are here.
    """
    bounds = [at.astimezone(UTC).replace(tzinfo=None) for at in (window.start, window.end)]
    cells = _cells(engine, bounds)
    violating = sum(harm.violating_items for harm in cells.values())
    controls, unseen = _controls(engine, bounds, violating)
    viewers, actors = engine.execute(
        "SELECT (SELECT count(DISTINCT viewer_id) FROM views JOIN truth.scam_items USING (item_id) "
        "WHERE viewed_at >= $1 AND viewed_at < $2), (SELECT count(DISTINCT account_id) "
        "FROM truth.scam_items WHERE created_at >= $1 AND created_at < $2)",
        bounds,
    ).fetchall()[0]
    ((market, kind, since, guideline, before_ppm, drift),) = engine.execute(
        "SELECT growing_market, growing_kind, growing_since, guideline_at, "
        "sensitivity_before_ppm, drift_at FROM truth.abuse_facts"
    ).fetchall()
    accounts = engine.execute(
        "SELECT account_id, ring, growing, disabled_at IS NOT NULL, vanished FROM truth.abusers "
        "ORDER BY account_id"
    ).fetchall()
    return AbuseTruth(
        window=window,
        total=_sum(cells.values()),
        by_market=_grouped(cells, lambda week, market, kind: market),
        by_week=_grouped(cells, lambda week, market, kind: week),
        by_segment=_grouped(cells, lambda week, market, kind: (market, kind)),
        controls=controls,
        unseen=unseen,
        affected_viewers=viewers,
        abusive_accounts=actors,
        rings=_grouped_by_ring(accounts),
        growing_market=market,
        growing_kind=kind,
        growing_since=since.replace(tzinfo=UTC),
        growing_rings=tuple(sorted({row[1] for row in accounts if row[2] and row[1] is not None})),
        raters=_raters(engine),
        guideline_at=guideline.replace(tzinfo=UTC),
        sensitivity_before=before_ppm / 1e6,
        disabled=tuple(row[0] for row in accounts if row[3]),
        vanished=tuple(row[0] for row in accounts if row[4]),
        drift_at=drift.replace(tzinfo=UTC),
    )


def _grouped_by_ring(accounts: Sequence[Sequence[Any]]) -> dict[int, tuple[int, ...]]:
    rings: dict[int, list[int]] = {}
    for account, ring, *_ in accounts:
        if ring is not None:
            rings.setdefault(ring, []).append(account)
    return {ring: tuple(members) for ring, members in rings.items()}


def _cells(engine: DuckDBPyConnection, bounds: list[datetime]) -> dict[tuple[str, str, str], Harm]:
    """Harm by week, market and kind, in order."""
    # An item's market is its author's: the remainder of the id, where the author is not an abuser.
    rows = engine.execute(
        "WITH made AS (SELECT date_trunc('week', i.created_at)::DATE AS week, coalesce(a.market, "
        "['alder', 'birch', 'cedar', 'dogwood', 'elm', 'fir'][i.account_id % 8 + 1]) "
        "AS market, i.kind, count(*) AS items, count(s.item_id) AS bad "
        "FROM items AS i LEFT JOIN truth.abusers AS a ON a.account_id = i.account_id "
        "LEFT JOIN truth.scam_items AS s ON s.item_id = i.item_id "
        "WHERE i.created_at >= $1 AND i.created_at < $2 GROUP BY ALL), "
        "seen AS (SELECT date_trunc('week', v.viewed_at)::DATE AS week, v.market, i.kind, "
        "count(*) AS views, count(s.item_id) AS bad "
        "FROM views AS v JOIN items AS i ON i.item_id = v.item_id "
        "LEFT JOIN truth.scam_items AS s ON s.item_id = v.item_id "
        "WHERE v.viewed_at >= $1 AND v.viewed_at < $2 GROUP BY ALL) "
        "SELECT week, market, kind, coalesce(items, 0), coalesce(made.bad, 0), "
        "coalesce(views, 0), coalesce(seen.bad, 0) "
        "FROM made FULL JOIN seen USING (week, market, kind) ORDER BY week, market, kind",
        bounds,
    ).fetchall()
    return {
        (week.isoformat(), market, kind): Harm(
            items=items, violating_items=bad, views=views, violating_views=bad_views
        )
        for week, market, kind, items, bad, views, bad_views in rows
    }


def _grouped(
    cells: Mapping[tuple[str, str, str], Harm], key: Callable[[str, str, str], K]
) -> dict[K, Harm]:
    groups: dict[K, list[Harm]] = {}
    for names, harm in cells.items():
        groups.setdefault(key(*names), []).append(harm)
    return {name: _sum(found) for name, found in groups.items()}


def _sum(found: Collection[Harm]) -> Harm:
    return Harm(
        items=sum(harm.items for harm in found),
        violating_items=sum(harm.violating_items for harm in found),
        views=sum(harm.views for harm in found),
        violating_views=sum(harm.violating_views for harm in found),
    )


def _controls(
    engine: DuckDBPyConnection, bounds: list[datetime], violating: int
) -> tuple[dict[str, Control], int]:
    """Every control, and how many violating items none of them hit."""
    hits = {name: f"SELECT item_id FROM actions WHERE source = '{name}'" for name in CONTROLS}
    hits["user_reports"] = "SELECT item_id FROM reports WHERE reason = 'scam'"
    everything = " UNION ".join(f"({rows})" for rows in hits.values())
    counted = (
        "SELECT count(*), count(s.item_id) FROM (SELECT DISTINCT item_id FROM ({})) "
        "JOIN items AS i USING (item_id) LEFT JOIN truth.scam_items AS s USING (item_id) "
        "WHERE i.created_at >= $1 AND i.created_at < $2"
    )
    found = {
        name: engine.execute(counted.format(rows), bounds).fetchall()[0]
        for name, rows in {**hits, "any": everything}.items()
    }
    _, seen = found.pop("any")
    return {
        name: Control(hits=hit, true_hits=right, violating=violating)
        for name, (hit, right) in found.items()
    }, violating - seen


def _raters(engine: DuckDBPyConnection) -> dict[int, Rater]:
    rows = engine.execute(
        "SELECT rater_id, sensitivity_ppm, specificity_ppm FROM truth.raters ORDER BY rater_id"
    ).fetchall()
    return {
        rater: Rater(sensitivity=right / 1e6, specificity=calm / 1e6) for rater, right, calm in rows
    }
