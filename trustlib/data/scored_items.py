"""From a source with one row per item to its score and views, for the next labelling round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trustlib.core import NoData, Refusal, TrustlibError
from trustlib.core.format import plural
from trustlib.data.engine import panel as engine
from trustlib.data.engine import sources
from trustlib.data.parquet import keep
from trustlib.data.source import Source, names_told, near_column, resolve


@dataclass(frozen=True, kw_only=True)
class ScoredItemsQuery:
    """Where scored items stand: one row is one item.

    Attributes
    ----------
    source
        Path to .csv, .parquet or .sql (one SELECT), or a table name on the connection.
    connection
        Name of an environment variable that holds a URL; None is the embedded engine.
    item_column
        Read as text.
    score_column
        Numbers; empty where an item has no score.
    views_column
        Numbers of 0 or more. None: views are not known.
    """

    source: str
    connection: str | None = None
    item_column: str = "item_id"
    score_column: str = "score"
    views_column: str | None = None


def read_scored_items(query: ScoredItemsQuery) -> pd.DataFrame:
    """Read the items, in the source's order, and keep a snapshot.

    Returns
    -------
    DataFrame
        ``item_id`` (str), ``score`` (float64, NaN = none), and ``views`` (float64) if asked for.

    Raises
    ------
    Refusal
        The source or its columns are not what the query says; a score or views that are no
        finite numbers; views that are empty or below 0; an item without an id.
    NoData
        No rows, or no score in any of them.
    """
    source = resolve(query.source, query.connection)
    wanted = {"unit": query.item_column, "score": query.score_column, "views": query.views_column}
    roles = {role: column for role, column in wanted.items() if column is not None}
    try:
        with sources.opened(source) as found:
            _there(tuple(found.columns), roles, source)
            table = sources.roles(found, roles, source)
            with sources.batches(table, ordered=found.ordered) as (schema, batches):
                path, _, n = keep(schema, batches)
    except TrustlibError as error:
        # The engine's role for whom a row is about; here it is an item.
        texts = [
            text and text.replace("unit_column", "item_column")
            for text in (error.what, error.where, error.nearest, error.next_step)
        ]
        raise type(error)(
            str(texts[0]), where=texts[1], nearest=texts[2], next_step=texts[3]
        ) from None
    if n == 0:
        raise NoData(
            "the source has no rows",
            where=f"source: {source.name}",
            next_step="check the export, or the WHERE of the query",
        )
    with sources.snapshot_rows(path) as kept:
        rows = engine.numbers(kept)
        for role in [role for role in roles if role != "unit"]:
            _numbers_only(rows, role, f"{role}_column: {roles[role]}, source: {source.name}", n)
        frame = engine.columns(rows)[0].to_pandas().rename(columns={"unit": "item_id"})
    frame["item_id"] = frame["item_id"].astype("str").str.strip()
    nameless = int((frame["item_id"].isna() | (frame["item_id"] == "")).sum())
    if nameless:
        raise Refusal(
            f"{plural(nameless, 'item')} without an id",
            where=f"item_column: {query.item_column}, source: {source.name}",
            next_step="give every item its id",
        )
    return frame[["item_id", "score", *(["views"] if "views" in roles else [])]]


def _there(columns: Sequence[str], roles: dict[str, str], source: Source) -> None:
    """Refuse a column that is not there, by the words of the command line."""
    told = names_told(tuple(columns)) if source.kind == "csv" else tuple(columns)
    for role, column in roles.items():
        if column not in columns:
            name = "item" if role == "unit" else role
            raise Refusal(
                f"there is no column with the {name if role == 'views' else name + 's'}",
                where=f"{name}_column: {column}, source: {source.name}",
                nearest=near_column(column, told),
                next_step=f"name it: --{name}-column NAME",
            )


def _numbers_only(rows: Any, role: str, where: str, n: int) -> None:
    faults = engine.value_faults(rows, role)
    wrong = faults["unreadable"] + faults["infinite"]
    if wrong:
        raise Refusal(
            f"{wrong:,} of {plural(n, 'value')} {'is' if wrong == 1 else 'are'} no finite number",
            where=where,
            next_step="write plain numbers (0.125), and leave a score empty where there is none",
        )
    if role == "score" and not faults["written"]:
        raise NoData("no item has a score", where=where, next_step="check the export")
    if role == "views" and (faults["nulls"] or faults["negative"]):
        raise Refusal(
            f"of {n:,} values, {faults['nulls']:,} are empty, {faults['negative']:,} below 0",
            where=where,
            next_step="write 0 where an item was not seen",
        )
