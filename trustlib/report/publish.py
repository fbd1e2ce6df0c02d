"""Putting finished files where readers look, all of them or none.

A report's folder::

    reports/<notebook>/<slug>/
        runs/<run_id>/{report.html,results.json,manifest.json,executed.ipynb}
        current -> runs/<run_id>         swapped by one rename: the commit point
        report.html -> current/report.html, and so on for each file
        attempts/<run_id>/               runs that did not finish, never linked

A reader that opens a file gets the whole old one or the whole new one. A reader that
wants four files of one run resolves ``current`` once. A kill at any moment leaves either
the old or the new run current; what it left half-made is removed by the next run, which
may do so because it holds the report's lock.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trustlib.core.errors import RunFailed
from trustlib.report.manifest import sealed

FILES = ("report.html", "results.json", "executed.ipynb", "manifest.json")
ATTEMPT_FILES = ("failure.html", "results.json", "manifest.json")
_STAGING = ".staging-"
_RUN_ID = re.compile(r"[0-9A-Za-z-]{1,64}\Z")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp\Z")


def new_run_id(started_at: datetime) -> str:
    """A name that sorts by time and that no other run has."""
    return f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a crash, finds all of the old or all of the new."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _write_durable(staged, data)
        staged.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise
    _sync_folder(path.parent)


@contextlib.contextmanager
def lock(folder: Path, *, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the one lock of the report in `folder`; `waiting` is called where it is taken.

    The operating system drops the lock when its holder dies, so no lock is ever stale.
    """
    try:
        import fcntl
    except ImportError:  # no flock on this platform: renames alone still keep files whole
        folder.mkdir(parents=True, exist_ok=True)
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        # Said aloud: closing would not free it while a forked child holds a copy.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def publish(folder: Path, run_id: str, files: Mapping[str, bytes]) -> Path:
    """Make `files` the current report of `folder`; the caller holds the lock.

    Returns the page that readers open.
    """
    if set(files) != set(FILES):
        raise ValueError(f"publish: needs exactly {', '.join(FILES)}")
    recover(folder)
    _stage(folder / "runs", run_id, files)
    try:
        for name in FILES:
            _point(folder / name, Path("current") / name)
        _point(folder / "current", Path("runs") / run_id)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            with contextlib.suppress(OSError):
                _remove(folder / "runs" / run_id)
            raise
        _copy_current(folder, run_id, files)
    _sync_folder(folder)
    return folder / "report.html"


def keep_attempt(folder: Path, run_id: str, files: Mapping[str, bytes]) -> Path:
    """Keep what a run that did not finish has to say; the caller holds the lock."""
    if set(files) != set(ATTEMPT_FILES):
        raise ValueError(f"keep_attempt: needs exactly {', '.join(ATTEMPT_FILES)}")
    recover(folder)
    return _stage(folder / "attempts", run_id, files) / "failure.html"


def current_run(folder: Path) -> str | None:
    """The run that readers are led to, or None where nothing was published.

    That the run is there and whole is for `read_manifest` and `verify` to say.
    """
    pointer = folder / "current"
    try:
        if pointer.is_symlink():
            run_id = pointer.readlink().name
        else:
            run_id = pointer.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return run_id if _RUN_ID.match(run_id) else None


def read_manifest(folder: Path, run_id: str) -> dict[str, Any] | None:
    """The manifest of one run; None where it is missing or its seal does not hold."""
    try:
        data = (folder / "runs" / run_id / "manifest.json").read_bytes()
        document = json.loads(data)
        sound = isinstance(document, dict) and sealed(document) == data and well_formed(document)
    except (OSError, ValueError, RecursionError):
        return None
    return document if sound else None


def well_formed(document: Mapping[str, Any]) -> bool:
    """Has a manifest the shape that later runs rely on? Its seal alone does not say so."""
    earlier = document.get("earlier_runs", [])
    return (
        isinstance(earlier, list)
        and all(_is_entry(entry) for entry in [document, *earlier])
        and all(isinstance(document.get(key, {}), dict) for key in ("params", "outputs"))
    )


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    # Attempts have no findings.
    told = [entry.get(key, "") for key in ("started_at", "findings_sha256", "seal")]
    run_id = entry.get("run_id")
    return (
        isinstance(run_id, str)
        and bool(_RUN_ID.match(run_id))
        and all(isinstance(value, str) for value in told)
    )


def recover(folder: Path) -> list[str]:
    """Remove what dead runs left half-made; the caller holds the lock.

    A finished run that never became current was seen by nobody and is in no history: it
    goes too. What is damaged stays, for `verify` to tell. Returns the names removed.
    """
    removed = remove_debris(folder, folder / "runs", folder / "attempts")
    run_id = current_run(folder)
    newest = read_manifest(folder, run_id) if run_id else None
    if newest is None:
        return removed
    known = {run_id} | {run["run_id"] for run in newest["earlier_runs"]}
    strange = [entry for entry in (folder / "runs").iterdir() if entry.name not in known]
    orphans = {entry: told for entry in strange if (told := read_manifest(folder, entry.name))}
    listed = {run["run_id"] for told in orphans.values() for run in told["earlier_runs"]}
    if listed & {entry.name for entry in orphans}:
        return removed  # one was seen by the other: somebody moved `current` back
    for entry in orphans:
        _remove(entry)
        removed.append(entry.name)
    return removed


def remove_debris(*folders: Path) -> list[str]:
    """Remove half-written files and folders; the caller holds the lock over them."""
    removed = []
    for folder in folders:
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.name.startswith(_STAGING) or _TEMPORARY.match(entry.name):
                _remove(entry)
                removed.append(entry.name)
    return removed


def plain_message(error: OSError, folder: Path, *, state: bool = False) -> RunFailed:
    """A full disk, a missing right, a read-only folder: one message for a person.

    `state` where `folder` is not the report's but holds the run's own files.
    """
    where = str(folder)
    thing = "the run's own files" if state else "the report"
    kept = "the last good report is unchanged"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return RunFailed(
            f"There is no space left to write {thing}.",
            where=where,
            next_step=f"free some space and run again; {kept}",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        another = "" if state else ", or give another one with --reports"
        return RunFailed(
            f"The {'folder of the run' if state else 'reports folder'} cannot be written to.",
            where=where,
            next_step=f"check its permissions{another}; {kept}",
        )
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return RunFailed(
        f"{thing[0].upper()}{thing[1:]} could not be written: {reason}.",
        where=where,
        next_step=f"put that right and run again; {kept}",
    )


def _stage(parent: Path, run_id: str, files: Mapping[str, bytes]) -> Path:
    """Write all files aside, make them durable, then give the folder its name."""
    parent.mkdir(parents=True, exist_ok=True)
    staging = parent / f"{_STAGING}{run_id}"
    try:
        staging.mkdir()
        for name, data in files.items():
            _write_durable(staging / name, data)
        _sync_folder(staging)
        staging.rename(parent / run_id)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    _sync_folder(parent)
    return parent / run_id


def _point(link: Path, target: Path) -> None:
    """Make `link` lead to `target` in one step."""
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_dir() and not link.is_symlink():
        # A folder cannot be replaced by a rename, and it is not ours to delete.
        link.rename(link.with_name(f"{link.name}.set-aside-{secrets.token_hex(4)}"))
    staged = link.with_name(f".{link.name}.{secrets.token_hex(4)}.tmp")
    staged.symlink_to(target)
    try:
        staged.replace(link)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise


def _copy_current(folder: Path, run_id: str, files: Mapping[str, bytes]) -> None:
    """Where links are impossible: whole copies, the pointer file last."""
    for name in FILES:
        write_atomic(folder / name, files[name])
    write_atomic(folder / "current", f"{run_id}\n")


def _write_durable(path: Path, data: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    """Make a rename survive a power cut, where the platform can."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove(entry: Path) -> None:
    """Remove a file or folder; a kill halfway leaves what is known as debris by its name."""
    if entry.is_dir() and not entry.is_symlink():
        if not entry.name.startswith(_STAGING):
            doomed = entry.with_name(f"{_STAGING}{entry.name}")
            entry.rename(doomed)
            entry = doomed
        shutil.rmtree(entry, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            entry.unlink()
