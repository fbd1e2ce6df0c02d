"""From rows to the panel of a synthetic control: what is read, left out, counted, refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trustlib.core import NoData, Refusal
from trustlib.data import read_panel, read_units
from trustlib.interventions.synth.panel import SynthPanel
from trustlib.interventions.synth.panel_from_frame import synth_panel
from trustlib.interventions.synth.spec import Predictor, SynthSpec
from trustlib.params import InterventionSynthParams, read

ROOT = Path(__file__).resolve().parents[2]
PARAMS = ROOT / "tests" / "interventions" / "params" / "intervention_synth"
REAL = ROOT.parent / "shared" / "realdata"
UNITS = ("basil", "borage", "dill", "mint", "thyme")
PERIODS = range(1, 9)
Frame = pd.DataFrame


def rows(**columns: Any) -> Frame:
    """Five markets × periods 1 to 8, rows in an order of no meaning; a value is told by its own
    digits: unit 3 in period 5 is 3005.625."""
    frame = pd.DataFrame(
        [
            {
                "unit": unit,
                "time": time,
                "outcome": 1000.0 * i + time + time**2 / 40,
                "price": 10.0 * i + time,
                "people": 100.0 * (i + 1),
            }
            for i, unit in enumerate(UNITS)
            for time in PERIODS
        ]
    )
    return frame.assign(**columns).sample(frac=1, random_state=4).reset_index(drop=True)


def at(frame: Frame, unit: str, *times: int) -> pd.Series:
    return (frame["unit"] == unit) & (frame["time"].isin(times) if times else True)


def started(**starts: float) -> Frame:
    """The rows with `since`, each unit's own start."""
    frame = rows()
    return frame.assign(since=frame["unit"].map(starts).astype(float))


def dated(step: str = "7D", first: str = "2026-01-05") -> Frame:
    dates = pd.date_range(first, periods=8, freq=step, unit="us")
    frame = rows()
    return frame.assign(time=dates.to_numpy()[frame["time"].to_numpy() - 1])


def spec(**changes: Any) -> SynthSpec:
    asked: dict[str, Any] = {"treated_units": ("mint",), "treatment_start": 6} | changes
    return SynthSpec(**asked)


def panel(frame: Frame | None = None, **changes: Any) -> SynthPanel:
    return synth_panel(rows() if frame is None else frame, spec(**changes))


def price(first: Any, last: Any, **more: Any) -> Predictor:
    return Predictor(column="price", first=first, last=last, **more)


def of(found: SynthPanel, unit: str) -> int:
    return found.unit_names.index(unit)


def test_cells_are_in_their_place() -> None:
    frame = rows()
    before = frame.copy()
    found = synth_panel(frame, spec(weight="people"))
    pd.testing.assert_frame_equal(frame, before)
    assert found.unit_names == UNITS
    assert found.period_names == tuple("12345678")
    assert found.first_treated.tolist() == [8, 8, 8, 5, 8]
    assert found.outcome[of(found, "mint"), 4] == 3005.625
    assert found.outcome.shape == found.weight.shape == (5, 8)
    assert found.weight[:, 0].tolist() == [100, 200, 300, 400, 500]
    assert found.predictors.shape == (5, 0)
    assert (found.fit_from, found.fit_to) == (0, 5)
    assert (found.left_out, found.notes) == ({}, {})
    assert found.donors.tolist() == [0, 1, 2, 4]


def test_the_order_of_rows_changes_nothing() -> None:
    wanted = {"weight": "people", "predictors": (price(1, 3),)}
    one, other = panel(rows(), **wanted), panel(rows().iloc[::-1], **wanted)
    for name in ("outcome", "weight", "predictors", "first_treated"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.unit_names == other.unit_names


def test_several_treated_units_share_a_start() -> None:
    found = panel(treated_units=("thyme", "dill"))
    assert found.first_treated.tolist() == [8, 8, 5, 8, 5]
    assert found.starts.tolist() == [5]


def test_staggered_starts_come_from_the_column() -> None:
    found = panel(
        started(mint=6, dill=4),
        treated_units=(),
        treatment_start=None,
        treatment_start_column="since",
    )
    assert found.first_treated.tolist() == [8, 8, 3, 5, 8]
    assert found.starts.tolist() == [3, 5]
    assert (found.fit_from, found.fit_to) == (0, 5)
    assert found.left_out == {}


def test_other_treated_units_are_no_donors() -> None:
    found = panel(
        started(mint=6, dill=4, basil=1, thyme=9, borage=0), treatment_start_column="since"
    )
    assert found.unit_names == ("borage", "mint", "thyme")
    assert found.left_out == {"basil": "treated from the start", "dill": "treated"}
    assert found.notes == {
        "rows with start 0 read as never": 8,
        "start after the last period read as never": 1,
    }


def test_a_named_units_own_start_counts_where_none_is_given() -> None:
    found = panel(started(mint=6, dill=4), treatment_start=None, treatment_start_column="since")
    assert found.first_treated[of(found, "mint")] == 5
    assert found.left_out == {"dill": "treated"}


def test_a_start_that_is_given_wins_over_a_later_one_and_is_counted() -> None:
    found = panel(started(mint=7), treatment_start_column="since")
    assert found.first_treated[of(found, "mint")] == 5
    assert found.notes == {"treated units whose own start is another": 1}


def test_only_the_donors_that_are_listed() -> None:
    found = panel(donor_units=("thyme", "basil"), affected_units=("thyme",))
    assert found.unit_names == ("basil", "mint")
    assert found.left_out == {
        "borage": "not in donor_units",
        "dill": "not in donor_units",
        "thyme": "affected",
    }


def test_affected_units_are_left_out() -> None:
    found = panel(affected_units=("borage",))
    assert found.unit_names == ("basil", "dill", "mint", "thyme")
    assert found.left_out == {"borage": "affected"}


def test_donors_with_a_missing_cell_are_left_out() -> None:
    frame = rows()
    frame = frame[~at(frame, "basil", 3)]
    frame.loc[at(frame, "dill", 8), "outcome"] = np.nan
    frame.loc[at(frame, "thyme"), "outcome"] = np.nan
    found = panel(frame)
    assert found.unit_names == ("borage", "mint")
    assert found.left_out == {
        "basil": "missing cells", "dill": "missing cells", "thyme": "no outcome"
    }  # fmt: skip
    assert found.notes == {"rows without an outcome": 9}


def test_periods_in_which_a_treated_unit_is_missing_are_dropped() -> None:
    frame = rows()
    frame.loc[at(frame, "mint", 2, 6), "outcome"] = np.nan
    frame = frame[~at(frame, "basil", 2)]  # whole where it counts
    found = panel(frame, predictors=(price(1, 3),), fit_first=3, fit_last=4)
    assert found.period_names == ("1", "3", "4", "5", "7", "8")
    assert found.first_treated[of(found, "mint")] == 4
    assert found.outcome[of(found, "mint")].tolist()[3:5] == [3005.625, 3008.225]
    assert "basil" in found.unit_names
    assert found.notes["periods without a treated outcome"] == 2
    # Periods 3 and 4, which are the second and third that are left.
    assert (found.fit_from, found.fit_to) == (1, 3)
    # A predictor is there in period 2, whatever the outcome.
    assert found.predictors[of(found, "mint")].tolist() == [32.0]


def test_periods_without_any_outcome_at_the_ends_are_no_periods() -> None:
    frame = rows().sort_values("time", ascending=False)
    frame.loc[frame["time"].isin((1, 8)), "outcome"] = np.nan
    found = panel(frame)
    assert found.period_names == tuple("234567")
    assert found.outcome[:, 0].tolist() == [1000.0 * i + 2.1 for i in range(5)]


def test_a_period_has_to_hold_every_treated_unit() -> None:
    frame = rows()
    frame.loc[at(frame, "mint", 2), "outcome"] = np.nan
    found = panel(frame, treated_units=("mint", "dill"))
    assert found.period_names == ("1", "3", "4", "5", "6", "7", "8")
    assert not np.isnan(found.outcome).any()


def test_own_starts_inside_a_period_are_counted() -> None:
    frame = dated()
    frame["since"] = frame["unit"].map({"mint": "2026-02-11", "dill": "2026-02-09"})
    frame["since"] = pd.to_datetime(frame["since"]).astype("datetime64[us]")
    found = panel(frame, treated_units=(), treatment_start=None, treatment_start_column="since")
    assert found.first_treated[[of(found, "mint"), of(found, "dill")]].tolist() == [5, 5]
    assert found.notes == {"units start inside a period": 1}


def test_predictors_are_means_over_their_periods() -> None:
    frame = rows()
    frame.loc[at(frame, "dill", 2), "price"] = np.nan
    found = panel(
        frame,
        predictors=(price(1, 3), price(5, 5), Predictor(column="outcome", first=1, last=2),
                    price(1, 2, name="early price")),
    )  # fmt: skip
    assert found.predictor_names == ("price 1–3", "price 5", "outcome 1–2", "early price")
    assert found.predictors[of(found, "mint")].tolist() == [32, 35, 3001.5625, 31.5]
    assert found.predictors[of(found, "dill")].tolist()[:2] == [22, 25]
    assert found.predictors.shape == (5, 4)


def test_predictors_per_unit_stand_behind() -> None:
    size = {unit: float(i) for i, unit in enumerate(UNITS)} | {"nowhere": 9.0}
    found = panel(
        affected_units=("dill",), predictors=(price(1, 1),), unit_predictors={"size": size}
    )
    assert found.predictor_names == ("price 1", "size")
    assert found.predictors[:, 1].tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize(
    ("label", "first", "inside"),
    [
        ("2026-02-09", 5, False),
        ("2026-02-11", 5, True),  # a Wednesday belongs to its week
        ("2026-02-15", 5, True),
        ("2026-02-16", 6, False),
        ("2026-W07", 5, False),
        ("2026-02-09 00:00:00", 5, False),
        ("2026-02-09T08:00:00", 5, True),
    ],
)
def test_a_date_belongs_to_the_period_that_contains_it(
    label: str, first: int, inside: bool
) -> None:
    found = panel(dated(), treatment_start=label)
    assert found.first_treated[of(found, "mint")] == first
    assert found.notes == ({"units start inside a period": 1} if inside else {})


@pytest.mark.parametrize(
    ("step", "begin", "label", "first"),
    [
        ("MS", "2025-10-01", "2026-03", 5),
        ("MS", "2025-10-01", "2026-03-17", 5),
        ("QS", "2025-01-01", "2026Q2", 5),
        ("QS", "2025-01-01", "2026-04", 5),
        ("YS", "2020-01-01", 2025, 5),
        ("YS", "2020-01-01", "2025", 5),
        ("YS", "2020-01-01", "2025-07-04", 5),
        ("D", "2026-01-01", "2026-01-06", 5),
    ],
)
def test_periods_are_read_as_the_calendar_has_them(
    step: str, begin: str, label: Any, first: int
) -> None:
    found = panel(dated(step, begin), treatment_start=label)
    assert found.first_treated[of(found, "mint")] == first


def test_labels_of_predictors_and_of_the_fit_are_dates_too() -> None:
    found = panel(
        dated("7D", "2025-12-29"),  # weeks; January begins inside the first
        treatment_start="2026-02-02",
        predictors=(price("2025-12-29", "2026-01-20"),),
        fit_first="2026-01-05",
        fit_last="2026-01-26",
    )
    assert found.predictors[of(found, "mint")].tolist() == [32.5]
    assert (found.fit_from, found.fit_to) == (1, 5)


def test_a_label_that_holds_several_periods_ends_with_its_last() -> None:
    found = panel(dated("D", "2026-01-01"), treatment_start="2026-01-06", fit_last="2026-W01")
    assert found.fit_to == 4
    found = panel(dated("MS", "2025-10-01"), treatment_start="2026-03", fit_last="2025Q4")
    assert found.fit_to == 3


def test_whole_numbers_may_be_written_as_text() -> None:
    found = panel(treatment_start="6", predictors=(price("1", "3"),), fit_last="4")
    assert found.first_treated[of(found, "mint")] == 5
    assert found.fit_to == 4
    assert found.predictor_names == ("price 1–3",)


@pytest.mark.parametrize("method", ["auto", "interrupted_time_series"])
def test_a_unit_by_itself_can_be_told_from_its_own_past(method: str) -> None:
    frame = rows()
    found = panel(frame[frame["unit"] == "mint"], method=method)
    assert found.unit_names == ("mint",)
    assert not len(found.donors)
    assert len(panel(affected_units=("basil", "borage", "dill", "thyme"), method=method).left_out)


def _twice(frame: Frame) -> Frame:
    return pd.concat([frame, frame.iloc[[3, 17]]])


def _with(column: str, value: Any, unit: str = "dill", *times: int) -> Callable[[Frame], Frame]:
    def changed(frame: Frame) -> Frame:
        frame = frame.copy()
        frame.loc[at(frame, unit, *times), column] = value
        return frame

    return changed


def _kept(**groups: tuple[int, ...]) -> Callable[[Frame], Frame]:
    """Rows of all units, of those named in these periods only."""

    def changed(frame: Frame) -> Frame:
        keep = pd.Series(True, index=frame.index)
        for unit, times in groups.items():
            keep &= (frame["unit"] != unit) | frame["time"].isin(times)
        return frame[keep]

    return changed


def _periods(*times: int) -> Callable[[Frame], Frame]:
    return lambda frame: frame[frame["time"].isin(times)]


def _same(frame: Frame) -> Frame:
    return frame


def _since(**starts: float) -> Callable[[Frame], Frame]:
    return lambda frame: started(**starts)


COLUMN = {"treatment_start_column": "since"}
OWN = COLUMN | {"treatment_start": None}
ALL_OWN = OWN | {"treated_units": ()}
SIZE = dict.fromkeys(UNITS, 1.0) | {"mint": 2.0}
REFUSALS: dict[str, tuple[Callable[[Frame], Frame], dict[str, Any], str, str]] = {
    # what is done to the rows, what is asked: what the message says, where
    "no such column": (_same, {"outcome": "outcom"}, "no column 'outcom'", "panel's 5 columns"),
    "no such weight": (_same, {"weight": "peple"}, "no column 'peple'", "panel's 5 columns"),
    "no such predictor": (
        _same, {"predictors": (Predictor(column="prize", first=1, last=2),)},
        "no column 'prize'", "panel's 5 columns",
    ),
    "an outcome of text": (
        lambda frame: frame.assign(outcome="plenty"), {},
        "'outcome' is not numeric: 40 of 40 values are no numbers", "column 'outcome'",
    ),
    "infinite outcomes": (
        _with("outcome", np.inf, "dill", 2, 3), {}, "2 values are infinite", "column 'outcome'",
    ),
    "a predictor of text": (
        lambda frame: frame.assign(price="dear"), {"predictors": (price(1, 2),)},
        "'price' is not numeric", "column 'price'",
    ),
    "a row without a unit": (
        lambda frame: frame.assign(unit=frame["unit"].where(frame.index != 5)), {},
        "1 of 40 rows have no 'unit'", "column 'unit'",
    ),
    "a row without a time": (
        lambda frame: frame.assign(time=frame["time"].where(frame.index != 5)), {},
        "1 of 40 rows have no time", "column 'time'",
    ),
    "rows that are there twice": (
        _twice, {}, "2 rows repeat a unit and period", "columns 'unit' and 'time'; for example",
    ),
    "time that skips": (
        _periods(1, 2, 3, 4, 6, 7, 8), {}, "time skips: 1 of 6 steps", "column 'time'",
    ),
    "one period": (_periods(6), {}, "one period only", "column 'time'"),
    "an unknown treated unit": (
        _same, {"treated_units": ("mnit", "sage")},
        "treated_units names 'mnit', and 1 more: no unit of the panel is called that",
        "treated_units; the panel has 5\xa0units",
    ),
    "an unknown donor": (
        _same, {"donor_units": ("thime",)}, "donor_units names 'thime'", "donor_units; the panel",
    ),
    "an unknown affected unit": (
        _same, {"affected_units": ("Borage",)}, "affected_units names 'Borage'",
        "affected_units; the panel",
    ),
    "treated and a donor": (
        _same, {"donor_units": ("mint", "dill")}, "1 treated unit is in donor_units too",
        "treated_units, donor_units",
    ),
    "treated and affected": (
        _same, {"treated_units": ("mint", "dill"), "affected_units": ("mint", "dill")},
        "2 treated units are in affected_units too", "treated_units, affected_units",
    ),
    "a start before the panel": (
        _same, {"treatment_start": 0}, "0 lies before the first period", "treatment_start: 0",
    ),
    "a start after the panel": (
        _same, {"treatment_start": 9}, "9 lies after the last period", "treatment_start: 9",
    ),
    "a start in the first period": (
        _same, {"treatment_start": 1},
        "the first period is treated already for 1 of 1 treated unit", "treatment_start: 1",
    ),
    "one period before the start": (
        _same, {"treatment_start": 2}, "1 period before treatment: 2 at least", "treatment_start",
    ),
    "a start of another kind": (
        _same, {"treatment_start": "2026-01-05"}, "is no whole number, and the periods are",
        "treatment_start: 2026-01-05",
    ),
    "a number where periods are dates": (
        lambda frame: dated(), {"treatment_start": 6}, "6 is a whole number, and the periods are",
        "treatment_start: 6",
    ),
    "a date that is none": (
        lambda frame: dated(), {"treatment_start": "soon"}, "'soon' is no date",
        "treatment_start: soon",
    ),
    "a date with an offset": (
        lambda frame: dated(), {"treatment_start": "2026-02-09T00:00:00Z"}, "carries an offset",
        "treatment_start: 2026-02-09T00:00:00Z",
    ),
    "a date after the last week": (
        lambda frame: dated(), {"treatment_start": "2026-03-02"}, "after the last period",
        "treatment_start: 2026-03-02",
    ),
    "a date before the first week": (
        lambda frame: dated(), {"treatment_start": "2026-01-04"}, "before the first period",
        "treatment_start: 2026-01-04",
    ),
    "a month that begins inside a week": (
        lambda frame: dated(), {"treatment_start": "2026-02"},
        "'2026-02' holds several periods, and none of them starts with it",
        "treatment_start: 2026-02",
    ),
    "nobody starts inside": (
        _since(mint=1, dill=9), ALL_OWN,
        "no unit's treatment starts inside the panel; 1 is treated from its first period on",
        "column 'since'",
    ),
    "a treated unit without a start": (
        _since(dill=4), OWN, "no treatment start in the panel for 1 of 1 treated unit",
        "treated_units, column 'since'",
    ),
    "a treated unit treated from the first period": (
        _since(mint=1), OWN, "the first period is treated already for 1 of 1 treated unit",
        "column 'since'",
    ),
    "a treated unit treated before the start": (
        _since(mint=4), COLUMN, "treatment began before treatment_start for 1 of 1 treated unit",
        "treatment_start: 6, column 'since'",
    ),
    "a start that changes": (
        lambda frame: _with("since", 5, "mint", 7)(started(mint=6)), COLUMN,
        "'since' changes within 1 of 5 units", "column 'since'",
    ),
    "no treated outcome": (
        _with("outcome", np.nan, "mint"), {}, "no outcome at all for 1 of 1 treated unit",
        "treated_units, column 'outcome'",
    ),
    "too few periods before, once the treated's gaps are out": (
        _kept(mint=(5, 6, 7, 8)), {},
        "1 period before treatment, after 4 without a treated outcome were dropped",
        "treatment_start, column 'time'",
    ),
    "no period after, once the treated's gaps are out": (
        _kept(mint=(1, 2, 3, 4, 5)), {},
        "no period from the treatment's start on, after 3 without a treated outcome were dropped",
        "treatment_start, column 'time'",
    ),
    "no donor is whole": (
        _kept(**{unit: (1, 2) for unit in UNITS if unit != "mint"}), {"method": "synthetic_did"},
        "synthetic_did needs units to compare with, and no donor is left",
        "method: synthetic_did; left out are missing cells: 4",
    ),
    "no donor may be": (
        _same, {"method": "did", "donor_units": ("thyme",), "affected_units": ("thyme",)},
        "did needs units to compare with", "left out are affected: 1, not in donor_units: 3",
    ),
    "a unit by itself": (
        lambda frame: frame[frame["unit"] == "mint"], {"method": "augmented"},
        "augmented needs units to compare with", "method: augmented",
    ),
    "a predictor's periods reversed": (
        _same, {"predictors": (price(1, 2), price(4, 3))}, "first comes after last",
        "predictor 2, first: 4, last: 3",
    ),
    "a predictor over treated periods": (
        _same, {"predictors": (price(4, 6),)}, "periods from the treatment's start on are among",
        "predictor 1, first: 4, last: 6",
    ),
    "a predictor off the axis": (
        _same, {"predictors": (price(0, 3),)}, "0 lies before the first period",
        "predictor 1, first: 0",
    ),
    "a predictor that ends off the axis": (
        _same, {"predictors": (price(1, 12),)}, "12 lies after the last period",
        "predictor 1, last: 12",
    ),
    "a predictor over periods of another cohort": (
        _since(mint=6, dill=4), ALL_OWN | {"predictors": (price(1, 4),)},
        "periods from the treatment's start on are among", "predictor 1, first: 1, last: 4",
    ),
    "a unit without the predictor": (
        _with("price", np.nan, "dill", 1, 2), {"predictors": (price(1, 2),)},
        "the predictor has no value in its periods for 1 of 5 units",
        "predictor 1, column 'price'",
    ),
    "two predictors of one name": (
        _same, {"predictors": (price(1, 2, name="x"), price(1, 3, name="x"))},
        "two predictors are called 'x'", "predictors",
    ),
    "a predictor of one name with a unit's": (
        _same, {"predictors": (price(1, 2, name="size"),), "unit_predictors": {"size": SIZE}},
        "two predictors are called 'size'", "predictors",
    ),
    "units that the predictors' file lacks": (
        _same, {"unit_predictors": {"size": {"mint": 1.0, "dill": 2.0}}},
        "predictor 'size' has no number for 3 of 5 units",
        "predictor 'size' of the predictors' own source",
    ),
    "a predictors' file with other units": (
        _same, {"unit_predictors": {"size": {"MINT": 1.0}}},
        "predictor 'size' has no number for 5 of 5 units, as if units were written another way",
        "predictor 'size' of the predictors' own source",
    ),
    "a predictor that is no number": (
        _same, {"unit_predictors": {"size": SIZE | {"dill": np.inf}}},
        "predictor 'size' has no number for 1 of 5 units", "predictor 'size'",
    ),
    "a fit that is reversed": (
        _same, {"fit_first": 4, "fit_last": 3}, "fit_first comes after fit_last",
        "fit_first: 4, fit_last: 3",
    ),
    "a fit on treated periods": (
        _same, {"fit_last": 6}, "periods from the treatment's start on are among them",
        "fit_first: None, fit_last: 6",
    ),
    "a fit that begins with the treatment": (
        _same, {"fit_first": 6}, "periods from the treatment's start on are among them",
        "fit_first: 6, fit_last: None",
    ),
    "a fit off the axis": (
        _same, {"fit_last": 99}, "99 lies after the last period", "fit_last: 99",
    ),
    "a fit on periods that were dropped": (
        _with("outcome", np.nan, "mint", 4, 5), {"fit_first": 4},
        "no period before treatment is left to fit weights on", "fit_first: 4, fit_last: None",
    ),
    "a weight of nothing": (
        _with("people", 0.0, "dill", 4), {"weight": "people"},
        "1 weight is missing, zero or negative", "column 'people'",
    ),
    "a weight that is missing": (
        _with("people", np.nan, "mint"), {"weight": "people"},
        "8 weights are missing, zero or negative", "column 'people'",
    ),
    "an outcome that never changes": (
        lambda frame: frame.assign(outcome=3.25), {}, "the same value in every row",
        "column 'outcome'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refused_in_words(name: str) -> None:
    change, asked, what, where = REFUSALS[name]
    frame = change(rows())
    with pytest.raises(Refusal) as caught:
        synth_panel(frame, spec(**asked))
    error = caught.value
    assert what in error.what.replace("\xa0", " ")
    assert where in str(error.where)
    assert error.next_step or error.nearest
    _nothing_of_the_data(error, frame, spec(**asked))


def _nothing_of_the_data(error: Refusal, frame: Frame, asked: SynthSpec) -> None:
    """No outcome, no other number and no unit's name stands in the message, but what was asked."""
    said = "\n".join(str(part) for part in (error.what, error.where, error.next_step))
    for unit in UNITS:
        assert unit not in said
    for column in frame.columns.difference(["unit", "time", "since"]):
        told = {str(value) for value in frame[column].dropna().tolist()}
        assert not [value for value in told if value in said and len(value) > 3], column
    assert error.nearest is None or error.nearest in (*UNITS, *map(str, frame.columns))


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ({"treated_units": ("mnit",)}, "mint"),
        ({"affected_units": ("Borage",)}, "borage"),
        ({"donor_units": ("xyz",)}, None),
        ({"outcome": "outcom"}, "outcome"),
        ({"predictors": (Predictor(column="prise", first=1, last=2),)}, "price"),
    ],
)
def test_the_nearest_right_name(asked: dict[str, Any], nearest: str | None) -> None:
    with pytest.raises(Refusal) as caught:
        panel(**asked)
    assert caught.value.nearest == nearest


def test_units_that_look_like_people_are_not_named() -> None:
    accounts = {unit: f"user-10000{i}@x" for i, unit in enumerate(UNITS)}
    frame = rows()
    frame["unit"] = frame["unit"].map(accounts)
    with pytest.raises(Refusal) as caught:
        synth_panel(frame, spec(treated_units=("user-10009@x",)))
    assert caught.value.nearest is None
    assert "100003" not in str(caught.value)


def test_without_rows_or_outcomes_there_is_nothing() -> None:
    with pytest.raises(NoData, match="no rows"):
        panel(rows().iloc[:0])
    with pytest.raises(NoData, match="all 40 outcomes are missing"):
        panel(rows(outcome=np.nan))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real inputs are not beside the project")
@pytest.mark.parametrize(
    ("slug", "predictors"),
    [("prop99", 0), ("prop99_outcomes_only", 0), ("prop99_predictors", 7), ("prop99_lags", 3)],
)
def test_california(slug: str, predictors: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    asked = read(PARAMS / f"{slug}.yaml", notebook="intervention_synth").params
    assert isinstance(asked, InterventionSynthParams)
    (tmp_path / "project").mkdir()
    (tmp_path / "shared").symlink_to(ROOT.parent / "shared")
    monkeypatch.chdir(tmp_path / "project")
    units = asked.unit_query()
    given = None if units is None else read_units(units).predictors
    found = synth_panel(read_panel(asked.panel_query()).frame, asked.spec(given))
    assert found.outcome.shape == (39, 31)
    assert found.period_names[int(found.starts[0])] == "1989"
    assert (found.fit_from, found.fit_to) == (0, 19)
    assert found.predictors.shape == (39, predictors)
    assert (found.left_out, found.notes) == ({}, {})
    if slug == "prop99_lags":
        assert found.predictor_names[2] == "packs_per_capita 1984–1988"
        assert found.predictors[of(found, "California")].tolist() == pytest.approx(
            [127.1, 120.2, 98.98]
        )
