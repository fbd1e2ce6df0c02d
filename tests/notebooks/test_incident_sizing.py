"""Incident sizing: answer first, the same under every runner, right on real counts."""

import copy
import re
import subprocess
import sys

import nbformat
import pytest

from tests.notebooks.executing import NOTEBOOKS, ROOT, executed, html_of, results, with_params

NOTEBOOK = NOTEBOOKS / "incident_sizing.ipynb"
BLIZZARD = ROOT / "tests" / "incidents" / "params" / "incident_sizing" / "nyc-blizzard.yaml"
TAXI = ROOT / ".." / "shared" / "realdata" / "nyc_taxi.csv"

needs_taxi = pytest.mark.skipif(
    not TAXI.exists(), reason="../shared/realdata/nyc_taxi.csv is not part of the project"
)


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_its_order_is_that_of_a_report(notebook) -> None:
    headings = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("#")
    ]
    assert headings == [
        "# How big was the incident, and how sure are we?",
        "## Parameters",
        "## Set-up",
        "## Data",
        "## Estimate",
        "## Answer",
        "## What happened",
        "## How it added up",
        "## Was it an incident at all",
        "## Where",
        "## Can we believe it",
        "## Assumptions and limits",
        "## What to do next",
        "## Appendix: other choices",
        "## Appendix: the data",
        "## Appendix: estimates and definitions",
        "## Provenance",
    ]
    shown = [
        c.metadata.id if "id" in c.metadata else c.id for c in notebook.cells if c.get("outputs")
    ]
    assert shown[0] == "answer"


def test_stock_papermill_runs_it_and_carries_the_results(project) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", "notebooks/incident_sizing.ipynb",
         "out.ipynb", "-f", "params/incident_sizing/example.yaml"],
        cwd=project, capture_output=True, check=True,
    )  # fmt: skip
    document = results(nbformat.read(project / "out.ipynb", as_version=4))
    assert document["notebook"] == "incident_sizing"
    assert {"actual", "expected", "excess", "relative_excess", "cost_usd"} <= set(
        document["estimates"]
    )
    assert {"counterfactual", "sensitivity", "placebos", "segments"} <= set(document["series"])
    assert document["page"]["period"].startswith("17")


def test_a_wrong_value_stops_before_anything_is_read(project, notebook) -> None:
    from nbclient.exceptions import CellExecutionError

    made = copy.deepcopy(notebook)
    for cell in made.cells:
        cell.pop("execution_count", None)
    cell = next(c for c in made.cells if "parameters" in c.metadata.get("tags", []))
    cell.source = cell.source.replace('direction = "increase"', 'direction = "upwards"')
    with pytest.raises(CellExecutionError, match="direction") as error:
        executed(made, project)
    assert error.value.ename == "Refusal"
    assert [c.id for c in made.cells if c.get("execution_count")][-1] == "set-up"


@needs_taxi
def test_the_blizzard_of_2015(notebook) -> None:
    done = executed(with_params(notebook, BLIZZARD), ROOT)
    document = results(done)
    estimates = document["estimates"]
    assert estimates["actual"]["point"] == 391_777
    assert estimates["excess"]["high"] < -500_000
    assert estimates["excess"]["low"] > -1_000_000
    assert estimates["placebo_p_value"]["point"] < 0.01
    assert document["verdict"] == "incident confirmed"
    clock = next(c for c in document["checks"] if c["name"] == "clock_change")
    assert clock["verdict"] in ("warn", "pass")
    assert "2 " in clock["text"]
    html = html_of(done)
    assert html.count("<svg") == 4  # no segments: a box says why
    assert "No segment_column was given" in html
    assert re.search(r'<p class="figure">−\d{3},000\u00a0trips</p>', html)
    shortfall = f"{abs(round(estimates['excess']['point'], -3)):,.0f}"
    assert shortfall in document["headline"]


@needs_taxi
def test_stock_papermill_gives_the_same_results(tmp_path, notebook) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", "notebooks/incident_sizing.ipynb",
         str(tmp_path / "out.ipynb"), "-f", str(BLIZZARD)],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    stock = results(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert stock == results(executed(with_params(notebook, BLIZZARD), ROOT))


def test_hostile_text_in_the_data_stays_text(tmp_path, notebook) -> None:
    """Names from the data reach figures, tables, sentences and files as characters only."""
    import numpy as np
    import pandas as pd

    names = ["<script>alert(1)</script>", "_$_$ $x^2$", "javascript:alert(2)", "x" * 10_000,
             '"><img src=x onerror=alert(3)>', "[a](javascript:alert(4)) **b**"]  # fmt: skip
    at = pd.date_range("2026-01-05", periods=24 * 7 * 8, freq="h")
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"at": np.repeat(at, len(names)), "who": names * len(at)})
    mean = 30 + 10 * np.sin(rows["at"].dt.hour / 24 * 2 * np.pi)
    inside = (rows["at"] >= "2026-02-24 06:00") & (rows["at"] < "2026-02-25 06:00")
    rows["n"] = rng.poisson(np.where(inside, 2 * mean, mean))
    rows.to_csv(tmp_path / "hostile.csv", index=False)
    params = tmp_path / "params.yaml"
    params.write_text(
        'title: "<b>x</b>"\nsource: hostile.csv\ntime_column: at\ncount_column: n\n'
        "segment_column: who\nunit_label: '<img src=y onerror=alert(5)> _$_$'\n"
        "incident_start: '2026-02-24T06:00:00+00:00'\nincident_end: '2026-02-25T06:00:00+00:00'\n",
        encoding="utf-8",
    )
    done = executed(with_params(notebook, params), tmp_path)
    html = html_of(done)
    assert results(done)["verdict"] == "incident confirmed"
    assert html.count("<svg") == 5
    assert not re.search(r"<(script|img|b|iframe)\b", html, re.IGNORECASE)
    assert not re.search(r'(href|src)="(?!data:text/csv)', html)
    assert "x" * 200 not in html
