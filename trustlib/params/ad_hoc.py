"""A schema for a notebook that has none: its own cell tagged ``parameters``.

Names, types and defaults come from the cell's literals, read and never run.
"""

from __future__ import annotations

import ast
import json
import keyword
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import ConfigDict, Field, create_model

from trustlib.core.errors import Refusal
from trustlib.params.fields import Source
from trustlib.params.injected import literal_assignment
from trustlib.params.problems import shown
from trustlib.params.shared import OneSourceParams, SharedParams

MAX_BYTES = 64 * 1024 * 1024


class AdHocParams(OneSourceParams):
    """Shared parameters of a notebook without a schema of its own: none is required."""

    notebook = "ad_hoc"
    model_config = ConfigDict(protected_namespaces=())

    source: Annotated[
        Source | None, Field(description="What to read, where the notebook reads it.")
    ] = None  # type: ignore[assignment]  # not every notebook reads one source


def schema_from_notebook(path: str | Path) -> type[SharedParams]:
    """The params class that the notebook's parameters cell describes.

    Every name keeps the type of its literal; None accepts any plain value, a whole number
    is accepted where the literal is a float. The shared names are allowed besides.

    Raises
    ------
    Refusal
        If the file is no notebook, or the cell does more than set names to literals.
    """
    path = Path(path)
    fields: dict[str, Any] = {}
    for line, statement in _statements(path):
        pair = literal_assignment(statement)
        name = pair[0] if pair else ""
        if pair is None or not name.isidentifier() or keyword.iskeyword(name):
            raise _refuse(path, f"line {line} of the parameters cell is more than `name = value`")
        if name.startswith("_") or name in _RESERVED:
            raise _refuse(path, f"{name} cannot be the name of a parameter")
        fields[name] = _field(name, pair[1])
    made = create_model(f"{path.stem}Params", __base__=AdHocParams, **fields)
    made.notebook = path.stem
    return cast(type[SharedParams], made)


# Names that the params object needs for itself.
_RESERVED = frozenset({"notebook", *dir(OneSourceParams)} - set(OneSourceParams.model_fields))


def _field(name: str, value: Any) -> Any:
    if name in AdHocParams.model_fields:
        # The shared rules hold; only the default is the notebook's.
        info = AdHocParams.model_fields[name]
        return (info.rebuild_annotation(), Field(default=value, description=info.description))
    description = "From the notebook's parameters cell."
    if value is None:
        return (Any, Field(default=None, description=description))
    kind = type(value) if type(value) in (bool, int, float, str, list, dict) else list
    default = list(value) if isinstance(value, (tuple, set)) else value
    return (kind, Field(default=default, description=description))


def _statements(path: Path) -> list[tuple[int, ast.stmt]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refuse(path, "the notebook is too large to read")
        document = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
        tagged = [
            cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])
        ]
        source = tagged[0]["source"] if tagged else ""
        text = source if isinstance(source, str) else "".join(source)
    except OSError as error:
        raise _refuse(path, f"the notebook cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _refuse(path, "the file is not a notebook") from None
    if not tagged:
        return []
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise _refuse(path, f"line {line} of the parameters cell is not Python") from None
    return [
        (statement.lineno, statement)
        for statement in body
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]


def _refuse(path: Path, what: str) -> Refusal:
    return Refusal(
        shown(what, limit=200),
        where=str(path),
        next_step="the cell tagged `parameters` holds only lines such as  threshold = 0.8",
    )
