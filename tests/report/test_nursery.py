"""Kernels forked from the warm parent: isolated, mortal, and replaceable by plain ones."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from trustlib.report import kernel, plan, provisioning, scratch, warm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the nursery needs Linux")


@pytest.fixture
def job(workshop):
    path = workshop.params("one")
    return plan.job(path.relative_to(workshop.path))


@pytest.fixture
def fork(job, tmp_path):
    """Ask a nursery for kernels; each call gives one more."""
    with warm.nursery([job]) as address:
        sockets = scratch.socket_folder()
        made = []

        def one():
            from jupyter_client.connect import write_connection_file

            number = len(made)
            file, _ = write_connection_file(
                str(tmp_path / f"kernel-{number}.json"),
                transport="ipc",
                ip=str(sockets / f"k{number}"),
            )
            request = {
                "connection_file": file,
                "env": kernel.environment(home=tmp_path),
                "cwd": str(tmp_path),
            }
            made.append(provisioning.ForkedKernel(address, request))
            return made[-1]

        yield one
    shutil.rmtree(sockets)
    for each in made:
        assert each.wait(5) is not None, "a kernel outlived its nursery"


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_a_kernel_is_the_nurserys_child_in_a_session_of_its_own(fork):
    first, second = fork(), fork()

    assert parent_of(first.pid) == parent_of(second.pid) != os.getpid()
    assert os.getsid(first.pid) == first.pid
    assert first.poll() is None


def test_the_end_of_a_kernel_is_told_with_its_status(fork):
    one, other = fork(), fork()
    one.kill()

    assert one.wait(5) == -signal.SIGKILL
    assert other.poll() is None


def test_a_kernel_ends_with_its_nursery(fork):
    one = fork()
    os.kill(parent_of(one.pid), signal.SIGKILL)

    assert one.wait(5) == -signal.SIGKILL
    assert not _alive(one.pid)


def test_a_kernel_ends_when_whoever_asked_hangs_up(fork):
    one = fork()
    one._connection.close()

    assert not _alive(one.pid)
    one.returncode = 0


def _alive(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.01)
    return True


def test_reports_of_one_command_know_nothing_of_each_other(workshop):
    leave = "import builtins, pandas, os; builtins.left = 1; pandas.left = 1; os.environ['L'] = '1'"
    look = (
        "import builtins, pandas, os, threading; "
        "print([hasattr(builtins, 'left'), hasattr(pandas, 'left'), 'L' in os.environ])"
    )
    _imports_pandas(workshop)
    paths = [
        workshop.params(f"p{number}", f"fault: {json.dumps(text)}\nat: 3\n")
        for number, text in enumerate((leave, look, leave, look))
    ]
    outcomes = workshop.run(*paths)

    assert [outcome.status for outcome in outcomes] == ["complete"] * 4
    for number in (1, 3):
        node = nbformat.read(workshop.folder(f"p{number}") / "executed.ipynb", as_version=4)
        assert "[False, False, False]" in node.cells[8].outputs[0].text


def _imports_pandas(workshop):
    """Named in a cell, it is imported by the nursery, before the fork."""
    node = workshop.small()
    node.cells[5]["source"] += "\nimport numpy, pandas"
    workshop.notebook(node)


def test_random_numbers_differ_between_forked_kernels(workshop):
    """As between plain ones: no state that all children share."""
    _imports_pandas(workshop)
    show = "import numpy, random; print(numpy.random.random(), random.random())"
    paths = [
        workshop.params(f"p{number}", f"fault: {json.dumps(show)}\nat: 3\n") for number in (1, 2)
    ]
    workshop.run(*paths)
    texts = [
        nbformat.read(workshop.folder(f"p{number}") / "executed.ipynb", as_version=4)
        .cells[8]
        .outputs[0]
        .text
        for number in (1, 2)
    ]

    assert len({text.split()[0] for text in texts}) == 2
    assert len({text.split()[1] for text in texts}) == 2


def test_without_a_nursery_a_plain_kernel_runs_the_report(workshop, monkeypatch):
    gone = workshop.path / "nobody"
    path = workshop.params("one", 'fault: "import os; print(os.getppid())"\nat: 3\n')
    from dataclasses import replace

    from trustlib.report import work

    job = plan.job(path.relative_to(workshop.path))
    lost = replace(job, nursery=str(gone), project={"code": {}})
    outcome = work.run_report(lost, lambda event: None)
    node = nbformat.read(workshop.folder("one") / "executed.ipynb", as_version=4)

    assert outcome.status == "complete", outcome.message
    assert node.cells[8].outputs[0].text.split()[0] == str(os.getpid())


def test_what_is_imported_ahead_is_what_the_cells_name(workshop, job):
    node = workshop.small()
    node.cells[3]["source"] = "import pandas as pd\nfrom trustlib import data\nimport my_own"
    node.cells[5]["source"] = "%matplotlib inline"
    path = workshop.notebook(node, "other")

    assert warm.imports(path) == ["pandas", "trustlib", "trustlib.data", "my_own"]
    assert warm.modules([job]) == ("trustlib.core",)
    assert warm.modules([job, job]) == ("trustlib.core",)
    from dataclasses import replace

    heavy = replace(job, path=path)
    assert warm.modules([heavy]) == ("pandas", "trustlib", "trustlib.data")
    assert set(warm.PRELOAD) < set(warm.modules([heavy, heavy]))
    assert "my_own" not in warm.modules([heavy, heavy])


def test_nothing_that_is_imported_ahead_starts_a_thread():
    """The promise on which a fork rests."""
    import subprocess

    code = (
        "import importlib, sys, threading\n"
        f"for name in {[*warm.PRELOAD]!r}: importlib.import_module(name)\n"
        "sys.exit(threading.active_count() - 1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.returncode == 0, done.stderr


def test_dead_runs_are_swept_and_living_ones_are_not(tmp_path):
    with scratch.scratch("alive", state=tmp_path) as place:
        dead = tmp_path / "runs" / "dead"
        dead.mkdir()
        (dead / "alive").touch()
        sockets = scratch.socket_folder()
        (dead / "sockets").write_text(str(sockets))

        assert scratch.sweep(state=tmp_path) == ["dead"]
        assert not dead.exists()
        assert not sockets.exists()
        assert place.folder.is_dir()
        assert place.sockets.is_dir()
    assert not place.folder.exists()
    assert not place.sockets.exists()


def test_a_sweep_removes_only_socket_folders_that_a_run_made(tmp_path):
    innocent = tmp_path / "innocent"
    innocent.mkdir()
    dead = tmp_path / "runs" / "dead"
    dead.mkdir(parents=True)
    (dead / "sockets").write_text(str(innocent))
    scratch.sweep(state=tmp_path)

    assert not dead.exists()
    assert innocent.is_dir()


def test_a_figure_of_a_report_run_beside_others_is_on_the_page(workshop):
    """What is imported ahead for several reports must not keep the shell from showing it."""
    node = workshop.small()
    node.cells[5]["source"] = "import pandas as pd\nimport seaborn\ntotal = 2 * n"
    node.cells[7]["source"] = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
    workshop.notebook(node)
    paths = [workshop.params("one"), workshop.params("two")]
    made = workshop.run(*paths, jobs=2)
    assert [outcome.status for outcome in made] == ["complete", "complete"]
    for name in ("one", "two"):
        page = (workshop.folder(name) / "report.html").read_text(encoding="utf-8")
        assert "data:image/png;base64," in page


@pytest.mark.parametrize("swallowed", [True, False])
def test_a_nursery_told_to_end_while_it_imports_ends_and_leaves_nothing(tmp_path, swallowed):
    (tmp_path / "greedy.py").write_text(
        "import os, signal, time\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\n    time.sleep(1)\n"
        f"except {'BaseException' if swallowed else 'ImportError'}:\n    pass\n"
    )
    folder = scratch.socket_folder()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / "nursery"))
        listener.listen()
        words = [str(listener.fileno()), "wait", "greedy"]
        process = subprocess.Popen(
            [sys.executable, "-m", "trustlib.report.nursery", *words],
            pass_fds=(listener.fileno(),),
            env=os.environ | {"TRUSTLIB_PARENT": str(os.getpid()), "PYTHONPATH": str(tmp_path)},
        )
    try:
        assert process.wait(20) == 0
        assert not folder.exists()
    finally:
        process.kill()
        shutil.rmtree(folder, ignore_errors=True)
