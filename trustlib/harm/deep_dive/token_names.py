"""Names for tokens that say nothing: "domain 3f9a1c"."""

from __future__ import annotations

import hashlib

import pandas as pd

from trustlib.data.abuse_records import AbuseRows
from trustlib.harm.keyed import keyed_ids

DIGITS = 6


def token_names(rows: AbuseRows, tokens: pd.DataFrame) -> list[str]:
    """A name for each of `tokens` (kind, token), the same for the same data in any order.

    Whole names are made longer where two would be alike.
    """
    if tokens.empty:
        return []
    # Whoever guesses a domain must not be able to verify it. Hashes of the tables are published
    # with the report, so no key comes from them; and a plain hash of a domain falls to a list of
    # domains. The key here is everything that was read of the tokens, of who shared them when, of
    # accounts and of labelled items: it takes the data to make it, and those who have the data
    # need no guess. It stays the same for the same data, as the report's bytes must; a random key
    # would not.
    key = _key(rows)
    ids = [f"{kind}\x1f{token}".encode() for kind, token in _pairs(tokens)]
    told = keyed_ids(ids, key=key)
    digits = next(n for n in range(DIGITS, 33) if len({i[:n] for i in told}) == len(set(told)))
    return [f"{kind} {name[:digits]}" for (kind, _), name in zip(_pairs(tokens), told, strict=True)]


def _pairs(tokens: pd.DataFrame) -> list[tuple[str, int]]:
    kinds, codes = tokens["kind"].astype(str).tolist(), tokens["token"].astype(int).tolist()
    return list(zip(kinds, codes, strict=True))


def _key(rows: AbuseRows) -> bytes:
    digest = hashlib.sha256(b"names of tokens in a deep-dive")
    for frame, texts, numbers in (
        (rows.tokens, ["kind", "name"], ["token", "before", "now"]),
        (rows.shares, ["kind"], ["token", "actor", "time"]),
        (rows.actors, [], ["actor", "items", "views", "first_at", "last_at"]),
        (rows.sample, [], ["actor", "views", "score"]),
    ):
        ordered = frame.sort_values([*texts, *numbers])
        digest.update(f"{len(ordered)} rows".encode())
        for name in texts:
            digest.update("\n".join(ordered[name].astype(str)).encode())
        for name in numbers:
            digest.update(ordered[name].to_numpy(float).tobytes())
    return digest.digest()
