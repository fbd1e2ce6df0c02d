"""What the rows are made of, in counts: the data-health table."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from trustlib.core.format import duration
from trustlib.data.engine.once import Once
from trustlib.data.engine.repeats import Repeats
from trustlib.data.extent import Extent, Native
from trustlib.data.lay import Laid
from trustlib.data.records import CountsQuery
from trustlib.data.timetext import TimeForm


def elapsed(length: int) -> timedelta:
    """A number of seconds as a duration."""
    return timedelta(seconds=length)


def longest_run(mask: np.ndarray) -> int:
    """Length of the longest stretch of True."""
    padded = np.concatenate([[False], mask, [False]])
    turns = np.flatnonzero(np.diff(padded.astype(np.int8)))
    return int((turns[1::2] - turns[::2]).max(initial=0))


def health(
    query: CountsQuery,
    reach: Extent,
    laid: Laid,
    form: TimeForm,
    spacing: Native | None,
    repeats: Repeats | None,
    once: Once | None,
    n: int,
) -> pd.DataFrame:
    """The health frame: ``item``, ``n``, ``note``."""
    missing = np.isnan(laid.count)
    width = reach.grid.width
    silent = longest_run(missing & ~laid.excused | (laid.count == 0))
    rows: list[tuple[str, int, str]] = [
        ("rows read", n, "all rows of the source"),
        ("rows without a time", form.nulls, "left out"),
        ("rows with an unreadable time", form.unreadable, "left out"),
        (
            "rows far from all others",
            reach.strays_early + reach.strays_late,
            "not used as evidence of where the data begin or end",
        ),
    ]
    if once is not None:
        rows += [
            ("rows that repeat an id", once.repeated, "left out: an id counts once"),
            ("ids that differ in time or segment", once.differing, "at their earliest time"),
            ("rows without an id", once.unnamed, "counted one by one"),
        ]
    if repeats is not None:
        item = "rows equal to another" if once is None else "rows without an id equal to another"
        rows.append((item, repeats.extra, "counted"))
    notes = {
        "rows before the history": "left out",
        "rows after as_of": "left out",
        "rows after the grid": "left out: past the stretch that shows recovery",
        "rows counted": "on the grid",
        "empty counts": "their buckets are missing",
        "counts that are not whole": "summed to six decimals",
        "partial buckets": "missing: made from less than the whole bucket",
        "rows in ambiguous hours": "read as the earlier of the two hours",
        "rows in impossible hours": "moved forward by the clock's gap",
        "ambiguous labels that occur once": "read as the earlier of the two hours",
        "ambiguous labels that occur twice": "first in the file is the earlier hour",
        "control repeated on every segment": "read once per time",
    }
    rows += [(item, value, notes.get(item, "")) for item, value in laid.seen.items()]
    rows += [
        ("buckets", len(laid.count), f"of {query.bucket}"),
        ("missing buckets", int((missing & ~laid.excused).sum()), "not counted as zero"),
        ("zero buckets", int((laid.count == 0).sum()), "no row in them" if spacing is None else ""),
        ("longest stretch without data", silent, f"buckets; {duration(elapsed(silent * width))}"),
        ("buckets touched by a clock change", int(laid.ambiguous.sum()), "marked, not fitted on"),
    ]
    if laid.segments is not None:
        shown = len(laid.segments)
        note = "each on its own" if laid.n_segments <= shown else "the largest, and all others"
        rows.append(("segments", laid.n_segments, note))
    return pd.DataFrame(rows, columns=["item", "n", "note"]).astype({"n": "int64"})
