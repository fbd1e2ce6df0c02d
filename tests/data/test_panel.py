"""A panel comes back as it stands in the source, whatever the file looks like."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trustlib.data import PanelQuery, covariate_names, read_panel

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "realdata"
ASK = PanelQuery(
    source="panel.csv",
    unit_column="market",
    time_column="period",
    outcome_column="y",
    treatment_start_column="start",
)


def panel(**columns: list[object]) -> pd.DataFrame:
    """Three markets over three periods: b treated in 2, c never, a in 3; y = 10·unit + period."""
    frame = pd.DataFrame(
        {
            "market": np.repeat(["a", "b", "c"], 3),
            "period": np.tile([1, 2, 3], 3),
            "y": [11.0, 12, 13, 21, 22, 23, 31, 32, 33],
            "start": np.repeat([3.0, 2.0, np.nan], 3),
        }
    )
    return frame.assign(**columns)


def wrote(frame: pd.DataFrame, name: str = "panel.csv", **how: object) -> pd.DataFrame:
    """Write the frame, rows in an order of no meaning, and hand it back."""
    mixed = frame.sample(frac=1, random_state=3)
    if name.endswith(".csv"):
        mixed.to_csv(name, index=False, **how)  # type: ignore[arg-type]
    else:
        mixed.to_parquet(name, index=False)
    return frame


def item(rows, name: str) -> int:
    return int(rows.health.set_index("item")["n"][name])


def check(rows, name: str):
    return next(check for check in rows.checks if check.name == name)


@pytest.mark.parametrize("name", ["panel.csv", "panel.parquet"])
def test_a_panel_as_it_stands(name: str) -> None:
    wrote(panel(), name)
    found = read_panel(replace(ASK, source=name))
    expected = panel().rename(
        columns={"market": "unit", "period": "time", "y": "outcome", "start": "treatment_start"}
    )
    pd.testing.assert_frame_equal(found.frame, expected.astype({"unit": "str"}))
    assert {check.verdict for check in found.checks} == {"pass", "not_run"}
    assert check(found, "data_complete").verdict == "pass"
    assert item(found, "units") == 3
    assert item(found, "periods") == 3
    assert item(found, "units with a treatment start") == 2
    assert item(found, "rows read") == item(found, "rows used") == 9


def test_every_role_has_its_column() -> None:
    wrote(
        panel(
            people=np.arange(1, 10),
            state=np.repeat(["x", "x", "z"], 3),
            se=0.5,
            near=np.repeat([0, 0, 1], 3),
            unit=np.arange(9) / 4,
            size=np.arange(9) * 2,
        )
    )
    found = read_panel(
        replace(
            ASK,
            weight_column="people",
            cluster_column="state",
            standard_error_column="se",
            neighbour_column="near",
            covariate_columns=("unit", "size"),
        )
    )
    frame = found.frame
    assert list(frame) == [
        "unit", "time", "outcome", "treatment_start", "weight", "cluster", "standard_error",
        "neighbour", "x_unit", "size",
    ]  # fmt: skip
    assert frame["weight"].tolist() == list(range(1, 10))
    assert frame["cluster"].tolist() == list("xxxxxxzzz")
    assert frame["neighbour"].dtype == bool
    assert frame["neighbour"].tolist() == [False] * 6 + [True] * 3
    assert frame["x_unit"].tolist() == [i / 4 for i in range(9)]
    assert frame["size"].dtype == "float64"
    assert item(found, "clusters") == 2
    assert item(found, "neighbour units") == 1
    assert {"weights", "covariates", "standard_errors"} <= {check.name for check in found.checks}


def test_predictors_may_be_missing_wherever_they_are() -> None:
    wrote(panel(price=[None, *range(8)], weight=[*range(8), None]))
    found = read_panel(replace(ASK, predictor_columns=("price", "weight")))
    assert list(found.frame)[4:] == ["price", "x_weight"]
    np.testing.assert_array_equal(found.frame["price"], [np.nan, *range(8)])
    np.testing.assert_array_equal(found.frame["x_weight"], [*range(8), np.nan])
    assert item(found, "missing: predictor price") == 1
    assert "covariates" not in {check.name for check in found.checks}


def test_covariates_keep_their_names_unless_taken() -> None:
    assert covariate_names(("log_pop", "age")) == ("log_pop", "age")
    assert covariate_names(("weight", "x_weight")) == ("x_x_weight", "x_weight")


def test_one_column_may_play_two_roles() -> None:
    wrote(panel(people=2))
    found = read_panel(
        replace(ASK, cluster_column="market", weight_column="people", covariate_columns=("people",))
    )
    assert found.frame["cluster"].tolist() == found.frame["unit"].tolist()
    assert found.frame["people"].tolist() == found.frame["weight"].tolist()


@pytest.mark.parametrize("yes", [1, "true", "T", "yes", "1.0"])
def test_a_treated_column_gives_the_start(yes: object) -> None:
    no = {1: 0, "true": "false", "T": "F", "yes": "no", "1.0": "0.0"}[yes]
    wrote(panel(on=[no, no, yes, no, yes, yes, no, no, no]))
    asked = replace(ASK, treatment_start_column=None, treated_column="on")
    starts = read_panel(asked).frame["treatment_start"]
    np.testing.assert_array_equal(starts, panel()["start"])


def test_a_treated_column_of_booleans_and_dates() -> None:
    days = np.tile(pd.to_datetime(["2024-01-01", "2024-01-08", "2024-01-15"]), 3)
    wrote(panel(period=days, on=panel()["period"] >= panel()["start"]), "panel.parquet")
    found = read_panel(
        replace(ASK, source="panel.parquet", treatment_start_column=None, treated_column="on")
    )
    starts = found.frame["treatment_start"]
    assert starts.dtype == "datetime64[us]"
    expected = pd.to_datetime(["2024-01-15"] * 3 + ["2024-01-08"] * 3 + [None] * 3)
    np.testing.assert_array_equal(starts, expected.to_numpy())


def test_a_unit_first_seen_treated_after_a_gap_is_counted() -> None:
    asked = replace(ASK, treatment_start_column=None, treated_column="on")
    on = panel(on=(panel()["period"] >= panel()["start"]).astype(int))
    wrote(on)
    assert item(read_panel(asked), "units first seen treated after a gap") == 0
    wrote(on.drop(index=[1]))  # a's row before its start
    found = read_panel(asked)
    assert item(found, "units first seen treated after a gap") == 1
    assert found.frame["treatment_start"].tolist()[:2] == [3.0, 3.0]


def test_without_a_treatment_column_nobody_is_treated() -> None:
    wrote(panel())
    found = read_panel(replace(ASK, treatment_start_column=None))
    assert found.frame["treatment_start"].isna().all()
    # Nobody said who was treated: counting starts would say that nobody was.
    assert not found.health["item"].str.contains("treatment start").any()


@pytest.mark.parametrize("word", ["", "NA", "NaN", "null", ".", "None"])
def test_missing_outcomes_stay_missing(word: str) -> None:
    wrote(panel(y=[11, word, 13, 21, 22, 23, 31, word, 33]))
    found = read_panel(ASK)
    assert found.frame["outcome"].isna().tolist() == [i in (1, 7) for i in range(9)]
    assert item(found, "missing outcomes") == 2
    seen = check(found, "data_complete")
    assert seen.verdict == "warn"
    assert "2 of 9 cells" in seen.text


def test_absent_rows_are_missing_cells() -> None:
    wrote(panel().drop(index=[0, 4, 8]))
    found = read_panel(ASK)
    assert item(found, "cells without a row") == 3
    assert check(found, "data_complete").verdict == "fail"
    wrote(panel().drop(index=[0, 1]))
    found = read_panel(ASK)
    assert item(found, "units with fewer than two outcomes") == 1
    assert check(found, "data_complete").verdict == "warn"


def test_rows_without_a_unit_or_a_time_are_left_out_and_counted() -> None:
    wrote(panel(market=["", *"aabbb", *"ccc"], period=[1, "", 3, 1, 2, 3, 1, 2, 3]))
    found = read_panel(ASK)
    assert len(found.frame) == 7
    assert item(found, "rows without a unit") == item(found, "rows without a time") == 1
    assert check(found, "rows_readable").verdict == "fail"
    assert "1 row without a unit" in check(found, "rows_readable").text.replace("\xa0", " ")


def test_units_are_text() -> None:
    wrote(panel(market=np.repeat([10, 9, 8], 3)))
    assert read_panel(ASK).frame["unit"].tolist() == ["10"] * 3 + ["8"] * 3 + ["9"] * 3
    wrote(panel(market=np.repeat([10.0, 9.0, 8.5], 3)), "panel.parquet")
    units = read_panel(replace(ASK, source="panel.parquet")).frame["unit"]
    assert units.unique().tolist() == ["10", "8.5", "9"]
    wrote(panel(market=np.repeat(["NA", " b", "Zürich"], 3)))  # Namibia is a market
    assert read_panel(ASK).frame["unit"].unique().tolist() == ["NA", "Zürich", "b"]


def test_a_spreadsheets_csv() -> None:
    wrote(panel(), sep=";", encoding="utf-8-sig", lineterminator="\r\n")
    plain = wrote(panel(), "plain.csv")
    assert plain is not None
    expected = read_panel(replace(ASK, source="plain.csv"))
    pd.testing.assert_frame_equal(read_panel(ASK).frame, expected.frame)


def test_booleans_are_outcomes() -> None:
    wrote(panel(y=panel()["y"] % 2 == 0), "panel.parquet")
    found = read_panel(replace(ASK, source="panel.parquet"))
    assert found.frame["outcome"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0][:3] + [0, 1, 0] * 2


def test_the_order_of_rows_does_not_matter() -> None:
    panel().to_csv("panel.csv", index=False)
    one = read_panel(ASK)
    panel().iloc[::-1].to_csv("panel.csv", index=False)
    other = read_panel(ASK)
    pd.testing.assert_frame_equal(one.frame, other.frame)
    pd.testing.assert_frame_equal(one.health, other.health)
    assert one.checks == other.checks


def test_the_snapshot_is_kept() -> None:
    wrote(panel())
    kept = read_panel(ASK).snapshot
    assert kept.rows == len(pd.read_parquet(kept.path)) == 9
    assert kept.window_start_at is None
    assert kept.to_json()["window_end_at"] is None
    assert "read_csv(panel.csv)" in kept.sql
    assert read_panel(ASK).snapshot == kept


def test_weights_are_judged() -> None:
    wrote(panel(people=np.repeat([1, 1, 9], 3)))
    seen = check(read_panel(replace(ASK, weight_column="people")), "weights")
    assert seen.verdict == "warn"
    assert "82" in seen.text
    wrote(panel(people=np.repeat([4, 4, 3], 3)))
    assert check(read_panel(replace(ASK, weight_column="people")), "weights").verdict == "pass"


def test_a_weight_may_be_missing_where_the_outcome_is() -> None:
    wrote(panel(y=[None, *range(8)], people=[0, *[1] * 8]))
    assert read_panel(replace(ASK, weight_column="people")).frame["weight"].tolist()[0] == 0


def test_missing_covariates_and_errors_are_counted() -> None:
    wrote(panel(size=[None, *range(8)], se=[None, None, *range(7)]))
    found = read_panel(replace(ASK, covariate_columns=("size",), standard_error_column="se"))
    assert item(found, "missing: covariate size") == 1
    assert item(found, "missing: standard errors") == 2
    assert check(found, "covariates").verdict == check(found, "standard_errors").verdict == "warn"


def test_three_decimals_throughout_are_read_and_said() -> None:
    wrote(panel(y=[f"{1 + i}.125" for i in range(9)]))
    found = read_panel(ASK)
    assert found.frame["outcome"].tolist()[0] == 1.125
    assert check(found, "rows_readable").verdict == "warn"
    assert "of y is written like 1.234" in check(found, "rows_readable").text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"as_of": datetime(2024, 1, 1)}, "naive"),
        ({"treated_column": "on"}, "not both"),
        ({"covariate_columns": ("x", "x")}, "twice"),
        ({"predictor_columns": ("x", "x")}, "twice"),
        ({"covariate_columns": ("x",), "predictor_columns": ("x",)}, "twice"),
    ],
)
def test_a_question_that_contradicts_itself(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(ASK, **changes)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real inputs are not beside the project")
def test_real_panels_read() -> None:
    counties = read_panel(
        PanelQuery(
            source=str(REAL / "mpdta.csv"), unit_column="county", time_column="year",
            outcome_column="log_employment", treatment_start_column="first_treated",
            covariate_columns=("log_pop",),
        )
    )  # fmt: skip
    assert counties.frame["unit"].nunique() == 500
    assert counties.frame.groupby("unit")["treatment_start"].first().value_counts().to_dict() == {
        0.0: 309, 2007.0: 131, 2006.0: 40, 2004.0: 20
    }  # fmt: skip
    assert item(counties, "units whose treatment start is 0") == 309
    simulated = read_panel(
        PanelQuery(
            source=str(REAL / "base_stagg.csv"), unit_column="id", time_column="year",
            outcome_column="y", treatment_start_column="year_treated",
        )
    )  # fmt: skip
    assert simulated.frame.shape == (950, 4)
    assert simulated.frame["treatment_start"].max() == 10_000
    smoking = read_panel(
        PanelQuery(
            source=str(REAL / "prop99.csv"), unit_column="state", time_column="year",
            outcome_column="packs_per_capita", treated_column="treated",
        )
    )  # fmt: skip
    treated = smoking.frame[smoking.frame["treatment_start"].notna()]
    assert treated["unit"].unique().tolist() == ["California"]
    assert treated["treatment_start"].unique().tolist() == [1989.0]
    for found in (counties, simulated, smoking):
        assert check(found, "data_complete").verdict == "pass"


def test_as_of_is_not_applied_to_whole_numbers() -> None:
    wrote(panel())
    found = read_panel(replace(ASK, as_of=datetime(1990, 1, 1, tzinfo=UTC)))
    assert len(found.frame) == 9
    note = found.health.set_index("item")["note"]["rows after as_of"]
    assert "not applied" in note
    assert "cannot be compared" in check(found, "freshness").text
