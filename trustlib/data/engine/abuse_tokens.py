"""Domains and texts: who shares which, and how often each is used.

A token has a number where it is said of it: used three times or more, by two accounts or more
of the window, or by a labelled item. Numbers follow the order of names.
"""

from __future__ import annotations

from typing import Any

from trustlib.data.engine.abuse import Tables

COLUMNS = {"domain": "url_domain", "text": "text_hash"}
FEWEST = 3  # uses
WEEK = 7 * 86400


def tokens(tables: Tables) -> None:
    """``domain_use``, ``text_use`` (name, token, before, now, earlier, shared) and
    ``domain_of``, ``text_of`` (item_id, token: of labelled items)."""
    for kind, column in COLUMNS.items():
        if not tables.has("items", column):
            tables.make(f"{kind}_use", _NO_USE)
            tables.make(f"{kind}_of", "SELECT item_id, 0::BIGINT AS token FROM items LIMIT 0")
            continue
        sampled = f"OR name IN (SELECT {column} FROM items_once SEMI JOIN pick USING (item_id))"
        tables.make(
            f"{kind}_use",
            "SELECT name, (row_number() OVER (ORDER BY name) - 1)::INTEGER AS token, before, now, "
            "earlier, least <> most AS shared FROM ("
            f"SELECT i.{column} AS name, "
            f"count(*) FILTER (i.created_at >= {tables.start:d} AND i.created_at < "
            f"{tables.compare:d}) AS before, "
            f"count(*) FILTER (i.created_at >= {tables.compare:d}) AS now, "
            f"count(*) FILTER (i.created_at < {tables.start:d}) AS earlier, "
            f"min(actor) FILTER (i.created_at >= {tables.start:d} AND actor >= 0) AS least, "
            f"max(actor) FILTER (i.created_at >= {tables.start:d} AND actor >= 0) AS most "
            "FROM items_once AS i LEFT JOIN actor USING (account_id) "
            f"WHERE from_history(i.created_at) AND i.{column} IS NOT NULL GROUP BY 1) "
            f"WHERE before + now + earlier >= {FEWEST} OR least <> most {sampled}",
        )
        tables.make(
            f"{kind}_of",
            f"SELECT item_id, token FROM items_once JOIN {kind}_use ON name = {column} "
            "SEMI JOIN pick USING (item_id)",
        )


_NO_USE = (
    "SELECT '' AS name, 0 AS token, 0 AS before, 0 AS now, 0 AS earlier, false AS shared LIMIT 0"
)


def shares(tables: Tables) -> Any:
    """``share`` (actor, kind, token, time); as a frame."""
    parts = [
        f"SELECT actor, '{kind}' AS kind, token, i.created_at AS time FROM items_once AS i "
        f"JOIN {kind}_use ON name = i.{column} JOIN actor USING (account_id) "
        "WHERE shared AND from_start(i.created_at)"
        for kind, column in COLUMNS.items()
        if tables.has("items", column)
    ]
    empty = "SELECT 0::INTEGER AS actor, '' AS kind, 0::INTEGER AS token, 0::BIGINT AS time LIMIT 0"
    tables.make("share", " UNION ALL ".join([f"({empty})", *parts]))
    return tables.frame(
        "SELECT actor::BIGINT AS actor, kind, token::BIGINT AS token, time FROM share ORDER BY ALL"
    )


def frequent(tables: Tables) -> Any:
    """kind, token, before, now, name: of three uses in the window or more."""
    return tables.frame(
        " UNION ALL ".join(
            f"SELECT '{kind}' AS kind, token::BIGINT AS token, before::BIGINT AS before, "
            f"now::BIGINT AS now, name FROM {kind}_use WHERE before + now >= {FEWEST}"
            for kind in COLUMNS
        )
        + " ORDER BY 1, 2"
    )


def weekly(tables: Tables) -> Any:
    """kind, token, window (0 the earliest), count: whole weeks up to compare_from."""
    weeks = (tables.compare - tables.history) // WEEK
    first = tables.compare - weeks * WEEK
    parts = [
        f"SELECT '{kind}' AS kind, token::BIGINT AS token, "
        f"(created_at - {first:d}) // {WEEK:d} AS window, count(*) AS count FROM items_once "
        f"JOIN {kind}_use ON name = {column} WHERE created_at >= {first:d} "
        f"AND created_at < {tables.compare:d} AND before + now + earlier >= {FEWEST} "
        "GROUP BY 1, 2, 3"
        for kind, column in COLUMNS.items()
        if tables.has("items", column)
    ]
    empty = "SELECT '' AS kind, 0::BIGINT AS token, 0::BIGINT AS window, 0::BIGINT AS count LIMIT 0"
    return tables.frame(" UNION ALL ".join([f"({empty})", *parts]) + " ORDER BY 1, 2, 3")
