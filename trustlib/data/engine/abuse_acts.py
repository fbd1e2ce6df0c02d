"""What controls and users did: hits on items, appeals, what is confirmed, what came first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.abuse_made import once

OVERTURNED, UPHELD = "overturned", "upheld"


def acts(tables: Tables, controls: Sequence[str]) -> int:
    """``act`` (item_id, source, acted_at, overturned), each action once, ``control_name`` (value,
    place) and ``hit`` (item_id, place, first_at); how many rows were one too many."""
    tables.names("control_name", controls)
    if not tables.has("actions"):
        tables.make(
            "act",
            "SELECT item_id, NULL::VARCHAR AS source, 0::BIGINT AS acted_at, NULL AS action_id "
            "FROM items LIMIT 0",
        )
        more = 0
    elif tables.has("actions", "action_id"):
        more = once(tables, "actions", "action_id")
        rest = "SELECT item_id, source, acted_at, action_id FROM actions WHERE action_id IS NULL"
        tables.make(
            "act",
            "SELECT * FROM (SELECT item_id, source, acted_at, action_id FROM actions_once "
            f"UNION ALL {rest}) WHERE {_USABLE}",
        )
    else:
        more = 0
        tables.make(
            "act",
            "SELECT DISTINCT item_id, source, acted_at, NULL AS action_id FROM actions "
            f"WHERE {_USABLE}",
        )
    if not controls:
        tables.con.execute(
            "INSERT INTO control_name SELECT source, row_number() OVER (ORDER BY source) - 1 "
            "FROM (SELECT DISTINCT source FROM act)"
        )
    tables.make(
        "hit",
        "SELECT item_id, place, min(acted_at) AS first_at FROM act "
        "JOIN control_name ON source = value GROUP BY 1, 2",
    )
    return more


_USABLE = "item_id IS NOT NULL AND source IS NOT NULL AND acted_at IS NOT NULL"


def unknown_names(tables: Tables, role: str, column: str, names: Sequence[str]) -> list[str]:
    """Those of `names` that no row of the table has."""
    tables.names("asked_name", names)
    found = tables.con.execute(
        f"SELECT value FROM asked_name ANTI JOIN (SELECT DISTINCT {column} AS value FROM {role}) "
        "USING (value) ORDER BY place"
    ).fetchall()
    tables.drop("asked_name")
    return [row[0] for row in found]


def alike(tables: Tables, role: str, column: str, name: str) -> bool:
    """Whether the table has a name that differs from `name` in case or separators only."""
    folded = "regexp_replace(lower({}), '[^a-z0-9]', '', 'g')"
    found = tables.row(
        f"SELECT count(*) FROM {role} WHERE {folded.format(column)} = {folded.format('$name')}",
        {"name": name},
    )
    return bool(found[0])


def appeals(tables: Tables) -> dict[str, int]:
    """``appeal`` (action_id, decided, overturned), each action once; counts of outcomes."""
    if not tables.has("appeals"):
        tables.make(
            "appeal", "SELECT NULL AS action_id, false AS decided, false AS overturned LIMIT 0"
        )
        return {"appeals": 0, "words": 0, "odd": 0}
    tables.make(
        "appeal",
        f"SELECT action_id, bool_or(word IN ('{OVERTURNED}', '{UPHELD}')) AS decided, "
        f"bool_or(word = '{OVERTURNED}') AS overturned FROM (SELECT action_id, "
        "coalesce(lower(outcome), '') AS word FROM appeals WHERE action_id IS NOT NULL) GROUP BY 1",
    )
    found = tables.row(
        f"SELECT count(*), count(outcome), count(*) FILTER (lower(outcome) NOT IN "
        f"('{OVERTURNED}', '{UPHELD}')) FROM appeals"
    )
    return dict(zip(("appeals", "words", "odd"), map(int, found), strict=True))


def reports(tables: Tables, reasons: Sequence[str]) -> None:
    """``reported`` (item_id, first_at): items that users reported for the reasons."""
    if not tables.has("reports"):
        tables.make("reported", "SELECT item_id, 0::BIGINT AS first_at FROM items LIMIT 0")
        return
    tables.names("reason_name", reasons)
    where = " AND reason IN (SELECT value FROM reason_name)" if reasons else ""
    tables.make(
        "reported",
        "SELECT item_id, min(reported_at) AS first_at FROM reports WHERE item_id IS NOT NULL "
        f"AND reported_at IS NOT NULL{where} GROUP BY 1",
    )


def bad(tables: Tables, confirming: Sequence[str]) -> None:
    """``bad`` (as ``item``): what labels, or a confirming decision that stands, call violating."""
    parts = ["SELECT subject AS item_id FROM labels_known WHERE violating"]
    if confirming:
        tables.names("confirming_name", confirming)
        parts.append(
            "SELECT item_id FROM act LEFT JOIN appeal USING (action_id) "
            "WHERE source IN (SELECT value FROM confirming_name) "
            "AND NOT coalesce(overturned, false)"
        )
    rows = " UNION ".join(f"({part})" for part in parts)
    tables.make("bad", f"SELECT i.* FROM item AS i SEMI JOIN ({rows}) AS b USING (item_id)")


def controls(tables: Tables) -> Any:
    """source, items: in the order of the controls, ``reported`` last."""
    parts = [
        "SELECT place, value AS source, count(i.item_id) AS items FROM control_name "
        "LEFT JOIN hit USING (place) LEFT JOIN (SELECT item_id FROM item "
        "WHERE from_start(created_at)) AS i USING (item_id) GROUP BY 1, 2"
    ]
    if tables.has("reports"):
        parts.append(
            "SELECT 1000000, 'reported', count(*) FROM reported JOIN item USING (item_id) "
            "WHERE from_start(created_at)"
        )
    return tables.frame(f"SELECT source, items FROM ({' UNION ALL '.join(parts)}) ORDER BY place")


def appealed(tables: Tables) -> tuple[int, int, int, int]:
    """Items of the window that controls acted on: all, appealed, decided, overturned."""
    found = tables.row(
        "SELECT count(*), count(*) FILTER (asked), count(*) FILTER (decided), "
        "count(*) FILTER (overturned) FROM (SELECT item_id, bool_or(p.action_id IS NOT NULL) "
        "AS asked, bool_or(coalesce(decided, false)) AS decided, "
        "bool_or(coalesce(overturned, false)) AS overturned FROM act "
        "SEMI JOIN control_name ON source = value JOIN item USING (item_id) "
        "LEFT JOIN appeal AS p USING (action_id) WHERE from_start(created_at) GROUP BY 1)"
    )
    return int(found[0]), int(found[1]), int(found[2]), int(found[3])


def proactive(tables: Tables) -> Any:
    """proactive, actioned, accounts."""
    return tables.frame(
        "SELECT proactive, actioned, count(*) AS accounts FROM (SELECT actor, "
        "count(*) FILTER (r.first_at IS NULL OR r.first_at >= a.first_at) AS proactive, "
        "count(*) AS actioned FROM (SELECT item_id, min(first_at) AS first_at FROM hit GROUP BY 1) "
        "AS a JOIN item USING (item_id) LEFT JOIN reported AS r USING (item_id) "
        "WHERE from_start(created_at) AND actor >= 0 GROUP BY 1) GROUP BY 1, 2 ORDER BY 1, 2"
    )
