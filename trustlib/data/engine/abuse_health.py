"""Counts about the tables of a deep-dive: what stands there, what is read, what fits together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trustlib.data.abuse_records import TABLES, Column
from trustlib.data.engine.abuse import UNSURE, Tables


@dataclass(frozen=True, kw_only=True)
class Cells:
    """A column's cells.

    Attributes
    ----------
    rows, there, unreadable
        Rows of the table; those in which something stands; those of these that cannot be read.
    """

    role: str
    column: str
    kind: str
    needed: bool
    rows: int
    there: int
    unreadable: int


def cells(
    tables: Tables, wanted: Mapping[str, Mapping[str, Column]] | None = None
) -> tuple[Cells, ...]:
    """Of every column that can be misread, and of every key, text and time that is needed.

    `wanted` are the columns of each role; those of a deep-dive where none are given.
    """
    by_role: Mapping[str, Mapping[str, Column]] = wanted or {
        str(role): columns for role, columns in TABLES.items()
    }
    found = []
    for role, kinds in tables.columns.items():
        told = {name: column.needed for name, column in by_role[role].items()}
        names = [
            name for name, kind in kinds.items() if kind in UNSURE or told.get(name, False)
        ]  # fmt: skip
        counts = ", ".join(
            f'count(*) FILTER ({name}_there), count(*) FILTER ({name}_there AND "{name}" IS NULL)'
            if kinds[name] in UNSURE
            else f'count("{name}"), 0'
            for name in names
        )
        row = tables.row(f"SELECT count(*), {counts} FROM all_{role}")
        for i, name in enumerate(names):
            cell = Cells(
                role=role,
                column=name,
                kind=kinds[name],
                needed=told.get(name, False),
                rows=row[0],
                there=row[1 + 2 * i],
                unreadable=row[2 + 2 * i],
            )
            found.append(cell)
    return tuple(found)


def strangers(tables: Tables) -> dict[str, tuple[int, int]]:
    """Role -> rows (labels: votes), and those of them whose item is not in items."""
    found = {}
    sources = {
        "labels": ("labels_vote", "subject"), "actions": ("act", "item_id"),
        "reports": ("reported", "item_id"), "scores": ("scores", "item_id"),
    }  # fmt: skip
    for role, (table, key) in sources.items():
        if tables.has(role):
            row = tables.row(
                f"SELECT count(*), count(*) FILTER (k NOT IN (SELECT item_id FROM items_once)) "
                f"FROM (SELECT {key} AS k FROM {table} WHERE {key} IS NOT NULL)"
            )
            found[role] = (int(row[0]), int(row[1]))
    if tables.has("views"):
        row = tables.row(
            "SELECT coalesce(sum(views), 0)::BIGINT, "
            "coalesce(sum(views) FILTER (NOT known), 0)::BIGINT FROM seen WHERE part = 'week'"
        )
        found["views"] = (int(row[0]), int(row[1]))
    if tables.has("view_labels") and tables.has("views", "view_id"):
        row = tables.row(
            "SELECT count(*), count(*) FILTER (subject NOT IN (SELECT view_id FROM views "
            "SEMI JOIN view_labels_known ON subject = view_id)) FROM view_labels_known"
        )
        found["view_labels"] = (int(row[0]), int(row[1]))
    return found


def times(tables: Tables) -> dict[str, tuple[int | None, int | None]]:
    """Role -> its first and last second, of rows that are there yet."""
    found: dict[str, tuple[int | None, int | None]] = {}
    for role, name in (
        ("items", "created_at"), ("views", "viewed_at"), ("actions", "acted_at"),
        ("reports", "reported_at"), ("labels", "labelled_at"),
    ):  # fmt: skip
        if tables.has(role, name):
            found[role] = tables.row(f"SELECT min({name}), max({name}) FROM {role}")  # type: ignore[assignment]
    return found


def replaced(tables: Tables) -> int:
    """Votes on items that the same rater's later vote replaced."""
    if not tables.has("labels"):
        return 0
    found = tables.row(
        "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM (SELECT DISTINCT "
        "subject, rater_id, policy, label, labelled_at FROM labels_row WHERE rater_id IS NOT NULL) "
        "GROUP BY subject, rater_id, policy)"
    )
    return int(found[0])
