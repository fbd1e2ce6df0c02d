"""What a run is asked: typed, validated, frozen. Files live in ``params/<notebook>/``."""

from trustlib.params.abuse_deep_dive import AbuseDeepDiveParams
from trustlib.params.ad_hoc import schema_from_notebook
from trustlib.params.describing import json_schema, json_schema_text, new, table
from trustlib.params.files import ParamsFile, load, read
from trustlib.params.incidents import IncidentSizingParams
from trustlib.params.interventions import InterventionDidParams, InterventionPowerParams
from trustlib.params.interventions_synth import InterventionSynthParams
from trustlib.params.postmortem import IncidentPostmortemParams
from trustlib.params.schemas import notebooks, schema
from trustlib.params.shared import OneSourceParams, SharedParams

__all__ = [
    "AbuseDeepDiveParams",
    "IncidentPostmortemParams",
    "IncidentSizingParams",
    "InterventionDidParams",
    "InterventionPowerParams",
    "InterventionSynthParams",
    "OneSourceParams",
    "ParamsFile",
    "SharedParams",
    "json_schema",
    "json_schema_text",
    "load",
    "new",
    "notebooks",
    "read",
    "schema",
    "schema_from_notebook",
    "table",
]
