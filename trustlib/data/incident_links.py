"""The words of a change log that a page may show: identifiers masked, links that tell nothing."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

from trustlib.core.identifiers import identifies, without_identifiers
from trustlib.core.text import clean, short

_LONGEST = 500
_RELATIVE = re.compile(r"[A-Za-z0-9#_][\w./#%~+-]*", re.ASCII)
_TICKET = re.compile(r"#\d{1,7}|[A-Za-z][A-Za-z0-9_]{0,19}[-/#!]{1,2}\d{1,7}")
_SECRET = re.compile(r"token|secret|passw|api_?key|\bkey\b|auth|session|signature|\bsig\b", re.I)
_REVISION = re.compile(r"(?<=/)(commits?|revision|rev|tree|blob)/[0-9a-f]{7,64}(?=/|\Z)", re.I)


def told_change(text: str) -> str:
    """What was changed, on one line, with identifiers masked."""
    return short(without_identifiers(clean(text)), _LONGEST)


def told_link(text: str) -> str:
    """`text` if a page may link to it, else "".

    An http or https address without credentials, without what looks like an identifier or a
    secret in any part of it (a revision's hash after ``/commit/`` and the like is none); or a
    relative path or a ticket's key.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST or not text.isascii() or re.search(r"[\s\\<>\"'`]", text):
        return ""
    if _TICKET.fullmatch(text):
        return text
    try:
        parts = urlsplit(text)
        plain = _address(parts) if parts.scheme or parts.netloc else _relative(text)
    except ValueError:
        return ""
    return text if plain else ""


def _address(parts: SplitResult) -> bool:
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return False
    if "@" in parts.netloc or identifies(parts.hostname) or _SECRET.search(parts.query):
        return False
    return not _tells(parts.path) and not any(
        _tells(piece) or _SECRET.search(piece)
        for part in (parts.query, parts.fragment)
        for piece in re.split("[&;=]", part)
    )


def _relative(text: str) -> bool:
    return (
        _RELATIVE.fullmatch(text) is not None
        and "/" in text  # a word alone may be anybody's name
        and ".." not in text
        and not _tells(text)
        and not _SECRET.search(text.partition("#")[2])
    )


def _tells(text: str) -> bool:
    """Whether a part of a link looks like an identifier, also where it is written in escapes."""
    for _ in range(3):
        text, before = unquote(text), text
        if text == before:
            break
    return identifies(_REVISION.sub(r"\1", text)) or "@" in text
