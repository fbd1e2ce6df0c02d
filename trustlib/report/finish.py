"""The gate's second step: what an allowed fragment still lacks to stand on a page.

It works on the canonical text that the allow-list leaves (every attribute in double quotes,
every ``<`` of the text escaped) and inserts only fixed words, digits and prefixes of ids.
"""

from __future__ import annotations

import html
import re

NO_ALT = "Figure without description"

# Canonical markup only: names from the allow-list, values in double quotes.
_TAG = re.compile(r'<(/?)([a-zA-Z][a-zA-Z0-9]*)((?: [\w:-]+="[^"]*")*)>')
_ATTR = re.compile(r' ([\w:-]+)="([^"]*)"')
_NUMBER_CELL = re.compile(
    r"\s*(?:[-−+]?[$€£]?[\d,. ]*\d(?:[eE][-+]?\d+)?\s*%?|NaN|nan|None|NaT|&lt;NA&gt;)\s*"
)


class Page:
    """What must be unique or in order on one page: ids, figures, levels of headings."""

    def __init__(self) -> None:
        self.without_description = 0
        self.figures = 0
        self.top = self.level = 1
        self._ids: set[str] = set()

    def under(self, level: int) -> None:
        """What follows stands under a heading of `level`; its own headings start one below."""
        self.top = self.level = level

    def claim(self, name: str) -> str:
        """`name`, or `name-2`, and so on: an id that nothing else on the page has."""
        candidate, n = name, 1
        while candidate in self._ids:
            n += 1
            candidate = f"{name}-{n}"
        self._ids.add(candidate)
        return candidate

    def has(self, name: str) -> bool:
        return name in self._ids


def finish(canonical: str, *, page: Page, label: str = "") -> str:
    """The canonical fragment with what a page asks of it; `page` counts along.

    `label` describes the fragment's figures that have no description of their own.
    """
    return _TAG.sub(_Finish(page, canonical, label).tag, _pandas_numbers(canonical))


class _Finish:
    """One fragment's tags, seen in their order."""

    def __init__(self, page: Page, canonical: str, label: str) -> None:
        self.page = page
        self.label = html.escape(label.strip(), quote=True)
        self.source = canonical
        self.referenced = set(re.findall(r"#([\w.:-]+)", canonical))
        self.svg_depth = 0
        self.prefix = ""
        self.svg_ids: set[str] = set()
        self.headings: list[int] = []
        self.divs: list[bool] = []
        self.own_scroll: list[bool] = []
        self.rows: list[int] = []
        self.thead = False

    def tag(self, match: re.Match[str]) -> str:
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
                if self.page.has(f"x-{value}"):
                    return ""
                return f' id="{self.page.claim("x-" + value)}"'
            if name == "href" and value.startswith("#") and f' id="{value[1:]}"' in self.source:
                return f' href="#x-{value[1:]}"'
            return match[0]

        return (
            _ATTR.sub(own, attributes) if "id=" in attributes or "#" in attributes else attributes
        )

    def _heading(self, name: str, attributes: str) -> str:
        level = min(max(int(name[1]), self.page.top + 1), self.page.level + 1)
        self.page.level = level
        self.headings.append(level)
        return f"<h{level}{attributes}>"

    def _img(self, attributes: str) -> str:
        if " src=" not in attributes:
            return '<span class="note">An image from outside this file was left out.</span>'
        alt = re.search(r' alt="([^"]*)"', attributes)
        if alt and alt[1].strip() and alt[1] != NO_ALT:
            return f"<img{attributes}>"
        self.page.without_description += 1
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
                self.page.figures += 1
                self.prefix, self.svg_ids = f"s{self.page.figures}-", set()
                attributes = self._svg_root(attributes)
        if "#" in attributes or "id=" in attributes:
            attributes = _ATTR.sub(self._svg_id, attributes)
        return f"<{name}{attributes}>"

    def _svg_root(self, attributes: str) -> str:
        if ' role="img"' not in attributes:
            attributes = re.sub(r' role="[^"]*"', "", attributes) + ' role="img"'
        label = re.search(r' aria-label="([^"]*)"', attributes)
        if not (label and label[1].strip()):
            self.page.without_description += not self.label
            attributes = re.sub(r' aria-label="[^"]*"', "", attributes)
            attributes += f' aria-label="{self.label or NO_ALT}"'
        return attributes

    def _svg_id(self, match: re.Match[str]) -> str:
        name, value = match.groups()
        if name in ("aria-label", "class"):
            return match[0]
        if name == "id":
            if value.startswith("xtick_") and value not in self.referenced:
                return ' class="xtick"'  # matplotlib's group of one tick and its label
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
            all(len(row[i]) < 40 and _NUMBER_CELL.fullmatch(row[i]) for row in bodies)
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
