"""Labelled items and views with what is known of them, and the views close to the harm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.abuse_made import UNKNOWN


def close_views(tables: Tables) -> None:
    """``close_view`` (item_id, viewed_at, viewer_id): views of labelled or confirmed items."""
    tables.make("close_item", "SELECT item_id FROM bad UNION SELECT subject FROM labels_known")
    if not tables.has("views"):
        tables.make(
            "close_view",
            "SELECT item_id, 0::BIGINT AS viewed_at, NULL::BIGINT AS viewer_id FROM items LIMIT 0",
        )
        return
    viewer = "viewer_id" if tables.has("views", "viewer_id") else "NULL::BIGINT AS viewer_id"
    tables.make(
        "close_view",
        f"SELECT item_id, viewed_at, {viewer} FROM views_once SEMI JOIN close_item USING (item_id)",
    )


def sample(tables: Tables) -> None:
    """``pick`` (item, item_id, actor, created_at, …): labelled items from history_start on."""
    tables.make(
        "pick",
        "SELECT (row_number() OVER (ORDER BY i.item_id) - 1)::BIGINT AS item, i.*, k.n_votes, "
        "k.violating, k.ties, k.policy, d.stratum AS drawn_from, d.inclusion "
        "FROM item AS i JOIN labels_known AS k ON k.subject = i.item_id "
        "JOIN labels_drawn AS d ON d.subject = i.item_id WHERE from_history(i.created_at)",
    )


def sample_frame(tables: Tables, segments: Sequence[str], *, counted: bool) -> Any:
    """`AbuseRows.sample` without controls; ``inclusion`` null where labels have none."""
    picked = "".join(f"{name}_name.value AS {name}, " for name in segments)
    joins = " ".join(f"JOIN {name}_name ON {name}_name.code = p.{name}" for name in segments)
    stratum = "st.value" if counted else f"coalesce(p.drawn_from, '{nameless(tables, 'labels')}')"
    if counted:
        stratum = "coalesce(p.drawn_from, st.value)"
    score, scored = "NULL::DOUBLE AS score", ""
    if tables.has("scores"):
        score = "sc.score"
        scored = (
            "LEFT JOIN (SELECT item_id, max(score) AS score FROM scores "
            "SEMI JOIN pick USING (item_id) GROUP BY 1) AS sc USING (item_id)"
        )
    tokens = ", ".join(
        f"coalesce({kind}_token.token, -1)::BIGINT AS {kind}" for kind in ("domain", "text_hash")
    )
    return tables.frame(
        f"SELECT item, p.actor::BIGINT AS actor, {stratum} AS stratum, inclusion, "
        "violating::BIGINT AS label, n_votes, ties, coalesce(policy, '') AS policy, "
        f"coalesce(w.views, 0) AS views, {score}, p.created_at, "
        f"p.created_at >= {tables.start:d} AS in_window, {picked}{tokens}, "
        "r.item_id IS NOT NULL AS reported, b.item_id IS NOT NULL AS confirmed "
        f"FROM pick AS p JOIN stratum_name AS st ON st.code = p.stratum {joins} {scored} "
        "LEFT JOIN (SELECT item_id, count(*) AS views FROM close_view WHERE from_start(viewed_at) "
        "GROUP BY 1) AS w USING (item_id) LEFT JOIN reported AS r USING (item_id) "
        "LEFT JOIN bad AS b USING (item_id) "
        "LEFT JOIN domain_of AS domain_token USING (item_id) "
        "LEFT JOIN text_of AS text_hash_token USING (item_id) ORDER BY item"
    )


def nameless(tables: Tables, role: str) -> str:
    """What a stratum is called that labels do not name: "all" where none of them does."""
    found = tables.row(f"SELECT count(stratum) FROM {role}_drawn")
    return UNKNOWN if found[0] else "all"


def hits(tables: Tables) -> Any:
    """item, place: controls that acted on the sample's items."""
    return tables.frame(
        "SELECT DISTINCT item, place FROM hit JOIN pick USING (item_id) ORDER BY 1, 2"
    )


def votes(tables: Tables) -> Any:
    """item, rater, label."""
    return tables.frame(
        "SELECT item, coalesce(rater, -1)::BIGINT AS rater, label::BIGINT AS label "
        "FROM labels_vote AS v JOIN pick AS p ON p.item_id = v.subject "
        "LEFT JOIN rater USING (rater_id) ORDER BY ALL"
    )


def view_sample(tables: Tables, segments: Sequence[str], *, counted: bool) -> Any:
    """`AbuseRows.view_sample`; ``inclusion`` null where labels have none."""
    picked = "".join(f", {name}_name.value AS {name}" for name in segments)
    joins = " ".join(f"JOIN {name}_name ON {name}_name.code = i.{name}" for name in segments)
    stratum = "coalesce(d.stratum, st.value)"
    if not counted:
        stratum = f"coalesce(d.stratum, '{nameless(tables, 'view_labels')}')"
    return tables.frame(
        f"SELECT i.actor::BIGINT AS actor, {stratum} AS stratum, d.inclusion, "
        "k.violating::BIGINT AS label, k.n_votes, v.viewed_at AS seen_at, "
        f"v.viewed_at >= {tables.start:d} AS in_window{picked} "
        "FROM (SELECT view_id, item_id, viewed_at FROM views_once SEMI JOIN view_labels_known "
        "ON subject = view_id) AS v "
        "JOIN view_labels_known AS k ON k.subject = v.view_id "
        "JOIN view_labels_drawn AS d ON d.subject = v.view_id JOIN item AS i "
        f"ON i.item_id = v.item_id JOIN stratum_name AS st ON st.code = i.stratum {joins} "
        "ORDER BY v.view_id"
    )


def viewers(tables: Tables) -> Any:
    """item, viewers: of the sample's violating items of the window."""
    return tables.frame(
        "SELECT item, count(DISTINCT viewer_id) AS viewers FROM pick "
        "LEFT JOIN (SELECT * FROM close_view WHERE from_start(viewed_at)) USING (item_id) "
        "WHERE violating AND from_start(created_at) GROUP BY 1 ORDER BY 1"
    )


def shared_viewers(tables: Tables) -> Any:
    """first, second, viewers: two items of `viewers` and who saw both."""
    return tables.frame(
        "WITH who AS (SELECT DISTINCT item, viewer_id FROM pick JOIN close_view USING (item_id) "
        "WHERE violating AND from_start(created_at) AND from_start(viewed_at) "
        "AND viewer_id IS NOT NULL) SELECT a.item AS first, b.item AS second, count(*) AS viewers "
        "FROM who AS a JOIN who AS b ON a.viewer_id = b.viewer_id AND a.item < b.item "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )


def confirmed(tables: Tables) -> tuple[int, int, int, int]:
    """Confirmed items of the window, views of confirmed items in it, accounts behind those
    items, viewers of those views."""
    items, accounts = tables.row(
        "SELECT count(*), count(DISTINCT CASE WHEN actor >= 0 THEN actor END) FROM bad "
        "WHERE from_start(created_at)"
    )
    views, who = tables.row(
        "SELECT count(*), count(DISTINCT viewer_id) FROM close_view SEMI JOIN bad USING (item_id) "
        "WHERE from_start(viewed_at)"
    )
    return int(items), int(views), int(accounts), int(who)


def item_times(tables: Tables) -> Any:
    """inclusion, item, created_at, first_at (of an action, null without), before (views until
    then, or all): the sample's violating items of the window."""
    return tables.frame(
        "SELECT p.item, p.created_at, a.first_at, count(v.viewed_at) AS before FROM pick AS p "
        "LEFT JOIN (SELECT item_id, min(first_at) AS first_at FROM hit GROUP BY 1) AS a "
        "USING (item_id) LEFT JOIN close_view AS v ON v.item_id = p.item_id "
        "AND (a.first_at IS NULL OR v.viewed_at < a.first_at) "
        "WHERE p.violating AND from_start(p.created_at) GROUP BY 1, 2, 3 ORDER BY 1"
    )


def account_times(tables: Tables) -> Any:
    """actor, signed_up, first_at (of a confirmed item): accounts behind the sample's violating
    items."""
    return tables.frame(
        "SELECT b.actor::BIGINT AS actor, a.signed_up, min(b.created_at) AS first_at "
        "FROM bad AS b JOIN actor AS a USING (actor) WHERE a.signed_up IS NOT NULL "
        "AND b.actor IN (SELECT actor FROM pick WHERE violating) "
        "GROUP BY 1, 2 ORDER BY 1"
    )


def last(tables: Tables) -> int:
    """The last second in which anything happened, in any table."""
    parts = ["SELECT max(created_at) AS t FROM items"]
    for role, name in (("views", "viewed_at"), ("actions", "acted_at"), ("reports", "reported_at")):
        if tables.has(role):
            parts.append(f"SELECT max({name}) FROM {role}")
    return int(tables.row(f"SELECT max(t) FROM ({' UNION ALL '.join(parts)})")[0])
