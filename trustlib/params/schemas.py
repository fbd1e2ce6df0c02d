"""Which notebooks there are, and the schema of each."""

from __future__ import annotations

from pathlib import Path

from trustlib.core.errors import Refusal, did_you_mean
from trustlib.params.incidents import IncidentSizingParams
from trustlib.params.problems import shown
from trustlib.params.shared import SharedParams

SCHEMAS: dict[str, type[SharedParams]] = {IncidentSizingParams.notebook: IncidentSizingParams}
NOTEBOOKS = Path("notebooks")


def notebooks(folder: Path = NOTEBOOKS) -> list[str]:
    """Names of all notebooks: those with a schema in code, and those dropped into `folder`."""
    dropped = {path.stem for path in folder.glob("*.ipynb")} if folder.is_dir() else set()
    return sorted(set(SCHEMAS) | dropped)


def schema(notebook: str, folder: Path = NOTEBOOKS) -> type[SharedParams]:
    """The schema of `notebook`: its class, or its own parameters cell.

    Raises
    ------
    Refusal
        If there is no such notebook, or its parameters cell is not plain.
    """
    if notebook in SCHEMAS:
        return SCHEMAS[notebook]
    path = folder / f"{notebook}.ipynb"
    if notebook in notebooks(folder):
        from trustlib.params.ad_hoc import schema_from_notebook

        return schema_from_notebook(path)
    near = did_you_mean(notebook, notebooks(folder))
    raise Refusal(
        f"there is no notebook {shown(notebook)!r}",
        nearest=near,
        next_step=f"notebooks: {', '.join(notebooks(folder))}",
    )
