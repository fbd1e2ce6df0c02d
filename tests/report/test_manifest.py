"""Seals and hashes."""

from __future__ import annotations

import json
import subprocess

import pytest

from trustlib.report import manifest, plan


def test_a_seal_holds_for_the_document_and_for_nothing_else():
    data = manifest.sealed({"a": 1, "b": [0.1]})
    document = json.loads(data)

    assert manifest.sealed(document) == data
    assert manifest.seal_of(document) == document["seal"]
    assert manifest.seal_of(document | {"a": 2}) != document["seal"]


def test_canonical_form_keeps_every_digit_and_ends_in_a_newline():
    data = manifest.canonical({"x": 0.1 + 0.2, "name": "Größe"})

    assert json.loads(data)["x"] == 0.1 + 0.2
    assert data.endswith(b"\n")
    assert "Größe".encode() in data
    with pytest.raises(ValueError, match="JSON"):
        manifest.canonical({"x": float("nan")})


def test_params_hash_ignores_order_only():
    assert manifest.params_hash({"a": 1, "b": 2}) == manifest.params_hash({"b": 2, "a": 1})
    assert manifest.params_hash({"a": 1}) != manifest.params_hash({"a": 1.5})


def test_findings_hash_ignores_the_run_only():
    first = {"run_id": "a", "headline": "x"}

    assert manifest.findings_hash(first) == manifest.findings_hash(first | {"run_id": "b"})
    assert manifest.findings_hash(first) != manifest.findings_hash(first | {"headline": "y"})


def test_code_identity_tells_commit_and_dirty_flag(tmp_path):
    assert manifest.code_identity(tmp_path) == {"commit": None, "dirty": None}

    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    (tmp_path / "a").write_text("a")
    git("add", "a")
    git("commit", "-qm", "a")
    commit = git("rev-parse", "HEAD")
    assert manifest.code_identity(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "a").write_text("b")
    assert manifest.code_identity(tmp_path) == {"commit": commit, "dirty": True}


def test_versions_name_what_a_run_needs_and_no_test_tool():
    found = manifest.package_versions()

    assert {"trustlib", "pandas", "nbclient", "duckdb"} <= set(found)
    assert "pytest" not in found


def test_the_command_to_run_again_is_quoted_and_relative(workshop):
    path = workshop.params("one")
    job = plan.job(path, overrides=["title=a b"], reports=workshop.path / "out")

    assert job.command == ("trustlib run params/small/one.yaml --set 'title=a b' --reports out")


@pytest.mark.parametrize("name", ["../small", "small/../small", "{0.__class__}", "Small", ""])
def test_no_name_leads_out_of_the_notebooks_folder(workshop, name):
    from trustlib.core import Refusal

    with pytest.raises(Refusal):
        plan.find_notebook(name)
