"""The house's tables: a caption, header scopes, numbers to the right, escaped, with a text twin."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from markupsafe import Markup

from trustlib.core import View
from trustlib.core.text import clean

SIGNS = {"pass": "✓", "warn": "!", "fail": "✗", "not_run": "–"}
_WORDS = {"pass": "pass", "warn": "warn", "fail": "fail", "not_run": "not run"}


class Link(str):
    """A cell's text that leads to `href`, an address that the page's gate lets through."""

    href: str

    def __new__(cls, text: str, href: str) -> Link:
        made = super().__new__(cls, text)
        made.href = href
        return made


def table(
    rows: Sequence[Sequence[str]],
    *,
    columns: Sequence[str],
    caption: str,
    numeric: Collection[str] = (),
    classes: Sequence[str] | None = None,
    classed: str = "",
) -> View:
    """`rows` under `columns` as a View; the first cell of a row is its header.

    Parameters
    ----------
    numeric
        Columns whose cells stand to the right.
    classes, classed
        One class per row (``pass``, ``warn``, ``fail``, ``not_run``) for the cell in the
        column `classed`.

    Raises
    ------
    ValueError
        If a row is not as long as `columns`.
    """
    if any(len(row) != len(columns) for row in rows):
        raise ValueError(f"table: every row needs {len(columns)} cells, one per column")
    heads = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_class("n" if name in numeric else ""), name)
        for name in columns
    )
    marks = classes or [""] * len(rows)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(
                _cell(cell, first=i == 0, css=_css(name, numeric, classed, mark))
                for i, (name, cell) in enumerate(zip(columns, row, strict=True))
            )
        )
        for row, mark in zip(rows, marks, strict=True)
    )
    html = Markup(
        '<div class="scroll"><table><caption>{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(clean(caption), heads, body)
    lines = [" | ".join(map(clean, row)) for row in rows]
    return View(html=html, text="\n".join([caption, " | ".join(columns), *lines]))


def verdict(word: str) -> str:
    """A check's verdict with its sign: ``✓ pass``."""
    return f"{SIGNS[word]} {_WORDS[word]}"


def capital(text: str) -> str:
    """`text` cleaned, with a capital letter in front."""
    whole = clean(text)
    return whole[:1].upper() + whole[1:]


def _css(name: str, numeric: Collection[str], classed: str, mark: str) -> str:
    return mark if name == classed else "n" if name in numeric else ""


def _class(name: str) -> Markup:
    return Markup(' class="{}"').format(name) if name else Markup("")


def _cell(text: str, *, first: bool, css: str) -> Markup:
    tag = Markup('th scope="row"') if first else Markup("td")
    end = Markup("th") if first else Markup("td")
    inner: str | Markup = clean(text)
    if isinstance(text, Link):
        inner = Markup('<a href="{}">{}</a>').format(text.href, inner)
    return Markup("<{}{}>{}</{}>").format(tag, _class(css), inner, end)
