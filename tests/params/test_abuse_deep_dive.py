"""What a deep-dive may be asked."""

from __future__ import annotations

import re
import subprocess
import sys
import typing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic_core import PydanticCustomError

from tests.params.conftest import as_yaml
from trustlib import params
from trustlib.core import Refusal
from trustlib.data.abuse_records import TABLES
from trustlib.harm import taxonomy as harms
from trustlib.params import abuse_fields

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = "abuse_deep_dive"
FILES = sorted((ROOT / "params" / NOTEBOOK).glob("*.yaml"))
HARM: dict[str, Any] = {
    "name": "investment scam",
    "policies": ["scam_investment", "scam"],
    "severity": 3.0,
    "counted_in": "views",
}
DIVE: dict[str, Any] = {
    "title": "Scams, March",
    "owner": "Scam and fraud",
    "connection": "WAREHOUSE_URL",
    "timezone": "America/New_York",
    "as_of": "2026-04-10T00:00:00-04:00",
    "level": 0.9,
    "seed": 7,
    "items_source": "data/items.csv",
    "accounts_source": "accounts",
    "views_source": "views",
    "scores_source": "data/scores.parquet",
    "labels_source": "labels",
    "view_labels_source": "view_labels",
    "gold_source": "gold",
    "actions_source": "actions",
    "appeals_source": "appeals",
    "reports_source": "reports",
    "links_source": "data/links.sql",
    "ledger_source": "changes",
    "window_start": "2026-03-02T00:00:00-05:00",
    "window_end": "2026-03-30T00:00:00-04:00",
    "history_start": "2026-02-02T00:00:00-05:00",
    "compare_from": "2026-03-16T00:00:00-04:00",
    "area": "scam",
    "policy": "scam",
    "segments": ["market", "kind"],
    "control_sources": ["scam_rule", "scam_model", "scam_review"],
    "confirming_sources": ["scam_review"],
    "report_reasons": ["scam", "fraud"],
    "harms": [HARM, {"name": "spam", "policies": ["spam"], "severity": 1.0, "counted_in": "items"}],
    "harm_unit": "points of harm",
    "thresholds": [0.5, 0.7, 0.9],
    "view_value_usd": 0.02,
    "item_value_usd": 4.2,
}
FEW = {name: DIVE[name] for name in ("items_source", "window_start", "window_end")}
ROLES = tuple(TABLES)


def written(folder: Path, content: dict[str, Any] | str) -> Path:
    path = folder / "params" / NOTEBOOK / "scam.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else as_yaml(content), encoding="utf-8")
    return path


def load(folder: Path, content: dict[str, Any]) -> params.AbuseDeepDiveParams:
    asked = params.load(written(folder, content))
    assert isinstance(asked, params.AbuseDeepDiveParams)
    return asked


def refused(folder: Path, content: dict[str, Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        params.read(written(folder, content))
    return caught.value


def test_the_valid_file_names_every_parameter(tmp_path: Path) -> None:
    assert list(params.schema(NOTEBOOK).model_fields) == list(DIVE)
    found = params.read(written(tmp_path, DIVE)).values
    instants = {name: value for name, value in found.items() if name.endswith(("_of", "_start"))}
    assert set(instants.values()) == {
        "2026-04-10T04:00:00+00:00", "2026-03-02T05:00:00+00:00", "2026-02-02T05:00:00+00:00",
    }  # fmt: skip
    assert {name: found[name] for name in DIVE if name not in instants} == {
        name: value for name, value in DIVE.items() if name not in instants
    } | {"window_end": "2026-03-30T04:00:00+00:00", "compare_from": "2026-03-16T04:00:00+00:00"}
    assert params.schema(NOTEBOOK).from_notebook(found).to_plain() == found
    assert jsonschema.Draft7Validator(params.json_schema(NOTEBOOK)).is_valid(DIVE)


def test_every_role_has_a_source_that_tells_its_columns() -> None:
    fields = params.AbuseDeepDiveParams.model_fields
    assert {name for name in fields if name.endswith("_source")} == {f"{r}_source" for r in ROLES}
    assert "source" not in fields
    for role, columns in TABLES.items():
        told = fields[f"{role}_source"].description or ""
        for name in columns:
            like_labels = role == "view_labels" and name in TABLES["labels"]
            assert re.search(rf"\b{name}\b", told) or like_labels, (role, name)


def test_query_and_spec_carry_the_params(tmp_path: Path) -> None:
    asked = load(tmp_path, DIVE)
    query, spec = asked.query(), asked.spec()
    assert query.sources == {role: DIVE[f"{role}_source"] for role in ROLES}
    said = {name for name in DIVE if not name.endswith("_source")} - {"title", "owner"}
    for name in said - {"window_start", "window_end", "harms", "harm_unit"}:
        places = [each for each in (query, spec) if hasattr(each, name)]
        assert places, name
        assert {getattr(each, name) for each in places} == {getattr(asked, name)}
    assert query.window == spec.window
    assert (query.window.start, query.window.end) == (asked.window_start, asked.window_end)
    assert spec.taxonomy == harms.taxonomy({"unit": "points of harm", "harms": DIVE["harms"]})


def test_what_is_not_asked_for_is_not_there(tmp_path: Path) -> None:
    asked = load(tmp_path, FEW)
    query, spec = asked.query(), asked.spec()
    assert query.sources == {"items": "data/items.csv"}
    assert (query.history_start, spec.history_start) == (asked.window_start, asked.window_start)
    assert (spec.taxonomy, spec.thresholds, spec.segments, query.policy) == (None, (), (), None)
    assert (query.control_sources, query.confirming_sources, query.report_reasons) == ((), (), ())
    assert (spec.area, spec.view_value_usd, spec.item_value_usd) == ("abuse", None, None)


@pytest.mark.parametrize(
    ("end", "middle"),
    [
        ("2026-03-30T05:00:00+00:00", "2026-03-16T05:00:00+00:00"),
        ("2026-03-09T05:00:00+00:00", "2026-03-05T17:00:00+00:00"),
        ("2026-03-03T05:00:00+00:00", "2026-03-02T17:00:00+00:00"),
        ("2026-03-03T08:59:59+00:00", "2026-03-02T18:00:00+00:00"),
    ],
)
def test_the_middle_is_whole_hours_after_the_start(tmp_path: Path, end: str, middle: str) -> None:
    """So that it is a whole hour on the reader's clock wherever the window's start is one."""
    asked = load(tmp_path, FEW | {"window_end": end})
    assert asked.query().compare_from == asked.spec().compare_from == datetime.fromisoformat(middle)
    assert asked.to_plain()["compare_from"] is None
    india = load(tmp_path, FEW | {"window_start": "2026-03-02T00:00:00+05:30"})
    assert (india.query().compare_from - india.window_start) % timedelta(hours=1) == timedelta(0)


def test_history_may_begin_with_the_window(tmp_path: Path) -> None:
    asked = load(tmp_path, FEW | {"history_start": FEW["window_start"]})
    assert asked.query().history_start == datetime(2026, 3, 2, 5, tzinfo=UTC)


def test_one_source_may_play_several_roles(tmp_path: Path) -> None:
    asked = load(tmp_path, FEW | {"scores_source": FEW["items_source"], "thresholds": [1, 2]})
    assert asked.query().sources == {"items": "data/items.csv", "scores": "data/items.csv"}
    assert asked.spec().thresholds == (1.0, 2.0)


def test_choices_are_the_rooms() -> None:
    ours = typing.get_args(abuse_fields.CountedIn)
    assert set(ours) < set(typing.get_args(harms.CountedIn))
    item = params.json_schema(NOTEBOOK)["properties"]["harms"]["items"]
    assert item["properties"]["counted_in"]["enum"] == list(ours)


def test_params_are_made_from_the_values_of_others(tmp_path: Path) -> None:
    asked = load(tmp_path, DIVE)
    again = type(asked)(**{name: getattr(asked, name) for name in type(asked).model_fields})
    assert again == asked


def test_keys_are_those_of_the_tables() -> None:
    """No column that a table has for telling one thing from another may be a segment."""
    columns = {(name, column.kind) for table in TABLES.values() for name, column in table.items()}
    assert {name for name, kind in columns if kind == "key"} <= abuse_fields.KEYS
    for name in {*TABLES["items"], *TABLES["accounts"]} - {"kind"}:
        with pytest.raises(PydanticCustomError):
            abuse_fields.segment_names([name])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"items_source": None}, "items_source: needs text, not nothing"),
    ({"views_source": "https://host/x"}, "views_source: needs a file or a table, and got"),
    ({"ledger_source": 3}, "ledger_source: needs text, not a whole number"),
    ({"window_start": "2026-03-02"}, "window_start: '2026-03-02' is naive"),
    ({"window_end": "2026-03-02T00:00:00-05:00"}, "window_end: is not after window_start"),
    ({"window_end": "2026-03-02T23:00:00-05:00"}, "window_end: is less than a day after"),
    ({"as_of": "2026-03-29T00:00:00-04:00"}, "window_end: (2026-03-30T04:00:00+00:00) is after"),
    ({"history_start": "2026-03-02T00:00:01-05:00"}, "history_start: is after window_start"),
    ({"compare_from": DIVE["window_start"]}, "compare_from: is not after window_start"),
    ({"compare_from": DIVE["window_end"]}, "compare_from: is not before window_end"),
    ({"area": "x" * 41}, "area: is longer than 40"),
    ({"area": ""}, "area: is empty"),
    ({"policy": 3}, "policy: needs text"),
    ({"area": "ada@host.example"}, "area: looks like an identifier of a person"),
    ({"policy": "192.0.2.17", "harms": []}, "policy: looks like an identifier of a person"),
    ({"segments": "market"}, "segments: needs a list of texts, not text"),
    ({"segments": None}, "segments: needs a list of texts, not nothing"),
    ({"segments": ["market", 3]}, "segments: item 2 is a whole number"),
    ({"segments": ["market", ""]}, "segments: item 2 is empty"),
    ({"segments": [" market"]}, "segments: item 1 has blanks at its ends"),
    ({"segments": ["a\nb"]}, "segments: item 1 holds a line break"),
    ({"segments": ["x" * 81]}, "segments: item 1 is longer than 80"),
    ({"segments": ["market", "kind", "market"]}, "segments: item 3 is the same as item 1"),
    ({"segments": [f"s{i}" for i in range(9)]}, "segments: has more than 8 items"),
    ({"segments": ["market", "account_id"]}, "segments: item 2 names a column that tells single"),
    ({"segments": ["Device_Hash"]}, "segments: item 1 names a column that tells single"),
    ({"segments": ["email"]}, "segments: item 1 names a column that tells single"),
    ({"segments": ["url_domain"]}, "segments: item 1 names a column that tells single"),
    ({"segments": ["stratum"]}, "segments: item 1 is a name that the report needs"),
    ({"segments": ["control:rule"]}, "segments: item 1 is a name that the report needs"),
    ({"control_sources": ["a", "a"]}, "control_sources: item 2 is the same as item 1"),
    ({"control_sources": [str(i) for i in range(51)]}, "control_sources: has more than 50"),
    ({"confirming_sources": ["a@b"]}, "confirming_sources: item 1 looks like an identifier"),
    ({"report_reasons": {"a": 1}}, "report_reasons: needs a list of texts, not a mapping"),
    ({"harms": HARM}, "harms: needs a list of harm types, not a mapping"),
    ({"harms": ["scam"]}, "harms: item 1: names and values are needed"),
    ({"harms": [HARM | {"wieght": 1}]}, "harms: item 1: an unknown name"),
    ({"harms": [{"name": "scam"}]}, "harms: item 1: policies is missing"),
    ({"harms": [HARM | {"policies": []}]}, "harms: item 1, policies: a list of at least one"),
    ({"harms": [HARM | {"severity": 0}]}, "harms: item 1: severity is above 0"),
    ({"harms": [HARM | {"severity": "3"}]}, "harms: item 1: severity is a number"),
    ({"harms": [HARM | {"counted_in": "people"}]}, "harms: item 1: counted_in is one of"),
    ({"harms": [HARM | {"counted_in": "usd"}]}, "harms: item 1 is counted in usd, and of each"),
    ({"harms": [HARM, HARM]}, "harms: harm type 2: a harm type is given twice"),
    (
        {"harms": [HARM, HARM | {"name": "other"}]},
        "harms: policy 3: a policy is given twice",
    ),
    ({"harms": [HARM | {"name": "a\nb"}]}, "harms: item 1, name holds a line break"),
    ({"harms": [HARM | {"policies": ["scam", "a@b"]}]}, "item 1, policies looks like an ident"),
    ({"harms": [HARM | {"policies": ["spam"]}]}, "harms: name no harm type for the policy"),
    ({"harms": [{"name": str(i), "policies": [str(i)]} for i in range(51)]}, "more than 50 items"),
    ({"harm_unit": None}, "harm_unit: needs text"),
    ({"thresholds": 0.5}, "thresholds: needs a list of numbers, not a number"),
    ({"thresholds": [0.5, "0.7"]}, "thresholds: item 2 is text"),
    ({"thresholds": [True]}, "thresholds: item 1 is true/false"),
    ({"thresholds": [0.7, 0.5]}, "thresholds: item 2 is not above item 1"),
    ({"thresholds": [0.5, 0.5]}, "thresholds: item 2 is not above item 1"),
    ({"thresholds": [1e10]}, "thresholds: item 1 is not between"),
    ({"thresholds": [i / 60 for i in range(51)]}, "thresholds: has more than 50 items"),
    ({"view_value_usd": -1}, "view_value_usd: -1 must be at least 0"),
    ({"item_value_usd": "4"}, "item_value_usd: needs a number, not text"),
    ({"view_labels_source": "x", "views_source": None, "harms": []}, "view_labels_source: is set"),
    ({"views_source": None, "view_labels_source": None}, "harms: is set, and views_source is null"),
    ({"scores_source": None}, "thresholds: is set, and scores_source is null"),
    ({"reports_source": None}, "report_reasons: is set, and reports_source is null"),
    (
        {"actions_source": None, "control_sources": [], "confirming_sources": []},
        "appeals_source: is set, and actions_source is null",
    ),
    (
        {"actions_source": None, "appeals_source": None, "confirming_sources": []},
        "control_sources: is set, and actions_source is null",
    ),
    (
        {"actions_source": None, "appeals_source": None, "control_sources": []},
        "confirming_sources: is set, and actions_source is null",
    ),
    (
        {"labels_source": None, "view_labels_source": None, "gold_source": None},
        "policy: is set, and no source of labels is",
    ),
]


@pytest.mark.parametrize(("changes", "words"), BAD)
def test_one_message_for_one_fault(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    error = refused(tmp_path, DIVE | changes)
    assert words in str(error)
    assert "problems in" not in str(error)
    assert "line " in str(error.where)
    assert error.next_step


def test_what_names_somebody_is_not_repeated(tmp_path: Path) -> None:
    for name in ("area", "policy"):
        assert "ada" not in str(refused(tmp_path, FEW | {name: "ada@host.example"}))
    for name in ("segments", "control_sources", "report_reasons"):
        assert "ada" not in str(refused(tmp_path, DIVE | {name: ["ada@host.example"]}))
    secret = [{"name": "ada@host.example", "policies": ["scam"]}]
    assert "ada" not in str(refused(tmp_path, DIVE | {"harms": secret}))


@pytest.mark.parametrize("role", ["accounts", "gold", "links", "ledger", "labels", "appeals"])
def test_a_role_that_none_needs_may_be_missing(tmp_path: Path, role: str) -> None:
    asked = load(tmp_path, DIVE | {f"{role}_source": None})
    assert set(asked.query().sources) == set(ROLES) - {role}


def test_misspelt_names_find_the_right_one_and_nothing_else_is_said(tmp_path: Path) -> None:
    for name in DIVE:
        wrong = name[:1] + name[2:]
        content = {wrong if key == name else key: value for key, value in DIVE.items()}
        error = refused(tmp_path, content)
        assert error.nearest == name
        assert "problems in" not in str(error), name


def test_a_misspelt_part_of_a_harm_type_finds_the_right_one(tmp_path: Path) -> None:
    assert refused(tmp_path, DIVE | {"harms": [HARM | {"polices": 1}]}).nearest == "policies"
    people = DIVE | {"harms": [HARM | {"counted_in": "view"}]}
    assert refused(tmp_path, people).nearest == "views"
    assert refused(tmp_path, DIVE | {"policy": "scams"}).nearest == "scam"


def test_what_is_left_out_of_a_harm_type_is_the_same_question(tmp_path: Path) -> None:
    short = {"name": "spam", "policies": ["spam"]}
    whole = short | {"severity": 1.0, "counted_in": "items"}
    asked = [params.read(written(tmp_path, FEW | {"harms": [each]})) for each in (short, whole)]
    assert asked[0].sha256 == asked[1].sha256
    assert asked[0].values["harms"] == [whole]


def test_set_on_the_command_line(tmp_path: Path) -> None:
    found = params.read(
        written(tmp_path, FEW),
        [
            "segments=[market]",
            "scores_source=scores",
            "thresholds=[0.5, 0.8]",
            "harms=[{name: spam, policies: [spam], severity: 2}]",
            "compare_from=2026-03-20T00:00:00Z",
        ],
    ).values
    assert (found["segments"], found["thresholds"]) == (["market"], [0.5, 0.8])
    assert found["harms"][0] == {
        "name": "spam", "policies": ["spam"], "severity": 2.0, "counted_in": "items",
    }  # fmt: skip
    assert found["compare_from"] == "2026-03-20T00:00:00+00:00"


def test_stock_papermill_pastes_what_is_meant(tmp_path: Path) -> None:
    """Its own reading of the file, as literals in a cell of their own, with its first line."""
    path = written(tmp_path, DIVE)
    values = yaml.safe_load(path.read_text("utf-8"))
    cell = "# Parameters\n" + "".join(f"{name} = {value!r}\n" for name, value in values.items())
    there = {"items_source": "other.csv", "gold_source": "the notebook's own example"}
    namespace: dict[str, Any] = {**there, **values, "In": ["", "items_source = 'other.csv'", cell]}
    asked = params.AbuseDeepDiveParams.from_notebook(namespace)
    assert asked.to_plain() == params.read(path).values
    namespace["In"][2] += "surce = 'x'\n"
    with pytest.raises(Refusal, match="'surce' is not a parameter"):
        params.AbuseDeepDiveParams.from_notebook(namespace | {"surce": "x"})


def test_the_schema_of_editors_refuses_too() -> None:
    check = jsonschema.Draft7Validator(params.json_schema(NOTEBOOK))
    for changes in (
        {"segments": "market"}, {"segments": ["a", "a"]}, {"segments": [""]}, {"source": "x.csv"},
        {"harms": ["scam"]}, {"harms": [{"name": "x"}]}, {"harms": [HARM | {"severity": 0}]},
        {"harms": [HARM | {"counted_in": "people"}]}, {"harms": [HARM | {"wieght": 1}]},
        {"thresholds": ["0.5"]}, {"thresholds": [0.5, 0.5]}, {"items_source": None},
        {"window_start": "2026-03-02"},
    ):  # fmt: skip
        assert not check.is_valid(DIVE | changes), changes
    assert check.is_valid(FEW)


def test_a_new_file_shows_what_to_edit_and_is_valid(tmp_path: Path) -> None:
    path = params.new(NOTEBOOK, "my-scam", tmp_path)
    assert params.read(path).values["items_source"] == "data/my-items.csv"
    text = path.read_text("utf-8")
    head = set(re.findall(r"^(\w+): ", text.split("# --- The rest")[0], re.MULTILINE))
    assert head == {
        "title", "owner", "items_source", "window_start", "window_end", "area", "policy",
        "accounts_source", "views_source", "scores_source", "labels_source", "actions_source",
        "segments",
    }  # fmt: skip


def test_the_command_explains_the_parameters() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trustlib", "params", NOTEBOOK],
        cwd=ROOT, env={"COLUMNS": "200", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in DIVE:
        assert re.search(rf"^ ?{name}\b", done.stdout, re.MULTILINE), name
    for words in ("list of mapping", "list of number", "list of text", "instant or null"):
        assert words in done.stdout


def test_a_file_without_harm_types_loads_no_arrays() -> None:
    code = (
        "import sys; from trustlib import params; "
        f"params.read('params/{NOTEBOOK}/example.yaml'); "
        "print([m for m in ('pandas', 'numpy', 'duckdb', 'ibis') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_that_are_here_are_valid(path: Path) -> None:
    found = params.read(path, notebook=NOTEBOOK)
    written = yaml.safe_load(path.read_text("utf-8"))
    assert jsonschema.Draft7Validator(params.json_schema(NOTEBOOK)).is_valid(written)
    for name, value in written.items():
        assert found.values[name] == value, name
    assert isinstance(found.params, params.AbuseDeepDiveParams)


def test_the_example_asks_all_that_there_is() -> None:
    asked = params.load(ROOT / "params" / NOTEBOOK / "example.yaml")
    assert isinstance(asked, params.AbuseDeepDiveParams)
    assert set(asked.query().sources) == set(ROLES)
