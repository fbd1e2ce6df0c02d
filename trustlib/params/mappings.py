"""Lists of mappings: each item's parts, and a refusal that says which part of which item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from trustlib.core.errors import did_you_mean
from trustlib.params.fields import fault, kind, line_of_text
from trustlib.params.problems import shown


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
