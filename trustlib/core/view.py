"""What a reader sees: an HTML fragment with its plain-text twin.

Figures, tables and narrative return Views. JupyterLab shows the fragment, nbval
compares the text, and the report page takes the fragment through its own gate
(an allow-list) before it prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from trustlib.core.text import clean


@dataclass(frozen=True)
class View:
    """One displayed thing.

    Attributes
    ----------
    html
        The fragment. Build it with ``Markup("<p>{}</p>").format(value)``, which escapes.
    text
        The same content in plain text, rounded: what nbval compares.
    """

    html: Markup
    text: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": str(self.html), "text/plain": self.text}

    def __str__(self) -> str:
        return self.text


def note(sentence: str) -> View:
    """A box that says why something is not there."""
    text = clean(sentence)
    return View(html=Markup('<p class="note">{}</p>').format(text), text=text)


def stack(views: Mapping[str, View] | list[View] | tuple[View, ...]) -> View:
    """Several views as one, in order."""
    items = list(views.values()) if isinstance(views, Mapping) else list(views)
    return View(
        html=Markup("\n").join(view.html for view in items),
        text="\n\n".join(view.text for view in items),
    )
