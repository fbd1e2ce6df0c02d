"""The gate: what a notebook may put on a report page.

Everything that comes out of a cell (HTML, Markdown, SVG, images, plain text) passes
here on its way to the page. Two steps, in this order:

1. **Allow-list** (nh3): tags, attributes, classes, URL forms and SVG style properties that
   the page's vocabulary needs. What is not named here does not exist. The result is
   canonical: every attribute in double quotes, every ``<`` of the text escaped.
2. **Finish** on that canonical text, inserting only fixed words and digits: page-wide
   unique ids, ``scope`` on header cells, ``alt`` on images, heading levels in order, a
   scroll box around wide tables. A second pass of step 1 would change nothing (tested).

Nothing on the page runs: there is no script, and the page's own policy says so again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import cache

from markupsafe import Markup, escape

NO_ALT = "Figure without description"

_TEXT_TAGS = frozenset(
    "a abbr b blockquote br caption cite code col colgroup dd del details div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strong "
    "sub summary sup table tbody td tfoot th thead time tr u ul var".split()
)
_SVG_TAGS = frozenset(
    "svg g defs path use clipPath rect circle ellipse line polyline polygon text tspan image "
    "linearGradient radialGradient stop pattern".split()
)
# These go with what they contain; any other unknown tag loses the tag and keeps its text.
_DROPPED_WHOLE = frozenset(
    "script style title desc metadata template iframe frame frameset object embed applet noscript "
    "noembed noframes textarea select option button math foreignObject annotation-xml audio video "
    "canvas dialog map portal xmp animate animateTransform animateMotion set".split()
)
CLASSES = frozenset(
    "headline figure interval strip pass warn fail not_run ask finding expect n scroll note muted "
    "wide narrow dataframe key small text bullets".split()
)
_SVG_NUMBERS = frozenset(
    "x y x1 y1 x2 y2 cx cy r rx ry dx dy d points width height viewBox preserveAspectRatio "
    "transform rotate offset opacity fill fill-opacity fill-rule stroke stroke-width "
    "stroke-opacity stroke-linecap stroke-linejoin stroke-dasharray stroke-dashoffset "
    "stroke-miterlimit clip-path clip-rule font-size font-weight font-style text-anchor "
    "dominant-baseline stop-color stop-opacity gradientUnits gradientTransform patternUnits "
    "patternTransform clipPathUnits".split()
)
_STYLES = frozenset(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin "
    "stroke-dasharray stroke-dashoffset stroke-miterlimit opacity font-size font-weight font-style "
    "text-anchor dominant-baseline clip-path clip-rule stop-color stop-opacity paint-order "
    "display".split()
)
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "id", "role", "aria-label", "aria-hidden"},
    "a": {"href", "download"},
    "img": {"src", "alt", "width", "height"},
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start"},
    "time": {"datetime"},
    "abbr": {"title"},
    "details": {"open"},
} | {tag: set(_SVG_NUMBERS) | {"style"} for tag in _SVG_TAGS}
_ATTRIBUTES["use"] |= {"href", "xlink:href"}
_ATTRIBUTES["image"] |= {"href", "xlink:href"}
for _gradient in ("linearGradient", "radialGradient", "pattern"):
    _ATTRIBUTES[_gradient] |= {"href", "xlink:href"}

_ID = re.compile(r"[A-Za-z_][\w.:-]{0,99}")
_LINK = re.compile(r"(?:https?://[^\s\"'<>\\]+|mailto:[^\s\"'<>\\]+|#[\w.:-]+)", re.IGNORECASE)
_CSV = re.compile(r"data:text/csv(?:;charset=utf-8)?(?:;base64)?,[^\s\"'<>\\]*")
_IMAGE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/\s]+={0,2}\s*")
_PLAIN = re.compile(r"[\w\s.,#%()+-]*")
_FRAGMENT = re.compile(r"#[\w.:-]+")
_LOCAL_URL = re.compile(r"url\(['\"]?#([\w.:-]+)['\"]?\)")
_VALUE = re.compile(
    r"(?:[\w\s.,#%+-]|(?:var|rgb|rgba|hsl|hsla)\([\w\s.,#%+/-]*\)|url\(#[\w.:-]+\))+"
)
_DIGITS = {"width", "height", "colspan", "rowspan", "span", "start"}
_WORDS = {
    "scope": {"col", "row", "colgroup", "rowgroup"},
    "role": {"img", "note", "group", "presentation", "list"},
    "aria-hidden": {"true", "false"},
    "open": {""},
}


def _style(value: str) -> str | None:
    """The declarations of an SVG element that only paint, in their order."""
    kept = []
    for declaration in value.split(";"):
        name, _, setting = declaration.partition(":")
        name, setting = name.strip().lower(), _LOCAL_URL.sub(r"url(#\1)", setting.strip())
        if name in _STYLES and _VALUE.fullmatch(setting):
            kept.append(f"{name}:{setting}")
    return ";".join(kept) or None


def _attribute(tag: str, name: str, value: str) -> str | None:
    """nh3's callback: the value as it may stand, or None to leave the attribute out."""
    svg = tag in _SVG_TAGS
    if name == "class":
        return " ".join(word for word in value.split() if word in CLASSES) or None
    if name == "id":
        return value if _ID.fullmatch(value) else None
    if name == "style":
        return _style(value) if svg else None
    if name == "href":
        return _href(tag, value.strip())
    if name == "src":
        return "".join(value.split()) if _IMAGE.fullmatch(value) else None
    if name == "download":
        return re.sub(r"[^\w.-]+", "-", value)[-80:].strip(".-") or "data.csv"
    if name in _WORDS:
        return value if value in _WORDS[name] else None
    if name in _DIGITS and not svg:
        return value if re.fullmatch(r"\d{1,4}", value) else None
    if svg and name in _SVG_NUMBERS:
        value = _LOCAL_URL.sub(r"url(#\1)", value)
        whole = re.fullmatch(r"url\(#[\w.:-]+\)|var\([\w\s.,#-]*\)", value)
        return value if whole or (_PLAIN.fullmatch(value) and "url" not in value.lower()) else None
    return value  # text that the browser never interprets: alt, aria-label, title, datetime


def _href(tag: str, value: str) -> str | None:
    if tag == "a":
        return value if _LINK.fullmatch(value) or _CSV.fullmatch(value) else None
    if tag == "image":
        return "".join(value.split()) if _IMAGE.fullmatch(value) else None
    return value if _FRAGMENT.fullmatch(value) else None


@cache
def _cleaner():  # type: ignore[no-untyped-def]
    import nh3

    return nh3.Cleaner(
        tags=set(_TEXT_TAGS | _SVG_TAGS),
        clean_content_tags=set(_DROPPED_WHOLE),
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def allow(fragment: str) -> str:
    """Step 1 alone: `fragment` through the allow-list, canonical."""
    return _cleaner().clean(fragment)


# Canonical markup only: names from the allow-list, values in double quotes.
_TAG = re.compile(r'<(/?)([a-zA-Z][a-zA-Z0-9]*)((?: [\w:-]+="[^"]*")*)>')
_ATTR = re.compile(r' ([\w:-]+)="([^"]*)"')
_NUMBER_CELL = re.compile(
    r"\s*(?:[-−+]?[$€£]?[\d,. ]*\d(?:[eE][-+]?\d+)?\s*%?|NaN|nan|None|NaT|&lt;NA&gt;)\s*"
)


class Gate:
    """One page's gate. It counts what must be unique on the page: ids and figures."""

    def __init__(self) -> None:
        self.without_alt = 0
        self._svgs = 0
        self._ids: set[str] = set()
        self._level = 2

    def section(self) -> None:
        """A section heading (level 2) was printed: headings inside start at level 3."""
        self._level = 2

    def html(self, fragment: str) -> Markup:
        """An HTML fragment as it may stand on the page."""
        return Markup(_Finish(self, allow(fragment)).text())

    def inline(self, fragment: str) -> Markup:
        """Text-level markup only, for headings: no blocks, links, figures or ids."""
        import nh3

        tags = set("em strong b i code sub sup small span".split())
        return Markup(nh3.clean(fragment, tags=tags, attributes={}, link_rel=None).strip())

    def svg(self, document: str, *, label: str = "") -> Markup:
        """A figure of type image/svg+xml, without its prologue."""
        start = document.find("<svg")
        body = self.html(document[start:] if start >= 0 else "")
        if label:
            body = Markup(
                body.replace(f'aria-label="{NO_ALT}"', f'aria-label="{escape(label)}"', 1)
            )
        return Markup("<figure>{}</figure>").format(body) if body else Markup("")

    def image(self, data: str, *, kind: str, label: str = "") -> Markup:
        """A PNG or JPEG figure; `data` in base64, `label` its description."""
        tag = Markup('<figure><img src="data:image/{};base64,{}" alt="{}"></figure>')
        return self.html(str(tag.format(kind, "".join(data.split()), label)))

    def markdown(self, source: str, attachments: Mapping[str, Mapping[str, str]] = {}) -> Markup:  # noqa: B006
        """Markdown through nbconvert's own renderer, then through the gate."""
        from nbconvert.filters.markdown_mistune import (
            InvalidNotebook,
            IPythonRenderer,
            MarkdownWithMath,
        )

        renderer = IPythonRenderer(
            escape=False, attachments=dict(attachments), exclude_anchor_links=True
        )
        try:
            rendered = MarkdownWithMath(renderer=renderer).render(source)
        except (InvalidNotebook, RecursionError):
            # A missing attachment or a hostile nesting must not cost the reader the report.
            return self.plain(source)
        return self.html(rendered)

    def plain(self, text: str) -> Markup:
        """Plain text, escaped, terminal colours removed."""
        text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]", "", text).strip("\n")
        return Markup("<pre>{}</pre>").format(text) if text.strip() else Markup("")

    def claim(self, name: str) -> str:
        """`name`, or `name-2`, …: an id that nothing else on the page has."""
        candidate, n = name, 1
        while candidate in self._ids:
            n += 1
            candidate = f"{name}-{n}"
        self._ids.add(candidate)
        return candidate


class _Finish:
    """Step 2 on one fragment."""

    def __init__(self, gate: Gate, canonical: str) -> None:
        self.gate = gate
        self.source = canonical
        self.referenced = set(re.findall(r"(?:#)([\w.:-]+)", canonical))
        self.svg_depth = 0
        self.prefix = ""
        self.svg_ids: set[str] = set()
        self.headings: list[int] = []
        self.divs: list[bool] = []
        self.own_scroll: list[bool] = []
        self.rows: list[int] = []
        self.thead = False

    def text(self) -> str:
        return _TAG.sub(self._tag, _pandas_numbers(self.source))

    def _tag(self, match: re.Match[str]) -> str:
        closing, name, attributes = match.groups()
        if name == "svg" or self.svg_depth:
            return self._svg_tag(match[0], bool(closing), name, attributes)
        if closing:
            return self._close(name)
        attributes = self._html_ids(attributes)
        if re.fullmatch("h[1-6]", name):
            return self._heading(name, attributes)
        if name == "img":
            return self._img(attributes)
        if name == "a" and ' href="data:' in attributes and " download=" not in attributes:
            attributes += ' download="data.csv"'
        if name == "div":
            self.divs.append(' class="scroll' in attributes)
        if name == "table":
            return self._table(attributes)
        if name == "thead":
            self.thead = True
        if name == "tr" and self.rows:
            self.rows[-1] += 1
        if name == "th" and " scope=" not in attributes:
            first_row = bool(self.rows) and self.rows[-1] == 1
            attributes += f' scope="{"col" if self.thead or first_row else "row"}"'
        return f"<{name}{attributes}>"

    def _close(self, name: str) -> str:
        if re.fullmatch("h[1-6]", name) and self.headings:
            return f"</h{self.headings.pop()}>"
        if name == "div" and self.divs:
            self.divs.pop()
        if name == "thead":
            self.thead = False
        if name == "table" and self.own_scroll:
            self.rows.pop()
            return "</table></div>" if self.own_scroll.pop() else "</table>"
        return f"</{name}>"

    def _html_ids(self, attributes: str) -> str:
        def own(match: re.Match[str]) -> str:
            name, value = match.groups()
            if name == "id":
                if f"x-{value}" in self.gate._ids:
                    return ""
                return f' id="{self.gate.claim("x-" + value)}"'
            if name == "href" and value.startswith("#") and f' id="{value[1:]}"' in self.source:
                return f' href="#x-{value[1:]}"'
            return match[0]

        return (
            _ATTR.sub(own, attributes) if "id=" in attributes or "#" in attributes else attributes
        )

    def _heading(self, name: str, attributes: str) -> str:
        level = min(max(int(name[1]), 3), self.gate._level + 1)
        self.gate._level = level
        self.headings.append(level)
        return f"<h{level}{attributes}>"

    def _img(self, attributes: str) -> str:
        if " src=" not in attributes:
            return '<span class="note">An image from outside this file was left out.</span>'
        alt = re.search(r' alt="([^"]*)"', attributes)
        if alt and alt[1].strip() and alt[1] != NO_ALT:
            return f"<img{attributes}>"
        self.gate.without_alt += 1
        attributes = re.sub(r' alt="[^"]*"', "", attributes)
        return f'<img{attributes} alt="{NO_ALT}"><span class="note">{NO_ALT}.</span>'

    def _table(self, attributes: str) -> str:
        self.rows.append(0)
        boxed = any(self.divs)
        self.own_scroll.append(not boxed)
        return f"<table{attributes}>" if boxed else f'<div class="scroll"><table{attributes}>'

    def _svg_tag(self, whole: str, closing: bool, name: str, attributes: str) -> str:
        if closing:
            if name == "svg":
                self.svg_depth -= 1
            return whole
        if name == "svg":
            self.svg_depth += 1
            if self.svg_depth == 1:
                self.gate._svgs += 1
                self.prefix, self.svg_ids = f"s{self.gate._svgs}-", set()
                attributes = self._svg_root(attributes)
        if "#" in attributes or "id=" in attributes:
            attributes = _ATTR.sub(self._svg_id, attributes)
        return f"<{name}{attributes}>"

    def _svg_root(self, attributes: str) -> str:
        if ' role="img"' not in attributes:
            attributes = re.sub(r' role="[^"]*"', "", attributes) + ' role="img"'
        label = re.search(r' aria-label="([^"]*)"', attributes)
        if not (label and label[1].strip()):
            self.gate.without_alt += 1
            attributes = re.sub(r' aria-label="[^"]*"', "", attributes)
            attributes += f' aria-label="{NO_ALT}"'
        return attributes

    def _svg_id(self, match: re.Match[str]) -> str:
        name, value = match.groups()
        if name in ("aria-label", "class"):
            return match[0]
        if name == "id":
            if value.startswith("xtick_") and value not in self.referenced:
                return ' class="xtick"'
            if value not in self.referenced or value in self.svg_ids:
                return ""
            self.svg_ids.add(value)
            return f' id="{self.prefix}{value}"'
        value = re.sub(r"url\(#([\w.:-]+)\)", rf"url(#{self.prefix}\1)", value)
        if name in ("href", "xlink:href") and value.startswith("#"):
            value = f"#{self.prefix}{value[1:]}"
        return f' {name}="{value}"'


def _pandas_numbers(canonical: str) -> str:
    """Right-align the numeric columns of pandas' own tables: class ``n`` on their cells."""

    def align(match: re.Match[str]) -> str:
        table = match[0]
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        bodies = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in rows]
        bodies = [row for row in bodies if row]
        if not bodies or len({len(row) for row in bodies}) != 1:
            return table
        numeric = [
            all(_NUMBER_CELL.fullmatch(html.unescape(row[i]) or "") for row in bodies)
            for i in range(len(bodies[0]))
        ]
        return re.sub(r"<tr>.*?</tr>", lambda row: _align_row(row[0], numeric), table, flags=re.S)

    return re.sub(r'<table class="dataframe">.*?</table>', align, canonical, flags=re.DOTALL)


def _align_row(row: str, numeric: list[bool]) -> str:
    cells = re.findall(r"<t[hd][ >]", row)
    offset = len(cells) - len(numeric)
    seen = -1

    def mark(match: re.Match[str]) -> str:
        nonlocal seen
        seen += 1
        i = seen - offset
        return f'<{match[1]} class="n">' if i >= 0 and numeric[i] else match[0]

    return re.sub(r"<(t[hd])>", mark, row)
