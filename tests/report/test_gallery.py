"""The list of reports: what it shows, and what it survives."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.report import audit, payloads, sample
from tests.report.browser import CHROMIUM, Browser
from trustlib.report import gallery

TODAY = date(2015, 3, 10)
PROMISE = {
    "title": "Replay rules before they go live",
    "type": "prevent",
    "owner": "Rules team",
    "due": "2015-03-09",
    "check": "No rule goes live without a replay",
    "status": "open",
    "link": "https://tickets.example/42",
}
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


def written(reports: Path, today: date | None = None) -> str:
    path = gallery.write(reports, today=today)
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
    assert gallery.render(tmp_path, today=TODAY) == gallery.render(tmp_path, today=TODAY)


def promise(reports: Path, slug: str, *rows: Any, run_id: str = FIRST, **more: Any) -> Path:
    return put(
        reports,
        slug,
        run_id,
        notebook="incident_postmortem",
        series={"actions": list(rows)},
        **more,
    )


def promised(text: str) -> list[str]:
    return re.findall(r'<li class="action">.*?</li>', text, re.DOTALL)


def test_open_actions_are_listed_the_longest_overdue_first(tmp_path: Path) -> None:
    promise(
        tmp_path,
        "rule-17",
        PROMISE | {"title": "On the day", "due": "2015-03-10"},
        PROMISE,
        PROMISE | {"title": "Was done", "status": "done", "due": "2015-01-01"},
    )
    late = PROMISE | {"title": "Page on-call", "due": "2015-02-28", "owner": "On-call"}
    promise(tmp_path, "wave", late, PROMISE | {"title": "Later", "due": "2016-01-01"})
    text = written(tmp_path, TODAY)
    found = promised(text)
    titles = [re.findall("<strong>(.*?)</strong>", one)[0] for one in found]
    assert titles == ["Page on-call", "Replay rules before they go live", "On the day", "Later"]
    plain = [one.replace("\u00a0", " ") for one in found]
    assert '<dd class="fail">✗ 28 Feb 2015, overdue for 10 days</dd>' in plain[0]
    assert "<dd>On-call</dd>" in plain[0]
    assert '<a href="incident_postmortem/wave/report.html">wave</a>' in plain[0]
    assert "overdue for 1 day</dd>" in plain[1]
    assert "No rule goes live without a replay" in plain[1]
    assert '<a href="incident_postmortem/rule-17/report.html">rule-17</a>' in plain[1]
    assert "<dd>10 Mar 2015</dd>" in plain[2]
    assert "overdue" not in plain[2] + plain[3]
    assert "4 actions, 2 overdue" in text.replace("\u00a0", " ")
    assert "Was done" not in text
    assert text.index('id="open-actions"') < text.index('class="cards"')
    assert len(cards(text)) == 2


def test_one_action_that_is_not_due_yet(tmp_path: Path) -> None:
    promise(tmp_path, "rule-17", PROMISE | {"due": "2015-03-10"})
    assert "1 action, none overdue" in written(tmp_path, TODAY).replace("\u00a0", " ")


def test_without_a_day_today_counts(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    later = today.replace(year=today.year + 2, day=1).isoformat()
    promise(tmp_path, "rule-17", PROMISE, PROMISE | {"title": "Later", "due": later})
    first, second = promised(written(tmp_path))
    assert ("overdue" in first, "overdue" in second) == (True, False)


def test_only_the_current_run_of_a_postmortem_promises(tmp_path: Path) -> None:
    promise(tmp_path, "rule-17", PROMISE | {"title": "Of old"})
    folder = promise(tmp_path, "rule-17", PROMISE, run_id=SECOND).parents[1]
    (folder / "current").unlink()
    (folder / "current").symlink_to(f"runs/{SECOND}")
    put(tmp_path, "other", FIRST, series={"actions": [PROMISE | {"title": "Of another"}]})
    attempt(tmp_path, "other", THIRD, "failed")
    text = written(tmp_path, TODAY)
    assert len(promised(text)) == 1
    assert "Of old" not in text
    assert "Of another" not in text


@pytest.mark.parametrize("rows", [[], [PROMISE | {"status": "done"}], None, {}, "x", 3])
def test_where_nothing_is_open_nothing_is_shown(tmp_path: Path, rows: Any) -> None:
    put(tmp_path, "one", FIRST, notebook="incident_postmortem", series={"actions": rows})
    put(tmp_path, "two", FIRST, notebook="incident_postmortem", series=rows)
    text = written(tmp_path, TODAY)
    assert "Open actions" not in text
    assert 'id="promised"' not in text
    assert len(cards(text)) == 2


BROKEN = [
    None, 3, "x", [], {}, [PROMISE],
    *({name: value for name, value in PROMISE.items() if name != gone}
      for gone in ("title", "type", "owner", "due", "check", "status")),
    *(PROMISE | {part: value} for part in ("title", "owner", "check") for value in ("", " ", 3)),
    *(PROMISE | {"due": value} for value in ("", "soon", "2015-02-30", 20150309, "2015-W10-1")),
    *(PROMISE | {"status": value} for value in ("OPEN", "", None, True, ["open"])),
    *(PROMISE | {"type": value} for value in ("fix", None, [])),
]  # fmt: skip


def test_rows_that_are_none_are_skipped(tmp_path: Path) -> None:
    promise(tmp_path, "rule-17", *BROKEN, PROMISE | {"link": 3, "more": "x"})
    text = written(tmp_path, TODAY)
    assert len(promised(text)) == 1
    assert "Replay rules" in promised(text)[0]


def test_no_file_fills_the_page(tmp_path: Path) -> None:
    many = [PROMISE | {"title": f"{i} {'x' * 1000}"} for i in range(1000)]
    promise(tmp_path, "rule-17", *many)
    text = written(tmp_path, TODAY)
    assert len(promised(text)) == 200
    assert "x" * 301 not in text


@pytest.mark.parametrize("payload", payloads.PAYLOADS, ids=range(len(payloads.PAYLOADS)))
def test_no_payload_runs_from_an_action(tmp_path: Path, payload: str) -> None:
    row = dict.fromkeys(("title", "owner", "check", "link"), payload)
    promise(
        tmp_path, "rule-17", PROMISE | row, PROMISE | {"due": payload}, params={"title": payload}
    )
    text = written(tmp_path, TODAY)
    assert len(promised(text)) <= 2
    assert len(cards(text)) == 1


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_search_box_filters_actions_too_and_a_phone_shows_them_whole(tmp_path: Path) -> None:
    promise(tmp_path, "rule-17", PROMISE, PROMISE | {"title": "x" * 300, "owner": "Zoe"})
    path = gallery.write(tmp_path, today=TODAY)
    with Browser() as browser:
        for width in (320, 1280):
            browser.device(width=width, height=844, phone=width < 700, scheme="light")
            browser.open(path)
            assert browser.script("document.documentElement.scrollWidth") <= width
        for words, shown in (("zoe", 1), ("replay", 2), ("zebra", 0), ("", 2)):
            browser.script(
                f"var w = document.getElementById('words'); w.value = {json.dumps(words)};"
                "w.dispatchEvent(new Event('input'))"
            )
            visible = "document.querySelectorAll('li.action:not([hidden])').length"
            assert browser.script(visible) == shown
            assert browser.script("document.getElementById('promised').hidden") == (shown == 0)
