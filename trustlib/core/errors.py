"""Errors that a person can act on: what, where, the nearest right thing, the next step.

No message may carry a raw data value: name columns, rows by number, counts and
types, never contents.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TrustlibError(Exception):
    """One clear message for a person.

    Parameters
    ----------
    what
        What is wrong, one sentence.
    where
        File and line, column, window or cell.
    nearest
        The nearest right thing, for example the name that was probably meant.
    next_step
        What to do next.
    """

    exit_code = 1
    status = "failed"

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        nearest: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.nearest = nearest
        self.next_step = next_step
        super().__init__(self.message())

    def message(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.nearest:
            lines.append(f"  nearest: {self.nearest}")
        if self.next_step:
            lines.append(f"  next: {self.next_step}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling.
        return (_rebuild, (type(self), self.what, self.where, self.nearest, self.next_step))

    def _render_traceback_(self) -> list[str]:
        # Jupyter asks this: the message alone, without frames, is what a reader needs.
        return [f"{type(self).__name__}: {self.message()}"]


def _rebuild(
    cls: type[TrustlibError],
    what: str,
    where: str | None,
    nearest: str | None,
    next_step: str | None,
) -> TrustlibError:
    return cls(what, where=where, nearest=nearest, next_step=next_step)


class Refusal(TrustlibError):
    """Bad parameters or bad data: nothing was computed and nothing overwritten."""

    exit_code = 2
    status = "refused"


class NoData(TrustlibError):
    """The source was read and holds nothing to measure. Nothing read is not zero."""

    exit_code = 3
    status = "no_data"


class RunFailed(TrustlibError):
    """The report broke on the way: the fault is not the caller's input."""

    exit_code = 1
    status = "failed"


def did_you_mean(word: str, names: Iterable[str]) -> str | None:
    """The name nearest to `word`, or None where none is near.

    Case and separators are ignored first, so that ``IncidentStart`` and
    ``incident-start`` find ``incident_start``.
    """
    known = list(names)

    def fold(text: str) -> str:
        return text.replace("_", "").replace("-", "").replace(" ", "").lower()

    folded = {fold(name): name for name in known}
    if fold(word) in folded:
        return folded[fold(word)]
    close = difflib.get_close_matches(fold(word), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None
