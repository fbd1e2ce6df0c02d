"""No identifier leaves a deep-dive, whatever column it stood in, and each table may be missing."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.params.conftest import as_yaml
from tests.report import leaky
from trustlib.data.abuse_records import TABLES
from trustlib.report import verify

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = "abuse_deep_dive"
ASKED = {
    "title": "Scams",
    "owner": "Fraud",
    "area": "scam",
    "window_start": leaky.START.isoformat(),
    "window_end": leaky.END.isoformat(),
    "history_start": leaky.HISTORY.isoformat(),
    "segments": ["market", "kind", "tier"],
    "confirming_sources": ["review"],
}
OPTIONAL = [role for role in TABLES if role != "items"]
# What cannot be asked any more where a role is missing.
WITH = {
    "actions": {"appeals_source": None, "confirming_sources": []},
    "views": {"view_labels_source": None},
    "accounts": {"segments": ["market", "kind"]},
}
# What the page calls each table where it says that it is missing.
CALLED = {
    "accounts": "Accounts",
    "views": "Views",
    "scores": "Scores",
    "labels": "Labels",
    "view_labels": "Labels of views",
    "gold": "Items of known truth",
    "actions": "Actions",
    "appeals": "Appeals",
    "reports": "User reports",
    "links": "Shared devices and payments",
    "ledger": "Changes of the instrument",
}


def without(*roles: str) -> dict[str, object]:
    """What is asked where all sources are there but those of `roles`."""
    asked = ASKED | {f"{role}_source": f"data/{role}.csv" for role in TABLES if role not in roles}
    for role in roles:
        asked |= WITH.get(role, {})
    return asked


def written(folder: Path, slug: str, asked: dict[str, object]) -> Path:
    path = folder / "params" / NOTEBOOK / f"{slug}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_yaml(asked), encoding="utf-8")
    return path


def trustlib_run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trustlib", "run", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip


def place(folder: Path) -> Path:
    leaky.World().write(folder / "data")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folder and what was said: all tables, each of them missing in turn, and items alone."""
    folder = place(tmp_path_factory.mktemp("leaky"))
    written(folder, "all", without())
    for role in OPTIONAL:
        written(folder, f"no-{role}", without(role))
    written(folder, "items-alone", without(*OPTIONAL))
    return folder, trustlib_run(folder, "params", "--jobs", "2")


def words_of(page: Path) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.read_text("utf-8"))))


def test_no_identifier_leaves_a_whole_run(runs) -> None:
    folder, done = runs
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "reports" / NOTEBOOK / "all" / "report.html").is_file()
    assert leaky.found_in(folder / "reports", done.stdout, done.stderr) == {}


def test_the_report_is_whole_and_counts_as_it_should(runs) -> None:
    folder, _ = runs
    results = json.loads((folder / "reports" / NOTEBOOK / "all" / "results.json").read_text())
    bad = sum(bool(row["bad"]) for row in leaky.World().items if leaky.inside(row))
    total = sum(leaky.inside(row) for row in leaky.World().items)
    found = results["estimates"]["prevalence"]
    assert found["low"] < bad / total < found["high"]
    assert verify([folder / "reports" / NOTEBOOK / "all"]) == []


@pytest.mark.parametrize("role", OPTIONAL)
def test_a_missing_table_is_said_and_the_rest_stands(runs, role: str) -> None:
    folder, _ = runs
    report = folder / "reports" / NOTEBOOK / f"no-{role}"
    results = json.loads((report / "results.json").read_text())
    assert results["status"] == "complete"
    page, whole = (
        words_of(report / "report.html"),
        words_of(report.with_name("all") / "report.html"),
    )
    row = rf"{CALLED[role]}[\w, ]* – no source was given"
    assert re.search(row, page)
    assert "no source was given" not in whole
    # In the section that is without it, not only in the table of what was read.
    assert f"here is nothing of {role.replace('_', ' ')}: no source was given" in page


def test_items_alone_are_a_report(runs) -> None:
    folder, _ = runs
    report = folder / "reports" / NOTEBOOK / "items-alone"
    results = json.loads((report / "results.json").read_text())
    assert results["status"] == "complete"
    assert results["estimates"]["prevalence"]["point"] is None
    page = words_of(report / "report.html")
    for role in OPTIONAL:
        assert re.search(rf"{CALLED[role]}[\w, ]* – no source was given", page), role


def test_a_plain_export_with_other_habits_is_a_report(tmp_path: Path) -> None:
    """Semicolons, a byte-order mark, whole-number keys, local times, columns of no use."""
    lines = ["item_id;account_id;created_at;kind;likes"]
    for n in range(900):
        at = leaky.START + (leaky.END - leaky.START) * n / 900
        kind = ("post", "video", "")[n % 3]
        lines.append(f"{n};{n * 7 % 97};{at:%Y-%m-%d %H:%M:%S};{kind};{n % 5}")
    (tmp_path / "export.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    asked = {name: ASKED[name] for name in ("window_start", "window_end")}
    asked |= {"items_source": "export.csv", "segments": ["kind"], "timezone": "Europe/Berlin"}
    path = written(tmp_path, "plain", asked)
    done = trustlib_run(tmp_path, str(path.relative_to(tmp_path)))
    assert done.returncode == 0, done.stdout + done.stderr
    report = tmp_path / "reports" / NOTEBOOK / "plain"
    assert json.loads((report / "results.json").read_text())["status"] == "complete"


RAISED = {
    "a message": "raise ValueError(open('data/items.csv').read()[:90_000])",
    "a key": "{}[open('data/links.csv').read()[:90_000]]",
    "a frame": "import pandas as pd; assert pd.read_csv('data/labels.csv').empty, "
    "pd.read_csv('data/labels.csv').to_string()",
    "a name": "(lambda accounts: 1 / 0)(open('data/accounts.csv').read())",
}


@pytest.mark.parametrize("fault", RAISED)
def test_no_identifier_leaves_a_run_that_fails_in_the_middle(tmp_path: Path, fault: str) -> None:
    place(tmp_path)
    node = nbformat.read(ROOT / "notebooks" / f"{NOTEBOOK}.ipynb", as_version=4)
    (cell,) = (cell for cell in node.cells if "= deep_dive(" in cell.source)
    cell["source"] += f"\n{RAISED[fault]}"
    (tmp_path / "notebooks").mkdir()
    nbformat.write(node, tmp_path / "notebooks" / f"{NOTEBOOK}.ipynb")
    path = written(tmp_path, "fails", without())
    done = trustlib_run(tmp_path, str(path.relative_to(tmp_path)))
    assert done.returncode == 1, done.stdout + done.stderr
    (page,) = (tmp_path / "reports").rglob("failure.html")
    assert "was raised" in words_of(page)
    assert leaky.found_in(tmp_path / "reports", done.stdout, done.stderr) == {}


def test_no_identifier_leaves_a_run_that_is_refused(tmp_path: Path) -> None:
    place(tmp_path)
    world = leaky.World()
    names = world.names
    rows = [row | {"label": names[n % 500]} for n, row in enumerate(world.tables["labels"])]
    leaky.write_table(tmp_path / "data" / "labels.csv", rows)
    path = written(tmp_path, "refused", without())
    done = trustlib_run(tmp_path, str(path.relative_to(tmp_path)))
    assert done.returncode not in (0, 1), done.stdout + done.stderr
    assert "labels_source" in done.stdout + done.stderr
    assert leaky.found_in(tmp_path / "reports", done.stdout, done.stderr) == {}
