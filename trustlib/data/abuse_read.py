"""From a platform's tables to the small frames of a deep-dive, with a snapshot of each table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from trustlib.data import clock as clocks
from trustlib.data.abuse_findings import checks
from trustlib.data.abuse_frames import (
    durations,
    ledger,
    named,
    sample,
    texts,
    totals,
    view_sample,
)
from trustlib.data.abuse_health import Found, health
from trustlib.data.abuse_prepare import lacking, prepared
from trustlib.data.abuse_records import AbuseQuery, AbuseRows, Appealed, Confirmed
from trustlib.data.abuse_sources import copies, snapshot
from trustlib.data.abuse_unnamed import unnamed
from trustlib.data.engine import abuse as engine
from trustlib.data.engine import abuse_acts as acts
from trustlib.data.engine import abuse_people as people
from trustlib.data.engine import abuse_sample as samples
from trustlib.data.engine import abuse_tokens as tokens
from trustlib.data.engine import abuse_totals as sums
from trustlib.data.engine import abuse_votes as votes
from trustlib.data.engine.abuse import Tables

_YEAR = 366 * 86400
_BEFORE = 15 * _YEAR  # accounts are older than what they make


def read_abuse(query: AbuseQuery) -> AbuseRows:
    """Read every table that is there, and count in the engine.

    Raises
    ------
    Refusal
        A source, or a column that its role needs, that is not there; a type that cannot be what
        the role needs; times, numbers or answers that cannot be read; a segment that no table
        has; a policy, control, confirming source or reason that never occurs; labels that do
        not say, alike and usably, how they were drawn; an item in two strata.
    NoData
        Items without rows, or none made in the window.
    """
    zone = clocks.zone(query.timezone).key
    made_copies, missing = copies(query)
    low, high = clocks.seconds(query.history_start), clocks.seconds(query.window.end)
    with engine.session(
        {role: (copy.path, copy.kinds) for role, copy in made_copies.items()},
        clock=clocks.clock(zone, low - _BEFORE, high + _YEAR),
        start=clocks.seconds(query.window.start),
        end=high,
        history=low,
        compare=clocks.seconds(query.compare_from),
        as_of=None if query.as_of is None else clocks.seconds(query.as_of),
    ) as tables:
        missing |= lacking(tables, query)
        found = prepared(tables, query)
        frames = _frames(tables, query, found)
        snapshots = {
            role: snapshot(tables, role, copy, engine.TIMES.get(role))
            for role, copy in made_copies.items()
        }
    return unnamed(
        AbuseRows(
            query=query,
            **frames,
            missing=missing,
            health=health(found, frames, {role: copy.rows for role, copy in made_copies.items()}),
            checks=checks(found, frames, query),
            snapshots=snapshots,
        )
    )


def _frames(tables: Tables, query: AbuseQuery, found: Found) -> dict[str, Any]:
    names = named(query)
    own = {code: name for code, name in names.items() if tables.has("items", code)}
    rows = sample(tables, query, counted=found.counted, told=found.told["labels"])
    population, weeks, by_segment = totals(tables, query, rows, counted=found.counted)
    cells = texts(sums.cells(tables, list(names)).rename(columns=names), *query.segments)
    shared = tokens.shares(tables)
    return {
        "sample": rows,
        "view_sample": view_sample(
            tables, query, counted=found.counted, told=found.told["view_labels"]
        ),
        "votes": samples.votes(tables),
        "gold": votes.gold_frame(tables),
        "population": population,
        "weeks": weeks,
        "by_segment": by_segment,
        "cells": cells,
        "strata_counted": found.counted,
        "controls": texts(_controls(tables), "source"),
        "appealed": _appealed(tables),
        "proactive": _proactive(tables),
        "confirmed": _confirmed(tables, query),
        "viewers": _viewers(tables),
        "shared_viewers": samples.shared_viewers(tables),
        "actor_harm": people.actor_harm(tables),
        "accounts_join": texts(_accounts_join(tables, own), "segment", "value"),
        "links": texts(people.links(tables), "kind"),
        "shares": texts(shared, "kind"),
        "actors": people.tied(tables),
        "tokens": texts(tokens.frequent(tables), "kind", "name"),
        "token_weeks": texts(tokens.weekly(tables), "kind"),
        "items_before": int(cells["before"].sum()),
        "items_now": int(cells["now"].sum()),
        "durations": durations(tables, rows),
        "ledger": ledger(tables),
    }


def _controls(tables: Tables) -> pd.DataFrame:
    frame = acts.controls(tables)
    # Without actions, nobody knows what a control that params name acted on.
    return frame if tables.has("actions") else frame[frame["source"] == "reported"]


def _appealed(tables: Tables) -> Appealed | None:
    if not (tables.has("actions", "action_id") and tables.has("appeals")):
        return None
    enforced, asked, decided, overturned = acts.appealed(tables)
    return Appealed(enforced=enforced, appealed=asked, decided=decided, overturned=overturned)


def _proactive(tables: Tables) -> pd.DataFrame:
    frame = acts.proactive(tables)
    return frame if tables.has("actions") and tables.has("reports") else frame.iloc[:0]


def _confirmed(tables: Tables, query: AbuseQuery) -> Confirmed | None:
    if not (tables.has("labels") or (query.confirming_sources and tables.has("actions"))):
        return None
    items, views, accounts, viewers = samples.confirmed(tables)
    return Confirmed(
        items=items,
        views=views if tables.has("views") else None,
        accounts=accounts,
        viewers=viewers if tables.has("views", "viewer_id") else None,
    )


def _viewers(tables: Tables) -> pd.DataFrame:
    frame = samples.viewers(tables)
    return frame if tables.has("views", "viewer_id") else frame.iloc[:0]


def _accounts_join(tables: Tables, own: Mapping[str, str]) -> pd.DataFrame:
    frame = people.accounts_join(tables, own)
    return frame if tables.has("accounts") else frame.iloc[:0]
