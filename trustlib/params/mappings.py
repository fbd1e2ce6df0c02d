"""Lists of mappings: each item's parts, and a refusal that says which part of which item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from pydantic_core import PydanticCustomError

from trustlib.core.errors import did_you_mean
from trustlib.params.abuse_fields import one_name
from trustlib.params.fields import fault, kind, line_of_text
from trustlib.params.problems import shown

MOST = 200  # items of a list that a person writes
TEXT_SCHEMA = {"type": "string", "minLength": 1}


def parts(
    item: Any,
    which: str,
    *,
    thing: str,
    has: str,
    names: Sequence[str],
    needed: Sequence[str],
    example: str,
) -> Mapping[str, Any]:
    """`item` if it is a mapping with no part but `names` and with all that are `needed`.

    `which` says where it stands ("item 2"), `thing` what it is ("a predictor") and `has` what
    such a thing has, in words.
    """
    if not isinstance(item, Mapping):
        raise fault(
            f"{which} is {kind(item)}, and {thing} has {has}",
            next_step=f"write for example {example}",
        )
    for part in item:
        if part not in names:
            near = did_you_mean(str(part), names)
            raise fault(
                f"{which} has {shown(part)!r}, which is no part of {thing}",
                nearest=near,
                next_step=f"write {near}" if near else f"its parts are {', '.join(names)}",
            )
    for part in needed:
        if item.get(part) is None:
            raise fault(f"{which} has no {part}", next_step=f"write for example {example}")
    return item


def text(value: Any, which: str, *, longest: int) -> str:
    """One line of text; `which` part it is, for the refusal."""
    if not isinstance(value, str):
        raise fault(
            f"{which} needs text, not {kind(value)}", next_step="put it in quotes if it is text"
        )
    return line(value, which, longest=longest)


def line(value: str, which: str, *, longest: int) -> str:
    """`value` if it is one line of at most `longest` characters."""
    said = f"{which} " if which else ""
    if not value:
        raise fault(f"{said}is empty", next_step="write it, or take it out")
    if len(value) > longest:
        raise fault(f"{said}is longer than {longest} characters", next_step="write it shorter")
    try:
        return line_of_text(value)
    except PydanticCustomError as error:
        raise about(error, which) from None


def about(error: PydanticCustomError, which: str) -> PydanticCustomError:
    """The same refusal with the part that it is about."""
    context = error.context or {}
    said = f"{which} " if which else ""
    return fault(
        f"{said}{context['what']}", nearest=context["nearest"], next_step=context["next_step"]
    )


def told(item: Mapping[str, Any], part: str, which: str, *, longest: int) -> str:
    """The text of a part that readers of the report see: it identifies nobody."""
    said = f"{which}, {part}"
    value = text(item[part], said, longest=longest)
    try:
        return one_name(value)
    except PydanticCustomError as error:
        raise about(error, said) from None


def choice(value: Any, which: str, choices: Sequence[str]) -> str:
    """`value` if it is one of `choices`; else the nearest is told."""
    if isinstance(value, str) and value in choices:
        return value
    said = repr(shown(value)) if isinstance(value, str) else kind(value)
    near = did_you_mean(value, choices) if isinstance(value, str) else None
    many = len(choices) > 10
    known = f"one of {', '.join(choices)}"
    raise fault(
        f"{which}: {said} is not {'known' if many else known}",
        nearest=near,
        next_step=f"write {near}" if near else f"write {known}",
    )


def finite(value: Any, which: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise fault(f"{which} needs a number, not {kind(value)}", next_step="write a plain number")
    if not abs(value) <= 1e15:  # neither is what is no number
        raise fault(
            f"{which} must be a finite number, at most 1e15 in size",
            next_step="write a plain number",
        )
    return float(value)


def unlike(name: str, others: Sequence[str], place: int, part: str) -> None:
    """Refuse the `part` of the item at `place` (from 1) if one of those before has the same."""
    if name in others:
        raise fault(
            f"item {place} has the {part} of item {others.index(name) + 1}",
            next_step=f"give each a {part} of its own, or take one of the two out",
        )


def rows_schema(needed: Sequence[str], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a list of mappings with these parts."""
    return {
        "type": "array",
        "maxItems": MOST,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": list(needed),
            "properties": dict(properties),
        },
    }


def again(item: Any) -> Any:
    """A record that an earlier reading made, as the mapping that it was; else `item`."""
    return vars(item) if is_dataclass(item) and not isinstance(item, type) else item
