"""Views of items in one pass, and the totals of weeks, strata and segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.abuse_made import once


def views_once(tables: Tables) -> int:
    """``views_once``: each view from history_start on, once; how many rows were one too many.

    Views without a number count once per item, viewer and second where viewers are known, and
    as often as they stand there otherwise.
    """
    more, parts = 0, []
    columns = [name for name in tables.columns["views"] if name != "view_id"]
    numbered = tables.has("views", "view_id")
    recent = "from_history(viewed_at)"
    if numbered:
        more = once(tables, "views", "view_id", recent)
        tables.con.execute("ALTER VIEW views_once RENAME TO views_numbered")
        parts.append(f"SELECT view_id, {', '.join(columns)} FROM views_numbered")
    rest = recent + (" AND view_id IS NULL" if numbered else "")
    if not numbered or tables.row(f"SELECT count(*) FROM views WHERE {rest}")[0]:
        distinct = "DISTINCT" if "viewer_id" in columns else "ALL"
        number = "NULL AS view_id, " if numbered else ""
        picked = f"SELECT {distinct} {', '.join(columns)} FROM views WHERE {rest}"
        parts.append(f"SELECT {number}{', '.join(columns)} FROM ({picked})")
    tables.con.execute(f"CREATE TEMP VIEW views_once AS {' UNION ALL '.join(parts)}")
    return more


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
        "FROM views_once AS v LEFT JOIN item AS i USING (item_id)) "
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


def mean_scores(tables: Tables) -> Any:
    """stratum, items, scored, billionths (the sum of the scores): of items made in the window."""
    if not tables.has("scores"):
        return tables.frame(
            "SELECT '' AS stratum, 0 AS items, 0 AS scored, 0 AS billionths LIMIT 0"
        )
    # Whole billionths add up alike in any order and on any number of threads.
    return tables.frame(
        "SELECT value AS stratum, count(*) AS items, count(score) AS scored, "
        "coalesce(sum(round(score * 1e9)::HUGEINT), 0)::DOUBLE AS billionths FROM item "
        "JOIN stratum_name ON code = stratum LEFT JOIN ("
        "SELECT item_id, max(score) AS score FROM scores GROUP BY 1) USING (item_id) "
        "WHERE from_start(created_at) GROUP BY 1 ORDER BY 1"
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
