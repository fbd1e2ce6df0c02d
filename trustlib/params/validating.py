"""From names and values to params, or to every problem at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from trustlib.core.errors import did_you_mean
from trustlib.params.fields import kind
from trustlib.params.problems import Problem, shown
from trustlib.params.reading import UNREADABLE, Entry
from trustlib.params.shared import SharedParams

Params = TypeVar("Params", bound=SharedParams)


def validate(
    schema: type[Params], entries: Mapping[str, Entry]
) -> tuple[Params | None, list[Problem]]:
    """`entries` as params of `schema`; None where there is any problem."""
    known = list(schema.model_fields)
    problems: list[Problem] = []
    meant: set[str] = set()
    values: dict[str, Any] = {}
    for name, entry in entries.items():
        if name not in known:
            near = nearest_name(name, known)
            meant |= {near} if near else set()
            problems.append(
                Problem(
                    what=f"{shown(name)!r} is not a parameter of {schema.notebook}",
                    line=entry.line,
                    place=entry.place,
                    nearest=near,
                    next_step=f"write {near}" if near else "delete it",
                )
            )
        else:
            values[name] = entry.value
    unread = {name for name, value in values.items() if value is UNREADABLE}
    try:
        params = schema(**values)
        return (None if problems else params), problems
    except ValidationError as error:
        for item in error.errors(include_url=False):
            name = str(item["loc"][0]) if item["loc"] else ""
            if name in unread or (item["type"] == "missing" and name in meant):
                continue  # already said
            if meant & set((item.get("ctx") or {}).get("lacks", ())):
                continue  # a misspelt name is why
            problems.append(_problem(schema, name, item, entries.get(name)))
    return None, problems


def nearest_name(name: str, known: list[str]) -> str | None:
    """The parameter that was probably meant."""
    return did_you_mean(name, known)


def _problem(schema: type[SharedParams], name: str, item: Any, entry: Entry | None) -> Problem:
    line = entry.line if entry else None
    place = entry.place if entry else None
    context = item.get("ctx") or {}
    if item["type"] == "trustlib":
        return Problem(
            what=f"{name}: {context['what']}",
            line=line,
            place=place,
            nearest=context.get("nearest"),
            next_step=context.get("next_step"),
        )
    if item["type"] == "missing":
        return Problem(
            what=f"{name} is missing: {_first_sentence(schema, name)}",
            next_step=f"add a line such as  {name}: {example_text(schema, name)}",
        )
    value = entry.value if entry else None
    what, nearest, cure = _plain_fault(item["type"], context, value)
    return Problem(
        what=f"{name}: {what}",
        line=line,
        place=place,
        nearest=nearest,
        next_step=cure or f"write for example  {name}: {example_text(schema, name)}",
    )


def _plain_fault(
    code: str, context: Mapping[str, Any], value: Any
) -> tuple[str, str | None, str | None]:
    """Pydantic's verdict in our words: what, nearest, next step."""
    if code == "literal_error":
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        near = did_you_mean(value, choices) if isinstance(value, str) else None
        said = repr(shown(value)) if isinstance(value, str) else kind(value)
        what = f"{said} is not one of {', '.join(choices)}"
        return what, near, f"write {near}" if near else f"write one of {', '.join(choices)}"
    limits = {
        "greater_than": "must be greater than {gt:g}",
        "greater_than_equal": "must be at least {ge:g}",
        "less_than": "must be less than {lt:g}",
        "less_than_equal": "must be at most {le:g}",
        "string_too_long": "is longer than {max_length} characters",
        "string_too_short": "is empty",
        "too_long": "has more than {max_length} items",
        "finite_number": "must be a finite number",
    }
    if code == "too_long" and isinstance(value, str):
        code = "string_too_long"  # a limit on top of the text's own
    if code in limits:
        said = f"{value} " if isinstance(value, (int, float)) else ""
        return said + limits[code].format(**context), None, None
    if code == "string_unicode":
        what = "holds half a character (an escape such as \\ud83d)"
        return what, None, "write the character itself"
    wanted = {
        "string_type": "text",
        "float_type": "a number",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "bool_type": "true or false",
        "list_type": "a list",
        "tuple_type": "a list",
        "dict_type": "a mapping",
    }
    need = wanted.get(code, "another kind of value")
    cure = None
    if need == "text" and isinstance(value, (int, float)):
        cure = f'put it in quotes if it is text: "{value}"'
    return f"needs {need}, not {kind(value)}", None, cure


def _first_sentence(schema: type[SharedParams], name: str) -> str:
    text = schema.model_fields[name].description or "it has no default"
    text = text.split(". ")[0].rstrip(".")
    return text[0].lower() + text[1:]


def example_text(schema: type[SharedParams], name: str) -> str:
    """An example of the parameter's value, as YAML."""
    import json

    info = schema.model_fields[name]
    value = info.examples[0] if info.examples else info.default
    return json.dumps(value, ensure_ascii=False)
