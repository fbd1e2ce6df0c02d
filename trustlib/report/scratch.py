"""The private folder of one run: connection file, sockets, IPython's own files.

``.trustlib/runs/<run_id>/`` and a short folder for sockets (their paths may not exceed
about 100 bytes). Both go when the run ends; where the run was killed, the next one
removes them, which is safe because a living run holds a lock on its own folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trustlib.report.kernel import SOCKETS
from trustlib.report.publish import lock, plain_message

STATE = Path(".trustlib")
_LONGEST_SOCKET_FOLDER = 80


@dataclass(frozen=True, kw_only=True)
class Scratch:
    """One run's private places, both absolute."""

    folder: Path
    sockets: Path


@contextlib.contextmanager
def scratch(run_id: str, *, state: Path = STATE) -> Iterator[Scratch]:
    """Make the private places of one run, and remove them in the end.

    Raises
    ------
    RunFailed
        Where they cannot be made.
    """
    runs = state / "runs"
    folder = runs.resolve() / run_id
    with contextlib.ExitStack() as undo:
        try:
            with lock(runs.resolve()):
                folder.mkdir(mode=0o700)
                undo.callback(shutil.rmtree, folder, ignore_errors=True)
                undo.callback(os.close, _hold(folder))
            sockets = socket_folder()
            undo.callback(shutil.rmtree, sockets, ignore_errors=True)
            (folder / "sockets").write_text(str(sockets), encoding="utf-8")
        except OSError as error:
            raise plain_message(error, runs, state=True) from None
        yield Scratch(folder=folder, sockets=sockets)


def socket_folder() -> Path:
    """A new private folder with a short absolute path."""
    parent = tempfile.gettempdir()
    if len(parent) > _LONGEST_SOCKET_FOLDER:
        parent = "/tmp"
    return Path(tempfile.mkdtemp(prefix=SOCKETS, dir=parent))


def sweep(*, state: Path = STATE) -> list[str]:
    """Remove what killed runs left; returns their run ids."""
    runs = (state / "runs").resolve()
    if not runs.is_dir():
        return []
    swept = []
    with lock(runs):
        for folder in sorted(entry for entry in runs.iterdir() if entry.is_dir()):
            if _held(folder):
                continue
            _remove_sockets(folder)
            shutil.rmtree(folder, ignore_errors=True)
            swept.append(folder.name)
    return swept


def _hold(folder: Path) -> int:
    handle = os.open(folder / "alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def _held(folder: Path) -> bool:
    try:
        import fcntl
    except ImportError:
        return True  # cannot tell the dead from the living here: leave everything
    try:
        handle = os.open(folder / "alive", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _remove_sockets(folder: Path) -> None:
    try:
        sockets = Path((folder / "sockets").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return
    # Only what `socket_folder` can have made.
    if sockets.name.startswith(SOCKETS) and sockets.is_absolute() and not sockets.is_symlink():
        shutil.rmtree(sockets, ignore_errors=True)
