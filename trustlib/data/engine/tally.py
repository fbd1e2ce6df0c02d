"""Counting in the engine: every function here is one pass that returns a small frame.

Rows come as an ibis table with the roles ``time``, ``count``, ``control``, ``segment``
(those that were asked for) and ``row`` (position in the snapshot). Whole seconds and whole
counts only; what is not whole is summed as DECIMAL, since sums of floats differ between
thread counts.
"""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd

from trustlib.data.clock import Clock
from trustlib.data.engine.profile import FLOOR, record
from trustlib.data.engine.steps import steps
from trustlib.data.grid import Grid

_DECIMAL = "decimal(38, 6)"
NO_SEGMENT = "(none)"
BEFORE, LATE, AFTER = -1, -2, -3  # keys of rows that no bucket holds


def in_utc(rows: Any, clock: Clock, *, aware: bool) -> Any:
    """`rows` with ``utc``: seconds by the clock's rule (see `trustlib.data.clock`)."""
    if aware:
        return rows.mutate(utc=rows["at"])
    return rows.mutate(utc=rows["at"] - steps(rows["at"], clock.label_steps, clock.last_offset))


def second_occurrences(rows: Any, clock: Clock, keys: list[str]) -> Any:
    """Naive ready counts whose ambiguous labels occur twice: the second moves to the later hour.

    Adds ``turn``: 0 for the first appearance in file order, 1 for the second, and so on;
    0 everywhere outside ambiguous hours.
    """
    spans = [(c.ambiguous, c.before - c.after) for c in clock.changes if c.before > c.after]
    if not spans:
        return rows.mutate(turn=ibis.literal(0, "int64"))
    inside = ibis.or_(*[(rows["at"] >= low) & (rows["at"] < high) for (low, high), _ in spans])
    window = ibis.window(group_by=["at", *keys], order_by="row")
    turn = ibis.row_number().over(window).cast("int64")
    few = rows.filter(inside).mutate(turn=turn)
    gap = ibis.cases(
        *[((few["at"] >= low) & (few["at"] < high), gap) for (low, high), gap in spans], else_=0
    )
    few = few.mutate(utc=few["utc"] + ibis.ifelse(few["turn"] == 1, gap, 0).cast("int64"))
    rest = rows.filter(~inside | rows["at"].isnull()).mutate(turn=ibis.literal(0, "int64"))
    return rest.union(few)


def keyed(rows: Any, grid: Grid, clock: Clock, *, as_of: int | None) -> Any:
    """`rows` with ``key``: which bucket, or BEFORE, LATE (at or after `as_of`), AFTER the grid."""
    rows = rows.filter(rows["utc"].notnull())
    utc = rows["utc"]
    place = utc + steps(utc, clock.utc_steps, clock.last_offset) if grid.daily else utc
    late = [] if as_of is None else [(utc >= as_of, LATE)]
    key = ibis.cases(
        (utc < grid.low, BEFORE),
        *late,
        (utc >= grid.high, AFTER),
        else_=(place - grid.origin) // grid.width,
    )
    return rows.mutate(key=key.cast("int64"))


def _run(expression: Any) -> tuple[Any, str]:
    """The expression's rows (Arrow) and its SQL, translated once: that takes longest here."""
    sql = str(ibis.to_sql(expression))
    backend = expression.get_backend()
    if backend.name != "duckdb":
        return expression.to_pyarrow(), sql
    return backend.con.sql(sql).to_arrow_table(), sql


def per_bucket(rows: Any) -> tuple[pd.DataFrame, str]:
    """Events per key: ``key``, ``n``; a segment rank too where the rows have one. And its SQL."""
    by = [name for name in ("key", "rank") if name in rows.columns]
    found = rows.group_by(by).aggregate(n=rows.count()).order_by(by)
    table, sql = _run(found)
    return table.to_pandas(), sql


def one_value_per_label(rows: Any, role: str) -> bool:
    """True where all rows of one label carry the same `role`: a value repeated per segment."""
    labels = rows.group_by("utc").aggregate(kinds=rows[role].nunique(), n=rows.count())
    found = record(
        labels.aggregate(mixed=labels.count(where=labels["kinds"] > 1), most=labels["n"].max())
    )
    return found["mixed"] == 0 and (found["most"] or 0) > 1


def repeated_per_bucket(rows: Any, role: str) -> pd.DataFrame:
    """Sum per key of a `role` that is repeated on every row of a label: each label once."""
    labels = rows.group_by(["key", "utc"]).aggregate(**{role: rows[role].max()})
    return sums_per_bucket(labels, (role,))[0]


def sums_per_bucket(rows: Any, roles: tuple[str, ...]) -> tuple[pd.DataFrame, str]:
    """Ready counts per key: ``key``, ``labels`` (distinct native labels), ``n`` rows and, per
    role, ``<role>`` (sum, float64) and ``<role>_nulls``. And its SQL."""
    by = [name for name in ("key", "rank") if name in rows.columns]
    sums = {"n": rows.count(), "labels": rows["utc"].nunique()}
    for role in roles:
        sums[role] = rows[role].cast(_DECIMAL).sum()
        sums[f"{role}_nulls"] = rows.count(where=rows[role].isnull())
    found = rows.group_by(by).aggregate(**sums).order_by(by)
    table, sql = _run(found)
    frame = pd.DataFrame(
        {
            name: [None if value is None else float(value) for value in column.to_pylist()]
            if name in roles
            else column.to_pylist()
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )
    return frame, sql


def at_clock_changes(rows: Any, clock: Clock) -> pd.DataFrame:
    """Naive labels at a change of the clock, ascending: ``at``, ``n`` rows, ``turns`` (how often
    one key occurs, where rows have ``turn``), ``keys`` (how many keys), ``change`` (position in
    `clock.changes`)."""
    branches = []
    for place, change in enumerate(clock.changes):
        low, high = change.ambiguous if change.before > change.after else change.impossible
        branches.append(((rows["at"] >= low) & (rows["at"] < high), place))
    columns = ["at", "n", "turns", "keys", "change"]
    if not branches:
        return pd.DataFrame(columns=columns, dtype="int64")
    rows = rows.mutate(change=ibis.cases(*branches, else_=-1))
    rows = rows.filter(rows["change"] >= 0)
    turns = rows["turn"].max() + 1 if "turn" in rows.columns else ibis.literal(1)
    # Events come at any second: half hours are enough to tell what was touched.
    label = rows["at"] if "turn" in rows.columns else (rows["at"] - FLOOR) // 900 * 900 + FLOOR
    keys = rows["segment"].fill_null("").nunique() if "segment" in rows.columns else turns * 0 + 1
    found = rows.group_by(["change", label.name("at")])
    found = found.aggregate(n=rows.count(), turns=turns, keys=keys)
    return found.order_by("at").to_pyarrow().to_pandas()[columns].astype("int64")


def ranked(rows: Any, top: int) -> tuple[Any, list[str], int]:
    """`rows` with ``rank``: the segment's place by rows (or by summed count), `top` for the rest.

    Returns the rows, the names of the `top` largest, and how many segments there are.
    Ties go by name, so the order never depends on threads. No name enters a statement.
    """
    rows = rows.mutate(segment=rows["segment"].nullif("").fill_null(NO_SEGMENT))
    weight = rows["count"].cast(_DECIMAL).sum() if "count" in rows.columns else rows.count()
    sizes = rows.group_by("segment").aggregate(weight=weight.fill_null(0))
    order = ibis.window(order_by=[ibis.desc(sizes["weight"]), sizes["segment"]])
    sizes = sizes.mutate(rank=ibis.row_number().over(order).cast("int64"))
    n = int(rows["segment"].nunique().to_pyarrow().as_py())
    largest = sizes.filter(sizes["rank"] < top).select("segment", "rank")
    named = largest.order_by("rank").to_pyarrow().to_pylist()
    joined = rows.left_join(largest, "segment")
    joined = joined.drop("segment_right") if "segment_right" in joined.columns else joined
    joined = joined.mutate(rank=joined["rank"].fill_null(top))
    return joined, [row["segment"] for row in named], n
