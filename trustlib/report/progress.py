"""What a person sees while reports are made."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from trustlib.report.outcome import RunOutcome

_STYLES = {"complete": "green", "failed": "bold red", "refused": "yellow", "no data": "yellow"}


class Display:
    """Shows nothing: the quiet display, and the shape of the others."""

    def tell(self, event: Any) -> None:
        """One `stages.Event`."""

    def done(self, name: str, outcome: RunOutcome) -> None:
        """One report is over."""

    def note(self, text: str) -> None:
        """Something about the whole command."""

    def refresh(self) -> None:
        """Called several times a second."""


class Calling(Display):
    """Hands each event to a function."""

    def __init__(self, function: Callable[[Any], None]) -> None:
        self.function = function

    def tell(self, event: Any) -> None:
        self.function(event)


class Lines(Display):
    """A line per stage, for logs."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.started: dict[str, float] = {}
        self.last: dict[str, str] = {}

    def tell(self, event: Any) -> None:
        begun = self.started.setdefault(event.job, time.monotonic())
        text = words(event)
        if self.last.get(event.job) != text:
            self.last[event.job] = text
            self._print(event.job, time.monotonic() - begun, text)

    def done(self, name: str, outcome: RunOutcome) -> None:
        begun = self.started.get(name, time.monotonic())
        self._print(name, time.monotonic() - begun, outcome.status.replace("_", " "))

    def note(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def _print(self, name: str, seconds: float, text: str) -> None:
        print(f"{name}  {seconds:5.1f} s  {text}", file=self.stream, flush=True)


class Live(Display):
    """One line per report that moves, on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self.rows: dict[str, list[Any]] = {}
        # No thread of its own: workers are forked from this process.
        self.live = RichLive(
            console=Console(file=stream), auto_refresh=False, vertical_overflow="ellipsis"
        )

    def tell(self, event: Any) -> None:
        row = self.rows.setdefault(event.job, [time.monotonic(), None, "", None])
        row[2], row[3] = words(event), event

    def done(self, name: str, outcome: RunOutcome) -> None:
        row = self.rows.setdefault(name, [time.monotonic(), None, "", None])
        row[1], row[2], row[3] = time.monotonic(), outcome.status.replace("_", " "), None

    def note(self, text: str) -> None:
        self.live.console.print(text, markup=False, highlight=False)

    def refresh(self) -> None:
        self.live.update(self._table(), refresh=True)

    def _table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for name, (begun, ended, text, event) in self.rows.items():
            elapsed = (ended or time.monotonic()) - begun
            said = Text(text, style=_STYLES.get(text, ""))
            table.add_row(Text(name), f"{elapsed:5.1f} s", _bar(event), said)
        return table


def words(event: Any) -> str:
    """An event in words: ``notebook 3/12 Headline``."""
    if event.stage == "waiting":
        return "waiting: another run of this report is being published"
    if event.cell is None:
        return event.stage
    return f"{event.stage} {event.cell}/{event.cells} {event.heading}".rstrip()


@contextlib.contextmanager
def display(progress: str | Callable[[Any], None] | None) -> Iterator[Display]:
    """The display that `progress` asks for (see `running.run`)."""
    if progress is None:
        yield Display()
    elif callable(progress):
        yield Calling(progress)
    elif progress == "auto" and sys.stderr.isatty():
        live = Live(sys.stderr)
        with live.live:
            yield live
            live.refresh()
    else:
        yield Lines(sys.stderr)


def _bar(event: Any) -> str:
    width = 12
    if event is None or not event.cells:
        return " " * width
    full = round(width * ((event.cell or 1) - 1) / event.cells)
    return "━" * full + "╌" * (width - full)
