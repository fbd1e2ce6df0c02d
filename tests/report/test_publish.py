"""Readers find all of the old report or all of the new one, whoever dies when."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trustlib.report import history, manifest, publish, verify

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def files_of(folder: Path, run_id: str, *, size: int = 40_000) -> dict[str, bytes]:
    """A report whose every file names its run, in a chain with what was there before."""
    body = {name: f"{name} {run_id}\n".encode() * (size // 40) for name in publish.FILES[:3]}
    document = {
        "schema": manifest.SCHEMA,
        "notebook": folder.resolve().parent.name,
        "slug": folder.resolve().name,
        "run_id": run_id,
        "started_at": NOW.isoformat(),
        "findings_sha256": manifest.sha256(run_id.encode()),
        "earlier_runs": history.earlier_runs(folder),
        "outputs": {name: manifest.sha256(data) for name, data in body.items()},
    }
    return body | {"manifest.json": manifest.sealed(document)}


def put(folder: Path, run_id: str | None = None, **options: int) -> str:
    run_id = run_id or publish.new_run_id(NOW)
    with publish.lock(folder):
        publish.publish(folder, run_id, files_of(folder, run_id, **options))
    return run_id


def put_for_ever(folder: Path) -> None:
    while True:
        put(folder)


def consistent(folder: Path) -> str:
    """Read as a reader does: resolve once, then all four files; they must be one run's."""
    run = (folder / "current").resolve()
    document = json.loads((run / "manifest.json").read_bytes())
    assert manifest.sealed(document) == (run / "manifest.json").read_bytes()
    assert document["run_id"] == run.name
    for name, digest in document["outputs"].items():
        assert manifest.sha256((run / name).read_bytes()) == digest
    # And each through its own link: whole, whichever run it is.
    for name in publish.FILES[:3]:
        lines = set((folder / name).read_bytes().splitlines())
        assert len(lines) == 1, "a torn file"
    return run.name


def test_the_new_run_is_current_and_the_old_ones_stay(tmp_path):
    first, second = put(tmp_path), put(tmp_path)

    assert publish.current_run(tmp_path) == second
    assert consistent(tmp_path) == second
    assert [run["run_id"] for run in history.earlier_runs(tmp_path)] == [first, second]
    assert verify([tmp_path]) == []


@pytest.mark.parametrize("links", ["links", "no links"])
def test_a_hundred_kills_while_publishing(tmp_path, links, monkeypatch):
    if links == "no links":
        monkeypatch.setattr(publish, "_point", _no_links)
    # A kill loses nothing of what the system has taken; without the waits more steps are hit.
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    put(tmp_path)
    rng = random.Random(7)
    read = consistent if links == "links" else _whole
    seen = {read(tmp_path)}
    kills = 100 if links == "links" else 30
    for _ in range(kills):
        child = multiprocessing.get_context("fork").Process(target=put_for_ever, args=(tmp_path,))
        child.start()
        known = len(seen)
        while len(seen) == known:
            seen.add(read(tmp_path))
        until = time.monotonic() + rng.uniform(0, 0.02)
        while time.monotonic() < until:
            seen.add(read(tmp_path))
        child.kill()
        child.join()
        seen.add(read(tmp_path))
    last = put(tmp_path)

    assert len(seen) > kills
    assert publish.current_run(tmp_path) == last
    assert verify([tmp_path]) == []
    for parent in (tmp_path, tmp_path / "runs"):
        assert not [entry for entry in parent.iterdir() if entry.name.endswith(".tmp")]
        assert not [entry for entry in parent.iterdir() if entry.name.startswith(".staging")]


def _no_links(link: Path, target: Path) -> None:
    raise OSError(errno.EPERM, "no links here")


def _whole(folder: Path) -> str:
    for name in publish.FILES[:3]:
        lines = set((folder / name).read_bytes().splitlines())
        assert len(lines) == 1, "a torn file"
    return lines.pop().decode()


def test_eight_writers_at_once(tmp_path):
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=_put_some, args=(tmp_path, 5)) for _ in range(8)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        if (tmp_path / "current").exists():
            consistent(tmp_path)
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0] * 8
    assert len(history.earlier_runs(tmp_path)) == 40
    assert verify([tmp_path]) == []


def _put_some(folder: Path, times: int) -> None:
    for _ in range(times):
        put(folder)


def test_a_waiting_run_is_told_so(tmp_path):
    said = []
    with publish.lock(tmp_path):
        fork = multiprocessing.get_context("fork")
        ours, theirs = fork.Pipe(duplex=False)
        child = fork.Process(target=_lock_and_tell, args=(tmp_path, theirs))
        child.start()
        said.append(ours.recv())
    said.append(ours.recv())
    child.join()

    assert said == ["waiting", "held"]


def _lock_and_tell(folder: Path, pipe) -> None:
    with publish.lock(folder, waiting=lambda: pipe.send("waiting")):
        pipe.send("held")


def test_recovery_leaves_damaged_runs_for_verify_to_tell(tmp_path):
    first = put(tmp_path)
    put(tmp_path)
    damaged = tmp_path / "runs" / first / "manifest.json"
    damaged.write_bytes(damaged.read_bytes().replace(b"run_id", b"run_iD"))
    put(tmp_path)

    assert damaged.exists()
    assert any(first in finding for finding in verify([tmp_path]))


def test_a_damaged_current_manifest_does_not_lose_the_history(tmp_path):
    first, second = put(tmp_path), put(tmp_path)
    current = tmp_path / "runs" / second / "manifest.json"
    current.write_bytes(current.read_bytes() + b" ")
    third = put(tmp_path)
    put(tmp_path)

    assert (tmp_path / "runs" / first).is_dir()
    assert current.exists()
    assert [run["run_id"] for run in history.earlier_runs(tmp_path)][:2] == [first, third]


def _mounted(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if shutil.which("mount") is None or not _mounted(folder, "size=256k"):
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_the_old_report(small_disk):
    folder = small_disk / "small" / "one"
    put(folder)
    before = _bytes(folder)
    with pytest.raises(OSError, match="No space") as caught:
        put(folder, size=400_000)

    assert _bytes(folder) == before
    assert verify([folder]) == []
    message = publish.plain_message(caught.value, folder).message()
    assert "no space left" in message
    assert "unchanged" in message


def test_a_run_onto_a_full_disk_fails_with_one_plain_message(workshop, small_disk):
    reports = small_disk / "reports"
    path = workshop.params("one")
    assert workshop.one(path, reports=reports).status == "complete"
    folder = reports / "small" / "one"
    before = workshop.bytes_of([folder])
    with (small_disk / "filler").open("wb", buffering=0) as filler:
        _fill(filler)
    outcome = workshop.one(path, reports=reports)

    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert outcome.message.startswith("There is no space left to write the report.")
    assert outcome.page is None
    assert workshop.bytes_of([folder]) == before
    assert verify([folder]) == []


def _fill(stream) -> None:
    block = b"x" * 4096
    while True:
        try:
            stream.write(block)
        except OSError:
            return


def test_a_file_size_limit_keeps_the_old_report(tmp_path):
    put(tmp_path)
    before = _bytes(tmp_path)
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=_put_limited, args=(tmp_path,))
    child.start()
    child.join()

    assert child.exitcode == 7
    assert _bytes(tmp_path) == before


def _put_limited(folder: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        put(folder)
    except OSError as error:
        os._exit(7 if error.errno == errno.EFBIG else 1)
    os._exit(2)


def test_a_read_only_folder_gives_one_plain_message(workshop, small_disk):
    reports = small_disk / "reports"
    reports.mkdir()
    command = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(command, check=True, capture_output=True)
    outcome = workshop.one(workshop.params("one"), reports=reports)

    assert outcome.status == "failed"
    assert outcome.message.startswith("The reports folder cannot be written to.")
    assert "--reports" in outcome.message


def test_a_state_folder_that_cannot_be_used_is_not_called_the_reports_folder(workshop):
    (workshop.path / ".trustlib").write_text("not a folder")
    outcome = workshop.one(workshop.params("one"))

    assert outcome.status == "failed"
    assert outcome.message.startswith("The run's own files could not be written")
    assert "where: .trustlib/runs" in outcome.message
    assert "--reports" not in outcome.message
    assert outcome.page.is_file()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO, errno.ENOSPC])
def test_plain_messages_have_no_traceback_and_say_what_is_kept(number, tmp_path):
    message = publish.plain_message(OSError(number, "x"), tmp_path).message()

    assert "the last good report is unchanged" in message
    assert "Errno" not in message


def test_write_atomic_replaces_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    publish.write_atomic(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        with pytest.raises(OSError, match="full"):
            publish.write_atomic(path, "new")

    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]
    publish.write_atomic(path, b"new")
    assert path.read_bytes() == b"new"


def _full(handle: int) -> None:
    raise OSError(errno.ENOSPC, "full")


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != ".lock"
    }
