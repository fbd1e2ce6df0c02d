"""Items and the accounts behind them, once each, with strata and segments as small codes.

Tables that the other statements use: ``actor`` (account_id, actor, signed_up, known, the segments
that only accounts know), ``item`` (item_id, actor, created_at, stratum, s0 … as small codes).
"""

from __future__ import annotations

from collections.abc import Sequence

from trustlib.data.engine.abuse import Tables

MOST_VALUES = 30  # of a segment, by items; the rest is "other"
MOST_STRATA = 200
UNKNOWN, OTHER = "unknown", "other"


def once(tables: Tables, role: str, key: str, where: str = "true") -> int:
    """``<role>_once``: a row for each `key`; how many rows were one too many.

    Where rows of one key differ, the least of each column counts: whatever the order of rows.
    Rows that are not so `where` are left out.
    """
    where = f"{key} IS NOT NULL AND {where}"
    columns = [name for name in tables.columns[role] if name != key]
    tables.make(
        f"{role}_twice",
        f"SELECT {key}, count(*) - 1 AS more FROM {role} WHERE {where} "
        f"GROUP BY {key} HAVING count(*) > 1",
    )
    more = tables.row(f"SELECT coalesce(sum(more), 0)::BIGINT FROM {role}_twice")[0]
    rows = f"SELECT {', '.join([key, *columns])} FROM {role} WHERE {where}"
    if more:
        least = ", ".join([key, *(f"min({name}) AS {name}" for name in columns)])
        tables.make(
            f"{role}_least",
            f"SELECT {least} FROM {role} SEMI JOIN {role}_twice USING ({key}) WHERE {where} "
            f"GROUP BY {key}",
        )
        rows = (
            f"SELECT {', '.join([key, *columns])} FROM {role} ANTI JOIN {role}_twice USING ({key}) "
            f"WHERE {where} UNION ALL "
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
        join = "LEFT JOIN accounts_once AS p USING (account_id)"
    known = "p.{0}" if tables.has("accounts") else "NULL::VARCHAR"
    picked += "".join(f", {known.format(name)} AS {name}" for name in mine)
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
        largest(
            tables,
            name,
            f"SELECT {source}.{name} AS value FROM items_once AS i {join} "
            "WHERE from_start(i.created_at)",
        )


def largest(tables: Tables, name: str, rows: str) -> None:
    """``<name>_name`` (value, code): the largest values of what the statement `rows` gives."""
    tables.make(
        f"{name}_name",
        "SELECT value, (row_number() OVER (ORDER BY n DESC, value) - 1)::SMALLINT AS code "
        f"FROM (SELECT coalesce(value, '{UNKNOWN}') AS value, count(*) AS n FROM ({rows}) "
        "GROUP BY 1) "
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
