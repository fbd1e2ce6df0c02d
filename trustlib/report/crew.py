"""The worker processes of one command: one for each report, some side by side."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from trustlib.report.outcome import RunOutcome
from trustlib.report.plan import Job
from trustlib.report.progress import Display

# Beyond its cells' time a report may take this long to start, render and publish.
GRACE_SECONDS = 120.0
_STOPPING_SECONDS = 15.0


@dataclass
class _Worker:
    job: Job
    process: Any
    pipe: Connection
    deadline: float
    outcome: RunOutcome | None = None


class Crew:
    """The worker processes of one command, at most `jobs` at a time."""

    def __init__(self, planned: Mapping[int, Job], jobs: int, shown: Display) -> None:
        self.waiting = list(planned.items())
        self.jobs = jobs
        self.shown = shown
        self.running: dict[int, _Worker] = {}
        self.outcomes: dict[int, RunOutcome] = {}
        self.asked_to_stop = 0
        self.stopping_since: float | None = None
        # A fork shares what is imported already; it is safe only without other threads.
        alone = threading.active_count() == 1
        fork = alone and sys.platform == "linux"
        self.context: Any = multiprocessing.get_context("fork" if fork else "spawn")
        if fork:
            _import_once()

    def work(self) -> dict[int, RunOutcome]:
        with _signals(self.ask):
            while self.waiting or self.running:
                self._stop()
                self._start()
                self._listen()
                self._watch()
        return self.outcomes

    def ask(self) -> None:
        """Called by a signal, between any two steps of the others: only takes a note."""
        self.asked_to_stop += 1

    def _stop(self) -> None:
        """If asked, interrupt what runs and start nothing more; asked twice, kill."""
        if not self.asked_to_stop:
            return
        again = self.asked_to_stop > 1
        if self.stopping_since is not None and not again:
            return
        self.stopping_since = self.stopping_since or time.monotonic()
        for position, job in self.waiting:
            self.outcomes[position] = _lost(job, "The run was interrupted before it started.")
        self.waiting = []
        for worker in self.running.values():
            worker.process.kill() if again else worker.process.terminate()

    def _start(self) -> None:
        while self.waiting and len(self.running) < self.jobs:
            position, job = self.waiting.pop(0)
            ours, theirs = self.context.Pipe(duplex=False)
            process = self.context.Process(target=_work, args=(job, theirs), name=job.name)
            with _held_back():
                process.start()
            theirs.close()
            deadline = time.monotonic() + job.seconds + GRACE_SECONDS
            self.running[position] = _Worker(job, process, ours, deadline)

    def _listen(self) -> None:
        pipes = {worker.pipe: position for position, worker in self.running.items()}
        for pipe in wait(list(pipes), timeout=0.1):
            position = pipes[pipe]  # type: ignore[index]
            worker = self.running[position]
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                self._finish(position)
                continue
            if isinstance(message, RunOutcome):
                worker.outcome = message
            else:
                self.shown.tell(message)
        self.shown.refresh()

    def _finish(self, position: int) -> None:
        worker = self.running.pop(position)
        worker.process.join()
        worker.pipe.close()
        outcome = worker.outcome
        if outcome is None:
            from trustlib.report import ending

            outcome = ending.lost(worker.job, _died(worker.process.exitcode))
        self.outcomes[position] = outcome
        self.shown.done(worker.job.name, outcome)

    def _watch(self) -> None:
        now = time.monotonic()
        hurry = self.stopping_since is not None and now - self.stopping_since > _STOPPING_SECONDS
        for worker in self.running.values():
            if hurry or now > worker.deadline + _STOPPING_SECONDS:
                worker.process.kill()
            elif now > worker.deadline:
                worker.process.terminate()


def _work(job: Job, pipe: Connection) -> None:
    """A worker process: one report, then the end."""
    from trustlib.report import work
    from trustlib.report.kernel import die_with_parent

    def interrupted(signum: int, frame: object) -> None:
        # Once is enough: what follows is tidying up, and must not be interrupted itself.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise work.Interrupted

    warnings.simplefilter("ignore")  # they would tear the display; cells keep their own
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and sends SIGTERM
    signal.signal(signal.SIGTERM, interrupted)
    parent = multiprocessing.parent_process()
    die_with_parent(parent.pid if parent else None, signal.SIGTERM)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        _import_once()
        outcome = work.run_report(job, pipe.send)
    except work.Interrupted:
        outcome = _lost(job, "The run was interrupted before it started.")
    with contextlib.suppress(OSError):
        pipe.send(outcome)
        pipe.close()


def _import_once() -> None:
    """Import what every worker needs, before the first fork where there is one."""
    with _absent("rfc3987_syntax", "isoduration", "pyarrow.fs"):
        from trustlib.report import engine, page, work

    del engine, page, work


@contextlib.contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Let optional imports of `names` fail for a while: nobody here needs what they cost.

    jsonschema takes the first two for formats that no notebook has, papermill the last to
    read from Hadoop; together they take most of a second.
    """
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _lost(job: Job, message: str) -> RunOutcome:
    return RunOutcome(
        notebook=job.notebook,
        slug=job.slug,
        status="failed",
        message=f"{message}\n  next: run it again; the last good report is unchanged",
        params=job.params_file,
    )


def _died(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"The report's process was killed ({signal.Signals(-exitcode).name})."
    return "The report's process ended without a word."


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM call `stop`; only a main thread may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {signum: signal.signal(signum, lambda *_: stop()) for signum in wanted}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """No signal reaches a child before it can tell what to do with it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
