"""What all parts of a run share: its stages, its clock, and what its files say about it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from trustlib.core.text import UNTITLED
from trustlib.report import manifest
from trustlib.report.plan import Job


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
class Clock:
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


def context(job: Job, run_id: str, clock: Clock, status: str) -> dict[str, Any]:
    """What every page is given."""
    params = job.params
    return {
        "notebook": job.notebook,
        "slug": job.slug,
        "run_id": run_id,
        "status": status,
        "title": job.slug if params.get("title") in (None, "", UNTITLED) else params["title"],
        "owner": params.get("owner"),
        "as_of": params.get("as_of"),
        "timezone": params.get("timezone") or "UTC",
        "started_at": clock.started_at,
    }


def manifest_body(job: Job, run_id: str, clock: Clock, status: str) -> dict[str, Any]:
    """What every manifest begins with."""
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
