"""Earlier results: read as they were published, or refused with the reason."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from trustlib.core import Check, Estimate, Refusal, Results
from trustlib.data import earlier
from trustlib.data.earlier import read_earlier

EXCESS = Estimate(
    point=250.0, low=200.0, high=300.0, level=0.95, unit="actions", method="counted", n=400
)
SECRET = "ada@host.example"


def document(**changes: Any) -> dict[str, Any]:
    found = Results(
        notebook="incident_postmortem",
        headline="A rule took 250 posts too many.",
        verdict="incident confirmed",
        estimates={"excess": EXCESS},
        checks=[Check(name="fit", verdict="pass", label="fits", text="It fits.")],
        series={"actions": [{"title": "Replay rules", "due": "2026-05-15"}], "money": []},
    )
    return found.to_json() | {"slug": "x", "run_id": "r1", "status": "complete"} | changes


@pytest.fixture
def put(here):
    def _put(content: object) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        (here / "results.json").write_text(text, encoding="utf-8")
        return "results.json"

    return _put


def refused(path: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_earlier(path)
    assert caught.value.next_step
    assert path in (caught.value.where or "")
    assert SECRET not in str(caught.value)
    return caught.value


def test_none_was_named():
    assert read_earlier(None) is None


def test_what_was_found_comes_back(put):
    found = read_earlier(put(document()))
    assert found is not None
    assert (found.run_id, found.headline) == ("r1", "A rule took 250 posts too many.")
    assert found.estimates == {"excess": EXCESS}
    assert found.series["actions"] == [{"title": "Replay rules", "due": "2026-05-15"}]
    assert found.series["money"] == []


def test_no_plain_file(here):
    assert "no such results.json" in refused("gone.json").what
    (here / "folder.json").mkdir()
    assert "not a plain file" in refused("folder.json").what
    os.mkfifo(here / "pipe.json")
    assert "not a plain file" in refused("pipe.json").what
    assert "cannot be read" in refused("x" * 300 + ".json").what


def test_a_file_too_large_is_not_parsed(put, monkeypatch):
    monkeypatch.setattr(earlier, "MAX_BYTES", 100)
    assert "larger than 20 MB" in refused(put(document())).what
    assert earlier.MAX_BYTES == 100


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"a": NaN}', "[" * 100_000, "\x00"])
def test_no_json_of_results(put, text):
    assert "not the JSON of earlier results" in refused(put(text)).what


def test_bytes_that_are_no_text(here):
    (here / "results.json").write_bytes(b'{"a": "\xff"}')
    assert "not the JSON of earlier results" in refused("results.json").what


HALF = EXCESS.to_json() | {"high": None}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"schema": "trustlib.results/2"}, "(schema)"),
        ({"headline": ""}, "(headline)"),
        ({"estimates": []}, "(estimate)"),
        ({"estimates": {SECRET: HALF}}, "(estimate)"),
        ({"estimates": {"excess": 250}}, "(estimate)"),
        ({"estimates": {"excess": EXCESS.to_json() | {SECRET: 1}}}, "(estimate)"),
        ({"checks": {}}, "(check)"),
        ({"checks": [SECRET]}, "trustlib.results/1"),
        ({"checks": [{"name": [1], "verdict": "pass"}]}, "trustlib.results/1"),
        ({"checks": [{"name": SECRET, "verdict": "good"}]}, "(check)"),
        ({"series": []}, "(series)"),
        ({"series": {"actions": {"title": SECRET}}}, "(series)"),
        ({"series": {"actions": [SECRET]}}, "(series)"),
        ({"run_id": 7}, "trustlib.results/1"),
        ({"run_id": ""}, "trustlib.results/1"),
        ({"status": None}, "trustlib.results/1"),
        ({"status": [SECRET]}, "trustlib.results/1"),
    ],
)
def test_not_the_contract(put, changes, part):
    error = refused(put(document(**changes)))
    assert "does not keep the contract" in error.what
    assert part in error.what


def test_another_notebook_and_a_run_that_broke(put):
    assert "another notebook" in refused(put(document(notebook="incident_sizing"))).what
    for status in ("failed", "refused", "no_data"):
        assert "did not end well" in refused(put(document(status=status))).what
        # What such a run leaves has no estimates.
        assert "did not end well" in refused(put({"status": status})).what
