"""May units be named on a page? A market may; whatever could be a person or an account not."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from trustlib.core import Check
from trustlib.core.format import plural
from trustlib.interventions.panel import Panel

MOST_NAMED = 100  # more names than this nobody reads, and long lists are where people are
FEWEST_SHOWN = 11  # people: what rests on fewer is not shown by itself

# An address, a long run of digits, hex or a random token: what keys of people look like.
_KEY_LIKE = re.compile(r"@|\d{5,}|[0-9a-f]{8,}(?:-|$)|(?=\w*\d)(?=\w*[A-Za-z])\w{12,}", re.I)


def key_like(names: Iterable[str]) -> bool:
    """Whether any of `names` looks like the key of a person or an account."""
    return any(_KEY_LIKE.search(name) for name in names)


def may_be_named(names: Iterable[str]) -> bool:
    """Whether all of `names` may stand in a report."""
    names = tuple(names)
    return len(names) <= MOST_NAMED and not key_like(names)


def withheld_cohorts(panel: Panel) -> frozenset[str]:
    """Labels of cohorts that are not shown by themselves: fewer than eleven people.

    A single one is withheld together with the next smallest, so that it is not the difference
    between the whole and the rest. Empty where units do not look like people, and where
    nothing would be left to show.
    """
    if not key_like(panel.unit_names):
        return frozenset()
    size = {int(g): int((panel.first_treated == g).sum()) for g in panel.groups}
    ordered = sorted(size, key=lambda group: (size[group], group))
    few = [group for group in ordered if size[group] < FEWEST_SHOWN]
    if len(few) == 1:
        few = ordered[:2]
    if len(few) == len(ordered):
        return frozenset()
    return frozenset(panel.period_names[group] for group in few)


def shown(frame: pd.DataFrame, withheld: frozenset[str]) -> pd.DataFrame:
    """`frame` without the rows that speak of a withheld cohort, or of too few units alone."""
    if not withheld:
        return frame
    keep = np.ones(len(frame), dtype=bool)
    whole = (frame["name"] == "all").to_numpy() if "name" in frame else ~keep
    for column in ("group", "control", "left_out"):
        if column in frame:
            keep &= ~frame[column].isin(withheld).to_numpy()
    if "units" in frame:
        keep &= (frame["units"] >= FEWEST_SHOWN).to_numpy() | (frame["units"] == 0).to_numpy()
    return frame[keep | whole].reset_index(drop=True)


def small_cells(panel: Panel, withheld: frozenset[str]) -> tuple[Check, ...]:
    """What is withheld, where something is, and what would have to be."""
    treated = int((~panel.never).sum())
    smallest = min(int((panel.first_treated == g).sum()) for g in panel.groups)
    if not withheld and key_like(panel.unit_names) and smallest < FEWEST_SHOWN:
        return (
            Check(
                name="small_cells",
                verdict="warn",
                label="speaks of very few people",
                text=f"Units look like people, and cohorts of fewer than {FEWEST_SHOWN} make up "
                f"all {treated:,} treated: restrict who may see this page.",
            ),
        )
    if not withheld:
        return ()
    return (
        Check(
            name="small_cells",
            verdict="warn",
            label="small cohorts withheld",
            text=f"Units look like people: {plural(len(withheld), 'cohort')} of few units, and "
            f"what rests on fewer than {FEWEST_SHOWN}, are in the averages and not shown alone.",
        ),
    )
