"""The style sheet, the policy and the template engine of every page that we write."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "template"


@cache
def asset(name: str) -> Markup:
    """A file that stands beside the templates: the style sheet, the gallery's script."""
    return Markup((TEMPLATES / "report" / name).read_text(encoding="utf-8"))


def policy(*, style: str, script: str = "") -> str:
    """The Content-Security-Policy of a page with one style sheet and at most one script.

    Style attributes are allowed because figures paint with them (browsers that do not know
    ``style-src-attr`` fall back to ``style-src``); the gate admits none outside SVG.
    """
    rules = [
        "default-src 'none'",
        *([f"script-src {_digest(script)}"] if script else []),
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"style-src-elem {_digest(style)}",
        "style-src-attr 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def environment() -> Any:
    """Jinja for the pages without a notebook: everything escaped, an unknown name an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES / "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )


@cache
def report_template() -> Any:
    """The report's template, found and extended as nbconvert does it, with escaping on."""
    from nbconvert.exporters.templateexporter import TemplateExporter

    exporter = TemplateExporter(
        extra_template_basedirs=[str(TEMPLATES)],
        template_name="report",
        template_file="index.html.j2",
        file_extension=".html",
    )
    exporter.environment.autoescape = True
    return exporter.template
