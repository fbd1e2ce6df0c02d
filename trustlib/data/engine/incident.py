"""The cases of an incident, each item once, and what is counted of them.

Tables that the other statements use: ``cases`` (item_id, happened, side, suspect, account_id,
customer_id, dose, gross_cents, recovered_cents, resolved, s0 … as texts) and ``seen`` (item_id,
viewer_id), the distinct viewers of cases that were not actioned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.abuse_made import OTHER, UNKNOWN, largest, once

# The column whose time says whether a row is there yet.
TIMES = {
    "affected": "case_at", "labels": "labelled_at", "views": "viewed_at", "arrivals": "arrived_at",
    "change_log": "changed_at",
}  # fmt: skip
KEYS = ("item_id", "account_id", "customer_id", "viewer_id", "rater_id", "arrival_id")
LARGEST = 1e11  # of an amount: in cents, a million of them still add up in 64 bits
_GIVEN = {
    "suspect": "TINYINT", "account_id": "BIGINT", "customer_id": "BIGINT", "dose": "DOUBLE",
    "gross": "DOUBLE", "recovered": "DOUBLE", "resolved_at": "BIGINT",
}  # fmt: skip
_USABLE = "item_id IS NOT NULL AND case_at IS NOT NULL AND actioned IS NOT NULL"


def inside(tables: Tables, segments: Sequence[str], until: int | None) -> tuple[int, int]:
    """``inside``: usable rows of the window; ``inside_once``: a row for each item.

    What was put right after `until` is not put right yet. Gives how many usable rows lie outside
    the window, and how many in it are one too many.
    """
    columns = {"item_id": "key", "happened": "time", "actioned": "flag"}
    columns |= dict.fromkeys((*_GIVEN, *segments), "")
    if not tables.has("affected"):
        nothing = [f"NULL::BIGINT AS {name}" for name in ("item_id", "happened", "actioned")]
        nothing += [f"NULL::{kind} AS {name}" for name, kind in _GIVEN.items()]
        nothing += [f"NULL::VARCHAR AS {name}" for name in segments]
        tables.con.execute(f"CREATE TEMP VIEW inside AS SELECT {', '.join(nothing)} WHERE false")
        outside = 0
    else:
        picked = ["item_id", "case_at AS happened", "actioned"]
        for name, kind in _GIVEN.items():
            picked.append(name if tables.has("affected", name) else f"NULL::{kind} AS {name}")
        if until is not None and tables.has("affected", "resolved_at"):
            picked[-1] = f"CASE WHEN resolved_at <= {until:d} THEN resolved_at END AS resolved_at"
            # What came back when a case was put right had not come back before.
            back = next(at for at, name in enumerate(_GIVEN) if name == "recovered") + 3
            if tables.has("affected", "recovered"):
                picked[back] = (
                    f"CASE WHEN resolved_at > {until:d} AND recovered IS NOT NULL THEN 0 "
                    "ELSE recovered END AS recovered"
                )
        picked += segments
        tables.con.execute(
            f"CREATE TEMP VIEW inside AS SELECT {', '.join(picked)} FROM affected "
            f"WHERE {_USABLE} AND from_start(case_at)"
        )
        outside = tables.row(
            f"SELECT count(*) FROM affected WHERE {_USABLE} AND NOT from_start(case_at)"
        )[0]
    more = once(replace(tables, columns={"inside": columns}), "inside", "item_id")
    return int(outside), more


def differing(tables: Tables, segments: Mapping[str, str]) -> tuple[int, dict[str, int]]:
    """Items whose rows differ; and column -> how many of them differ in it, most first."""
    names = (
        {"happened": "case_at"} | {name: name for name in ("actioned", *_GIVEN)} | dict(segments)
    )
    flags = ", ".join(
        f"min({name}) IS DISTINCT FROM max({name}) OR count({name}) NOT IN (0, count(*)) AS {name}"
        for name in names
    )
    row = tables.row(
        f"SELECT count(*) FILTER ({' OR '.join(names)}), "
        f"{', '.join(f'count(*) FILTER ({name})' for name in names)} FROM (SELECT {flags} "
        "FROM inside SEMI JOIN inside_twice USING (item_id) GROUP BY item_id)"
    )
    counts = dict(zip(names.values(), map(int, row[1:]), strict=True))
    most = sorted(counts.items(), key=lambda pair: -pair[1])
    return int(row[0]), {name: n for name, n in most if n}


def amounts(tables: Tables) -> dict[str, int]:
    """Counts of cases by what may be wrong with their amounts."""
    names = ("negative", "above", "huge", "empty", "parts")
    found = tables.row(
        "SELECT count(*) FILTER (gross < 0 OR recovered < 0), "
        "count(*) FILTER (recovered > coalesce(gross, 0)), "
        f"count(*) FILTER (gross > {LARGEST:g} OR recovered > {LARGEST:g}), "
        "count(*) FILTER (gross IS NULL), "
        "count(*) FILTER (abs(gross * 100 - round(gross * 100)) > 1e-6 "
        "OR abs(recovered * 100 - round(recovered * 100)) > 1e-6) FROM inside_once"
    )
    return dict(zip(names, map(int, found), strict=True))


def cases(tables: Tables, segments: Sequence[str]) -> None:
    """``cases``: every item of the window."""
    values, joins = [], []
    for name in segments:
        largest(tables, name, f"SELECT {name} AS value FROM inside_once")
        values.append(f"coalesce({name}_name.value, '{OTHER}') AS {name}")
        joins.append(
            f"LEFT JOIN {name}_name ON {name}_name.value = coalesce(i.{name}, '{UNKNOWN}')"
        )
    suspect = "coalesce(suspect = 1, false)" if tables.has("affected", "suspect") else "true"
    picked = [
        "item_id", "happened", "CASE WHEN actioned = 1 THEN 'over' ELSE 'under' END AS side",
        f"{suspect} AS suspect", "account_id", "customer_id", "dose",
        "coalesce(round(gross * 100)::BIGINT, 0) AS gross_cents",
        "coalesce(round(recovered * 100)::BIGINT, 0) AS recovered_cents",
        "resolved_at IS NOT NULL AS resolved",
        "coalesce(resolved_at < happened, false) AS too_early",
        *values,
    ]  # fmt: skip
    tables.make("cases", f"SELECT {', '.join(picked)} FROM inside_once AS i {' '.join(joins)}")


def seen(tables: Tables) -> dict[str, int]:
    """``seen``; counts of views before the window, of other items, and of the same viewer again."""
    if not tables.has("views"):
        tables.make("seen", "SELECT item_id, NULL::BIGINT AS viewer_id FROM cases LIMIT 0")
        return {}
    timed = tables.has("views", "viewed_at")
    late = f"viewed_at >= {tables.start:d}" if timed else "true"
    usable = "item_id IS NOT NULL AND viewer_id IS NOT NULL"
    missed = "(SELECT item_id FROM cases WHERE side = 'under')"
    tables.make(
        "seen",
        "SELECT item_id, viewer_id, count(*) AS n FROM views SEMI JOIN "
        f"{missed} USING (item_id) WHERE {usable} AND {late} GROUP BY 1, 2",
    )
    rows, early, other = tables.row(
        f"SELECT count(*), count(*) FILTER (NOT coalesce({late}, false)), "
        f"count(*) FILTER ({late} AND item_id NOT IN {missed}) FROM views WHERE {usable}"
    )
    pairs, of = tables.row("SELECT count(*), coalesce(sum(n), 0)::BIGINT FROM seen")
    found = {"rows": rows, "early": early, "other": other, "again": of - pairs, "pairs": pairs}
    return {name: int(n) for name, n in found.items()}


def case_totals(tables: Tables) -> Any:
    """side, suspect, stratum, items, resolved, gross_cents, recovered_cents."""
    return tables.frame(
        "SELECT side, suspect, 'all' AS stratum, count(*) AS items, "
        "count(*) FILTER (resolved) AS resolved, sum(gross_cents)::BIGINT AS gross_cents, "
        "sum(recovered_cents)::BIGINT AS recovered_cents FROM cases GROUP BY 1, 2 ORDER BY 1, 2"
    )


def by_segment(tables: Tables, segments: Mapping[str, str]) -> Any:
    """segment, value, side, suspect, items, accounts, resolved."""
    accounts = "count(DISTINCT account_id)" if tables.has("affected", "account_id") else "-1"
    parts = [
        "SELECT '' AS segment, '' AS value, '' AS side, false AS suspect, 0::BIGINT AS items, "
        "0::BIGINT AS accounts, 0::BIGINT AS resolved WHERE false"
    ]
    parts += [
        f"SELECT $n{i}, {name}, side, suspect, count(*), {accounts}::BIGINT, "
        "count(*) FILTER (resolved) FROM cases GROUP BY 2, 3, 4"
        for i, name in enumerate(segments)
    ]
    said = {f"n{i}": name for i, name in enumerate(segments.values())}
    return tables.frame(" UNION ALL ".join(parts) + " ORDER BY 1, 2, 3, 4", said)


def people(tables: Tables) -> Any:
    """kind, side, dose, people."""
    each = " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, side, count(*) AS dose FROM {source} "
        f"WHERE {key} IS NOT NULL GROUP BY side, {key}"
        for kind, source, key in (
            ("accounts", "cases", "account_id"),
            ("customers", "cases", "customer_id"),
            ("viewers", "(SELECT *, 'under' AS side FROM seen)", "viewer_id"),
        )
    )
    return tables.frame(
        f"SELECT kind, side, dose, count(*) AS people FROM ({each}) GROUP BY 1, 2, 3 ORDER BY ALL"
    )


SETS = ("accounts over", "accounts under", "viewers under")


def overlaps(tables: Tables) -> Any:
    """first, second, people: of sets that have somebody in them."""
    # One table may hold numbers and the other texts: written out, they compare alike.
    account = "SELECT DISTINCT account_id::VARCHAR AS id FROM cases WHERE account_id IS NOT NULL"
    for place, sql in enumerate(
        (
            f"{account} AND side = 'over'", f"{account} AND side = 'under'",
            "SELECT DISTINCT viewer_id::VARCHAR AS id FROM seen",
        )
    ):  # fmt: skip
        tables.con.execute(f"CREATE TEMP VIEW people_{place} AS {sql}")
    parts = [
        f"SELECT {10 * one + two} AS place, '{SETS[one]}' AS first, '{SETS[two]}' AS second, "
        f"(SELECT count(*) FROM people_{one} SEMI JOIN people_{two} USING (id)) AS people, "
        f"(SELECT count(*) FROM people_{one}) AS n, (SELECT count(*) FROM people_{two}) AS m"
        for one, two in ((0, 1), (0, 2), (1, 2))
    ]
    return tables.frame(
        f"SELECT first, second, people, least(n, m) AS smaller FROM ({' UNION ALL '.join(parts)}) "
        "WHERE n > 0 AND m > 0 ORDER BY place"
    )
