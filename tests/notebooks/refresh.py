"""Run the notebooks on their example and keep the text of their outputs: what nbval compares.

    python -m tests.notebooks.refresh

They run in a project of their own, with a demo world made for the purpose, so that what is
committed does not depend on the world that somebody happens to work in.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]


def fresh_project(root: Path) -> Path:
    """`root` filled with the notebooks, the params and the small demo world."""
    for folder in ("notebooks", "params"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    demo = [sys.executable, "-m", "trustlib", "demo"]
    subprocess.run(demo, cwd=root, check=True, capture_output=True)
    return root


def text_only(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """`notebook` with nothing but the text of its outputs, and nothing that changes by itself."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "data" in output:
                output["data"] = {"text/plain": output["data"]["text/plain"]}
                output["metadata"] = {}
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def refresh(path: Path, project: Path) -> None:
    """Execute the notebook at `path` in `project` and write it back."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(project / "notebooks")}}
    NotebookClient(notebook, kernel_name="python3", timeout=300, resources=resources).execute()
    nbformat.write(text_only(notebook), path)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = fresh_project(Path(folder))
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            refresh(path, project)
            sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
