"""What an engine's error may tell a reader: never its words, which can hold cell contents,
paths or a password. Names from the statement and positions are safe, and said."""

from __future__ import annotations

import re

from trustlib.core import Refusal, RunFailed, TrustlibError, did_you_mean
from trustlib.data.source import Source

# Raised before any row is read, so that the name in them is the statement's own.
_MISSING = (
    (re.compile(r"Table with name \"?([^\"!]+?)\"? does not exist"), "table"),
    (re.compile(r"relation \"([^\"]+)\" does not exist"), "table"),
    (re.compile(r"Referenced column \"([^\"]+)\" not found"), "column"),
    (re.compile(r"column \"?([^\"\s]+)\"? does not exist"), "column"),
)
# Raised when rows are read: the line is then one of a statement that nobody wrote.
_WHILE_READING = ("ConversionException", "InvalidInputException", "OutOfRangeException")
_UNBOUND = ("CatalogException", "BinderException", "UndefinedTable", "UndefinedColumn")


def fault(error: Exception, source: Source, tables: tuple[str, ...] = ()) -> TrustlibError:
    """What stands for an engine's `error`: RunFailed where the disk is full, else a Refusal."""
    text, kind = str(error), type(error).__name__
    where = f"source: {source.name}"
    if source.connection:
        where += f", connection: {source.connection}"
    if "No space left" in text or "max_temp_directory_size" in text:
        return RunFailed(
            "the disk is full: the engine could not set rows aside",
            where=where,
            next_step="free some disk space under .trustlib/, or read fewer rows",
        )
    if "Out of Memory" in text:
        return Refusal(
            "the engine ran out of its memory",
            where=where,
            next_step="read fewer columns or rows: a .sql source with a WHERE, or a sum per hour",
        )
    if source.kind == "csv" and "CSV Error" in text:
        return _csv(text, where)
    if source.kind == "parquet" and source.url is None:
        return Refusal(
            "the file is not a whole Parquet file",
            where=where,
            next_step="copy or export it again: a file cut short in transfer reads like this",
        )
    if kind in _UNBOUND:
        for pattern, noun in _MISSING:
            found = pattern.search(text)
            if found:
                near = did_you_mean(found.group(1), tables) if noun == "table" else None
                return Refusal(
                    f"the statement names a {noun} that does not exist: {found.group(1)}",
                    where=where,
                    nearest=near,
                    next_step=_shelf(tables) if noun == "table" else "check the spelling",
                )
    line = re.search(r"^LINE (\d+):", text, re.MULTILINE)
    if line and kind not in _WHILE_READING:
        # The statement stands inside one of ours, which puts a line before it.
        where += f", line {max(1, int(line.group(1)) - 1)}"
    if kind == "PermissionException":
        return Refusal(
            "the statement reaches for a file, a setting or the network: the embedded engine "
            "reads its own tables only",
            where=where,
            next_step="give the file itself as source, or name a connection that holds it",
        )
    return Refusal(
        f"the engine could not run the statement ({kind})",
        where=where,
        next_step="run it in your SQL client to see the engine's own words",
    )


def _shelf(tables: tuple[str, ...]) -> str:
    if not tables:
        return "the connection has no tables: set connection, or make the demo world first"
    more = f" and {len(tables) - 20} more" if len(tables) > 20 else ""
    return f"the connection has: {', '.join(tables[:20])}{more}"


def no_table(source: Source, tables: tuple[str, ...]) -> Refusal:
    """The Refusal for a table name that the connection does not have."""
    return Refusal(
        "the table does not exist",
        where=f"source: {source.name}",
        nearest=did_you_mean(source.name, tables),
        next_step=_shelf(tables) + "; a file's name ends in .csv, .parquet or .sql",
    )


def _csv(text: str, where: str) -> Refusal:
    line = re.search(r"CSV Error on Line: (\d+)", text)
    at = f"{where}, line {line.group(1)}" if line else where
    if "unterminated quote" in text.lower() or "quote should be followed" in text.lower():
        what = "a quote in the CSV file is not closed"
    elif "Maximum line size" in text:
        what = "a line of the CSV file is longer than 1 MB (is a quote not closed?)"
    elif "Expected Number of Columns" in text:
        counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
        what = "a line of the CSV file does not have as many fields as the header"
        if counts:
            what += f" ({counts.group(2)}, not {counts.group(1)})"
    else:
        what = "the CSV file is not well formed"
    return Refusal(
        what,
        where=at,
        next_step="open the file at that line; quote values that hold the delimiter or a quote",
    )
