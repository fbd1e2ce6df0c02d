"""Inside the notebook: stock papermill's injected cell, JupyterLab, misspelt names."""

from __future__ import annotations

from typing import Any

import pytest

from tests.params.conftest import VALID
from trustlib import params
from trustlib.core import Refusal

SETUP = "params = IncidentSizingParams.from_notebook(globals())"
NEEDED = {name: VALID[name] for name in ("source", "time_column", "incident_start", "incident_end")}


def ran(*cells: str) -> dict[str, Any]:
    """The namespace of a kernel that has run `cells` and is about to run the set-up cell."""
    namespace: dict[str, Any] = {}
    for cell in cells:
        exec(cell, namespace)
    return namespace | {"In": ["", *cells, SETUP]}


def as_cell(values: dict[str, Any], head: str = "") -> str:
    return head + "\n".join(f"{name} = {value!r}" for name, value in values.items())


def injected(values: dict[str, Any]) -> str:
    """The cell that papermill writes."""
    from papermill.translators import PythonTranslator

    return PythonTranslator.codify(values)


def load(namespace: dict[str, Any]) -> params.IncidentSizingParams:
    return params.IncidentSizingParams.from_notebook(namespace)


def refusal(namespace: dict[str, Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        load(namespace)
    return caught.value


def test_by_hand_in_a_parameters_cell() -> None:
    asked = load(ran("import os", as_cell(VALID)))
    assert asked.unit_label == "trips"
    assert load(VALID) == asked


def test_without_a_kernel_history_the_variables_count() -> None:
    assert load({**VALID, "other": 3}).level == 0.9


def test_an_injected_file_means_the_same_as_when_it_is_loaded() -> None:
    # The notebook's example says level .8; the file does not say: the default counts.
    example = as_cell({**VALID, "level": 0.8, "segment_column": "borough"})
    asked = load(ran(example, injected(NEEDED)))
    assert asked.level == 0.95
    assert asked.segment_column is None
    assert asked.title == "Untitled report"


@pytest.mark.parametrize("name", list(VALID))
def test_a_misspelt_injected_name(name: str) -> None:
    wrong = name[:-1]
    values = {wrong if key == name else key: value for key, value in VALID.items()}
    error = refusal(ran(as_cell(VALID), injected(values)))
    assert error.nearest == name
    assert error.where == "the notebook's parameters cell"
    assert error.exit_code == 2


@pytest.mark.parametrize("name", list(VALID))
def test_a_misspelt_name_by_hand(name: str) -> None:
    values = {name[:-1] if key == name else key: value for key, value in VALID.items()}
    assert refusal(ran(as_cell(values))).nearest == name


def test_only_a_misspelt_name_is_injected() -> None:
    error = refusal(ran(as_cell(VALID), injected({"levle": 0.9})))
    assert "levle" in str(error)


def test_a_corrected_cell_is_accepted_on_the_second_try() -> None:
    wrong = as_cell({**VALID, "levle": 0.9})
    assert refusal(ran(wrong)).nearest == "level"
    assert load(ran(wrong, SETUP.replace("params = ", "x = 1 #"), as_cell(VALID))).level == 0.9


def test_other_variables_are_nobodys_business() -> None:
    cells = ("x = 1", "import pandas as pd\nframe = pd", as_cell(VALID), "colour = 'red'")
    assert load(ran(*cells)).level == 0.9


def test_values_are_checked_as_in_a_file() -> None:
    error = refusal(ran(as_cell({**VALID, "level": 95, "incident_start": "2015-01-26T12:00:00"})))
    assert "level: 95 must be less than 1" in str(error)
    assert 'write "2015-01-26T12:00:00-05:00"' in str(error)
    assert "the notebook's parameters cell" in str(error)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), b"x", 1j, (1,)])
def test_what_no_file_could_hold(value: Any) -> None:
    for name in VALID:
        assert refusal({**VALID, name: value}).exit_code == 2


def test_a_secret_in_a_notebook_is_not_repeated() -> None:
    error = refusal(ran(as_cell({**VALID, "connection": "postgres://u:hunter2@h/d"})))
    assert "hunter2" not in str(error)


def test_in_a_real_shell() -> None:
    """IPython's own history, as a kernel keeps it."""
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(history_load_length=0)
    shell.history_manager.enabled = False
    try:
        for cell in (as_cell(VALID), injected({**NEEDED, "levle": 0.9})):
            shell.run_cell(cell, store_history=True)
        shell.user_ns["IncidentSizingParams"] = params.IncidentSizingParams
        result = shell.run_cell(SETUP, store_history=True)
        assert isinstance(result.error_in_exec, Refusal)
        assert result.error_in_exec.nearest == "level"
        shell.run_cell(injected({**NEEDED, "level": 0.9}), store_history=True)
        assert shell.run_cell(SETUP, store_history=True).error_in_exec is None
        assert shell.user_ns["params"].level == 0.9
    finally:
        InteractiveShell.clear_instance()
