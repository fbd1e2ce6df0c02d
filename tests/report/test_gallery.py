"""The list of reports: what it shows, and what it survives."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.report import audit, payloads, sample
from trustlib.report import gallery

FIRST, SECOND, THIRD = (f"2015020{day}T103104Z-aaaaaa" for day in (1, 2, 3))


def put(
    reports: Path,
    slug: str,
    run_id: str,
    *,
    notebook: str = "incident_sizing",
    params: dict[str, Any] | None = None,
    **results: Any,
) -> Path:
    """A published report as the runner leaves it."""
    folder = reports / notebook / slug
    run = folder / "runs" / run_id
    run.mkdir(parents=True)
    document = sample.results().to_json() | {"run_id": run_id} | results
    (run / "results.json").write_text(json.dumps(document))
    (run / "report.html").write_text("<p>")
    manifest = {
        "started_at": "2015-02-01T10:31:04+00:00",
        "params": {"title": slug, "owner": "Someone", "as_of": "2015-02-01T00:00:00Z"}
        | (params or {}),
    }
    (run / "manifest.json").write_text(json.dumps(manifest))
    for name, target in (("current", f"runs/{run_id}"), ("report.html", "current/report.html")):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    return run


def attempt(reports: Path, slug: str, run_id: str, status: str) -> Path:
    folder = reports / "incident_sizing" / slug / "attempts" / run_id
    folder.mkdir(parents=True)
    (folder / "failure.html").write_text("<p>")
    (folder / "results.json").write_text(json.dumps({"status": status}))
    (folder / "manifest.json").write_text(json.dumps({"started_at": "2015-02-03T08:00:00+00:00"}))
    return folder


def written(reports: Path) -> str:
    path = gallery.write(reports)
    assert path == reports / "index.html"
    text = path.read_text(encoding="utf-8")
    assert audit.problems(text, scripts=text.count("<script>")) == []
    return text


def cards(text: str) -> list[str]:
    return re.findall(r'<li class="card.*?</li>', text, re.DOTALL)


def test_without_reports_it_says_how_to_make_one(tmp_path: Path) -> None:
    text = written(tmp_path / "reports")
    assert "There is no report yet" in text
    assert "<script" not in text


def test_newest_first_with_everything_a_reader_needs(tmp_path: Path) -> None:
    put(tmp_path, "older", FIRST)
    put(tmp_path, "newer", SECOND)
    newer, older = cards(written(tmp_path))
    assert '<a href="incident_sizing/newer/report.html">newer</a>' in newer
    for text in (
        "Incident sizing",
        "incident confirmed",
        "Riders took 719,000 fewer trips",
        '<dd class="warn">! 1 of 4 checks needs a look: holidays in the history</dd>',
        "Someone",
        "1\u00a0Feb\u00a02015",
        "10:31\u00a0UTC",
    ):
        assert text in older


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ("pass pass", "✓ all 2 checks pass"),
        ("pass", "✓ the one check passes"),
        ("pass fail warn", "✗ 1 of 3 checks fails: b"),
        ("warn warn pass", "! 2 of 3 checks need a look: a, …"),
        ("not_run pass", "– 1 of 2 checks was not run: a"),
    ],
)
def test_the_worst_check_is_told_in_words(tmp_path: Path, verdicts: str, words: str) -> None:
    checks = [
        {"name": n, "label": n, "verdict": v} for n, v in zip("abc", verdicts.split(), strict=False)
    ]
    put(tmp_path, "one", FIRST, checks=checks)
    assert words in written(tmp_path)


def test_a_newer_attempt_is_told_beside_the_last_good_report(tmp_path: Path) -> None:
    put(tmp_path, "one", SECOND)
    attempt(tmp_path, "one", THIRD, "refused")
    (card,) = cards(written(tmp_path))
    assert f"incident_sizing/one/attempts/{THIRD}/failure.html" in card
    assert "The latest attempt was refused, 3\u00a0Feb\u00a02015" in card
    assert "The report above is the last good one" in card


def test_an_older_attempt_is_past(tmp_path: Path) -> None:
    attempt(tmp_path, "one", FIRST, "failed")
    put(tmp_path, "one", SECOND)
    assert "attempt" not in cards(written(tmp_path))[0]


def test_a_report_that_never_came_is_listed_by_its_attempt(tmp_path: Path) -> None:
    attempt(tmp_path, "one", FIRST, "no_data")
    (card,) = cards(written(tmp_path))
    assert "No report yet." in card
    assert "The latest attempt found no data" in card


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"checks": 5, "headline": []}', "\x00"]
)
@pytest.mark.parametrize("name", ["results.json", "manifest.json"])
def test_damaged_files_cost_their_row_its_words_only(
    tmp_path: Path, name: str, content: str
) -> None:
    run = put(tmp_path, "bad", FIRST)
    put(tmp_path, "good", SECOND)
    (run / name).write_text(content)
    good, bad = cards(written(tmp_path))
    assert "Riders took" in good
    assert "incident_sizing/bad/report.html" in bad


def test_missing_files_stray_files_and_dead_links_are_survived(tmp_path: Path) -> None:
    shutil.rmtree(put(tmp_path, "gone", FIRST))
    (put(tmp_path, "bare", SECOND) / "results.json").unlink()
    (tmp_path / "stray.txt").write_text("x")
    (tmp_path / "incident_sizing" / "stray.txt").write_text("x")
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    (tmp_path / ".hidden" / "x").mkdir(parents=True)
    bare, gone = cards(written(tmp_path))
    assert "cannot be read" in bare
    assert 'href="incident_sizing/bare/report.html"' in bare
    assert "cannot be read" in gone
    assert "href" not in gone


def test_the_only_script_is_the_one_that_the_policy_names(tmp_path: Path) -> None:
    put(tmp_path, "one", FIRST)
    text = written(tmp_path)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text.replace("&#39;", "'")
    assert "innerHTML" not in script


@pytest.mark.parametrize("payload", payloads.PAYLOADS, ids=range(len(payloads.PAYLOADS)))
def test_no_payload_runs_from_the_list(tmp_path: Path, payload: str) -> None:
    checks = [{"name": payload, "label": payload, "verdict": v} for v in ("warn", payload)]
    params = {"title": payload, "owner": payload, "as_of": payload, "timezone": payload}
    run = put(
        tmp_path, "one", FIRST, params=params, headline=payload, verdict=payload, checks=checks
    )
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"started_at": payload}))
    attempt(tmp_path, "one", SECOND, payload)
    assert len(cards(written(tmp_path))) == 1


def test_folder_names_are_quoted(tmp_path: Path) -> None:
    put(
        tmp_path,
        'a"><img src=x onerror=alert(1)>',
        FIRST,
        notebook="javascript:alert(1)",
        params={"title": ""},
    )
    text = written(tmp_path)
    assert (
        'href="javascript%3Aalert%281%29/a%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E/'
        in text
    )


def test_it_is_replaced_in_one_step(tmp_path: Path) -> None:
    put(tmp_path, "one", FIRST)
    gallery.write(tmp_path)
    before = (tmp_path / "index.html").stat().st_ino
    gallery.write(tmp_path)
    assert (tmp_path / "index.html").stat().st_ino != before
    assert {p.name for p in tmp_path.iterdir()} == {"incident_sizing", "index.html"}


def test_the_same_reports_give_the_same_bytes(tmp_path: Path) -> None:
    put(tmp_path, "one", FIRST)
    put(tmp_path, "two", FIRST)
    assert gallery.render(tmp_path) == gallery.render(tmp_path)
