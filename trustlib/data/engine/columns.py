"""Which column types can play which role, and the few types that they become."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis

from trustlib.core import Refusal
from trustlib.data.source import Source

_NAME = "text, a number or a date"
_PERIOD = "whole numbers, dates or text such as 2024-03"
_NEEDS = {
    "time": "a time (date, timestamp, or text in ISO 8601)",
    "segment": _NAME,
    "event_id": _NAME,
    "unit": _NAME,
    "cluster": _NAME,
    "period": _PERIOD,
    "start": _PERIOD,
    "treated": "0 or 1",
    "neighbour": "0 or 1",
}
# The parameter that names a role's column, where it is not called as the role is.
_PARAMETERS = {"period": "time_column", "start": "treatment_start_column"}
# Roles that several columns play: covariate_0, covariate_1 …
_SEVERAL = {
    "covariate": "covariate_columns",
    "predictor": "predictors",
    "given": "column",
}
_HINTS = {
    "time": "epoch seconds or milliseconds are not guessed at: write real times (pandas: "
    'pd.to_datetime(column, unit="s", utc=True)), or cast the column in a .sql source',
    "count": "set count_column: null if one row is one event",
    "given": "every column but the unit's is read as a predictor: take this one out, or cast it "
    "in a .sql source",
}


def parameter(role: str) -> str:
    """The parameter that names the column of `role`: ``count_column`` for ``count``."""
    kind = role.partition("_")[0]
    if kind in _SEVERAL:
        return _SEVERAL[kind]
    return _PARAMETERS.get(role, f"{role}_column")


def as_role(value: Any, role: str, column: str, source: Source) -> Any:
    """`value` (an ibis column) in the type that `role` is read in.

    Times become text or microseconds, numbers text, int64 or float64, segments, units and
    clusters text, periods text, microseconds, int64 or float64, flags text, int64 or float64.

    Raises
    ------
    Refusal
        If the column's type cannot play the role.
    """
    kind = value.type()
    made = _READ_AS.get(role.partition("_")[0], as_number)(value, kind)
    if made is None:
        raise Refusal(
            f"{parameter(role)} needs {_NEEDS.get(role, 'a number')}, this one is of "
            f"{plain_type(kind)}",
            where=f"{parameter(role)}: {column}, source: {source.name}",
            next_step=_HINTS.get(
                role.partition("_")[0], "name another column, or cast it in a .sql source"
            ),
        )
    return made


def plain_type(kind: Any) -> str:
    # An unknown or nested type's own words can hold names and values (those of an enumeration).
    if kind.is_unknown():
        return "a type that is not known here"
    if kind.is_nested():
        return f"type {type(kind).__name__.lower()}"
    return f"type {str(kind).removeprefix('!')}"


def as_time(value: Any, kind: Any) -> Any | None:
    if kind.is_string():
        return value.cast("string")
    if kind.is_date():
        value, kind = value.cast("timestamp(6)"), None
    elif kind.is_timestamp():
        value = value.cast("timestamp('UTC', 6)" if kind.timezone else "timestamp(6)")
    elif kind.is_unknown() and "TIMESTAMPTZ_NS" in str(kind):
        # What older pandas writes for zoned times: the engine knows it, ibis has no name for it.
        value, kind = value.cast("timestamp('UTC', 6)"), ibis.dtype("timestamp('UTC')")
    else:
        return None
    # Infinity and years that no calendar here holds are no times.
    zone = "UTC" if kind is not None and kind.timezone else None
    low = ibis.timestamp(datetime(1, 1, 3), timezone=zone)
    high = ibis.timestamp(datetime(9999, 12, 29), timezone=zone)
    return ibis.ifelse((value >= low) & (value < high), value, ibis.null(value.type()))


def as_number(value: Any, kind: Any) -> Any | None:
    if kind.is_string():
        return value.cast("string")
    if kind.is_integer():
        return value.cast("float64" if kind.is_uint64() else "int64")
    if kind.is_floating() or kind.is_decimal():
        return value.cast("float64")
    return None


def _period(value: Any, kind: Any) -> Any | None:
    number = as_number(value, kind)
    return as_time(value, kind) if number is None else number


def as_flag(value: Any, kind: Any) -> Any | None:
    if kind.is_boolean():
        return ibis.cases((value, 1), (~value, 0)).cast("int64")
    return as_number(value, kind)


def as_name(value: Any, kind: Any) -> Any | None:
    if kind.is_floating():
        # 17.0 is how a table with an empty cell writes unit 17, and engines print it differently.
        whole = (value.abs() < 1e15) & (value == value.round())
        number = ibis.ifelse(whole, value, 0.0).round().cast("int64").cast("string")
        text = ibis.ifelse(whole, number, value.cast("float64").cast("string"))
        return ibis.ifelse(value.isnan(), ibis.null("string"), text)
    return _segment(value, kind)


def _segment(value: Any, kind: Any) -> Any | None:
    if kind.is_binary() or kind.is_nested() or kind.is_json() or kind.is_geospatial():
        return None
    return value.cast("string")


_READ_AS = {
    "time": as_time,
    "segment": _segment,
    "event": as_name,
    "unit": as_name,
    "cluster": as_name,
    "period": _period,
    "start": _period,
    "treated": as_flag,
    "neighbour": as_flag,
    "outcome": as_flag,
    "covariate": as_flag,
    "predictor": as_flag,
    "given": as_flag,
}
