"""A small workshop: a folder with one notebook whose cells do what a params file says."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import pytest

from trustlib.report import RunOutcome, plan, run, work

v4 = nbformat.v4

PARAMETERS = 'title = "Small"\nn = 3\nfault = "pass"\nat = 0'
RESULTS = """\
Results(
    notebook={notebook!r},
    headline=f"There are {{total}}.",
    verdict="counted",
    estimates={{
        "total": Estimate(point=total, low=total - 1, high=total + 1, level=0.95,
                          unit="things", method="count", n=n)
    }},
    checks=[Check(name="plausible", verdict="pass", label="plausible", text="It is plausible.")],
    series={{"rows": [{{"x": 1, "y": 0.1 + 0.2}}]}},
    snapshots=[{{"source": "made", "rows": n}}],
    page={{"period": "a day"}},
)"""
# The fault is a parameter, so that one command runs many faults.
FAULT = "exec(fault) if at == {number} else None\n"


def small_notebook(*, last: str = RESULTS.format(notebook="small")) -> nbformat.NotebookNode:
    """Five code cells besides the injected one; cell `at` executes the parameter `fault`."""
    cells = [
        v4.new_markdown_cell("# How many?"),
        v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        v4.new_markdown_cell("## Set-up"),
        v4.new_code_cell(
            FAULT.format(number=1) + "from trustlib.core import Check, Estimate, Results"
        ),
        v4.new_markdown_cell("## Data"),
        v4.new_code_cell(FAULT.format(number=2) + "total = 2 * n"),
        v4.new_markdown_cell("## Evidence"),
        v4.new_code_cell(FAULT.format(number=3) + "print('total', total)"),
        v4.new_markdown_cell("## Results"),
        v4.new_code_cell(
            FAULT.format(number=4) + last,
        ),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
    )


@dataclass
class Workshop:
    """A working directory of its own."""

    path: Path

    results = RESULTS
    small = staticmethod(small_notebook)

    def notebook(self, node: nbformat.NotebookNode, name: str = "small") -> Path:
        path = self.path / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(node, path)
        return path

    def params(self, slug: str, text: str = "", *, notebook: str = "small") -> Path:
        path = self.path / "params" / notebook / f"{slug}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or "n: 3\n", encoding="utf-8")
        return path

    def run(self, *paths: Path, **options: object) -> list[RunOutcome]:
        options.setdefault("progress", None)
        return run([path.relative_to(self.path) for path in paths], **options)  # type: ignore[arg-type]

    def one(self, path: Path, **options: object) -> RunOutcome:
        (outcome,) = self.run(path, **options)
        return outcome

    def here(self, path: Path) -> RunOutcome:
        """Run in this very process, so that a test can replace parts of it."""
        job = plan.job(path.relative_to(self.path))
        return work.run_report(replace(job, project={"code": {}}), lambda event: None)

    def folder(self, slug: str, notebook: str = "small") -> Path:
        return self.path / "reports" / notebook / slug

    def bytes_of(self, folders: Sequence[Path]) -> dict[str, bytes]:
        """Every file that readers see, but for failed attempts and locks."""
        return {
            str(file): file.read_bytes()
            for folder in folders
            for file in sorted(folder.rglob("*"))
            if file.is_file() and "attempts" not in file.parts and file.name != ".lock"
        }


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """An empty workshop with the small notebook, as the working directory."""
    monkeypatch.chdir(tmp_path)
    made = Workshop(tmp_path)
    made.notebook(small_notebook())
    return made


@pytest.fixture(scope="session")
def workshop_at():
    """Makes a workshop in a folder that lasts longer than one test; it runs there."""

    class Visiting(Workshop):
        def run(self, *paths: Path, **options: object) -> list[RunOutcome]:
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(self.path)
                return [
                    replace(outcome, page=outcome.page and self.path / outcome.page)
                    for outcome in super().run(*paths, **options)
                ]

    def make(path: Path) -> Workshop:
        made = Visiting(path)
        made.notebook(small_notebook())
        return made

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, workshop_at) -> Path:
    """A workshop in which the small report was published twice, with different findings."""
    made = workshop_at(tmp_path_factory.mktemp("finished"))
    for n in (3, 4):
        assert made.one(made.params("one", f"n: {n}\n")).status == "complete"
    failing = 'fault: "raise KeyError(42)"\nat: 2\n'
    assert made.one(made.params("one", failing)).status == "failed"
    made.params("one", "n: 4\n")
    return made.path


@pytest.fixture
def copied(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A copy of the finished workshop, to damage."""
    place = tmp_path / "copy"
    shutil.copytree(finished, place, symlinks=True)
    monkeypatch.chdir(place)
    return Workshop(place)
