"""What identifies a person, a machine or an account, found by its form and taken out of text.

Forms and no more: a name or a street is not found. What must never be shown is left out by
whoever reads it; this is for texts that are shown, such as a market or a reason, where one
value in a thousand is not what the column's name says.
"""

from __future__ import annotations

import re

WITHHELD = "[identifier]"

_FORMS = re.compile(
    r"""
      (?<!\S)\S*?@\S+                                            # addresses and handles
    | \bbearer\s+\S+
    | \b(?:sk|pk|rk|gh[a-z]|github_pat|xox[a-z]|glpat)[-_](?=[\w-]{0,99}\d)[\w-]{8,}
    | \beyJ[\w-]{10,}(?:\.[\w-]+)*                               # a signed token
    | \bAKIA[0-9A-Z]{12,}
    | \b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b
    | (?<!\w)(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?!:?\w)        # IPv6, and hardware addresses
    | (?<!\w)(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::
      [0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}(?!:?\w)
    | (?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]\d)               # IPv4
    | (?<!\w)(?:\+|00)\d[\d ().-]{6,}\d                          # telephones
    | (?<!\w)\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}(?!\d)
    | (?<!\w)0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}(?!\d)
    | (?<!\d)\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}(?!\d)              # cards
    | (?<!\d)\d{4}[ -]\d{6}[ -]\d{4,5}(?!\d)
    | (?<!\w)\w*?(?:\d{8,}|[0-9a-f]{16,})\w*                     # keys of accounts
    | \b(?=(?:[a-z]*\d+[a-z]+){2})[a-z0-9]{16,}\b                # tokens
    """,
    re.VERBOSE | re.IGNORECASE,
)


def identifies(text: str) -> bool:
    """Whether a part of `text` looks like an address, a telephone, a card, a key or a token."""
    return _FORMS.search(text) is not None


def without_identifiers(text: str) -> str:
    """`text` with every such part replaced by ``[identifier]``."""
    return _FORMS.sub(WITHHELD, text)
