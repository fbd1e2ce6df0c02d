"""Event rows that were delivered more than once: one row per id, the same whatever the order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis

from trustlib.data.engine.profile import record
from trustlib.data.engine.session import old_calls


@ibis.udf.scalar.builtin(name="hash")
def _hash(value: str) -> ibis.dtype("uint64"):  # type: ignore[valid-type,empty-body]
    """The engine's own, without the way over bits that ibis takes to make it signed."""


@dataclass(frozen=True, kw_only=True)
class Once:
    """What was found of the ids.

    Attributes
    ----------
    repeated
        Rows left out: those beyond the first of each id, of rows with a time.
    differing
        Ids whose rows differ in time (whole seconds) or in segment.
    unnamed
        Rows without an id, of rows with a time; each counts.
    """

    repeated: int
    differing: int
    unnamed: int


def named(value: Any) -> Any:
    """An id as text, null where it is empty or blank."""
    return value.cast("string").strip().nullif("")


def once(rows: Any) -> tuple[Any, Once, list[str]]:
    """`rows` (``utc``, ``at``, ``event_id``, perhaps ``segment``) with one row per id, what was
    left out, and the statements that did it.

    Of the rows of an id the earliest counts; of those at that second the one whose segment comes
    first by name (a named one before none). Rows without an id stay; rows without a time go, as
    they do later in any case. The columns are ``time`` (the same as ``at``), ``at``, ``utc`` and
    ``segment``.

    On the embedded engine ids are compared by a 64-bit hash, as rows are in
    `trustlib.data.engine.repeats`: the ids themselves would not fit in memory.
    """
    key = named(rows["event_id"])
    if rows.get_backend().name == "duckdb":
        key = ibis.ifelse(key.isnull(), ibis.null("uint64"), _hash(key))
    kept = ["at", "utc"]
    if "segment" in rows.columns:
        kept.append("segment")
        rows = rows.mutate(segment=rows["segment"].nullif(""))
    rows = rows.filter(rows["utc"].notnull()).mutate(key=key).select("key", *kept)
    rows, first = _made(rows, "events_all")
    # Most ids come once: only the others are put in order.
    named_rows = rows.filter(rows["key"].notnull())
    copies = named_rows.group_by("key").aggregate(copies=named_rows.count())
    twice, second = _made(copies.filter(copies["copies"] > 1).select("key"), "ids_twice")
    again = rows.semi_join(twice, "key")
    unnamed = record(rows.aggregate(n=rows.count(where=rows["key"].isnull())))["n"]
    found = Once(**_counted(again), unnamed=unnamed)
    order = [again[name].asc(nulls_first=False) for name in ("utc", *kept[2:], "at")]
    place = ibis.row_number().over(ibis.window(group_by="key", order_by=order))
    again = again.mutate(place=place)
    again = again.filter(again["place"] == 0)
    rest = rows.anti_join(twice, "key")
    rows, third = _made(again.select(*kept).union(rest.select(*kept)), "events_once")
    return rows.mutate(time=rows["at"]), found, [first, second, third]


def _counted(rows: Any) -> dict[str, int]:
    kinds = {"low": rows["utc"].min(), "high": rows["utc"].max(), "copies": rows.count()}
    if "segment" in rows.columns:
        kinds["segments"] = rows["segment"].fill_null("").nunique()
    ids = rows.group_by("key").aggregate(**kinds)
    differ = ids["low"] < ids["high"]
    if "segment" in rows.columns:
        differ = differ | (ids["segments"] > 1)
    found = record(
        ids.aggregate(
            repeated=(ids["copies"] - 1).sum().fill_null(0), differing=ids.count(where=differ)
        )
    )
    return {name: int(found[name]) for name in ("repeated", "differing")}


def _made(rows: Any, name: str) -> tuple[Any, str]:
    """`rows` as a table of the embedded session, so that they are made once, and how; on a
    server, where nothing may be written, as they are."""
    backend = rows.get_backend()
    statement = str(ibis.to_sql(rows))
    if backend.name != "duckdb":
        return rows, statement
    statement = f"CREATE TEMP TABLE {name} AS\n{statement}"
    backend.con.execute(statement).fetchall()
    with old_calls():
        return backend.table(name), statement
