"""Which segments a suspected cause reached, as the sizing knows them, and what may be said of them.

A per cent or a count of a set of segments could be subtracted from the published rows. So numbers
of a set are told only where published rows add up to it: all of its segments are shown on their
own, or it holds all of those that are merged into "the rest", and it counts 11 events at least.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from trustlib.incidents.disclosure import SMALLEST_CELL, published_segments
from trustlib.incidents.segments import REST, UNASSIGNED


@dataclass(frozen=True, kw_only=True, eq=False)
class Sets:
    """Rows of `SizingResult.segments` by whether the suspected cause reached them.

    Attributes
    ----------
    affected, unaffected
        Rows with the columns of `SizingResult.segments`; what belongs to neither is left out.
    unknown
        Named segments that the sizing has no row for.
    tellable
        Whether numbers of both sets may be told.
    alone
        Names of the segments that are published on their own: only of these may numbers of one
        segment be told.
    """

    affected: pd.DataFrame
    unaffected: pd.DataFrame
    unknown: int
    tellable: bool
    alone: frozenset[str]


def sets(segments: pd.DataFrame, affected: tuple[str, ...]) -> Sets:
    """Split the sizing's segments.

    The row of all the smallest segments together counts as unaffected only where each affected
    segment has a row of its own; counts without a segment count as neither.
    """
    name = segments["segment"]
    inside = name.isin(affected)
    unknown = len(set(affected) - set(name))
    neither = name.str.startswith(UNASSIGNED)
    if unknown:
        neither |= name.str.startswith(REST)
    hit, others = segments[inside], segments[~inside & ~neither]
    alone = frozenset(published_segments(segments)["segment"]) & frozenset(name)
    return Sets(
        affected=hit,
        unaffected=others,
        unknown=unknown,
        tellable=_adds_up(hit, alone, of=name) and _adds_up(others, alone, of=name),
        alone=alone,
    )


def _adds_up(part: pd.DataFrame, alone: frozenset[str], *, of: pd.Series) -> bool:
    """Whether published rows add up to `part`."""
    names, merged = set(part["segment"]), set(of) - alone
    whole = not (names & merged) or merged <= names
    return whole and float(part["actual"].sum()) >= SMALLEST_CELL
