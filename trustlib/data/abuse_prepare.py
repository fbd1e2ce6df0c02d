"""The tables of a deep-dive put in order: each thing once, and refused where it cannot be used."""

from __future__ import annotations

from trustlib.core import NoData
from trustlib.data import clock as clocks
from trustlib.data.abuse_frames import named
from trustlib.data.abuse_health import Found
from trustlib.data.abuse_labels import (
    refuse_drawn,
    refuse_one_answer,
    refuse_strata,
    refuse_two_strata,
    without_policy,
)
from trustlib.data.abuse_names import refuse_names, refuse_outcomes, refuse_unreadable
from trustlib.data.abuse_records import AbuseQuery, Role
from trustlib.data.engine import abuse_acts as acts
from trustlib.data.engine import abuse_health as counts
from trustlib.data.engine import abuse_made as made
from trustlib.data.engine import abuse_people as people
from trustlib.data.engine import abuse_sample as samples
from trustlib.data.engine import abuse_tokens as tokens
from trustlib.data.engine import abuse_totals as totals
from trustlib.data.engine import abuse_votes as votes
from trustlib.data.engine.abuse import Tables


def lacking(tables: Tables, query: AbuseQuery) -> dict[Role, str]:
    """Roles that are there and of no use: without the policy, or a column of another role.

    Raises
    ------
    Refusal
        A policy that no label has.
    """
    found = without_policy(tables, query.policy)
    if tables.has("view_labels") and not tables.has("views", "view_id"):
        found["view_labels"] = (
            "views have no column view_id" if tables.has("views") else "there are no views"
        )
    if tables.has("appeals") and not tables.has("actions", "action_id"):
        found["appeals"] = (
            "actions have no column action_id" if tables.has("actions") else "there are no actions"
        )
    return found


def prepared(tables: Tables, query: AbuseQuery) -> Found:
    """Make the tables that frames are counted from; what was found on the way.

    Raises
    ------
    Refusal, NoData
        As in `trustlib.data.abuse_read.read_abuse`.
    """
    names = list(named(query))
    cells = counts.cells(tables)
    refuse_unreadable(cells)
    repeated: dict[Role, int] = {"items": made.once(tables, "items", "item_id")}
    refuse_two_strata(made.two_strata(tables))
    _refuse_no_items(tables, query)
    repeated["accounts"] = made.people(tables, names)
    counted = made.strata(tables)
    made.values(tables, names)
    made.made(tables, names, counted=counted)
    refuse_names(tables, query)
    repeated["actions"] = acts.acts(tables, query.control_sources)
    appeals = acts.appeals(tables)
    refuse_outcomes(appeals)
    acts.reports(tables, query.report_reasons)
    tables.names("policy_name", [] if query.policy is None else [query.policy])
    told, other = {}, 0
    roles: tuple[Role, ...] = ("labels", "view_labels")
    for role in roles:
        votes.votes(tables, role, query.policy)
        refuse_one_answer(tables, role, query.policy)
        told[role] = refuse_drawn(tables, role)
        other += refuse_strata(tables, role) if counted else 0
    odd = votes.gold(tables, query.policy)
    votes.raters(tables)
    acts.bad(tables, query.confirming_sources if tables.has("actions") else ())
    samples.sample(tables)
    repeated["views"] = totals.views_once(tables) if tables.has("views") else 0
    totals.seen(tables, names)
    samples.close_views(tables)
    people.account_items(tables)
    tokens.tokens(tables)
    return Found(
        counted=counted,
        told=told,
        repeated=repeated,
        other_stratum=other,
        odd_gold=odd,
        appeals=appeals,
        cells=cells,
        strangers=counts.strangers(tables),
        times=counts.times(tables),
        replaced=counts.replaced(tables),
    )


def _refuse_no_items(tables: Tables, query: AbuseQuery) -> None:
    inside, first, last = tables.row(
        "SELECT count(*) FILTER (from_start(created_at)), min(created_at), max(created_at) "
        "FROM items_once"
    )
    if inside:
        return
    span = "no item has a key and a time"
    if first is not None:
        span = (
            f"items were made from {clocks.instant(first):%Y-%m-%d %H:%M} to "
            f"{clocks.instant(last):%Y-%m-%d %H:%M} UTC"
        )
    raise NoData(
        "no item was made in the window",
        where=f"items_source: {query.sources['items']}, window",
        nearest=span,
        next_step="check the window, the time zone, as_of and the source's filter",
    )
