"""The Parquet copy of what was read: written in one piece, named by its content."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trustlib.data.engine.session import STATE

if TYPE_CHECKING:
    import pyarrow as pa

SNAPSHOTS = STATE / "snapshots"
ROW_GROUP = 262_144


def keep(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> tuple[Path, str, int]:
    """Write rows to ``.trustlib/snapshots/<sha256>.parquet``; returns path, sha256, rows.

    Row groups are cut at fixed row numbers, so that the bytes depend on the rows alone and
    not on how the engine happened to batch them. Memory: one row group.
    """
    import pyarrow.parquet as pq

    SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    draft = SNAPSHOTS / f".draft-{os.getpid()}-{secrets.token_hex(8)}.parquet"
    rows = 0
    try:
        with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for group in _groups(schema, batches):
                writer.write_table(group, row_group_size=ROW_GROUP)
                rows += group.num_rows
        with draft.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        path = SNAPSHOTS / f"{digest}.parquet"
        os.replace(draft, path)  # noqa: PTH105
    finally:
        draft.unlink(missing_ok=True)
    return path, digest, rows


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
