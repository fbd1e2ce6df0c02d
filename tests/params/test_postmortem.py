"""What a postmortem may be asked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.params.conftest import VALID, as_yaml
from trustlib import params
from trustlib.core import Refusal
from trustlib.data.incident_records import TABLES
from trustlib.incidents import SizingResult
from trustlib.params import postmortem as ours
from trustlib.params import postmortem_fields, postmortem_places, postmortem_rules
from trustlib.postmortem import measures
from trustlib.postmortem import spec as room
from trustlib.postmortem.result import Postmortem

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = "incident_postmortem"
ACTION: dict[str, Any] = {
    "title": "Replay rules before they go live",
    "type": "prevent",
    "owner": "Rules",
    "due": "2015-03-15",
    "check": "No rule goes live without a replay",
    "status": "open",
    "link": "https://tickets.example/42",
}
RULE = {"severity": "SEV1", "measure": "false_positives", "at_least": 1000.0}
ALERT = {"name": "trips an hour", "kind": "threshold", "value": 60.0, "status": "existing"}
ENTRY = {"at": "2015-01-26T14:20:00-05:00", "event": "roads were closed", "link": "log/1.html"}
RECORD: dict[str, Any] = VALID | {
    "count_column": None,
    "event_id_column": "action_id",
    "affected_source": "data/cases.csv",
    "labels_source": "labels",
    "views_source": "views",
    "views_share": 0.05,
    "arrivals_source": "data/arrivals.sql",
    "change_log_source": "change_log",
    "segments": ["market"],
    "first_signal_at": "2015-01-26T13:00:00-05:00",
    "declared_at": "2015-01-26T13:00:00-05:00",
    "mitigated_at": "2015-01-27T12:00:00-05:00",
    "recovered_at": "2015-01-28T09:00:00-05:00",
    "status": "closed",
    "timeline": [ENTRY],
    "actions": [ACTION, ACTION | {"title": "Tell drivers", "type": "process", "status": "done"}],
    "severity_rules": [RULE, {"severity": "SEV2", "measure": "excess", "at_least": 5.0}],
    "alerts": [ALERT, {"name": "c", "kind": "cusum", "value": 5.0, "status": "proposed"}],
    "false_alarms_per_week": 0.5,
    "change_hours": 12.0,
    "affected_segments": ["Manhattan"],
    "currency": "EUR",
    "usd_rate": 1.1,
    "lists_folder": "restricted/snow",
    "previous_results": "old/results.json",
}
FEW = {name: VALID[name] for name in ("source", "time_column", "incident_start", "incident_end")}
ROLES = tuple(TABLES)


def written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "params" / NOTEBOOK / "snow.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_yaml(content), encoding="utf-8")
    return path


def load(folder: Path, content: dict[str, Any]) -> params.IncidentPostmortemParams:
    asked = params.load(written(folder, content))
    assert isinstance(asked, params.IncidentPostmortemParams)
    return asked


def refused(folder: Path, content: dict[str, Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        params.read(written(folder, content))
    return caught.value


def test_the_valid_file_names_every_parameter(tmp_path: Path) -> None:
    assert set(params.schema(NOTEBOOK).model_fields) == set(RECORD)
    found = params.read(written(tmp_path, RECORD)).values
    json.dumps(found, allow_nan=False)
    whole = {name for name in RECORD if name not in VALID} - set(ours.STAMPS) - {"timeline"}
    assert {name: found[name] for name in whole} == {name: RECORD[name] for name in whole}
    assert found["recovered_at"] == "2015-01-28T14:00:00+00:00"
    assert found["timeline"] == [ENTRY | {"at": "2015-01-26T19:20:00+00:00"}]
    assert found["actions"][0]["due"] == "2015-03-15"
    assert params.schema(NOTEBOOK).from_notebook(found).to_plain() == found
    check = jsonschema.Draft7Validator(params.json_schema(NOTEBOOK))
    assert check.is_valid(RECORD)
    assert check.is_valid(found)


def test_every_role_has_a_source_that_tells_its_columns() -> None:
    fields = params.IncidentPostmortemParams.model_fields
    assert {name for name in fields if name.endswith("_source")} == {f"{r}_source" for r in ROLES}
    for role, columns in TABLES.items():
        told = fields[f"{role}_source"].description or ""
        for name in columns:
            assert re.search(rf"\b{name}\b", told), (role, name)


def test_names_of_the_tables_are_no_segments() -> None:
    keys = {name for table in TABLES.values() for name, column in table.items()
            if column.kind == "key"}  # fmt: skip
    for name in keys | set(TABLES["affected"]):
        with pytest.raises(Exception, match="refused"):
            postmortem_places.case_segments([name])


def test_choices_are_the_rooms() -> None:
    for mine, theirs in (
        (postmortem_fields.ActionType, room.ActionType),
        (postmortem_fields.ActionStatus, room.ActionStatus),
        (postmortem_rules.AlertKind, room.AlertKind),
        (postmortem_rules.AlertStatus, room.AlertStatus),
        (params.IncidentPostmortemParams.model_fields["status"].annotation, room.Status),
    ):
        assert typing.get_args(mine) == typing.get_args(theirs)
    assert tuple(room.Stamps.__dataclass_fields__) == ours.STAMPS


def test_measures_are_the_estimates_that_are_promised() -> None:
    def told(record: type, after: str, until: str) -> list[str]:
        text = (record.__doc__ or "").split(after, 1)[1].split(until, 1)[0]
        return [word for word in re.findall(r"[a-z]+(?:_[a-z0-9]+)*", text)
                if "_" in word or word in ("actual", "expected", "excess")]  # fmt: skip

    assert told(SizingResult, "estimates\n", "with a unit cost") == list(measures.SIZING)
    more = told(Postmortem, "excess_80", "Each is there")
    assert ["excess_80", *more] == list(measures.MEASURES[len(measures.SIZING) :])
    rules = params.json_schema(NOTEBOOK)["properties"]["severity_rules"]["items"]
    assert rules["properties"]["measure"]["enum"] == list(measures.MEASURES)


def test_queries_and_spec_carry_the_params(tmp_path: Path) -> None:
    asked = load(tmp_path, RECORD)
    counts, affected, spec = asked.counts_query(), asked.affected_query(), asked.spec()
    assert (counts.event_id_column, counts.count_column) == ("action_id", None)
    assert counts.incident_start == affected.window.start == spec.sizing.incident.start
    assert affected.sources == {role: RECORD[f"{role}_source"] for role in ROLES}
    assert (affected.connection, affected.timezone) == ("WAREHOUSE_URL", "America/New_York")
    assert (affected.segments, affected.currency) == (("market",), "EUR")
    assert affected.as_of == asked.as_of
    assert spec.stamps.recovered_at == datetime(2015, 1, 28, 14, tzinfo=UTC)
    assert spec.stamps.first_signal_at == spec.stamps.declared_at == asked.declared_at
    assert spec.timeline[0].event == "roads were closed"
    assert spec.actions[0] == room.ActionItem(**ACTION | {"due": date(2015, 3, 15)})
    assert spec.severity_rules[0] == room.SeverityRule(**RULE)
    assert spec.alerts[0] == room.Alert(**ALERT)
    assert (spec.status, spec.usd_rate, spec.sizing.unit_label) == ("closed", 1.1, "trips")
    assert (spec.affected_segments, spec.segments) == (("Manhattan",), ("market",))
    assert (spec.false_alarms_per_week, spec.change_hours) == (0.5, 12.0)
    assert spec.views_share == 0.05


def test_what_is_not_asked_for_is_not_there(tmp_path: Path) -> None:
    asked = load(tmp_path, FEW)
    assert asked.counts_query().event_id_column is None
    assert asked.affected_query().sources == {}
    assert asked.spec() == room.PostmortemSpec(sizing=asked.spec().sizing)
    assert "event_id_column" not in params.IncidentSizingParams.model_fields


def test_a_dollar_is_a_dollar(tmp_path: Path) -> None:
    asked = load(tmp_path, FEW | {"currency": "USD"})
    assert (asked.usd_rate, asked.spec().usd_rate) == (None, 1.0)


def test_what_may_be_left_out_is_the_same_question(tmp_path: Path) -> None:
    short = {name: ACTION[name] for name in ("title", "type", "owner", "due", "check")}
    whole = short | {"status": "open", "link": ""}
    none = short | {"status": None, "link": None}
    asked = [params.read(written(tmp_path, FEW | {"actions": [x]})) for x in (short, whole, none)]
    assert len({each.sha256 for each in asked}) == 1
    assert asked[0].values["actions"] == [whole]


def test_the_day_of_the_incident_is_its_own_clocks(tmp_path: Path) -> None:
    """21:00 in New York is the next day in UTC: due on the local day is not before the start."""
    late = {
        "timezone": "America/New_York", "incident_start": "2015-01-26T21:00:00-05:00",
        "incident_end": "2015-01-28T00:00:00-05:00",
    }  # fmt: skip
    due = {"actions": [ACTION | {"due": "2015-01-26"}]}
    assert load(tmp_path, FEW | late | due).actions[0].due == date(2015, 1, 26)
    assert "before incident_start" in str(refused(tmp_path, FEW | late | due | {"timezone": "UTC"}))


def without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}


BEFORE = "2015-01-26T12:59:59-05:00"
BAD: list[tuple[dict[str, Any], str]] = [
    ({"count_column": "value"}, "event_id_column: is set, and so is count_column"),
    ({"event_id_column": 3}, "event_id_column: needs text"),
    ({"affected_source": "https://h/x"}, "affected_source: needs a file or a table"),
    (
        {"affected_source": None, "views_source": None, "views_share": None},
        "labels_source: is set, and affected_source",
    ),
    ({"affected_source": None, "labels_source": None}, "views_source: is set, and affected_source"),
    ({"views_source": None}, "views_share: is set, and views_source is null"),
    ({"views_share": 0}, "views_share: 0 must be greater than 0"),
    ({"views_share": 1.1}, "views_share: 1.1 must be at most 1"),
    ({"views_share": "5 %"}, "views_share: needs a number"),
    ({"segments": ["customer_id"]}, "segments: item 1 names a column that tells single"),
    ({"segments": ["dose"]}, "segments: item 1 is a name that the report needs"),
    ({"first_signal_at": "2015-01-26"}, "first_signal_at: '2015-01-26' is naive"),
    ({"first_signal_at": "2015-01-19T11:59:59-05:00"}, "is before 7 days before incident_start"),
    ({"declared_at": BEFORE}, "declared_at: (2015-01-26T17:59:59+00:00) is before first_signal_at"),
    ({"mitigated_at": BEFORE}, "mitigated_at: (2015-01-26T17:59:59+00:00) is before declared_at"),
    ({"recovered_at": BEFORE}, "recovered_at: (2015-01-26T17:59:59+00:00) is before mitigated_at"),
    (
        {"recovered_at": BEFORE, "mitigated_at": None},
        "recovered_at: (2015-01-26T17:59:59+00:00) is before declared_at",
    ),
    (
        {"mitigated_at": "2015-01-26T11:59:59-05:00", "first_signal_at": None, "declared_at": None},
        "mitigated_at: (2015-01-26T16:59:59+00:00) is before incident_start",
    ),
    (
        {"recovered_at": "2015-02-01T00:00:01-05:00"},
        "recovered_at: (2015-02-01T05:00:01+00:00) is after as_of (2015-02-01T05:00:00+00:00)",
    ),
    ({"recovered_at": None}, "status: is closed, and recovered_at is null"),
    ({"status": "close"}, "status: 'close' is not one of open, closed"),
    ({"timeline": ENTRY}, "timeline: needs a list of timeline entries, not a mapping"),
    ({"timeline": ["x"]}, "timeline: item 1 is text, and a timeline entry has an instant"),
    ({"timeline": [ENTRY, without(ENTRY, "at")]}, "timeline: item 2 has no at"),
    ({"timeline": [without(ENTRY, "event")]}, "timeline: item 1 has no event"),
    ({"timeline": [ENTRY | {"at": "2015-01-26T14:20:00"}]}, "timeline: item 1, at '2015-01-26T14:"),
    ({"timeline": [ENTRY | {"at": 3}]}, "timeline: item 1, at needs an instant with its offset"),
    ({"timeline": [ENTRY | {"event": ""}]}, "timeline: item 1, event is empty"),
    ({"timeline": [ENTRY | {"event": "a\nb"}]}, "timeline: item 1, event holds a line break"),
    ({"timeline": [ENTRY | {"event": "x" * 301}]}, "timeline: item 1, event is longer than 300"),
    ({"timeline": [ENTRY | {"link": "javascript:x"}]}, "timeline: item 1, link is neither a web"),
    ({"timeline": [ENTRY | {"link": "//host/x"}]}, "timeline: item 1, link is neither a web"),
    ({"timeline": [ENTRY | {"link": "/root/x"}]}, "timeline: item 1, link is neither a web"),
    ({"timeline": [ENTRY | {"link": "https://a b"}]}, "timeline: item 1, link is neither a web"),
    ({"timeline": [ENTRY | {"link": "https://u:p@h/x"}]}, "timeline: item 1, link is neither a"),
    ({"timeline": [ENTRY | {"link": 7}]}, "timeline: item 1, link needs text"),
    ({"timeline": [ENTRY] * 201}, "timeline: has more than 200 items"),
    ({"actions": "do it"}, "actions: needs a list of action items, not text"),
    ({"actions": [without(ACTION, "owner")]}, "actions: item 1 has no owner"),
    ({"actions": [without(ACTION, "due")]}, "actions: item 1 has no due"),
    ({"actions": [without(ACTION, "check")]}, "actions: item 1 has no check"),
    ({"actions": [without(ACTION, "title")]}, "actions: item 1 has no title"),
    ({"actions": [without(ACTION, "type")]}, "actions: item 1 has no type"),
    ({"actions": [ACTION | {"owner": ""}]}, "actions: item 1, owner is empty"),
    ({"actions": [ACTION | {"owner": "TBD"}]}, "actions: item 1, owner is a placeholder"),
    ({"actions": [ACTION | {"check": "n/a"}]}, "actions: item 1, check is a placeholder"),
    ({"actions": [ACTION | {"owner": "a@b"}]}, "actions: item 1, owner looks like an identifier"),
    ({"actions": [ACTION | {"type": "fix"}]}, "actions: item 1, type: 'fix' is not one of prevent"),
    ({"actions": [ACTION | {"due": "soon"}]}, "actions: item 1, due: 'soon' is not a date"),
    ({"actions": [ACTION | {"due": "2015-02-30"}]}, "actions: item 1, due: '2015-02-30' is not a"),
    ({"actions": [ACTION | {"due": 20150315}]}, "actions: item 1, due needs a date, not a whole"),
    (
        {"actions": [ACTION | {"due": "2015-01-25"}]},
        "actions: item 1, due (2015-01-25) is before incident_start (2015-01-26)",
    ),
    ({"actions": [ACTION | {"status": "doing"}]}, "actions: item 1, status: 'doing' is not one of"),
    ({"actions": [ACTION | {"status": ""}]}, "actions: item 1, status: '(empty)' is not one of"),
    ({"actions": [ACTION, ACTION]}, "actions: item 2 has the title of item 1"),
    ({"severity_rules": {"SEV1": 5}}, "severity_rules: needs a list of severity rules"),
    ({"severity_rules": [without(RULE, "at_least")]}, "severity_rules: item 1 has no at_least"),
    (
        {"severity_rules": [RULE | {"measure": "harm"}]},
        "severity_rules: item 1, measure: 'harm' is not known",
    ),
    (
        {"severity_rules": [RULE | {"at_least": "9"}]},
        "severity_rules: item 1, at_least needs a num",
    ),
    ({"severity_rules": [RULE | {"at_least": True}]}, "item 1, at_least needs a number"),
    ({"severity_rules": [RULE | {"at_least": 10**17}]}, "item 1, at_least must be a finite number"),
    ({"severity_rules": [RULE, RULE]}, "severity_rules: item 2 is the same as item 1"),
    ({"severity_rules": [RULE, RULE | {"severity": "SEV2"}]}, "item 2 never decides: wherever"),
    (
        {"severity_rules": [RULE | {"at_least": 10, "severity": "SEV2"}, RULE]},
        "severity_rules: item 2 never decides: wherever it holds, item 1 holds as well",
    ),
    ({"alerts": [ALERT | {"kind": "level"}]}, "alerts: item 1, kind: 'level' is not one of thresh"),
    ({"alerts": [ALERT | {"value": -1}]}, "alerts: item 1, value must be at least 0"),
    ({"alerts": [ALERT | {"kind": "cusum", "value": 0}]}, "alerts: item 1, value must be greater"),
    ({"alerts": [ALERT | {"status": "new"}]}, "alerts: item 1, status: 'new' is not one of exist"),
    ({"alerts": [ALERT, ALERT]}, "alerts: item 2 has the name of item 1"),
    ({"false_alarms_per_week": 0}, "false_alarms_per_week: 0 must be greater than 0"),
    ({"change_hours": 700}, "change_hours: 700 must be at most 672"),
    ({"segment_column": None}, "affected_segments: is set, and segment_column is null"),
    ({"currency": "EURO"}, "currency: is not a currency of three capital letters"),
    ({"currency": "€"}, "currency: is not a currency of three capital letters"),
    ({"usd_rate": None}, "usd_rate: is null, and currency is EUR"),
    ({"currency": None}, "usd_rate: is set, and currency is null"),
    ({"currency": "USD"}, "usd_rate: is 1.1, and currency is USD"),
    ({"usd_rate": 0}, "usd_rate: 0 must be greater than 0"),
    ({"lists_folder": "reports/lists"}, "lists_folder: lies inside reports/"),
    ({"lists_folder": "x/../reports"}, "lists_folder: lies inside reports/"),
    ({"lists_folder": "../../elsewhere/Reports/x"}, "lists_folder: lies inside reports/"),
    ({"lists_folder": "."}, "lists_folder: is the folder that the command runs in"),
    ({"lists_folder": ".."}, "lists_folder: is the folder that the command runs in"),
    ({"lists_folder": "s3://bucket"}, "lists_folder: needs a path, and got an address"),
    ({"previous_results": "reports/old"}, "previous_results: is no path to a results.json"),
    ({"previous_results": "https://h/results.json"}, "previous_results: needs a path, and got"),
]


@pytest.mark.parametrize(("changes", "words"), BAD)
def test_one_message_for_one_fault(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    error = refused(tmp_path, RECORD | changes)
    assert words in str(error)
    assert "problems in" not in str(error)
    assert "line " in str(error.where)
    assert error.next_step


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, {1}, object(), b"x", [[]]])
def test_what_no_file_could_hold(value: Any) -> None:
    notebook = params.IncidentPostmortemParams
    for name in RECORD:
        with pytest.raises(Refusal):
            notebook.from_notebook(RECORD | {name: value})
    for name, item in (
        ("timeline", ENTRY), ("actions", ACTION), ("severity_rules", RULE), ("alerts", ALERT),
    ):  # fmt: skip
        for part in item:
            with pytest.raises(Refusal, match=f"item 1.*{part}"):
                notebook.from_notebook(RECORD | {name: [item | {part: value}]})


def test_a_rate_that_is_not_there_is_asked_for(tmp_path: Path) -> None:
    error = refused(tmp_path, FEW | {"currency": "EUR"})
    assert "usd_rate: is null, and currency is EUR" in str(error)
    assert error.next_step == "write how many dollars one EUR was, for example 1.08"


def test_a_link_into_the_reports_is_no_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "outside").symlink_to("reports")
    error = refused(tmp_path, FEW | {"lists_folder": "outside/lists"})
    assert "lists_folder: lies inside reports/" in str(error)


def test_what_names_somebody_or_opens_a_door_is_not_repeated(tmp_path: Path) -> None:
    for changes in (
        {"actions": [ACTION | {"owner": "ada@host.example"}]},
        {"actions": [ACTION | {"title": "ask ada@host.example"}]},
        {"timeline": [ENTRY | {"event": "ada@host.example saw it"}]},
        {"timeline": [ENTRY | {"link": "https://ada:x@host.example"}]},
        {"alerts": [ALERT | {"name": "ada@host.example"}]},
        {"severity_rules": [RULE | {"severity": "ada@host.example"}]},
        {"lists_folder": "s3://ada:x@host.example"},
    ):
        assert "ada" not in str(refused(tmp_path, RECORD | changes)), changes


def test_misspelt_names_find_the_right_one_and_nothing_else_is_said(tmp_path: Path) -> None:
    for name in RECORD:
        wrong = name[:1] + name[2:]
        content = {wrong if key == name else key: value for key, value in RECORD.items()}
        error = refused(tmp_path, content)
        assert error.nearest == name
        assert "problems in" not in str(error), name


def test_misspelt_parts_and_values_find_the_right_one(tmp_path: Path) -> None:
    for changes, nearest in (
        ({"severity_rules": [RULE | {"measure": "false_postives"}]}, "false_positives"),
        ({"severity_rules": [RULE | {"meassure": "excess"}]}, "measure"),
        ({"actions": [ACTION | {"type": "prevnt"}]}, "prevent"),
        ({"actions": [without(ACTION, "owner") | {"ownr": "Rules"}]}, "owner"),
        ({"alerts": [ALERT | {"kind": "rate-of-change"}]}, "rate_of_change"),
        ({"timeline": [ENTRY | {"lnk": "x"}]}, "link"),
        ({"status": "clsed"}, "closed"),
        ({"currency": "eur"}, "EUR"),
    ):
        assert refused(tmp_path, RECORD | changes).nearest == nearest


def test_dates_without_quotes_are_text_to_every_reader(tmp_path: Path) -> None:
    path = written(tmp_path, FEW)
    lines = "".join(f"\n    {name}: {value}" for name, value in ACTION.items())
    path.write_text(path.read_text("utf-8") + f"actions:\n  - {lines.strip()}\n", "utf-8")
    assert params.read(path).values["actions"] == [ACTION]


def test_set_on_the_command_line(tmp_path: Path) -> None:
    rule = "severity_rules=[{severity: SEV1, measure: excess, at_least: 10}]"
    found = params.read(written(tmp_path, FEW), [rule, "currency=EUR", "usd_rate=1.1"]).values
    assert found["severity_rules"] == [{"severity": "SEV1", "measure": "excess", "at_least": 10.0}]
    assert (found["currency"], found["usd_rate"]) == ("EUR", 1.1)


def test_stock_papermill_pastes_what_is_meant(tmp_path: Path) -> None:
    from papermill.iorw import read_yaml_file
    from papermill.translators import PythonTranslator

    path = written(tmp_path, RECORD)
    cell = PythonTranslator.codify(read_yaml_file(str(path)), "Parameters")
    assert cell.startswith("# Parameters\n")
    namespace: dict[str, Any] = {"source": "other.csv", "currency": "SEK"}
    exec(cell, namespace)
    namespace["In"] = ["", "source = 'other.csv'\ncurrency = 'SEK'", cell]
    asked = params.IncidentPostmortemParams.from_notebook(namespace)
    assert asked.to_plain() == params.read(path).values
    again = PythonTranslator.codify(asked.to_plain(), "Parameters")
    exec(again, namespace)
    namespace["In"][2] = again
    assert params.IncidentPostmortemParams.from_notebook(namespace) == asked


def test_params_are_made_from_the_values_of_others(tmp_path: Path) -> None:
    asked = load(tmp_path, RECORD)
    assert type(asked)(**{name: getattr(asked, name) for name in type(asked).model_fields}) == asked


def test_the_schema_of_editors_refuses_too() -> None:
    check = jsonschema.Draft7Validator(params.json_schema(NOTEBOOK))
    for changes in (
        {"timeline": [without(ENTRY, "at")]}, {"actions": [without(ACTION, "owner")]},
        {"actions": [ACTION | {"due": "soon"}]}, {"actions": [ACTION | {"type": "fix"}]},
        {"severity_rules": [RULE | {"measure": "harm"}]}, {"alerts": [ALERT | {"kind": "x"}]},
        {"alerts": [ALERT | {"value": -1}]}, {"currency": "eur"}, {"usd_rate": 0},
        {"status": "over"}, {"declared_at": "2015-01-26"}, {"segments": ["a", "a"]},
    ):  # fmt: skip
        assert not check.is_valid(RECORD | changes), changes
    assert check.is_valid(FEW)


def test_a_new_file_shows_what_to_edit_and_is_valid(tmp_path: Path) -> None:
    path = params.new(NOTEBOOK, "my-incident", tmp_path)
    found = params.read(path)
    assert found.values["status"] == "open"
    text = path.read_text("utf-8")
    head = set(re.findall(r"^(\w+): ", text.split("# --- The rest")[0], re.MULTILINE))
    assert head == {
        "title", "owner", "source", "time_column", "incident_start", "incident_end",
        *params.IncidentPostmortemParams.edit_first,
    }  # fmt: skip
    assert "# What is to be done, each as {title:" in text


def test_a_file_of_both_names_is_a_sizing_where_nothing_more_is_asked(tmp_path: Path) -> None:
    for content, notebook in ((FEW, "incident_sizing"), (RECORD, NOTEBOOK)):
        path = tmp_path / "snow.yaml"
        path.write_text(as_yaml(content), "utf-8")
        assert params.read(path).notebook == notebook


def test_a_file_loads_no_arrays(tmp_path: Path) -> None:
    path = written(tmp_path, RECORD)
    code = (
        "import sys; from trustlib import params; "
        f"params.read({str(path)!r}); "
        "print([m for m in ('pandas', 'numpy', 'duckdb', 'ibis') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
