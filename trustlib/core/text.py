"""Text from data and params, made fit to be read: no control characters, no endless names."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

# Control, format (bidirectional overrides among them), surrogate, private, unassigned.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
# The title of a report that nobody named: a page and the gallery show its slug instead.
UNTITLED = "Untitled report"
_JOINER = "\u200d"  # holds emoji and some scripts together, so it stays
_KEPT_SPACES = "\u00a0\u2009\u202f"  # inside numbers they are meant


def clean(text: object) -> str:
    """`text` on one line, without characters that cannot be seen or that turn the reading order."""
    seen = (
        " " if character.isspace() and character not in _KEPT_SPACES else character
        for character in str(text)
        if character.isspace()
        or character == _JOINER
        or unicodedata.category(character) not in _UNSEEN
    )
    return re.sub(" {2,}", " ", "".join(seen)).strip()


def short(text: object, width: int) -> str:
    """`text` cleaned and cut to `width` characters, the cut shown; an empty one reads "(empty)"."""
    whole = clean(text) or "(empty)"
    return whole if len(whole) <= width else whole[: width - 1].rstrip() + "…"


def told_apart(texts: Iterable[object], width: int) -> list[str]:
    """Each text as `short` cuts it; those that would read alike are cut in their middle instead."""
    texts = list(texts)
    cut = [short(text, width) for text in texts]
    seen = Counter(cut)
    head = width // 3
    tail = width - 1 - head
    for at, text in enumerate(texts):
        whole = clean(text)
        if seen[cut[at]] > 1 and len(whole) > width:
            cut[at] = f"{whole[:head].rstrip()}…{whole[-tail:].lstrip()}"
    return cut


def visible(text: str) -> str:
    """`text` with its lines and blanks, without what would steer a terminal or turn the order."""
    return "".join(
        character
        for character in text
        if character in ("\n", _JOINER) or unicodedata.category(character) not in _UNSEEN
    )
