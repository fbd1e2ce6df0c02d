"""One SELECT and nothing else: the gate for .sql sources."""

from __future__ import annotations

import re

import duckdb
import sqlglot
from sqlglot import expressions as exp

from trustlib.core import Refusal
from trustlib.data.source import Source

_WRITES = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.Command,
    exp.Copy,
    exp.Into,
    exp.Lock,
    exp.Set,
)


def _refused(source: Source, reason: str, line: str | None = None) -> Refusal:
    return Refusal(
        f"a .sql source holds one SELECT and nothing else: {reason}",
        where=f"source: {source.name}" + (f", line {line}" if line else ""),
        next_step="keep one SELECT (WITH … SELECT is fine)",
    )


def text_of(source: Source) -> str:
    """The file's text.

    Raises
    ------
    Refusal
        If it is not UTF-8 text.
    """
    assert source.path is not None
    try:
        text = source.path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(
            "the .sql file is not UTF-8 text",
            where=f"source: {source.name}",
            next_step="save it as UTF-8",
        ) from None
    if "\x00" in text:
        raise _refused(source, "this one holds a NUL character")
    return text


def embedded(text: str, source: Source) -> str:
    """The one SELECT in `text`, as DuckDB's own parser cuts it out.

    Raises
    ------
    Refusal
        If there is none, more than one, or another kind of statement.
    """
    try:
        found = duckdb.extract_statements(text)
    except duckdb.Error as error:
        line = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
        raise _refused(source, "this one cannot be parsed", line and line.group(1)) from None
    _count(len(found), source)
    if found[0].type != duckdb.StatementType.SELECT:
        raise _refused(source, f"this one is {found[0].type.name}")
    query: str = found[0].query
    word = query.lstrip("( \t\r\n")[:9].upper()
    if not word.startswith(("SELECT", "WITH", "FROM", "VALUES", "TABLE")):
        raise _refused(source, "this one does not begin with SELECT or WITH")
    return query


def postgres(text: str, source: Source) -> str:
    """The one SELECT in `text`, in PostgreSQL's dialect; see `embedded`."""
    try:
        parsed = [tree for tree in sqlglot.parse(text, read="postgres") if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        places = getattr(error, "errors", None) or [{}]
        line = str(places[0].get("line") or "") or None
        raise _refused(source, "this one cannot be parsed", line) from None
    parsed = [tree for tree in parsed if not isinstance(tree, exp.Semicolon)]
    _count(len(parsed), source)
    tree = parsed[0]
    if not isinstance(tree, exp.Query):
        raise _refused(source, f"this one is {tree.key.upper()}")
    if any(tree.find(kind) for kind in _WRITES):
        raise _refused(source, "this one writes or locks")
    return tree.sql(dialect="postgres")


def _count(n: int, source: Source) -> None:
    if n != 1:
        raise _refused(source, "this one is empty" if n == 0 else f"there are {n} statements")
