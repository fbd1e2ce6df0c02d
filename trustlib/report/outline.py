"""How a notebook's cells become a page: question, answer, sections, method, code.

The structure only. What a cell may show passes the gate when the template prints it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trustlib.core.results import MIME

# In the order of preference; what is not here is never shown (scripts, widgets, LaTeX, Mermaid).
SHOWN_TYPES = (
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/plain",
)
_FINDING = re.compile(r'<p class="finding">(.*?)</p>', re.DOTALL)
_HEADLINE = re.compile(r'<section[^>]*class="headline')
_HEADING = re.compile(r"^ {0,3}(#{1,2})[ \t]+(.*?)[ \t]*#*[ \t]*$")


@dataclass(eq=False)
class Section:
    """What stands under one heading.

    Attributes
    ----------
    kicker
        The heading as written (inline Markdown); empty before the first heading.
    finding
        HTML of the sentence that the section's first output found, not yet through the
        gate; empty where the section has none.
    flow
        ``("prose", Markdown, attachments)``, ``("output", output)`` in the notebook's order.
    code
        ``(execution count or None, source)`` of the section's code cells.
    """

    kicker: str = ""
    finding: str = ""
    flow: list[tuple[Any, ...]] = field(default_factory=list)
    code: list[tuple[int | None, str]] = field(default_factory=list)

    @property
    def outputs(self) -> list[Mapping[str, Any]]:
        return [item[1] for item in self.flow if item[0] == "output"]

    @property
    def has_headline(self) -> bool:
        return any(_HEADLINE.search(_html(output)) for output in self.outputs)


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A page in the order a reader meets it.

    `method` holds the sections that have prose and code but nothing to show: they move
    to the end, so that the answer comes first. `provenance` joins the page's own at its foot.
    `code` is every section with code.
    """

    question: str
    answer: Section | None
    sections: list[Section]
    method: list[Section]
    provenance: list[Section]
    code: list[Section]


def outline(notebook: Mapping[str, Any]) -> Outline:
    """The page's structure from an executed notebook."""
    question, sections = _split(notebook)
    for section in sections:
        _take_finding(section)
    answer = next((section for section in sections if section.has_headline), None)
    before = sections.index(answer) if answer else 0
    method = [s for s in sections[:before] if s.kicker and not s.outputs and s.code]
    provenance = [s for s in sections if s.kicker.strip().lower() == "provenance"]
    rest = [s for s in sections if s is not answer and s not in method + provenance]
    return Outline(
        question=question,
        answer=answer,
        sections=[s for s in rest if s.flow or s.finding or s.kicker],
        method=method,
        provenance=provenance,
        code=[s for s in sections if s.code],
    )


def _split(notebook: Mapping[str, Any]) -> tuple[str, list[Section]]:
    question, sections = "", [Section()]
    injected = any("injected-parameters" in _tags(cell) for cell in notebook["cells"])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            attachments = cell.get("attachments", {})
            for level, text in _pieces(_source(cell)):
                if level == 1 and not question:
                    question = text
                elif level:
                    sections.append(Section(kicker=text))
                elif text.strip():
                    sections[-1].flow.append(("prose", text, attachments))
        elif cell["cell_type"] == "code" and _source(cell).strip():
            # Defaults that a params file replaced would only mislead a reader.
            if not (injected and "parameters" in _tags(cell)):
                sections[-1].code.append((cell.get("execution_count"), _source(cell)))
            sections[-1].flow.extend(("output", output) for output in _shown(cell))
    return question, sections


def _pieces(source: str) -> Iterator[tuple[int, str]]:
    """Markdown cut at its headings of level 1 and 2: (level or 0, text)."""
    fence = ""
    held: list[str] = []
    for line in source.splitlines():
        marker = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if marker and not fence:
            fence = marker[1]
        elif marker and marker[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        heading = None if fence or marker else _HEADING.match(line)
        if heading:
            yield 0, "\n".join(held)
            held = []
            yield len(heading[1]), heading[2]
        else:
            held.append(line)
    yield 0, "\n".join(held)


def _shown(cell: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "hide-output" in _tags(cell):
        return
    for output in _joined_streams(cell.get("outputs", ())):
        data = output.get("data", {})
        if output["output_type"] in ("display_data", "execute_result") and (
            MIME in data or not any(kind in data for kind in SHOWN_TYPES)
        ):
            continue
        yield output


def _joined_streams(outputs: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Neighbouring pieces of one stream as one output: how they arrive is chance."""
    held: dict[str, Any] | None = None
    for output in outputs:
        if output["output_type"] == "stream":
            text = _joined(output.get("text", ""))
            if held and held["name"] == output["name"]:
                held["text"] += text
                continue
            if held:
                yield held
            held = {"output_type": "stream", "name": output["name"], "text": text}
            continue
        if held:
            yield held
            held = None
        yield output
    if held:
        yield held


def _take_finding(section: Section) -> None:
    """Move the sentence found by the section's first output into its heading."""
    if not section.kicker:
        return
    for i, item in enumerate(section.flow):
        if item[0] != "output":
            continue
        found = _FINDING.search(_html(item[1]))
        if found:
            section.finding = found[1]
            rest = _html(item[1]).replace(found[0], "", 1)
            if rest.strip():
                data = {**item[1]["data"], "text/html": rest}
                section.flow[i] = ("output", {**item[1], "data": data})
            else:
                del section.flow[i]
        return


def _tags(cell: Mapping[str, Any]) -> Iterable[str]:
    return cell.get("metadata", {}).get("tags", ())


def _html(output: Mapping[str, Any]) -> str:
    return _joined(output.get("data", {}).get("text/html", ""))


def _source(cell: Mapping[str, Any]) -> str:
    return _joined(cell.get("source", ""))


def _joined(text: Any) -> str:
    """Notebook text is a string or, as stored, a list of lines."""
    return text if isinstance(text, str) else "".join(text)
