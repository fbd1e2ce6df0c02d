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
from trustlib.data.grid import Grid

# ISO 8601 as people write it. Anything else (a zone's name, 01/02/2015) is not guessed at:
# the engine would read "12:00-05:00" as 12:00 without a word.
_ISO = (
    r"^ *\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
    r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?)? *$"
)
_DECIMAL = "decimal(38, 6)"
_FLOOR = -62_135_596_800  # year 1: keeps the division below away from negative numbers
NO_SEGMENT = "(none)"


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
    zoned = tail.contains("+") | tail.contains("-") | tail.contains("Z") | tail.contains("z")
    table = table.select("time", shaped=text.re_search(_ISO), zoned=zoned)
    found = table.aggregate(
        rows=table.count(),
        nulls=table.count(where=table["time"].isnull()),
        naive=table.count(where=table["shaped"] & ~table["zoned"]),
        aware=table.count(where=table["shaped"] & table["zoned"]),
    )
    forms = _record(found)
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
            read = column.strip().upper().try_cast("timestamp('UTC', 6)")
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
    found = rows.group_by(day=(rows["at"] - _FLOOR) // 86400).aggregate(
        n=rows.count(),
        empty=rows.count(where=rows["time"].isnull()),
        unreadable=rows.count(where=rows["at"].isnull() & rows["time"].notnull()),
        first=rows["at"].min(),
        last=rows["at"].max(),
    )
    found = found.mutate(day=found["day"].fill_null(-1), first=found["first"].fill_null(0))
    found = found.mutate(last=found["last"].fill_null(0)).order_by("day").to_pyarrow().to_pandas()
    return found.astype("int64")


def _record(aggregate: Any) -> dict[str, Any]:
    record = aggregate.to_pyarrow().to_pylist()[0]
    return {key: None if value is None else int(value) for key, value in record.items()}


def _steps(value: Any, steps: tuple[tuple[int, int], ...], last: int) -> Any:
    if not steps:
        return ibis.literal(last, "int64")
    branches = [(value < bound, ibis.literal(offset, "int64")) for bound, offset in steps]
    return ibis.cases(*branches, else_=ibis.literal(last, "int64"))


def in_utc(rows: Any, clock: Clock, *, aware: bool) -> Any:
    """`rows` with ``utc``: seconds by the clock's rule (see `trustlib.data.clock`)."""
    if aware:
        return rows.mutate(utc=rows["at"])
    return rows.mutate(utc=rows["at"] - _steps(rows["at"], clock.label_steps, clock.last_offset))


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


BEFORE, LATE, AFTER = -1, -2, -3  # keys of rows that no bucket holds


def keyed(rows: Any, grid: Grid, clock: Clock, *, as_of: int | None) -> Any:
    """`rows` with ``key``: which bucket, or BEFORE, LATE (at or after `as_of`), AFTER the grid."""
    rows = rows.filter(rows["utc"].notnull())
    utc = rows["utc"]
    place = utc + _steps(utc, clock.utc_steps, clock.last_offset) if grid.daily else utc
    late = [] if as_of is None else [(utc >= as_of, LATE)]
    key = ibis.cases(
        (utc < grid.low, BEFORE),
        *late,
        (utc >= grid.high, AFTER),
        else_=(place - grid.origin) // grid.width,
    )
    return rows.mutate(key=key.cast("int64"))


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
    return _record(
        rows.aggregate(
            nulls=rows.count(where=value.isnull()) - rows.count(where=unreadable),
            unreadable=rows.count(where=unreadable),
            negative=rows.count(where=(value < 0) & ~value.isinf()),
            infinite=rows.count(where=value.isinf()),
            huge=rows.count(where=(value.abs() > 1e15) & ~value.isinf()),
            fractional=rows.count(where=tame != tame.floor()),
        )
    )


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
    found = _record(
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
        label = label + _steps(label, clock.utc_steps, clock.last_offset)
    found = seen.group_by(phase=(label - _FLOOR) % step).aggregate(n=seen.count())
    frame = found.order_by([ibis.desc("n"), "phase"]).limit(1000).to_pyarrow().to_pandas()
    return (int(frame["phase"].iloc[0]) + _FLOOR) % step, int(frame["n"].iloc[1:].sum())


def nulls(table: Any, role: str) -> dict[str, int]:
    """Rows, and rows where `role` is null."""
    return _record(
        table.aggregate(rows=table.count(), nulls=table.count(where=table[role].isnull()))
    )


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
    label = rows["at"] if "turn" in rows.columns else (rows["at"] - _FLOOR) // 900 * 900 + _FLOOR
    keys = rows["segment"].fill_null("").nunique() if "segment" in rows.columns else turns * 0 + 1
    found = rows.group_by(["change", label.name("at")])
    found = found.aggregate(n=rows.count(), turns=turns, keys=keys)
    return found.order_by("at").to_pyarrow().to_pandas()[columns].astype("int64")


def doubled_keys(rows: Any, keys: list[str], roles: tuple[str, ...]) -> dict[str, int]:
    """Keys that occur more than once: how many, in how many rows, and how many disagree."""
    by = ["at", "utc", *keys]
    seen = rows.filter(rows["at"].notnull())
    spread = {f"{role}_kinds": seen[role].nunique() for role in roles}
    groups = seen.group_by(by).aggregate(n=seen.count(), **spread)
    groups = groups.filter(groups["n"] > 1)
    differ = ibis.or_(*[groups[name] > 1 for name in spread])
    return _record(
        groups.aggregate(
            keys=groups.count(),
            rows=groups["n"].sum().fill_null(0),
            conflicting=groups.count(where=differ),
        )
    )


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
