"""The one market's notebook: answer first, published numbers on Proposition 99, text is text."""

import json
import re
import subprocess
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest

from tests.notebooks.executing import NOTEBOOKS, ROOT, executed, html_of, results, with_params

NOTEBOOK = NOTEBOOKS / "intervention_synth.ipynb"
REAL = ROOT / "tests" / "interventions" / "params" / "intervention_synth"
DATA = ROOT / ".." / "shared" / "realdata"

needs_realdata = pytest.mark.skipif(
    not (DATA / "prop99.csv").exists(), reason="../shared/realdata is not part of the project"
)


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def real(name: str, notebook) -> dict:
    """Results of the params file `name` on its real panel."""
    return results(executed(with_params(notebook, REAL / f"{name}.yaml"), ROOT))


def weights(document: dict) -> dict:
    return {row["unit"]: row["weight"] for row in document["series"]["weights"]}


def test_its_order_is_that_of_a_report(notebook) -> None:
    headings = [
        line
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("#")
    ]
    assert headings[:6] == [
        "# Did it work where it was switched on, how much, and should we believe it?",
        "## Parameters",
        "## Set-up",
        "## Data",
        "## Estimate",
        "## Answer",
    ]
    assert headings[-1] == "## Provenance"
    assert headings.index("## Can we believe it") < headings.index("## What to do next")


def test_stock_papermill_runs_it_and_finds_what_was_planted(project) -> None:
    for name in ("example", "neighbour-kept"):
        subprocess.run(
            [sys.executable, "-m", "papermill", "--no-progress-bar",
             "notebooks/intervention_synth.ipynb", f"{name}.ipynb",
             "-f", f"params/intervention_synth/{name}.yaml"],
            cwd=project, capture_output=True, check=True,
        )  # fmt: skip
    from trustlib.demo.reply_limits import limits_truth

    truth = limits_truth(project / ".trustlib" / "demo")
    document = results(nbformat.read(project / "example.ipynb", as_version=4))
    att, total = document["estimates"]["att"], document["estimates"]["total_effect"]
    assert att["low"] <= truth.att <= att["high"] < 0
    assert total["low"] <= truth.total <= total["high"] < 0
    assert document["verdict"] == "effect shown"
    out = {row["unit"]: row["reason"] for row in document["series"]["pool"] if row["reason"]}
    assert out == {"borage": "affected", "lovage": "treated"}

    kept = results(nbformat.read(project / "neighbour-kept.ipynb", as_version=4))
    (caught,) = (check for check in kept["checks"] if check["name"] == "donors_affected")
    assert caught["verdict"] == "warn"
    assert "borage" in caught["text"]


@needs_realdata
def test_proposition_99_by_synthetic_did(notebook) -> None:
    document = real("prop99", notebook)
    att = document["estimates"]["att"]
    assert att["point"] == pytest.approx(-15.6054, abs=5e-5)
    assert att["standard_error"] == pytest.approx(9.368, abs=5e-4)
    found = weights(document)
    for unit, weight in {"Nevada": 0.124, "New Hampshire": 0.105, "Connecticut": 0.078,
                         "Delaware": 0.070, "Colorado": 0.057}.items():  # fmt: skip
        assert found[unit] == pytest.approx(weight, abs=6e-4)
    times = {row["time"]: row["weight"] for row in document["series"]["time_weights"]}
    assert [times[year] for year in ("1986", "1987", "1988")] == pytest.approx(
        [0.366, 0.206, 0.428], abs=1e-3
    )
    assert len(document["series"]["placebos"]) == 39


@needs_realdata
def test_proposition_99_by_outcomes_only(notebook) -> None:
    document = real("prop99_outcomes_only", notebook)
    assert document["estimates"]["att"]["point"] == pytest.approx(-19.5136, abs=5e-5)
    assert document["estimates"]["gap_final"]["point"] == pytest.approx(-26.597, abs=5e-4)
    beside = {row["estimator"]: row for row in document["series"]["comparison"]}
    assert beside["synthetic_control"]["standard_error"] == pytest.approx(10.633, abs=5e-4)
    assert beside["did"]["standard_error"] == pytest.approx(17.287, abs=5e-4)
    assert beside["did"]["point"] == pytest.approx(-27.3491, abs=5e-5)


@needs_realdata
def test_proposition_99_by_its_predictors(notebook) -> None:
    document = real("prop99_predictors", notebook)
    found = weights(document)
    for unit, weight in {"Utah": 0.335, "Nevada": 0.236, "Montana": 0.202, "Colorado": 0.160,
                         "Connecticut": 0.068}.items():  # fmt: skip
        assert found[unit] == pytest.approx(weight, abs=0.01)
    estimates = document["estimates"]
    assert estimates["gap_final"]["point"] == pytest.approx(-25.73, abs=0.15)
    assert estimates["att"]["point"] == pytest.approx(-18.98, abs=0.15)
    assert estimates["placebo_p_value"]["point"] == pytest.approx(1 / 39)
    assert estimates["pre_period_rmspe"]["point"] ** 2 == pytest.approx(3.0767, abs=0.02)
    names = [row["predictor"] for row in document["series"]["predictors"]]
    assert len(names) == 7
    assert "predictor_weights" in [check["name"] for check in document["checks"]]
    assert len(document["snapshots"]) == 2


@needs_realdata
def test_lagged_outcomes_are_predictors_too(notebook) -> None:
    document = real("prop99_lags", notebook)
    lags = document["series"]["predictors"]
    assert len(lags) == 3
    # Cigarette sales in 1975, 1980 and their mean of 1984 to 1988, straight from the file.
    rows = pd.read_csv(DATA / "prop99.csv")
    own = rows[rows["state"] == "California"].set_index("year")["packs_per_capita"]
    wanted = [own[1975], own[1980], own.loc[1984:1988].mean()]
    assert [row["treated"] for row in lags] == pytest.approx(wanted)


@needs_realdata
def test_stock_papermill_gives_the_same_results(tmp_path, notebook) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar", str(NOTEBOOK),
         str(tmp_path / "out.ipynb"), "-f", str(REAL / "prop99.yaml")],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert results(nbformat.read(tmp_path / "out.ipynb", as_version=4)) == real("prop99", notebook)


def panel(units: int = 24, periods: int = 30, start: int = 22) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    common = 0.4 * rng.normal(size=(2, periods)).cumsum(axis=1)
    outcome = 20 + rng.normal(size=(units, 1)) + rng.uniform(0.2, 1, (units, 2)) @ common
    outcome += 0.2 * rng.normal(size=outcome.shape)
    outcome[0, start:] -= 3
    first = np.full(units, np.nan)
    first[0] = start + 1
    return pd.DataFrame(
        {
            "place": np.repeat([f"place {n}" for n in range(units)], periods),
            "at": np.tile(np.arange(periods) + 1, units),
            "n": outcome.ravel(),
            "since": np.repeat(first, periods),
        }
    )


PARAMS = (
    "title: T\nsource: panel.csv\nunit_column: place\ntime_column: at\noutcome_column: n\n"
    "treatment_start_column: since\n"
)


def run(notebook, folder, rows: pd.DataFrame, params: str = PARAMS):
    rows.to_csv(folder / "panel.csv", index=False)
    path = folder / "params.yaml"
    path.write_text(params, encoding="utf-8")
    return executed(with_params(notebook, path), folder)


def test_hostile_text_in_the_data_stays_text(tmp_path, notebook) -> None:
    names = ["<script>alert(1)</script>", "_$_$ $x^2$", "javascript:alert(2)", "x" * 3_000,
             '"><img src=x onerror=alert(3)>', "[a](javascript:alert(4)) **b**"]  # fmt: skip
    rows = panel()
    rows["place"] = [names[int(p.split()[1]) % 6] + p for p in rows["place"]]
    done = run(
        notebook,
        tmp_path,
        rows,
        PARAMS + "outcome_name: '<b>n</b> _$_'\nunit_label: '<img src=y onerror=alert(5)>'\n",
    )
    html = html_of(done)
    assert results(done)["verdict"] == "effect shown"
    assert not re.search(r"<(script|img|b|iframe)\b", html, re.IGNORECASE)
    assert not re.search(r'(href|src)="(?!data:text/csv)', html)
    assert "x" * 200 not in html


def test_keys_of_people_never_reach_the_report(tmp_path, notebook) -> None:
    rows = panel()
    rows["place"] = [f"user-{734100 + int(p.split()[1])}" for p in rows["place"]]
    done = run(notebook, tmp_path, rows)
    assert results(done)["verdict"] == "effect shown"
    # Not the cells' metadata: times to the microsecond hold any four digits now and then.
    assert "7341" not in json.dumps(
        [(cell["source"], cell.get("outputs")) for cell in done["cells"]]
    )


def test_a_market_with_nothing_to_compare_with(tmp_path, notebook) -> None:
    rows = panel()
    done = run(notebook, tmp_path, rows[rows["place"] == "place 0"])
    document = results(done)
    assert document["verdict"] in ("a change, cause not shown", "not conclusive")
    assert document["series"]["weights"] == []
    assert "no_comparison" in [check["name"] for check in document["checks"]]
    # Every figure that does not apply says why instead.
    assert html_of(done).count('class="note"') >= 5


def test_few_donors_are_said_aloud(tmp_path, notebook) -> None:
    rows = panel()
    few = rows[rows["place"].isin([f"place {n}" for n in range(10)])]
    html = html_of(run(notebook, tmp_path, few))
    assert "cannot be below .10" in html


def test_predictors_from_a_file_of_their_own(tmp_path, notebook) -> None:
    rows = panel()
    units = rows["place"].unique()
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"place": units, "income": rng.normal(size=24), "age": rng.normal(size=24)}
    )
    frame.to_csv(tmp_path / "units.csv", index=False)
    told = PARAMS + (
        "predictor_source: units.csv\nfit_first: 3\nfit_last: 20\n"
        "predictors:\n  - {column: n, first: 1, last: 10, name: early level}\n"
    )
    document = results(run(notebook, tmp_path, rows, told))
    assert {row["predictor"] for row in document["series"]["predictors"]} == {
        "income", "age", "early level",
    }  # fmt: skip
    assert document["series"]["comparison"][0]["estimator"] == "synthetic_control_predictors"
