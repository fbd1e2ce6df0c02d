"""Many params files to many reports: plan all, then run some side by side."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from trustlib.core.errors import Refusal, TrustlibError
from trustlib.report import plan, warm
from trustlib.report.crew import Crew
from trustlib.report.outcome import RunOutcome
from trustlib.report.plan import Job
from trustlib.report.progress import Display, display
from trustlib.report.scratch import sweep

TIMEOUT_SECONDS = 900.0


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
        return Crew(ready, jobs, shown).work()


def _project() -> dict[str, Any]:
    from trustlib.report import manifest

    folder = plan.project_folder()
    return {
        "code": manifest.code_identity(folder),
        "lock_sha256": manifest.lock_hash(folder),
        "python": manifest.python_version(),
        "packages": manifest.package_versions(),
    }


def _gallery(reports: Path, shown: Display) -> None:
    """Rebuild the list of reports; a report that stands is not failed by its list."""
    try:
        from trustlib.report import gallery, publish

        with publish.lock(reports):
            publish.remove_debris(reports)
            gallery.write(reports)
    except Exception as error:
        shown.note(f"{reports / 'index.html'} could not be rebuilt ({type(error).__name__})")
