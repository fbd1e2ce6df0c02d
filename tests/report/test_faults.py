"""Whatever happens to a kernel, nothing broken is published and the last good report stays."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

CELLS = (1, 2, 3, 4)
FAULTS = {
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "kernel died"),
    "left": ("import os; os._exit(0)", "kernel died"),
    "exit": ("import sys; sys.exit(0)", "SystemExit"),
    "raised": ("{}['a person']", "KeyError"),
    "interrupted": (
        "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(20)",
        "interrupted",
    ),
    "memory": (
        "import resource as r; r.setrlimit(r.RLIMIT_AS, (1 << 31, 1 << 31)); bytearray(1 << 33)",
        "memory",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_at_any_cell_is_never_published_and_says_where(workshop, name):
    fault, words = FAULTS[name]
    paths = {at: workshop.params(f"{name}-{at}") for at in CELLS}
    folders = {at: workshop.folder(f"{name}-{at}") for at in CELLS}
    good = workshop.run(*paths.values(), jobs=2)
    assert [outcome.status for outcome in good] == ["complete"] * 4
    before = workshop.bytes_of(list(folders.values()))
    for at, path in paths.items():
        path.write_text(f"fault: {json.dumps(fault)}\nat: {at}\n")
    bad = dict(zip(CELLS, workshop.run(*paths.values(), jobs=2), strict=True))

    assert before
    assert workshop.bytes_of(list(folders.values())) == before
    for at, outcome in bad.items():
        assert (outcome.status, outcome.exit_code) == ("failed", 1)
        _says_where(outcome, at, words)
        if name == "raised":
            # The message of a foreign exception stays in the kernel.
            results = (outcome.page.parent / "results.json").read_text()
            assert "a person" not in outcome.message + results
            assert "KeyError: 'a person'" not in outcome.page.read_text()


def _says_where(outcome, at, words):
    page = outcome.page.read_text()
    told = json.loads((outcome.page.parent / "results.json").read_text())

    assert outcome.page.name == "failure.html"
    assert words in outcome.message
    # The first cell of the notebook holds the parameters, the second the injected ones.
    assert f"cell {at + 2}" in outcome.message
    assert ("Set-up", "Data", "Evidence", "Results")[at - 1] in outcome.message
    assert "trustlib run params/small/" in page
    assert outcome.page.parent.name == outcome.run_id
    assert told["status"] == "failed"
    assert told["estimates"] == {}


def test_debug_tells_the_message_to_the_terminal_only(workshop):
    fault = "value = 'a' + 'b'; raise KeyError(value)"
    path = workshop.params("one", f"fault: {json.dumps(fault)}\nat: 2\n")
    outcome = workshop.one(path, debug=True)

    assert "KeyError: 'ab'" in outcome.message
    for file in outcome.page.parent.iterdir():
        assert "'ab'" not in file.read_text()


def test_a_killed_worker_still_leaves_a_failure_page_and_no_kernel(workshop):
    """As the system does it where memory is short."""
    import multiprocessing

    pid_file = workshop.path / "pid"
    fault = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid()))"
    path = workshop.params("one")
    assert workshop.one(path).status == "complete"
    before = workshop.bytes_of([workshop.folder("one")])
    path.write_text(f"fault: {json.dumps(fault + '; time.sleep(600)')}\nat: 3\n")

    def kill(event):
        if event.cell == 5:
            while not (pid_file.exists() and pid_file.read_text()):
                time.sleep(0.01)
            (worker,) = multiprocessing.active_children()
            worker.kill()

    outcome = workshop.one(path, progress=kill)

    assert outcome.status == "failed"
    assert "SIGKILL" in outcome.message
    assert "SIGKILL" in outcome.page.read_text()
    assert workshop.bytes_of([workshop.folder("one")]) == before
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid_file.read_text()}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid_file.read_text()}").exists()
    # What the dead one left is swept by the next run.
    path.write_text("n: 3\n")
    assert workshop.one(path).status == "complete"
    assert not list((workshop.path / ".trustlib" / "runs").glob("2*"))


def test_the_time_for_all_cells_together_is_bounded(workshop):
    slow = json.dumps("import time; time.sleep(60)")
    path = workshop.params("one")
    assert workshop.one(path).status == "complete"
    before = workshop.bytes_of([workshop.folder("one")])
    path.write_text(f"fault: {slow}\nat: 3\n")
    outcome = workshop.one(path, timeout=2)

    assert outcome.status == "failed"
    assert "The time was over" in outcome.message
    assert "cell 5, Evidence" in outcome.message
    assert outcome.seconds < 30
    assert workshop.bytes_of([workshop.folder("one")]) == before


@pytest.mark.parametrize(
    ("kind", "status", "exit_code"), [("Refusal", "refused", 2), ("NoData", "no_data", 3)]
)
def test_a_refusal_in_the_notebook_is_carried_faithfully(workshop, kind, status, exit_code):
    fault = (
        f"from trustlib.core import {kind}; "
        f"raise {kind}('column x is missing', where='a.csv', nearest='y', next_step='rename it')"
    )
    path = workshop.params("one", f"fault: {json.dumps(fault)}\nat: 2\n")
    outcome = workshop.one(path)
    told = json.loads((outcome.page.parent / "results.json").read_text())

    assert (outcome.status, outcome.exit_code) == (status, exit_code)
    assert outcome.message.splitlines() == [
        "column x is missing",
        "  where: a.csv",
        "  nearest: y",
        "  next: rename it",
    ]
    assert told["status"] == status
    assert told["error"]["nearest"] == "y"


BROKEN_ENDS = {
    "no results": ("n", "shows no Results"),
    "twice": ("r = {results}\ndisplay(r)\nr", "shown twice"),
    "not valid": (
        "from IPython.display import display\n"
        "display({{'application/vnd.trustlib.results+json': {{'schema': 'x'}}}}, raw=True)",
        "not valid",
    ),
    "an estimate that misses": (
        "b = {results}._repr_mimebundle_()\n"
        "b['application/vnd.trustlib.results+json']['estimates']['total']['low'] = 99.0\n"
        "display(b, raw=True)",
        "not valid",
    ),
}


@pytest.mark.parametrize("name", BROKEN_ENDS)
def test_a_notebook_must_end_in_one_valid_results(workshop, name):
    source, words = BROKEN_ENDS[name]
    results = workshop.results.format(notebook="small")
    workshop.notebook(workshop.small(last=source.format(results=results)))
    outcome = workshop.one(workshop.params("one"))

    assert outcome.status == "failed"
    assert words in outcome.message


def test_a_cell_that_was_to_be_skipped_is_not_a_complete_run(workshop):
    node = workshop.small()
    node.cells[7].metadata["tags"] = ["skip-execution"]
    workshop.notebook(node)
    outcome = workshop.one(workshop.params("one"))

    assert outcome.status == "failed"
    assert "not executed" in outcome.message


def test_an_error_that_a_tag_allows_is_still_an_error(workshop):
    node = workshop.small()
    node.cells[7]["source"] = "1 / 0"
    node.cells[7].metadata["tags"] = ["raises-exception"]
    workshop.notebook(node)
    outcome = workshop.one(workshop.params("one"))

    assert outcome.status == "failed"
    assert "ZeroDivisionError" in outcome.message


def test_results_shown_too_early_are_not_a_complete_run(workshop):
    node = workshop.small()
    node.cells[7]["source"] = workshop.results.format(notebook="small")
    workshop.notebook(node)
    outcome = workshop.one(workshop.params("one"))

    assert outcome.status == "failed"
    assert "before the last cell" in outcome.message


def test_a_file_that_is_no_notebook_fails_plainly(workshop):
    (workshop.path / "notebooks" / "small.ipynb").write_text('{"cells": 3}')
    outcome = workshop.one(workshop.params("one", "title: a\n"))

    assert outcome.status in ("failed", "refused")
    assert "notebook" in outcome.message


def _living(marker: str) -> list[int]:
    """Processes whose environment or command line names `marker`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if marker.encode() in text:
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kernel", ["plain", "warm"])
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_stopped_command_leaves_no_process_and_the_last_good_report(
    workshop, how, kernel, stopped_run
):
    before, after, code, outcome, living = stopped_run(workshop, how, kernel)

    assert after == before
    assert living == []
    if how == "SIGKILL":
        assert code == -9
    else:
        assert code == 1
        assert outcome["status"] == "failed"
        assert "interrupted" in outcome["message"]
        attempts = list((workshop.folder("one") / "attempts").iterdir())
        assert [entry.name for entry in attempts] == [outcome["run_id"]]
        assert "interrupted" in (attempts[0] / "failure.html").read_text()


@pytest.fixture
def stopped_run(monkeypatch):
    """Start the command on a cell that never ends, stop it, look around."""
    import signal
    import subprocess
    import uuid

    def stop(workshop, how, kernel):
        marker = f"trustlib-test-{uuid.uuid4().hex}"
        environment = os.environ | {"TRUSTLIB_KERNEL": kernel, "TRUSTLIB_TEST_MARKER": marker}
        path = workshop.params("one")
        assert workshop.one(path).status == "complete"
        before = workshop.bytes_of([workshop.folder("one")])
        started = workshop.path / "started"
        fault = (
            "import subprocess, pathlib, time; subprocess.Popen(['sleep', '600']); "
            "pathlib.Path('started').touch(); time.sleep(600)"
        )
        path.write_text(f"fault: {json.dumps(fault)}\nat: 3\n")
        process = subprocess.Popen(
            [sys.executable, "-m", "trustlib", "run", "params/small/one.yaml", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        _until(started.exists, 40)
        process.send_signal(getattr(signal, how))
        out, _ = process.communicate(timeout=40)
        _until(lambda: not _living(marker), 10)
        after = workshop.bytes_of([workshop.folder("one")])
        outcome = json.loads(out) if out.strip() else None
        return before, after, process.returncode, outcome, _living(marker)

    def _until(true, seconds):
        deadline = time.monotonic() + seconds
        while not true() and time.monotonic() < deadline:
            time.sleep(0.05)

    return stop
