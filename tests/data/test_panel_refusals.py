"""What is no panel is refused in words, without a cell's content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.test_panel import ASK, panel, wrote
from trustlib.core import NoData, Refusal
from trustlib.data import PanelQuery, read_panel

SECRET = "s3cret-cell-content"


def refused(query: PanelQuery = ASK) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_panel(query)
    assert SECRET not in str(caught.value)
    assert caught.value.next_step
    return caught.value


def no_data(query: PanelQuery = ASK) -> NoData:
    with pytest.raises(NoData) as caught:
        read_panel(query)
    return caught.value


ROLES = {
    "unit_column": "markt",
    "time_column": "periode",
    "outcome_column": "why",
    "treatment_start_column": "strat",
    "weight_column": "peopel",
    "cluster_column": "markets",
    "standard_error_column": "stat",
    "neighbour_column": "starts",
    "covariate_columns": ("y", "peiod"),
}


@pytest.mark.parametrize("parameter", ROLES)
def test_a_missing_column_names_the_parameter_and_the_nearest(parameter: str) -> None:
    wrote(panel(people=1))
    error = refused(replace(ASK, **{parameter: ROLES[parameter]}))
    assert error.what == f"{parameter} names a column that the source does not have"
    assert "the source has: market, period" in str(error.next_step)
    if parameter != "outcome_column":
        assert error.nearest


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ([SECRET, *range(8)], "1 predictor value is not a number"),
        (["inf", *range(8)], "1 predictor value is infinite"),
        (["1.234", "2.345", *range(7)], "2 predictor values written like 1.234 can be read two"),
    ],
)
def test_a_predictor_is_a_number(price: list[object], words: str) -> None:
    wrote(panel(price=price))
    error = refused(replace(ASK, predictor_columns=("price",)))
    assert words in error.what
    assert error.where == "predictors: price"
    error = refused(replace(ASK, predictor_columns=("prise",)))
    assert error.what == "predictors names a column that the source does not have"
    assert error.nearest == "price"


def test_rows_that_repeat_a_unit_and_period() -> None:
    twice = pd.concat([panel(), panel().iloc[[1, 1, 5]]])
    wrote(twice)
    error = refused()
    assert "2 unit-period pairs are there more than once (5 rows, with equal" in error.what
    assert "appended to itself" in str(error.next_step)
    wrote(twice.assign(y=np.arange(len(twice))))
    error = refused()
    assert "2 with different outcomes" in error.what
    assert "GROUP BY" in str(error.next_step)
    wrote(panel(market=["a", "a ", *"abbbccc"], period=[1, 1, 3, 1, 2, 3, 1, 2, 3]))
    assert "1 unit-period pair is" in refused().what


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y": [SECRET, *range(8)]}, "1 outcome is not a number"),
        ({"y": ["1,5", "2,5", *range(7)]}, "2 outcomes are not numbers"),
        ({"y": ["inf", *range(8)]}, "1 outcome is infinite"),
        ({"y": ["1.234", "2.345", *range(7)]}, "can be read two ways"),
        ({"people": [SECRET, *range(1, 9)]}, "1 weight is not a number"),
        ({"people": [-1, *range(1, 9)]}, "1 weight is negative"),
        ({"people": ["", *range(1, 9)]}, "1 rows with an outcome are without a weight"),
        ({"people": [0, *range(1, 9)]}, "1 rows with an outcome are with a weight of 0"),
        ({"size": [SECRET, SECRET, *range(7)]}, "2 covariate values are not numbers"),
        ({"size": ["-inf", *range(8)]}, "1 covariate value is infinite"),
        ({"se": [-0.1, *range(8)]}, "1 standard error is negative"),
        ({"near": [2, *[0] * 8]}, "1 neighbour value is neither 0 nor 1"),
        ({"near": [1, *[0] * 8]}, "the neighbour flag changes within 1 unit"),
        ({"state": ["", *"xxxxxxxx"]}, "1 rows have no cluster"),
        ({"state": ["x", "z", *"xxxxxxx"]}, "the cluster changes within 1 unit"),
        ({"start": [3, 3, 2, *[2.0] * 3, *[""] * 3]}, "start changes within 1 unit"),
        ({"start": ["", 3, 3, "", *[2.0] * 2, *[""] * 3]}, "start changes within 2 units"),
        ({"start": [2.5] * 3 + [""] * 6}, "3 treatment starts are not whole"),
        ({"start": [SECRET] * 3 + [""] * 6}, "3 treatment starts are neither"),
        ({"start": ["-inf"] * 3 + [""] * 6}, "3 treatment starts are neither"),
        ({"start": ["2024-01-01"] * 3 + [""] * 6}, "treatment starts are dates, and times are"),
        ({"period": [2003.5, *[2, 3] * 4]}, "1 time is not whole"),
        ({"period": ["inf", *[2, 3] * 4]}, "1 time is infinite"),
        ({"period": [SECRET, *[2, 3] * 4]}, "1 time is neither whole numbers nor dates"),
        ({"period": ["2024-02-30", *["2024-02-01"] * 8]}, "1 time is neither"),
        ({"period": ["2024-13", *["2024-02"] * 8]}, "1 time is neither"),
        ({"period": ["2023-W53", *["2023-W52"] * 8]}, "1 time is neither"),
        ({"period": ["01/02/2015"] * 9}, "9 times are neither"),
        ({"period": ["2024-01-01", *[2, 3] * 4]}, "8 times are whole numbers and 1 are dates"),
        (
            {"period": ["2024-01-01T00:00Z", *["2024-01-02"] * 8]},
            "1 times carry an offset from UTC and 8 do not",
        ),
        ({"period": [202311, 202312, 202401] * 3}, "look like months without a dash"),
        ({"period": [20231231, 20240101, 20240102] * 3}, "look like dates without dashes"),
        ({"period": [1700000000, 1700003600, 1700007200] * 3}, "look like seconds"),
    ],
)
def test_cells_that_cannot_be_read(changes: dict, words: str) -> None:
    wrote(panel(people=1, size=1, se=1, near=0, state="x").assign(**changes))
    query = replace(
        ASK,
        weight_column="people",
        covariate_columns=("size",),
        standard_error_column="se",
        neighbour_column="near",
        cluster_column="state",
    )
    assert words in refused(query).what


def test_whole_numbers_that_only_resemble_months() -> None:
    wrote(panel(period=[202401, 202402, 202403] * 3, start=""))
    assert read_panel(ASK).frame["time"].max() == 202403
    wrote(panel(period=[202400, 202500, 202600] * 3, start=""))
    assert read_panel(ASK).frame["time"].max() == 202600


def test_the_row_is_named_where_the_source_has_rows(here: Path) -> None:
    bad = panel(period=[1, 2, SECRET, 1, 2, 3, 1, 2, SECRET])
    bad.to_csv("panel.csv", index=False)
    assert "first in row 3 below the header" in str(refused().where)
    (here / "q.sql").write_text(
        f"SELECT 'a' AS market, '{SECRET}' AS period, 1 AS y, NULL::int AS start"
    )
    assert "first in row" not in str(refused(replace(ASK, source="q.sql")).where)


def test_treatment_that_ends() -> None:
    asked = replace(ASK, treatment_start_column=None, treated_column="on")
    wrote(panel(on=[0, 1, 0, 1, 1, 0, 0, 1, 1]))
    assert "2 units are treated and later untreated again" in refused(asked).what
    wrote(panel(on=[1, 1, 1, 0, 0, 0, 0, 1, 1]))  # the next unit begins untreated: no reversal
    assert read_panel(asked).frame["treatment_start"].notna().sum() == 6
    wrote(panel(on=[0, "", 1, *[0] * 6]))
    assert "1 treated value is empty" in refused(asked).what
    wrote(panel(on=[0, 2, 1, *[0] * 6]))
    assert "neither 0 nor 1" in refused(asked).what


def test_types_that_cannot_play_a_role() -> None:
    frame = panel(flag=True, day=pd.Timestamp("2024-01-01"))
    frame["list"] = [[1]] * 9
    wrote(frame, "panel.parquet")
    source = replace(ASK, source="panel.parquet")
    for parameter, column, need in (
        ("time_column", "flag", "whole numbers, dates or text"),
        ("treatment_start_column", "list", "whole numbers, dates or text"),
        ("outcome_column", "day", "a number"),
        ("weight_column", "flag", "a number"),
        ("unit_column", "list", "text, a number or a date"),
        ("neighbour_column", "day", "0 or 1"),
    ):
        error = refused(replace(source, **{parameter: column}))
        assert error.what.startswith(f"{parameter} needs {need}"), error.what
    error = refused(replace(source, covariate_columns=("list",)))
    assert error.what.startswith("covariate_columns needs a number")


def test_nothing_to_measure(here: Path) -> None:
    wrote(panel().head(0))
    assert "no rows" in no_data().what
    wrote(panel(y=""))
    assert "every outcome is missing" in no_data().what
    wrote(panel(period=""))
    assert "every time is empty" in no_data().what
    wrote(panel(market=""))
    assert "every unit is empty" in no_data().what
    wrote(panel(market=["", *"aabbbccc"], y=[1, *[""] * 8]))
    assert "every outcome in the rows used" in no_data().what
    wrote(panel(market=["", *"aabbbccc"], period=[1, *[""] * 8]))
    assert "no row has a unit and a time" in no_data().what


def test_events_are_no_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trustlib.data.panel_time._MOST", 2)
    wrote(panel())
    assert "more than 2 different times" in refused().what


def test_a_zone_that_is_none() -> None:
    wrote(panel())
    assert refused(replace(ASK, timezone="Europe/Berln")).nearest == "Europe/Berlin"


def test_an_empty_header_and_another_encoding(here: Path) -> None:
    text = panel(market=np.repeat(["Zürich", "b", "c"], 3)).to_csv(index=False)
    (here / "panel.csv").write_bytes(text.encode("latin-1"))
    assert "not UTF-8" in refused().what
