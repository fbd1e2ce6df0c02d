"""The notebook: thin, answer first, the same under every runner, right on real counts."""

import ast
import copy
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from trustlib.core.results import MIME, validate

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "incident_sizing.ipynb"
EXAMPLE = ROOT / "params" / "incident_sizing" / "example.yaml"
BLIZZARD = ROOT / "tests" / "incidents" / "params" / "incident_sizing" / "nyc-blizzard.yaml"
TAXI = ROOT / ".." / "shared" / "realdata" / "nyc_taxi.csv"

needs_taxi = pytest.mark.skipif(
    not TAXI.exists(), reason="../shared/realdata/nyc_taxi.csv is not part of the project"
)


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project of its own, with the small demo world: not the one somebody works in."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    shutil.copytree(ROOT / "params", root / "params")
    subprocess.run(
        [sys.executable, "-m", "trustlib", "demo"], cwd=root, check=True, capture_output=True
    )
    return root


def code(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def with_params(notebook, path: Path):
    """The notebook with a cell of injected parameters, as papermill makes it."""
    from ruamel.yaml import YAML

    values = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    made = copy.deepcopy(notebook)
    at = next(i for i, c in enumerate(made.cells) if "parameters" in c.metadata.get("tags", []))
    text = "# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in values.items())
    cell = nbformat.v4.new_code_cell(text, id="injected", metadata={"tags": ["injected"]})
    made.cells.insert(at + 1, cell)
    return made


def executed(notebook, cwd: Path):
    resources = {"metadata": {"path": str(cwd)}}
    return NotebookClient(
        notebook, kernel_name="python3", timeout=300, resources=resources
    ).execute()


def results(notebook) -> dict:
    """The results in the last code cell's last output."""
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    document = last.outputs[-1].data[MIME]
    validate(document)
    return document


def html_of(notebook) -> str:
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    return "\n".join(o.data["text/html"] for o in outputs if "text/html" in o.get("data", {}))


def test_it_is_thin(notebook) -> None:
    lines = [line for cell in code(notebook) for line in cell.splitlines() if line.strip()]
    assert 60 <= len(lines) <= 120
    tree = ast.parse("\n".join(code(notebook)))
    banned = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda, ast.ListComp)
    assert not [node for node in ast.walk(tree) if isinstance(node, banned)]
    markdown = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    assert abs(len(markdown) - len(code(notebook))) <= 2


def test_its_order_is_that_of_a_report(notebook) -> None:
    headings = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("#")
    ]
    assert headings == [
        "# How big was the incident, and how sure are we?",
        "## Parameters",
        "## Set-up",
        "## Data",
        "## Estimate",
        "## Answer",
        "## What happened",
        "## How it added up",
        "## Was it an incident at all",
        "## Where",
        "## Can we believe it",
        "## Assumptions and limits",
        "## What to do next",
        "## Appendix: other choices",
        "## Appendix: the data",
        "## Appendix: estimates and definitions",
        "## Provenance",
    ]
    shown = [
        c.metadata.id if "id" in c.metadata else c.id for c in notebook.cells if c.get("outputs")
    ]
    assert shown[0] == "answer"


def test_its_parameters_are_plain_literals_and_the_documented_example(notebook) -> None:
    from ruamel.yaml import YAML

    from trustlib.params import IncidentSizingParams

    cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    written = {n.targets[0].id: ast.literal_eval(n.value) for n in ast.parse(cell.source).body}
    assert set(written) == set(IncidentSizingParams.model_fields)
    example = YAML(typ="safe").load(EXAMPLE.read_text(encoding="utf-8"))
    assert {name: written[name] for name in example} == example
    defaults = {
        name: field.default
        for name, field in IncidentSizingParams.model_fields.items()
        if name not in example
    }
    assert {name: written[name] or None for name in defaults} == {
        name: default or None for name, default in defaults.items()
    }


def test_the_committed_outputs_are_text_of_a_whole_run_in_order(notebook) -> None:
    assert NOTEBOOK.stat().st_size < 200_000
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type in ("display_data", "execute_result")
            assert set(output.data) == {"text/plain"}
    assert str(ROOT) not in NOTEBOOK.read_text(encoding="utf-8")
    assert notebook.metadata.kernelspec.name == "python3"
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_nbval_compares_the_text_whatever_the_surroundings(project) -> None:
    env = os.environ | {"PYTHONHASHSEED": "3", "TZ": "Asia/Tokyo", "LC_ALL": "de_DE.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval",
         "--nbval-current-env", "--nbval-cell-timeout=240", "notebooks/incident_sizing.ipynb"],
        cwd=project, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"1[0-9] passed", done.stdout)


def test_stock_papermill_runs_it_and_carries_the_results(project) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", "notebooks/incident_sizing.ipynb",
         "out.ipynb", "-f", "params/incident_sizing/example.yaml"],
        cwd=project, capture_output=True, check=True,
    )  # fmt: skip
    document = results(nbformat.read(project / "out.ipynb", as_version=4))
    assert document["notebook"] == "incident_sizing"
    assert {"actual", "expected", "excess", "relative_excess", "cost_usd"} <= set(
        document["estimates"]
    )
    assert {"counterfactual", "sensitivity", "placebos", "segments"} <= set(document["series"])
    assert document["page"]["period"].startswith("17")


def test_a_wrong_value_stops_before_anything_is_read(project, notebook) -> None:
    from nbclient.exceptions import CellExecutionError

    made = copy.deepcopy(notebook)
    for cell in made.cells:
        cell.pop("execution_count", None)
    cell = next(c for c in made.cells if "parameters" in c.metadata.get("tags", []))
    cell.source = cell.source.replace('direction = "increase"', 'direction = "upwards"')
    with pytest.raises(CellExecutionError, match="direction") as error:
        executed(made, project)
    assert error.value.ename == "Refusal"
    assert [c.id for c in made.cells if c.get("execution_count")][-1] == "set-up"


@needs_taxi
def test_the_blizzard_of_2015(notebook) -> None:
    done = executed(with_params(notebook, BLIZZARD), ROOT)
    document = results(done)
    estimates = document["estimates"]
    assert estimates["actual"]["point"] == 391_777
    assert estimates["excess"]["high"] < -500_000
    assert estimates["excess"]["low"] > -1_000_000
    assert estimates["placebo_p_value"]["point"] < 0.01
    assert document["verdict"] == "incident confirmed"
    clock = next(c for c in document["checks"] if c["name"] == "clock_change")
    assert clock["verdict"] in ("warn", "pass")
    assert "2 " in clock["text"]
    html = html_of(done)
    assert html.count("<svg") == 4  # no segments: a box says why
    assert "No segment_column was given" in html
    assert re.search(r'<p class="figure">−\d{3},000\u00a0trips</p>', html)
    shortfall = f"{abs(round(estimates['excess']['point'], -3)):,.0f}"
    assert shortfall in document["headline"]


@needs_taxi
def test_stock_papermill_gives_the_same_results(tmp_path, notebook) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", "notebooks/incident_sizing.ipynb",
         str(tmp_path / "out.ipynb"), "-f", str(BLIZZARD)],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    stock = results(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert stock == results(executed(with_params(notebook, BLIZZARD), ROOT))


def test_hostile_text_in_the_data_stays_text(tmp_path, notebook) -> None:
    """Names from the data reach figures, tables, sentences and files as characters only."""
    import numpy as np
    import pandas as pd

    names = ["<script>alert(1)</script>", "_$_$ $x^2$", "javascript:alert(2)", "x" * 10_000,
             '"><img src=x onerror=alert(3)>', "[a](javascript:alert(4)) **b**"]  # fmt: skip
    at = pd.date_range("2026-01-05", periods=24 * 7 * 8, freq="h")
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"at": np.repeat(at, len(names)), "who": names * len(at)})
    mean = 30 + 10 * np.sin(rows["at"].dt.hour / 24 * 2 * np.pi)
    inside = (rows["at"] >= "2026-02-24 06:00") & (rows["at"] < "2026-02-25 06:00")
    rows["n"] = rng.poisson(np.where(inside, 2 * mean, mean))
    rows.to_csv(tmp_path / "hostile.csv", index=False)
    params = tmp_path / "params.yaml"
    params.write_text(
        'title: "<b>x</b>"\nsource: hostile.csv\ntime_column: at\ncount_column: n\n'
        "segment_column: who\nunit_label: '<img src=y onerror=alert(5)> _$_$'\n"
        "incident_start: '2026-02-24T06:00:00+00:00'\nincident_end: '2026-02-25T06:00:00+00:00'\n",
        encoding="utf-8",
    )
    done = executed(with_params(notebook, params), tmp_path)
    html = html_of(done)
    assert results(done)["verdict"] == "incident confirmed"
    assert html.count("<svg") == 5
    assert not re.search(r"<(script|img|b|iframe)\b", html, re.IGNORECASE)
    assert not re.search(r'(href|src)="(?!data:text/csv)', html)
    assert "x" * 200 not in html
