"""What is wrong with a page, found by reading it as a browser's parser would."""

from __future__ import annotations

import re
from html.parser import HTMLParser


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = _words("area base br col embed hr img input link meta source track wbr")
NEVER = _words(
    "script iframe frame frameset object embed applet base link form button textarea select audio "
    "video source track canvas math foreignobject animate animatetransform animatemotion set "
    "template noscript portal dialog marquee"
)
_HREF = re.compile(
    r"#[\w.:-]+|https?://[^\s\"'<>]+|mailto:[^\s\"'<>]+|data:text/csv[;,][^\s\"'<>]*"
    r"|(?:\.\./\.\./)?(?:runs|[\w%-]+/[\w%-]+(?:/attempts)?)/[\w.%-]+(?:/(?:report|failure)\.html)?"
)


class _Audit(HTMLParser):
    def __init__(self, *, scripts: int) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts = scripts
        self.found: list[str] = []
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.level = 0
        self.seen_scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if len(values) != len(attrs):
            self.found.append(f"<{tag}>: an attribute twice")
        if tag == "script":
            self.seen_scripts += 1
        if tag in NEVER and not (tag == "script" and self.seen_scripts <= self.scripts):
            self.found.append(f"<{tag}>")
        if tag in ("style", "title", "meta") and "head" not in self.stack:
            self.found.append(f"<{tag}> in the body")
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        self._place(tag, values)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or name in ("srcdoc", "action", "formaction", "ping", "srcset"):
            self.found.append(f"<{tag} {name}>")
        if name == "id":
            self.ids.append(value)
        if name == "style":
            if "svg" not in self.stack and tag != "svg":
                self.found.append(f"<{tag} style> outside a figure")
            if re.search(r"url\((?!#)|expression|@|\\|javascript", value, re.IGNORECASE):
                self.found.append(f"<{tag} style={value!r}>")
        if name in ("href", "xlink:href"):
            if tag == "image":
                self._image(tag, value)
            elif not _HREF.fullmatch(value):
                self.found.append(f"<{tag} href={value[:60]!r}>")
            elif value.startswith("#"):
                self.links.append(value[1:])
        if name == "src":
            self._image(tag, value)
        if name == "http-equiv" and value != "Content-Security-Policy":
            self.found.append(f"<meta {value}>")

    def _image(self, tag: str, value: str) -> None:
        if not re.fullmatch(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+", value):
            self.found.append(f"<{tag} src={value[:60]!r}>")

    def _place(self, tag: str, values: dict[str, str | None]) -> None:
        if re.fullmatch("h[1-6]", tag):
            level = int(tag[1])
            if level > self.level + 1:
                self.found.append(f"<{tag}> after a heading of level {self.level}")
            self.level = level
        if tag == "img" and not (values.get("alt") or "").strip():
            self.found.append("<img> without alt")
        if tag == "svg" and "svg" not in self.stack:
            label = (values.get("aria-label") or "").strip()
            self.found += [] if label and values.get("role") == "img" else ["<svg> not described"]
        if tag == "th" and values.get("scope") not in ("col", "row", "colgroup", "rowgroup"):
            self.found.append("<th> without scope")
        if tag == "a" and str(values.get("href")).startswith("data:") and "download" not in values:
            self.found.append("<a> to data without download")

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.found.append(f"</{tag}> out of place")


def problems(page: str, *, scripts: int = 0) -> list[str]:
    """Everything wrong with `page`, empty for a good one; `scripts` may stand on it."""
    audit = _Audit(scripts=scripts)
    audit.feed(page)
    audit.close()
    found = audit.found
    found += [f"{tag} is left open" for tag in audit.stack]
    found += [f"id {name} twice" for name in set(audit.ids) if audit.ids.count(name) > 1]
    found += [
        f"link to #{name}, which is not here" for name in audit.links if name not in audit.ids
    ]
    if audit.seen_scripts != scripts:
        found.append(f"{audit.seen_scripts} scripts")
    return found
