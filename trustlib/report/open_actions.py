"""What postmortems promised and have not done yet, from what their current runs left behind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from trustlib.core import format as fmt
from trustlib.core.text import short
from trustlib.report.around import LONGEST

NOTEBOOK = "incident_postmortem"
# A params file holds no more.
_MOST = 200
_TYPES = ("prevent", "detect", "mitigate", "process")


@dataclass(frozen=True, kw_only=True)
class OpenAction:
    """One action item that is not done; all text, all to be escaped.

    Attributes
    ----------
    due, overdue_days
        The day until which it is to be done, and how many days ago that was; 0: not yet over.
    report, href
        Title and page of the report that promised it.
    """

    title: str
    type: str
    owner: str
    due: date
    check: str
    overdue_days: int
    report: str
    href: str

    @property
    def order(self) -> tuple[object, ...]:
        """Overdue ones first, the longest overdue before all; ties by text."""
        return (self.due, self.title, self.report, self.href, self.owner)

    @property
    def due_text(self) -> str:
        """``15 May 2026``, and for how long it has been over."""
        said = fmt.day(datetime.combine(self.due, time(), UTC))
        if not self.overdue_days:
            return said
        return f"{said}, overdue for {fmt.plural(self.overdue_days, 'day')}"


def open_actions(
    results: Mapping[str, Any], *, report: str, href: str, today: date
) -> tuple[OpenAction, ...]:
    """The open items of one report's results; rows that are not what they should be are skipped."""
    series = results.get("series")
    rows = series.get("actions") if isinstance(series, dict) else None
    if not isinstance(rows, list):
        return ()
    made = (_open(row, report, href, today) for row in rows[:_MOST])
    return tuple(action for action in made if action is not None)


def _open(row: object, report: str, href: str, today: date) -> OpenAction | None:
    if not isinstance(row, dict) or row.get("status") != "open" or row.get("type") not in _TYPES:
        return None
    told = {name: row.get(name) for name in ("title", "owner", "check")}
    due = _day(row.get("due"))
    if due is None or not all(isinstance(text, str) and text.strip() for text in told.values()):
        return None
    return OpenAction(
        **{name: short(text, LONGEST) for name, text in told.items()},
        type=row["type"],
        due=due,
        overdue_days=max(0, (today - due).days),
        report=report,
        href=href,
    )


def _day(value: object) -> date | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
