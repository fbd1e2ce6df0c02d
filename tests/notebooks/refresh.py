"""Run the notebooks on their example and keep the text of their outputs: what nbval compares.

    python -m tests.notebooks.refresh

Run it from the project's root, with the small demo world there (`trustlib demo`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
KEPT = "text/plain"


def text_only(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """`notebook` with nothing but the text of its outputs, and nothing that changes by itself."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "data" in output:
                output["data"] = {KEPT: output["data"][KEPT]}
                output["metadata"] = {}
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def refresh(path: Path) -> None:
    """Execute the notebook at `path` and write it back."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, kernel_name="python3", timeout=300, resources=resources).execute()
    nbformat.write(text_only(notebook), path)


if __name__ == "__main__":
    for notebook_path in sorted(NOTEBOOKS.glob("*.ipynb")):
        refresh(notebook_path)
        sys.stdout.write(f"{notebook_path.name}\n")
