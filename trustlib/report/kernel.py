"""The process that runs a report's cells: an IPython kernel that keeps data values to itself.

Started as ``python -P -m trustlib.report.kernel -f FILE`` or forked by the nursery; both
come through `serve`, so that both give the same results. It differs from the stock kernel
in two things only: it dies with the process that asked for it, and what it tells about an
exception is its type and where it happened. The message of a foreign exception stays
inside, since it may hold data values.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

# How the names of our folders for sockets begin.
SOCKETS = "trustlib-"
ERROR_SCHEMA = "trustlib.error/1"

# What must not differ between two machines or two runs. OpenMP and BLAS split sums by thread.
FIXED_ENVIRONMENT: Mapping[str, str] = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # As the stock kernel sets it; said here so that a forked kernel agrees.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
_DROPPED = ("LANGUAGE", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONBREAKPOINT")


def environment(*, home: Path, debug: bool = False) -> dict[str, str]:
    """The environment of a kernel whose private folder is `home`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _DROPPED and not name.startswith("LC_")
    }
    # A person's own IPython start-up files must not change a report.
    private = {"IPYTHONDIR": str(home / "ipython"), "TRUSTLIB_DEBUG": "1" if debug else ""}
    return {**kept, **FIXED_ENVIRONMENT, **private}


def die_with_parent(parent: int | None, signum: int = signal.SIGKILL) -> None:
    """Ask the system to send `signum` here as soon as `parent` is gone (Linux)."""
    if sys.platform != "linux":
        return
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, int(signum), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signum)


def lighten() -> None:
    """Keep out what a report never uses and what costs much of a second to import.

    rfc3987_syntax: one optional format of jsonschema. debugpy: nobody steps through a report.
    """
    for name in ("rfc3987_syntax", "debugpy"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def serve(connection_file: str, *, ready: Callable[[], None] | None = None) -> None:
    """Run the kernel described by `connection_file` until it is told to stop."""
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    from trustlib.report.shell import ReportKernel

    settings = Config()
    settings.HistoryManager.enabled = False
    settings.IPKernelApp.kernel_class = ReportKernel
    settings.IPKernelApp.connection_file = connection_file
    settings.InteractiveShell.colors = "nocolor"
    app = IPKernelApp.instance(config=settings)
    app.initialize([])
    if ready is not None:
        ready()
    app.start()


def describe(error: BaseException) -> dict[str, object]:
    """An exception without its values: type, our own structured message, frames."""
    from trustlib.core.errors import TrustlibError

    document: dict[str, object] = {
        "schema": ERROR_SCHEMA,
        "type": type(error).__name__,
        "status": None,
        "frames": _frames(error),
    }
    if isinstance(error, TrustlibError):
        document |= {
            "status": error.status,
            "what": error.what,
            "where": error.where,
            "nearest": error.nearest,
            "next_step": error.next_step,
        }
    return document


def place(filename: str) -> str:
    """A source file as a reader may see it: never where this machine keeps it."""
    if filename.startswith("<") or re.search(r"ipykernel_\d+[/\\]", filename):
        return "cell"
    path = Path(filename)
    for marker in ("site-packages", "trustlib"):
        if marker in path.parts:
            first = len(path.parts) - 1 - path.parts[::-1].index(marker)
            return "/".join(path.parts[first + (marker == "site-packages") :])
    return path.name


def _frames(error: BaseException) -> list[dict[str, object]]:
    import traceback

    if isinstance(error, SyntaxError):
        code = (error.text or "").strip()
        return [_frame(error.filename or "cell", error.lineno or 0, "<module>", code)]
    frames = [
        _frame(item.filename, item.lineno or 0, item.name, item.line or "")
        for item in traceback.extract_tb(error.__traceback__)
        if "IPython/core" not in item.filename and "/ipykernel/" not in item.filename
    ]
    return frames[:4] + frames[-8:] if len(frames) > 12 else frames


def _frame(filename: str, line: int, function: str, code: str) -> dict[str, object]:
    return {"file": place(filename), "line": line, "function": function, "code": code}


def encode(error: BaseException) -> str:
    """`describe` as one line of text, for the error output that leaves the kernel."""
    return json.dumps(describe(error), ensure_ascii=False)


def main(arguments: list[str]) -> None:
    """``-f CONNECTION_FILE``, as Jupyter calls a kernel."""
    die_with_parent(int(os.environ.get("TRUSTLIB_PARENT") or os.getppid()))
    lighten()
    serve(arguments[arguments.index("-f") + 1])


if __name__ == "__main__":
    main(sys.argv[1:])
