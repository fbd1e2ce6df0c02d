"""Names that params give and no row has; cells that cannot be read as what they should be."""

from __future__ import annotations

from trustlib.core import Refusal
from trustlib.core.format import plural
from trustlib.data.abuse_records import AbuseQuery
from trustlib.data.engine import abuse_acts as engine
from trustlib.data.engine.abuse import Tables
from trustlib.data.engine.abuse_health import Cells

# Above this share of what stands there, cells that cannot be read are refused, not left out.
_TOLERATED = 0.001
_WRITE = {
    "time": "write times as 2015-01-26 12:00:00, or with an offset 2015-01-26T12:00:00-05:00",
    "number": "write plain numbers (0.25), and leave a cell empty where there is none",
    "flag": "write 1 or 0, and leave a cell empty where it is not known",
    "label": "write 1 (violating) or 0 (not), and leave a cell empty where there is no answer",
}
_LABELS = ("label", "gold")


def refuse_unreadable(found: tuple[Cells, ...]) -> None:
    """Refuse a column that is needed and empty, or of which too much cannot be read.

    Raises
    ------
    Refusal
    """
    for cells in found:
        where = f"{cells.role}_source, column {cells.column}"
        if cells.needed and not cells.there:
            raise Refusal(
                f"column {cells.column} is empty in every row",
                where=where,
                next_step="check the export, or the query that makes the column",
            )
        if cells.unreadable > _TOLERATED * cells.there:
            noun = {"time": "time", "number": "number", "flag": "answer"}[cells.kind]
            raise Refusal(
                f"{cells.unreadable:,} of {plural(cells.there, noun)} cannot be read",
                where=where,
                next_step=_WRITE["label" if cells.column in _LABELS else cells.kind],
            )


def refuse_names(tables: Tables, query: AbuseQuery) -> None:
    """Refuse controls, confirming sources and reasons that never occur.

    Raises
    ------
    Refusal
    """
    for parameter, role, column, names in (
        ("control_sources", "actions", "source", query.control_sources),
        ("confirming_sources", "actions", "source", query.confirming_sources),
        ("report_reasons", "reports", "reason", query.report_reasons),
    ):
        if not names or not tables.has(role):
            continue
        if not tables.has(role, column):
            raise Refusal(
                f"{parameter} needs a column {column}, which {role} do not have",
                where=f"{parameter}, {role}_source, column {column}",
                next_step=f"add the column, or leave {parameter} empty: all {role} count then",
            )
        absent = engine.unknown_names(tables, role, column, names)
        if absent:
            near = engine.alike(tables, role, column, absent[0])
            raise Refusal(
                f"no row of {role} has what {parameter} names",
                where=f"{parameter}: {absent[0]}, {role}_source, column {column}",
                nearest="one that differs in case or separators only is there" if near else None,
                next_step=f"SELECT DISTINCT {column} shows what there is; name one of them",
            )


def refuse_outcomes(found: dict[str, int]) -> None:
    """Refuse appeals none of whose outcomes is a known word.

    Raises
    ------
    Refusal
    """
    if found["words"] and found["odd"] == found["words"]:
        raise Refusal(
            f"none of the outcomes of {plural(found['words'], 'appeal')} is {engine.OVERTURNED} or "
            f"{engine.UPHELD}",
            where="appeals_source, column outcome",
            next_step=f"write {engine.OVERTURNED} or {engine.UPHELD} in a .sql source, and leave "
            "the cell empty where nothing is decided",
        )
