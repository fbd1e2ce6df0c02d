"""The report page and the failure page: structure, words, budget."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode, v4

from tests.report import audit, sample
from trustlib.report import page
from trustlib.report.theme import asset

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def report() -> str:
    return page.render(sample.incident(), context=sample.context())


def body(text: str) -> str:
    return text[text.index("<body") :]


def shown(*cells: NotebookNode, **context: object) -> str:
    return body(page.render(sample.book(*cells), context=context))


def test_a_report_is_a_well_formed_page_without_scripts(report: str) -> None:
    assert audit.problems(report) == []
    assert report.startswith('<!doctype html>\n<html lang="en">')
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in report


def test_the_policy_allows_nothing_and_names_the_one_style_sheet(report: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', report)
    style = re.search(r"<style>(.*?)</style>", report, re.DOTALL)
    assert policy
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    rules = policy[1].replace("&#39;", "'").split("; ")
    assert rules == [
        "default-src 'none'",
        "img-src data:",
        "style-src 'unsafe-inline'",
        f"style-src-elem 'sha256-{digest}'",
        "style-src-attr 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    # The policy governs what follows it: it stands before everything but the character set.
    assert report.index("Content-Security-Policy") < report.index("<title>")


def test_the_answer_comes_first_and_the_method_last(report: str) -> None:
    order = [
        "<h1>Blizzard",
        "How many trips did the blizzard cost",
        "−719,000 trips",
        "What we ask of you",
        "Revised: was",
        "Trips fell to almost nothing",
        "The counterfactual comes from eight",
        "<h2>Provenance</h2>",
    ]
    places = [body(report).index(text) for text in order]
    assert places == sorted(places)


def test_kicker_and_finding_become_one_heading(report: str) -> None:
    assert (
        '<h2 id="what-happened"><small>What happened</small>'
        "Trips fell to almost nothing overnight and were back within a day</h2>"
    ) in report
    assert '<div class="expect"><p>Without an incident the blue line' in report
    assert "finding" not in body(report)
    assert '<h2 id="actions">Actions</h2>' in report


def test_a_finding_in_an_output_of_its_own_goes_into_the_heading_too(report: str) -> None:
    assert "<small>How it added up</small>Half of the loss came" in report


def test_contents_lead_to_every_section(report: str) -> None:
    side = report[report.index('class="toc side"') : report.index("</nav>")]
    assert re.findall(r'href="#([^"]+)"', side) == [
        "answer",
        "what-happened",
        "how-it-added-up",
        "where-it-fell",
        "can-we-believe-it",
        "assumptions-and-limits",
        "actions",
        "appendix",
        "code",
        "provenance",
    ]


def test_meta_and_provenance_say_who_what_and_how_to_repeat_it(report: str) -> None:
    for text in (
        "17:00 – 05:00 UTC",
        "31\u00a0Jan\u00a02015",
        "Marketplace Integrity",
        "incident confirmed",
        "nyc_taxi.csv · 10,320\u00a0rows · content 6f2a6f2a6f2a6f2a…",
        "trustlib 0.1.0 · commit 1a2b3c4d5e6f · lock 77e077e077e077e0… · CPython 3.11.2",
        "content b1b1b1b1b1b1b1b1…",
        "<code>trustlib run params/incident_sizing/nyc_blizzard.yaml</code>",
        "<code>trustlib verify reports/incident_sizing/nyc-blizzard</code>",
    ):
        assert text in report


def test_earlier_runs_are_told_and_linked(report: str) -> None:
    assert '<a href="runs/20150130T090000Z-0f0f0f/report.html">' in report
    for run_id in ("../../etc", "a/b", "a..b", "javascript:alert(1)", ""):
        told = shown(sample.text("# a"), revisions=[{"run_id": run_id, "headline": "5 things"}])
        assert "Revised: was</strong> 5 things" in told
        assert "runs/" not in told


def test_an_earlier_run_with_the_same_headline_says_so() -> None:
    rows = [{"run_id": "r1", "ran_at": "x", "headline": "Five things."}]
    now = {"headline": "Five things.", "verdict": "counted"}
    told = shown(sample.text("# a"), revisions=rows, results=now)
    assert "Revised: was" not in told
    assert "<strong>Revised:</strong> the headline was the same" in told


def test_the_newest_earlier_run_is_told_and_the_others_are_folded() -> None:
    rows = [{"run_id": f"r{i}", "ran_at": "x", "headline": f"number {i}"} for i in range(3)]
    text = shown(sample.text("# a"), revisions=rows)
    order = [text.index(part) for part in ("number 2", ">2 earlier<", "number 1", "number 0")]
    assert order == sorted(order)


def test_code_is_collected_folded_and_escaped() -> None:
    text = shown(sample.text("# Q"), sample.code("a < b  # <script>"), sample.text("## S"))
    assert "<details><summary>Show the code</summary>" in text
    assert "<pre><code>a &lt; b  # &lt;script&gt;</code></pre>" in text


def test_defaults_that_a_params_file_replaced_are_not_listed() -> None:
    cells = [sample.code("n = 1", tags=("parameters",)), sample.code("n = 2")]
    assert "n = 1" in shown(*cells)
    cells[1].metadata["tags"] = ["injected-parameters"]
    text = shown(*cells)
    assert "n = 1" not in text
    assert "n = 2" in text


def test_results_and_hidden_outputs_are_not_printed() -> None:
    bundle = dict(sample.results()._repr_mimebundle_())
    text = shown(
        sample.code("results", v4.new_output("display_data", bundle)),
        sample.code("x", sample.html("<p>secret</p>"), tags=("hide-output",)),
    )
    assert "719,000" not in text
    assert "secret" not in text


def test_without_a_headline_view_the_results_speak() -> None:
    text = shown(sample.text("# Q"), results=sample.results().to_json())
    assert "Riders took 719,000 fewer trips" in text
    assert '<li class="warn">! holidays in the history</li>' in text


def test_sections_with_outputs_stay_on_the_page_after_the_answer() -> None:
    text = shown(
        sample.text("## Data\n\nRead from a file."),
        sample.code("health", sample.html("<p>no gaps</p>")),
        sample.text("## Estimate\n\nA model."),
        sample.code("fit()"),
        sample.text("## Answer"),
        sample.code("headline", sample.html(sample.headline())),
    )
    assert text.index("What we ask") < text.index("no gaps") < text.index("A model.")
    assert text.count("A model.") == 1
    assert '<h2 id="estimate">' not in text


def test_a_provenance_section_joins_the_foot_of_the_page() -> None:
    text = shown(
        sample.text("## Provenance\n\nRead twice."),
        sample.code("sources", sample.html("<p>one file</p>")),
        sample.text("## Last"),
    )
    assert (
        text.index(">Last</h2>") < text.index('<footer id="provenance">') < text.index("one file")
    )
    assert re.findall("<h2[^>]*>([^<]*)</h2>", text) == ["Last", "Provenance"]


def test_streams_join_and_messages_are_folded() -> None:
    text = body(page.render(sample.scratch(), context={}))
    assert "<pre>(3, 3)</pre>" in text
    assert "<summary>Messages of the code</summary><pre>UserWarning: old index</pre>" in text


def test_errors_show_their_type_and_never_their_message() -> None:
    error = v4.new_output("error", ename="KeyError", evalue="alice@x", traceback=["alice@x"])
    text = shown(sample.code("x", error))
    assert "stopped with KeyError" in text
    assert "alice" not in text


def test_the_best_type_that_leaves_something_is_shown() -> None:
    widget = {"text/html": "<script>1</script>", "text/plain": "Slider(1)"}
    latex = {"text/latex": "$x$", "text/plain": "x"}
    only = {"application/javascript": "1"}
    text = shown(
        *(sample.code("x", v4.new_output("display_data", d)) for d in (widget, latex, only))
    )
    assert "<pre>Slider(1)</pre>" in text
    assert "<pre>x</pre>" in text
    assert text.count("<pre>") == 3 + 2  # three cells of code, two outputs


def test_a_figure_takes_its_description_from_the_output() -> None:
    output = v4.new_output("display_data", {"image/png": sample.png()})
    output["metadata"] = {"image/png": {"alt": "A line that rises"}}
    assert 'alt="A line that rises"' in shown(sample.code("x", output))
    assert "Figure without description." in shown(
        sample.code("x", v4.new_output("display_data", {"image/png": sample.png()}))
    )


def test_headings_inside_fences_are_code() -> None:
    text = shown(sample.text("## S\n\n```\n# no heading\n## none\n```\nafter"))
    assert "# no heading" in text
    assert text.count("<h2") == 2  # the section and the provenance


def test_equal_kickers_and_the_pages_own_names_get_different_ids() -> None:
    kickers = ("Answer", "Code", "Code")
    cells = [sample.text(f"## {kicker}\n\nx") for kicker in kickers] + [sample.code("1")]
    text = page.render(sample.book(*cells), context=sample.context())
    assert audit.problems(text) == []
    assert re.findall(r'<h2 id="([^"]+)"', text) == ["answer-2", "code-2", "code-3", "code"]


def test_an_empty_notebook_is_still_a_page() -> None:
    assert audit.problems(page.render(sample.book(), context={})) == []


def test_stored_notebooks_with_lists_of_lines_read_the_same() -> None:
    cells = [sample.text("# Q\n\na\n"), sample.code("x\ny", sample.html("<p>1\n2</p>"))]
    whole = page.render(sample.book(*cells), context={})
    for cell in cells:
        cell["source"] = cell["source"].splitlines(keepends=True)
    data = cells[1]["outputs"][0]["data"]
    data["text/html"] = data["text/html"].splitlines(keepends=True)
    assert page.render({"cells": cells}, context={}) == whole


def test_rendering_leaves_the_notebook_as_it_was() -> None:
    notebook, untouched = sample.incident(), sample.incident()
    page.render(notebook, context=sample.context())
    assert [c["outputs"] for c in notebook.cells if "outputs" in c] == [
        c["outputs"] for c in untouched.cells if "outputs" in c
    ]


def test_the_page_around_the_figures_is_small(report: str) -> None:
    without = re.sub(r"<svg.*?</svg>|data:text/csv[^\"]*", "", report, flags=re.DOTALL)
    assert len(without.encode()) < 60_000


def test_the_same_input_gives_the_same_bytes_whatever_surrounds_it(report: str) -> None:
    program = (
        "import sys; sys.path.insert(0, '.')\n"
        "from tests.report import sample; from trustlib.report import page\n"
        "sys.stdout.buffer.write(page.render(sample.incident(), context=sample.context()).encode())"
    )
    for seed, zone, language in (("1", "Asia/Tokyo", "C"), ("2", "America/New_York", "C.UTF-8")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True
        )
        assert done.stdout.decode() == report


# --- the failure page ----------------------------------------------------------------------


@pytest.mark.parametrize("status", ["failed", "refused", "no_data"])
def test_a_failure_page_cannot_be_taken_for_a_report(status: str) -> None:
    text = page.failure(sample.failed(status=status))
    assert audit.problems(text) == []
    assert "This is not a report." in text
    word = page.NOT_REPORTS[status][0]
    assert f"<title>{word}: Blizzard" in text
    assert f"✗ {word}" in text
    assert 'class="headline"' not in text


def test_a_failure_page_says_what_where_and_what_next() -> None:
    error = {
        "what": "incident_strat is not a parameter.",
        "where": "nyc.yaml, line 7",
        "nearest": "incident_start",
        "next_step": "correct the name",
    }
    text = body(page.failure(sample.failed(status="refused", error=error)))
    for part in (
        *error.values(),
        "7 · Estimate",
        "trustlib run params/incident_sizing/nyc_blizzard",
    ):
        assert part in text
    assert "trustlib/incidents/grid.py, line 41, in grid" in text
    assert 'href="../../runs/20150201T103104Z-1a2b3c/report.html"' in text


def test_a_failure_page_stands_with_next_to_nothing_known() -> None:
    text = page.failure({"status": "failed", "notebook": "incident_sizing", "slug": "x"})
    assert audit.problems(text) == []
    assert "The notebook did not reach its end." in text
    assert "no run of this report has completed" in text


# --- the style sheet -----------------------------------------------------------------------


def _palettes() -> dict[str, dict[str, str]]:
    light, dark, paper = re.findall(
        r":root\{(?:color-scheme:[a-z ]+;)?\s*(--paper[^}]*)\}", str(asset("style.css"))
    )
    return {
        name: dict(re.findall(r"--([a-z]+):(#[0-9a-f]{3,6})", rules))
        for name, rules in (("light", light), ("dark", dark), ("paper", paper))
    }


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * d for d in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", ["light", "dark", "paper"])
def test_every_text_colour_has_the_contrast_that_wcag_asks_for(mode: str) -> None:
    palette = _palettes()[mode]
    for ground in ("paper", "panel"):
        for name in ("ink", "muted", "actual", "harm", "good", "warn", "bad", "accent"):
            pair = sorted((_luminance(palette[name]), _luminance(palette[ground])))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (name, ground)
    pair = sorted((_luminance(palette["expected"]), _luminance(palette["paper"])))
    assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5


def test_the_style_sheet_asks_for_nothing_from_outside() -> None:
    assert not re.search(r"url\(|@import|@font-face|https?:", str(asset("style.css")))
