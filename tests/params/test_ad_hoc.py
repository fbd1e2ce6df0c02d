"""A notebook without a schema of its own: its parameters cell is the schema, read and never run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trustlib import params
from trustlib.core import Refusal

CELL = '''"""What to look at."""
threshold = 0.8
limit: int = 100
market = "alder"
deep = False
columns = ["a", "b"]
rates = {"spam": 0.1}
anything = None
level = 0.9
source = "data/x.csv"
'''


def notebook(folder: Path, cell: str, *, name: str = "link_spam", tagged: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tags = ["parameters"] if tagged else []
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Question"]},
        {"cell_type": "code", "metadata": {"tags": tags}, "source": cell.splitlines(True)},
    ]
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}))
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with one ad hoc notebook."""
    monkeypatch.chdir(tmp_path)
    notebook(tmp_path / "notebooks", CELL)
    (tmp_path / "params" / "link_spam").mkdir(parents=True)
    return tmp_path


def read(project: Path, text: str, *overrides: str) -> params.ParamsFile:
    path = project / "params" / "link_spam" / "march.yaml"
    path.write_text(text, encoding="utf-8")
    return params.read(path, overrides)


def test_it_is_listed_and_read(project: Path) -> None:
    assert "link_spam" in params.notebooks()
    found = read(project, "threshold: 0.5\nmarket: elm\ntitle: Links\n", "limit=3")
    assert found.notebook == "link_spam"
    expected = {"threshold": 0.5, "limit": 3, "market": "elm", "deep": False, "title": "Links",
                "columns": ["a", "b"], "rates": {"spam": 0.1}, "anything": None, "level": 0.9,
                "source": "data/x.csv", "timezone": "UTC"}  # fmt: skip
    assert {name: found.values[name] for name in expected} == expected


@pytest.mark.parametrize("name", ["threshold", "limit", "market", "columns", "anything"])
def test_misspelt(project: Path, name: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(project, f"{name[:-1]}: 1\n")
    assert caught.value.nearest == name
    assert str(caught.value.where).endswith("line 1")


@pytest.mark.parametrize(
    "line",
    ["threshold: high", "limit: 1.5", "limit: true", "market: 3", "deep: 1", "columns: a",
     "rates: [1]", "level: 95", "timezone: Nowhere", "connection: postgres://u:p@h",
     "source: 3", "source: postgres://u:p@h"],
)  # fmt: skip
def test_wrong_type(project: Path, line: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(project, line + "\n")
    assert caught.value.what.startswith(line.split(":")[0])


def test_a_whole_number_is_a_number(project: Path) -> None:
    assert read(project, "threshold: 1\n").values["threshold"] == 1.0


@pytest.mark.parametrize(
    "cell",
    ["import os", "x = os.getcwd()", "x = 1; import os", "x, y = 1, 2", "x = y = 1", "x += 1",
     "def f(): pass", "x = [i for i in range(3)]", "x.y = 1", "x = 1 +", "_hidden = 1",
     "model_fields = 1", "to_plain = 1", "notebook = 1", "json = 1", "(x := 1)"],
)  # fmt: skip
def test_a_cell_that_does_more_is_refused_and_not_run(tmp_path: Path, cell: str) -> None:
    with pytest.raises(Refusal) as caught:
        params.schema_from_notebook(notebook(tmp_path, cell))
    assert caught.value.next_step


def test_nothing_in_the_cell_is_run(tmp_path: Path) -> None:
    cell = f"x = open({str(tmp_path / 'made')!r}, 'w')"
    with pytest.raises(Refusal):
        params.schema_from_notebook(notebook(tmp_path, cell))
    assert not (tmp_path / "made").exists()


def test_without_a_parameters_cell_only_the_shared_names(tmp_path: Path) -> None:
    schema = params.schema_from_notebook(notebook(tmp_path, "import os", tagged=False))
    assert list(schema.model_fields) == list(params.OneSourceParams.model_fields)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": 3}', '{"cells": [1]}', "\x00"])
def test_not_a_notebook(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(Refusal, match="not a notebook"):
        params.schema_from_notebook(path)
    with pytest.raises(Refusal, match="cannot be read"):
        params.schema_from_notebook(tmp_path / "absent.ipynb")


def test_an_unknown_notebook(project: Path) -> None:
    with pytest.raises(Refusal) as caught:
        params.schema("link_spm")
    assert caught.value.nearest == "link_spam"


def test_a_new_file_for_it_is_valid(project: Path) -> None:
    path = params.new("link_spam", "april")
    assert params.read(path).values["market"] == "alder"
