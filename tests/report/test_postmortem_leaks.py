"""A postmortem on tables full of identifiers: none reaches a published file, and two revisions."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.params.conftest import as_yaml
from tests.report import leaky, leaky_incident
from trustlib.report import plan, verify

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = "incident_postmortem"


def written(folder: Path, slug: str, **changes: object) -> Path:
    path = folder / "params" / NOTEBOOK / f"{slug}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_yaml(leaky_incident.asked() | changes), encoding="utf-8")
    return path


def trustlib_run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trustlib", "run", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip


def results_of(folder: Path, slug: str) -> dict:
    return json.loads((folder / "reports" / NOTEBOOK / slug / "results.json").read_text())


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A first revision, and a second that names it."""
    folder = tmp_path_factory.mktemp("leaky")
    leaky_incident.write(folder / "data")
    first = trustlib_run(folder, str(written(folder, "first")))
    earlier = f"reports/{NOTEBOOK}/first/results.json"
    later = (leaky_incident.AS_OF.replace(day=30)).isoformat()
    path = written(folder, "second", previous_results=earlier, as_of=later)
    second = trustlib_run(folder, str(path))
    return folder, first, second


def test_no_identifier_leaves_a_whole_run(runs) -> None:
    folder, *done = runs
    for one in done:
        assert one.returncode == 0, one.stdout + one.stderr
        assert leaky.found_in(folder / "reports", one.stdout, one.stderr) == {}
    for slug in ("first", "second"):
        assert verify([folder / "reports" / NOTEBOOK / slug]) == []


def test_every_block_is_there(runs) -> None:
    folder, *_ = runs
    blocks = results_of(folder, "second")["series"]["blocks"]
    assert [(row["number"], row["reason"]) for row in blocks] == [(n, "") for n in range(1, 15)]
    first = {row["block"]: row for row in results_of(folder, "first")["series"]["blocks"]}
    assert not first["revisions"]["present"]
    page = (folder / "reports" / NOTEBOOK / "first" / "report.html").read_text("utf-8")
    told = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
    assert first["revisions"]["reason"] in told


def test_the_lists_are_for_their_owner_alone_and_outside_the_report(runs) -> None:
    folder, *_ = runs
    place = folder / "restricted" / "rule-17"
    assert place.stat().st_mode & 0o777 == 0o700
    files = sorted(place.iterdir())
    assert {"clean-up.csv", "back-fill.csv"} <= {file.name for file in files}
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert not list((folder / "reports").rglob("*clean-up*"))
    # The ids are there in full: without them nobody could put anything right.
    assert any(name in (place / "clean-up.csv").read_text() for name in leaky.identifiers())


def test_lists_in_the_folder_of_reports_are_refused_before_anything_runs(tmp_path) -> None:
    leaky_incident.write(tmp_path / "data")
    (tmp_path / "site").mkdir()
    (tmp_path / "link").symlink_to("site", target_is_directory=True)
    for lists, reports, what in (
        ("site/lists", "site", "lies in the folder of reports"),
        ("site", "link", "lies in the folder of reports"),
        ("link/lists", str(tmp_path / "site"), "lies in the folder of reports"),
        ("site", "link/of/reports", "holds the folder of reports"),
    ):
        path = written(tmp_path, "apart", lists_folder=lists)
        done = trustlib_run(tmp_path, str(path), "--reports", reports)
        assert done.returncode == 2, done.stdout + done.stderr
        assert f"lists_folder {what}" in done.stderr
        assert "next: name another folder for the lists" in done.stderr
        assert list((tmp_path / "site").iterdir()) == []
    assert not (tmp_path / ".trustlib").exists()
    for lists, reports in (("site-lists", "site"), ("site/lists", "other")):
        path = written(tmp_path, "apart", lists_folder=str(tmp_path / lists))
        assert plan.job(path, reports=tmp_path / reports).slug == "apart"


def test_the_bridge_adds_up(runs) -> None:
    folder, *_ = runs
    then, now = (results_of(folder, slug) for slug in ("first", "second"))
    steps = sum(row["amount"] for row in now["series"]["revision"])
    moved = now["estimates"]["excess"]["point"] - then["estimates"]["excess"]["point"]
    assert steps == pytest.approx(moved, abs=1e-9)
