"""What stands around a report's body: who asked, what changed since, what it was made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trustlib.core import format as fmt
from trustlib.core.text import short

# Verdicts are words; the sign beside them helps the eye where colour cannot.
VERDICT_SIGNS = {"pass": "✓", "warn": "!", "fail": "✗", "not_run": "–"}

LONGEST = 300  # characters of a title, a name or a sentence: more is not meant to be read


def kind(notebook: object) -> str:
    """``Incident sizing`` from ``incident_sizing``."""
    words = str(notebook or "report").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def moment(value: object, timezone: str = "UTC", *, time: bool = True) -> str:
    """An instant (aware datetime or its ISO text) for a reader; other text as it is."""
    if value is None:
        return ""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            return str(value)
        if not time:
            return fmt.day(at, timezone)
        return f"{fmt.instant(at, timezone)}{fmt.NBSP}{fmt.zone_name(timezone)}"
    except (ValueError, KeyError, OSError):
        return str(value)


def run_link(run_id: object, *, root: str = "runs") -> str:
    """A relative link to a run's page; "" for what is not a run's name."""
    text = str(run_id)
    if re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", text) and ".." not in text:
        return f"{root}/{text}/report.html"
    return ""


def meta(context: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Period, as-of, owner and revision, those that are known."""
    zone = str(context.get("timezone") or "UTC")
    rows = [
        ("Period", (context.get("page") or {}).get("period")),
        ("As of", moment(context.get("as_of"), zone, time=False)),
        ("Owner", context.get("owner")),
        ("Revision", context.get("revision")),
    ]
    return [(name, short(value, LONGEST)) for name, value in rows if value]


def revisions(context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Earlier runs that found something else, as the page prints them; ``same`` where the
    headline is today's and the difference lies further down."""
    now = (context.get("results") or {}).get("headline")
    zone = str(context.get("timezone") or "UTC")
    return [
        {
            "headline": short(row.get("headline") or "no number", LONGEST).rstrip("."),
            "same": bool(now) and row.get("headline") == now,
            "ran_at": moment(row.get("ran_at"), zone),
            "href": run_link(row.get("run_id")),
        }
        for row in context.get("revisions") or ()
    ]


def provenance(
    context: Mapping[str, Any], *, with_sources: bool = True
) -> list[tuple[str, str, bool]]:
    """Rows of (term, text, is it a command), from the run's manifest.

    `with_sources` is False where the notebook itself lists what it read.
    """
    manifest = context.get("manifest") or {}
    snapshots = manifest.get("snapshots") or () if with_sources else ()
    rows = [("Source", _snapshot(row), False) for row in snapshots]
    if library := _library(manifest):
        rows.append(("Library", library, False))
    if parameters := digest(manifest.get("params_sha256")):
        rows.append(("Parameters", f"content {parameters}", False))
    run = [moment(context.get("started_at")), str(context.get("run_id") or "")]
    if any(run):
        rows.append(("Run", " · ".join(part for part in run if part), False))
    if command := manifest.get("command"):
        rows.append(("Run again", str(command), True))
    if context.get("notebook") and context.get("slug"):
        place = f"reports/{context['notebook']}/{context['slug']}"
        rows.append(("Verify", f"trustlib verify {place}", True))
    return rows


def frame(row: object) -> str:
    """One line of where it happened: file, line, function and code, never a value."""
    if not isinstance(row, Mapping):
        return str(row)
    place = f"{row.get('file', 'cell')}, line {row.get('line', '?')}, in {row.get('function', '?')}"
    return f"{place}\n    {row['code']}" if row.get("code") else place


def _library(manifest: Mapping[str, Any]) -> str:
    packages, code = manifest.get("packages") or {}, manifest.get("code") or {}
    parts = [f"trustlib {packages['trustlib']}"] if packages.get("trustlib") else []
    if code.get("commit"):
        changed = " with changes" if code.get("dirty") else ""
        parts.append(f"commit {str(code['commit'])[:12]}{changed}")
    if lock := digest(manifest.get("lock_sha256")):
        parts.append(f"lock {lock}")
    if manifest.get("python"):
        parts.append(str(manifest["python"]))
    return " · ".join(parts)


def _snapshot(row: Mapping[str, Any]) -> str:
    parts = [str(row.get("source") or "source")]
    if isinstance(row.get("rows"), int):
        parts.append(fmt.plural(row["rows"], "row"))
    if content := digest(row.get("sha256")):
        parts.append(f"content {content}")
    return " · ".join(parts)


def digest(value: object) -> str:
    """The first digits of a SHA-256; all of them are in the manifest."""
    text = str(value or "")
    return f"{text[:16]}…" if re.fullmatch(r"[0-9a-f]{20,}", text) else ""
