"""Which notebooks there are, and the schema of each."""

from __future__ import annotations

from pathlib import Path

from trustlib.core.errors import Refusal, did_you_mean
from trustlib.params.abuse_deep_dive import AbuseDeepDiveParams
from trustlib.params.incidents import IncidentSizingParams
from trustlib.params.interventions import InterventionDidParams, InterventionPowerParams
from trustlib.params.interventions_synth import InterventionSynthParams
from trustlib.params.postmortem import IncidentPostmortemParams
from trustlib.params.problems import shown
from trustlib.params.shared import SharedParams

SCHEMAS: dict[str, type[SharedParams]] = {
    made.notebook: made
    for made in (
        AbuseDeepDiveParams,
        IncidentPostmortemParams,
        IncidentSizingParams,
        InterventionDidParams,
        InterventionPowerParams,
        InterventionSynthParams,
    )
}


def folders() -> list[Path]:
    """Where notebooks are: beside the caller first, then in the project."""
    return [Path("notebooks"), Path(__file__).resolve().parents[2] / "notebooks"]


def notebooks() -> list[str]:
    """Names of all notebooks: those with a schema in code, and those dropped into a folder."""
    dropped = {path.stem for folder in folders() for path in folder.glob("*.ipynb")}
    return sorted(set(SCHEMAS) | dropped)


def schema(notebook: str) -> type[SharedParams]:
    """The schema of `notebook`: its class, or its own parameters cell.

    Raises
    ------
    Refusal
        If there is no such notebook, or its parameters cell is not plain.
    """
    if notebook in SCHEMAS:
        return SCHEMAS[notebook]
    if notebook in notebooks():
        from trustlib.params.ad_hoc import schema_from_notebook

        paths = [folder / f"{notebook}.ipynb" for folder in folders()]
        return schema_from_notebook(next(path for path in paths if path.is_file()))
    near = did_you_mean(notebook, notebooks())
    raise Refusal(
        f"there is no notebook {shown(notebook)!r}",
        nearest=near,
        next_step=f"notebooks: {', '.join(notebooks())}",
    )
