"""Did the notebook really run to its end? Our own rule, since nobody else's holds.

Stock tools call a notebook complete whose kernel was killed, whose time ran out or which
left through ``sys.exit(0)``. Here a run is complete only if every code cell was executed
in order, none left an error, and the last one, and only that one, left valid Results.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trustlib.core.results import MIME, validate
from trustlib.report.kernel import ERROR_SCHEMA


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why a run is not complete, without any data value.

    Attributes
    ----------
    status
        ``failed``, ``refused`` or ``no_data``.
    what, where, nearest, next_step
        The message for a person.
    cell
        Number of the code cell, from 1, or None where no cell is to blame.
    heading
        The Markdown heading above that cell.
    type
        The exception's type, or None.
    frames
        Where it happened, outermost first: file, line, function, code.
    private
        The original message and traceback: for the terminal of a debug run only.
    """

    status: str
    what: str
    where: str | None = None
    nearest: str | None = None
    next_step: str | None = None
    cell: int | None = None
    heading: str | None = None
    type: str | None = None
    frames: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)
    private: str | None = None

    def message(self) -> str:
        """The lines a terminal shows."""
        lines = [self.what]
        for label, text in (
            ("where", self.where),
            ("nearest", self.nearest),
            ("next", self.next_step),
        ):
            if text:
                lines.append(f"  {label}: {text}")
        return "\n".join(lines)


def code_cells(notebook: Any) -> list[int]:
    """Positions of the code cells that hold code."""
    return [
        position
        for position, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.strip()
    ]


def heading(notebook: Any, position: int) -> str:
    """The nearest Markdown heading at or above `position`, without its marks."""
    for cell in reversed(notebook.cells[: position + 1]):
        if cell.cell_type != "markdown":
            continue
        found = re.findall(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", cell.source, flags=re.MULTILINE)
        if found:
            return found[-1]
    return ""


def assess(notebook: Any, *, expected: str) -> Fault | None:
    """The first reason why `notebook` is not a complete run of `expected`; None if it is."""
    cells = code_cells(notebook)
    if not cells:
        return Fault(status="failed", what="The notebook holds no code.")
    for number, position in enumerate(cells, start=1):
        cell = notebook.cells[position]
        error = next((out for out in cell.outputs if out.output_type == "error"), None)
        if error is not None:
            return fault_of_error(notebook, position, error)
        if cell.execution_count != number:
            return _at(notebook, position, "This cell was not executed in its turn.")
    return _results_fault(notebook, cells, expected)


def results(notebook: Any) -> dict[str, Any]:
    """The Results that a complete notebook carries."""
    found = _bundles(notebook, code_cells(notebook)[-1])
    return found[0]


def fault_of_error(notebook: Any, position: int, error: Any) -> Fault:
    """What an error output says, kept apart from what it must not say."""
    told = _structured(error)
    number, title = _number(notebook, position), heading(notebook, position)
    place = _place(number, title)
    private = "\n".join(error.get("traceback", [])[1:]) or None
    frames = tuple(told.get("frames", ()))
    if told.get("what"):
        return Fault(
            status=told["status"],
            what=told["what"],
            where=told.get("where") or place,
            nearest=told.get("nearest"),
            next_step=told.get("next_step"),
            cell=number,
            heading=title,
            type=told["type"],
            frames=frames,
            private=private,
        )
    name = error.get("ename") or "error"
    return Fault(
        status="failed",
        what=_WORDS.get(name, f"{_article(name)} {name} was raised."),
        where=place + _line(frames),
        next_step="its message may hold data and is withheld; run again with --debug to see it",
        cell=number,
        heading=title,
        type=name,
        frames=frames,
        private=private,
    )


def fault_at(notebook: Any, position: int | None, what: str, *, next_step: str) -> Fault:
    """A fault that no exception tells about: kernel death, time-out, interruption."""
    if position is None:
        return Fault(status="failed", what=what, next_step=next_step)
    number, title = _number(notebook, position), heading(notebook, position)
    return Fault(
        status="failed",
        what=what,
        where=_place(number, title),
        next_step=next_step,
        cell=number,
        heading=title,
    )


_WORDS = {
    "SystemExit": "The notebook left by itself (SystemExit) before its end.",
    "KeyboardInterrupt": "The kernel was interrupted.",
    "MemoryError": "There was not enough memory (MemoryError).",
}


def _results_fault(notebook: Any, cells: list[int], expected: str) -> Fault | None:
    last = cells[-1]
    for position in cells[:-1]:
        if _bundles(notebook, position):
            return _at(notebook, position, "Results are shown before the last cell.")
    found = _bundles(notebook, last)
    if len(found) != 1:
        what = "The last cell shows no Results." if not found else "Results are shown twice."
        return _at(notebook, last, what)
    try:
        validate(found[0])
    except (ValueError, TypeError, AttributeError) as error:
        return _at(notebook, last, f"The Results are not valid: {error}")
    if found[0]["notebook"] != expected:
        return _at(notebook, last, "The Results belong to another notebook.")
    return None


def _bundles(notebook: Any, position: int) -> list[Any]:
    outputs = notebook.cells[position].get("outputs", [])
    return [out.data[MIME] for out in outputs if MIME in out.get("data", {})]


def _at(notebook: Any, position: int, what: str) -> Fault:
    return fault_at(
        notebook,
        position,
        what,
        next_step="a notebook's last cell shows its one Results; see how the others end",
    )


def _structured(error: Any) -> dict[str, Any]:
    lines = error.get("traceback") or [""]
    try:
        told = json.loads(lines[0])
    except ValueError:
        return {}
    return told if isinstance(told, dict) and told.get("schema") == ERROR_SCHEMA else {}


def _number(notebook: Any, position: int) -> int:
    return sum(
        1
        for cell in notebook.cells[: position + 1]
        if cell.cell_type == "code" and cell.source.strip()
    )


def _place(number: int, title: str) -> str:
    return f"cell {number}" + (f", {title}" if title else "")


def _line(frames: tuple[Mapping[str, Any], ...]) -> str:
    if not frames:
        return ""
    last = frames[-1]
    return f"; {last['file']}, line {last['line']}"


def _article(name: str) -> str:
    return "An" if name[:1].lower() in "aeiou" else "A"
