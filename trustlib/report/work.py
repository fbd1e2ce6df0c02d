"""One report from start to end, in a process of its own."""

from __future__ import annotations

import contextlib
import html
import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trustlib.core.errors import RunFailed, TrustlibError
from trustlib.core.results import SCHEMA
from trustlib.report import history, manifest, publish
from trustlib.report.completion import Fault, assess, code_cells, fault_at, heading, results
from trustlib.report.kernel import describe, environment
from trustlib.report.outcome import RunOutcome
from trustlib.report.plan import Job
from trustlib.report.scratch import Scratch, scratch
from trustlib.report.scrub import scrub


class Interrupted(BaseException):
    """Somebody asked this run to stop."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a display shows about one running report.

    Attributes
    ----------
    job
        ``notebook/slug``.
    stage
        ``start``, ``notebook``, ``render``, ``publish``, ``waiting`` or ``done``.
    cell, cells
        Number of the code cell that runs, from 1, and of how many.
    heading
        The Markdown heading above it.
    """

    job: str
    stage: str
    cell: int | None = None
    cells: int | None = None
    heading: str = ""


Tell = Callable[[Event], None]


@dataclass
class _Clock:
    """Durations of the stages, seconds."""

    started_at: datetime
    stages: dict[str, float]

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.stages[name] = round(time.monotonic() - begun, 3)


def run_report(job: Job, tell: Tell) -> RunOutcome:
    """Execute, check, render and publish; whatever happens, an outcome comes back."""
    clock = _Clock(started_at=datetime.now(UTC), stages={})
    run_id = publish.new_run_id(clock.started_at)
    begun = time.monotonic()
    tell(Event(job=job.name, stage="start"))
    try:
        outcome = _run(job, run_id, clock, tell)
    except Interrupted:
        outcome = _not_complete(job, run_id, clock, _INTERRUPTED)
    except OSError as error:
        outcome = _not_written(job, run_id, publish.plain_message(error, job.folder))
    return replace(outcome, seconds=round(time.monotonic() - begun, 3))


def lost(job: Job, what: str) -> RunOutcome:
    """The outcome of a report whose process is gone, told by the one that survived it."""
    clock = _Clock(started_at=datetime.now(UTC), stages={})
    fault = Fault(
        status="failed",
        what=what,
        next_step="look at the machine's memory, then run it again",
    )
    return _not_complete(job, publish.new_run_id(clock.started_at), clock, fault)


_INTERRUPTED = Fault(
    status="failed",
    what="The run was interrupted before its end.",
    next_step="run it again; the last good report is unchanged",
)


def _run(job: Job, run_id: str, clock: _Clock, tell: Tell) -> RunOutcome:
    notebook, fault = _executed(job, run_id, clock, tell)
    if fault is None:
        try:
            return _publish(job, run_id, notebook, clock, tell)
        except (OSError, TrustlibError):
            raise
        except Exception as error:
            fault = _page_fault(error)
    return _not_complete(job, run_id, clock, fault)


def _executed(job: Job, run_id: str, clock: _Clock, tell: Tell) -> tuple[Any, Fault | None]:
    """The executed notebook, scrubbed, and why it is not complete (None if it is)."""
    from nbclient.exceptions import CellTimeoutError

    from trustlib.report import engine

    with clock.stage("prepare"):
        notebook = prepare(job)
    cells = code_cells(notebook)
    at: list[int] = []

    def on_cell(position: int) -> None:
        if position in cells:
            at.append(position)
            number = cells.index(position) + 1
            title = heading(notebook, position)
            tell(
                Event(job=job.name, stage="notebook", cell=number, cells=len(cells), heading=title)
            )

    broken: Exception | None = None
    with scratch(run_id) as place, clock.stage("notebook"):
        try:
            _execute(job, notebook, place, on_cell, engine)
        except Exception as error:
            if isinstance(error, OSError) and not isinstance(error, CellTimeoutError):
                raise  # the disk, not the notebook
            broken = error
    fault = _engine_fault(notebook, at[-1] if at else None, broken, job) if broken else None
    fault = fault or assess(notebook, expected=job.notebook)
    scrub(notebook)
    return notebook, fault


def _execute(
    job: Job, notebook: Any, place: Scratch, on_cell: Callable[[int], None], engine: Any
) -> None:
    engine.execute(
        notebook,
        manager=engine.new_manager(place.folder, place.sockets, job.nursery),
        environment=environment(home=place.folder, debug=job.debug),
        seconds=job.seconds,
        on_cell=on_cell,
    )


def prepare(job: Job) -> Any:
    """The notebook with the job's parameters, ready to be executed.

    Raises
    ------
    RunFailed
        If the notebook's file is not a notebook.
    """
    import logging

    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        notebook = load_notebook_node(str(job.path))
        nbformat.validate(notebook)
    except OSError:
        raise
    except Exception as error:
        raise RunFailed(
            f"The notebook cannot be read ({type(error).__name__}).",
            where=job.path.name,
            next_step="open it in JupyterLab and save it again",
        ) from None
    # Plain JSON values only: anything else would silently become text.
    values = json.loads(json.dumps(dict(job.params), allow_nan=False))
    return parameterize_notebook(
        notebook, values, kernel_name="python3", language="python", engine_name="trustlib"
    )


def _engine_fault(notebook: Any, position: int | None, error: Exception, job: Job) -> Fault | None:
    """Why the engine gave up. None where the cells themselves tell more."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    if isinstance(error, CellTimeoutError):
        return fault_at(
            notebook,
            position,
            f"The time was over: all cells together may take {job.seconds:g} seconds.",
            next_step="allow more with --timeout, or ask for less data",
        )
    if isinstance(error, DeadKernelError):
        return fault_at(
            notebook,
            position,
            "The kernel died while this cell ran (killed, out of memory, or it left by itself).",
            next_step="look at the machine's memory, then run it again",
        )
    return fault_at(
        notebook,
        position,
        f"The kernel could not be run ({type(error).__name__}).",
        next_step="run it again; TRUSTLIB_KERNEL=plain uses a new interpreter for each report",
    )


def _page_fault(error: Exception) -> Fault:
    told = describe(error)
    return Fault(
        status="failed",
        what=f"The page could not be made ({type(error).__name__}).",
        next_step="this is a fault of the workbook, not of your data: report it with the frames",
        type=type(error).__name__,
        frames=tuple(told["frames"]),  # type: ignore[arg-type]
        private=str(error),
    )


def _publish(job: Job, run_id: str, notebook: Any, clock: _Clock, tell: Tell) -> RunOutcome:
    """Render and put in place, both under the report's lock."""
    import nbformat

    from trustlib.report import page

    found = results(notebook)
    document = results_document(job, run_id, found)
    with publish.lock(job.folder, waiting=lambda: tell(Event(job=job.name, stage="waiting"))):
        tell(Event(job=job.name, stage="render"))
        past = history.earlier_runs(job.folder)
        body = _manifest(job, run_id, clock, "complete") | {
            "snapshots": list(found.get("snapshots", [])),
            "earlier_runs": past,
        }
        fingerprint = manifest.findings_hash(document)
        revision, revisions = history.revisions(job.folder, past, fingerprint)
        context = _context(job, run_id, clock, "complete") | {
            "results": document,
            "page": dict(found.get("page", {})),
            "revision": revision,
            "revisions": revisions,
            "manifest": body,
        }
        with clock.stage("render"):
            text = page.render(notebook, context=context)
        files = {
            "report.html": text.encode("utf-8"),
            "results.json": manifest.canonical(document),
            "executed.ipynb": nbformat.writes(notebook).encode("utf-8") + b"\n",
        }
        body |= {
            "findings_sha256": fingerprint,
            "stages_seconds": dict(clock.stages),
            "outputs": {name: manifest.sha256(data) for name, data in files.items()},
        }
        files["manifest.json"] = manifest.sealed(body)
        tell(Event(job=job.name, stage="publish"))
        with _unbroken():
            where = publish.publish(job.folder, run_id, files)
    return RunOutcome(
        notebook=job.notebook,
        slug=job.slug,
        status="complete",
        run_id=run_id,
        page=where,
        headline=document["headline"],
        verdict=document["verdict"],
        checks=document["checks"],
        params=job.params_file,
    )


def results_document(job: Job, run_id: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """results.json of a complete run."""
    return {
        "schema": SCHEMA,
        "notebook": job.notebook,
        "slug": job.slug,
        "run_id": run_id,
        "status": "complete",
        "headline": found["headline"],
        "verdict": found["verdict"],
        "estimates": found["estimates"],
        "checks": found["checks"],
        "series": found["series"],
    }


def _not_complete(job: Job, run_id: str, clock: _Clock, fault: Fault) -> RunOutcome:
    """Keep what the run has to say beside the last good report, which stays as it is."""
    outcome = _outcome(job, run_id, fault)
    document = {
        "schema": SCHEMA,
        "notebook": job.notebook,
        "slug": job.slug,
        "run_id": run_id,
        "status": fault.status,
        "headline": fault.what,
        "verdict": fault.status,
        "estimates": {},
        "checks": [],
        "series": {},
        "error": _told(fault),
    }
    try:
        with publish.lock(job.folder), _unbroken():
            context = _context(job, run_id, clock, fault.status) | {
                "cell": fault.cell,
                "heading": fault.heading,
                "error": _told(fault),
                "frames": [dict(frame) for frame in fault.frames],
                "command": job.command,
                "last_good": history.last_good(job.folder),
            }
            files = {
                "failure.html": _failure_page(context).encode("utf-8"),
                "results.json": manifest.canonical(document),
            }
            body = _manifest(job, run_id, clock, fault.status) | {
                "stages_seconds": dict(clock.stages),
                "outputs": {name: manifest.sha256(data) for name, data in files.items()},
            }
            files["manifest.json"] = manifest.sealed(body)
            where = publish.keep_attempt(job.folder, run_id, files)
    except OSError as error:
        unwritten = publish.plain_message(error, job.folder)
        return replace(outcome, message=f"{outcome.message}\n{unwritten.message()}")
    return replace(outcome, page=where)


def _not_written(job: Job, run_id: str, error: RunFailed) -> RunOutcome:
    return RunOutcome(
        notebook=job.notebook,
        slug=job.slug,
        status="failed",
        run_id=run_id,
        message=error.message(),
        params=job.params_file,
    )


def _outcome(job: Job, run_id: str, fault: Fault) -> RunOutcome:
    message = fault.message()
    if job.debug and fault.private:
        message += f"\n\n{fault.private}"
    return RunOutcome(
        notebook=job.notebook,
        slug=job.slug,
        status=fault.status,  # type: ignore[arg-type]
        run_id=run_id,
        message=message,
        params=job.params_file,
    )


def _told(fault: Fault) -> dict[str, Any]:
    return {
        "type": fault.type,
        "what": fault.what,
        "where": fault.where,
        "nearest": fault.nearest,
        "next_step": fault.next_step,
    }


def _failure_page(context: Mapping[str, Any]) -> str:
    """The failure page; where even that cannot be made, its bare text."""
    try:
        from trustlib.report import page

        return page.failure(context)
    except Exception:
        told = context["error"]
        lines = [told[key] for key in ("what", "where", "nearest", "next_step") if told[key]]
        body = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        title = html.escape(f"{context['notebook']}/{context['slug']}: {context['status']}")
        return f"<!doctype html><meta charset=utf-8><title>{title}</title><h1>{title}</h1>{body}"


def _context(job: Job, run_id: str, clock: _Clock, status: str) -> dict[str, Any]:
    params = job.params
    return {
        "notebook": job.notebook,
        "slug": job.slug,
        "run_id": run_id,
        "status": status,
        "title": params.get("title") or job.slug,
        "owner": params.get("owner"),
        "as_of": params.get("as_of"),
        "timezone": params.get("timezone") or "UTC",
        "started_at": clock.started_at,
    }


def _manifest(job: Job, run_id: str, clock: _Clock, status: str) -> dict[str, Any]:
    return {
        "schema": manifest.SCHEMA,
        "notebook": job.notebook,
        "slug": job.slug,
        "run_id": run_id,
        "status": status,
        "started_at": clock.started_at.isoformat(timespec="seconds"),
        "command": job.command,
        "params": dict(job.params),
        "params_sha256": manifest.params_hash(job.params),
        "notebook_sha256": manifest.sha256(Path(job.path).read_bytes()),
        **job.project,
    }


@contextlib.contextmanager
def _unbroken() -> Iterator[None]:
    """Hold signals back while files are put in place: a matter of milliseconds."""
    held = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
