"""Writing rows as Parquet: in one piece, named by their content."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trustlib.core import RunFailed

if TYPE_CHECKING:
    import pyarrow as pa

STATE = Path(".trustlib")
SNAPSHOTS = STATE / "snapshots"
ROW_GROUP = 262_144
_FILE = 0o600
_FOLDER = 0o700


def keep(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> tuple[Path, str, int]:
    """Write rows to ``.trustlib/snapshots/<sha256>.parquet``; returns path, sha256, rows.

    Row groups are cut at fixed row numbers, so that the bytes depend on the rows alone and
    not on how the engine happened to batch them. Memory: one row group. Folder and file are for
    their owner alone: rows may hold ids.

    Raises
    ------
    RunFailed
        If the disk cannot take the copy.
    """
    with spooled(schema, batches, folder=SNAPSHOTS) as draft:
        with draft.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        path = SNAPSHOTS / f"{digest}.parquet"
        rows = row_count(draft)
        os.replace(draft, path)  # noqa: PTH105
    return path, digest, rows


def row_count(path: Path) -> int:
    """Rows in a Parquet file, from its footer."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


@contextmanager
def spooled(
    schema: pa.Schema, batches: Iterable[pa.RecordBatch], *, folder: Path = STATE / "tmp"
) -> Iterator[Path]:
    """Rows in a Parquet file of their own, gone afterwards unless it was moved."""
    _sweep(folder)
    draft = folder / f".draft-{os.getpid()}-{secrets.token_hex(8)}.parquet"
    try:
        _write(draft, schema, batches)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left; a process that lives keeps its drafts."""
    for left in folder.glob(".draft-*.parquet"):
        try:
            os.kill(int(left.name.split("-")[1]), 0)
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except (OSError, ValueError):
            continue


def _write(draft: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    import pyarrow.parquet as pq

    # Only the writing is caught: an error of the source comes out of `batches` as it is.
    writer = None
    groups = _groups(schema, batches)
    try:
        with _disk():
            _room(draft.parent)
            # For its owner alone from its first byte.
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE))
            writer = pq.ParquetWriter(draft, schema, compression="zstd")
        for group in groups:
            with _disk():
                writer.write_table(group, row_group_size=ROW_GROUP)
        with _disk():
            writer.close()
            with draft.open("rb") as file:
                os.fsync(file.fileno())
    except BaseException:
        if writer is not None and writer.is_open:
            with suppress(OSError):  # a full disk again: the first error is the one to tell
                writer.close()
        raise


def _room(folder: Path) -> None:
    """The folder; that of snapshots for its owner alone, who alone can shut it."""
    if folder != SNAPSHOTS:
        folder.mkdir(parents=True, exist_ok=True)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=_FOLDER, exist_ok=True)
    found = folder.stat()
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != _FOLDER:
        folder.chmod(_FOLDER)


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise RunFailed(
            f"the snapshot could not be written: {reason}",
            where=f"{SNAPSHOTS.as_posix()}/",
            next_step="free some disk space, or check the rights on that folder",
        ) from None


def _groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += batch.num_rows
        while held >= ROW_GROUP:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, ROW_GROUP).combine_chunks()
            waiting = table.slice(ROW_GROUP).to_batches()
            held -= ROW_GROUP
    yield pa.Table.from_batches(waiting, schema).combine_chunks()
