"""What a report on one or few treated units may be asked."""

from __future__ import annotations

import re
import subprocess
import sys
import typing
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.params.conftest import as_yaml
from trustlib import params
from trustlib.core import Refusal
from trustlib.interventions import spec as scales
from trustlib.interventions.synth import spec as choices

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = "intervention_synth"
FOLDERS = (ROOT / "params" / NOTEBOOK, ROOT / "tests" / "interventions" / "params" / NOTEBOOK)
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*.yaml"))
SYNTH: dict[str, Any] = {
    "title": "Reply limits in mint",
    "owner": "Harassment",
    "source": "data/panel.csv",
    "connection": "WAREHOUSE_URL",
    "timezone": "America/New_York",
    "as_of": "2026-02-01T00:00:00-05:00",
    "level": 0.9,
    "seed": 7,
    "unit_column": "market",
    "time_column": "week",
    "outcome_column": "reports",
    "treated_units": ["mint", "dill"],
    "treatment_start": "2026-01-05",
    "treatment_start_column": "since",
    "treated_column": None,
    "donor_units": ["basil", "thyme"],
    "affected_units": ["borage"],
    "predictors": [
        {"column": "price", "first": "2025-01", "last": "2025-12", "name": "price of mint"},
        {"column": "reports", "first": 1980, "last": 1988},
        {"column": "weight", "first": 1980, "last": 1980},
    ],
    "predictor_source": "data/traits.csv",
    "fit_first": 1970,
    "fit_last": 1988,
    "method": "augmented",
    "inference": "bootstrap",
    "weight_column": "accounts",
    "outcome_scale": "rate",
    "rate_per": 1000,
    "outcome_name": "reports per 1,000 accounts",
    "unit_label": "reports",
    "unit_value_usd": 4.2,
}
FEW = {
    name: SYNTH[name]
    for name in ("source", "unit_column", "time_column", "outcome_column", "treated_units")
} | {"treatment_start": 1989}


def written(folder: Path, content: dict[str, Any] | str) -> Path:
    path = folder / "params" / NOTEBOOK / "mint.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else as_yaml(content), encoding="utf-8")
    return path


def load(folder: Path, content: dict[str, Any]) -> params.InterventionSynthParams:
    asked = params.load(written(folder, content))
    assert isinstance(asked, params.InterventionSynthParams)
    return asked


def refused(folder: Path, content: dict[str, Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        params.read(written(folder, content))
    return caught.value


def test_the_valid_file_names_every_parameter(tmp_path: Path) -> None:
    assert list(params.schema(NOTEBOOK).model_fields) == list(SYNTH)
    found = params.read(written(tmp_path, SYNTH)).values
    assert found == SYNTH | {"as_of": "2026-02-01T05:00:00+00:00"}
    assert params.schema(NOTEBOOK).from_notebook(found).to_plain() == found
    assert jsonschema.Draft7Validator(params.json_schema(NOTEBOOK)).is_valid(SYNTH)


def test_choices_are_the_rooms() -> None:
    fields = params.InterventionSynthParams.model_fields
    for name, kind in (
        ("method", choices.Method),
        ("inference", choices.Inference),
        ("outcome_scale", scales.Scale),
    ):
        assert typing.get_args(fields[name].annotation) == typing.get_args(kind), name


def test_query_and_spec_carry_the_params(tmp_path: Path) -> None:
    asked = load(tmp_path, SYNTH)
    query, spec, units = asked.panel_query(), asked.spec(), asked.unit_query()
    for name in SYNTH:
        if hasattr(query, name):
            assert getattr(query, name) == getattr(asked, name), name
        elif hasattr(spec, name) and name not in ("predictors", "treatment_start_column"):
            assert getattr(spec, name) == getattr(asked, name), name
    assert query.predictor_columns == ("price", "weight")
    assert (spec.unit, spec.time, spec.outcome, spec.weight) == (
        "unit", "time", "outcome", "weight"
    )  # fmt: skip
    assert spec.treatment_start_column == "treatment_start"
    assert [(p.column, p.first, p.last, p.name) for p in spec.predictors] == [
        ("price", "2025-01", "2025-12", "price of mint"),
        ("outcome", 1980, 1988, "reports 1980–1988"),
        ("x_weight", 1980, 1980, "weight 1980"),
    ]
    assert units is not None
    assert (units.source, units.unit_column) == ("data/traits.csv", "market")


def test_a_predictor_file_needs_no_connection_and_a_query_does(tmp_path: Path) -> None:
    for source, connection in (
        ("traits.csv", None), ("traits.PARQUET", None), ("traits.sql", "WAREHOUSE_URL"),
        ("traits", "WAREHOUSE_URL"),
    ):  # fmt: skip
        units = load(tmp_path, SYNTH | {"predictor_source": source}).unit_query()
        assert units is not None
        assert units.connection == connection, source


def test_what_is_not_asked_for_is_none(tmp_path: Path) -> None:
    asked = load(tmp_path, FEW)
    spec, query = asked.spec(), asked.panel_query()
    assert asked.unit_query() is None
    assert (spec.weight, spec.treatment_start_column) == (None, None)
    assert (spec.donor_units, spec.affected_units, spec.predictors) == ((), (), ())
    assert spec.unit_predictors == {}
    assert spec.outcome_name == "reports"
    assert (query.treatment_start_column, query.treated_column) == (None, None)
    assert query.predictor_columns == ()
    given = {"price": {"mint": 2.0}}
    assert asked.spec(given).unit_predictors == given


def test_a_treated_column_tells_the_start(tmp_path: Path) -> None:
    few = {name: value for name, value in FEW.items() if not name.startswith("treat")}
    asked = load(tmp_path, few | {"treated_column": "on"})
    assert asked.panel_query().treated_column == "on"
    assert asked.spec().treatment_start_column == "treatment_start"
    assert (asked.treated_units, asked.treatment_start) == ((), None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1989", 1989), ("2026-01-05", "2026-01-05"), ('"1989"', "1989"), ("2024Q1", "2024Q1"),
     ("2024-03", "2024-03"), ("-3", -3), ("~", None)],
)  # fmt: skip
def test_periods_and_units_as_two_readers_of_yaml_read_them(
    tmp_path: Path, text: str, value: Any
) -> None:
    """What stock papermill pastes after its own reading means what our reading means."""
    from papermill.iorw import read_yaml_file
    from papermill.translators import PythonTranslator

    body = as_yaml(FEW | {"treatment_start_column": "since"}).replace(
        "treatment_start: 1989", f"treatment_start: {text}"
    )
    body += "affected_units: [12, 'north east', A1]\n"
    body += f"predictors:\n  - {{column: price, first: {text if value else 3}, last: 9}}\n"
    body = body.replace("last: 9", f"last: {text if value else 9}")
    path = written(tmp_path, body)
    asked = params.load(path)
    assert isinstance(asked, params.InterventionSynthParams)
    assert asked.treatment_start == value
    assert asked.affected_units == ("12", "north east", "A1")
    if value is not None:
        assert (asked.predictors[0].first, asked.predictors[0].last) == (value, value)
    namespace: dict[str, Any] = {}
    cell = PythonTranslator.codify(read_yaml_file(str(path)))
    exec(cell, namespace)
    again = params.InterventionSynthParams.from_notebook(namespace | {"In": ["", cell, "x"]})
    assert again == asked


def test_a_date_of_a_python_reader_is_its_text() -> None:
    asked = params.InterventionSynthParams.from_notebook(
        FEW | {"treatment_start": date(2026, 1, 5)}
    )
    assert asked.treatment_start == "2026-01-05"
    assert asked.to_plain()["treatment_start"] == "2026-01-05"


def test_set_on_the_command_line(tmp_path: Path) -> None:
    path = written(tmp_path, FEW)
    found = params.read(
        path,
        [
            "treatment_start=1985",
            "affected_units=[borage, 7]",
            "predictors=[{column: price, first: 1980, last: 1984}]",
            "method=synthetic_control",
            "fit_last=1984",
        ],
    ).values
    assert found["treatment_start"] == 1985
    assert found["affected_units"] == ["borage", "7"]
    assert found["predictors"] == [{"column": "price", "first": 1980, "last": 1984}]
    assert (found["method"], found["fit_last"]) == ("synthetic_control", 1984)
    assert params.read(path, ["treatment_start=2026-01-05"]).values["treatment_start"] == (
        "2026-01-05"
    )


def test_a_name_that_is_left_out_is_the_same_question(tmp_path: Path) -> None:
    predictor = {"column": "price", "first": 1980, "last": 1988}
    one = params.read(written(tmp_path, FEW | {"predictors": [predictor]}))
    other = params.read(written(tmp_path, FEW | {"predictors": [predictor | {"name": None}]}))
    assert one.sha256 == other.sha256
    assert one.values["predictors"] == [predictor]


PRICE = {"column": "price", "first": 1980, "last": 1988}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"treated_units": "mint"}, "treated_units: needs a list of names, not text"),
    ({"treated_units": None}, "treated_units: needs a list of names, not nothing"),
    ({"treated_units": ["mint", 1.5]}, "treated_units: name 2 is a number"),
    ({"treated_units": [True]}, "treated_units: name 1 is true/false"),
    ({"treated_units": ["mint", ""]}, "treated_units: name 2 is empty"),
    ({"treated_units": [" mint"]}, "treated_units: name 1 has blanks at its ends"),
    ({"treated_units": ["a\nb"]}, "treated_units: name 1 holds a line break"),
    ({"treated_units": ["x" * 201]}, "treated_units: name 1 is longer than 200"),
    ({"treated_units": ["mint", "dill", "mint"]}, "treated_units: name 3 is there twice"),
    ({"treated_units": [7, "7"]}, "treated_units: name 2 is there twice"),
    ({"treated_units": [str(i) for i in range(10_001)]}, "has more than 10000 items"),
    ({"donor_units": ["basil", "mint"]}, "donor_units: name 2 is in treated_units too"),
    ({"affected_units": ["dill"]}, "affected_units: name 1 is in treated_units too"),
    ({"treated_units": ["mint", "a@b.example"]}, "name 2 looks like the key of a person"),
    ({"affected_units": ["user-10000077"]}, "affected_units: name 1 looks like the key of a"),
    ({"donor_units": ["f" * 16]}, "donor_units: name 1 looks like the key of a person"),
    ({"treatment_start": "2026-01-05 18:00"}, "treatment_start: says an hour, and timezone is"),
    ({"fit_first": "2025-01-05T18:00", "fit_last": None}, "fit_first: says an hour"),
    (
        {"predictors": [PRICE | {"first": "2025-01-05 18:00", "last": "2025-01-06 18:00"}]},
        "predictors: says an hour",
    ),
    (
        {"treatment_start": 1989.5},
        "treatment_start: needs a period (a whole number or a date)",
    ),
    ({"treatment_start": True}, "treatment_start: needs a period"),
    (
        {"treatment_start": [1989]},
        "treatment_start: needs a period (a whole number or a date)",
    ),
    ({"treatment_start": ""}, "treatment_start: is empty"),
    ({"treatment_start": "2026-01-05 "}, "treatment_start: has blanks at its ends"),
    ({"treatment_start": "x" * 41}, "treatment_start: is longer than 40"),
    ({"treatment_start": 10**15}, "treatment_start: is no period"),
    ({"treated_column": "on"}, "treated_column: is set, and so is treatment_start_column"),
    ({"treatment_start_column": "week"}, "names the column that time_column names too"),
    ({"weight_column": "reports"}, "weight_column: names the column that outcome_column names"),
    ({"predictors": PRICE}, "predictors: needs a list of predictors, not a mapping"),
    ({"predictors": ["price"]}, "predictors: item 1 is text, and a predictor has a column"),
    ({"predictors": [PRICE, {"column": "x", "first": 1}]}, "predictors: item 2 has no last"),
    ({"predictors": [PRICE | {"column": None}]}, "predictors: item 1 has no column"),
    ({"predictors": [PRICE | {"frist": 1980}]}, "item 1 has 'frist', which is no part of a"),
    ({"predictors": [PRICE | {"first": 1.5}]}, "item 1, first needs a period"),
    ({"predictors": [PRICE | {"column": 3}]}, "item 1, column needs text, not a whole number"),
    ({"predictors": [PRICE | {"name": ""}]}, "item 1, name is empty"),
    ({"predictors": [PRICE | {"name": "x" * 81}]}, "item 1, name is longer than 80"),
    ({"predictors": [PRICE | {"last": 1979}]}, "item 1: first comes after last"),
    ({"predictors": [PRICE, PRICE | {"name": "x"}]}, "item 2 is the same as item 1"),
    (
        {"predictors": [PRICE | {"name": "x"}, PRICE | {"name": "x", "first": 1981}]},
        "item 2 has the name of item 1",
    ),
    ({"predictors": [PRICE | {"first": i} for i in range(51)]}, "has more than 50 items"),
    ({"predictors": [PRICE | {"column": "week"}]}, "item 1 is the column that time_column names"),
    ({"predictors": [PRICE, PRICE | {"column": "since"}]}, "item 2 is the column that treatment_"),
    ({"predictor_source": "https://host/x.csv"}, "predictor_source: needs a file or a table"),
    ({"fit_last": 1969}, "fit_last: comes before fit_first"),
    ({"fit_first": 1.5}, "fit_first: needs a period"),
    ({"method": "synthetic"}, "method: 'synthetic' is not one of"),
    ({"inference": "permutation"}, "inference: 'permutation' is not one of"),
    ({"weight_column": None}, "outcome_scale: rate needs to know of how many people"),
    ({"rate_per": 0}, "rate_per: 0 must be greater than 0"),
    ({"unit_value_usd": -1}, "unit_value_usd: -1 must be at least 0"),
    ({"unit_column": None}, "unit_column: needs text"),
]


@pytest.mark.parametrize(("changes", "words"), BAD)
def test_one_message_for_one_fault(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    error = refused(tmp_path, SYNTH | changes)
    assert words in str(error)
    assert "problems in" not in str(error)
    assert "line " in str(error.where)
    assert error.next_step


def test_a_key_of_a_person_is_not_repeated_and_a_number_of_a_county_is_none(tmp_path) -> None:
    error = refused(tmp_path, FEW | {"treated_units": ["ada@host.example"]})
    assert "ada" not in str(error)
    counties = FEW | {"treated_units": ["53033", "San Juan-2024"], "affected_units": [6037]}
    assert load(tmp_path, counties).treated_units == ("53033", "San Juan-2024")
    hour = FEW | {"treatment_start": "2026-01-05 18:00"}
    assert load(tmp_path, hour).treatment_start == "2026-01-05 18:00"  # UTC


def test_the_schema_of_editors_refuses_too() -> None:
    check = jsonschema.Draft7Validator(params.json_schema(NOTEBOOK))
    for changes in (
        {"treated_units": "mint"}, {"treated_units": ["mint", "mint"]}, {"treated_units": [1.5]},
        {"treatment_start": 1.5}, {"treatment_start": ""}, {"predictors": ["price"]},
        {"predictors": [PRICE | {"frist": 1}]}, {"predictors": [{"column": "x", "first": 1}]},
        {"method": "synthetic"}, {"fit_last": []},
    ):  # fmt: skip
        assert not check.is_valid(SYNTH | changes), changes


def test_a_misspelt_part_of_a_predictor_finds_the_right_one(tmp_path: Path) -> None:
    error = refused(tmp_path, SYNTH | {"predictors": [PRICE | {"frist": 1980}]})
    assert error.nearest == "first"


def test_nothing_says_who_was_treated_or_when(tmp_path: Path) -> None:
    nobody = {name: value for name, value in FEW.items() if name != "treated_units"}
    assert "nothing says who was treated" in str(refused(tmp_path, nobody))
    never = {name: value for name, value in FEW.items() if name != "treatment_start"}
    assert "nothing says when treatment started" in str(refused(tmp_path, never))


def test_misspelt_names_find_the_right_one_and_nothing_else_is_said(tmp_path: Path) -> None:
    for name in SYNTH:
        wrong = name[:1] + name[2:]
        content = {wrong if key == name else key: value for key, value in SYNTH.items()}
        assert refused(tmp_path, content).nearest == name
    for name in ("treated_units", "treatment_start"):
        content = {(name[:-1] if key == name else key): value for key, value in FEW.items()}
        error = refused(tmp_path, content)
        assert error.nearest == name
        assert "problems in" not in str(error)


def test_a_new_file_shows_what_to_edit_and_is_valid(tmp_path: Path) -> None:
    path = params.new(NOTEBOOK, "mint", tmp_path)
    found = params.read(path).values
    assert (found["treated_units"], found["treatment_start"]) == (["mint"], "2026-01-05")
    text = path.read_text("utf-8")
    head = set(re.findall(r"^(\w+): ", text.split("# --- The rest")[0], re.MULTILINE))
    assert head == {
        "title", "owner", "source", "unit_column", "time_column", "outcome_column",
        "treated_units", "treatment_start", "affected_units", "weight_column", "unit_label",
    }  # fmt: skip


def test_the_command_explains_the_parameters() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trustlib", "params", NOTEBOOK],
        cwd=ROOT, env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in SYNTH:
        assert re.search(rf"^ ?{name}\b", done.stdout, re.MULTILINE), name
    assert "list of mapping" in done.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_that_are_here_are_valid(path: Path) -> None:
    found = params.read(path, notebook=NOTEBOOK)
    written = yaml.safe_load(path.read_text("utf-8"))
    assert jsonschema.Draft7Validator(params.json_schema(NOTEBOOK)).is_valid(written)
    for name, value in written.items():
        assert found.values[name] == value, name
    assert isinstance(found.params, params.InterventionSynthParams)
    assert found.params.spec().treated_units


def test_there_are_files_to_be_valid() -> None:
    assert {path.stem for path in FILES} >= {
        "example", "neighbour-kept", "prop99", "prop99_outcomes_only", "prop99_predictors",
        "prop99_lags",
    }  # fmt: skip
