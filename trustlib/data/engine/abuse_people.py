"""Accounts: how much is confirmed of each, what the join with accounts lacks, what ties them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustlib.data.engine.abuse import Tables

JOIN = ("accounts", "missing", "enforced", "enforced_missing", "items", "items_missing")


def account_items(tables: Tables) -> None:
    """``own`` (actor, items, violating_items, first_at, last_at, enforced): of the window."""
    tables.make(
        "own",
        "SELECT actor, count(*) AS items, count(b.item_id) AS violating_items, "
        "min(i.created_at) AS first_at, max(i.created_at) AS last_at, "
        "count(h.item_id) > 0 AS enforced FROM item AS i "
        "LEFT JOIN (SELECT item_id FROM bad) AS b USING (item_id) "
        "LEFT JOIN (SELECT DISTINCT item_id FROM hit) AS h USING (item_id) "
        "WHERE from_start(i.created_at) AND actor >= 0 GROUP BY 1",
    )


def actor_harm(tables: Tables) -> Any:
    """amount, actors."""
    return tables.frame(
        "SELECT violating_items AS amount, count(*) AS actors FROM own GROUP BY 1 ORDER BY 1"
    )


def accounts_join(tables: Tables, names: Mapping[str, str]) -> Any:
    """segment, value and the counts of `JOIN`; `names` are the items' own segments."""
    counts = (
        "count(*) AS accounts, count(*) FILTER (NOT known) AS missing, "
        "count(*) FILTER (enforced) AS enforced, "
        "count(*) FILTER (enforced AND NOT known) AS enforced_missing, "
        "sum(n)::BIGINT AS items, coalesce(sum(n) FILTER (NOT known), 0)::BIGINT AS items_missing"
    )
    parts = [
        f"SELECT 0 AS place, 'all' AS segment, 'all' AS value, {counts} "
        "FROM (SELECT *, items AS n FROM own) JOIN actor USING (actor)"
    ]
    for i, name in enumerate(names):
        parts.append(
            f"SELECT {1 + i}, $n{i}, {name}_name.value, {counts} FROM (SELECT actor, {name}, "
            "count(*) AS n FROM item WHERE from_start(created_at) AND actor >= 0 GROUP BY 1, 2) "
            f"JOIN {name}_name ON {name}_name.code = {name} JOIN own USING (actor) "
            "JOIN actor USING (actor) GROUP BY 1, 2, 3"
        )
    said = {f"n{i}": name for i, name in enumerate(names.values())}
    return tables.frame(
        f"SELECT segment, value, {', '.join(JOIN)} FROM ({' UNION ALL '.join(parts)}) "
        "ORDER BY place, segment, value",
        said,
    )


def links(tables: Tables) -> Any:
    """``link`` (actor, kind, token): distinct links of the window's accounts; as a frame."""
    if not tables.has("links"):
        tables.make("link", "SELECT 0 AS actor, '' AS kind, 0 AS token LIMIT 0")
        return tables.frame("FROM link")
    tables.make(
        "link",
        "SELECT actor, kind, (dense_rank() OVER (PARTITION BY kind ORDER BY token) - 1)::INTEGER "
        "AS token FROM (SELECT DISTINCT a.actor, l.kind, l.token FROM links AS l "
        "JOIN actor AS a USING (account_id) SEMI JOIN own ON own.actor = a.actor "
        "WHERE l.kind IS NOT NULL AND l.token IS NOT NULL)",
    )
    return tables.frame(
        "SELECT actor::BIGINT AS actor, kind, token::BIGINT AS token FROM link ORDER BY ALL"
    )


def tied(tables: Tables) -> Any:
    """actor, items, violating_items, views, first_at, last_at: accounts with a token in common."""
    parts = ["SELECT DISTINCT actor FROM share"]
    if tables.has("links"):
        parts.append(
            "SELECT actor FROM link SEMI JOIN (SELECT kind, token FROM link GROUP BY 1, 2 "
            "HAVING count(*) > 1) USING (kind, token)"
        )
    return tables.frame(
        "SELECT o.actor::BIGINT AS actor, items, violating_items, coalesce(own, 0) AS views, "
        f"first_at, last_at FROM own AS o SEMI JOIN ({' UNION '.join(parts)}) AS t USING (actor) "
        "LEFT JOIN (SELECT actor, own FROM seen WHERE part = 'actor') USING (actor) "
        "ORDER BY o.actor"
    )
