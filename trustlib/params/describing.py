"""Schemas for people and editors: the table of names, the JSON Schema, a new file."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import PydanticUndefined

from trustlib.core.errors import Refusal
from trustlib.params.files import RESERVED, SLUG, suggest_slug
from trustlib.params.problems import shown
from trustlib.params.schemas import schema
from trustlib.params.shared import SharedParams


class Row(NamedTuple):
    """One parameter as a reader sees it: all four are text."""

    name: str
    type: str
    default: str
    meaning: str


def table(notebook: str) -> list[Row]:
    """Every parameter of `notebook`: name, type, default ("required" where none), meaning."""
    fields = json_schema(notebook)["properties"]
    made = schema(notebook)
    return [
        Row(
            name=name,
            type=_type_words(fields[name]),
            default="required" if info.is_required() else _yaml(_default(made, name)),
            meaning=info.description or "",
        )
        for name, info in made.model_fields.items()
    ]


def json_schema(notebook: str) -> dict[str, Any]:
    """The JSON Schema of `notebook`'s params files, for editors."""
    made = schema(notebook)
    document = made.model_json_schema()
    properties = document["properties"]
    for item in properties.values():
        item.pop("title", None)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Params of {notebook}",
        "description": (made.__doc__ or "").split("\n")[0],
        "type": "object",
        "additionalProperties": False,
        "required": document.get("required", []),
        "properties": properties,
        **({"$defs": document["$defs"]} if "$defs" in document else {}),
    }


def json_schema_text(notebook: str) -> str:
    """The committed form of `json_schema`."""
    return json.dumps(json_schema(notebook), indent=2, ensure_ascii=False) + "\n"


def new(notebook: str, slug: str, folder: str | Path = "params") -> Path:
    """Write ``folder/<notebook>/<slug>.yaml``: every name, its meaning as a comment.

    Raises
    ------
    Refusal
        If the file is there already, or its name cannot name a report.
    """
    made = schema(notebook)
    if not SLUG.match(slug) or slug in RESERVED:
        raise Refusal(
            f"{shown(slug)!r} cannot name a report",
            nearest=suggest_slug(slug),
            next_step="small letters, digits, - and _, at most 64, starting with a letter or digit",
        )
    path = Path(folder) / notebook / f"{slug}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(commented(made, slug))
    except FileExistsError:
        raise Refusal(
            "the params file is there already; nothing was overwritten",
            where=str(path),
            next_step="choose another slug, or edit the file",
        ) from None
    except OSError as error:
        raise Refusal(f"the file cannot be written: {error.strerror}", where=str(path)) from None
    return path


def commented(made: type[SharedParams], slug: str) -> str:
    """A params file with every name of `made`: those to edit first, then the defaults."""
    required = [name for name, info in made.model_fields.items() if info.is_required()]
    first = list(dict.fromkeys(["title", "owner", *required, *made.edit_first]))
    first = [name for name in first if name in made.model_fields]
    rest = [name for name in made.model_fields if name not in first]
    lines = [
        f"# yaml-language-server: $schema=../schema/{made.notebook}.json",
        f"# Run: trustlib run params/{made.notebook}/{slug}.yaml",
        "",
        "# --- Edit these ---",
        "",
    ]
    for name in first:
        title = slug.replace("-", " ").replace("_", " ")
        value = title if name == "title" else _default(made, name)
        lines += _lines(made, name, value)
    lines += ["# --- The rest has defaults ---", ""]
    for name in rest:
        lines += _lines(made, name, _default(made, name))
    return "\n".join(lines).rstrip() + "\n"


def _lines(made: type[SharedParams], name: str, value: Any) -> list[str]:
    info = made.model_fields[name]
    if info.is_required() or name in made.show_example:
        value = info.examples[0] if info.examples else _default(made, name)
    comment = textwrap.wrap(info.description or "", width=96)
    choices = getattr(info.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        comment.append(f"One of: {', '.join(choices)}.")
    return [*(f"# {line}" for line in comment), f"{name}: {_yaml(value)}", ""]


def _default(made: type[SharedParams], name: str) -> Any:
    default = made.model_fields[name].default
    return None if default is PydanticUndefined else default


def _yaml(value: Any) -> str:
    """`value` as YAML that every reader reads alike (JSON is YAML)."""
    if isinstance(value, tuple):
        value = list(value)
    return json.dumps(value, ensure_ascii=False)


def _type_words(item: dict[str, Any]) -> str:
    if "anyOf" in item:
        return " or ".join(_type_words(each) for each in item["anyOf"])
    if "enum" in item:
        return " | ".join(str(each) for each in item["enum"])
    if item.get("format") == "date-time":
        return "instant"
    if item.get("type") == "array":
        return f"list of {_type_words(item.get('items', {}))}"
    words = {"string": "text", "integer": "whole number", "null": "null", "boolean": "true/false"}
    words |= {"object": "mapping"}
    return words.get(item.get("type", ""), item.get("type", "any"))
