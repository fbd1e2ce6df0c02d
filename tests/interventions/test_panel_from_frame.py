"""From rows to a panel: what is read, what is left out and counted, what is refused."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from tests.interventions.rollouts import rollout
from trustlib.core import NoData, Refusal
from trustlib.interventions import DidSpec, panel_from_frame


def small():
    """Four units × four periods: starts 3, 4, never (0), never (missing)."""
    starts = [3, 4, 0, np.nan]
    return pd.DataFrame(
        {
            "unit": np.repeat(["b", "a", "d", "c"], 4),
            "time": np.tile([1, 2, 3, 4], 4),
            "outcome": np.arange(16, dtype=float) ** 2,
            "treatment_start": np.repeat(starts, 4),
            "x": np.sin(np.arange(16)),
            "weight": np.repeat([1.0, 2.0, 3.0, 4.0], 4),
            "cluster": np.repeat(["s", "s", "t", "u"], 4),
            "error": np.full(16, 0.5),
            "near": np.repeat([0, 0, 1, 0], 4),
        }
    )


def dated(starts, dates, treated_from):
    """Three units over `dates`; the first is treated from `treated_from`."""
    frame = small().iloc[: 3 * len(dates)].reset_index(drop=True)
    frame["unit"] = np.repeat(["a", "b", "c"], len(dates))
    frame["time"] = np.tile(np.asarray(dates, dtype="datetime64[us]"), 3)
    first = [treated_from, *starts]
    frame["treatment_start"] = np.repeat(np.asarray(first, dtype="datetime64[us]"), len(dates))
    return frame


def test_units_are_sorted_and_cells_are_in_their_place():
    panel = panel_from_frame(small(), DidSpec())
    assert panel.unit_names == ("a", "b", "c", "d")
    assert panel.period_names == ("1", "2", "3", "4")
    assert panel.first_treated.tolist() == [3, 2, 4, 4]
    assert panel.outcome[0].tolist() == [16, 25, 36, 49]
    assert panel.outcome[1].tolist() == [0, 1, 4, 9]
    assert panel.cluster.tolist() == [0, 1, 2, 3]
    assert panel.cluster_names == panel.unit_names
    assert (panel.weight == 1).all()
    assert panel.covariates.shape == (4, 4, 0)
    assert panel.standard_error is None
    assert panel.neighbour is None
    assert panel.dropped == {}
    assert panel.notes == {"rows with start 0 read as never": 4}


def test_the_optional_columns_are_read():
    spec = DidSpec(
        covariates=("x",), weight="weight", cluster="cluster", standard_error="error",
        neighbour="near",
    )  # fmt: skip
    panel = panel_from_frame(small(), spec)
    assert panel.weight[:, 0].tolist() == [2, 1, 4, 3]
    assert panel.cluster.tolist() == [0, 0, 2, 1]
    assert panel.cluster_names == ("s", "t", "u")
    assert panel.covariate_names == ("x",)
    assert panel.covariates[1, :, 0].tolist() == np.sin(np.arange(4)).tolist()
    assert (panel.standard_error == 0.5).all()
    assert panel.neighbour.tolist() == [False, False, False, True]


def test_any_order_of_rows_gives_the_same_panel_and_the_frame_is_left_alone():
    frame = small()
    kept = frame.copy(deep=True)
    shuffled = frame.sample(frac=1, random_state=1).sort_index(axis=1)
    one, other = panel_from_frame(frame, DidSpec()), panel_from_frame(shuffled, DidSpec())
    np.testing.assert_array_equal(one.outcome, other.outcome)
    np.testing.assert_array_equal(one.first_treated, other.first_treated)
    assert one.unit_names == other.unit_names
    pd.testing.assert_frame_equal(frame, kept)
    one.outcome[:] = -1
    pd.testing.assert_frame_equal(frame, kept)


@pytest.mark.parametrize("kind", ["Int64", "float64", "object"])
def test_nullable_float_and_object_numbers_are_numbers(kind):
    frame = small()
    frame["time"] = frame["time"].astype(kind if kind != "object" else "int64")
    frame["treatment_start"] = frame["treatment_start"].astype(kind)
    frame["outcome"] = frame["outcome"].astype("Float64" if kind == "Int64" else "float64")
    if kind == "object":
        frame["outcome"] = [Decimal(int(value)) for value in frame["outcome"]]
        frame["treatment_start"] = frame["treatment_start"].astype("float64")
    panel = panel_from_frame(frame, DidSpec())
    assert panel.first_treated.tolist() == [3, 2, 4, 4]
    assert panel.outcome[1].tolist() == [0, 1, 4, 9]


def test_units_treated_from_the_start_and_units_without_outcome_are_left_out_and_counted():
    frame = rollout(units=40, groups=(1, 4, 6))
    alone = frame["unit"] == 39
    frame.loc[alone, "outcome"] = np.nan
    starts = frame.groupby("unit")["treatment_start"].first()
    panel = panel_from_frame(frame, DidSpec())
    early = int((starts.drop(39) == 1).sum())
    assert panel.dropped == {"no outcome": 1, "treated from the start": early}
    assert panel.n_units == 39 - early
    assert (panel.first_treated >= 1).all()
    assert panel.notes["rows without an outcome"] == 7


def test_a_start_after_the_last_period_is_never_and_zero_is_a_start_where_periods_reach_zero():
    frame = small()
    frame.loc[frame["unit"] == "a", "treatment_start"] = 9
    panel = panel_from_frame(frame, DidSpec())
    assert panel.first_treated.tolist() == [4, 2, 4, 4]
    assert panel.notes["start after the last period read as never"] == 1
    frame = small()
    frame["time"] -= 3  # periods -2 … 1: the start 0 is a period
    panel = panel_from_frame(frame, DidSpec())
    assert panel.first_treated.tolist() == [4, 4, 4, 2]


def test_numbered_periods_may_have_any_even_step():
    frame = small()
    frame["time"] *= 5
    frame["treatment_start"] = frame["treatment_start"] * 5 - 2  # 13, 18, -2: between waves
    panel = panel_from_frame(frame.query("unit != 'd'"), DidSpec())
    assert panel.period_names == ("5", "10", "15", "20")
    # A wave is an instant: the first one at or after the start is treated.
    assert panel.first_treated.tolist() == [3, 2, 4]
    assert panel.notes["units start inside a period"] == 2


@pytest.mark.parametrize(
    ("dates", "names"),
    [
        (["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23"], None),
        (["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"], None),
        (["2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"],
         ("2025-12", "2026-01", "2026-02", "2026-03")),
        (["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"], None),
        (["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01"],
         ("2025-01", "2025-04", "2025-07", "2025-10")),
        (["2023-01-01", "2024-01-01", "2025-01-01", "2026-01-01"],
         ("2023", "2024", "2025", "2026")),
    ],
    ids=["weekly", "daily", "monthly", "month_ends", "quarterly", "yearly"],
)  # fmt: skip
def test_dates_are_spaced_by_the_calendar(dates, names):
    panel = panel_from_frame(dated(["NaT", dates[1]], dates, dates[2]), DidSpec())
    assert panel.period_names == (names or tuple(dates))
    assert panel.first_treated.tolist() == [2, 4, 1]
    assert panel.notes == {}


def test_a_date_inside_a_period_is_treated_from_the_period_that_contains_it():
    weeks = ["2026-03-02", "2026-03-09", "2026-03-16"]
    frame = dated(["2026-03-23", "2026-03-22"], weeks, "2026-03-12")
    panel = panel_from_frame(frame, DidSpec())
    # The last week ends on the 23rd: a start then is after the panel, one on the 22nd in it.
    assert panel.first_treated.tolist() == [1, 3, 2]
    assert panel.notes["units start inside a period"] == 2
    assert panel.notes["start after the last period read as never"] == 1


def test_a_zone_is_read_as_its_wall_clock():
    days = pd.date_range("2026-03-27", periods=4, freq="D", tz="Europe/Madrid")  # DST on the 29th
    frame = dated(["NaT", "NaT"], days.tz_localize(None), "2026-03-29")
    frame["time"] = frame["time"].dt.tz_localize("Europe/Madrid")
    frame["treatment_start"] = frame["treatment_start"].dt.tz_localize("Europe/Madrid")
    panel = panel_from_frame(frame, DidSpec())
    assert panel.period_names[2] == "2026-03-29"
    assert panel.first_treated.tolist() == [2, 4, 4]


def test_hours_are_labelled_with_their_time():
    hours = pd.date_range("2026-03-02 22:00", periods=3, freq="h")
    panel = panel_from_frame(dated(["NaT", "NaT"], hours, hours[1]), DidSpec())
    assert panel.period_names[-1] == "2026-03-03 00:00:00"


def test_missing_cells_stay_missing_and_get_their_units_weight():
    frame = small().drop(index=[1, 14])
    panel = panel_from_frame(frame, DidSpec(weight="weight"))
    assert np.isnan(panel.outcome[1, 1])
    assert np.isnan(panel.outcome[2, 2])
    assert np.isnan(panel.outcome).sum() == 2
    assert panel.weight[1].tolist() == [1, 1, 1, 1]
    assert not panel.balanced


def change(frame, **columns):
    return frame.assign(**columns)


def one(frame, column, value, rows=slice(0, 1)):
    frame = frame.copy()
    frame[column] = frame[column].astype(object)
    frame.loc[frame.index[rows], column] = value
    return frame


def as_float(frame, column):
    return frame.assign(**{column: frame[column].astype("float64")})


SECRET = 987654.25
REFUSED = {
    "a column that is not there": (
        lambda f: f.drop(columns="outcome").rename(columns={"x": "Outcome_"}), {},
        "no column 'outcome'",
    ),
    "duplicate unit-periods": (
        lambda f: pd.concat([f, f.iloc[3:4], f.iloc[5:6]]), {}, "2 rows repeat",
    ),
    "time that skips": (lambda f: f[f["time"] != 2], {}, "time skips: 1 of 2"),
    "months that skip": (
        lambda f: change(f, time=f["time"].map(
            {1: "2026-01-01", 2: "2026-02-01", 3: "2026-04-01", 4: "2026-05-01"}
        ).astype("datetime64[us]"), treatment_start=pd.NaT),
        {}, "time skips: 1 of 3",
    ),
    "one period": (lambda f: f[f["time"] == 2], {}, "one period only"),
    "time in text": (lambda f: change(f, time=f["time"].astype(str)), {}, "neither whole numbers"),
    "time in fractions": (lambda f: change(f, time=f["time"] / 2), {}, "not whole numbers"),
    "endless time": (
        lambda f: change(f, time=f["time"].astype(float).replace(4.0, np.inf)), {}, "infinite",
    ),
    "no time": (
        lambda f: change(f, time=f["time"].astype(float).replace(4.0, np.nan)), {}, "no time",
    ),
    "no unit": (lambda f: one(f, "unit", None), {}, "1 of 16 rows have no 'unit'"),
    "dates against numbers": (
        lambda f: change(f, treatment_start=pd.Timestamp("2026-01-01")), {}, "starts are dates",
    ),
    "outcome in text": (
        lambda f: one(f, "outcome", "zq-text", slice(2, 5)).astype({"outcome": "string"}), {},
        "not numeric: 3 of 16",
    ),
    "mixed outcome": (lambda f: one(f, "outcome", "zq-text"), {}, "not numeric: 1 of 16"),
    "dated outcome": (
        lambda f: change(f, outcome=pd.Timestamp("2026-01-01")), {}, "'outcome' is not numeric",
    ),
    "endless outcome": (
        lambda f: as_float(one(f, "outcome", np.inf), "outcome"), {}, "1 values are infinite",
    ),
    "constant outcome": (lambda f: change(f, outcome=SECRET), {}, "same value in every row"),
    "a start that changes": (
        lambda f: change(f, treatment_start=f["treatment_start"].where(f["time"] < 4, 987654)),
        {}, "'treatment_start' changes within 4 of 4 units",
    ),
    "a treatment that ends": (
        lambda f: change(f, treatment_start=f["treatment_start"].where(f["time"] < 4)),
        {}, "'treatment_start' changes within 2 of 4 units",
    ),
    "nobody treated": (lambda f: change(f, treatment_start=np.nan), {}, "no unit is treated"),
    "nobody treated in the window": (
        lambda f: change(f, treatment_start=77), {}, "no unit is treated inside the panel",
    ),
    "all treated from the start": (
        lambda f: change(f, treatment_start=f["treatment_start"].clip(upper=1)), {},
        "all 2 treated units are treated from the first period on",
    ),
    "all treated at one date": (
        lambda f: change(f, treatment_start=3), {}, "all 4 units are treated at the same date",
    ),
    "missing weights": (
        lambda f: as_float(one(f, "weight", None), "weight"), {"weight": "weight"}, "1 weights",
    ),
    "weights of zero": (
        lambda f: change(f, weight=0.0), {"weight": "weight"}, "16 weights are missing, zero",
    ),
    "clusters that change": (
        lambda f: one(f, "cluster", "u"), {"cluster": "cluster"}, "'cluster' changes within 1 of 4",
    ),
    "two clusters": (
        lambda f: change(f, cluster=f["cluster"].replace("u", "s")), {"cluster": "cluster"},
        "2 clusters",
    ),
    "two units": (lambda f: f[f["unit"].isin(["a", "c"])], {}, "2 clusters"),
    "missing covariate": (
        lambda f: as_float(one(f, "x", None, slice(0, 5)), "x"), {"covariates": ("x",)},
        "covariate 'x' is missing in 5 of 16 rows",
    ),
    "a covariate of the period alone": (
        lambda f: change(f, x=f["time"] * 2.0), {"covariates": ("x",)},
        "'x' is determined by the period",
    ),
    "collinear covariates": (
        lambda f: change(f, y=np.cos(np.arange(16)), z=2 * f["x"] - 3),
        {"covariates": ("x", "y", "z")}, "'z' is determined by 'x'",
    ),
    "negative standard errors": (
        lambda f: change(f, error=-1.0), {"standard_error": "error"}, "16 standard errors",
    ),
    "a flag that is none": (
        lambda f: change(f, near=0.5), {"neighbour": "near"}, "neither 0 nor 1",
    ),
    "a flag that changes": (
        lambda f: change(f, near=(f["time"] > 2).astype(int)), {"neighbour": "near"},
        "'near' changes within 4 of 4",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_answer_is_refused_with_a_way_out_and_without_a_value(case):
    spoil, options, text = REFUSED[case]
    frame = spoil(small())
    kept = frame.copy(deep=True)
    with pytest.raises(Refusal) as caught:
        panel_from_frame(frame, DidSpec(**options))
    message = caught.value.message()
    assert text in message
    assert "where:" in message
    assert "987654" not in message
    assert "zq-text" not in message
    pd.testing.assert_frame_equal(frame, kept)


def test_the_nearest_column_is_named():
    with pytest.raises(Refusal) as caught:
        panel_from_frame(small().rename(columns={"outcome": "outcomes"}), DidSpec())
    assert caught.value.nearest == "outcomes"


def test_nothing_to_measure_is_no_data():
    with pytest.raises(NoData, match="no rows"):
        panel_from_frame(small().head(0), DidSpec())
    with pytest.raises(NoData, match="all 16 outcomes are missing"):
        panel_from_frame(small().assign(outcome=np.nan), DidSpec())


@pytest.mark.parametrize(("factor", "word"), [(1e300, "large"), (1e-300, "small")])
def test_numbers_that_cannot_be_squared_are_refused(factor, word) -> None:
    frame = pd.DataFrame(
        {
            "unit": np.repeat(np.arange(12), 4),
            "time": np.tile(np.arange(4), 12),
            "outcome": np.random.default_rng(0).normal(1, 0.1, 48) * factor,
            "treatment_start": np.repeat([2.0, 3.0, np.nan] * 4, 4),
        }
    )
    with pytest.raises(Refusal, match=f"too {word}"):
        panel_from_frame(frame, DidSpec())
