"""What a source names, checked before the engine sees it."""

from __future__ import annotations

import codecs
import csv
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trustlib.core import NoData, Refusal, did_you_mean

FILES = {".csv": "csv", ".parquet": "parquet", ".sql": "sql"}
_CONVERT = {
    ".gz": "unpack it first: gunzip -k FILE",
    ".zip": "unpack it first: unzip FILE",
    ".xlsx": "in the spreadsheet program: save as CSV (UTF-8), and name that file",
    ".xls": "in the spreadsheet program: save as CSV (UTF-8), and name that file",
    ".tsv": "give it a name that ends in .csv: tabs, semicolons and | are read as well as commas",
    ".txt": "give it a name that ends in .csv: tabs, semicolons and | are read as well as commas",
}
# How a file of another kind begins, whatever its name says.
_PACKED = {
    b"\x1f\x8b": ("is packed with gzip", "unpack it first: gunzip -c FILE > new.csv"),
    b"PK\x03\x04": ("is an Excel or ZIP file", "save it as CSV (UTF-8), or unpack it first"),
    b"PAR1": ("is a Parquet file", "give it a name that ends in .parquet"),
}
_ICONV = {"Latin-1 or Windows-1252": "WINDOWS-1252"}
_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Numbers, dates, times, telephone numbers, addresses: what a cell holds and a name does not.
_CELL = re.compile(
    r"\s*[-+(.]?\d(?:[\d\s.,:/()+-]|(?<=\d)[TZeE](?=[-+\d]|\Z))*\Z|.*(?:@|://|:\d)", re.DOTALL
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source that exists, as far as can be told without the engine.

    Attributes
    ----------
    name
        As the reader knows it: path as written (its file name where absolute), or table.
    kind
        ``csv``, ``parquet``, ``sql`` or ``table``.
    path
        The file; None for a table.
    url
        Connection URL from the environment: a secret, never shown. None: embedded engine.
    connection
        Name of the variable the URL came from.
    """

    name: str
    kind: Literal["csv", "parquet", "sql", "table"]
    path: Path | None
    url: str | None
    connection: str | None

    def __repr__(self) -> str:  # the URL must not reach a traceback
        return f"Source(name={self.name!r}, kind={self.kind!r}, connection={self.connection!r})"


def resolve(source: str, connection: str | None) -> Source:
    """Find out what `source` is.

    Raises
    ------
    Refusal
        A missing, unreadable or unknown file; a connection variable that is not set.
    NoData
        An empty file.
    """
    url = _url(connection)
    path = Path(source)
    kind = FILES.get(path.suffix.lower())
    if kind is None:
        if path.exists() or "/" in source or "\\" in source:
            _refuse_file(path)
        return Source(name=source, kind="table", path=None, url=url, connection=connection)
    _readable(path)
    if kind != "sql" and url is not None:
        raise Refusal(
            f"source is a .{kind} file, and connection is set: a file is read without one",
            where=f"source: {_shown(path)}, connection: {connection}",
            next_step="set connection: null, or give a table name or a .sql file as the source",
        )
    name = _shown(path)
    return Source(name=name, kind=kind, path=path, url=url, connection=connection)  # type: ignore[arg-type]


def _shown(path: Path) -> str:
    return path.name if path.is_absolute() else path.as_posix()


def _url(connection: str | None) -> str | None:
    if connection is None:
        return None
    url = os.environ.get(connection)
    if url:
        return url
    near = did_you_mean(connection, os.environ)
    state = "is empty" if url == "" else "is not set"
    raise Refusal(
        f"the environment variable that connection names {state}",
        where=f"connection: {connection}",
        nearest=f"{near} is set" if near and near != connection else None,
        next_step=f"export {connection}=… (a duckdb:// or postgresql:// URL), "
        "or set connection: null for the embedded engine",
    )


def _refuse_file(path: Path) -> None:
    if path.is_dir():
        files = [p.name for p in path.iterdir() if p.suffix.lower() in FILES]
        found = f"it holds {len(files)} file(s) that can be read" if files else None
        raise Refusal(
            "source is a folder, one file is needed",
            where=f"source: {_shown(path)}",
            nearest=found,
            next_step="give the path of one .csv, .parquet or .sql file",
        )
    raise Refusal(
        "source is neither a .csv, .parquet or .sql file nor a table name",
        where=f"source: {_shown(path)}",
        nearest=_near_file(path),
        next_step=_CONVERT.get(
            path.suffix.lower(),
            "convert it to .csv or .parquet, or write a .sql file with one SELECT",
        ),
    )


def _near_file(path: Path) -> str | None:
    try:
        names = [p.name for p in path.parent.iterdir() if p.suffix.lower() in FILES]
    except OSError:
        return None
    return did_you_mean(path.name, names)


def _readable(path: Path) -> None:
    where = f"source: {_shown(path)}"
    if path.is_dir():
        _refuse_file(path)
    if not path.exists():
        folder = path.parent
        if not folder.is_dir():
            raise Refusal(
                "the source file's folder does not exist",
                where=where,
                next_step="check the path; relative paths start at the working directory",
            )
        raise Refusal(
            "the source file does not exist",
            where=where,
            nearest=_near_file(path),
            next_step="check the path; relative paths start at the working directory",
        )
    if not path.is_file():
        raise Refusal("source is not a regular file", where=where, next_step="give a plain file")
    if path.suffix.lower() != ".sql" and re.search(r"[*?\[\]]", str(path.resolve())):
        raise Refusal(
            "the source file's path holds one of * ? [ ], which the engine takes for a pattern",
            where=where,
            next_step="rename the file, or the folder it is in",
        )
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except PermissionError:
        raise Refusal(
            "the source file may not be read by this user",
            where=where,
            next_step=f"ask for read permission (chmod u+r {_shown(path)})",
        ) from None
    except OSError as error:
        raise Refusal(f"the source file cannot be read: {error.strerror}", where=where) from None
    if not first:
        raise NoData("the source file is empty", where=where, next_step="check the export")


@dataclass(frozen=True)
class Header:
    """A CSV file's first record."""

    names: tuple[str, ...]
    delimiter: str


def csv_header(path: Path) -> Header:
    """Names and delimiter of a CSV file, after its encoding was checked to the last byte.

    Raises
    ------
    Refusal
        If the file is not UTF-8, or a name occurs twice.
    """
    where = f"source: {_shown(path)}"
    _check_encoding(path, where)
    csv.field_size_limit(16 * 1024 * 1024)
    with path.open(encoding="utf-8-sig", newline="") as file:
        start = file.readline()
        delimiter = max(",;\t|", key=lambda mark: (start.count(mark), mark == ","))
        file.seek(0)
        try:
            names = next(csv.reader(file, delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration):
            names = []
    if not any(name.strip() for name in names):
        raise Refusal(
            "the first line of the CSV file is not a header",
            where=f"{where}, line 1",
            next_step="put the column names on the first line; quote a name that holds a comma",
        )
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise Refusal(
            f"{len(doubled)} column name(s) occur more than once in the header",
            where=f"{where}, line 1",
            next_step="give every column its own name",
        )
    return Header(names=tuple(names), delimiter=delimiter)


def _check_encoding(path: Path, where: str) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        begins = file.read(4)
        for sign, (what, step) in _PACKED.items():
            if begins.startswith(sign):
                raise Refusal(f"the file {what}, not CSV", where=where, next_step=step)
        file.seek(0)
        while True:
            block = file.read(4 * 1024 * 1024)
            if line == 1 and block.startswith(_BOMS):
                guess = "UTF-16"
            elif line == 1 and block[:64].count(0) > len(block[:64]) // 4:
                guess = "UTF-16 or binary"
            else:
                guess = None
            try:
                if guess is None:
                    decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                guess = "Latin-1 or Windows-1252"
            if guess:
                raise Refusal(
                    f"the CSV file is not UTF-8 (it looks like {guess})",
                    where=f"{where}, line {line}",
                    next_step="save it as UTF-8, for example: "
                    f"iconv -f {_ICONV.get(guess, 'UTF-16')} -t UTF-8 old.csv > new.csv",
                )
            if not block:
                return
            line += block.count(b"\n")


def names_told(columns: tuple[str, ...]) -> tuple[str, ...]:
    """`columns` of a file where a message may show them, none where one looks like a cell.

    A file without its header line has its first row for names.
    """
    return () if any(_CELL.match(name) for name in columns) else columns


def near_column(name: str, columns: tuple[str, ...]) -> str | None:
    """The column nearest to `name`."""
    return did_you_mean(name, columns) or did_you_mean(re.sub(r"\W", "", name), columns)
