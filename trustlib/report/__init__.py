"""Run, publish, verify: from params files to reports that readers can trust.

The only room that knows papermill and nbconvert. Its modules are imported when they are
first asked for, so that a kernel, which lives here too, does not import the runner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trustlib.report.outcome import RunOutcome
    from trustlib.report.running import run
    from trustlib.report.verification import verify

__all__ = ["RunOutcome", "run", "verify"]

_HOMES = {"RunOutcome": "outcome", "run": "running", "verify": "verification"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
