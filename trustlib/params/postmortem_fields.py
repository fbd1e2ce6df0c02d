"""The kinds of value that a postmortem has: what happened, and what comes next.

As in `trustlib.params.fields`, each refuses what is almost right with the cure in the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from trustlib.params.fields import INSTANT_SCHEMA, fault, instant, kind, listed
from trustlib.params.mappings import (
    MOST,
    TEXT_SCHEMA,
    about,
    again,
    choice,
    parts,
    rows_schema,
    text,
    told,
    unlike,
)
from trustlib.params.problems import shown

ActionType = Literal["prevent", "detect", "mitigate", "process"]
ActionStatus = Literal["open", "done"]

_LONGEST = {"event": 300, "title": 200, "check": 300, "owner": 80}
_LONGEST_LINK = 500
_ENTRY = '{at: "2026-03-17T14:20:00+00:00", event: rule 17 went live, link: "https://…"}'
_ACTION = (
    "{title: replay rules on last week before they go live, type: prevent, owner: Rules, due: "
    '"2026-05-15", check: no rule goes live without a replay, status: open}'
)
# What stands where nobody has been named yet.
_NOBODY = re.compile(
    r"(?:tb[acd]|t\.b\.[acd]\.|to be \w+|todo|none|nobody|unassigned|n/?a|[-–—?.]+)\Z"
)
_WEB = re.compile(r"https?://[^\s\"'<>\\@/?#]+(?:[/?#][^\s\"'<>\\]*)?\Z", re.IGNORECASE)
_RELATIVE = re.compile(r"(?!/)[^\s\"'<>\\:?#]+(?:[?#][^\s\"'<>\\]*)?\Z")


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One event: when (aware, UTC), what, and where that can be looked up ("" nowhere)."""

    at: datetime
    event: str
    link: str


@dataclass(frozen=True, kw_only=True)
class ActionItem:
    """What somebody does until a day so that it does not come again, and how one sees it done."""

    title: str
    type: ActionType
    owner: str
    due: date
    check: str
    status: ActionStatus
    link: str


def timeline_entries(value: Any, info: ValidationInfo) -> tuple[TimelineEntry, ...]:
    """A list of mappings with at, event and perhaps link."""
    given = listed(
        value, "timeline entries", example=f"[{_ENTRY}]", most=MOST, fewer="put entries together"
    )
    return tuple(_entry(item, f"item {n}", info) for n, item in enumerate(given, start=1))


def _entry(given: Any, which: str, info: ValidationInfo) -> TimelineEntry:
    item = parts(
        again(given),
        which,
        thing="a timeline entry",
        has="an instant (at) and an event",
        names=("at", "event", "link"),
        needed=("at", "event"),
        example=_ENTRY,
    )
    try:
        at = instant(item["at"], info)
    except PydanticCustomError as error:
        raise about(error, f"{which}, at") from None
    return TimelineEntry(
        at=at,
        event=told(item, "event", which, longest=_LONGEST["event"]),
        link=_link(item.get("link"), which),
    )


def action_items(value: Any) -> tuple[ActionItem, ...]:
    """A list of mappings with title, type, owner, due, check and perhaps status and link."""
    given = listed(
        value, "action items", example=f"[{_ACTION}]", most=MOST, fewer="put items together"
    )
    made: list[ActionItem] = []
    for number, item in enumerate(given, start=1):
        action = _action(item, f"item {number}")
        unlike(action.title, [each.title for each in made], number, "title")
        made.append(action)
    return tuple(made)


def _action(given: Any, which: str) -> ActionItem:
    item = parts(
        again(given),
        which,
        thing="an action item",
        has="a title, a type, an owner, a due date and a check",
        names=("title", "type", "owner", "due", "check", "status", "link"),
        needed=("title", "type", "owner", "due", "check"),
        example=_ACTION,
    )
    status = "open" if item.get("status") is None else item["status"]
    return ActionItem(
        title=told(item, "title", which, longest=_LONGEST["title"]),
        type=cast(ActionType, choice(item["type"], f"{which}, type", get_args(ActionType))),
        owner=_somebody(item, "owner", which, "name the team or the role that answers for it"),
        due=_day(item["due"], f"{which}, due"),
        check=_somebody(item, "check", which, "write what can be looked up to see that it is done"),
        status=cast(ActionStatus, choice(status, f"{which}, status", get_args(ActionStatus))),
        link=_link(item.get("link"), which),
    )


def _somebody(item: Mapping[str, Any], part: str, which: str, cure: str) -> str:
    value = told(item, part, which, longest=_LONGEST[part])
    if _NOBODY.match(value.strip().lower()):
        raise fault(f"{which}, {part} is a placeholder: there is none yet", next_step=cure)
    return value


def _day(value: Any, which: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise fault(
            f"{which} needs a date, not {kind(value)}",
            next_step='write it as "2026-05-15", in quotes',
        )
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise fault(
            f"{which}: {shown(value)!r} is not a date",
            next_step='write it as "2026-05-15": year, month, day',
        ) from None


def _link(value: Any, which: str) -> str:
    if value is None or value == "":
        return ""
    value = text(value, f"{which}, link", longest=_LONGEST_LINK)
    if not _WEB.match(value) and not _RELATIVE.match(value):
        # It may hold a password or a token: it is not repeated.
        raise fault(
            f"{which}, link is neither a web address (http, https) nor a relative path (not shown)",
            next_step="write for example https://tickets.example/42, without a user name, or "
            "notes/42.html; or leave it out",
        )
    return value


_LINK = {"type": ["string", "null"]}
_DAY = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
Timeline = Annotated[
    tuple[TimelineEntry, ...],
    BeforeValidator(timeline_entries),
    WithJsonSchema(
        rows_schema(("at", "event"), {"at": INSTANT_SCHEMA, "event": TEXT_SCHEMA, "link": _LINK}),
    ),
]
Actions = Annotated[
    tuple[ActionItem, ...],
    BeforeValidator(action_items),
    WithJsonSchema(
        rows_schema(
            ("title", "type", "owner", "due", "check"),
            {
                "title": TEXT_SCHEMA,
                "type": {"enum": list(get_args(ActionType))},
                "owner": TEXT_SCHEMA,
                "due": _DAY,
                "check": TEXT_SCHEMA,
                "status": {"enum": list(get_args(ActionStatus))},
                "link": _LINK,
            },
        )
    ),
]
