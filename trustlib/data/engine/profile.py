"""Looking at rows before they are counted: how times and counts are written, and how dense.

Every function is one pass in the engine that returns a few numbers. Rows come as an ibis
table with the roles ``time``, ``count``, ``control``, ``segment`` (those that were asked for)
and ``row`` (position in the snapshot).
"""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd

from trustlib.data.clock import Clock
from trustlib.data.engine.steps import steps

# ISO 8601 as people write it, and as BigQuery does ("… UTC"). Anything else (another zone's
# name, 01/02/2015) is not guessed at:
# the engine would read "12:00-05:00" as 12:00 without a word.
_ISO = (
    r"^ ?\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
    r"(?:[Zz]| UTC|[+-]\d{2}(?::?\d{2})?)?)? *$"
)
_GROUPED = r"^ *[+-]?[1-9]\d{0,2}(?:\.\d{3})+ *$"
FLOOR = -62_135_596_800  # year 1: keeps the division below away from negative numbers


def time_type(table: Any) -> str:
    """How the time column is held: ``text``, ``naive`` or ``aware``."""
    kind = table["time"].type()
    if kind.is_string():
        return "text"
    return "aware" if kind.timezone else "naive"


def text_forms(table: Any) -> dict[str, int]:
    """How the time column is written, in rows: nulls, naive, aware, digits."""
    text = table["time"]
    tail = text.substr(11)  # past the date, whose dashes are none of an offset
    marks = ("+", "-", "Z", "z", "UTC")
    zoned = ibis.or_(*(tail.contains(mark) for mark in marks))
    table = table.select("time", shaped=text.re_search(_ISO), zoned=zoned)
    found = table.aggregate(
        rows=table.count(),
        nulls=table.count(where=table["time"].isnull()),
        naive=table.count(where=table["shaped"] & ~table["zoned"]),
        aware=table.count(where=table["shaped"] & table["zoned"]),
    )
    forms = record(found)
    forms["digits"] = 0
    if forms["naive"] + forms["aware"] + forms["nulls"] < forms["rows"]:
        bare = table.count(where=table["time"].re_search(r"^\d{9,19}(\.\d+)?$"))
        forms["digits"] = int(bare.to_pyarrow().as_py())
    return forms


def stamped(table: Any, *, aware: bool, shaped: bool = False) -> Any:
    """`table` with ``at``: whole seconds, UTC where `aware`, else label seconds.

    Null where the time is empty or cannot be read. `shaped` says that every text is known
    to be ISO 8601 (see `text_forms`), which spares a look at each.
    """
    column = table["time"]
    kind = time_type(table)
    if kind == "text":
        if aware:
            read = column.strip().upper().replace(" UTC", "Z").try_cast("timestamp('UTC', 6)")
        else:
            read = column.try_cast("timestamp(6)")
        if not shaped:
            read = ibis.ifelse(column.re_search(_ISO), read, ibis.null(read.type()))
        column = read
    # Truncated first: a cast of fractional seconds rounds, and 10:59:59.7 would be 11:00:00.
    return table.mutate(at=column.truncate("s").epoch_seconds().cast("int64"))


def days(rows: Any) -> pd.DataFrame:
    """One row per day of ``at``: ``day``, ``n``, ``first``, ``last``, ascending.

    Rows without a readable time have day -1 among ``n``: ``empty`` and ``unreadable`` tell why.
    """
    found = rows.group_by(day=(rows["at"] - FLOOR) // 86400).aggregate(
        n=rows.count(),
        empty=rows.count(where=rows["time"].isnull()),
        unreadable=rows.count(where=rows["at"].isnull() & rows["time"].notnull()),
        first=rows["at"].min(),
        last=rows["at"].max(),
    )
    found = found.mutate(day=found["day"].fill_null(-1), first=found["first"].fill_null(0))
    found = found.mutate(last=found["last"].fill_null(0)).order_by("day").to_pyarrow().to_pandas()
    return found.astype("int64")


def record(aggregate: Any) -> dict[str, Any]:
    """The one row of an aggregate as whole numbers by name."""
    record = aggregate.to_pyarrow().to_pylist()[0]
    return {key: None if value is None else int(value) for key, value in record.items()}


def valued(rows: Any, roles: tuple[str, ...]) -> Any:
    """`rows` with each of `roles` read as float64 (null where empty or NaN), the raw one kept
    as ``<role>_raw``."""
    for role in roles:
        raw = rows[role]
        number = raw.strip().try_cast("float64") if raw.type().is_string() else raw.cast("float64")
        number = ibis.ifelse(number.isnan(), ibis.null("float64"), number)
        rows = rows.mutate(**{f"{role}_raw": raw, role: number})
    return rows


def value_faults(rows: Any, role: str) -> dict[str, int]:
    """Rows whose `role` cannot be a count, by kind."""
    value, raw = rows[role], rows[f"{role}_raw"]
    is_nan = raw.strip().lower().isin(["nan", "+nan", "-nan"]) if raw.type().is_string() else False
    # A floor is an integer in the engine: what no integer holds must not reach it.
    tame = ibis.ifelse(value.abs() <= 1e15, value, ibis.null("float64"))
    text = raw.type().is_string()
    unreadable = value.isnull() & raw.notnull() & ~is_nan if text else ibis.literal(False)
    # 1.234: in much of the world a thousand and more. Where every number with a dot looks like
    # that, nothing tells which one is meant (but 220.000 throughout is a count with decimals).
    dotted = text & value.notnull() & raw.contains(".") if text else ibis.literal(False)
    grouped = dotted & raw.re_search(_GROUPED) if text else ibis.literal(False)
    round_ = grouped & raw.re_search(r"\.000 *$") if text else ibis.literal(False)
    return record(
        rows.aggregate(
            dotted=rows.count(where=dotted),
            grouped=rows.count(where=grouped),
            round=rows.count(where=round_),
            nulls=rows.count(where=value.isnull()) - rows.count(where=unreadable),
            unreadable=rows.count(where=unreadable),
            negative=rows.count(where=(value < 0) & ~value.isinf()),
            infinite=rows.count(where=value.isinf()),
            huge=rows.count(where=(value.abs() > 1e15) & ~value.isinf()),
            fractional=rows.count(where=tame != tame.floor()),
        )
    )


def spacings(rows: Any) -> pd.DataFrame:
    """How far apart neighbouring distinct labels are: ``step`` (seconds), ``n`` and the
    ``total`` of steps; most frequent first, ten at most."""
    labels = rows.filter(rows["at"].notnull()).select("at").distinct()
    steps = labels.mutate(step=labels["at"] - labels["at"].lag().over(ibis.window(order_by="at")))
    steps = steps.filter(steps["step"].notnull())
    found = steps.group_by("step").aggregate(n=steps.count())
    found = found.mutate(total=found["n"].sum().over(ibis.window()))
    return found.order_by([ibis.desc("n"), "step"]).limit(10).to_pyarrow().to_pandas()


def phase(rows: Any, step: int, clock: Clock | None) -> tuple[int, int]:
    """Where in `step` seconds most labels stand, and how many rows stand elsewhere.

    With a `clock`, UTC seconds are looked at as labels of that clock.
    """
    seen = rows.filter(rows["at"].notnull())
    label = seen["at"]
    if clock is not None:
        label = label + steps(label, clock.utc_steps, clock.last_offset)
    found = seen.group_by(phase=(label - FLOOR) % step).aggregate(n=seen.count())
    frame = found.order_by([ibis.desc("n"), "phase"]).limit(1000).to_pyarrow().to_pandas()
    return (int(frame["phase"].iloc[0]) + FLOOR) % step, int(frame["n"].iloc[1:].sum())


def nulls(table: Any, role: str) -> dict[str, int]:
    """Rows, and rows where `role` is null."""
    return record(
        table.aggregate(rows=table.count(), nulls=table.count(where=table[role].isnull()))
    )


def doubled_keys(rows: Any, keys: list[str], roles: tuple[str, ...]) -> dict[str, int]:
    """Keys that occur more than once: how many, in how many rows, and how many disagree."""
    by = ["at", "utc", *keys]
    seen = rows.filter(rows["at"].notnull())
    spread = {f"{role}_kinds": seen[role].nunique() for role in roles}
    groups = seen.group_by(by).aggregate(n=seen.count(), **spread)
    groups = groups.filter(groups["n"] > 1)
    differ = ibis.or_(*[groups[name] > 1 for name in spread])
    return record(
        groups.aggregate(
            keys=groups.count(),
            rows=groups["n"].sum().fill_null(0),
            conflicting=groups.count(where=differ),
        )
    )
