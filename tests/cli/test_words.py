"""The command line: words, exit codes, what is said when they are off."""

from __future__ import annotations

from pathlib import Path

import pytest

from trustlib.cli import command
from trustlib.cli.verbs import _severity, params_files
from trustlib.core import Refusal


def said(capsys, *words: str) -> tuple[int, str]:
    try:
        code = command(words)
    except SystemExit as stop:
        code = stop.code
    out = capsys.readouterr()
    return code, out.out + out.err


def test_help_names_every_command_and_the_exit_codes(capsys) -> None:
    code, text = said(capsys, "--help")
    assert code == 0
    for word in (
        "run",
        "list",
        "params",
        "new",
        "verify",
        "gallery",
        "sample",
        "demo",
        "exit codes",
    ):
        assert word in text


def test_a_misspelt_command_is_answered_with_the_nearest(capsys) -> None:
    code, text = said(capsys, "rnu", "x.yaml")
    assert code == 2
    assert "did you mean run" in text


@pytest.mark.parametrize("words", [("run",), ("run", "x.yaml", "--jobs", "0"), ("params",)])
def test_unusable_words_exit_2(capsys, words) -> None:
    assert said(capsys, *words)[0] == 2


def test_an_unknown_notebook_is_refused_with_the_nearest(capsys) -> None:
    code, text = said(capsys, "params", "incident_sizng")
    assert code == 2
    assert "incident_sizing" in text


def test_folders_globs_and_files_become_one_list(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("params/a/one.yaml", "params/a/two.yaml", "params/b/three.yaml"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    everything = [Path("params/a/one.yaml"), Path("params/a/two.yaml"), Path("params/b/three.yaml")]
    assert params_files(["params"]) == everything
    assert params_files(["params/a/*.yaml", "params/b/three.yaml"]) == everything
    assert params_files(["params/a/one.yaml", "params/a"]) == everything[:2]
    assert params_files([str(tmp_path / "params/b/*.yaml")]) == [tmp_path / "params/b/three.yaml"]


def test_a_folder_without_params_is_refused(tmp_path) -> None:
    with pytest.raises(Refusal, match="no params file"):
        params_files([str(tmp_path)])


def test_of_many_exit_codes_the_worst_counts() -> None:
    assert max([0, 3, 2], key=_severity) == 2
    assert max([2, 1, 3], key=_severity) == 1
    assert max([0, 3], key=_severity) == 3
