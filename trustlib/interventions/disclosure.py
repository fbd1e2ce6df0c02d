"""May units be named on a page? A market may; whatever could be a person or an account not."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_NAMED = 100  # more names than this nobody reads, and long lists are where people are

# An address, a long run of digits, hex or a random token: what keys of people look like.
_KEY_LIKE = re.compile(r"@|\d{5,}|[0-9a-f]{8,}(?:-|$)|(?=\w*\d)(?=\w*[A-Za-z])\w{12,}", re.I)


def may_be_named(names: Iterable[str]) -> bool:
    """Whether all of `names` may stand in a report."""
    names = tuple(names)
    return len(names) <= MOST_NAMED and not any(_KEY_LIKE.search(name) for name in names)
