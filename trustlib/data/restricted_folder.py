"""The folder of the lists: for its owner alone, outside of what is published, one run at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from trustlib.core import Refusal
from trustlib.data.restricted_files import FILE, reason

_FOLDER = 0o700
_OTHERS = 0o077
# What a run of the lists leaves there.
_LISTS = ("clean-up*.csv", "back-fill*.csv", ".clean-up.csv.draft", ".back-fill.csv.draft")
_DRAFTS = ".draft-*.csv"
REPORTS = "reports"


def folder_for_lists(folder: str) -> Path:
    """The folder, made where there is none, for its owner alone (mode 0700).

    Raises
    ------
    Refusal
        A file stands there; it cannot be made or written to; it lies in the folder of reports; it
        belongs to somebody else; or it is one that others need (the working directory, home, or a
        folder above them, one that is shared such as /tmp, or one that is open to others and holds
        other files than lists).
    """
    place, where = Path(folder), f"lists_folder: {folder}"
    try:
        return _shut(place, where)
    except OSError as error:
        raise Refusal(
            f"lists_folder cannot be written to: {reason(error)}",
            where=where,
            next_step="name a folder that you may write to, or ask for the right to",
        ) from None


def _shut(place: Path, where: str) -> Path:
    if place.exists() and not place.is_dir():
        raise Refusal(
            "lists_folder is a file, a folder is needed",
            where=where,
            next_step="name a folder of its own for the lists",
        )
    resolved = place.resolve()
    reports = (Path.cwd() / REPORTS).resolve()
    if resolved == reports or reports in resolved.parents:
        raise Refusal(
            "lists_folder lies in the folder of reports, which is published",
            where=where,
            next_step=f"name a folder outside of {REPORTS}/: lists hold raw ids",
        )
    _refuse_needed(resolved, where)
    resolved.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    _ours(resolved, where)
    probe = resolved / f".draft-{os.getpid()}-{secrets.token_hex(8)}.csv"
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
    probe.unlink()
    return place


def _refuse_needed(resolved: Path, where: str) -> None:
    needed = [Path.cwd().resolve()]
    with contextlib.suppress(RuntimeError, OSError):
        needed.append(Path.home().resolve())
    shared = resolved.is_dir() and resolved.stat().st_mode & stat.S_ISVTX
    if shared or any(resolved == one or resolved in one.parents for one in needed):
        raise Refusal(
            "lists_folder is a folder that others need, and would be closed to them",
            where=where,
            next_step="name a folder of its own for the lists",
        )


def _ours(folder: Path, where: str) -> None:
    """Shut the folder to others, which only its owner can."""
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise Refusal(
            "lists_folder belongs to another user, who could read the lists",
            where=where,
            next_step="name a folder of your own",
        )
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS and not all(_of_lists(one) for one in folder.iterdir()):
        raise Refusal(
            "lists_folder holds other files, and would be closed to who reads them",
            where=where,
            next_step="name a new folder, for the lists alone",
        )
    if mode != _FOLDER:
        folder.chmod(_FOLDER)


def _of_lists(path: Path) -> bool:
    return any(fnmatchcase(path.name, pattern) for pattern in (*_LISTS, _DRAFTS))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One run at a time in the folder; drafts of runs that were killed are removed."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for left in folder.glob(_DRAFTS):
            left.unlink(missing_ok=True)
        yield
    finally:
        os.close(handle)
