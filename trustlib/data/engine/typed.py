"""Columns of a deep-dive's tables: how a copy keeps them, and what is read from the copy.

A copy keeps what every engine gives alike: whole numbers, texts, instants, float64. It is read
in few types: keys int64 or text, times whole seconds since 1970 in UTC, numbers float64, flags
0 or 1, texts text. What cannot be read is null, and counted against what stands there.
"""

from __future__ import annotations

from typing import Any

from trustlib.data.clock import Clock
from trustlib.data.engine.columns import as_flag, as_name, as_number, as_time

# A time of day has to come before it: the end of 2026-02-02 is no offset.
_OFFSET = r":\d{2}(\.\d+)? ?(Z|z|[+-]\d{2}(:?\d{2})?)$"
_BLANK = r"e' \t\n\r\f'"


def stored(value: Any, kind: str) -> Any | None:
    """`value` (an ibis column) as a copy keeps a `kind`; None where its type cannot be that."""
    type_ = value.type()
    if kind == "key" and type_.is_integer() and not type_.is_uint64():
        return value.cast("int64")
    made = {"time": as_time, "number": as_number, "flag": as_flag}.get(kind, as_name)
    return made(value, type_)


def reading(name: str, type_: str, kind: str) -> str:
    """SQL that reads the column `name` of a copy, of the engine's type `type_`, as `kind`."""
    text = type_ == "VARCHAR"
    if kind == "time":
        return _time(name, type_)
    if kind == "number":
        number = f"try_cast({name} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    if kind == "flag":
        word = f"lower(trim({name}, {_BLANK}))" if text else f"try_cast({name} AS DOUBLE)"
        yes, no = ("('1', '1.0', 'true')", "('0', '0.0', 'false')") if text else ("(1)", "(0)")
        return f"CASE WHEN {word} IN {yes} THEN 1 WHEN {word} IN {no} THEN 0 END::TINYINT"
    return written(name, type_) if text else name


def written(name: str, type_: str) -> str:
    """SQL that gives what stands in the column, null where nothing does."""
    return f"nullif(trim({name}, {_BLANK}), '')" if type_ == "VARCHAR" else name


def whole(name: str) -> str:
    """SQL: whether the text in the column is a whole number, written as the engine writes it."""
    text = written(name, "VARCHAR")
    number = f"CAST(try_cast({text} AS BIGINT) AS VARCHAR)"
    return f"({text} IS NULL OR {number} IS NOT DISTINCT FROM {text})"


def _time(name: str, type_: str) -> str:
    if type_ == "VARCHAR":
        text = written(name, type_)
        zoned = _seconds(f"try_cast({text} AS TIMESTAMPTZ)")
        label = f"to_utc({_seconds(f'try_cast({text} AS TIMESTAMP)')})"
        return f"CASE WHEN regexp_matches({text}, '{_OFFSET}') THEN {zoned} ELSE {label} END"
    return _seconds(name) if "ZONE" in type_ else f"to_utc({_seconds(name)})"


def _seconds(value: str) -> str:
    # Infinity is no time, and has no seconds.
    return f"CASE WHEN isfinite({value}) THEN epoch_us({value}) // 1000000 END"


def to_utc(clock: Clock) -> str:
    """A statement for the macro that takes a label of the clock, in seconds, to UTC, by the rule
    of `trustlib.data.clock`; `reading` uses it."""
    offset = f"{clock.last_offset:d}"
    if clock.changes:
        steps = " ".join(f"WHEN label < {bound:d} THEN {off:d}" for bound, off in clock.label_steps)
        offset = f"CASE {steps} ELSE {offset} END"
    return f"CREATE TEMP MACRO to_utc(label) AS label - ({offset})"
