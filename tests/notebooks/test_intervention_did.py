"""The rollout's notebook: answer first, the published numbers on real panels, text stays text."""

import json
import re
import subprocess
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest

from tests.notebooks.executing import NOTEBOOKS, ROOT, executed, html_of, results, with_params

NOTEBOOK = NOTEBOOKS / "intervention_did.ipynb"
REAL = ROOT / "tests" / "interventions" / "params" / "intervention_did"
DATA = ROOT / ".." / "shared" / "realdata"

needs_realdata = pytest.mark.skipif(
    not (DATA / "mpdta.csv").exists(), reason="../shared/realdata is not part of the project"
)


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def real(name: str, notebook) -> dict:
    """Results of the params file `name` on its real panel."""
    return results(executed(with_params(notebook, REAL / f"{name}.yaml"), ROOT))


def by_event_time(document: dict) -> dict:
    return {row["event_time"]: row for row in document["series"]["event_study"]}


def test_its_order_is_that_of_a_report(notebook) -> None:
    headings = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("#")
    ]
    assert headings[:6] == [
        "# Did the intervention work, how much, and should we believe it?",
        "## Parameters",
        "## Set-up",
        "## Data",
        "## Estimate",
        "## Answer",
    ]
    assert headings[-1] == "## Provenance"
    assert headings.index("## Can we believe it") < headings.index("## What to do next")


def test_stock_papermill_runs_it_and_carries_the_results(project) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", "notebooks/intervention_did.ipynb",
         "did.ipynb", "-f", "params/intervention_did/example.yaml"],
        cwd=project, capture_output=True, check=True,
    )  # fmt: skip
    document = results(nbformat.read(project / "did.ipynb", as_version=4))
    assert {"att", "simple", "group", "dynamic", "calendar", "total_effect"} <= set(
        document["estimates"]
    )
    assert {"event_study", "group_time", "bacon"} <= set(document["series"])
    # What the demo world planted, and what the usual regression makes of it.
    from trustlib import demo

    truth = demo.rollout_truth(project / ".trustlib" / "demo")
    att, total = document["estimates"]["att"], document["estimates"]["total_effect"]
    assert att["low"] <= truth.att <= att["high"]
    assert total["low"] <= truth.total <= total["high"]
    two_way = next(r for r in document["series"]["comparison"] if r["estimator"] == "two_way")
    assert not two_way["low"] <= truth.att <= two_way["high"]
    assert document["verdict"] == "effect shown"


@needs_realdata
def test_county_employment_gives_the_published_numbers(notebook) -> None:
    document = real("mpdta", notebook)
    published = {
        "att": (-0.0399512751551763, 0.0120340127701854),
        "simple": (-0.0399512751551763, 0.0120340127701854),
        "group": (-0.0310182822287484, 0.0124460593209979),
        "dynamic": (-0.0772398214573151, 0.0199649890618494),
        "calendar": (-0.0417004321, 0.0159718519),
    }
    for name, (point, error) in published.items():
        found = document["estimates"][name]
        assert found["point"] == pytest.approx(point, abs=1e-8), name
        assert found["standard_error"] == pytest.approx(error, abs=1e-6), name
    events = by_event_time(document)
    dynamic = [0.030507, -0.000563, -0.024459, -0.019932, -0.050957, -0.137259, -0.100811]
    assert [events[e]["point"] for e in range(-3, 4)] == pytest.approx(dynamic, abs=5e-7)
    assert sum(row["weight"] for row in document["series"]["bacon"]) == pytest.approx(1)


@needs_realdata
def test_the_staggered_example_gives_the_published_numbers(notebook) -> None:
    document = real("base_stagg", notebook)
    two_way = next(r for r in document["series"]["comparison"] if r["estimator"] == "two_way")
    assert two_way["point"] == pytest.approx(-3.4676, abs=5e-5)
    assert [row["event_time"] for row in document["series"]["event_study"]] == list(range(-8, 9))
    shares = pd.DataFrame(document["series"]["bacon"]).groupby("kind")["weight"].sum()
    assert shares["treated vs untreated"] == pytest.approx(0.7143, abs=5e-5)

    led = real("base_stagg_sun_abraham", notebook)["estimates"]["att"]
    assert led["point"] == pytest.approx(-1.1337494, abs=5e-8)
    assert led["standard_error"] == pytest.approx(0.2050705, abs=5e-8)


@needs_realdata
def test_one_treated_state_is_left_to_re_assignment(notebook) -> None:
    done = executed(with_params(notebook, REAL / "prop99.yaml"), ROOT)
    document = results(done)
    att = document["estimates"]["att"]
    assert att["point"] == pytest.approx(-27.34911108361, abs=1e-9)
    assert "re-assignment" in att["method"]
    p_value = document["estimates"]["randomization_p_value"]["point"]
    assert p_value * 39 == pytest.approx(round(p_value * 39))
    assert document["verdict"] == "no effect shown"
    checks = {check["name"]: check["verdict"] for check in document["checks"]}
    assert checks["few_clusters"] == "warn"
    assert checks["pre_trend"] == "not_run"


@needs_realdata
def test_stock_papermill_gives_the_same_results(tmp_path, notebook) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", str(NOTEBOOK),
         str(tmp_path / "out.ipynb"), "-f", str(REAL / "mpdta.yaml")],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert results(nbformat.read(tmp_path / "out.ipynb", as_version=4)) == real("mpdta", notebook)


def panel(units: int = 36, periods: int = 10) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    start = np.array([[4.0, 6.0, np.nan][unit % 3] for unit in range(units)])
    since = np.arange(periods) - np.nan_to_num(start, nan=99)[:, None]
    outcome = 20 + rng.normal(0, 1, (units, 1)) + rng.normal(0, 0.5, (units, periods))
    outcome -= 3 * (since >= 0)
    return pd.DataFrame(
        {
            "place": np.repeat([f"place {n}" for n in range(units)], periods),
            "at": np.tile(np.arange(periods) + 1, units),
            "n": outcome.ravel(),
            "since": np.repeat(start + 1, periods),
        }
    )


PARAMS = (
    "title: T\nsource: panel.csv\nunit_column: place\ntime_column: at\noutcome_column: n\n"
    "treatment_start_column: since\n"
)


def test_hostile_text_in_the_data_stays_text(tmp_path, notebook) -> None:
    names = ["<script>alert(1)</script>", "_$_$ $x^2$", "javascript:alert(2)", "x" * 3_000,
             '"><img src=x onerror=alert(3)>', "[a](javascript:alert(4)) **b**"]  # fmt: skip
    rows = panel()
    rows["place"] = [names[int(p.split()[1]) % 6] + p for p in rows["place"]]
    rows.to_csv(tmp_path / "panel.csv", index=False)
    params = tmp_path / "params.yaml"
    params.write_text(
        PARAMS + "outcome_name: '<b>n</b> _$_'\nunit_label: '<img src=y onerror=alert(5)>'\n",
        encoding="utf-8",
    )
    done = executed(with_params(notebook, params), tmp_path)
    html = html_of(done)
    assert results(done)["verdict"] == "effect shown"
    assert not re.search(r"<(script|img|b|iframe)\b", html, re.IGNORECASE)
    assert not re.search(r'(href|src)="(?!data:text/csv)', html)
    assert "x" * 200 not in html


def test_keys_of_people_never_reach_the_report(tmp_path, notebook) -> None:
    rows = panel()
    rows["place"] = [f"user-{734100 + int(p.split()[1])}" for p in rows["place"]]
    rows.to_csv(tmp_path / "panel.csv", index=False)
    params = tmp_path / "params.yaml"
    params.write_text(PARAMS, encoding="utf-8")
    done = executed(with_params(notebook, params), tmp_path)
    assert results(done)["verdict"] == "effect shown"
    # Not the cells' metadata: times to the microsecond hold any four digits now and then.
    assert "7341" not in json.dumps(
        [(cell["source"], cell.get("outputs")) for cell in done["cells"]]
    )
