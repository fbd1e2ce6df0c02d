"""What `run` prints when it is done."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from trustlib.cli.verbs import _headline, _print_outcome, _print_tally


def outcome(**change):
    checks = [
        {"name": "a", "verdict": "pass", "label": "season fits"},
        {"name": "b", "verdict": "warn", "label": "nothing excluded"},
        {"name": "c", "verdict": "not_run", "label": "no control series"},
        {"name": "d", "verdict": "fail", "label": "two methods disagree"},
        {"name": "e", "verdict": "pass", "label": "window complete"},
    ]
    given = {
        "notebook": "incident_sizing",
        "slug": "example",
        "params": Path("params/incident_sizing/example.yaml"),
        "status": "complete",
        "exit_code": 0,
        "headline": "Ten more than expected.",
        "checks": checks,
        "message": None,
        "page": Path("reports/incident_sizing/example/report.html"),
    }
    return SimpleNamespace(**given | change)


def test_headline_checks_worst_first_and_the_path_last(capsys) -> None:
    _print_outcome(outcome())
    assert capsys.readouterr().out.splitlines() == [
        "",
        "incident_sizing/example: complete",
        "  Ten more than expected.",
        "  ✗ fail: two methods disagree",
        "  ! warn: nothing excluded",
        "  – not run: no control series",
        "  ✓ 2 pass: season fits, window complete",
        "  reports/incident_sizing/example/report.html",
    ]


def test_a_refusal_goes_to_the_error_stream(capsys) -> None:
    told = outcome(
        status="refused", exit_code=2, headline=None, checks=[], page=None,
        message="no such column\n  next: see the file",
    )  # fmt: skip
    _print_outcome(told)
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.splitlines()[1:] == [
        "incident_sizing/example: refused",
        "  no such column",
        "    next: see the file",
    ]


def test_a_file_without_a_notebook_is_named_by_its_path(capsys) -> None:
    told = outcome(notebook="", slug="nowhere", params=Path("nowhere.yaml"), status="refused",
                   exit_code=2, headline=None, checks=[], page=None)  # fmt: skip
    _print_outcome(told)
    assert capsys.readouterr().err.splitlines()[1] == "nowhere.yaml: refused"


def test_a_terminal_gets_whole_words(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    lines = _headline("Ten more than were expected in these hours.", wide=True).splitlines()
    assert lines == ["  Ten more than were expected", "  in these hours."]
    assert len(_headline("word " * 40, wide=False).splitlines()) == 1


def test_many_reports_end_in_a_tally(capsys) -> None:
    _print_tally([outcome(), outcome(status="no_data"), outcome()])
    assert capsys.readouterr().out.splitlines() == ["", "3 reports: 2 complete, 1 no data"]


def test_no_name_steers_the_terminal(capsys) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\u202e\r\x9b31m\udcff"
    told = outcome(
        slug=f"a{hostile}",
        exit_code=2,
        status="refused",
        message=f"no such column\n  next: the source has: a{hostile}b, 1\u202f000",
        page=Path(f"p{hostile}.html"),
    )
    _print_outcome(told)
    said = capsys.readouterr().err
    assert not set(hostile) & set("\x1b\x07\u202e\r\x9b\udcff") & set(said)
    assert "    next: the source has: a]0;owned[2J31mb, 1\u202f000\n" in said
