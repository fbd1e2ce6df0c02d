"""The executed notebook without what belongs to one machine, one run or one moment."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

# papermill gives its cell a random id.
INJECTED_ID = "injected-parameters"
_CELL_FILE = re.compile(r"(?:/[^\s:'\"]*)?/ipykernel_\d+/\d+\.py")


def scrub(notebook: Any) -> None:
    """Remove paths, times and random ids from `notebook`, in place."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    swaps = _swaps()
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = INJECTED_ID
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        for output in cell.get("outputs", []):
            _scrub_output(output, swaps)


def scrub_text(text: str, swaps: list[tuple[str, str]] | None = None) -> str:
    """`text` with this machine's folders taken out of its paths."""
    for found, instead in swaps if swaps is not None else _swaps():
        text = text.replace(found, instead)
    return _CELL_FILE.sub("cell", text)


def _scrub_output(output: Any, swaps: list[tuple[str, str]]) -> None:
    output.get("metadata", {}).pop("execution", None)
    if isinstance(output.get("text"), str):
        output["text"] = scrub_text(output["text"], swaps)
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/") and isinstance(value, str):
            output["data"][kind] = scrub_text(value, swaps)


def _swaps() -> list[tuple[str, str]]:
    """Folders to take out, the longest first."""
    import trustlib

    project = Path(trustlib.__file__).resolve().parents[1]
    folders = {project, Path.cwd(), Path(sys.prefix), Path(sys.base_prefix), Path.home()}
    folders |= {Path(entry) for entry in sys.path if "site-packages" in entry}
    names = sorted((str(folder) for folder in folders if len(folder.parts) > 1), key=len)
    return [(f"{name}/", "") for name in reversed(names)]
