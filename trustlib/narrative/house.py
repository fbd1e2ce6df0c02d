"""How sentences become Views: escaped, with a plain-text twin."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from trustlib.core import View
from trustlib.core.text import clean
from trustlib.core.view import note

__all__ = [
    "bullets",
    "finding",
    "folded",
    "listed",
    "note",
    "number_word",
    "upper_first",
]


def finding(sentence: str) -> View:
    """The sentence that a section found: the page makes it the section's heading."""
    return _paragraph(sentence, "finding")


def bullets(sentences: Sequence[str | tuple[str, str]]) -> View:
    """A short list; a pair is a lead in bold and its sentence."""
    pairs = [("", item) if isinstance(item, str) else item for item in sentences]
    items = Markup("").join(
        Markup("<li>{}{}</li>").format(_lead(lead), clean(text)) for lead, text in pairs
    )
    return View(
        html=Markup('<ul class="bullets">{}</ul>').format(items),
        text="\n".join(f"- {clean(f'{lead}. {text}' if lead else text)}" for lead, text in pairs),
    )


def folded(summary: str, inside: View) -> View:
    """`inside` behind a line that opens it."""
    html = Markup("<details><summary>{}</summary>{}</details>").format(clean(summary), inside.html)
    return View(html=html, text=f"{clean(summary)}\n{inside.text}")


def upper_first(sentence: str) -> str:
    """`sentence` with a capital letter in front; the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def listed(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def number_word(n: int) -> str:
    """``three`` from 3, digits from eleven on."""
    words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    return words[n] if 0 <= n < len(words) else f"{n:,}"


def _lead(text: str) -> Markup:
    return Markup("<strong>{}.</strong> ").format(clean(text)) if text else Markup("")


def _paragraph(sentence: str, css: str) -> View:
    text = clean(sentence)
    return View(html=Markup('<p class="{}">{}</p>').format(css, text), text=text)
