"""The kinds of value that parameters have: instants, zones, names of columns and secrets.

Each kind refuses what is almost right with the cure in the message. Pydantic collects
the refusals; `trustlib.params.validating` turns them into one readable error.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from trustlib.core.errors import did_you_mean
from trustlib.params.problems import shown

_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<clock>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)"
    r"(?P<offset>Z|[+-]\d{2}:\d{2})?)?\Z",
    re.ASCII,
)
EXAMPLE_INSTANT = "2026-03-17T14:00:00+00:00"


def fault(
    what: str,
    *,
    nearest: str | None = None,
    next_step: str | None = None,
    lacks: tuple[str, ...] = (),
) -> PydanticCustomError:
    """A refusal that keeps its parts apart until the message is built.

    `lacks`: optional parameters whose absence it is about. Where one of them was misspelt, that
    alone is said.
    """
    context = {"what": what, "nearest": nearest, "next_step": next_step, "lacks": lacks}
    # Braces would be read as a template.
    return PydanticCustomError("trustlib", "refused", context)


def instant(value: Any, info: ValidationInfo) -> datetime:
    """An aware instant from ISO text with an offset, in UTC. Local wall time is refused."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise fault("is a naive time", next_step="give it a time zone")
        return value.astimezone(UTC)
    if not isinstance(value, str):
        raise fault(
            f"needs an instant with its offset, not {kind(value)}",
            next_step=f'write for example "{EXAMPLE_INSTANT}"',
        )
    match = _INSTANT.match(value)
    if not match:
        raise fault(
            f"{shown(value)!r} is not an instant",
            next_step=f'write it as "{EXAMPLE_INSTANT}": date, T, time, offset',
        )
    try:
        wall = datetime.fromisoformat(f"{match['day']}T{match['clock'] or '00:00:00'}")
    except ValueError as error:
        raise fault(
            f"{shown(value)!r} is not on the calendar or the clock",
            next_step=f'write it as "{EXAMPLE_INSTANT}"',
        ) from error
    if match["offset"] is None:
        raise fault(
            f"{value!r} is naive: it has no offset, so it could be any of 24 hours",
            next_step=_offset_hint(wall, info.data.get("timezone")),
        )
    try:
        at = datetime.fromisoformat(f"{wall.isoformat()}{match['offset']}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise fault(
            f"{shown(value)!r} has no such offset",
            next_step=f'write it as "{EXAMPLE_INSTANT}"',
        ) from error
    if not 1990 <= at.year < 2200:
        raise fault(f"{value!r} is not a year between 1990 and 2199")
    return at


def _offset_hint(wall: datetime, timezone: str | None) -> str:
    """What to write instead of a wall time, by the clock of the file's own zone."""
    if timezone is None:
        return f'write the offset too, for example "{EXAMPLE_INSTANT}"'
    try:
        zone = ZoneInfo(timezone)
        first = wall.replace(tzinfo=zone)
        second = first.replace(fold=1)
        if first.utcoffset() == second.utcoffset():
            return f'write "{first.isoformat()}" if {timezone} time is meant'
        # A clock change: a wall time that came twice survives the round trip over UTC, one that
        # never came does not.
        back = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        came = "came twice" if back == wall else "never came"
        texts = f'"{first.isoformat()}" or "{second.isoformat()}"'
        return f"the clock changed and this hour {came} in {timezone}: write {texts}"
    except (ValueError, OverflowError, KeyError):
        return f'write the offset too, for example "{EXAMPLE_INSTANT}"'


@functools.cache
def _zones() -> frozenset[str]:
    # A walk over the zone files: once is enough.
    return frozenset(available_timezones())


def zone(value: str) -> str:
    """An IANA zone name."""
    known = _zones()
    if value not in known or value == "localtime":
        near = did_you_mean(value, known) or next(
            (name for name in sorted(known) if name.rsplit("/", 1)[-1].lower() == value.lower()),
            None,
        )
        raise fault(
            f"{shown(value)!r} is not a time zone",
            nearest=near,
            next_step="write a name from the IANA list, for example America/New_York, or UTC",
        )
    return value


def line_of_text(value: str) -> str:
    """Text without line breaks, control characters or blanks at its ends."""
    # The joiner holds emoji together, so it stays.
    if any(not (mark.isprintable() or mark == "\u200d") for mark in value):
        raise fault("holds a line break or a control character", next_step="write one plain line")
    if value != value.strip():
        raise fault("has blanks at its ends", next_step="delete them")
    return value


def environment_name(value: str) -> str:
    """The *name* of an environment variable: a pasted secret is refused and never repeated."""
    if not re.match(r"[A-Z_][A-Z0-9_]{0,127}\Z", value):
        # The value may be a secret: it must not appear, not even in part.
        raise fault(
            "needs the name of an environment variable, and got something else (not shown: "
            "it may be a secret)",
            next_step="put the address in a variable such as WAREHOUSE_URL, write that name here, "
            "and change the secret if it was saved or shared",
        )
    return value


def source_name(value: str) -> str:
    """A path or a table name, never an address with a password in it."""
    if "://" in value:
        raise fault(
            "needs a file or a table, and got an address (not shown: it may hold a secret)",
            next_step="write a path to .csv, .parquet or .sql, or a table name; "
            "the address belongs in the environment variable that `connection` names",
        )
    return value


def pair_of_instants(value: Any, info: ValidationInfo) -> tuple[datetime, datetime]:
    """``[start, end]``, or the same as ``{start: …, end: …}``: both with offsets."""
    if isinstance(value, dict) and set(value) == {"start", "end"}:
        value = [value["start"], value["end"]]
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise fault(
            f"needs windows of two instants, not {kind(value)}",
            next_step='write ["2026-03-01T00:00:00+00:00", "2026-03-02T00:00:00+00:00"]',
        )
    start, end = instant(value[0], info), instant(value[1], info)
    if start >= end:
        raise fault(
            "is a reversed or empty window: its end is not after its start",
            next_step="swap the two",
        )
    return start, end


def listed(value: Any, what: str, *, example: str, most: int, fewer: str) -> Sequence[Any]:
    """`value` if it is a list of at most `most` items; `what` they are, in the plural."""
    if not isinstance(value, (list, tuple)):
        raise fault(
            f"needs a list of {what}, not {kind(value)}",
            next_step=f"write for example {example}; [] for none",
        )
    if len(value) > most:
        raise fault(f"has more than {most} items", next_step=fewer)
    return value


def kind(value: Any) -> str:
    """What `value` is, in a reader's words."""
    words = {
        type(None): "nothing (null)",
        bool: "true/false",
        int: "a whole number",
        float: "a number",
        str: "text",
        list: "a list",
        tuple: "a list",
        dict: "a mapping",
    }
    return words.get(type(value), f"a {type(value).__name__}")


INSTANT_SCHEMA = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$",
}
Instant = Annotated[
    datetime, BeforeValidator(instant, json_schema_input_type=str), WithJsonSchema(INSTANT_SCHEMA)
]
WindowPair = Annotated[
    tuple[datetime, datetime],
    BeforeValidator(pair_of_instants),
    WithJsonSchema(
        {"type": "array", "items": INSTANT_SCHEMA, "minItems": 2, "maxItems": 2},
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(line_of_text)]
Column = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(line_of_text)]
Zone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(zone)]
Source = Annotated[
    str,
    Field(min_length=1, max_length=1024),
    AfterValidator(line_of_text),
    AfterValidator(source_name),
]
ConnectionName = Annotated[
    str,
    AfterValidator(environment_name),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z_][A-Z0-9_]*$"}),
]

BUCKETS: dict[str, timedelta] = {
    "30min": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
}
