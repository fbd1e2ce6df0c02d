"""From a params file to a job that can run, everything checked before a kernel starts."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trustlib.core.errors import Refusal, did_you_mean

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
NOTEBOOK = re.compile(r"[a-z0-9][a-z0-9_]{0,63}\Z")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One report to make. Plain values only: it travels to a worker process.

    Attributes
    ----------
    notebook, slug
        Which report.
    params
        Names to plain JSON values, validated; what the notebook is given.
    path
        The notebook's file.
    params_file
        As it was asked for.
    reports
        The folder of all reports.
    seconds
        Time for all cells together.
    command
        What to type to run this again.
    project
        What the code is: commit, dirty, lock hash, package versions, python.
    nursery
        Address of the warm nursery, or None for a plain kernel.
    """

    notebook: str
    slug: str
    params: Mapping[str, Any]
    path: Path
    params_file: Path
    reports: Path
    seconds: float
    command: str
    debug: bool = False
    project: Mapping[str, Any] = field(default_factory=dict)
    nursery: str | None = None

    @property
    def folder(self) -> Path:
        """Where this report lives."""
        return self.reports / self.notebook / self.slug

    @property
    def name(self) -> str:
        """``notebook/slug``."""
        return f"{self.notebook}/{self.slug}"


def job(
    params_file: Path,
    *,
    overrides: Sequence[str] = (),
    notebook: str | None = None,
    notebooks_dir: Path | None = None,
    reports: Path = Path("reports"),
    seconds: float = 900.0,
    debug: bool = False,
) -> Job:
    """Check one params file and find its notebook.

    Raises
    ------
    Refusal
        If anything about it is wrong; nothing has been written or started.
    """
    from trustlib import params

    asked = params.read(params_file, overrides, notebook=notebook)
    if not SLUG.match(asked.slug):
        raise Refusal(
            f"{asked.slug!r} cannot name a report",
            where=str(params_file),
            next_step="name the file with lower-case letters, digits, - and _, at most 64",
        )
    _refuse_published(getattr(asked.params, "lists_folder", None), reports)
    return Job(
        notebook=asked.notebook,
        slug=asked.slug,
        params=_relative(dict(asked.values)),
        path=find_notebook(asked.notebook, notebooks_dir=notebooks_dir),
        params_file=params_file,
        reports=reports,
        seconds=seconds,
        command=_command(params_file, overrides, notebook, reports),
        debug=debug,
    )


def _refuse_published(lists_folder: object, reports: Path) -> None:
    """Lists of raw ids stay apart from what readers are given, wherever reports go."""
    if not isinstance(lists_folder, str):
        return
    lists, given = Path(os.path.realpath(lists_folder)), Path(os.path.realpath(reports))
    if lists.is_relative_to(given):
        what = "lies in the folder of reports, which readers are given"
    elif given.is_relative_to(lists):
        what = "holds the folder of reports, which readers could not open any more"
    else:
        return
    raise Refusal(
        f"lists_folder {what}: lists of raw ids stay apart from it",
        where=f"lists_folder: {lists_folder}, --reports {_shown(reports)}",
        next_step="name another folder for the lists, or other reports",
    )


def find_notebook(name: str, *, notebooks_dir: Path | None = None) -> Path:
    """The file of notebook `name`: beside the caller first, then in the project.

    Raises
    ------
    Refusal
        If there is none.
    """
    folders = notebook_folders(notebooks_dir)
    if NOTEBOOK.match(name):
        for folder in folders:
            path = folder / f"{name}.ipynb"
            if path.is_file():
                return path
    known = sorted({path.stem for folder in folders for path in folder.glob("*.ipynb")})
    raise Refusal(
        f"there is no notebook {name!r}",
        where=" or ".join(_shown(folder) for folder in folders),
        nearest=did_you_mean(name, known),
        next_step="trustlib list shows the notebooks there are",
    )


def notebook_folders(notebooks_dir: Path | None = None) -> list[Path]:
    """Where notebooks are looked for, first wins."""
    if notebooks_dir is not None:
        return [notebooks_dir]
    return [Path("notebooks"), project_folder() / "notebooks"]


def project_folder() -> Path:
    """The folder that holds the trustlib package."""
    import trustlib

    return Path(trustlib.__file__).resolve().parents[1]


def _relative(params: dict[str, Any]) -> dict[str, Any]:
    """Source paths as seen from the working directory, so that no report shows a home folder."""
    for name, value in params.items():
        is_source = name == "source" or name.endswith("_source")
        if is_source and isinstance(value, str) and Path(value).is_absolute():
            params[name] = os.path.relpath(value)
    return params


def _command(
    params_file: Path, overrides: Sequence[str], notebook: str | None, reports: Path
) -> str:
    words = ["trustlib", "run", _shown(params_file)]
    for override in overrides:
        words += ["--set", override]
    if notebook is not None:
        words += ["--notebook", notebook]
    if reports != Path("reports"):
        words += ["--reports", _shown(reports)]
    return shlex.join(words)


def _shown(path: Path) -> str:
    return os.path.relpath(path) if path.is_absolute() else str(path)
