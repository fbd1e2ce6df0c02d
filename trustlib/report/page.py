"""The report page: one executed notebook, one HTML file that stands on its own.

The template extends nbconvert's; escaping is on everywhere, and only what the gate returns is
markup. No script, no external reference, and a policy that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from trustlib.core.text import short
from trustlib.report import around
from trustlib.report.gate import Gate
from trustlib.report.outline import SHOWN_TYPES, Section, outline
from trustlib.report.theme import asset, environment, policy, report_template

# What a page that is not a report says at its top.
NOT_REPORTS = {
    "failed": ("Failed", "This is not a report. The run broke on the way; no number came of it."),
    "refused": (
        "Refused",
        "This is not a report. The parameters or the data cannot be used; nothing was computed.",
    ),
    "no_data": (
        "No data",
        "This is not a report. The source holds nothing to measure. That is not a zero.",
    ),
}


def render(notebook: Mapping[str, Any], *, context: Mapping[str, Any]) -> str:
    """The report page of an executed notebook.

    Parameters
    ----------
    notebook
        The executed notebook (nbformat 4).
    context
        What the runner knows: notebook, slug, run_id, title, owner, as_of, timezone, status,
        results, page, started_at, revision, revisions, manifest. All optional; every value is
        escaped.

    Returns
    -------
    str
        HTML. The same notebook and context give the same bytes.
    """
    plan = outline(notebook)
    gate = Gate()
    for reserved in ("answer", "code", "provenance"):
        gate.claim(reserved)
    answer = _answer(plan.answer, gate, context)
    parts = [_section(section, gate) for section in plan.sections]
    sources = [part for s in plan.provenance for part in _section(s, gate)["flow"]]
    code = [_code(section, gate, with_prose=section in plan.method) for section in plan.code]
    contents = [("answer", "Answer")] if answer else []
    contents += [(part["id"], part["kicker"].striptags()) for part in parts if part["id"]]
    contents += [("code", "Code")] if code else []
    contents.append(("provenance", "Provenance"))
    name = around.kind(context.get("notebook"))
    question = gate.heading(plan.question)
    verdict = str((context.get("results") or {}).get("verdict") or "")
    return str(
        report_template().render(
            csp=policy(style=asset("style.css")),
            style=asset("style.css"),
            kind=name,
            title=short(context.get("title") or question.striptags() or name, around.LONGEST),
            question=question,
            meta=around.meta(context),
            verdict=verdict,
            calm=verdict.startswith("no"),  # "no incident shown", "not conclusive": no red rule
            revisions=around.revisions(context),
            answer=answer,
            sections=parts,
            code=code,
            contents=contents,
            sources=sources,
            provenance=around.provenance(context, with_sources=not sources),
        )
    )


def failure(context: Mapping[str, Any]) -> str:
    """The page that an attempt leaves when it did not become a report.

    Parameters
    ----------
    context
        notebook, slug, run_id, status (failed, refused, no_data), title, owner, cell (number of
        the code cell or None), heading, error (what, where, nearest, next_step, type), frames
        (rows of file, line, function, code: never values), command, last_good (run_id, ran_at)
        or None. All optional; every value is escaped.
    """
    known = ("notebook", "slug", "run_id", "title", "owner", "cell", "heading", "command")
    told = {"what": None, "where": None, "nearest": None, "next_step": None, "type": None}
    told.update(context.get("error") or {})
    status = str(context.get("status"))
    last = context.get("last_good")
    template = environment().get_template("failure.html.j2")
    return str(
        template.render(
            {name: context.get(name) for name in known},
            csp=policy(style=asset("style.css")),
            style=asset("style.css"),
            kind=around.kind(context.get("notebook")),
            status=status if status in NOT_REPORTS else "failed",
            stamp=NOT_REPORTS.get(status, NOT_REPORTS["failed"]),
            error=told,
            what=told["what"] or "The notebook did not reach its end.",
            frames=[around.frame(row) for row in context.get("frames") or ()],
            last_good=last
            and {
                "ran_at": around.moment(last.get("ran_at")),
                "href": around.run_link(last.get("run_id"), root="../../runs"),
            },
        )
    )


def _section(section: Section, gate: Gate) -> dict[str, Any]:
    kicker = gate.heading(section.kicker)
    gate.under(2 if section.kicker else 1)
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
            parts.append(("output", shown(item[1], gate)))
    return [part for part in parts if part[1].strip()]


def shown(output: Mapping[str, Any], gate: Gate) -> Markup:
    """One cell output through the gate, in the best form that leaves something to see."""
    if output["output_type"] == "stream":
        text = gate.plain(output["text"])
        if output["name"] == "stdout" or not text:
            return text
        return Markup("<details><summary>Messages of the code</summary>{}</details>").format(text)
    if output["output_type"] == "error":
        # The type only: messages carry values.
        return Markup('<p class="note fail">✗ This cell stopped with {}.</p>').format(
            output.get("ename", "an error")
        )
    for mime in SHOWN_TYPES:
        if mime in output["data"]:
            value = output["data"][mime]
            source = value if isinstance(value, str) else "".join(value)
            markup = _typed(mime, source, _description(output, mime), gate)
            if re.search(r"<(?:img|svg)\b", markup) or markup.striptags().strip():
                return markup
    return Markup("")


def _typed(mime: str, value: str, description: str, gate: Gate) -> Markup:
    if mime == "text/html":
        return gate.html(value)
    if mime == "text/markdown":
        return gate.markdown(value)
    if mime == "image/svg+xml":
        return gate.svg(value, label=description)
    if mime == "text/plain":
        return gate.plain(value)
    return gate.image(value, kind=mime.removeprefix("image/"), label=description)


def _description(output: Mapping[str, Any], mime: str) -> str:
    """A figure's description from the output's metadata (``alt``), "" where there is none."""
    metadata = output.get("metadata", {})
    own = metadata.get(mime)
    return str((own.get("alt") if isinstance(own, Mapping) else "") or metadata.get("alt") or "")


def _answer(section: Section | None, gate: Gate, context: Mapping[str, Any]) -> list[Markup]:
    """The first thing on the page: the notebook's own headline, else that of its results."""
    if section is not None:
        return [part for _, part in _flow(section, gate)]
    results = context.get("results") or {}
    if not results.get("headline"):
        return []
    marks = Markup("").join(
        Markup('<li class="{}">{} {}</li>').format(
            check["verdict"], around.VERDICT_SIGNS.get(check["verdict"], ""), check.get("label", "")
        )
        for check in results.get("checks", ())
    )
    strip = (
        Markup('<ul class="strip" aria-label="Checks">{}</ul>').format(marks)
        if marks
        else Markup("")
    )
    box = Markup('<section class="headline" aria-label="Answer"><p>{}</p>{}</section>')
    return [gate.html(str(box.format(results["headline"], strip if marks else "")))]


def _code(section: Section, gate: Gate, *, with_prose: bool) -> dict[str, Any]:
    gate.under(3 if section.kicker else 2)
    prose = [gate.markdown(item[1], item[2]) for item in section.flow if item[0] == "prose"]
    return {
        "kicker": gate.heading(section.kicker),
        "prose": prose if with_prose else [],
        "cells": section.code,
    }


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "section"
