"""What the tables of an incident may not hold."""

from __future__ import annotations

from collections.abc import Mapping

from trustlib.core import Refusal
from trustlib.core.format import plural
from trustlib.data.abuse_sources import Copy, refuse_segments
from trustlib.data.incident_records import TABLES, AffectedQuery

# Columns that the frames have beside those of segments.
_TAKEN = {
    "item", "side", "inclusion", "label", "n_votes", "ties", "account", "customer",
    "account_dose", "customer_dose", "viewers", "gross_cents", "recovered_cents", "resolved",
    "labelled_at", "segment", "value", "items", "accounts", "stratum", "kind", "people",
}  # fmt: skip
_AMOUNTS = ("gross", "recovered")


def refuse_names(query: AffectedQuery) -> None:
    """Refuse segments that name an identifier, or a column of the frames.

    Raises
    ------
    Refusal
    """
    columns = TABLES["affected"]
    for name in query.segments:
        if name in columns and columns[name].kind == "key":
            raise Refusal(
                "a segment is a column of identifiers, which no page may show",
                where=f"segments: {name}",
                next_step="name columns such as market or product",
            )
    refuse_segments(query.segments, _TAKEN | set(columns))


def refuse_columns(query: AffectedQuery, copy: Copy, near: Mapping[str, str]) -> None:
    """Refuse segments that the affected table does not have, and amounts of no currency.

    Raises
    ------
    Refusal
    """
    where = f"affected_source: {copy.source.name}"
    for i, name in enumerate(query.segments):
        if f"s{i}" not in copy.kinds:
            raise Refusal(
                "a segment is no column of the affected table",
                where=f"segments: {name}, {where}",
                nearest=near.get(name),
                next_step="name one of its columns, or add this one in a .sql source",
            )
    amounts = [name for name in _AMOUNTS if name in copy.kinds]
    if amounts and query.currency is None:
        raise Refusal(
            "amounts are given and their currency is missing",
            where=f"currency, {where}, column {amounts[0]}",
            next_step="set currency (for example USD), or leave the columns of amounts out in a "
            ".sql source",
        )
    if amounts == ["recovered"]:
        raise Refusal(
            "there is no column gross, of which recovered is a part",
            where=f"{where}, column gross",
            next_step="add the column gross in a .sql source, or leave recovered out",
        )


def refuse_differing(n: int, columns: Mapping[str, int]) -> None:
    """Refuse `n` items of the window whose rows differ, by column.

    Raises
    ------
    Refusal
    """
    if not n:
        return
    said = ", ".join(f"{name} ({count:,})" for name, count in list(columns.items())[:4])
    raise Refusal(
        f"{plural(n, 'item')} {'has' if n == 1 else 'have'} rows that differ, so that it is not "
        "known which of them holds",
        where=f"affected_source, column item_id; they differ in {said}",
        nearest="rows that are equal count once",
        next_step="keep one row an item in a .sql source, for example the latest: "
        "QUALIFY row_number() OVER (PARTITION BY item_id ORDER BY … DESC) = 1",
    )


def refuse_amounts(found: Mapping[str, int]) -> None:
    """Refuse amounts that are negative, larger than can be, or recovered above gross.

    They are refused, not left out: a sum of money without its odd rows would look exact.

    Raises
    ------
    Refusal
    """
    for key, what, column in (
        ("negative", "with a negative amount", "gross or recovered"),
        ("above", "with more recovered than gross", "recovered"),
        ("huge", "with an amount of more than 100 billion", "gross or recovered"),
    ):
        if found[key]:
            raise Refusal(
                f"{plural(found[key], 'case')} {what}",
                where=f"affected_source, column {column}",
                next_step="gross is what was lost and recovered the part of it that came back, "
                "both 0 or more: put the rows right in a .sql source",
            )


def refuse_differing_arrivals(n: int) -> None:
    """Refuse `n` arrivals whose rows differ.

    Raises
    ------
    Refusal
    """
    if n:
        raise Refusal(
            f"{plural(n, 'arrival')} {'has' if n == 1 else 'have'} rows with different times",
            where="arrivals_source, column arrival_id",
            nearest="rows that are equal count once",
            next_step="keep one row an arrival in a .sql source: SELECT kind, arrival_id, "
            "min(event_at) AS event_at, min(arrived_at) AS arrived_at … GROUP BY 1, 2",
        )
