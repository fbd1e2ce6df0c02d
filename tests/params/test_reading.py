"""YAML: what we accept, stock papermill reads as the same values; the rest is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.params.conftest import VALID, Write, as_yaml
from trustlib import params
from trustlib.core import Refusal
from trustlib.params.reading import entries, override, values

# Papermill's own reader: PyYAML without dates (papermill.iorw.NoDatesSafeLoader).


class PapermillLoader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's name and kind)
        key: [item for item in found if item[0] != "tag:yaml.org,2002:timestamp"]
        for key, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def test_the_loader_above_is_papermills() -> None:
    from papermill.iorw import NoDatesSafeLoader

    theirs, ours = (
        {key: [tag for tag, _ in found] for key, found in each.yaml_implicit_resolvers.items()}
        for each in (NoDatesSafeLoader, PapermillLoader)
    )
    assert theirs == ours


@pytest.mark.parametrize(
    "word",
    ["NO", "no", "yes", "On", "off", "010", "0o10", "0x1F", "0b1", "1_000", "12:30:00", "1:20",
     "1e5", "1.5e5", ".5e5", "1E-5", "+.5", ".inf", "-.Inf", ".nan", "=", "1__0", "0_1",
     "190:20:30.15", "+12:30", "-0x1F", "1,000", "1.0_0", "1.0e+999"],
)  # fmt: skip
def test_words_that_readers_disagree_on(word: str) -> None:
    _, problems = entries(f"owner: {word}\n")
    assert [problem.line for problem in problems] == [1]
    assert "quotes" in str(problems[0].next_step)
    _, problems = entries(f"a: [x, {word}]\n")
    assert problems or yaml.load(f"[x, {word}]", PapermillLoader) == ["x", 1, 0]


@pytest.mark.parametrize(
    ("text", "value"),
    [("null", None), ("~", None), ("", None), ("true", True), ("False", False), ("0", 0),
     ("-7", -7), ("+7", 7), ("1.5", 1.5), (".95", 0.95), ("1.", 1.0), ("1.5e+3", 1500.0),
     ("2015-01-26T12:00:00-05:00", "2015-01-26T12:00:00-05:00"), ("2015-01-26", "2015-01-26"),
     ("2015-01-26 12:00:00", "2015-01-26 12:00:00"), ('"NO"', "NO"), ("'010'", "010"),
     ("30min", "30min"), ("y", "y"), ("N", "N"), ("1h", "1h"), ("a b", "a b"), ("[1, x]", [1, "x"]),
     ("{start: a, end: b}", {"start": "a", "end": "b"})],
)  # fmt: skip
def test_words_that_all_readers_agree_on(text: str, value: object) -> None:
    found, problems = entries(f"x: {text}\n")
    assert problems == []
    assert values(found) == {"x": value}
    assert yaml.load(f"x: {text}\n", PapermillLoader) == {"x": value}


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "- 1\n", "just words\n", "a: !!python/object:os.system x\n", "a: !!str 1\n",
     "a: &x 1\nb: *x\n", "%YAML 1.1\n---\na: 1\n", "a: 1\n---\nb: 2\n", "a: [1\n", 'a: "x\n',
     "\ta: 1\n", "a: 1\n b: 2\n", "<<: {a: 1}\n", "? [a]\n: 1\n", "1: 2\n", "a: {b: 1, b: 2}\n",
     "a: \x00\n", "a: b\x85c\n", "a: \u2028\n", "a: " + "[" * 40 + "]" * 40, "a: " + "[" * 9000],
)  # fmt: skip
def test_what_a_flat_file_is_not(write: Write, text: str) -> None:
    assert entries(text)[1]
    with pytest.raises(Refusal):
        params.read(write(text))


def test_a_syntax_error_shows_its_line_and_not_its_content(write: Write) -> None:
    with pytest.raises(Refusal) as caught:
        params.read(write('title: x\nconnection: "hunter2\nlevel: [hunter2\n'))
    assert "hunter2" not in str(caught.value)
    assert "line " in str(caught.value.where)


PIECES = st.one_of(
    st.sampled_from(
        ["title", "level", "incident_start", ": ", ":", "\n", "  ", "- ", "[", "]", "{", "}", ",",
         '"', "'", "#", "&a", "*a", "!!int", "|\n", ">\n", "NO", "010", "1e5", "12:30:00", "~",
         "---\n", "...", "%", "<<", "? ", "@", "`", "\t", "2015-01-26T12:00:00-05:00", "0.9", "é",
         "\ufeff", "\x85", "\u2028", "\\x41", "\r\n", "\r"]
    ),
    st.text(max_size=4),
)  # fmt: skip


@settings(
    max_examples=400, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
@given(st.lists(PIECES, max_size=14).map("".join))
@example("a: b\r\nc: d")
@example("{a: 1}")
def test_any_text_is_read_alike_or_refused(text: str) -> None:
    found, problems = entries(text)
    if problems:
        return
    assert values(found) == yaml.load(text, PapermillLoader)


PLAIN = st.text(st.sampled_from("0123456789_.:-+eExXobaAfnNyY,~=< "), min_size=1, max_size=7)


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(PLAIN)
def test_any_plain_word_is_read_alike_or_refused(word: str) -> None:
    text = f"x: {word}\n"
    found, problems = entries(text)
    if not problems:
        theirs = yaml.load(text, PapermillLoader)
        assert values(found) == theirs
        assert [type(value) for value in values(found).values()] == [
            type(value) for value in theirs.values()
        ]


@settings(
    max_examples=300, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(st.data())
def test_any_file_is_a_params_file_or_a_refusal(write: Write, data: st.DataObject) -> None:
    lines = as_yaml(VALID).splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(st.lists(PIECES, max_size=8).map("".join)) + "\n"
    path = write("")
    path.write_bytes("".join(lines).encode("utf-8", "surrogatepass"))
    with contextlib.suppress(Refusal):
        json.dumps(params.read(path).values, allow_nan=False)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join)))
def test_any_override_is_read_or_refused(argument: str) -> None:
    name, entry, problems = override(argument)
    assert isinstance(name, str)
    assert (
        problems
        or entry.value is None
        or isinstance(entry.value, (bool, int, float, str, list, dict))
    )


@pytest.mark.parametrize(
    ("argument", "value"),
    [("x=0.9", 0.9), ("x=3", 3), ("x=null", None), ("x=", None), ("x=true", True), ("x=NO", "NO"),
     ("x=2015-01-26T12:00:00-05:00", "2015-01-26T12:00:00-05:00"), ("x=a: b # c", "a: b # c"),
     ('x="3"', "3"), ("x=[[a, b]]", [["a", "b"]]), ("x=a=b", "a=b")],
)  # fmt: skip
def test_overrides(argument: str, value: object) -> None:
    name, entry, problems = override(argument)
    assert (name, entry.value, problems) == ("x", value, [])


@pytest.mark.parametrize("argument", ["", "x", "=3", "x y=3", "x=010", "x=[1", "x=1e5", "x=a\x00"])
def test_overrides_that_are_refused(argument: str) -> None:
    assert override(argument)[2]
