"""What a person sees while reports are made."""

from __future__ import annotations

import io
import os
import subprocess
import sys

from trustlib.report import progress
from trustlib.report.outcome import RunOutcome
from trustlib.report.stages import Event

DONE = RunOutcome(notebook="small", slug="one", status="no_data")


def test_lines_name_report_stage_cell_and_heading():
    stream = io.StringIO()
    lines = progress.Lines(stream)
    event = Event(job="small/one", stage="notebook", cell=3, cells=12, heading="Headline")
    lines.tell(event)
    lines.tell(event)
    lines.tell(Event(job="small/one", stage="waiting"))
    lines.done("small/one", DONE)
    said = stream.getvalue().splitlines()

    assert len(said) == 3
    assert said[0].endswith("notebook 3/12 Headline")
    assert "another run of this report" in said[1]
    assert said[2].endswith("no data")


def test_a_function_is_given_each_event(workshop):
    seen = []
    workshop.one(workshop.params("one"), progress=seen.append)

    assert [event.stage for event in seen] == ["start", *["notebook"] * 6, "render", "publish"]
    assert [event.cell for event in seen[1:7]] == [1, 2, 3, 4, 5, 6]
    assert {event.cells for event in seen[1:7]} == {6}
    assert seen[5].heading == "Evidence"


def test_quiet_says_nothing_and_lines_go_to_stderr(workshop, capfd):
    path = workshop.params("one")
    workshop.one(path, progress="auto", quiet=True)
    assert capfd.readouterr() == ("", "")
    workshop.one(path, progress="auto")
    out, err = capfd.readouterr()

    assert out == ""
    assert "render" in err


def test_on_a_terminal_the_display_is_live(workshop):
    """Through a pseudo-terminal, as a person would have it."""
    import pty

    workshop.params("one")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "trustlib", "run", "params/small/one.yaml"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:
            break
        if not block:
            break
        shown += block
    out, _ = process.communicate(timeout=30)
    os.close(ours)

    assert process.returncode == 0
    assert b"There are 6." in out
    assert b"There are 6." not in shown
    assert b"\x1b[" in shown
    assert b"small/one" in shown
    assert b"complete" in shown
    assert b"Traceback" not in shown


def test_a_bar_fills_with_the_cells():
    def at(cell: int) -> int:
        return progress._bar(Event(job="a", stage="notebook", cell=cell, cells=12)).count("━")

    assert [at(1), at(7), at(12)] == [0, 6, 11]
    assert progress._bar(None).strip() == ""
