"""Votes on items and on views, each rater's once, and what they say of an item or view."""

from __future__ import annotations

from typing import Any

from trustlib.data.engine.abuse import Tables

SUBJECT = {"labels": "item_id", "view_labels": "view_id"}
_GIVEN = {
    "rater_id": "BIGINT", "policy": "VARCHAR", "stratum": "VARCHAR",
    "inclusion_probability": "DOUBLE", "labelled_at": "BIGINT",
}  # fmt: skip


def votes(tables: Tables, role: str, policy: str | None, *, equal_once: bool = False) -> None:
    """``<role>_vote`` (subject, rater_id, label, policy) and ``<role>_drawn``.

    A rater's later vote of one policy replaces the earlier; with all policies, the rater says
    "violating" where one of them says so. ``drawn``: subject, item_id, least and most of stratum
    and inclusion, and how many rows have one. `equal_once`: equal rows without a rater and a time
    are one vote.
    """
    key = SUBJECT[role]
    given = ", ".join(_given(tables, role, name) for name in _GIVEN)
    rows = (
        f"SELECT {key} AS subject, item_id, label::INTEGER AS label, {given} FROM {role} "
        f"WHERE {key} IS NOT NULL AND item_id IS NOT NULL AND label IS NOT NULL"
        + _of_policy(tables, role, policy)
    )
    if not tables.has(role):
        rows = f"SELECT item_id AS subject, item_id, 0 AS label, {given} FROM items LIMIT 0"
    tables.con.execute(f"CREATE TEMP VIEW {role}_row AS {rows}")
    # Without a rater, only the time tells two votes from one row that is there twice.
    alone = "DISTINCT" if equal_once or tables.has(role, "labelled_at") else "ALL"
    tables.make(
        f"{role}_vote",
        "WITH each AS (SELECT subject, rater_id, policy, "
        "max(coalesce(labelled_at, 0) * 2 + label) % 2 AS label "
        f"FROM {role}_row WHERE rater_id IS NOT NULL GROUP BY 1, 2, 3) "
        "SELECT subject, rater_id, max(label)::INTEGER AS label, "
        "min(policy) FILTER (label = 1) AS policy FROM each GROUP BY 1, 2 UNION ALL "
        "SELECT subject, rater_id, label, CASE WHEN label = 1 THEN policy END FROM ("
        f"SELECT {alone} subject, rater_id, label, policy, labelled_at FROM {role}_row "
        "WHERE rater_id IS NULL)",
    )
    tables.make(
        f"{role}_drawn",
        "SELECT subject, min(item_id) AS item_id, min(stratum) AS stratum, "
        "max(stratum) AS other_stratum, min(inclusion_probability) AS inclusion, "
        "max(inclusion_probability) AS other_inclusion, count(inclusion_probability) AS given "
        f"FROM {role}_row GROUP BY 1",
    )
    tables.make(
        f"{role}_known",
        "SELECT subject, count(*) AS n_votes, 2 * sum(label) > count(*) AS violating, "
        f"2 * sum(label) = count(*) AS ties, min(policy) AS policy FROM {role}_vote GROUP BY 1",
    )


def _given(tables: Tables, role: str, name: str) -> str:
    return name if tables.has(role, name) else f"NULL::{_GIVEN[name]} AS {name}"


def _of_policy(tables: Tables, role: str, policy: str | None) -> str:
    if policy is None or not tables.has(role, "policy"):
        return ""
    # A vote that names no policy was asked about this one: clean items often name none.
    return " AND coalesce(policy = (SELECT value FROM policy_name), true)"


def raters(tables: Tables) -> None:
    """``rater`` (rater_id, rater): everyone who votes on items, numbered by their keys."""
    tables.make(
        "rater",
        "SELECT rater_id, (row_number() OVER (ORDER BY rater_id) - 1)::INTEGER AS rater FROM "
        "(SELECT rater_id FROM labels_vote UNION SELECT rater_id FROM gold_vote) "
        "WHERE rater_id IS NOT NULL",
    )


def gold(tables: Tables, policy: str | None) -> int:
    """``gold_vote`` (item_id, rater_id, label, truth), each once; items with two answers are
    left out, and how many they are."""
    rater = _given(tables, "gold", "rater_id")
    rows = (
        f"SELECT DISTINCT item_id, {rater}, label::INTEGER AS label, gold::INTEGER AS truth "
        "FROM gold WHERE item_id IS NOT NULL AND label IS NOT NULL AND gold IS NOT NULL"
        + _of_policy(tables, "gold", policy)
    )
    if not tables.has("gold"):
        rows = f"SELECT item_id, {rater}, 0 AS label, 0 AS truth FROM items LIMIT 0"
    tables.con.execute(f"CREATE TEMP VIEW gold_row AS {rows}")
    tables.make(
        "gold_odd",
        "SELECT item_id FROM gold_row GROUP BY 1 HAVING min(truth) <> max(truth)",
    )
    tables.make("gold_vote", "SELECT * FROM gold_row ANTI JOIN gold_odd USING (item_id)")
    return int(tables.row("SELECT count(*) FROM gold_odd")[0])


def gold_frame(tables: Tables) -> Any:
    """item, rater, label, truth."""
    return tables.frame(
        "SELECT item::BIGINT AS item, coalesce(rater, -1)::BIGINT AS rater, "
        "label::BIGINT AS label, truth::BIGINT AS truth FROM (SELECT *, "
        "dense_rank() OVER (ORDER BY item_id) - 1 AS item "
        "FROM gold_vote) LEFT JOIN rater USING (rater_id) ORDER BY ALL"
    )


def drawn_faults(tables: Tables, role: str) -> dict[str, int]:
    """Counts of subjects: rows that disagree, chances that are missing or outside (0, 1]."""
    names = ("n", "two_strata", "two_chances", "given", "wrong")
    found = tables.row(
        "SELECT count(*), count(*) FILTER (stratum <> other_stratum), "
        "count(*) FILTER (inclusion <> other_inclusion), count(*) FILTER (given > 0), "
        "count(*) FILTER (inclusion <= 0 OR inclusion > 1 OR other_inclusion > 1) "
        f"FROM {role}_drawn"
    )
    return dict(zip(names, map(int, found), strict=True))


def other_stratum(tables: Tables, role: str) -> tuple[int, int, int]:
    """Subjects with a stratum of their own; those whose item has another one; and those whose
    stratum no item has."""
    found = tables.row(
        "SELECT count(*), count(*) FILTER (d.stratum <> st.value), "
        "count(*) FILTER (d.stratum NOT IN (SELECT value FROM stratum_name)) "
        f"FROM {role}_drawn AS d JOIN item AS i USING (item_id) "
        "JOIN stratum_name AS st ON st.code = i.stratum WHERE d.stratum IS NOT NULL"
    )
    return int(found[0]), int(found[1]), int(found[2])
