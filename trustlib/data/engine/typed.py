"""Columns in the few types that a deep-dive's tables are read in.

Keys become int64 or text, times whole seconds since 1970 in UTC, numbers float64, flags int64 0
or 1, texts text. What cannot be read becomes null, and is counted against what was there.
"""

from __future__ import annotations

from typing import Any

import ibis

from trustlib.data.clock import Clock
from trustlib.data.engine.steps import steps

_OFFSET = r"(Z|z|[+-]\d{2}(:?\d{2})?)$"


def typed(value: Any, kind: str, clock: Clock) -> Any | None:
    """`value` (an ibis column) as `kind`; None where its type cannot be that."""
    return {"key": _key, "text": _text, "number": _number, "flag": _flag}.get(kind, _Time(clock))(
        value, value.type()
    )


def _key(value: Any, type_: Any) -> Any | None:
    if type_.is_integer() and not type_.is_uint64():
        return value.cast("int64")
    return _text(value, type_)


def _text(value: Any, type_: Any) -> Any | None:
    if type_.is_binary() or type_.is_nested() or type_.is_json() or type_.is_geospatial():
        return None
    return value.cast("string").nullif("")


def _number(value: Any, type_: Any) -> Any | None:
    if type_.is_string():
        value = value.try_cast("float64")
    elif not (type_.is_numeric() and not type_.is_boolean()):
        return None
    value = value.cast("float64")
    return ibis.ifelse(value.isnan() | value.isinf(), ibis.null("float64"), value)


def _flag(value: Any, type_: Any) -> Any | None:
    if type_.is_boolean():
        return ibis.cases((value, 1), (~value, 0)).cast("int64")
    if type_.is_string():
        low = value.lower().strip()
        return ibis.cases(
            (low.isin(["1", "true", "1.0"]), 1), (low.isin(["0", "false", "0.0"]), 0)
        ).cast("int64")
    number = _number(value, type_)
    return None if number is None else ibis.cases((number == 1, 1), (number == 0, 0)).cast("int64")


class _Time:
    """Seconds in UTC; a time without an offset is a label of the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def __call__(self, value: Any, type_: Any) -> Any | None:
        if type_.is_string():
            aware = value.re_search(_OFFSET)
            zoned = _seconds(value.try_cast("timestamp('UTC')"))
            return ibis.ifelse(aware, zoned, self._label(_seconds(value.try_cast("timestamp"))))
        if type_.is_date():
            return self._label(_seconds(value.cast("timestamp")))
        if not type_.is_timestamp():
            return None
        return _seconds(value) if type_.timezone else self._label(_seconds(value))

    def _label(self, seconds: Any) -> Any:
        return seconds - steps(seconds, self.clock.label_steps, self.clock.last_offset)


def _seconds(value: Any) -> Any:
    return value.truncate("s").epoch_seconds().cast("int64")
