"""From a params file to a published report."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from trustlib import report
from trustlib.report import history, page, publish, verify


def test_a_complete_run_leaves_the_four_files(workshop):
    outcome = workshop.one(workshop.params("one", "n: 5\ntitle: Five things\n"))

    assert (outcome.status, outcome.exit_code) == ("complete", 0), outcome.message
    assert outcome.headline == "There are 10."
    assert [check["name"] for check in outcome.checks] == ["plausible"]
    folder = workshop.folder("one")
    assert outcome.page.resolve() == (folder / "report.html").resolve()
    results = json.loads((folder / "results.json").read_text())
    assert list(results) == [
        *("schema", "notebook", "slug", "run_id", "status", "headline", "verdict"),
        *("estimates", "checks", "series"),
    ]
    assert results["status"] == "complete"
    assert results["slug"] == "one"
    assert results["estimates"]["total"]["point"] == 10.0
    assert results["series"]["rows"] == [{"x": 1, "y": 0.30000000000000004}]
    assert "There are 10." in (folder / "report.html").read_text() or outcome.headline
    assert "Five things" in (folder / "report.html").read_text()
    assert report.verify([folder]) == []
    json.dumps(outcome.to_json())


def test_the_manifest_says_what_the_run_was_made_of(workshop):
    workshop.one(workshop.params("one", "n: 5\n"), overrides=["n=7"])
    manifest = json.loads((workshop.folder("one") / "manifest.json").read_text())

    assert manifest["params"]["n"] == 7
    assert manifest["command"] == "trustlib run params/small/one.yaml --set n=7"
    assert manifest["snapshots"] == [{"source": "made", "rows": 7}]
    assert manifest["python"].startswith("CPython 3.")
    assert {"pandas", "papermill"} <= set(manifest["packages"])
    assert {"prepare", "notebook", "render"} <= set(manifest["stages_seconds"])
    assert set(manifest["outputs"]) == {"report.html", "results.json", "executed.ipynb"}
    assert set(manifest["code"]) == {"commit", "dirty"}
    assert len(manifest["notebook_sha256"]) == 64


def test_no_file_holds_a_path_of_this_machine(workshop):
    node = workshop.small()
    node.cells[7]["source"] = (
        "import os, warnings\n"
        "warnings.warn('mind the gap')\n"
        "print(os.path.join(os.getcwd(), 'a.csv'), os.__file__, warnings.__file__)\n"
        "display({'text/html': os.getcwd() + '/b.csv'}, raw=True)"
    )
    workshop.notebook(node)
    outcome = workshop.one(workshop.params("one"))

    assert outcome.status == "complete", outcome.message
    folder = workshop.folder("one")
    for name in ("report.html", "results.json", "manifest.json", "executed.ipynb"):
        text = (folder / name).read_text()
        for private in (str(workshop.path), "ipykernel_", sys.prefix, str(Path.home())):
            assert private not in text, (name, private)
    executed = (folder / "executed.ipynb").read_text()
    assert "cell:2: UserWarning: mind the gap" in executed
    assert '"a.csv ' in executed


def test_the_executed_notebook_holds_no_times_and_no_random_ids(workshop):
    workshop.one(workshop.params("one"))
    node = nbformat.read(workshop.folder("one") / "executed.ipynb", as_version=4)

    assert set(node.metadata) == {"kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"tags"} for cell in node.cells)
    assert [
        cell.id for cell in node.cells if "injected-parameters" in cell.metadata.get("tags", [])
    ]
    counts = [cell.execution_count for cell in node.cells if cell.cell_type == "code"]
    assert counts == [1, 2, 3, 4, 5, 6]


def test_a_bad_file_does_not_stop_the_others_and_writes_nothing(workshop):
    good, bad = workshop.params("good"), workshop.params("bad", "m: 3\n")
    missing = workshop.path / "params" / "small" / "missing.yaml"
    outcomes = workshop.run(bad, good, missing)

    assert [outcome.status for outcome in outcomes] == ["refused", "complete", "refused"]
    assert [outcome.exit_code for outcome in outcomes] == [2, 0, 2]
    assert "bad.yaml" in outcomes[0].message
    assert outcomes[0].run_id is None
    assert outcomes[0].page is None
    assert not workshop.folder("bad").exists()


def test_only_bad_files_leave_no_trace(workshop):
    workshop.one(workshop.params("bad", "m: 3\n"))

    assert not (workshop.path / "reports").exists()
    assert not (workshop.path / ".trustlib").exists()


def test_an_unknown_notebook_is_refused_with_the_nearest_name(workshop):
    outcome = workshop.one(workshop.params("one"), notebook="smal")

    assert outcome.status == "refused"
    assert "small" in outcome.message


def test_two_files_for_one_report_are_refused(workshop):
    first = workshop.params("one")
    second = workshop.path / "elsewhere" / "small" / "one.yaml"
    second.parent.mkdir(parents=True)
    second.write_text("n: 4\n")
    outcomes = workshop.run(first, second)

    assert [outcome.status for outcome in outcomes] == ["complete", "refused"]


def test_identical_runs_are_one_revision_and_different_ones_are_told(workshop, monkeypatch):
    told = []

    def recording(notebook, *, context):
        told.append(context)
        return f"<p>{context['results']['headline']}</p>"

    monkeypatch.setattr(page, "render", recording)
    for n in (3, 3, 4, 4, 3):
        assert workshop.here(workshop.params("one", f"n: {n}\n")).status == "complete"

    assert [context["revision"] for context in told] == [1, 1, 2, 2, 3]
    headlines = [[past["headline"] for past in context["revisions"]] for context in told]
    assert headlines == [[], [], ["There are 6."], ["There are 6."], ["There are 8."]]
    assert told[2]["revisions"] == told[3]["revisions"]
    assert len(list((workshop.folder("one") / "runs").iterdir())) == 5
    assert report.verify([workshop.folder("one")]) == []


def test_a_page_that_cannot_be_rendered_is_a_failed_run(workshop, monkeypatch):
    workshop.here(workshop.params("one"))
    before = workshop.bytes_of([workshop.folder("one")])

    def broken(notebook, *, context):
        raise ValueError(f"the value is {4000 + 711}")

    monkeypatch.setattr(page, "render", broken)
    outcome = workshop.here(workshop.params("one"))

    assert outcome.status == "failed"
    assert "ValueError" in outcome.message
    assert workshop.bytes_of([workshop.folder("one")]) == before
    assert all("4711" not in file.read_text() for file in outcome.page.parent.iterdir())


def test_a_failure_page_that_cannot_be_rendered_still_says_what_happened(workshop, monkeypatch):
    def broken(context):
        raise ValueError

    monkeypatch.setattr(page, "failure", broken)
    outcome = workshop.here(workshop.params("one", 'fault: "1 / 0"\nat: 2\n'))

    assert "ZeroDivisionError" in outcome.page.read_text()


def test_source_paths_become_relative(workshop):
    absolute = workshop.path / "data" / "counts.csv"
    outcome = workshop.one(workshop.params("one", f"source: {absolute}\n"))

    assert outcome.status == "complete", outcome.message
    manifest = json.loads((workshop.folder("one") / "manifest.json").read_text())
    assert manifest["params"]["source"] == "data/counts.csv"


@pytest.mark.parametrize("kernel", ["plain", "warm"])
def test_plain_and_warm_kernels_give_the_same_files(workshop, monkeypatch, kernel):
    monkeypatch.setenv("TRUSTLIB_KERNEL", kernel)
    show = "import sys, os; print(os.environ['TZ'], sys.flags.hash_randomization, hash('a'))"
    outcome = workshop.one(workshop.params("one", f'fault: "{show}"\nat: 3\n'))
    node = nbformat.read(workshop.folder("one") / "executed.ipynb", as_version=4)

    assert outcome.status == "complete", outcome.message
    printed = node.cells[8].outputs[0].text
    assert printed.startswith("UTC 0 "), printed
    # hash('a') of PYTHONHASHSEED=0 in this build: equal in both kinds of kernel.
    alone = subprocess.run(
        [sys.executable, "-c", "print(hash('a'))"],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.split()[2] == alone.stdout.strip()


def test_results_of_another_notebook_are_not_published(workshop):
    workshop.notebook(workshop.small(last=workshop.results.format(notebook="other")))
    outcome = workshop.one(workshop.params("one"))

    assert outcome.status == "failed"
    assert "another notebook" in outcome.message
    assert not (workshop.folder("one") / "current").exists()


def test_the_room_is_light_until_it_is_used():
    heavy = ("papermill", "nbformat", "nbconvert", "pandas", "matplotlib", "pydantic", "rich")
    code = (
        "import sys, trustlib.report as report; report.run, report.verify\n"
        f"sys.exit(', '.join(name for name in {heavy!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr.strip() == ""


def _pointer_to_a_folder(folder):
    (folder / "current").unlink()
    (folder / "current").mkdir()
    (folder / "current" / "note").write_text("mine")


def _pointer_gone(folder):
    (folder / "current").unlink()


def _pointer_garbage(folder):
    (folder / "current").unlink()
    (folder / "current").write_bytes(b"\0\xff")


def _pointer_in_a_circle(folder):
    (folder / "current").unlink()
    (folder / "current").symlink_to("current")


def _manifest_cut(folder):
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:100])


def _earlier_run_gone(folder):
    shutil.rmtree(folder / "runs" / _in_order(folder)[0])


def _in_order(folder):
    """The runs, oldest first: two of one second are not in the order of their names."""
    told = json.loads((folder / "manifest.json").read_bytes())
    return [*(run["run_id"] for run in told["earlier_runs"]), told["run_id"]]


@pytest.mark.parametrize(
    "break_it",
    [
        _pointer_to_a_folder,
        _pointer_gone,
        _pointer_garbage,
        _pointer_in_a_circle,
        _manifest_cut,
        _earlier_run_gone,
    ],
)
def test_a_run_after_damage_works_says_so_and_keeps_what_is_sound(copied, break_it):
    folder = copied.folder("one")
    path = copied.params("one", "n: 5\n")
    break_it(folder)
    runs = {entry.name for entry in (folder / "runs").iterdir()}
    sound = {name for name in runs if publish.read_manifest(folder, name)}

    outcome = copied.one(path)

    assert outcome.status == "complete"
    assert "trustlib verify" in outcome.message
    told = json.loads((folder / "manifest.json").read_bytes())
    assert told["run_id"] == outcome.run_id
    assert sound <= {run["run_id"] for run in told["earlier_runs"]}
    copied.one(path)
    assert runs <= {entry.name for entry in (folder / "runs").iterdir()}


def test_a_run_after_sound_ones_has_nothing_to_say(copied):
    assert copied.one(copied.params("one", "n: 5\n")).message is None


def test_the_pointer_moved_back_does_not_cost_the_newer_runs(copied):
    folder = copied.folder("one")
    path = copied.params("one", "n: 5\n")
    copied.one(path)
    first, *newer = _in_order(folder)
    (folder / "current").unlink()
    (folder / "current").symlink_to(f"runs/{first}")

    assert copied.one(path).status == "complete"

    assert {first, *newer} < {entry.name for entry in (folder / "runs").iterdir()}
    assert any(newer[0] in finding for finding in verify([folder]))


def test_an_earlier_result_that_was_changed_is_not_told_as_a_finding(copied):
    folder = copied.folder("one")
    earlier = folder / "runs" / _in_order(folder)[0] / "results.json"

    def told():
        return [run["headline"] for run in history.revisions(folder, past, "another")[1]]

    past = history.earlier_runs(folder)
    assert told() == ["There are 6.", "There are 8."]
    earlier.write_text(earlier.read_text().replace("There are 6.", "There are 666."))
    assert told() == ["There are 8."]


def test_a_report_that_nobody_named_goes_by_its_slug(workshop):
    node = workshop.small()
    node.cells[1]["source"] = node.cells[1]["source"].replace('title = "Small"', "")
    workshop.notebook(node)
    outcome = workshop.one(workshop.params("spam-wave"))
    page = outcome.page.read_text(encoding="utf-8")
    index = (workshop.path / "reports/index.html").read_text(encoding="utf-8")
    assert "Untitled" not in page.partition("</header>")[0]
    assert "Untitled" not in index
    assert re.search(r"<h1[^>]*>spam-wave</h1>", page)
