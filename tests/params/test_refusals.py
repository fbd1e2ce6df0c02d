"""Every parameter, every fault: refused, with the line and the right suggestion."""

from __future__ import annotations

import pytest

from tests.params.conftest import VALID, Write, as_yaml
from trustlib import params
from trustlib.core import Refusal

NAMES = list(VALID)
INSTANTS = ["as_of", "incident_start", "incident_end", "history_start"]


def refused(write: Write, content: dict | str, overrides: tuple[str, ...] = ()) -> Refusal:
    with pytest.raises(Refusal) as caught:
        params.read(write(content), overrides)
    assert caught.value.exit_code == 2
    return caught.value


def renamed(name: str, wrong: str) -> dict:
    return {wrong if key == name else key: value for key, value in VALID.items()}


def line_of(name: str) -> str:
    return f"line {NAMES.index(name) + 1}"


def misspellings(name: str) -> set[str]:
    dropped = {name[:i] + name[i + 1 :] for i in range(len(name))}
    swapped = {
        name[:i] + name[i + 1] + name[i] + name[i + 2 :]
        for i in range(len(name) - 1)
        if name[i] != name[i + 1]
    }
    return {word for word in dropped | swapped if word.strip("_")} - {name}


def test_the_valid_file_names_every_parameter(write: Write) -> None:
    assert list(params.IncidentSizingParams.model_fields) == NAMES
    found = params.read(write(VALID)).values
    assert {name for name in NAMES if found[name] is None} == set()


@pytest.mark.parametrize("name", NAMES)
def test_dropped_and_swapped_letters(write: Write, name: str) -> None:
    for wrong in misspellings(name):
        error = refused(write, renamed(name, wrong))
        assert error.nearest == name, wrong
        assert error.where is not None
        assert error.where.endswith(line_of(name))
        assert repr(wrong) in error.what


@pytest.mark.parametrize("name", NAMES)
def test_wrong_case(write: Write, name: str) -> None:
    for wrong in {name.upper(), name.title(), name.title().replace("_", "")} - {name}:
        assert refused(write, renamed(name, wrong)).nearest == name


@pytest.mark.parametrize("name", NAMES)
def test_twice(write: Write, name: str) -> None:
    error = refused(write, as_yaml(VALID) + as_yaml({name: VALID[name]}))
    assert f"{name} is set twice, first on {line_of(name)}" in error.what


def test_extra_key(write: Write) -> None:
    error = refused(write, {**VALID, "colour": "red"})
    assert "'colour' is not a parameter of incident_sizing" in error.what
    assert error.where is not None
    assert error.where.endswith("line 21")


WRONG_KINDS = {
    "title": [3, True, None, [], {}, 1.5],
    "owner": [3, True, None, [], {}],
    "source": [3, True, None, [], {}],
    "connection": [3, True, [], {}],
    "timezone": [3, True, None, [], -5],
    "as_of": [20150201, True, [], {}, 1.5],
    "level": ["0.9", True, None, [], 95, 1, 0.5, 0, -0.9],
    "seed": ["7", True, None, 1.5, -1, 2**40],
    "time_column": [3, True, None, []],
    "count_column": [3, True, []],
    "segment_column": [3, True, []],
    "control_column": [3, True, []],
    "incident_start": [20150126, True, None, [], {}],
    "incident_end": [20150128, True, None, [], {}],
    "history_start": [20140701, True, [], {}],
    "bucket": [30, True, None, [], "30 min", "1w", "1H"],
    "exclude_windows": [
        "2014-11-27",
        True,
        None,
        3,
        {},
        [3],
        [[]],
        [["a"]],
        [[1, 2]],
        [[None] * 2],
    ],
    "direction": [1, True, None, [], "down", "Decrease"],
    "unit_label": [3, True, None, []],
    "unit_cost_usd": ["12.5", True, [], -0.01],
}


@pytest.mark.parametrize("name", NAMES)
def test_wrong_type_or_range(write: Write, name: str) -> None:
    for value in WRONG_KINDS[name]:
        error = refused(write, {**VALID, name: value})
        assert error.what.startswith(f"{name}: "), (value, error.what)
        assert error.where is not None
        assert error.where.endswith(line_of(name)), (value, str(error))
        assert error.next_step


TEXTS = [name for name, value in VALID.items() if isinstance(value, str) and name not in INSTANTS]


@pytest.mark.parametrize("name", TEXTS)
def test_empty_long_and_control_text(write: Write, name: str) -> None:
    for value in ("", "x" * 2000, "a\nb", "a\tb", "a\u202eb", " a", "\u0000"):
        assert refused(write, {**VALID, name: value}).what.startswith(f"{name}: ")


@pytest.mark.parametrize("name", INSTANTS)
def test_naive_instants_name_the_offset_to_write(write: Write, name: str) -> None:
    for wall, offset in (("2015-01-27T12:00:00", "-05:00"), ("2014-08-01T12:00", "-04:00")):
        error = refused(write, {**VALID, name: wall})
        assert "naive" in error.what
        assert error.next_step is not None
        assert wall[:16] in error.next_step
        assert offset in error.next_step
    assert "naive" in refused(write, {**VALID, name: "2015-01-27"}).what
    # Unquoted, as most people write it.
    text = as_yaml({**VALID, name: "@"}).replace('"@"', "2015-01-27 12:00:00")
    assert "naive" in refused(write, text).what


def test_naive_instants_in_windows(write: Write) -> None:
    error = refused(write, {**VALID, "exclude_windows": [["2014-11-27", "2014-11-28"]]})
    assert "naive" in error.what
    assert error.next_step == (
        'write "2014-11-27T00:00:00-05:00" if America/New_York time is meant'
    )


def test_naive_instants_at_clock_changes(write: Write) -> None:
    twice = refused(write, {**VALID, "history_start": "2014-11-02T01:30:00"})
    assert "came twice" in str(twice.next_step)
    assert "01:30:00-04:00" in str(twice.next_step)
    assert "01:30:00-05:00" in str(twice.next_step)
    never = refused(write, {**VALID, "history_start": "2014-03-09T02:30:00"})
    assert "never came" in str(never.next_step)


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "2015-13-01T00:00:00Z", "2015-02-30T00:00:00Z", "2015-01-26T25:00:00Z",
     "2015-01-26T12:00:00+99:00", "26/01/2015 12:00", "1015-01-26T12:00:00Z", "1422291600"],
)  # fmt: skip
@pytest.mark.parametrize("name", INSTANTS)
def test_impossible_instants(write: Write, name: str, text: str) -> None:
    assert refused(write, {**VALID, name: text}).what.startswith(f"{name}: ")


def test_reversed_windows(write: Write) -> None:
    swapped = {
        **VALID,
        "incident_start": VALID["incident_end"],
        "incident_end": VALID["incident_start"],
    }
    error = refused(write, swapped)
    assert error.what.startswith("incident_end: is not after incident_start")
    empty = {**VALID, "incident_end": VALID["incident_start"]}
    assert "reversed or empty" in refused(write, empty).what
    windows = [list(reversed(pair)) for pair in VALID["exclude_windows"]]
    assert "reversed or empty window" in refused(write, {**VALID, "exclude_windows": windows}).what
    windows = [[pair[0], pair[0]] for pair in VALID["exclude_windows"]]
    assert "reversed or empty window" in refused(write, {**VALID, "exclude_windows": windows}).what


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("history_start", "2015-01-26T12:00:00-05:00", "not before incident_start"),
        ("as_of", "2015-01-27T12:00:00-05:00", "is after as_of"),
        ("bucket", "1d", "longer than the incident window"),
        (
            "exclude_windows",
            [["2015-01-27T00:00:00-05:00", "2015-01-29T00:00:00-05:00"]],
            "overlaps the incident window",
        ),
    ],
)
def test_rules_across_parameters(write: Write, name: str, value: object, words: str) -> None:
    values = {**VALID, name: value}
    if name == "bucket":
        values["incident_end"] = "2015-01-26T18:00:00-05:00"
    error = refused(write, values)
    assert words in error.what
    assert error.next_step


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("America/New_Yrok", "America/New_York"),
        ("america/new_york", "America/New_York"),
        ("Europe/Belrin", "Europe/Berlin"),
        ("utc", "UTC"),
        ("Mars/Olympus", None),
    ],
)
def test_time_zones(write: Write, wrong: str, near: str | None) -> None:
    assert refused(write, {**VALID, "timezone": wrong}).nearest == near


def test_choices_name_the_nearest(write: Write) -> None:
    assert refused(write, {**VALID, "direction": "decreese"}).nearest == "decrease"
    assert refused(write, {**VALID, "bucket": "30mins"}).nearest == "30min"


@pytest.mark.parametrize("name", ["connection", "source"])
def test_a_pasted_address_is_never_repeated(write: Write, name: str) -> None:
    secret = "postgresql://ana:hunter2@db.example/prod"
    for content in ({**VALID, name: secret}, {**VALID, name: secret, "titel": "x", "level": 9}):
        assert "hunter2" not in str(refused(write, content))
        assert "ana" not in str(refused(write, content))
    assert "hunter2" not in str(refused(write, VALID, (f"{name}={secret}",)))


@pytest.mark.parametrize("name", ["source", "time_column", "incident_start", "incident_end"])
def test_missing(write: Write, name: str) -> None:
    error = refused(write, {key: value for key, value in VALID.items() if key != name})
    assert error.what.startswith(f"{name} is missing")
    assert error.next_step is not None
    assert f"{name}: " in error.next_step


def test_all_faults_at_once_in_the_order_of_lines(write: Write) -> None:
    values = {**VALID, "level": 95, "direction": "up", "timezone": "Nowhere"}
    values["incident_end"] = "2015-01-20T00:00:00-05:00"
    del values["time_column"]
    text = as_yaml(values).replace("seed:", "sed:") + "bucket: 1h\nowner: NO\n"
    message = str(refused(write, text, ("unit_cost_usd=-1",)))
    places = ["line 5: timezone", "line 7: level", "line 8: 'sed'", "line 13: incident_end",
              "line 17: direction", "line 20: bucket is set twice", "line 21: owner",
              "time_column is missing", "--set unit_cost_usd=…"]  # fmt: skip
    found = [message.find(place) for place in places]
    assert -1 not in found, message
    assert found == sorted(found)
    assert message.startswith(f"{len(places)} problems in ")


@pytest.mark.parametrize(
    "name", ["x=1;import os", "__import__('os')", "a b", "1st", "a.b", "a\nb", "", "class A:\n  x"]
)
def test_hostile_names(write: Write, name: str) -> None:
    import json

    error = refused(write, as_yaml(VALID) + f"{json.dumps(name)}: 1\n")
    assert "is not a parameter name" in error.what


@pytest.mark.parametrize("name", ["import", "__class__", "model_fields", "In", "params"])
def test_names_that_mean_something_elsewhere(write: Write, name: str) -> None:
    assert "is not a parameter" in refused(write, {**VALID, name: 1}).what


def test_the_day_on_which_the_clocks_go_forward_is_a_day(write: Write) -> None:
    values = {
        **VALID,
        "bucket": "1d",
        "as_of": None,
        "incident_start": "2025-03-09T00:00:00-05:00",
        "incident_end": "2025-03-10T00:00:00-04:00",
    }
    assert params.load(write(values)).bucket == "1d"
