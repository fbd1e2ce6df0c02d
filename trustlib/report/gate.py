"""The gate: what a notebook may put on a report page.

Everything that comes out of a cell (HTML, Markdown, SVG, images, plain text) passes here on
its way to the page, in two steps: the allow-list (`trustlib.report.allowed`), then what the
fragment still lacks (`trustlib.report.finish`: unique ids, header scope, alt text, levels of
headings). The second step inserts fixed words only, so a second pass of the first one would
change nothing that a browser reads as markup; a test shows that.

Nothing on the page runs: there is no script, and the page's own policy says so again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from markupsafe import Markup, escape

from trustlib.report.allowed import allow, allow_inline
from trustlib.report.finish import Page, finish

_NO_ATTACHMENTS: Mapping[str, Mapping[str, str]] = MappingProxyType({})
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


class Gate:
    """One page's gate."""

    def __init__(self) -> None:
        self.page = Page()

    def claim(self, name: str) -> str:
        """An id for the page's own use that nothing else on it has."""
        return self.page.claim(name)

    def under(self, level: int) -> None:
        """What follows stands under a heading of `level`."""
        self.page.under(level)

    def html(self, fragment: str, *, label: str = "") -> Markup:
        """An HTML fragment as it may stand on the page."""
        return Markup(finish(allow(fragment), page=self.page, label=label))

    def inline(self, fragment: str) -> Markup:
        """Text-level markup only, for headings."""
        return Markup(allow_inline(fragment))

    def svg(self, document: str, *, label: str = "") -> Markup:
        """A figure of type image/svg+xml; `label` describes it where it does not itself."""
        start = document.find("<svg")
        body = self.html(document[start:], label=label) if start >= 0 else Markup("")
        return Markup("<figure>{}</figure>").format(body) if body else Markup("")

    def image(self, data: str, *, kind: str, label: str = "") -> Markup:
        """A PNG or JPEG figure; `data` in base64, `label` its description."""
        tag = Markup('<figure><img src="data:image/{};base64,{}" alt="{}"></figure>')
        return self.html(str(tag.format(kind, "".join(data.split()), label)))

    def markdown(
        self, source: str, attachments: Mapping[str, Mapping[str, str]] = _NO_ATTACHMENTS
    ) -> Markup:
        """Markdown through nbconvert's renderer, then through the gate."""
        from nbconvert.filters.markdown_mistune import (
            InvalidNotebook,
            IPythonRenderer,
            MarkdownWithMath,
        )

        renderer = IPythonRenderer(
            escape=False,
            attachments={name: dict(data) for name, data in attachments.items()},
            exclude_anchor_links=True,
        )
        try:
            rendered = MarkdownWithMath(renderer=renderer).render(source)
        except (InvalidNotebook, RecursionError):
            # A missing attachment or a hostile nesting must not cost the reader the report.
            return self.plain(source)
        return self.html(rendered)

    def heading(self, source: str) -> Markup:
        """The inline Markdown of a heading."""
        if not re.search(r"[*_`<&\\\[]", source):
            return escape(source)
        from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

        renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
        return self.inline(MarkdownWithMath(renderer=renderer).render(source))

    def plain(self, text: str) -> Markup:
        """Plain text, escaped, terminal colours removed."""
        text = _TERMINAL.sub("", text).strip("\n")
        return Markup("<pre>{}</pre>").format(text) if text.strip() else Markup("")
