"""What a run says when it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["complete", "failed", "refused", "no_data"]

EXIT_CODES: dict[Status, int] = {"complete": 0, "failed": 1, "refused": 2, "no_data": 3}


@dataclass(frozen=True, kw_only=True)
class RunOutcome:
    """The end of one report's run.

    Attributes
    ----------
    notebook, slug
        Which report. Where the params file could not be read, what its path suggests.
    run_id
        None where nothing ran: refused before a kernel started.
    status
        ``complete``, ``failed``, ``refused`` or ``no_data``.
    page
        The report, or the failure page; None where nothing was written.
    headline
        The report's one sentence; None unless complete.
    checks
        As in results.json: name, verdict, label, text.
    message
        What a person needs to know where it is not complete, or where it is and something
        of the earlier runs is damaged; else None.
    params
        The params file that was asked for.
    seconds
        Elapsed time of the run, None where nothing ran.
    """

    notebook: str
    slug: str
    status: Status
    run_id: str | None = None
    page: Path | None = None
    headline: str | None = None
    verdict: str | None = None
    checks: Sequence[Mapping[str, str]] = field(default_factory=tuple)
    message: str | None = None
    params: Path | None = None
    seconds: float | None = None

    @property
    def exit_code(self) -> int:
        """0 complete, 1 failed, 2 refused, 3 no data."""
        return EXIT_CODES[self.status]

    def to_json(self) -> dict[str, object]:
        """What ``trustlib run --json`` prints; keys are a contract."""
        return {
            "notebook": self.notebook,
            "slug": self.slug,
            "run_id": self.run_id,
            "status": self.status,
            "exit_code": self.exit_code,
            "page": None if self.page is None else str(self.page),
            "headline": self.headline,
            "verdict": self.verdict,
            "checks": [dict(check) for check in self.checks],
            "message": self.message,
            "params": None if self.params is None else str(self.params),
            "seconds": self.seconds,
        }
