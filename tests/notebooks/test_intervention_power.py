"""The plan's notebook: what a planned rollout could show, under every runner."""

import subprocess
import sys
from itertools import pairwise

import nbformat
import pytest

from tests.notebooks.executing import NOTEBOOKS, executed, results, with_params

NOTEBOOK = NOTEBOOKS / "intervention_power.ipynb"


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_stock_papermill_runs_it_and_carries_the_results(project) -> None:
    subprocess.run(
        [sys.executable, "-m", "papermill", "--no-progress-bar",
         "notebooks/intervention_power.ipynb", "power.ipynb",
         "-f", "params/intervention_power/example.yaml"],
        cwd=project, capture_output=True, check=True,
    )  # fmt: skip
    document = results(nbformat.read(project / "power.ipynb", as_version=4))
    estimates = document["estimates"]
    smallest = estimates["smallest_detectable_effect"]
    assert 0 < smallest["low"] <= smallest["point"] <= smallest["high"]
    power = [row["power"] for row in document["series"]["power_curve"]]
    # Near zero the curve is the simulation's own noise.
    assert all(later > earlier - 0.01 for earlier, later in pairwise(power))
    assert power[-1] > 0.95
    assert estimates["power_at_-2"]["point"] > estimates["power_at_-0.5"]["point"]
    assert estimates["false_alarm_rate"]["low"] <= 0.05


def test_a_bigger_plan_sees_more(project, notebook, tmp_path) -> None:
    """The same history and length, with twice the markets treated."""
    params = (project / "params" / "intervention_power" / "example.yaml").read_text("utf-8")
    found = []
    for units in ("[3, 3]", "[7, 7]"):
        path = tmp_path / "plan.yaml"
        path.write_text(params.replace("[7, 7]", units), encoding="utf-8")
        document = results(executed(with_params(notebook, path), project))
        found.append(document["estimates"]["smallest_detectable_effect"]["point"])
    assert found[1] < found[0]
