"""The table, the JSON Schema, editors' wiring, and new files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.params.conftest import VALID
from trustlib import params
from trustlib.core import Refusal
from trustlib.params.describing import json_schema_text

ROOT = Path(__file__).resolve().parents[2]
CODED = [
    "abuse_deep_dive",
    "incident_postmortem",
    "incident_sizing",
    "intervention_did",
    "intervention_power",
    "intervention_synth",
]


@pytest.mark.parametrize("notebook", CODED)
def test_the_committed_schema_is_the_codes(notebook: str) -> None:
    committed = (ROOT / "params" / "schema" / f"{notebook}.json").read_text("utf-8")
    assert committed == json_schema_text(notebook), (
        f"write it again: trustlib params {notebook} --schema > params/schema/{notebook}.json"
    )


@pytest.mark.parametrize("notebook", CODED)
def test_every_parameter_is_described(notebook: str) -> None:
    document = params.json_schema(notebook)
    jsonschema.Draft7Validator.check_schema(document)
    assert document["additionalProperties"] is False
    for name, item in document["properties"].items():
        assert item["description"].endswith("."), name
        assert ("default" in item) != (name in document["required"]), name
        assert item.keys() & {"type", "anyOf", "enum"}, name


def test_the_schema_agrees_with_the_code() -> None:
    check = jsonschema.Draft7Validator(params.json_schema("incident_sizing"))
    assert check.is_valid(VALID)
    assert check.is_valid(params.IncidentSizingParams.from_notebook(VALID).to_plain())
    for name, wrong in {
        "level": 95, "bucket": "2h", "incident_start": "2015-01-26T12:00:00", "seed": -1,
        "connection": "postgres://h", "exclude_windows": [["2014-11-27T00:00:00Z"]],
        "titel": "x", "unit_cost_usd": -1,
    }.items():  # fmt: skip
        assert not check.is_valid({**VALID, name: wrong}), name


def test_editors_find_the_schema() -> None:
    settings = json.loads((ROOT / ".vscode" / "settings.json").read_text("utf-8"))
    wired = settings["yaml.schemas"]
    for notebook in CODED:
        assert wired[f"./params/schema/{notebook}.json"] == f"params/{notebook}/*.yaml"
    tree = ElementTree.parse(ROOT / ".idea" / "jsonSchemas.xml")
    values = {(item.get("name"), item.get("value") or item.get("path")) for item in tree.iter()}
    for notebook in CODED:
        assert ("relativePathToSchema", f"params/schema/{notebook}.json") in values
        assert ("path", f"params/{notebook}/*.yaml") in values


def test_the_table_has_every_name() -> None:
    rows = params.table("incident_sizing")
    assert [row.name for row in rows] == list(VALID)
    by_name = {row.name: row for row in rows}
    assert by_name["source"].default == "required"
    assert by_name["bucket"] == ("bucket", "30min | 1h | 1d", '"1h"', by_name["bucket"].meaning)
    assert by_name["incident_start"].type == "instant"
    assert by_name["unit_cost_usd"].type == "number or null"
    assert all(row.meaning for row in rows)


def test_a_new_file_is_valid_and_explains_every_name(tmp_path: Path) -> None:
    path = params.new("incident_sizing", "snow-day", tmp_path)
    assert path == tmp_path / "incident_sizing" / "snow-day.yaml"
    text = path.read_text("utf-8")
    assert params.read(path).values["title"] == "snow day"
    for row in params.table("incident_sizing"):
        assert re.search(rf"^# .*\n{row.name}: ", text, re.MULTILINE), row.name
    head = text.split("# --- The rest")[0]
    assert set(re.findall(r"^(\w+): ", head, re.MULTILINE)) == {
        "title", "owner", "source", "time_column", "count_column", "incident_start", "incident_end"
    }  # fmt: skip


def test_a_new_file_never_overwrites(tmp_path: Path) -> None:
    path = params.new("incident_sizing", "snow", tmp_path)
    path.write_text("mine")
    with pytest.raises(Refusal, match="nothing was overwritten"):
        params.new("incident_sizing", "snow", tmp_path)
    assert path.read_text() == "mine"


def test_new_refuses_bad_names(tmp_path: Path) -> None:
    for slug in ("../x", "A b", "", "x.yaml", "a" * 65):
        with pytest.raises(Refusal):
            params.new("incident_sizing", slug, tmp_path)
    with pytest.raises(Refusal) as caught:
        params.new("incident_szing", "x", tmp_path)
    assert caught.value.nearest == "incident_sizing"
    assert list(tmp_path.rglob("*.yaml")) == []
