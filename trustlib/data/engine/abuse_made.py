"""Items, the accounts behind them and the views of them, once each; totals of strata and segments.

Tables that the other statements use: ``actor`` (account_id, actor, signed_up, known, the segments
that only accounts know), ``item`` (item_id, actor, created_at, stratum, s0 … as small codes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustlib.data.engine.abuse import Tables

MOST_VALUES = 30  # of a segment, by items; the rest is "other"
MOST_STRATA = 200
UNKNOWN, OTHER = "unknown", "other"


def once(tables: Tables, role: str, key: str) -> int:
    """``<role>_once``: a row for each `key`; how many rows were one too many.

    Where rows of one key differ, the least of each column counts: whatever the order of rows.
    """
    columns = [name for name in tables.columns[role] if name != key]
    tables.make(
        f"{role}_twice",
        f"SELECT {key}, count(*) - 1 AS more FROM {role} WHERE {key} IS NOT NULL "
        f"GROUP BY {key} HAVING count(*) > 1",
    )
    more = tables.row(f"SELECT coalesce(sum(more), 0)::BIGINT FROM {role}_twice")[0]
    rows = f"SELECT {', '.join([key, *columns])} FROM {role} WHERE {key} IS NOT NULL"
    if more:
        least = ", ".join([key, *(f"min({name}) AS {name}" for name in columns)])
        tables.make(
            f"{role}_least",
            f"SELECT {least} FROM {role} SEMI JOIN {role}_twice USING ({key}) GROUP BY {key}",
        )
        rows = (
            f"SELECT {', '.join([key, *columns])} FROM {role} ANTI JOIN {role}_twice USING ({key}) "
            f"WHERE {key} IS NOT NULL UNION ALL "
            f"SELECT {', '.join([key, *columns])} FROM {role}_least"
        )
    tables.con.execute(f"CREATE TEMP VIEW {role}_once AS {rows}")
    return int(more)


def two_strata(tables: Tables) -> int:
    """Items whose rows name two strata or more."""
    if not tables.has("items", "stratum"):
        return 0
    found = tables.row(
        "SELECT count(*) FROM (SELECT item_id FROM items SEMI JOIN items_twice USING (item_id) "
        "GROUP BY item_id HAVING min(stratum) <> max(stratum))"
    )
    return int(found[0])


def people(tables: Tables, segments: Sequence[str]) -> int:
    """``actor``: the accounts of items, numbered by their keys; how many rows of accounts were
    one too many."""
    mine = [name for name in segments if not tables.has("items", name)]
    more, join, picked = 0, "", "NULL::BIGINT AS signed_up, false AS known"
    if tables.has("accounts"):
        more = once(tables, "accounts", "account_id")
        signed = "p.created_at" if tables.has("accounts", "created_at") else "NULL::BIGINT"
        picked = f"{signed} AS signed_up, p.account_id IS NOT NULL AS known"
        picked += "".join(f", p.{name} AS {name}" for name in mine)
        join = "LEFT JOIN accounts_once AS p USING (account_id)"
    tables.make(
        "actor",
        f"SELECT i.account_id, (row_number() OVER (ORDER BY i.account_id) - 1)::INTEGER AS actor, "
        f"{picked} FROM (SELECT DISTINCT account_id FROM items_once "
        f"WHERE account_id IS NOT NULL AND created_at < {tables.end:d}) AS i {join}",
    )
    return more


def strata(tables: Tables) -> bool:
    """``stratum_name`` (value, code): strata of items in the order of their names; whether items
    have any."""
    counted = tables.has("items", "stratum")
    if counted:
        tables.make(
            "stratum_name",
            "SELECT value, (row_number() OVER (ORDER BY value) - 1)::SMALLINT AS code FROM "
            f"(SELECT DISTINCT coalesce(stratum, '{UNKNOWN}') AS value FROM items_once "
            f"WHERE created_at < {tables.end:d})",
        )
        known = tables.row(f"SELECT count(*) FROM stratum_name WHERE value <> '{UNKNOWN}'")
        counted = known[0] > 0
        if not counted:
            tables.drop("stratum_name")
    if not counted:
        tables.make("stratum_name", "SELECT 'all' AS value, 0::SMALLINT AS code")
    return counted


def values(tables: Tables, segments: Sequence[str]) -> None:
    """``<segment>_name`` (value, code): the largest values by items of the window, by rank."""
    for name in segments:
        source, join = ("i", "") if tables.has("items", name) else ("a", _ACTOR)
        tables.make(
            f"{name}_name",
            "SELECT value, (row_number() OVER (ORDER BY n DESC, value) - 1)::SMALLINT AS code "
            f"FROM (SELECT coalesce({source}.{name}, '{UNKNOWN}') AS value, count(*) AS n "
            f"FROM items_once AS i {join} WHERE from_start(i.created_at) GROUP BY 1) "
            f"QUALIFY row_number() OVER (ORDER BY n DESC, value) <= {MOST_VALUES}",
        )
        # "other" has a row where the values run out, and may be a value of its own.
        tables.con.execute(
            f"INSERT INTO {name}_name SELECT '{OTHER}', {MOST_VALUES} "
            f"WHERE NOT EXISTS (SELECT 1 FROM {name}_name WHERE value = '{OTHER}')"
        )


_ACTOR = "LEFT JOIN actor AS a ON a.account_id = i.account_id"


def made(tables: Tables, segments: Sequence[str], *, counted: bool) -> None:
    """``item``: every item made before the window's end."""
    picked, joins = [], [_ACTOR]
    if counted:
        picked.append("st.code AS stratum")
        joins.append(f"LEFT JOIN stratum_name AS st ON st.value = coalesce(i.stratum, '{UNKNOWN}')")
    else:
        picked.append("0::SMALLINT AS stratum")
    for name in segments:
        source = "i" if tables.has("items", name) else "a"
        other = f"(SELECT max(code) FROM {name}_name WHERE value = '{OTHER}')"
        picked.append(f"coalesce({name}_name.code, {other})::SMALLINT AS {name}")
        joins.append(
            f"LEFT JOIN {name}_name ON {name}_name.value = coalesce({source}.{name}, '{UNKNOWN}')"
        )
    tables.make(
        "item",
        f"SELECT i.item_id, coalesce(a.actor, -1) AS actor, i.created_at, {', '.join(picked)} "
        f"FROM items_once AS i {' '.join(joins)} WHERE i.created_at < {tables.end:d}",
    )


def views_once(tables: Tables) -> int:
    """``views_once``: each view once; how many rows were one too many.

    Views without a number count once per item, viewer and second where viewers are known, and
    as often as they stand there otherwise.
    """
    if tables.has("views", "view_id"):
        more = once(tables, "views", "view_id")
        if not tables.row("SELECT count(*) FROM views WHERE view_id IS NULL")[0]:
            return more
    if tables.has("views", "view_id"):
        tables.con.execute("DROP VIEW views_once")
        tables.con.execute("CREATE TEMP VIEW views_once AS FROM views")
        return 0
    if tables.has("views", "viewer_id"):
        tables.con.execute(
            "CREATE TEMP VIEW views_once AS "
            "SELECT DISTINCT item_id, viewed_at, viewer_id FROM views"
        )
    else:
        tables.con.execute("CREATE TEMP VIEW views_once AS FROM views")
    return 0


def seen(tables: Tables, segments: Sequence[str]) -> None:
    """``seen``: views from history_start on, in one pass, by each of what they are asked by.

    ``part`` "week" (week, inside, known, stratum), s0 … (value, stratum) and "actor" (actor);
    ``views``, and ``own``: in the window, of items made in the window.
    """
    if not tables.has("views"):
        columns = ["week", "inside", "known", "stratum", "actor", *segments, "views", "own"]
        zeros = ", ".join(f"0::BIGINT AS {name}" for name in columns)
        tables.make("seen", f"SELECT '' AS part, {zeros} WHERE false")
        return
    sets = ["(week, inside, known, stratum)", "(actor)", *(f"({s}, stratum)" for s in segments)]
    parts = "".join(f" WHEN grouping({name}) = 0 THEN '{name}'" for name in segments)
    codes = "".join(f", {name}" for name in segments)
    tables.make(
        "seen",
        f"SELECT CASE WHEN grouping(week) = 0 THEN 'week' WHEN grouping(actor) = 0 THEN 'actor'"
        f"{parts} END AS part, week, inside, known, stratum, actor{codes}, "
        "count(*) AS views, count(*) FILTER (inside AND mine) AS own FROM ("
        f"SELECT {week('v.viewed_at')} AS week, v.viewed_at >= {tables.start:d} AS inside, "
        f"i.item_id IS NOT NULL AS known, i.created_at >= {tables.start:d} AS mine, "
        f"i.stratum, i.actor{''.join(f', i.{s}' for s in segments)} "
        "FROM views_once AS v LEFT JOIN item AS i USING (item_id) WHERE from_history(v.viewed_at)) "
        f"GROUP BY GROUPING SETS ({', '.join(sets)})",
    )


def week(time: str) -> str:
    """SQL: the Monday, 00:00 UTC, of a time in seconds."""
    # 1970-01-05 was a Monday.
    return f"({time} - 345600) // 604800 * 604800 + 345600"


def weeks(tables: Tables) -> Any:
    """week, stratum, items, views; rows that are not there count 0."""
    return tables.frame(
        "SELECT week, value AS stratum, sum(items)::BIGINT AS items, sum(views)::BIGINT AS views "
        f"FROM (SELECT {week('created_at')} AS week, stratum AS code, count(*) AS items, "
        "0 AS views FROM item WHERE from_history(created_at) GROUP BY 1, 2 UNION ALL "
        "SELECT week, stratum, 0, views FROM seen WHERE part = 'week' AND known) "
        "JOIN stratum_name USING (code) GROUP BY 1, 2 ORDER BY 1, 2"
    )


def population(tables: Tables) -> Any:
    """stratum, items, views of the window."""
    return tables.frame(
        "SELECT value AS stratum, coalesce(sum(items), 0)::BIGINT AS items, "
        "coalesce(sum(views), 0)::BIGINT AS views FROM stratum_name LEFT JOIN ("
        "SELECT stratum AS code, count(*) AS items, 0 AS views FROM item "
        "WHERE from_start(created_at) GROUP BY 1 UNION ALL "
        "SELECT stratum, 0, views FROM seen WHERE part = 'week' AND known AND inside"
        ") USING (code) GROUP BY 1 ORDER BY 1"
    )


def by_segment(tables: Tables, names: Mapping[str, str]) -> Any:
    """segment, value, stratum, items, views; `names` are the segments' own names."""
    empty = (
        "SELECT '' AS segment, '' AS value, '' AS stratum, 0::BIGINT AS items, 0::BIGINT AS views "
        "WHERE false"
    )
    parts = [
        f"SELECT $n{i} AS segment, v.value, st.value AS stratum, sum(items)::BIGINT AS items, "
        f"sum(views)::BIGINT AS views FROM (SELECT {name} AS code, stratum, count(*) AS items, "
        "0 AS views FROM item WHERE from_start(created_at) GROUP BY 1, 2 UNION ALL "
        f"SELECT {name}, stratum, 0, own FROM seen WHERE part = '{name}' AND own > 0) AS t "
        f"JOIN {name}_name AS v USING (code) JOIN stratum_name AS st ON st.code = t.stratum "
        "GROUP BY 1, 2, 3"
        for i, name in enumerate(names)
    ]
    said = {f"n{i}": name for i, name in enumerate(names.values())}
    return tables.frame(" UNION ALL ".join([empty, *parts]) + " ORDER BY 1, 2, 3", said)


def cells(tables: Tables, segments: Sequence[str]) -> Any:
    """s0 …, before, now: items of the window."""
    picked = "".join(f"{name}_name.value AS {name}, " for name in segments)
    joins = " ".join(f"JOIN {name}_name ON {name}_name.code = i.{name}" for name in segments)
    by = ", ".join(str(1 + i) for i in range(len(segments)))
    grouped = f"GROUP BY {by} ORDER BY {by}" if segments else ""
    return tables.frame(
        f"SELECT {picked}count(*) FILTER (created_at < {tables.compare:d}) AS before, "
        f"count(*) FILTER (created_at >= {tables.compare:d}) AS now "
        f"FROM item AS i {joins} WHERE from_start(created_at) {grouped}"
    )


def item_totals(tables: Tables) -> Any:
    """stratum, items made from history_start on."""
    return tables.frame(
        "SELECT value AS stratum, count(*) AS items FROM item JOIN stratum_name ON code = stratum "
        "WHERE from_history(created_at) GROUP BY 1 ORDER BY 1"
    )


def view_totals(tables: Tables) -> Any:
    """stratum, views from history_start on."""
    return tables.frame(
        "SELECT value AS stratum, sum(views)::BIGINT AS views FROM seen JOIN stratum_name "
        "ON code = stratum WHERE part = 'week' AND known GROUP BY 1 ORDER BY 1"
    )
