"""The list of all reports: ``reports/index.html``, newest first, and what is still to be done.

It reads what runs left behind and trusts none of it: a folder that cannot be read becomes a
row that says so, never an error, and every text is escaped. One small inline script filters
the rows; the page's policy admits that script alone, and without it the list is simply whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from trustlib.core import VERDICTS
from trustlib.core import worst as worst_of
from trustlib.core.format import plural
from trustlib.core.text import UNTITLED, short
from trustlib.report import around, open_actions, publish
from trustlib.report.open_actions import OpenAction
from trustlib.report.theme import asset, environment, policy

_WORDS = {"fail": ("fails", "fail"), "warn": ("needs a look", "need a look")}
_ATTEMPTS = {"failed": "failed", "refused": "was refused", "no_data": "found no data"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One report as the gallery shows it; all text, all to be escaped.

    Attributes
    ----------
    place
        ``<notebook>/<slug>``.
    order
        What sorts: the current run's id, else the latest attempt's.
    href
        Of the report, relative to the gallery; "" where there is none.
    worst, checks
        The worst verdict and its words: "2 of 9 checks need a look: holidays in the history".
    attempt
        ``(words, href)`` where the newest attempt is newer than the report, else None.
    actions
        What a postmortem promised and has not done.
    """

    place: str
    order: str
    kind: str
    title: str
    headline: str = ""
    verdict: str = ""
    worst: str = ""
    checks: str = ""
    owner: str = ""
    as_of: str = ""
    ran_at: str = ""
    href: str = ""
    attempt: tuple[str, str] | None = None
    actions: tuple[OpenAction, ...] = ()


def write(reports_dir: Path, *, today: date | None = None) -> Path:
    """Write ``index.html`` of `reports_dir` in one step; returns its path.

    Actions due before `today` are overdue; None: the day on which it is written, UTC. The page
    is written again by every run and by `trustlib gallery`.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    path = Path(reports_dir) / "index.html"
    today = today or datetime.now(UTC).date()
    publish.write_atomic(path, render(Path(reports_dir), today=today))
    return path


def render(reports_dir: Path, *, today: date) -> str:
    """The gallery's HTML for what stands in `reports_dir` now; see `write` for `today`."""
    style, script = asset("style.css"), asset("search.js")
    template = environment().get_template("gallery.html.j2")
    found = list(rows(reports_dir, today=today))
    listed = sorted(found, key=lambda row: (row.order, row.href), reverse=True)
    return str(
        template.render(
            csp=policy(style=style, script=script),
            style=style,
            script=script,
            signs=around.VERDICT_SIGNS,
            rows=listed,
            actions=(actions := _actions(found)),
            promised=_promised(actions),
        )
    )


def _actions(found: Iterable[Row]) -> list[OpenAction]:
    every = [action for row in found for action in row.actions]
    return sorted(every, key=lambda action: action.order)


def _promised(actions: Sequence[OpenAction]) -> str:
    """How many are open, and how many of these are overdue."""
    late = sum(action.overdue_days > 0 for action in actions)
    return plural(len(actions), "action") + (f", {late:,} overdue" if late else ", none overdue")


def rows(reports_dir: Path, *, today: date | None = None) -> Iterator[Row]:
    """One row per report in `reports_dir`, by notebook and slug; without `today`, without their
    actions."""
    for notebook in _folders(reports_dir):
        for folder in _folders(notebook):
            if row := _row(folder, today):
                yield row


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(p for p in parent.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []


def _row(folder: Path, today: date | None) -> Row | None:
    """The row of one report's folder; None for a folder that holds none."""
    kind = around.kind(folder.parent.name)
    place = f"{quote(folder.parent.name)}/{quote(folder.name)}"
    run_id = publish.current_run(folder)
    attempt = _attempt(folder, place, after=run_id)
    newer = attempt[1:] if attempt else None
    href = f"{place}/report.html" if (folder / "report.html").is_file() else ""
    if run_id is None and not href:
        if attempt is None:
            return None
        title = _title(_json(folder / "attempts" / attempt[0] / "manifest.json"), folder)
        return Row(place=place, order=attempt[0], kind=kind, title=title, attempt=newer)
    run = folder / "runs" / run_id if run_id else folder
    results, manifest = _json(run / "results.json"), _json(run / "manifest.json")
    if not results:
        return Row(
            place=place,
            order=run_id or "",
            kind=kind,
            title=_title(manifest, folder),
            headline="The results of this report cannot be read; trustlib verify tells why.",
            href=href,
            attempt=newer,
        )
    worst, words = _checks(results)
    params = _mapping(manifest.get("params"))
    zone = str(params.get("timezone") or "UTC")
    return Row(
        place=place,
        order=run_id or str(results.get("run_id") or ""),
        kind=kind,
        title=_title(manifest, folder),
        headline=_text(results.get("headline")),
        verdict=_text(results.get("verdict")),
        worst=worst,
        checks=words,
        owner=_text(params.get("owner")),
        as_of=around.moment(params.get("as_of"), zone, time=False),
        ran_at=around.moment(manifest.get("started_at")),
        href=href,
        attempt=newer,
        actions=open_actions.open_actions(
            results, report=_title(manifest, folder), href=href, today=today
        )
        if today is not None and folder.parent.name == open_actions.NOTEBOOK
        else (),
    )


def _attempt(folder: Path, place: str, *, after: str | None) -> tuple[str, str, str] | None:
    """``(run_id, words, href)`` of the newest attempt, if it is newer than run `after`."""
    attempts = [p for p in _folders(folder / "attempts") if p.name > (after or "")]
    if not attempts:
        return None
    newest = attempts[-1]
    results, manifest = _json(newest / "results.json"), _json(newest / "manifest.json")
    word = _ATTEMPTS.get(_text(results.get("status")), "failed")
    when = around.moment(manifest.get("started_at"))
    words = f"The latest attempt {word}" + (f", {when}" if when else "")
    page = newest / "failure.html"
    href = f"{place}/attempts/{quote(newest.name)}/failure.html" if page.exists() else ""
    return newest.name, words, href


def _checks(results: Mapping[str, Any]) -> tuple[str, str]:
    """The worst verdict, and the checks in a few words."""
    listed = results.get("checks")
    checks = [_mapping(check) for check in listed] if isinstance(listed, list) else []
    known = [check for check in checks if check.get("verdict") in VERDICTS]
    if not known:
        return "", ""
    worst = worst_of(check["verdict"] for check in known)
    if worst == "pass":
        return "pass", f"all {len(known)} checks pass" if len(known) > 1 else "the one check passes"
    bad = [check for check in known if check["verdict"] == worst]
    one, many = _WORDS.get(worst, ("was not run", "were not run"))
    words = f"{len(bad)} of {len(known)} checks {one if len(bad) == 1 else many}"
    label = _text(bad[0].get("label") or bad[0].get("name"))
    return worst, f"{words}: {label}" + (", …" if len(bad) > 1 else "")


def _title(manifest: Mapping[str, Any], folder: Path) -> str:
    title = _text(_mapping(manifest.get("params")).get("title"))
    return folder.name if title in ("", UNTITLED) else title


def _json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty where there is none that can be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return short(value, around.LONGEST) if isinstance(value, str) and value.strip() else ""
