"""Every notebook: thin, its example in its parameters, its committed text that of a whole run."""

import ast
import os
import re
import subprocess
import sys

import nbformat
import pytest
from ruamel.yaml import YAML

from tests.notebooks.executing import NOTEBOOKS, ROOT, code
from trustlib.params import schema

NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture(params=NAMES)
def name(request) -> str:
    return request.param


@pytest.fixture
def notebook(name):
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def test_it_is_thin(notebook) -> None:
    lines = [line for cell in code(notebook) for line in cell.splitlines() if line.strip()]
    assert 60 <= len(lines) <= 130
    tree = ast.parse("\n".join(code(notebook)))
    banned = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda, ast.ListComp)
    assert not [node for node in ast.walk(tree) if isinstance(node, banned)]
    markdown = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    assert abs(len(markdown) - len(code(notebook))) <= 2


def test_the_answer_is_the_first_thing_shown(notebook) -> None:
    assert next(cell.id for cell in notebook.cells if cell.get("outputs")) == "answer"


def test_its_parameters_are_plain_literals_and_the_documented_example(name, notebook) -> None:
    fields = schema(name).model_fields
    path = ROOT / "params" / name / "example.yaml"
    cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    written = {n.targets[0].id: ast.literal_eval(n.value) for n in ast.parse(cell.source).body}
    assert set(written) == set(fields)
    example = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    assert {name: written[name] for name in example} == example
    defaults = {name: field.default for name, field in fields.items() if name not in example}
    assert {name: written[name] or None for name in defaults} == {
        name: default or None for name, default in defaults.items()
    }


def test_the_committed_outputs_are_text_of_a_whole_run_in_order(name, notebook) -> None:
    path = NOTEBOOKS / f"{name}.ipynb"
    assert path.stat().st_size < 200_000
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type in ("display_data", "execute_result")
            assert set(output.data) == {"text/plain"}
    assert str(ROOT) not in path.read_text(encoding="utf-8")
    assert notebook.metadata.kernelspec.name == "python3"
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_nbval_compares_the_text_whatever_the_surroundings(name, project) -> None:
    env = os.environ | {"PYTHONHASHSEED": "3", "TZ": "Asia/Tokyo", "LC_ALL": "de_DE.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval",
         "--nbval-current-env", "--nbval-cell-timeout=240", f"notebooks/{name}.ipynb"],
        cwd=project, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"[12][0-9] passed", done.stdout)
