"""Files with raw ids: for their owner alone, safe for spreadsheets, each written in one piece."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import secrets
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trustlib.core import Refusal, RunFailed

FILE = 0o600
COLUMNS = ("item_id", "account_id", "case_at")
# What a spreadsheet would take for a formula, also in full width; a tab or a line's end before it.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")
_TIME = re.compile(r"-?\d{4,6}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A list that is written and not in its place yet."""

    path: Path
    sha256: str
    rows: int


def draft(folder: Path, header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> Draft:
    """Write rows as CSV: UTF-8, every field quoted, lines end in a line feed.

    A text that a spreadsheet would take for a formula (it begins with = + - or @), or that begins
    with ', is written with a ' before it: who reads the file takes one leading ' away.

    Raises
    ------
    RunFailed
        If the disk cannot take it.
    """
    path = folder / f".draft-{os.getpid()}-{secrets.token_hex(8)}.csv"
    n = 0
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                writer.writerow([safe(value or "") for value in row])
                n += 1
            file.flush()
            os.fsync(file.fileno())
        return Draft(path=path, sha256=_digest(path), rows=n)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise RunFailed(
                f"a list could not be written: {reason(error)}",
                where="lists_folder",
                next_step="free some disk space, or check the rights on that folder",
            ) from None
        raise


def safe(text: str) -> str:
    """`text` as it is written: never a formula."""
    return "'" + text if text.startswith(_FORMULA) else text


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The list that stands there: its ids, as they were before they were made safe."""

    sha256: str
    ids: tuple[str, ...]


def standing(path: Path, where: str) -> Standing | None:
    """The earlier list; None where there is none.

    Raises
    ------
    Refusal
        If it is no list as `draft` writes it: what left it could not be told.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise _damaged("what stands in the list's place is no plain file", where)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as raw:
            data = raw.read()
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise _damaged("the earlier list cannot be read", where) from None
    return Standing(sha256=hashlib.sha256(data).hexdigest(), ids=_ids(text, where))


def _ids(text: str, where: str) -> tuple[str, ...]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    ids = []
    try:
        header = next(rows, [])
        if not text.endswith("\n") or header not in ([*COLUMNS], [COLUMNS[0], COLUMNS[2]]):
            raise _damaged("the earlier list is cut, or has another header", where)
        for row in rows:
            if len(row) != len(header) or not row[0] or not _TIME.fullmatch(row[-1]):
                raise _damaged("a row of the earlier list is not as it was written", where)
            ids.append(row[0].removeprefix("'"))
    except csv.Error:
        raise _damaged("the earlier list is no CSV any more", where) from None
    if len(set(ids)) < len(ids):
        raise _damaged("the earlier list has an item twice", where)
    return tuple(ids)


def _damaged(what: str, where: str) -> Refusal:
    return Refusal(
        f"{what}, so that it cannot be told what left it",
        where=where,
        next_step="look at it and move it away, or bring the file back that was written; the next "
        "run then starts a list anew",
    )


def waiting(path: Path) -> Path:
    """Where the draft of the list at `path` waits: hidden, beside its place."""
    return path.with_name(f".{path.name}.draft")


def hide(made: Draft, path: Path) -> None:
    """Let a draft wait for its place, instead of an earlier one.

    Raises
    ------
    RunFailed
        If the disk refuses.
    """
    try:
        made.path.replace(waiting(path))
        _flush(path.parent)
    except OSError as error:
        raise not_put(error, path.name) from None


def ready(path: Path, sha256: str) -> bool:
    """Whether the draft of a list waits; False where it was put in its place already.

    Raises
    ------
    RunFailed
        If the draft, or without one the list itself, is not what was written.
    """
    draft = waiting(path)
    waits = os.path.lexists(draft)
    try:
        found = _digest(draft if waits else path)
    except OSError:
        found = None
    if found == sha256:
        return waits
    raise RunFailed(
        "the draft of a list is not what this run wrote, so that no list was put in its place",
        where=f"lists_folder, {draft.name}",
        next_step="run it again, one run at a time in that folder, and change nothing there while "
        "it runs",
    )


def put(path: Path, sha256: str, *, keep: bool) -> None:
    """Put the draft that waits in its place; `keep`: the file that stood there stays beside it.

    Equal content is left as it is.

    Raises
    ------
    RunFailed
        If the disk cannot take it.
    """
    try:
        earlier = _digest(path) if path.exists() else None
        if earlier == sha256:
            waiting(path).unlink()
            if stat.S_IMODE(path.stat().st_mode) != FILE:
                path.chmod(FILE)
            return
        if earlier is not None and keep:
            beside = path.with_name(f"{path.stem}.{earlier[:12]}{path.suffix}")
            if not beside.exists() or _digest(beside) != earlier:
                copy = path.with_name(f".draft-{os.getpid()}-{secrets.token_hex(8)}.csv")
                os.link(path, copy)
                copy.chmod(FILE)
                copy.replace(beside)
        waiting(path).replace(path)
        _flush(path.parent)
    except OSError as error:
        raise not_put(error, path.name) from None


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def not_put(error: OSError, name: str) -> RunFailed:
    """What is said where the disk refuses."""
    return RunFailed(
        f"a list could not be put in its place: {reason(error)}",
        where=f"lists_folder, {name}",
        next_step="check the rights on that folder and the disk",
    )


def _digest(path: Path) -> str:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reason(error: OSError) -> str:
    """What the system says of an error, without a path."""
    return os.strerror(error.errno) if error.errno else type(error).__name__
