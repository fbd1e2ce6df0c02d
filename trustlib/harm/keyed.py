"""Names and numbers of items that nobody without the key can trace or foresee.

Ids are HMAC-SHA-256; random numbers, of which there is one for every item of the population, are
keyed BLAKE2 (RFC 7693), which is several times as fast.
Each item has one keyed id, and one random number for each purpose and seed: whatever else is in
the frame, and in whatever order, the same key gives it the same.
"""

from __future__ import annotations

import hmac
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pandas as pd

from trustlib.core import Refusal
from trustlib.core.format import plural

LEAST_KEY = 16  # bytes


def item_ids(values: pd.Series) -> list[bytes]:
    """The ids of a column of text or whole numbers, as bytes.

    Raises
    ------
    Refusal
        If an id is missing, neither text nor a whole number, or there twice.
    """
    where = f"column: {values.name}"
    missing = int(values.isna().sum())
    if missing:
        raise Refusal(f"{plural(missing, 'item')} without an id", where=where,
                      next_step="give every item its id")  # fmt: skip
    told = values.tolist()
    odd = sum(isinstance(value, bool) or not isinstance(value, (str, int)) for value in told)
    if odd:
        raise Refusal(f"{plural(odd, 'id')} neither text nor a whole number", where=where,
                      next_step="read the ids as text")  # fmt: skip
    ids = [str(value).encode() for value in told]
    twice = len(ids) - len(set(ids))
    if twice:
        raise Refusal(f"{plural(twice, 'row')} with an id that is there before", where=where,
                      next_step="give one row per item")  # fmt: skip
    return ids


def checked(key: bytes) -> bytes:
    """`key`, refused where it is too short to keep ids from being found by trial."""
    if not isinstance(key, bytes) or len(key) < LEAST_KEY:
        raise Refusal(
            f"the key for ids is shorter than {LEAST_KEY} bytes, or is none",
            next_step="make one with: python -c 'import secrets; print(secrets.token_hex(32))'",
        )
    return key


def keyed_ids(ids: list[bytes], *, key: bytes) -> list[str]:
    """32 hexadecimal digits for each id."""
    of = hmac.digest(checked(key), b"item", "sha256")
    return [hmac.digest(of, one, "sha256")[:16].hex() for one in ids]


def keyed_numbers(
    ids: list[bytes], *, key: bytes, purpose: str, seed: int
) -> npt.NDArray[np.float64]:
    """(n,) numbers in [0, 1), one for each id, even and independent of one another."""
    of = hmac.digest(checked(key), f"{purpose}:{seed}".encode(), "sha256")
    drawn = b"".join([blake2b(one, key=of, digest_size=8).digest() for one in ids])
    return (np.frombuffer(drawn, dtype=">u8") >> np.uint64(11)).astype(np.float64) / 2.0**53
