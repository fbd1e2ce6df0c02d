"""Event rows that equal another row in every column of the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Rows that are there more than once.

    Attributes
    ----------
    extra
        Rows beyond the first of each.
    every
        True where no row occurs once: the signature of a file loaded twice.
    told_apart
        True where the source has columns beyond those used, so that two events in the same
        second are not taken for one.
    """

    extra: int
    every: bool
    told_apart: bool


def repeats(table: Any, *, used: int) -> Repeats | None:
    """Count rows that repeat another; None where no column can be compared.

    `used` is how many columns the query reads. On the embedded engine rows are compared
    by a 64-bit hash (a chance collision among 10 million rows: 3 in a million), which
    fits in memory where the rows themselves would not.
    """
    names = [name for name, kind in table.schema().items() if _comparable(kind)]
    if not names:
        return None
    keys: Any = names
    if table.get_backend().name == "duckdb":
        keys = ibis.struct({f"k{i}": table[name] for i, name in enumerate(names)}).hash()
        keys = [keys.name("key")]
    groups = table.group_by(keys).aggregate(copies=table.count())
    twice = groups.filter(groups["copies"] > 1)
    found = twice.aggregate(
        groups=twice.count(), rows=twice["copies"].sum().fill_null(0)
    ).to_pyarrow()
    kinds, rows = (int(found[name][0].as_py()) for name in ("groups", "rows"))
    total = int(table.count().to_pyarrow().as_py()) if rows else 0
    return Repeats(
        extra=rows - kinds,
        every=rows > 0 and rows == total,
        told_apart=len(names) > used,
    )


def _comparable(kind: Any) -> bool:
    return not (kind.is_json() or kind.is_unknown() or kind.is_nested() or kind.is_geospatial())
