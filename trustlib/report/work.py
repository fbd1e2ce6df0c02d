"""One report from start to end, in a process of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from trustlib.core.errors import RunFailed, TrustlibError
from trustlib.report import publish
from trustlib.report.completion import Fault, assess, code_cells, fault_at, heading
from trustlib.report.ending import keep_aside, release
from trustlib.report.kernel import describe, environment
from trustlib.report.outcome import RunOutcome
from trustlib.report.plan import Job
from trustlib.report.scratch import Scratch, scratch
from trustlib.report.scrub import scrub
from trustlib.report.stages import Clock, Event, Tell


class Interrupted(BaseException):
    """Somebody asked this run to stop."""


def run_report(job: Job, tell: Tell) -> RunOutcome:
    """Execute, check, render and publish; whatever happens, an outcome comes back."""
    clock = Clock(started_at=datetime.now(UTC), stages={})
    run_id = publish.new_run_id(clock.started_at)
    begun = time.monotonic()
    tell(Event(job=job.name, stage="start"))
    try:
        outcome = _run(job, run_id, clock, tell)
    except Interrupted:
        outcome = keep_aside(job, run_id, clock, _INTERRUPTED)
    except TrustlibError as error:
        outcome = keep_aside(job, run_id, clock, _fault(error))
    except OSError as error:
        outcome = _not_written(job, run_id, publish.plain_message(error, job.folder))
    return replace(outcome, seconds=round(time.monotonic() - begun, 3))


_INTERRUPTED = Fault(
    status="failed",
    what="The run was interrupted before its end.",
    next_step="run it again; the last good report is unchanged",
)


def _fault(error: TrustlibError) -> Fault:
    return Fault(
        status=error.status,
        what=error.what,
        where=error.where,
        nearest=error.nearest,
        next_step=error.next_step,
        type=type(error).__name__,
    )


def _run(job: Job, run_id: str, clock: Clock, tell: Tell) -> RunOutcome:
    notebook, fault = _executed(job, run_id, clock, tell)
    if fault is None:
        try:
            return release(job, run_id, notebook, clock, tell)
        except (OSError, TrustlibError):
            raise
        except Exception as error:
            fault = _page_fault(error)
    return keep_aside(job, run_id, clock, fault)


def _executed(job: Job, run_id: str, clock: Clock, tell: Tell) -> tuple[Any, Fault | None]:
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

    if isinstance(error, CellTimeoutError) and "IOPub" in str(error):
        return fault_at(
            notebook,
            position,
            "The cell ended, but what it shows did not arrive within a minute.",
            next_step="let it show less, then run it again",
        )
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


def _not_written(job: Job, run_id: str, error: RunFailed) -> RunOutcome:
    return RunOutcome(
        notebook=job.notebook,
        slug=job.slug,
        status="failed",
        run_id=run_id,
        message=error.message(),
        params=job.params_file,
    )
