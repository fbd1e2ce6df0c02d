"""The report page: one executed notebook, one HTML file that stands on its own.

The template extends nbconvert's ``display_priority.j2``; escaping is on everywhere, and only
what the gate returns is markup. No script, no external reference, and a policy that says so.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from trustlib.core import format as fmt
from trustlib.report.gate import NO_ALT, Gate
from trustlib.report.outline import SHOWN_TYPES, Section, outline

TEMPLATES = Path(__file__).parent / "template"
VERDICT_SIGNS = {"pass": "✓", "warn": "!", "fail": "✗", "not_run": "–"}
STATUS_WORDS = {"failed": "Failed", "refused": "Refused", "no_data": "No data"}


def render(notebook: Mapping[str, Any], *, context: Mapping[str, Any]) -> str:
    """The report page of an executed notebook.

    Parameters
    ----------
    notebook
        The executed notebook (nbformat 4).
    context
        What the runner knows: notebook, slug, run_id, title, owner, as_of, timezone, status,
        results, page, started_at, revision, revisions, manifest. Every value is escaped.

    Returns
    -------
    str
        HTML. The same notebook and context give the same bytes.
    """
    plan = outline(notebook)
    gate = Gate()
    answer = _answer(plan.answer, gate, context)
    parts = [_section(section, gate) for section in plan.sections]
    code = [_code(section, gate, section in plan.method) for section in plan.code]
    contents = ([("answer", "Answer")] if answer else []) + [
        (part["id"], part["kicker"].striptags()) for part in parts if part["id"]
    ]
    if code:
        contents.append(("code", "Code"))
    contents.append(("provenance", "Provenance"))
    return _exporter().template.render(
        nb=notebook,
        resources={},
        csp=policy(style()),
        style=Markup(style()),
        lang="en",
        kind=kind(context.get("notebook")),
        title=context.get("title") or plan.question or kind(context.get("notebook")),
        question=gate.inline(_inline_markdown(plan.question)),
        meta=_meta(context),
        verdict=(context.get("results") or {}).get("verdict"),
        revisions=_revisions(context),
        answer=answer,
        sections=parts,
        code=code,
        contents=contents,
        provenance=_provenance(context),
    )


def failure(context: Mapping[str, Any]) -> str:
    """The page that an attempt leaves when it did not become a report.

    Parameters
    ----------
    context
        notebook, slug, run_id, status (failed, refused, no_data), title, owner,
        cell {number, heading} or None, error {what, where, nearest, next_step} or {type},
        frames (lines of code positions, never values), command, last_good {run_id, ran_at}
        or None.
    """
    known = ("notebook", "slug", "run_id", "title", "owner", "command")
    error = dict.fromkeys(("what", "where", "nearest", "next_step")) | (context.get("error") or {})
    return (
        environment()
        .get_template("failure.html.j2")
        .render(
            csp=policy(style()),
            style=Markup(style()),
            lang="en",
            kind=kind(context.get("notebook")),
            word=STATUS_WORDS.get(str(context.get("status")), "Failed"),
            status=context.get("status") if context.get("status") in STATUS_WORDS else "failed",
            error=error,
            what=error.get("what") or _fault(error),
            context=dict.fromkeys(known) | context,
            cell=context.get("cell") or {},
            frames=[str(frame) for frame in context.get("frames") or ()],
            last_good=_last_good(context.get("last_good")),
        )
    )


def _fault(error: Mapping[str, Any]) -> str:
    if error.get("type"):
        return f"The notebook stopped with a {error['type']}."
    return "The notebook did not reach its end."


# --- the parts of a page -------------------------------------------------------------------


def _section(section: Section, gate: Gate) -> dict[str, Any]:
    kicker = gate.inline(_inline_markdown(section.kicker))
    gate.section()
    return {
        "id": gate.claim(_slug(kicker.striptags())) if section.kicker else "",
        "kicker": kicker,
        "finding": gate.inline(section.finding),
        "flow": _flow(section, gate),
    }


def _flow(section: Section, gate: Gate) -> list[tuple[str, Markup]]:
    """The printed parts; the prose before the first output of a finding is its expectation."""
    parts, before = [], bool(section.finding)
    for item in section.flow:
        if item[0] == "prose":
            parts.append(("expect" if before else "prose", gate.markdown(item[1], item[2])))
        else:
            before = False
            parts.append(("output", output(item[1], gate)))
    return [part for part in parts if part[1].strip()]


def output(shown: Mapping[str, Any], gate: Gate) -> Markup:
    """One cell output through the gate, in the best form that leaves something to see."""
    if shown["output_type"] == "stream":
        text = gate.plain(shown["text"])
        if shown["name"] == "stdout" or not text:
            return text
        return Markup("<details><summary>Messages of the code</summary>{}</details>").format(text)
    if shown["output_type"] == "error":
        # The type only: messages carry values.
        return Markup('<p class="note fail">✗ This cell stopped with {}.</p>').format(
            shown.get("ename", "an error")
        )
    for mime in SHOWN_TYPES:
        value = shown["data"].get(mime)
        if value is None:
            continue
        value = value if isinstance(value, str) else "".join(value)
        markup = _typed(mime, value, _label(shown, mime), gate)
        if re.search(r"<(?:img|svg)\b", markup) or markup.striptags().strip():
            return markup
    return Markup("")


def _typed(mime: str, value: str, label: str, gate: Gate) -> Markup:
    if mime == "text/html":
        return gate.html(value)
    if mime == "text/markdown":
        return gate.markdown(value)
    if mime == "image/svg+xml":
        return gate.svg(value, label=label)
    if mime == "text/plain":
        return gate.plain(value)
    return gate.image(value, kind=mime.removeprefix("image/"), label=label)


def _label(shown: Mapping[str, Any], mime: str) -> str:
    """A figure's description from the output's metadata (``alt``), "" where there is none."""
    metadata = shown.get("metadata", {})
    own = metadata.get(mime)
    return str((own.get("alt") if isinstance(own, Mapping) else "") or metadata.get("alt") or "")


def _answer(section: Section | None, gate: Gate, context: Mapping[str, Any]) -> Any:
    """The first thing on the page: the notebook's own headline, else that of its results."""
    if section is not None:
        return [part for _, part in _flow(section, gate)]
    results = context.get("results") or {}
    if not results.get("headline"):
        return None
    items = Markup("").join(
        Markup('<li class="{}">{} {}</li>').format(
            check["verdict"], VERDICT_SIGNS.get(check["verdict"], ""), check.get("label", "")
        )
        for check in results.get("checks", ())
    )
    strip = Markup('<ul class="strip">{}</ul>').format(items) if items else ""
    body = Markup('<section class="headline"><p class="text">{}</p>{}</section>')
    return [gate.html(str(body.format(results["headline"], strip)))]


def _code(section: Section, gate: Gate, with_prose: bool) -> dict[str, Any]:
    gate.section()
    prose = [gate.markdown(i[1], i[2]) for i in section.flow if i[0] == "prose"]
    return {
        "kicker": gate.inline(_inline_markdown(section.kicker)),
        "prose": prose if with_prose else [],
        "cells": section.code,
    }


# --- what the runner knows -----------------------------------------------------------------


def kind(notebook: object) -> str:
    """``Incident sizing`` from ``incident_sizing``."""
    words = str(notebook or "report").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def moment(value: object, timezone: str = "UTC", *, time: bool = True) -> str:
    """An instant (aware datetime or ISO text) for a reader; other text as it is."""
    if value is None:
        return ""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            return str(value)
        shown = fmt.instant(at, timezone) if time else fmt.day(at, timezone)
        return f"{shown}{fmt.NBSP}{fmt.zone_name(timezone)}" if time else shown
    except (ValueError, KeyError, OSError):
        return str(value)


def _meta(context: Mapping[str, Any]) -> list[tuple[str, str]]:
    zone = str(context.get("timezone") or "UTC")
    revision = context.get("revision")
    rows = [
        ("Period", (context.get("page") or {}).get("period")),
        ("As of", moment(context.get("as_of"), zone, time=False)),
        ("Owner", context.get("owner")),
        ("Revision", str(revision) if revision else ""),
    ]
    return [(name, str(value)) for name, value in rows if value]


def _revisions(context: Mapping[str, Any]) -> list[dict[str, str]]:
    zone = str(context.get("timezone") or "UTC")
    return [
        {
            "main": str(row.get("main") or row.get("headline") or "no number"),
            "headline": str(row.get("headline") or ""),
            "verdict": str(row.get("verdict") or ""),
            "ran_at": moment(row.get("ran_at"), zone),
            "href": _run_link(row.get("run_id")),
        }
        for row in context.get("revisions") or ()
    ]


def _run_link(run_id: object, root: str = "runs") -> str:
    """A relative link to another run's page; "" for a run id that is not one."""
    if re.fullmatch(r"[A-Za-z0-9][\w.-]{0,99}", str(run_id)) and ".." not in str(run_id):
        return f"{root}/{run_id}/report.html"
    return ""


def _last_good(run: Mapping[str, Any] | None) -> dict[str, str] | None:
    if not run:
        return None
    return {
        "ran_at": moment(run.get("ran_at")),
        "href": _run_link(run.get("run_id"), "../../runs"),
    }


def _short(value: object) -> str:
    text = str(value).removeprefix("sha256:")
    return f"{text[:16]}…" if re.fullmatch(r"[0-9a-f]{20,}", text) else text


def _provenance(context: Mapping[str, Any]) -> list[tuple[str, list[str], bool]]:
    """Rows of (term, values, is a command)."""
    manifest = context.get("manifest") or {}
    rows: list[tuple[str, list[str], bool]] = []
    for snapshot in manifest.get("snapshots") or ():
        rows.append(("Source", [_snapshot(snapshot)], False))
    versions = manifest.get("versions") or {}
    git = manifest.get("git") or {}
    library = [f"trustlib {versions['trustlib']}"] if versions.get("trustlib") else []
    if isinstance(git, Mapping) and git.get("commit"):
        library.append(
            f"commit {str(git['commit'])[:12]}" + (" (changed)" if git.get("dirty") else "")
        )
    for name in ("lock", "params", "notebook"):
        value = manifest.get(name)
        value = value.get("sha256") or value.get("hash") if isinstance(value, Mapping) else value
        if value and name != "notebook":
            library.append(f"{name} {_short(value)}")
    if library:
        rows.append(("Library", [" · ".join(library)], False))
    started = moment(context.get("started_at"))
    run = " · ".join(part for part in (started, str(context.get("run_id") or "")) if part)
    rows.append(("Run", [run], False))
    if manifest.get("command"):
        command = manifest["command"]
        text = command if isinstance(command, str) else " ".join(map(str, command))
        rows.append(("Run again", [text], True))
    if context.get("notebook") and context.get("slug"):
        place = f"reports/{context['notebook']}/{context['slug']}"
        rows.append(("Verify", [f"trustlib verify {place}"], True))
    return rows


def _snapshot(snapshot: Mapping[str, Any]) -> str:
    parts = [str(snapshot.get("source", "unknown source"))]
    if isinstance(snapshot.get("rows"), int):
        parts.append(f"{snapshot['rows']:,} rows")
    if snapshot.get("sha256"):
        parts.append(f"content {_short(snapshot['sha256'])}")
    return " · ".join(parts)


# --- text ----------------------------------------------------------------------------------


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "section"


def _inline_markdown(text: str) -> str:
    """A heading's Markdown as HTML (not yet through the gate)."""
    if not re.search(r"[*_`<&\\\[]", text):
        return str(Markup.escape(text))
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(text)


# --- template ------------------------------------------------------------------------------


@cache
def style() -> str:
    """The page's one style sheet."""
    return (TEMPLATES / "report" / "style.css").read_text(encoding="utf-8")


def hashed(text: str) -> str:
    """A source expression of the page's policy for one inline block."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy(css: str, script: str = "") -> str:
    """The Content-Security-Policy of a page with this style sheet and at most one script.

    Style attributes are allowed because figures paint with them (browsers that do not know
    ``style-src-attr`` fall back to ``style-src``); the gate admits none outside SVG.
    """
    rules: Sequence[str] = (
        "default-src 'none'",
        f"script-src {hashed(script)}" if script else "",
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"style-src-elem {hashed(css)}",
        "style-src-attr 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rule for rule in rules if rule)


@cache
def environment() -> Any:
    """Jinja with escaping on, for the pages that hold no notebook."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES / "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


@cache
def _exporter() -> Any:
    from nbconvert.exporters.templateexporter import TemplateExporter

    exporter = TemplateExporter(
        extra_template_basedirs=[str(TEMPLATES)],
        template_name="report",
        template_file="index.html.j2",
        file_extension=".html",
    )
    exporter.environment.autoescape = True
    return exporter
