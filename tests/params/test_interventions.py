"""What a rollout's report and a rollout's plan may be asked."""

from __future__ import annotations

import json
import re
import typing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.params.conftest import as_yaml
from trustlib import params
from trustlib.core import Refusal
from trustlib.interventions import spec as choices

DID: dict[str, Any] = {
    "title": "Warning before links",
    "owner": "Messaging integrity",
    "source": "data/panel.csv",
    "connection": "WAREHOUSE_URL",
    "timezone": "America/New_York",
    "as_of": "2026-02-01T00:00:00-05:00",
    "level": 0.9,
    "seed": 7,
    "unit_column": "market",
    "time_column": "week",
    "outcome_column": "complaints",
    "treatment_start_column": "since",
    "treated_column": None,
    "covariate_columns": ["log_size", "weight"],
    "covariate_method": "ipw",
    "weight_column": "accounts",
    "cluster_column": "country",
    "standard_error_column": "error",
    "neighbour_column": "near",
    "control_group": "not_yet",
    "estimator": "imputation",
    "base_period": "universal",
    "anticipation": 2,
    "outcome_scale": "rate",
    "rate_per": 1000,
    "outcome_name": "complaints per 1,000 accounts",
    "unit_label": "complaints",
    "unit_value_usd": 3.5,
}
POWER: dict[str, Any] = {
    name: DID[name]
    for name in (
        "title", "owner", "source", "connection", "timezone", "as_of", "level", "seed",
        "unit_column", "time_column", "outcome_column", "treatment_start_column",
        "weight_column", "cluster_column",
    )
} | {
    "planned_units": [8, 8, 4],
    "wave_gap_periods": 2,
    "periods_before": 12,
    "periods_after": 6,
    "effect": [-0.1, -1],
    "effect_scale": "relative",
    "power": 0.9,
    "draws": 200,
    "outcome_name": "complaints per 1,000 accounts",
    "unit_label": "complaints",
}  # fmt: skip
BOTH = {"intervention_did": DID, "intervention_power": POWER}


def written(folder: Path, notebook: str, content: dict[str, Any]) -> Path:
    path = folder / "params" / notebook / "links.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_yaml(content), encoding="utf-8")
    return path


def refused(folder: Path, notebook: str, **changes: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        params.read(written(folder, notebook, BOTH[notebook] | changes))
    return caught.value


@pytest.mark.parametrize("notebook", BOTH)
def test_the_valid_file_names_every_parameter(tmp_path: Path, notebook: str) -> None:
    content = BOTH[notebook]
    assert list(params.schema(notebook).model_fields) == list(content)
    found = params.read(written(tmp_path, notebook, content)).values
    moved = {"as_of": "2026-02-01T05:00:00+00:00"}
    assert found == content | moved
    assert params.schema(notebook).from_notebook(found).to_plain() == found
    assert jsonschema.Draft7Validator(params.json_schema(notebook)).is_valid(content)


def test_choices_are_the_rooms(tmp_path: Path) -> None:
    fields = params.InterventionDidParams.model_fields
    for name, kind in (
        ("control_group", choices.ControlGroup),
        ("covariate_method", choices.CovariateMethod),
        ("estimator", choices.Estimator),
        ("base_period", choices.BasePeriod),
        ("outcome_scale", choices.Scale),
    ):
        assert typing.get_args(fields[name].annotation) == typing.get_args(kind), name


def test_query_and_spec_carry_the_params(tmp_path: Path) -> None:
    asked = params.load(written(tmp_path, "intervention_did", DID))
    assert isinstance(asked, params.InterventionDidParams)
    query, spec = asked.panel_query(), asked.spec()
    for name in (*DID,):
        if name.endswith(("_column", "_columns")) or name in ("source", "timezone", "as_of"):
            assert getattr(query, name) == getattr(asked, name), name
        elif hasattr(spec, name):
            assert getattr(spec, name) == getattr(asked, name), name
    assert query.connection == "WAREHOUSE_URL"
    assert (spec.unit, spec.time, spec.outcome) == ("unit", "time", "outcome")
    assert (spec.weight, spec.cluster) == ("weight", "cluster")
    assert (spec.standard_error, spec.neighbour) == ("standard_error", "neighbour")
    assert spec.covariates == ("log_size", "x_weight")


def test_what_is_not_asked_for_is_none_in_the_spec(tmp_path: Path) -> None:
    few = {name: DID[name] for name in ("source", "unit_column", "time_column", "outcome_column")}
    asked = params.load(written(tmp_path, "intervention_did", few | {"treated_column": "on"}))
    assert isinstance(asked, params.InterventionDidParams)
    spec = asked.spec()
    assert (spec.weight, spec.cluster, spec.standard_error, spec.neighbour) == (None,) * 4
    assert spec.outcome_name == "complaints"
    assert asked.panel_query().treated_column == "on"
    assert asked.panel_query().treatment_start_column is None


def test_the_plan_carries_the_params(tmp_path: Path) -> None:
    asked = params.load(written(tmp_path, "intervention_power", POWER))
    assert isinstance(asked, params.InterventionPowerParams)
    query, plan = asked.panel_query(), asked.spec()
    assert (query.weight_column, query.cluster_column) == ("accounts", "country")
    assert (query.treatment_start_column, query.treated_column) == ("since", None)
    assert (plan.effects, plan.target_power) == ((-0.1, -1.0), 0.9)
    same = ["planned_units", "wave_gap_periods", "periods_before", "periods_after", "effect_scale"]
    for name in (*same, "draws", "level", "seed", "outcome_name", "unit_label"):
        assert getattr(plan, name) == getattr(asked, name), name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"treatment_start_column": None}, "treated_column: is null, and so is treatment_start"),
        ({"treated_column": "on"}, "treated_column: is set, and so is treatment_start"),
        ({"time_column": "market"}, "time_column: names the column that unit_column names"),
        ({"outcome_column": "week"}, "outcome_column: names the column that time_column names"),
        ({"weight_column": "complaints"}, "weight_column: names the column that outcome_column"),
        ({"covariate_columns": ["x", "x"]}, "covariate_columns: name 2 is there twice"),
        ({"covariate_columns": ["complaints"]}, "name 1 is the column that outcome_column"),
        ({"covariate_columns": "x"}, "covariate_columns: needs a list"),
        ({"covariate_method": "aipw"}, "covariate_method: 'aipw' is not one of"),
        ({"control_group": "nevre"}, "control_group: 'nevre' is not one of never, not_yet"),
        ({"estimator": "twfe"}, "estimator: 'twfe' is not one of"),
        ({"anticipation": -1}, "anticipation: -1 must be at least 0"),
        ({"anticipation": 1.5}, "anticipation: needs a whole number"),
        ({"weight_column": None}, "outcome_scale: rate needs to know of how many people"),
        ({"rate_per": 0}, "rate_per: 0 must be greater than 0"),
        ({"unit_value_usd": -1}, "unit_value_usd: -1 must be at least 0"),
        ({"unit_column": None}, "unit_column: needs text"),
    ],
)
def test_did_refuses(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    error = refused(tmp_path, "intervention_did", **changes)
    assert words in str(error)
    assert "line " in str(error)
    assert error.next_step


def test_nothing_says_who_was_treated(tmp_path: Path) -> None:
    few = {name: DID[name] for name in ("source", "unit_column", "time_column", "outcome_column")}
    with pytest.raises(Refusal, match="nothing says who was treated when"):
        params.read(written(tmp_path, "intervention_did", few))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"planned_units": []}, "planned_units"),
        ({"planned_units": [8, 0]}, "planned_units"),
        ({"planned_units": 8}, "planned_units: needs a list"),
        ({"wave_gap_periods": 0}, "wave_gap_periods: 0 must be at least 1"),
        ({"periods_after": None}, "periods_after: needs a whole number"),
        ({"effect": []}, "effect"),
        ({"effect": [-1.5]}, "effect_scale: relative takes shares"),
        ({"power": 80}, "power: 80 must be less than 1"),
        ({"draws": 10}, "draws: 10 must be at least 99"),
        ({"treatment_start_column": "week"}, "names the column that time_column names"),
    ],
)
def test_power_refuses(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    error = refused(tmp_path, "intervention_power", **changes)
    assert words in str(error)
    assert error.next_step


@pytest.mark.parametrize("notebook", BOTH)
def test_misspelt_names_find_the_right_one(tmp_path: Path, notebook: str) -> None:
    for name in BOTH[notebook]:
        wrong = name[:1] + name[2:]
        content = {wrong if key == name else key: value for key, value in BOTH[notebook].items()}
        with pytest.raises(Refusal) as caught:
            params.read(written(tmp_path, notebook, content))
        assert caught.value.nearest == name


@pytest.mark.parametrize("notebook", BOTH)
def test_a_new_file_shows_what_to_edit_and_is_valid(tmp_path: Path, notebook: str) -> None:
    path = params.new(notebook, "links", tmp_path)
    assert params.read(path).values["title"] == "links"
    text = path.read_text("utf-8")
    head = set(re.findall(r"^(\w+): ", text.split("# --- The rest")[0], re.MULTILINE))
    assert {"unit_column", "time_column", "outcome_column", "weight_column"} <= head
    mine = {
        "intervention_did": {"treatment_start_column", "treated_column", "unit_label"},
        "intervention_power": {"planned_units", "periods_after", "wave_gap_periods", "effect"},
    }
    assert mine[notebook] <= head
    if notebook == "intervention_did":
        assert 'treatment_start_column: "first_treated"' in text
    assert json.loads(params.json_schema_text(notebook))["title"] == f"Params of {notebook}"
