"""The small frames of a deep-dive, counted in the engine over snapshots of its tables.

Statements are our own; what params name is bound or renamed (segments are s0, s1 …). The engine
is always the embedded one, over the Parquet copies, so that every source gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from trustlib.core import RunFailed
from trustlib.data.engine.session import locked


@contextmanager
def session(paths: Mapping[str, Path], *, start: int, end: int) -> Iterator[Any]:
    """A locked connection with a view per role, and the window's items.

    Parameters
    ----------
    paths
        Role -> snapshot.
    start, end
        Of the window, UTC seconds.
    """
    try:
        with locked(list(paths.values())) as backend:
            con = backend.con
            for role, path in paths.items():
                where = str(path.resolve()).replace("'", "''")
                con.execute(f"CREATE TEMP VIEW {role} AS FROM read_parquet('{where}')")
            con.execute(f"CREATE TEMP MACRO inside(t) AS t >= {start:d} AND t < {end:d}")
            yield con
    except duckdb.Error as error:
        raise RunFailed(
            f"the engine failed on the snapshots ({type(error).__name__})",
            where=f"snapshots of {', '.join(paths)}",
            next_step="run it again; if it fails again, delete .trustlib/snapshots first",
        ) from None


def prepare(con: Any, roles: Sequence[str], segments: Mapping[str, str]) -> None:
    """Tables of the window: its items with their segments, views and flags.

    Parameters
    ----------
    segments
        s0, s1 … -> "items" or "accounts", where the column is.
    """
    picked = "".join(
        f", coalesce({'i' if place == 'items' else 'a'}.{name}, 'unknown') AS {name}"
        for name, place in segments.items()
    )
    join = "LEFT JOIN people AS a USING (account_id)" if "accounts" in roles else ""
    if join:
        con.execute(
            "CREATE TEMP TABLE people AS "
            f"SELECT account_id, {_least('accounts', segments)} FROM accounts "
            "WHERE account_id IS NOT NULL GROUP BY account_id"
        )
    con.execute(
        "CREATE TEMP TABLE own AS SELECT item_id, min(account_id) AS account_id, "
        f"min(created_at) AS created_at, {_least('items', segments)} FROM items "
        "WHERE item_id IS NOT NULL AND inside(created_at) GROUP BY item_id"
    )
    con.execute(
        f"CREATE TEMP TABLE made AS SELECT item_id, account_id, created_at{picked} "
        f"FROM own AS i {join}"
    )
    if "views" in roles:
        con.execute(
            "CREATE TEMP TABLE seen AS SELECT item_id, count(*)::BIGINT AS views FROM views "
            "SEMI JOIN made USING (item_id) WHERE inside(viewed_at) GROUP BY item_id"
        )
    else:
        con.execute(
            "CREATE TEMP TABLE seen AS SELECT item_id, 0::BIGINT AS views FROM made LIMIT 0"
        )


def _least(place: str, segments: Mapping[str, str]) -> str:
    names = [name for name, where in segments.items() if where == place]
    return ", ".join(f"min({name}) AS {name}" for name in names) or "1 AS here"


def votes(con: Any, policy: str | None) -> Any:
    """item_id, rater, label, stratum, inclusion: the votes on the window's items."""
    where = "" if policy is None else "AND policy = $policy"
    return con.execute(
        "SELECT made.item_id, rater_id, label, stratum, inclusion_probability AS inclusion "
        "FROM labels JOIN made USING (item_id) "
        f"WHERE label IS NOT NULL {where} ORDER BY ALL",
        {} if policy is None else {"policy": policy},
    ).df()


def labelled(con: Any, items: Any, roles: Sequence[str], segments: Sequence[str]) -> Any:
    """One row per item of `items` (a frame with item_id): what is known of it."""
    con.register("wanted", items)
    score = "scored.score" if "scores" in roles else "NULL::DOUBLE AS score"
    scored = (
        "LEFT JOIN (SELECT item_id, max(score) AS score FROM scores "
        "SEMI JOIN wanted USING (item_id) GROUP BY item_id) AS scored USING (item_id)"
        if "scores" in roles
        else ""
    )
    names = "".join(f", {name}" for name in segments)
    return con.execute(
        f"SELECT item_id, account_id, created_at, coalesce(views, 0) AS views, {score}{names} "
        f"FROM wanted JOIN made USING (item_id) LEFT JOIN seen USING (item_id) {scored} "
        "ORDER BY item_id"
    ).df()


def hits(con: Any, roles: Sequence[str]) -> Any:
    """item_id, source: what each control, and ``reported``, hit of the labelled items."""
    parts = []
    if "actions" in roles:
        parts.append("SELECT DISTINCT item_id, 'control:' || source AS source FROM actions "
                     "SEMI JOIN wanted USING (item_id) WHERE source IS NOT NULL")  # fmt: skip
    if "reports" in roles:
        parts.append("SELECT DISTINCT item_id, 'reported' FROM reports "
                     "SEMI JOIN wanted USING (item_id)")  # fmt: skip
    if not parts:
        return None
    return con.execute(" UNION ALL ".join(parts) + " ORDER BY ALL").df()


def controls(con: Any, roles: Sequence[str]) -> Any:
    """source, items: distinct items of the window that each control acted on."""
    parts = ["SELECT NULL::VARCHAR AS source, 0::BIGINT AS items WHERE false"]
    if "actions" in roles:
        parts.append(
            "SELECT source, count(DISTINCT item_id) FROM actions "
            "SEMI JOIN made USING (item_id) WHERE source IS NOT NULL GROUP BY 1"
        )
    if "reports" in roles:
        parts.append("SELECT 'reported', count(DISTINCT item_id) FROM reports "
                     "SEMI JOIN made USING (item_id)")  # fmt: skip
    return con.execute(" UNION ALL ".join(parts) + " ORDER BY ALL").df()


def totals(con: Any) -> tuple[int, int]:
    """Items made, and views of them seen, in the window."""
    items, views = con.execute(
        "SELECT count(*), coalesce(sum(views), 0)::BIGINT FROM made LEFT JOIN seen USING (item_id)"
    ).fetchone()
    return int(items), int(views)


def by_segment(con: Any, name: str) -> Any:
    """value, items, views of one segment."""
    return con.execute(
        f"SELECT {name} AS value, count(*) AS items, coalesce(sum(views), 0)::BIGINT AS views "
        "FROM made LEFT JOIN seen USING (item_id) GROUP BY 1 ORDER BY 1"
    ).df()


def by_day(con: Any) -> Any:
    """day (seconds), items, views: by the day, UTC, on which the item was made."""
    return con.execute(
        "SELECT created_at // 86400 * 86400 AS day, count(*) AS items, "
        "coalesce(sum(views), 0)::BIGINT AS views "
        "FROM made LEFT JOIN seen USING (item_id) GROUP BY 1 ORDER BY 1"
    ).df()
