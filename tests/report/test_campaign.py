"""The long fault campaign: the real incident notebook, each fault in each of its cells."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from trustlib.report import plan, verify

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOK = PROJECT / "notebooks" / "incident_sizing.ipynb"
FAULTS = {
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "left": "import os; os._exit(0)",
    "exit": "import sys; sys.exit(0)",
    "raised": "raise KeyError('a person')",
    "interrupted": "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(20)",
    "memory": (
        "import resource as r; r.setrlimit(r.RLIMIT_AS, (1 << 31, 1 << 31)); bytearray(1 << 33)"
    ),
    "slow": "import time; time.sleep(600)",
}
PARAMS = """\
title: Missing reports
owner: Operations
source: counts.csv
time_column: hour
count_column: reports
incident_start: "2026-03-10T06:00:00+00:00"
incident_end: "2026-03-11T12:00:00+00:00"
"""


def counts(path: Path) -> None:
    lines = ["hour,reports"]
    for hour in range(7 * 7 * 24):
        day, at = divmod(hour, 24)
        month, date = (1, 26 + day) if day < 6 else (2, day - 5) if day < 34 else (3, day - 33)
        level = 120 + 10 * min(at, 24 - at) - 15 * (day % 7 > 4) + (hour * 7919 % 23)
        lines.append(f"2026-{month:02d}-{date:02d}T{at:02d}:00:00+00:00,{level}")
    path.write_text("\n".join(lines) + "\n")


def _code_cells() -> list[int]:
    node = nbformat.read(NOTEBOOK, as_version=4)
    return [
        position
        for position, cell in enumerate(node.cells)
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_in_any_cell_of_the_real_notebook_is_published(workshop, name):
    counts(workshop.path / "counts.csv")
    path = workshop.params("dip", PARAMS, notebook="incident_sizing")
    place = workshop.path / "notebooks" / "incident_sizing.ipynb"
    shutil.copy(NOTEBOOK, place)
    first = workshop.one(path)
    assert first.status == "complete", first.message
    folder = workshop.folder("dip", "incident_sizing")
    before = workshop.bytes_of([folder])
    for position in _code_cells():
        node = nbformat.read(NOTEBOOK, as_version=4)
        node.cells[position]["source"] = FAULTS[name] + "\n" + node.cells[position].source
        nbformat.write(node, place)
        outcome = workshop.one(path, timeout=15 if name == "slow" else 300)

        assert outcome.status == "failed", (position, outcome)
        assert workshop.bytes_of([folder]) == before
        page = outcome.page.read_text()
        assert "trustlib run params/incident_sizing/dip.yaml" in page
        assert "a person" not in outcome.message
    assert verify([folder]) == []


@pytest.mark.slow
def test_eight_commands_at_once_on_one_report(workshop):
    workshop.params("one")
    command = [sys.executable, "-m", "trustlib", "run", "params/small/one.yaml", "--json"]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(8)
    ]
    told = [json.loads(process.communicate(timeout=120)[0]) for process in processes]

    assert [one["status"] for one in told] == ["complete"] * 8
    assert len({one["run_id"] for one in told}) == 8
    assert len(list((workshop.folder("one") / "runs").iterdir())) == 8
    assert verify(["reports"]) == []
    assert not list(Path(".trustlib/runs").glob("2*"))


def test_the_campaign_knows_the_cells_of_the_real_notebook():
    assert len(_code_cells()) > 5
    assert plan.find_notebook("incident_sizing", notebooks_dir=NOTEBOOK.parent) == NOTEBOOK
