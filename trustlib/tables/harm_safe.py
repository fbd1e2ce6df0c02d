"""Tables of a deep-dive beside each other: what a reader could add up, and the words for it.

The counts themselves are withheld by `trustlib.harm.deep_dive.published`, which views of all
kinds share. Here are the words around them, and the attack on everything that a page shows.
"""

from __future__ import annotations

from trustlib.core import Check
from trustlib.harm.deep_dive.published import published
from trustlib.harm.deep_dive.result import DeepDive
from trustlib.harm.small_cells import SMALLEST_CELL, open_cells

NOTE = (
    f"withheld: a count below {SMALLEST_CELL}, or one that would give such a count away, or a "
    "number made from it"
)


def caption(text: str, rows: object) -> str:
    """`text`, with the reason where a cell of `rows` is withheld."""
    return f"{text} ({NOTE})" if "withheld" in str(rows) else text


def small_cells(result: DeepDive) -> Check:
    """The attack on all tables of the page: whether a withheld count can be worked out."""
    groups = published(result).groups
    small, others = sum(one.small for one in groups), sum(one.others for one in groups)
    left = sum(open_cells(one.tables) for one in groups)
    if left:
        return Check(name="small_cells", verdict="fail", label="small counts can be worked out",
                     text=f"{left:,} withheld counts can be worked out from the tables "
                     "shown.")  # fmt: skip
    if not small:
        return Check(name="small_cells", verdict="pass", label="no small counts",
                     text=f"No count in the tables is below {SMALLEST_CELL}.")  # fmt: skip
    return Check(
        name="small_cells",
        verdict="pass",
        label="small counts withheld",
        text=f"{small:,} counts below {SMALLEST_CELL} are withheld, and {others:,} more that would "
        "give them away. What the tables show together leaves each of them a range at least "
        f"{SMALLEST_CELL} wide.",
    )
