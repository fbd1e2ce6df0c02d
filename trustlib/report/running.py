"""Many params files to many reports: plan all, then run some side by side."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from trustlib.core.errors import Refusal, TrustlibError
from trustlib.report import plan, warm
from trustlib.report.outcome import RunOutcome
from trustlib.report.plan import Job
from trustlib.report.progress import Display, display
from trustlib.report.scratch import sweep

TIMEOUT_SECONDS = 900.0
# Beyond its cells' time a report may take this long to start, render and publish.
GRACE_SECONDS = 120.0
_STOPPING_SECONDS = 15.0


def run(
    paths: Iterable[str | Path],
    *,
    overrides: Sequence[str] = (),
    notebook: str | None = None,
    reports: Path = Path("reports"),
    jobs: int = 1,
    timeout: float = TIMEOUT_SECONDS,
    progress: str | Callable[[Any], None] | None = "auto",
    quiet: bool = False,
    notebooks_dir: Path | None = None,
    debug: bool = False,
) -> list[RunOutcome]:
    """Make the report of each params file.

    All files are checked before anything starts; a bad one does not stop the others.

    Parameters
    ----------
    paths
        Params files.
    overrides
        ``name=value`` words that change a parameter in all of them.
    notebook
        The notebook to run, where a file's folder does not name it.
    reports
        Folder of all reports.
    jobs
        Reports side by side.
    timeout
        Seconds for all cells of one report together.
    progress
        ``auto`` (live on a terminal, else lines), ``lines``, None, or a function that is
        given each `stages.Event`.
    quiet
        Show no progress whatever `progress` says.
    notebooks_dir
        Where notebooks are; by default ``./notebooks``, then the project's.
    debug
        Let a failed cell's own message, which may hold data values, into
        `RunOutcome.message`. It is kept nowhere else.

    Returns
    -------
    list of RunOutcome
        One per path, in the same order. Nothing is raised for a report that went wrong.
    """
    files = [Path(path) for path in paths]
    outcomes: dict[int, RunOutcome] = {}
    planned: dict[int, Job] = {}
    for position, path in enumerate(files):
        try:
            planned[position] = _distinct(
                plan.job(
                    path,
                    overrides=tuple(overrides),
                    notebook=notebook,
                    notebooks_dir=notebooks_dir,
                    reports=Path(reports),
                    seconds=float(timeout),
                    debug=debug,
                ),
                planned.values(),
            )
        except TrustlibError as error:
            outcomes[position] = _refused(path, error, notebook)
    if planned:
        with display(None if quiet else progress) as shown:
            outcomes |= _run_all(planned, max(1, jobs), shown)
            _gallery(Path(reports), shown)
    return [outcomes[position] for position in range(len(files))]


def _distinct(job: Job, others: Iterable[Job]) -> Job:
    for other in others:
        if other.folder == job.folder:
            raise Refusal(
                f"two params files ask for the report {job.name}",
                where=f"{job.params_file} and {other.params_file}",
                next_step="rename one, or run them one after the other",
            )
    return job


def _refused(path: Path, error: TrustlibError, notebook: str | None) -> RunOutcome:
    return RunOutcome(
        notebook=notebook or path.parent.name,
        slug=path.stem,
        status=error.status,  # type: ignore[arg-type]
        message=error.message(),
        params=path,
    )


def _run_all(planned: Mapping[int, Job], jobs: int, shown: Display) -> dict[int, RunOutcome]:
    with contextlib.suppress(OSError):
        sweep()  # what cannot be removed now may be next time
    with warm.nursery(planned.values()) as address:
        project = _project()
        ready = {
            position: replace(job, project=project, nursery=address)
            for position, job in planned.items()
        }
        return _Crew(ready, jobs, shown).work()


def _project() -> dict[str, Any]:
    from trustlib.report import manifest

    folder = plan.project_folder()
    return {
        "code": manifest.code_identity(folder),
        "lock_sha256": manifest.lock_hash(folder),
        "python": manifest.python_version(),
        "packages": manifest.package_versions(),
    }


@dataclass
class _Worker:
    job: Job
    process: Any
    pipe: Connection
    deadline: float
    outcome: RunOutcome | None = None


class _Crew:
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


def _gallery(reports: Path, shown: Display) -> None:
    """Rebuild the list of reports; a report that stands is not failed by its list."""
    try:
        from trustlib.report import gallery, publish

        with publish.lock(reports):
            publish.remove_debris(reports)
            gallery.write(reports)
    except Exception as error:
        shown.note(f"{reports / 'index.html'} could not be rebuilt ({type(error).__name__})")


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
