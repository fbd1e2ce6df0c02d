"""What is wrong with a params file: every fault at once, each with its line and its cure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trustlib.core.errors import Refusal
from trustlib.core.text import short


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One fault of one parameter.

    Attributes
    ----------
    what
        The fault, one sentence without a full stop.
    line
        Line in the file, from 1; None where the fault has none (a missing name, ``--set``).
    place
        What stands for the line where there is none: ``--set level=1.5``.
    nearest
        The nearest right name or value.
    next_step
        The cure, an imperative.
    """

    what: str
    line: int | None = None
    place: str | None = None
    nearest: str | None = None
    next_step: str | None = None

    def where(self) -> str | None:
        return f"line {self.line}" if self.line is not None else self.place


def refusal(problems: Sequence[Problem], *, file: str, notebook: str | None = None) -> Refusal:
    """The one error that carries all `problems` of `file`, in the order of its lines."""
    ordered = sorted(problems, key=lambda item: (item.line is None, item.line or 0))
    listing = f"`trustlib params {notebook}` lists every name" if notebook else None
    if len(ordered) == 1:
        only = ordered[0]
        place = only.where()
        return Refusal(
            only.what,
            where=f"{file}, {place}" if place else file,
            nearest=only.nearest,
            next_step=only.next_step or listing,
        )
    lines = [f"{len(ordered)} problems in {file}"]
    for item in ordered:
        place = item.where()
        lines.append(f"  {place}: {item.what}" if place else f"  {item.what}")
        if item.nearest:
            lines.append(f"    nearest: {item.nearest}")
        if item.next_step:
            lines.append(f"    next: {item.next_step}")
    return Refusal(
        "\n".join(lines),
        where=file,
        next_step="correct these and run again" + (f"; {listing}" if listing else ""),
    )


def shown(value: object, *, limit: int = 60) -> str:
    """`value` as a message may print it: short, on one line, without control characters."""
    return short(value if isinstance(value, str) else repr(value), limit)
