"""Params out of a running notebook: its variables, and the cells that set them.

Stock papermill pastes the values of a params file into a cell of their own and refuses
nothing. So the notebook validates them itself, and finds misspelt names by reading the
cells that ran: a wrong name is a variable like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from trustlib.params.problems import refusal
from trustlib.params.reading import Entry
from trustlib.params.validating import Params, validate

PLACE = "the notebook's parameters cell"
# Papermill's first line in the cell that it injects.
INJECTED = "# Parameters\n"


def from_namespace(schema: type[Params], namespace: Mapping[str, Any]) -> Params:
    """The params that `namespace` holds; see `SharedParams.from_notebook`."""
    cells = [text for text in namespace.get("In", []) if isinstance(text, str)]
    injected = [text for text in cells if text.startswith(INJECTED)]
    names = _assigned(injected[-1]) if injected else None
    if names is None:
        typed = [set_ for set_ in map(_assigned, cells[:-1]) if set_ & set(schema.model_fields)]
        written = typed[-1] if typed else set()
        values = {name: namespace[name] for name in schema.model_fields if name in namespace}
        values |= {name: namespace.get(name) for name in sorted(written - set(values))}
    else:
        # A params file was given: what it leaves out has the schema's default, not the
        # notebook's example, so that the file means the same under every runner.
        values = {name: namespace.get(name) for name in _in_order(names, schema.model_fields)}
    entries = {name: Entry(value=value) for name, value in values.items()}
    params, problems = validate(schema, entries)
    if params is None:
        raise refusal(problems, file=PLACE, notebook=schema.notebook)
    return params


def _in_order(names: set[str], known: Mapping[str, object]) -> Sequence[str]:
    return [name for name in known if name in names] + sorted(names - set(known))


def _assigned(cell: str) -> set[str]:
    """Names that `cell` sets, where it does nothing but set names to literals."""
    try:
        body = ast.parse(cell).body
    except (SyntaxError, ValueError):
        return set()
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        pair = literal_assignment(statement)
        if pair is None:
            return set()
        names.add(pair[0])
    return names


def literal_assignment(statement: ast.stmt) -> tuple[str, Any] | None:
    """``name = literal`` as (name, value), None for any other statement. Nothing is run."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    else:
        return None
    if not isinstance(target, ast.Name):
        return None
    try:
        return target.id, ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return (target.id, float("nan")) if _is_float_call(value) else None


def _is_float_call(node: ast.expr) -> bool:
    # Papermill writes float('nan') and float('inf').
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    )
