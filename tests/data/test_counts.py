"""Counts against a plain reference, and what must not change them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from trustlib.core import RunFailed
from trustlib.data import parquet
from trustlib.data.engine import session

EVENTS = {"count_column": None}
# One directory per test is enough: every example writes its own file. The examples are
# seeds, which do not shrink to anything simpler.
FEW = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WINDOW = (datetime(2024, 6, 8, tzinfo=UTC), datetime(2024, 6, 9, tzinfo=UTC))


@FEW
@given(seed=st.integers(0, 2**32 - 1), zone=st.sampled_from(["UTC", "America/New_York"]))
def test_events_equal_a_pandas_reference(write, read, seed, zone):
    rng = np.random.default_rng(seed)
    utc = pd.Timestamp("2024-06-01", tz="UTC") + pd.to_timedelta(
        np.sort(rng.integers(0, 10 * 86400, 3000)), unit="s"
    )
    segment = rng.choice(["a", "b", ""], 3000)
    local = utc.tz_convert(zone).tz_localize(None)
    write([["at", "s"], *zip(local, segment, strict=True)])
    counts = read(**EVENTS, segment_column="s", timezone=zone)
    hours = pd.Series(1, index=utc).resample("1h").sum()
    got = counts.frame.set_index("bucket_start_at")["count"].dropna()
    assert (got == hours.reindex(got.index, fill_value=0)).all()
    by = counts.segments[counts.segments["segment"] == "a"].set_index("bucket_start_at")["count"]
    expected = pd.Series(segment == "a", index=utc).resample("1h").sum()
    by = by.dropna()
    assert (by == expected.reindex(by.index, fill_value=0)).all()


@FEW
@given(seed=st.integers(0, 2**32 - 1), bucket=st.sampled_from(["1h", "1d"]))
def test_ready_counts_equal_a_pandas_reference(write, read, seed, bucket):
    rng = np.random.default_rng(seed)
    index = pd.date_range("2024-06-01", periods=960, freq="15min", tz="UTC")
    values = pd.Series(rng.integers(0, 1000, 960).astype(float), index=index)
    values.iloc[rng.choice(600, 4)] = np.nan
    keep = np.ones(960, bool)
    keep[rng.choice(600, 4)] = False
    write([["at", "n"], *[[at, n] for at, n in values[keep].items()]])
    frame = read(bucket=bucket).frame.set_index("bucket_start_at")["count"]
    whole = (
        values.where(keep)
        .resample(bucket.replace("d", "D"))
        .apply(lambda part: part.sum(skipna=False))
    )
    expected = whole.reindex(frame.index).to_numpy()
    np.testing.assert_array_equal(frame.to_numpy(), expected)


@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_no_count(write, read, hourly, seed):
    header, *rows = hourly()
    rows = [[at, i * i % 97] for i, (at, _) in enumerate(rows)]
    write([header, *rows])
    first = read()
    np.random.default_rng(seed).shuffle(rows)
    write([header, *rows])
    second = read()
    pd.testing.assert_frame_equal(first.frame, second.frame)
    pd.testing.assert_frame_equal(first.health, second.health)
    assert first.checks == second.checks


def test_moving_the_clock_moves_the_buckets(write, read, hourly):
    header, *rows = hourly()
    rows = [[at, i * i % 97] for i, (at, _) in enumerate(rows)]
    write([header, *rows])
    utc = read().frame
    east = timedelta(hours=3)
    there = read(
        timezone="Africa/Nairobi",
        incident_start=WINDOW[0] - east,
        incident_end=WINDOW[1] - east,
    ).frame
    assert (there["bucket_start_at"] == utc["bucket_start_at"] - east).all()
    assert there["count"].tolist() == utc["count"].tolist()


def test_fractions_add_up_alike_for_every_thread_count_and_order(write, read, monkeypatch):
    rng = np.random.default_rng(7)
    start = datetime(2024, 6, 1, tzinfo=UTC)
    rows = [["at", "n", "s"]]
    for i in range(240):
        rows += [[start + timedelta(hours=i), x, j] for j, x in enumerate(rng.random(40) * 1e6)]
    write(rows)
    found = []
    for threads in (1, 2, 4):
        monkeypatch.setattr(session, "THREADS", threads)
        found.append(read(segment_column="s"))
    for other in found[1:]:
        assert found[0].snapshot == other.snapshot
    header, *body = rows
    rng.shuffle(body)  # a sum of floats would not survive another order either
    write([header, *body])
    found.append(read(segment_column="s"))
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0].frame, other.frame, check_exact=True)
        pd.testing.assert_frame_equal(found[0].segments, other.segments, check_exact=True)
    assert dict(zip(found[0].health["item"], found[0].health["n"], strict=True))[
        "counts that are not whole"
    ]


def test_a_snapshot_is_named_by_its_content(write, read, hourly):
    write(hourly())
    first = read()
    again = read()
    assert first.snapshot == again.snapshot
    path = Path(first.snapshot.path)
    assert not path.is_absolute()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == first.snapshot.sha256
    assert path.stem == first.snapshot.sha256
    rows = hourly()
    rows[1][1] = 101
    write(rows)
    assert read().snapshot.sha256 != first.snapshot.sha256
    assert sorted(item.name for item in path.parent.iterdir()) == sorted(
        {path.name, Path(read().snapshot.path).name}
    )


def test_the_bytes_do_not_depend_on_how_the_rows_came(here):
    import pyarrow as pa

    table = pa.table({"a": range(1000), "b": [None if i % 7 else str(i) for i in range(1000)]})
    found = set()
    for size in (1, 13, 1000):
        parts = [table.slice(at, size).combine_chunks() for at in range(0, 1000, size)]
        batches = [batch for part in parts for batch in part.to_batches()]
        found.add(parquet.keep(table.schema, batches)[1])
    assert len(found) == 1


def test_row_groups_are_cut_at_fixed_rows(here, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr(parquet, "ROW_GROUP", 100)
    table = pa.table({"a": range(1050)})
    for size in (30, 99, 100, 101, 1050):
        path, _, rows = parquet.keep(table.schema, table.to_batches(max_chunksize=size))
        meta = pq.ParquetFile(path).metadata
        groups = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        assert groups == [100] * 10 + [50]
        assert rows == 1050


def test_a_full_disk_leaves_no_half_snapshot(write, read, hourly, monkeypatch):
    import pyarrow.parquet as pq

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    write(hourly())
    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(RunFailed, match="No space left"):
        read()
    assert [p for p in Path(".trustlib").rglob("*") if p.is_file()] == []


def test_a_killed_run_leaves_nothing_for_ever(write, read, hourly):
    import os
    import subprocess
    import sys

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder = Path(".trustlib/snapshots")
    folder.mkdir(parents=True)
    dead, alive = (folder / f".draft-{pid}-0.parquet" for pid in (gone.pid, os.getpid()))
    dead.touch()
    alive.touch()
    write(hourly())
    read()
    assert not dead.exists()
    assert alive.exists()


def test_snapshots_are_for_their_owner_alone(write, read, hourly, monkeypatch):
    import os
    import stat

    folder = Path(".trustlib/snapshots")
    write(hourly())
    read()
    (kept,) = folder.iterdir()
    for old in (None, 0o755):  # made here, or by an earlier version
        if old:
            folder.chmod(old)
            kept.chmod(0o644)
            read()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    folder.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    read()  # another's folder is left as it is
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_the_answer_does_not_depend_on_the_machine_s_zone(write, read, hourly, monkeypatch):
    import time

    write(hourly())
    first = read(timezone="America/New_York")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        second = read(timezone="America/New_York")
    finally:
        monkeypatch.undo()
        time.tzset()
    pd.testing.assert_frame_equal(first.frame, second.frame)
    assert first.snapshot == second.snapshot


def test_what_the_room_gives_has_the_promised_types(write, read, hourly):
    write(hourly())
    counts = read()
    assert counts.frame.columns.tolist() == ["bucket_start_at", "count", "ambiguous"]
    assert str(counts.frame["bucket_start_at"].dtype) == "datetime64[us, UTC]"
    assert str(counts.frame["count"].dtype) == "float64"
    assert str(counts.frame["ambiguous"].dtype) == "bool"
    assert counts.segments is None
    assert counts.health.columns.tolist() == ["item", "n", "note"]
    assert len({check.name for check in counts.checks}) == len(counts.checks)
    assert counts.snapshot.to_json()["window_end_at"] == "2024-06-11T00:00:00+00:00"


def test_importing_the_room_does_not_load_the_engine():
    import subprocess
    import sys

    script = "import sys, trustlib.data; print([m for m in ('ibis', 'duckdb') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
