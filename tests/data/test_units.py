"""One row per unit: every other column is a number to match, or is refused in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from trustlib.core import NoData, Refusal
from trustlib.data import UnitQuery, read_units

ROOT = Path(__file__).resolve().parents[2]
PREDICTORS = ROOT.parent / "shared" / "realdata" / "prop99_predictors.csv"
ASK = UnitQuery(source="traits.csv", unit_column="market")
SECRET = "s3cret-cell-content"


def traits(**columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"market": ["mint", "basil", "thyme"], "price": [2.5, 1, 4], "young": [0.2, 0.1, 0.3]}
    )
    return frame.assign(**columns)


def wrote(frame: pd.DataFrame, name: str = "traits.csv", **how: Any) -> None:
    if name.endswith(".parquet"):
        frame.to_parquet(name, index=False)
    else:
        frame.to_csv(name, **({"index": False} | how))


def refused(query: UnitQuery = ASK) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_units(query)
    assert SECRET not in str(caught.value)
    assert "predictor_source: " in str(caught.value.where)
    assert caught.value.next_step
    return caught.value


@pytest.mark.parametrize("name", ["traits.csv", "traits.parquet"])
def test_every_column_but_the_units_is_a_predictor(name: str) -> None:
    wrote(traits(), name)
    found = read_units(replace(ASK, source=name))
    assert list(found.frame) == ["unit", "price", "young"]
    assert found.frame["unit"].tolist() == ["basil", "mint", "thyme"]
    assert found.predictors == {
        "price": {"basil": 1.0, "mint": 2.5, "thyme": 4.0},
        "young": {"basil": 0.1, "mint": 0.2, "thyme": 0.3},
    }
    assert [check.verdict for check in found.checks] == ["pass"]
    assert found.health.set_index("item")["n"].to_dict() == {
        "rows read": 3, "rows without a unit": 0, "units": 3, "predictors": 2,
        "missing: predictor price": 0, "missing: predictor young": 0,
    }  # fmt: skip


def test_units_are_the_panels_text() -> None:
    wrote(traits(market=[7.0, 8.0, np.nan]), "traits.parquet")
    found = read_units(replace(ASK, source="traits.parquet"))
    assert found.frame["unit"].tolist() == ["7", "8"]
    wrote(traits(market=[" mint ", "NA", "Zürich"]))
    assert read_units(ASK).frame["unit"].tolist() == ["NA", "Zürich", "mint"]


def test_names_of_roles_are_no_trouble() -> None:
    wrote(traits().rename(columns={"price": "unit", "young": "weight"}))
    found = read_units(ASK)
    assert list(found.frame) == ["unit", "x_unit", "x_weight"]
    assert list(found.predictors) == ["unit", "weight"]


def test_a_missing_number_stays_missing_and_is_said() -> None:
    wrote(traits(young=[0.2, "NA", ""], market=["mint", "basil", "thyme"]))
    found = read_units(ASK)
    assert found.frame["young"].isna().tolist() == [True, False, True]
    assert found.predictors["young"] == {"mint": 0.2}
    (check,) = found.checks
    assert check.verdict == "warn"
    assert "2 numbers of 1 predictor were missing" in check.text.replace("\xa0", " ")
    assert found.health.set_index("item")["n"]["missing: predictor young"] == 2


def test_rows_without_a_unit_are_left_out_and_said() -> None:
    wrote(traits(market=["mint", "", "thyme"]))
    found = read_units(ASK)
    assert found.frame["unit"].tolist() == ["mint", "thyme"]
    assert "1 row without a unit was left out" in found.checks[0].text.replace("\xa0", " ")
    assert found.health.set_index("item")["n"]["rows without a unit"] == 1


def test_three_decimals_throughout_are_read_and_said() -> None:
    wrote(traits(price=["1.125", "2.250", "3.375"]))
    found = read_units(ASK)
    assert found.predictors["price"]["mint"] == 1.125
    assert "of price is written like 1.234" in found.checks[0].text


def test_yes_and_no_are_one_and_nothing() -> None:
    wrote(traits(young=[True, False, True]), "traits.parquet")
    found = read_units(replace(ASK, source="traits.parquet"))
    assert found.predictors["young"] == {"mint": 1.0, "basil": 0.0, "thyme": 1.0}


def test_the_snapshot_is_kept_and_the_order_of_rows_does_not_matter() -> None:
    wrote(traits())
    one = read_units(ASK)
    assert one.snapshot.rows == len(pd.read_parquet(one.snapshot.path)) == 3
    assert (one.snapshot.kind, one.snapshot.window_start_at) == ("csv", None)
    assert "read_csv(traits.csv)" in one.snapshot.sql
    assert read_units(ASK).snapshot == one.snapshot
    wrote(traits().iloc[::-1])
    other = read_units(ASK)
    pd.testing.assert_frame_equal(one.frame, other.frame)
    assert one.predictors == other.predictors


def test_a_query_on_a_connection(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(str(here / "world.duckdb")) as world:
        world.execute("CREATE TABLE traits AS SELECT 'mint' AS market, 2 AS price")
    monkeypatch.setenv("WORLD_URL", "duckdb://world.duckdb")
    Path("traits.sql").write_text("SELECT market, price * 2 AS double_price FROM traits")
    asked = replace(ASK, source="traits.sql", connection="WORLD_URL")
    assert read_units(asked).predictors == {"double_price": {"mint": 4.0}}


def test_a_missing_unit_column() -> None:
    wrote(traits().rename(columns={"market": "markets"}))
    error = refused()
    assert error.what == "there is no column with the unit"
    assert error.where == "unit_column: market, predictor_source: traits.csv"
    assert error.nearest == "markets"


def test_a_file_without_its_header_shows_no_cell() -> None:
    Path("traits.csv").write_text(f"markets,{SECRET},2.5\nbasil,1,0.1\n")
    assert refused().nearest is None  # a unit may be called so


def test_no_other_column() -> None:
    wrote(traits()[["market"]])
    assert "so there is no predictor" in refused().what


def test_a_column_without_a_name() -> None:
    wrote(traits(), index=True)
    error = refused()
    assert error.what.replace("\xa0", " ") == "1 column has no name"
    assert "index=False" in str(error.next_step)


def test_more_columns_than_anyone_can_mean() -> None:
    wrote(traits(**{f"x{i}": i for i in range(49)}))
    assert "51 columns beside the unit's" in refused().what


def test_a_unit_that_is_there_twice() -> None:
    wrote(traits(market=[SECRET, SECRET, "thyme"]))
    error = refused()
    assert error.what.replace("\xa0", " ").startswith("1 unit is there more than once")
    wrote(pd.concat([traits(), traits()]))
    assert refused().what.replace("\xa0", " ").startswith("3 units are there more than once")


@pytest.mark.parametrize("name", ["traits.csv", "traits.parquet"])
def test_text_is_no_predictor(name: str) -> None:
    wrote(traits(young=[SECRET, SECRET, SECRET]), name)
    error = refused(replace(ASK, source=name))
    assert error.what.replace("\xa0", " ") == "3 of 3 predictor values are not numbers"
    assert error.where == f"column: young, predictor_source: {name}"
    assert "take out" in str(error.next_step)
    wrote(traits(young=["0.1", "12,5", "3"]), name)
    error = refused(replace(ASK, source=name))
    assert error.what.replace("\xa0", " ") == "1 of 3 predictor values is not a number"


def test_a_date_is_no_predictor() -> None:
    wrote(traits(young=pd.to_datetime(["2024-01-01"] * 3)), "traits.parquet")
    error = refused(replace(ASK, source="traits.parquet"))
    assert "column needs a number, this one is of type timestamp" in error.what
    assert error.where == "column: young, predictor_source: traits.parquet"
    assert "every column but the unit's" in str(error.next_step)


@pytest.mark.parametrize("name", ["traits.csv", "traits.parquet"])
def test_infinite_numbers(name: str) -> None:
    wrote(traits(young=[0.1, np.inf, 1]), name)
    error = refused(replace(ASK, source=name))
    assert error.what == "1 predictor value is infinite"
    assert error.where == f"column: young, predictor_source: {name}"


def test_a_number_that_can_be_read_two_ways() -> None:
    wrote(traits(price=["1.250", "2", "3.375"]))
    assert "can be read two ways" in refused().what


@pytest.mark.parametrize("name", ["traits.csv", "traits.parquet"])
def test_a_predictor_without_a_number(name: str) -> None:
    wrote(traits(young=[np.nan] * 3), name)
    error = refused(replace(ASK, source=name))
    assert error.what == "a predictor is empty in every row"
    wrote(traits(young=[np.nan, np.nan, 1], market=["mint", "basil", None]), name)
    error = refused(replace(ASK, source=name))
    assert error.what == "a predictor is empty in every row that has a unit"


def test_nothing_to_read() -> None:
    Path("traits.csv").write_text("")
    with pytest.raises(NoData, match="source file is empty") as caught:
        read_units(ASK)
    assert caught.value.where == "predictor_source: traits.csv"
    wrote(traits().iloc[:0])
    with pytest.raises(NoData, match="no rows") as caught:
        read_units(ASK)
    assert caught.value.where == "predictor_source: traits.csv"
    wrote(traits(market=["", "", ""]))
    with pytest.raises(NoData, match="every unit is empty"):
        read_units(ASK)


def test_a_file_that_is_not_there() -> None:
    wrote(traits(), "trait.csv")
    error = refused()
    assert error.where == "predictor_source: traits.csv"
    assert error.nearest == "trait.csv"


@pytest.mark.skipif(not PREDICTORS.is_file(), reason="the real inputs are not beside the project")
def test_the_published_predictors() -> None:
    found = read_units(UnitQuery(source=str(PREDICTORS), unit_column="state"))
    assert len(found.frame) == 39
    assert len(found.predictors) == 7
    assert found.predictors["retail_price"]["California"] == pytest.approx(89.42222)
    assert found.checks[0].verdict == "pass"
