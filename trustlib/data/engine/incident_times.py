"""What the tables of an incident say of time: until when, what came late, what was changed."""

from __future__ import annotations

from typing import Any

from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.abuse_made import OTHER, largest
from trustlib.data.engine.incident import TIMES
from trustlib.data.incident_records import STEP_HOURS, TABLES

_STEP = STEP_HOURS * 3600
_GAP = 30  # days of nothing that set a few rows apart from the rest
_SHARE = 200  # and "a few" is at most one row in so many
MOST_CHANGES = 5_000
_PACE = 28 * 86400  # seconds before the last arrival that tell how many are usual
_TOO_QUIET = 5  # arrivals that should have come in a silence: fewer may be chance


def late(tables: Tables) -> dict[str, int]:
    """Role -> rows that were not there yet at `as_of`."""
    found: dict[str, int] = {}
    for role, time in TIMES.items():
        if tables.as_of is not None and tables.has(role, time):
            sql = f'SELECT count(*) FROM all_{role} WHERE "{time}" > {tables.as_of:d}'
            found[role] = int(tables.row(sql)[0])
    return found


def reach(tables: Tables) -> tuple[int | None, int]:
    """The last second of any time column, and how many rows are left out as far after all others.

    A few rows (at most one in 200) that come after 30 days without any are taken for a slip.
    """
    parts = [
        f'SELECT "{name}" AS t FROM {role} WHERE "{name}" IS NOT NULL'
        for role in tables.columns
        for name, column in TABLES[role].items()  # type: ignore[index]
        if column.kind == "time" and tables.has(role, name)
    ]
    if not parts:
        return None, 0
    days = tables.con.execute(
        f"SELECT t // 86400 AS day, count(*), max(t) FROM ({' UNION ALL '.join(parts)}) "
        "GROUP BY 1 ORDER BY 1"
    ).fetchall()
    if not days:
        return None, 0
    few, left, last = sum(n for _, n, _ in days) // _SHARE, 0, len(days) - 1
    beyond = 0
    for place in range(len(days) - 1, 0, -1):
        beyond += days[place][1]
        if beyond > few:
            break
        if days[place][0] - days[place - 1][0] > _GAP:
            left, last = beyond, place - 1
    return int(days[last][2]), int(left)


def heard(tables: Tables, until: int | None) -> int | None:
    """Up to when arrivals can have been read: `until`, or the last one where the silence after it
    is no chance.

    A table that was written before as_of has no arrivals after that: taken for days on which
    nothing came, they would say that all is in. At the pace of the four weeks before the last
    arrival, a silence with more than five arrivals expected in it (chance below .01) is such an
    end; one of at most a step never is.
    """
    if until is None or not tables.has("arrivals"):
        return until
    usable = "kind IS NOT NULL AND event_at IS NOT NULL AND arrived_at BETWEEN event_at"
    last = tables.row(f"SELECT max(arrived_at) FROM arrivals WHERE {usable} AND {until:d}")[0]
    if last is None or until - last <= _STEP:
        return until
    lately = tables.row(
        f"SELECT count(*) FROM arrivals WHERE {usable} AND {last:d} "
        f"AND arrived_at > {last - _PACE:d}"
    )[0]
    return int(last) if lately * (until - last) / _PACE > _TOO_QUIET else until


def arrivals(tables: Tables, until: int | None) -> tuple[Any, dict[str, int]]:
    """`AffectedRows.arrivals`; counts of rows that are there twice, that are equal without a number
    that tells them apart, that came before their event, and that came after `until`; and of
    arrivals whose rows differ."""
    empty = (
        "SELECT '' AS kind, false AS in_window, 0::BIGINT AS age, 0::BIGINT AS delay, "
        "0::BIGINT AS n WHERE false"
    )
    if not tables.has("arrivals") or until is None:
        return tables.frame(empty), {}
    usable = "kind IS NOT NULL AND event_at IS NOT NULL AND arrived_at IS NOT NULL"
    found = dict.fromkeys(("twice", "equal", "differ"), 0)
    source = "arrivals"
    if tables.has("arrivals", "arrival_id"):
        found |= _numbered(tables)
        source = "arrival"
    else:
        repeated = tables.row(
            "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM (SELECT count(*) AS n FROM arrivals "
            f"WHERE {usable} GROUP BY kind, event_at, arrived_at)"
        )
        found["equal"] = int(repeated[0])
    largest(tables, "kind", f"SELECT kind AS value FROM {source} WHERE {usable}")
    early, after = tables.row(
        "SELECT count(*) FILTER (arrived_at < event_at), "
        f"count(*) FILTER (arrived_at > {until:d}) FROM {source} WHERE {usable}"
    )
    found |= {"early": int(early), "after": int(after)}
    frame = tables.frame(
        f"SELECT coalesce(kind_name.value, '{OTHER}') AS kind, from_start(event_at) AS in_window, "
        f"({until:d} - event_at) // {_STEP} AS age, (arrived_at - event_at) // {_STEP} AS delay, "
        f"count(*) AS n FROM {source} LEFT JOIN kind_name ON kind_name.value = kind "
        f"WHERE {usable} AND arrived_at BETWEEN event_at AND {until:d} "
        "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )
    return frame, found


def _numbered(tables: Tables) -> dict[str, int]:
    """``arrival``: each arrival of a kind once; rows without a number as they stand."""
    columns = "kind, event_at, arrived_at"
    tables.make(
        "arrival",
        f"SELECT kind, min(event_at) AS event_at, min(arrived_at) AS arrived_at, "
        "count(*) - 1 AS more, min(event_at) IS DISTINCT FROM max(event_at) "
        "OR min(arrived_at) IS DISTINCT FROM max(arrived_at) AS differ FROM arrivals "
        f"WHERE arrival_id IS NOT NULL GROUP BY kind, arrival_id UNION ALL SELECT {columns}, "
        "0, false FROM arrivals WHERE arrival_id IS NULL",
    )
    more, differ = tables.row(
        "SELECT coalesce(sum(more), 0)::BIGINT, count(*) FILTER (differ) FROM arrival"
    )
    return {"twice": int(more), "differ": int(differ)}


def changes(tables: Tables) -> tuple[Any, dict[str, int]]:
    """changed_at, change, link as they stand, those nearest to the window's start; counts of rows
    that are there twice, and of those too far away to be kept."""
    if not tables.has("change_log"):
        empty = "SELECT 0::BIGINT AS changed_at, '' AS change, '' AS link WHERE false"
        return tables.frame(empty), {}
    link = "coalesce(link, '')" if tables.has("change_log", "link") else "''"
    usable = "changed_at IS NOT NULL AND change IS NOT NULL"
    tables.make(
        "changed",
        f"SELECT DISTINCT changed_at, change, {link} AS link FROM change_log WHERE {usable}",
    )
    rows, distinct = tables.row(
        f"SELECT (SELECT count(*) FROM change_log WHERE {usable}), count(*) FROM changed"
    )
    frame = tables.frame(
        f"SELECT * FROM (FROM changed ORDER BY abs(changed_at - {tables.start:d}), changed_at, "
        f"change, link LIMIT {MOST_CHANGES}) ORDER BY ALL"
    )
    far = int(distinct) - len(frame)
    return frame, {"twice": int(rows) - int(distinct), "far": far}
