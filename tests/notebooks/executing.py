"""Running a notebook by hand, and reading what it shows."""

import copy
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from trustlib.core.results import MIME, validate

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


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
