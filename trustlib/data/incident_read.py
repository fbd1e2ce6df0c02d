"""From the tables of an incident to the small frames of a postmortem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from trustlib.data import clock as clocks
from trustlib.data.abuse_frames import instants, texts
from trustlib.data.abuse_sources import Copy, copied, of_role, snapshot
from trustlib.data.abuse_unnamed import without
from trustlib.data.engine import incident as engine
from trustlib.data.engine import incident_labels as labels
from trustlib.data.engine import incident_times as times
from trustlib.data.incident_findings import checks
from trustlib.data.incident_health import Seen, health
from trustlib.data.incident_links import told_change, told_link
from trustlib.data.incident_prepare import Ready, opened
from trustlib.data.incident_records import TABLES, AffectedQuery, AffectedRows, Role
from trustlib.data.incident_refusals import (
    refuse_columns,
    refuse_differing_arrivals,
    refuse_names,
)

_NOUNS = {"affected": "affected items", "change_log": "changes"}


def read_affected(query: AffectedQuery) -> AffectedRows:
    """Read every table that is there, and count in the engine.

    A viewer is counted for cases that were not actioned only: `AffectedRows.labelled` has 0
    viewers for the others. Views without a readable time are left out where others have one.
    Amounts are kept in hundredths of the currency's unit, rounded to the nearest; an empty one
    is 0. `AffectedRows.observed_until` is as_of where it is given; where arrivals end earlier than
    that, and it is no chance, it is their last instant. Of the change log the 5,000 changes nearest
    to the window's start are kept.

    Raises
    ------
    Refusal
        A source, or a column that its role needs, that is not there; a type that cannot be what
        the role needs; cells that cannot be read; a segment that the affected table does not
        have, or that is an identifier; rows of one item, or of one arrival, that differ; amounts
        without a currency, below 0, or recovered above gross; labels that do not say, alike and
        usably, how they were drawn.
    """
    refuse_names(query)
    made, missing = _copies(query)
    with opened(query, {role: (copy.path, copy.kinds) for role, copy in made.items()}) as ready:
        read = _read(ready)
        missing |= _of_no_use(ready, read, missing)
        snapshots = {
            role: snapshot(ready.tables, role, copy, engine.TIMES[role])
            for role, copy in made.items()
        }
        rows = {role: copy.rows for role, copy in made.items()}
        tables = ready.tables
        # Checks name kinds: they see what a page may show.
        read = replace(read, frames=_unnamed(read.frames, ready.segments.values()))
        return AffectedRows(
            query=query,
            has_money=tables.has("affected", "gross"),
            has_resolved=tables.has("affected", "resolved_at"),
            has_dose=tables.has("affected", "dose"),
            observed_until=None if read.heard is None else clocks.instant(read.heard),
            missing=missing,
            health=health(ready, read, rows),
            checks=checks(ready, read, query, missing),
            snapshots=snapshots,
            **read.frames,
        )


def _copies(query: AffectedQuery) -> tuple[dict[Role, Copy], dict[Role, str]]:
    made: dict[Role, Copy] = {}
    missing: dict[Role, str] = {}
    near: dict[str, str] = {}
    for role, columns in TABLES.items():
        if role not in query.sources:
            missing[role] = "no source was given"
            continue
        with of_role(role):
            copy = copied(
                role,
                query.sources[role],
                columns,
                connection=query.connection,
                segments=query.segments if role == "affected" else (),
                near=near,
                noun=_NOUNS.get(role),
            )
        if role == "affected":
            refuse_columns(query, copy, near)
        if copy.rows:
            made[role] = copy
        else:
            missing[role] = "the source has no rows"
    return made, missing


def _read(ready: Ready) -> Seen:
    """Every frame, and the counts that were made with them."""
    tables, segments = ready.tables, ready.segments
    views = engine.seen(tables)
    until = times.heard(tables, ready.until)
    late, arrived = times.arrivals(tables, until)
    refuse_differing_arrivals(arrived.get("differ", 0))
    log, changed = times.changes(tables)
    totals = engine.case_totals(tables)
    overlaps = engine.overlaps(tables)
    changes, lost = _change_log(log)
    frames: dict[str, pd.DataFrame] = {
        "cases": _cases(totals),
        "labelled": _labelled(ready, totals),
        "people": texts(engine.people(tables), "kind", "side"),
        "overlaps": texts(overlaps.drop(columns="smaller"), "first", "second"),
        "by_segment": texts(
            engine.by_segment(tables, segments).astype({"suspect": "bool"}),
            "segment", "value", "side",
        ),
        "arrivals": texts(late.astype({"in_window": "bool"}), "kind"),
        "change_log": changes,
    }  # fmt: skip
    return Seen(
        frames=frames,
        views=views,
        arrivals=arrived,
        heard=until,
        changes=changed | {"lost": lost} if changed else {},
        apart=tuple(
            f"{row.first} and {row.second}"
            for row in overlaps.itertuples()
            if row.people == 0 and row.smaller > 10 and "viewers" in row.second
        ),
        early=int(tables.row("SELECT count(*) FILTER (too_early) FROM cases")[0]),
        unmarked=_unmarked(ready),
    )


def _unmarked(ready: Ready) -> int:
    if not ready.tables.has("affected", "suspect"):
        return 0
    return int(ready.tables.row("SELECT count(*) FROM inside_once WHERE suspect IS NULL")[0])


def _cases(totals: pd.DataFrame) -> pd.DataFrame:
    return texts(totals.astype({"suspect": "bool"}), "side", "stratum")


def _labelled(ready: Ready, totals: pd.DataFrame) -> pd.DataFrame:
    frame = labels.labelled(ready.tables, ready.segments)
    frame = frame.astype({"suspect": "bool", "ties": "bool", "resolved": "bool", "dose": "float64"})
    frame["inclusion"] = frame["inclusion"].astype("float64")
    if not ready.told and len(frame):
        cell = ["side", "suspect"]
        drawn = frame.groupby(cell, sort=False)["item"].transform("size")
        items = frame[cell].merge(totals[[*cell, "items"]], on=cell, how="left")["items"]
        frame["inclusion"] = drawn.to_numpy(float) / items.to_numpy(float)
    frame["labelled_at"] = _times(frame["labelled_at"])
    return texts(frame, "side", *ready.segments.values())


def _times(seconds: pd.Series) -> pd.Series:
    """UTC seconds, some of them missing, as datetime64[s, UTC]."""
    known = seconds.notna()
    at = instants(seconds.where(known, 0))
    return at.where(known)


def _change_log(log: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """`AffectedRows.change_log`, and how many links may not be shown."""
    given = log["link"].astype("str").str.strip()
    frame = pd.DataFrame(
        {
            "changed_at": instants(log["changed_at"]),
            "change": [told_change(text) for text in log["change"]],
            "link": [told_link(text) for text in given],
        }
    )
    lost = int(((given != "") & (frame["link"].astype("str") == "")).sum())
    frame = texts(frame, "change", "link").sort_values(["changed_at", "change", "link"])
    return frame.reset_index(drop=True), lost


def _unnamed(frames: Mapping[str, pd.DataFrame], segments: Any) -> dict[str, pd.DataFrame]:
    """Without what identifies somebody in values of segments and kinds of arrivals."""
    columns = {"labelled": tuple(segments), "by_segment": ("value",), "arrivals": ("kind",)}
    made, _ = without({name: frames[name] for name in columns}, columns)
    return {**frames, **made}


def _of_no_use(ready: Ready, read: Seen, missing: Mapping[Role, str]) -> dict[Role, str]:
    """Why there is nothing of a role whose source has rows."""
    frames = read.frames
    cases = frames["cases"]
    sides = set(cases["side"])
    found: dict[Role, str] = {}
    if not len(cases):
        found["affected"] = "no row of the table lies in the incident's window"
        found["labels"] = found["views"] = "there are no cases that it could be of"
    elif not len(frames["labelled"]):
        found["labels"] = (
            "none of its labels is of a case" if ready.judged.get("items") else _not_yet(ready)
        )
    if sides == {"over"}:
        found["views"] = "every case was actioned, and views are counted of the others"
    elif len(cases) and not read.views.get("pairs"):
        found["views"] = "none of its views is of a case that was not actioned"
    if ready.until is None or not len(frames["arrivals"]):
        found["arrivals"] = f"none of its rows has a kind and times up to {_day(ready.until)}"
    if not len(frames["change_log"]):
        found["change_log"] = f"none of its rows has a text and a time up to {_day(ready.until)}"
    return {role: why for role, why in found.items() if role not in missing}


def _not_yet(ready: Ready) -> str:
    late = ready.late.get("labels", 0)
    return "no label was given yet by as_of" if late else "none of its rows has an item and a label"


def _day(until: int | None) -> str:
    return "now" if until is None else f"{clocks.instant(until):%d %b %Y, %H:%M} UTC"
