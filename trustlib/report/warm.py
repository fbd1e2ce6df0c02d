"""Whether this command has a warm nursery, and its life."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from trustlib.report.kernel import environment
from trustlib.report.plan import Job
from trustlib.report.scratch import socket_folder

# What the rooms use. Slow to import and safe to share: none starts a Python thread.
# Not the inline backend of figures: it looks for its shell once, when it is imported, and a
# figure of a kernel forked after that would be shown nowhere.
PRELOAD = (
    "numpy",
    "pandas",
    "pyarrow",
    "pyarrow.parquet",
    "scipy.stats",
    "scipy.optimize",
    "duckdb",
    "ibis",
    "ibis.backends.duckdb",
    "matplotlib.pyplot",
    "matplotlib.dates",
    "matplotlib.backends.backend_svg",
    "statsmodels.genmod.generalized_linear_model",
    "seaborn",
    "linearmodels",
    "pydantic",
    "ruamel.yaml",
    "markupsafe",
    "rich",
)
_LIGHT = {"trustlib.core"}
_SHARED = {name.partition(".")[0] for name in PRELOAD} | {"trustlib"}


@contextlib.contextmanager
def nursery(planned: Iterable[Job]) -> Iterator[str | None]:
    """The address of a nursery for these jobs, or None where plain kernels are to be used.

    TRUSTLIB_KERNEL=plain asks for plain kernels. Where a nursery cannot live (another
    platform than Linux) or dies, each report falls back to a plain kernel by itself.
    """
    jobs = list(planned)
    if sys.platform != "linux" or os.environ.get("TRUSTLIB_KERNEL") == "plain":
        yield None
        return
    folder = socket_folder()
    address = folder / "nursery"
    try:
        process = _start(address, jobs)
        try:
            yield str(address)
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def modules(jobs: Iterable[Job]) -> tuple[str, ...]:
    """What to import ahead: all that rooms use where several reports use any of it.

    One report alone gets only what its own cells name, since it would wait for the rest.
    """
    jobs = list(jobs)
    named = dict.fromkeys(name for job in jobs for name in imports(job.path))
    shared = tuple(name for name in named if name.partition(".")[0] in _SHARED)
    heavy = [name for name in shared if name not in _LIGHT]
    return PRELOAD + shared if len(jobs) > 1 and heavy else shared


def imports(notebook: Path) -> list[str]:
    """Modules that the cells of a notebook import, in order; nothing is run."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    found: dict[str, None] = {}
    for source in sources:
        try:
            tree = ast.parse(source if isinstance(source, str) else "".join(source))
        except (SyntaxError, ValueError, RecursionError):
            continue  # a magic, or a fault that the run itself will tell
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module] = None
                if node.module == "trustlib":
                    found |= dict.fromkeys(f"trustlib.{alias.name}" for alias in node.names)
    return list(found)


def _start(address: Path, jobs: list[Job]) -> subprocess.Popen[bytes]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(address))
        listener.listen(128)
        wait = "wait" if len(jobs) > 1 else "go"
        words = [str(listener.fileno()), wait, ",".join(modules(jobs))]
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "trustlib.report.nursery", *words],
            pass_fds=(listener.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("TRUSTLIB_DEBUG") else subprocess.DEVNULL,
            env=environment(home=address.parent) | {"TRUSTLIB_PARENT": str(os.getpid())},
            start_new_session=True,
        )
