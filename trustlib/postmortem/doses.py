"""How many people have how many cases: bands, the top, and what a number of wrong cases implies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustlib.stats.horvitz_thompson import FloatArray, IntArray

BANDS = ("1", "2", "3–5", "6–10", "11 or more")
_FROM = np.array([1, 2, 3, 6, 11])
TOP = 100  # one person in so many is in the top


def band_of(dose: IntArray) -> IntArray:
    """Codes into `BANDS`; −1 for 0."""
    return np.searchsorted(_FROM, dose, side="right") - 1


def dose_table(people: pd.DataFrame) -> pd.DataFrame:
    """kind, side, dose (of `BANDS`), people, cases, from `AffectedRows.people`."""
    frame = people.assign(
        band=band_of(people["dose"].to_numpy(np.int64)), cases=people["dose"] * people["people"]
    )
    sums = frame.groupby(["kind", "side", "band"])[["people", "cases"]].sum().reset_index()
    sums.insert(2, "dose", np.array(BANDS, dtype=object)[sums["band"].to_numpy(np.int64)])
    return sums.drop(columns="band")


def top_shares(people: pd.DataFrame) -> pd.DataFrame:
    """kind, side, top_people (one in `TOP`, at least one), share of all cases that they have."""
    out = []
    for (kind, side), part in people.groupby(["kind", "side"], sort=True):
        dose, count = largest_first(part)
        top = max(1, int(count.sum()) // TOP)
        held = float(
            np.interp(top, np.append(0, count.cumsum()), np.append(0, (dose * count).cumsum()))
        )
        out.append((kind, side, top, held / float((dose * count).sum())))
    return pd.DataFrame(out, columns=["kind", "side", "top_people", "share"])


def largest_first(people: pd.DataFrame) -> tuple[IntArray, IntArray]:
    """Doses, each once, from the largest down; how many people have them."""
    dose, place = np.unique(people["dose"].to_numpy(np.int64), return_inverse=True)
    count = np.bincount(place, people["people"].to_numpy(float)).astype(np.int64)
    return dose[::-1], count[::-1]


def fewest(wrong: FloatArray, dose: IntArray, count: IntArray) -> FloatArray:
    """(m,) the fewest people who can have `wrong` (m,) cases: those with most are filled first.

    `dose` (D,) from the largest down, `count` (D,) people.
    """
    cases = np.append(0, (dose * count).cumsum())
    return np.asarray(np.interp(wrong, cases, np.append(0, count.cumsum())), dtype=np.float64)


def most(wrong: FloatArray, count: IntArray) -> FloatArray:
    """(m,) the most people who can have `wrong` (m,) cases: one each."""
    return np.minimum(wrong, float(count.sum()))
