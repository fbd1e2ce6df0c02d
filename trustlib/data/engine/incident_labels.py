"""Labelled cases of an incident: their votes, the chance they were drawn with, their people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.abuse_votes import votes


def judged(tables: Tables) -> dict[str, int]:
    """``judged`` (item_id, n_votes, violating, ties, inclusion, labelled_at): labelled cases.

    Needs ``cases``. Gives counts of items with a usable label, of those that are no case, of rows
    that are there twice and of equal rows that no rater and no time tell apart; ``labels_drawn``
    is left with the cases.
    """
    if not tables.has("labels"):
        tables.make(
            "judged",
            "SELECT item_id, 0::BIGINT AS n_votes, false AS violating, false AS ties, "
            "NULL::DOUBLE AS inclusion, NULL::BIGINT AS labelled_at FROM cases LIMIT 0",
        )
        return {}
    votes(tables, "labels", None, equal_once=True)
    tables.make(
        "judged",
        "SELECT c.item_id, k.n_votes, k.violating, k.ties, d.inclusion, t.labelled_at FROM cases "
        "AS c JOIN labels_known AS k ON k.subject = c.item_id "
        "JOIN labels_drawn AS d ON d.subject = c.item_id JOIN (SELECT subject, "
        "max(labelled_at) AS labelled_at FROM labels_row GROUP BY 1) AS t ON t.subject = c.item_id",
    )
    # What no case is drawn with is of no account.
    tables.con.execute("DELETE FROM labels_drawn WHERE subject NOT IN (SELECT item_id FROM cases)")
    items, other = tables.row(
        "SELECT count(*), count(*) FILTER (subject NOT IN (SELECT item_id FROM cases)) "
        "FROM labels_known"
    )
    columns = [name for name in tables.columns["labels"] if name not in ("rater_id", "labelled_at")]
    alike = ", ".join(tables.columns["labels"])
    repeated = tables.row(
        f"SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM labels "
        f"GROUP BY {alike})"
    )[0]
    nameless = 0
    if len(columns) == len(tables.columns["labels"]):
        nameless = repeated
    strata = tables.row("SELECT count(DISTINCT stratum) FROM labels_drawn")[0]
    return {
        "items": int(items), "other": int(other), "twice": int(repeated),
        "nameless": int(nameless), "strata": int(strata),
    }  # fmt: skip


def labelled(tables: Tables, segments: Mapping[str, str]) -> Any:
    """`AffectedRows.labelled`; ``inclusion`` null where labels give none."""
    codes = ", ".join(
        f"CASE WHEN c.{kind}_id IS NULL THEN -1 ELSE dense_rank() OVER (ORDER BY c.{kind}_id "
        f"NULLS LAST) - 1 END::BIGINT AS {kind}, coalesce({kind}_n.n, 0)::BIGINT AS {kind}_dose"
        for kind in ("account", "customer")
    )
    joins = " ".join(
        f"LEFT JOIN (SELECT side, {kind}_id, count(*) AS n FROM cases GROUP BY 1, 2) AS {kind}_n "
        f"ON {kind}_n.side = c.side AND {kind}_n.{kind}_id = c.{kind}_id"
        for kind in ("account", "customer")
    )
    own = "".join(f", c.{name} AS {name}" for name in segments)
    frame = tables.frame(
        "SELECT (row_number() OVER (ORDER BY c.item_id) - 1)::BIGINT AS item, c.side, c.suspect, "
        "j.inclusion, j.violating::BIGINT AS label, j.n_votes::BIGINT AS n_votes, j.ties, "
        f"{codes}, coalesce(v.n, 0)::BIGINT AS viewers, c.dose, c.gross_cents, c.recovered_cents, "
        f"c.resolved, j.labelled_at{own} FROM cases AS c JOIN judged AS j USING (item_id) {joins} "
        "LEFT JOIN (SELECT item_id, count(*) AS n FROM seen GROUP BY 1) AS v "
        "ON v.item_id = c.item_id ORDER BY item"
    )
    return frame.rename(columns=dict(segments))
