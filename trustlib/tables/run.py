"""Tables that every report has: checks, data health, what was read, the statement that ran."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import pandas as pd
from markupsafe import Markup

from trustlib.core import VERDICTS, Check, View
from trustlib.core import format as show
from trustlib.core.text import short
from trustlib.tables import house

if TYPE_CHECKING:
    from trustlib.data import Snapshot

# Evidence by the worst verdict among the checks that bear on an assumption.
STRENGTH = {"pass": "● strong", "warn": "◐ medium", "fail": "○ weak", "not_run": "○ not tested"}
_STATEMENT = 8  # lines of SQL in the plain text


class Read(Protocol):
    """What was read of a source: `Counts`, `PanelRows`."""

    @property
    def health(self) -> pd.DataFrame: ...
    @property
    def snapshot(self) -> Snapshot: ...


def checks(made: Sequence[Check]) -> View:
    """Every check with its verdict and the reason, the worst first."""
    ranked = sorted(made, key=lambda check: VERDICTS.index(check.verdict))
    return house.table(
        [
            (house.capital(check.label), house.verdict(check.verdict), check.text)
            for check in ranked
        ],
        columns=("Check", "Verdict", "Why"),
        caption="Checks, the worst first",
        classes=[check.verdict for check in ranked],
        classed="Verdict",
    )


def health(read: Read) -> View:
    """What was read, and what was done about rows that are not as they should be."""
    found = read.health[read.health["n"] != 0]
    return _health(found, caption=f"Data from {short(read.snapshot.source, 80)}")


def not_found(read: Read) -> View:
    """What was looked for in the data and is not there."""
    return _health(read.health[read.health["n"] == 0], caption="Looked for, and not there")


def _health(items: pd.DataFrame, *, caption: str) -> View:
    rows = [
        (house.capital(str(item)), show.exact(float(n)), str(note))
        for item, n, note in items[["item", "n", "note"]].itertuples(index=False)
    ]
    columns = ("What", "Number", "What was done")
    return house.table(rows, columns=columns, caption=caption, numeric=("Number",))


def sources(read: Read, *more: Read, timezone: str = "UTC", span: str | None = None) -> View:
    """Which rows the report rests on; `span` of the first stands in the place of instants."""
    over = "Periods" if span is not None else f"From, to ({show.zone_name(timezone)})"
    spans = [span, *[None] * len(more)]
    rows = [_source(one, timezone, own) for one, own in zip((read, *more), spans, strict=True)]
    if span is None and all(row[3] == "–" for row in rows):
        over = "Periods"
    return house.table(
        rows,
        columns=("Source", "Kind", "Rows", over, "Content"),
        caption="What was read",
        numeric=("Rows",),
    )


def _source(read: Read, timezone: str, span: str | None) -> tuple[str, ...]:
    snapshot = read.snapshot
    start, end = snapshot.window_start_at, snapshot.window_end_at
    if span is None and start is not None and end is not None:
        span = f"{show.instant(start, timezone)} to {show.instant(end, timezone)}"
    source, rows = short(snapshot.source, 80), f"{snapshot.rows:,}"
    return source, snapshot.kind, rows, span or "–", snapshot.sha256[:12]


def statement(read: Read) -> View:
    """The SQL that ran, folded."""
    text = str(read.snapshot.sql).strip()
    html = Markup("<details><summary>The statement that ran</summary><pre>{}</pre></details>")
    # The twin in plain text is compared between runs: what the reader wrote, not what was made.
    lines = text.splitlines()
    more = [f"… {len(lines) - _STATEMENT} more lines"] if len(lines) > _STATEMENT else []
    twin = "\n".join(["The statement that ran", *lines[:_STATEMENT], *more])
    return View(html=html.format(text), text=twin)


def rests_on(rows: Sequence[tuple[str, str, str]]) -> View:
    """What a number rests on: assumption, verdict of its evidence, what follows if it is wrong."""
    return house.table(
        [(text, STRENGTH[verdict], effect) for text, verdict, effect in rows],
        columns=("Assumption", "Evidence", "If it is wrong"),
        caption="What the number rests on",
        classes=[verdict for _, verdict, _ in rows],
        classed="Evidence",
    )


def evidence(checks: Sequence[Check], *names: str) -> str:
    """The worst verdict of the checks that bear on it; "not_run" where there is none."""
    found = {check.verdict for check in checks if check.name in names}
    return next((v for v in ("fail", "warn", "not_run", "pass") if v in found), "not_run")
